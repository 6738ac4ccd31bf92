package verifier

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/protocol/claimpath"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/dcql"
)

// Things that the audit trail knows of questions.
const (
	didWrite = "verifier.template.write"
	didDrop  = "verifier.template.drop"
)

// templateForm is what an officer calls a question: with a letter first, so that it is
// never one that was made without them.
var templateForm = regexp.MustCompile(`^[a-z][a-z0-9-]{1,39}$`)

// TemplateID is the id of a question that an officer calls by a name.
func TemplateID(verifier, name string) string { return verifier + "-" + name }

// queryFor makes a query of chosen claims: one document of each type.
func queryFor(from []Allowed) (json.RawMessage, error) {
	var documents []any
	for i, a := range from {
		meta := map[string]any{"vct_values": []string{a.Type}}
		if a.Format == openid4.MDoc {
			meta = map[string]any{"doctype_value": a.Type}
		}
		var claims []map[string]any
		for _, c := range a.Claims {
			claims = append(claims, map[string]any{"path": c})
		}
		id := "document"
		if i > 0 {
			id = fmt.Sprintf("document-%d", i+1)
		}
		documents = append(documents, map[string]any{"id": id, "format": a.Format, "meta": meta, "claims": claims})
	}
	return json.Marshal(map[string]any{"credentials": documents})
}

// chosen returns the claims that a query asks, when it is one that queryFor makes: anything
// more that DCQL can say makes it false.
func chosen(query json.RawMessage) (from []Allowed, plain bool) {
	q, err := dcql.Parse(query)
	if err != nil {
		return nil, false
	}
	for _, c := range q.Credentials {
		a := Allowed{Format: c.Format, Type: c.Meta.Doctype}
		if len(c.Meta.VCT) > 0 {
			a.Type = c.Meta.VCT[0]
		}
		for _, x := range c.Claims {
			a.Claims = append(a.Claims, x.Path)
		}
		from = append(from, a)
	}
	again, err := queryFor(from)
	if err != nil {
		return from, false
	}
	made, err := dcql.Parse(again)
	if err != nil {
		return from, false
	}
	a, errA := json.Marshal(made)
	b, errB := json.Marshal(q)
	return from, errA == nil && errB == nil && string(a) == string(b)
}

// written are the questions that officers wrote.
func (v *Party) written() []Template {
	return slices.DeleteFunc(slices.Clone(v.Templates), func(t Template) bool { return !t.Written })
}

// Questions are those that the pages offer: what officers wrote, and only where they wrote
// nothing those that ask all that the verifier may know.
func (v *Party) Questions() []Template {
	if w := v.written(); len(w) > 0 {
		return w
	}
	return v.Templates
}

// templated gives a verifier, beside what officers wrote, a question for each type that
// it may ask for: all that it may know of it, told once.
func (v *Party) templated() error {
	v.Templates = v.written()
	for i, a := range v.May {
		name := a.Name
		if name.Empty() {
			name = v.Name
		}
		q, err := queryFor([]Allowed{a})
		if err != nil {
			return err
		}
		v.Templates = append(v.Templates, Template{ID: fmt.Sprintf("%s-%d", v.ID, i+1), Name: name, Why: v.Purpose, Query: q, Keep: KeepNothing})
	}
	return nil
}

// fits finds a question that asks more than its verifier may: the error says which and
// names the first claim that is too much.
func (v *Party) fits() error {
	for _, t := range v.written() {
		q, err := dcql.Parse(t.Query)
		if err != nil {
			return problem.Wrap(err, problem.Invalid, "verification.query")
		}
		if err := v.Allows(q); err != nil {
			return err
		}
	}
	return nil
}

