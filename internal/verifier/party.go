package verifier

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/protocol/claimpath"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/dcql"
)

// What is kept of an answer.
const (
	KeepNothing = "nothing" // it is told once
	KeepOutcome = "outcome" // told once; that it was accepted or refused is kept
	KeepClaims  = "claims"  // what was disclosed is kept
)

// Bounds of registered verifiers.
const (
	maxParties   = 10000
	maxTemplates = 50
	maxAllowed   = 50
	maxMinutes   = 60 * 24 * 30
	partiesLook  = 10 * time.Second
)

// Party is a registered verifier: who it is, why it asks, and what it may ask.
type Party struct {
	ID      string   `json:"id"`
	Name    gov.Text `json:"name"`
	Purpose gov.Text `json:"purpose"`
	// Demonstration is set for those that are invented.
	Demonstration bool       `json:"demonstration,omitempty"`
	May           []Allowed  `json:"may"`
	Templates     []Template `json:"templates"`
	// Returns are the pages to which a person is sent back from a wallet on the same
	// device.
	Returns []string `json:"returns,omitempty"`
	// Review names the languages whose words nobody has checked yet.
	Review []gov.Lang `json:"review,omitempty"`
}

// Allowed is a type of document that a verifier may ask for, with the claims of it.
type Allowed struct {
	Format string `json:"format"`
	Type   string `json:"type"` // vct or doctype
	// Name is what people call it; those of the country's data have theirs in templates.
	Name   gov.Text         `json:"name,omitempty"`
	Claims []claimpath.Path `json:"claims"`
}

// Template is a question that a verifier asks often.
type Template struct {
	ID    string          `json:"id"`
	Name  gov.Text        `json:"name"`
	Why   gov.Text        `json:"why"`
	Query json.RawMessage `json:"query"` // DCQL
	Keep  string          `json:"keep"`
	// Minutes is how long what is kept is kept.
	Minutes int `json:"minutes"`
	// Written is set for those that officers wrote; the others of a registered verifier are
	// made anew whenever what it may ask changes.
	Written bool `json:"written,omitempty"`
}

// Parties are the verifiers of a country.
type Parties struct {
	Note      gov.Text `json:"note"`
	Verifiers []Party  `json:"verifiers"`
}

// Check finds what is wrong with the data: a template that asks more than its verifier
// may is a fault here, not a surprise at the counter.
func (p *Parties) Check() error {
	if len(p.Verifiers) > maxParties {
		return fmt.Errorf("%d verifiers, at most %d", len(p.Verifiers), maxParties)
	}
	parties, templates := map[string]bool{}, map[string]bool{}
	for i := range p.Verifiers {
		v := &p.Verifiers[i]
		if v.ID == "" || parties[v.ID] {
			return fmt.Errorf("verifier %d: the id %q is missing or taken", i+1, v.ID)
		}
		parties[v.ID] = true
		if err := v.check(templates); err != nil {
			return fmt.Errorf("verifier %s: %w", v.ID, err)
		}
	}
	return nil
}

func (v *Party) check(templates map[string]bool) error {
	if len(v.Name) == 0 || len(v.Purpose) == 0 || len(v.May) == 0 || len(v.May) > maxAllowed || len(v.Templates) > maxTemplates {
		return fmt.Errorf("it needs a name, a purpose and what it may ask, of at most %d types and %d templates", maxAllowed, maxTemplates)
	}
	for _, a := range v.May {
		if a.Format != openid4.SDJWT && a.Format != openid4.MDoc || a.Type == "" {
			return fmt.Errorf("the type %q of format %q", a.Type, a.Format)
		}
	}
	for _, r := range v.Returns {
		if err := oauth.CheckURL(r); err != nil {
			return fmt.Errorf("returns: %w", err)
		}
	}
	for _, t := range v.Templates {
		if t.ID == "" || templates[t.ID] || len(t.Name) == 0 || len(t.Why) == 0 {
			return fmt.Errorf("template %q: its id is missing or taken, or its name or reason", t.ID)
		}
		templates[t.ID] = true
		if !slices.Contains([]string{KeepNothing, KeepOutcome, KeepClaims}, t.Keep) || t.Minutes < 0 || t.Minutes > maxMinutes {
			return fmt.Errorf("template %s: what it keeps", t.ID)
		}
		q, err := dcql.Parse(t.Query)
		if err == nil {
			err = v.Allows(q)
		}
		if err != nil {
			return fmt.Errorf("template %s: %w", t.ID, err)
		}
	}
	return nil
}

// Template returns a template by its id, or nil.
func (v *Party) Template(id string) *Template {
	i := slices.IndexFunc(v.Templates, func(t Template) bool { return t.ID == id })
	if i < 0 {
		return nil
	}
	return &v.Templates[i]
}

