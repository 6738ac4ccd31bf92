package credential

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image/jpeg"
	"strings"
	"unicode"
	"unicode/utf8"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Bounds of values.
const (
	maxValue   = 2000      // characters of a text
	maxPicture = 100 << 10 // bytes of a JPEG
	maxSide    = 2000      // pixels
)

// Fault is what keeps a document from being signed.
type Fault struct {
	Claim string `json:"claim"`
	Code  string `json:"code"` // "missing" or "form"
}

// collect takes what a type says from the facts of a decision. given are values that
// an officer supplied; they stand before those of the decision.
func collect(t *Type, f Facts, given Values) (Values, []Fault) {
	v, faults := Values{}, []Fault(nil)
	for _, k := range t.Claims {
		raw, ok := given[k.Name]
		for i := 0; !ok && i < len(k.From); i++ {
			raw, ok = f.at(k.From[i])
		}
		if !ok {
			if k.Mandatory {
				faults = append(faults, Fault{k.Name, "missing"})
			}
			continue
		}
		clean, good := k.clean(raw)
		if !good {
			faults = append(faults, Fault{k.Name, "form"})
			continue
		}
		v[k.Name] = clean
	}
	return v, faults
}

// CountryFacts are those that stand in every document of a country: its codes, by which
// machines abroad know it.
func CountryFacts(c *gov.Country) map[string]any {
	return map[string]any{"code": c.Code, "distinguishing_sign": c.DistinguishingSign}
}

// at finds a value by its path; an empty text is none.
func (f Facts) at(path string) (any, bool) {
	var v any = map[string]any(f)
	for part := range strings.SplitSeq(path, ".") {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		if v, ok = m[part]; !ok || v == nil {
			return nil, false
		}
	}
	if s, ok := v.(string); ok && strings.TrimSpace(s) == "" {
		return nil, false
	}
	return v, true
}

// clean brings a value into the form of its kind, or says that it has another.
func (k *Claim) clean(v any) (any, bool) {
	switch k.Kind {
	case YesNo:
		b, ok := v.(bool)
		return b, ok
	case Number:
		switch n := v.(type) {
		case json.Number:
			_, err := n.Float64()
			return n, err == nil
		case int64, int, float64:
			b, err := json.Marshal(n)
			return json.Number(b), err == nil
		}
		return nil, false
	case List:
		return k.cleanList(v)
	}
	s, ok := v.(string)
	if !ok {
		return nil, false
	}
	s = strings.TrimSpace(s)
	switch k.Kind {
	case Day:
		_, err := gov.ParseDate(s)
		return s, err == nil
	case Image:
		return s, pictureFits(s)
	}
	return s, wordsFit(s)
}

// wordsFit refuses what could show as something else than it is: controls, and marks
// that turn the direction of what stands around them.
func wordsFit(s string) bool {
	if !utf8.ValidString(s) || utf8.RuneCountInString(s) > maxValue {
		return false
	}
	for _, r := range s {
		if unicode.IsControl(r) || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069 {
			return false
		}
	}
	return true
}

func pictureFits(s string) bool {
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(b) > maxPicture {
		return false
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(b))
	return err == nil && c.Width <= maxSide && c.Height <= maxSide
}

// checked is a document that was found to be what its type asks for. Only lint makes
// one, and signing takes it: nothing else can be signed, and nothing twice.
type checked struct {
	document *Document
	kind     *Type
	values   Values
	used     bool
}

var errUsed = errors.New("a checked document is signed once")

// take gives what was checked to whoever signs it.
func (c *checked) take() error {
	if c.used {
		return errUsed
	}
	c.used = true
	return nil
}

// lint looks at a document as it lies, before it is signed: by the type of its own
// version, whatever was checked when it was prepared.
func (s *Credentials) lint(ctx context.Context, d *Document) (*checked, error) {
	t, err := s.TypeVersion(ctx, d.Type, d.Version)
	if err != nil {
		return nil, err
	}
	v, err := s.Values(ctx, d)
	if err != nil {
		return nil, err
	}
	for _, k := range t.Claims {
		x, ok := v[k.Name]
		if !ok && !k.Mandatory {
			continue
		}
		if _, good := k.clean(x); !ok || !good {
			return nil, problem.New(problem.Conflict, "credential.faulty", "claim", k.Name)
		}
	}
	for name := range v {
		if _, ok := t.Claim(name); !ok {
			return nil, problem.New(problem.Conflict, "credential.faulty", "claim", name)
		}
	}
	return &checked{document: d, kind: t, values: v}, nil
}

// settleAtOnce bounds how many documents one round looks at.
const settleAtOnce = 100

// Settle checks the documents that decisions made due and signs those that need no
// second officer. It returns how many moved. Like any job it may run on several
// copies of the program at once: each document moves once.
func (s *Credentials) Settle(ctx context.Context) (moved int, err error) {
	due, err := s.documents(ctx, `state = $1 ORDER BY tries, created_at LIMIT $2`, Prepared, settleAtOnce)
	if err != nil {
		return 0, err
	}
	for _, d := range due {
		ok, err := s.settle(ctx, d, nil)
		if err != nil {
			// One that can't be looked at now must not keep the others waiting.
			s.Log.ErrorContext(ctx, "a document could not be checked", "document", d.ID, "error", err)
			_, err = s.DB.Writer().ExecContext(ctx, `UPDATE credential_document SET tries = tries + 1 WHERE id = $1`, d.ID)
			if err != nil {
				return moved, err
			}
			continue
		}
		if ok {
			moved++
		}
	}
	return moved, nil
}