// change rewrites what is registered of a verifier that officers made, with its entry in
// the trail. Two officers at once do not undo each other's work: the second is refused.
func (s *Verifier) change(ctx context.Context, by gov.Actor, id, action, subject string, do func(p *Party) (map[string]string, error)) error {
	err := s.DB.RunTx(ctx, func(tx *db.Tx) error {
		var was, madeBy string
		err := tx.QueryRowContext(ctx, `SELECT body, made_by FROM verifier_party WHERE id = $1 AND ended_at = 0`, id).Scan(&was, &madeBy)
		if errors.Is(err, sql.ErrNoRows) || err == nil && madeBy == "" {
			return problem.New(problem.Conflict, "verification.register.taken")
		}
		old := new(Party)
		if err == nil {
			err = json.Unmarshal([]byte(was), old)
		}
		if err != nil {
			return fmt.Errorf("reading the verifier %s: %w", id, err)
		}
		detail, err := do(old)
		if err != nil {
			return err
		}
		body, err := json.Marshal(old)
		if err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, `UPDATE verifier_party SET body = $2, updated_at = $3 WHERE id = $1 AND ended_at = 0 AND made_by <> '' AND body = $4`,
			id, string(body), db.Micros(s.Clock.Now()), was)
		if err != nil {
			return fmt.Errorf("changing a verifier: %w", err)
		}
		if n, err := done.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, problem.New(problem.Conflict, "verification.register.changed"))
		}
		return s.note(ctx, tx, id, by, action, subject, detail)
	})
	s.forgetParties()
	return err
}

// Write keeps a question of a verifier that officers registered: a new one, or one that
// was written before. One that asks more than the verifier may is refused with
// "verification.over_asked" and the claim. Whether the officer may is for the caller to know.
func (s *Verifier) Write(ctx context.Context, by gov.Actor, verifier string, t Template, isNew bool) error {
	for _, l := range s.Country.Languages {
		if t.Name[l.Code] == "" || t.Why[l.Code] == "" || len(t.Name[l.Code]) > maxWord || len(t.Why[l.Code]) > maxWord {
			return problem.New(problem.Invalid, "verification.template.words", "lang", l.Name)
		}
	}
	switch {
	case t.Keep == KeepNothing:
		t.Minutes = 0
	case t.Keep != KeepOutcome && t.Keep != KeepClaims, t.Minutes < 1 || t.Minutes > maxMinutes:
		return problem.New(problem.Invalid, "verification.template.keep")
	}
	t.Written = true
	return s.change(ctx, by, verifier, didWrite, t.ID, func(p *Party) (map[string]string, error) {
		at := slices.IndexFunc(p.Templates, func(x Template) bool { return x.ID == t.ID })
		switch {
		case isNew && at >= 0:
			return nil, problem.New(problem.Conflict, "verification.template.taken")
		case !isNew && (at < 0 || !p.Templates[at].Written):
			return nil, problem.New(problem.NotFound, "verification.no_template")
		case isNew && len(p.Templates) >= maxTemplates:
			return nil, problem.New(problem.Conflict, "verification.template.many", "max", fmt.Sprint(maxTemplates))
		case isNew:
			p.Templates = append([]Template{t}, p.Templates...)
		default:
			p.Templates[at] = t
		}
		if err := p.fits(); err != nil {
			return nil, err
		}
		if err := p.check(map[string]bool{}); err != nil {
			return nil, problem.Wrap(err, problem.Invalid, "verification.query")
		}
		return map[string]string{"keep": t.Keep}, nil
	})
}

// Drop takes away a question that an officer wrote. Requests that were made with it go on.
func (s *Verifier) Drop(ctx context.Context, by gov.Actor, verifier, id string) error {
	return s.change(ctx, by, verifier, didDrop, id, func(p *Party) (map[string]string, error) {
		n := len(p.Templates)
		p.Templates = slices.DeleteFunc(p.Templates, func(t Template) bool { return t.ID == id && t.Written })
		if len(p.Templates) == n {
			return nil, problem.New(problem.NotFound, "verification.no_template")
		}
		return nil, nil
	})
}

// has tells whether a type and a claim are among chosen ones.
func has(from []Allowed, format, kind string, path claimpath.Path) bool {
	return slices.ContainsFunc(from, func(a Allowed) bool {
		return a.Format == format && a.Type == kind && slices.ContainsFunc(a.Claims, func(p claimpath.Path) bool { return p.String() == path.String() })
	})
}