// Allows tells whether a verifier may ask a query. The error, of code
// "verification.over_asked", names each claim that it may not ask.
func (v *Party) Allows(q *dcql.Query) error {
	over := problem.New(problem.Forbidden, "verification.over_asked", "claim", "")
	add := func(path, what string) {
		over.Fields = append(over.Fields, problem.At(path, "verification.over_asked", "claim", what))
	}
	for i, c := range q.Credentials {
		at := fmt.Sprintf("/credentials/%d", i)
		if !c.Bound() {
			return problem.New(problem.Forbidden, "verification.unbound")
		}
		types := c.Meta.VCT
		if c.Format == openid4.MDoc {
			types = []string{c.Meta.Doctype}
		}
		if len(types) == 0 {
			add(at+"/format", c.Format)
		}
		for _, kind := range types {
			a := v.allowed(c.Format, kind)
			if a == nil {
				add(at+"/meta", kind)
				continue
			}
			for n, claim := range c.Claims {
				if !slices.ContainsFunc(a.Claims, func(p claimpath.Path) bool { return covers(p, claim.Path) }) {
					add(fmt.Sprintf("%s/claims/%d", at, n), claim.Path.String())
				}
			}
		}
	}
	if len(over.Fields) == 0 {
		return nil
	}
	over.Args["claim"] = over.Fields[0].Args["claim"]
	return over
}

// covers tells whether what may be asked contains what is asked; null in the question
// stands for all elements and is contained only in null.
func covers(may, asked claimpath.Path) bool {
	if len(may) > len(asked) {
		return false
	}
	for i := range may {
		if _, index := asked[i].(int); may[i] != asked[i] && (may[i] != nil || !index) {
			return false
		}
	}
	return true
}

func (v *Party) allowed(format, kind string) *Allowed {
	i := slices.IndexFunc(v.May, func(a Allowed) bool { return a.Format == format && a.Type == kind })
	if i < 0 {
		return nil
	}
	return &v.May[i]
}

// Enrol makes the registered verifiers those of the data: new ones are added, changed
// ones changed, and those that are gone can ask no more. What officers registered or stopped
// stays as it is.
func (s *Verifier) Enrol(ctx context.Context, p Parties) error {
	if err := p.Check(); err != nil {
		return fmt.Errorf("registering verifiers: %w", err)
	}
	bodies := map[string]string{}
	for _, v := range p.Verifiers {
		b, err := json.Marshal(v)
		if err != nil {
			return fmt.Errorf("registering verifiers: %w", err)
		}
		bodies[v.ID] = string(b)
	}
	now := db.Micros(s.Clock.Now())
	err := s.DB.RunTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE verifier_party SET ended_at = $1 WHERE ended_at = 0 AND made_by = ''`, now); err != nil {
			return err
		}
		for _, id := range slices.Sorted(maps.Keys(bodies)) {
			if _, err := tx.ExecContext(ctx, `INSERT INTO verifier_party (id, body, updated_at, ended_at) VALUES ($1, $2, $3, 0)
				ON CONFLICT (id) DO UPDATE SET body = excluded.body, updated_at = excluded.updated_at, ended_at = 0 WHERE verifier_party.made_by = ''`, id, bodies[id], now); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("registering verifiers: %w", err)
	}
	s.forgetParties()
	return nil
}

// all returns the registered verifiers, as they were a few seconds ago at most.
func (s *Verifier) all(ctx context.Context) (map[string]*Party, error) {
	now := s.Clock.Now()
	s.mu.Lock()
	known, since := s.parties, now.Sub(s.read)
	s.mu.Unlock()
	if known != nil && since >= 0 && since < partiesLook {
		return known, nil
	}
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT id, body FROM verifier_party WHERE ended_at = 0 AND stopped_at = 0`)
	if err != nil {
		return nil, fmt.Errorf("reading verifiers: %w", err)
	}
	defer rows.Close()
	m := map[string]*Party{}
	for rows.Next() {
		var id, body string
		if err := rows.Scan(&id, &body); err != nil {
			return nil, err
		}
		p := new(Party)
		if err := json.Unmarshal([]byte(body), p); err != nil {
			return nil, fmt.Errorf("reading the verifier %s: %w", id, err)
		}
		m[id] = p
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.parties, s.read = m, now
	s.mu.Unlock()
	return m, nil
}

var errNoParty = problem.New(problem.NotFound, "verification.no_verifier")

// Party returns a registered verifier.
func (s *Verifier) Party(ctx context.Context, id string) (*Party, error) {
	m, err := s.all(ctx)
	if err != nil {
		return nil, err
	}
	if m[id] == nil && s.Others != nil {
		return s.Others(ctx, id)
	}
	if m[id] == nil {
		return nil, errNoParty
	}
	return m[id], nil
}