// settle checks one document, with what an officer supplied.
func (s *Credentials) settle(ctx context.Context, d *Document, given Values) (bool, error) {
	t, err := s.TypeVersion(ctx, d.Type, d.Version)
	if err != nil {
		return false, err
	}
	facts, err := s.Sources.Facts(ctx, d.Source)
	if err != nil {
		return false, fmt.Errorf("the facts of a decision: %w", err)
	}
	values, faults := collect(t, facts, given)
	state, reason := Ready, ""
	switch {
	case len(faults) > 0:
		b, err := json.Marshal(faults)
		if err != nil {
			return false, err
		}
		state, reason = Faulty, string(b)
	case t.TwoSign:
		state = Waiting
	}
	body, err := json.Marshal(values)
	if err != nil {
		return false, err
	}
	if d.sealed, err = s.sealer.Seal(ctx, d.Person, valuesPlace(d.ID), body); err != nil {
		return false, err
	}
	err = s.DB.RunTx(ctx, func(tx *db.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE credential_document SET state = $3, sealed = $4, updated_at = $5 WHERE id = $1 AND state = $2`,
			d.ID, d.State, state, d.sealed, db.Micros(s.Clock.Now()))
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, problem.New(problem.Conflict, "credential.changed"))
		}
		if state == Ready {
			c := &checked{document: d, kind: t, values: values}
			return s.sign(ctx, tx, c, "")
		}
		return s.note(ctx, tx, d.ID, state, "", reason)
	})
	if problem.Is(err, problem.Conflict) {
		return false, nil // another copy of the program was faster
	}
	if err == nil {
		d.State = state
	}
	return err == nil, err
}

// sign gives a checked document its number and its days, and tells the person. What
// is issued later is made of it, each copy with a signature of its own.
func (s *Credentials) sign(ctx context.Context, tx *db.Tx, c *checked, officer string) error {
	if err := c.take(); err != nil {
		return err
	}
	d := c.document
	d.Number, d.From, d.SignedBy = newNumber(), s.today(), officer
	d.Until, d.State, d.Updated = c.kind.Ends(d.From, c.values), Ready, s.Clock.Now()
	until := ""
	if !d.Until.IsZero() {
		until = d.Until.String()
	}
	if _, err := tx.ExecContext(ctx, `UPDATE credential_document SET state = $2, number = $3, valid_from = $4, valid_until = $5, signed_by = $6, updated_at = $7 WHERE id = $1`,
		d.ID, Ready, d.Number, d.From.String(), until, officer, db.Micros(d.Updated)); err != nil {
		return fmt.Errorf("signing a document: %w", err)
	}
	if err := s.note(ctx, tx, d.ID, Ready, officer, ""); err != nil {
		return err
	}
	return s.Ready(ctx, tx, d)
}

// Sign is the second officer's signature on a document that waits for it. Who took
// the decision can't give it.
func (s *Credentials) Sign(ctx context.Context, actor gov.Actor, id string) (*Document, error) {
	d, err := s.Find(ctx, actor, MaySign, id)
	if err != nil {
		return nil, err
	}
	if d.State != Waiting {
		return nil, problem.New(problem.Conflict, "credential.not_waiting")
	}
	if d.DecidedBy == actor.ID {
		return nil, problem.New(problem.Forbidden, "credential.same_officer")
	}
	c, err := s.lint(ctx, d)
	if err != nil {
		return nil, err
	}
	return d, s.DB.RunTx(ctx, func(tx *db.Tx) error {
		if err := s.move(ctx, tx, d, Waiting, Ready); err != nil {
			return err
		}
		if err := s.sign(ctx, tx, &checked{document: c.document, kind: c.kind, values: c.values}, actor.ID); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, auditChain, actor, "credential.sign", d.ID, map[string]string{"type": d.Type})
	})
}

// move takes a document from one state to another, if it is still in it.
func (s *Credentials) move(ctx context.Context, tx *db.Tx, d *Document, from, to string) error {
	r, err := tx.ExecContext(ctx, `UPDATE credential_document SET state = $3, updated_at = $4 WHERE id = $1 AND state = $2`, d.ID, from, to, db.Micros(s.Clock.Now()))
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, problem.New(problem.Conflict, "credential.changed"))
	}
	return nil
}

// Mend supplies what the decision lacks of a document, and checks it again.
func (s *Credentials) Mend(ctx context.Context, actor gov.Actor, id string, given Values) (*Document, error) {
	d, err := s.Find(ctx, actor, MayMend, id)
	if err != nil {
		return nil, err
	}
	if d.State != Faulty {
		return nil, problem.New(problem.Conflict, "credential.not_faulty")
	}
	if _, err := s.settle(ctx, d, given); err != nil {
		return nil, err
	}
	return d, s.DB.RunTx(ctx, func(tx *db.Tx) error {
		return s.Audit.Append(ctx, tx, auditChain, actor, "credential.mend", d.ID, map[string]string{"type": d.Type, "state": d.State})
	})
}

// Faults are what keeps a faulty document from being signed.
func (s *Credentials) Faults(ctx context.Context, d *Document) ([]Fault, error) {
	all, err := s.History(ctx, d)
	if err != nil {
		return nil, err
	}
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Kind == Faulty {
			var f []Fault
			err := json.Unmarshal([]byte(all[i].Reason), &f)
			return f, err
		}
	}
	return nil, nil
}
