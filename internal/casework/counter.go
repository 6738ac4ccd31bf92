package casework

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Present is somebody who stands at a counter. Without an account they are known by
// the name they gave, and have a key of their own as everybody has: what they say
// can be erased.
type Present struct {
	ID      string
	Name    gov.Text
	Account bool
	// Lang is the language in which they are written to; empty is that of the officer's
	// page.
	Lang gov.Lang
}

// Registry finds the account of somebody who is present by the number on their
// identity card. Each search is written down with its reason.
type Registry interface {
	FindPresent(ctx context.Context, by gov.Actor, number string) ([]Present, error)
}

const maxPresentName = 200 // characters

// NamedPresent is somebody without an account, by the name that they gave.
func NamedPresent(name string) (Present, error) {
	name = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf) {
			return -1 // nothing that turns around what stands beside a name
		}
		return r
	}, name)), " ")
	if n := utf8.RuneCountInString(name); n < 2 || n > maxPresentName || !utf8.ValidString(name) {
		return Present{}, problem.New(problem.Invalid, "case.present_name")
	}
	return Present{ID: gov.NewID(), Name: gov.Text{"": name}}, nil
}

func presentPlace(draft string) string { return "present " + draft }

// BeginPresent starts a draft that an officer fills in with somebody who is present.
func (w *Casework) BeginPresent(ctx context.Context, by gov.Actor, p Present, d Draft) (Draft, error) {
	if err := w.May(ctx, by, MayDraft, &Case{Administration: by.Administration, Unit: by.Unit, Person: p.ID, Procedure: d.Procedure}); err != nil {
		return Draft{}, err
	}
	if _, ok := w.Country.Language(p.Lang); !ok && p.Lang != "" {
		return Draft{}, problem.New(problem.Invalid, "case.present_language")
	}
	if p.ID == by.ID {
		return Draft{}, problem.New(problem.Forbidden, "case.present_self")
	}
	d.Person, d.Filer, d.Administration = p.ID, by.ID, by.Administration
	d, err := w.Begin(ctx, d)
	if err != nil {
		return d, err
	}
	name, err := json.Marshal(p.Name)
	if err != nil {
		return d, err
	}
	sealed, err := w.sealer.Seal(ctx, p.ID, presentPlace(d.ID), name)
	if err != nil {
		return d, err
	}
	err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO casework_present (draft, person, officer, administration, known, lang, sealed, made_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			d.ID, p.ID, by.ID, by.Administration, p.Account, string(p.Lang), sealed, db.Micros(w.Clock.Now()))
		return err
	})
	if err != nil {
		return d, fmt.Errorf("writing who is present: %w", err)
	}
	return d, nil
}

// PresentOf says with whom an officer fills in a draft. It is empty for a draft of
// another officer, and for one who has lost the counter since.
func (w *Casework) PresentOf(ctx context.Context, by gov.Actor, draft string) (Present, error) {
	var p Present
	var sealed []byte
	var administration string
	if !isID(draft) {
		return p, errNoDraft
	}
	err := w.DB.Reader().QueryRowContext(ctx, `SELECT person, administration, known, lang, sealed FROM casework_present WHERE draft = $1 AND officer = $2`, draft, by.ID).
		Scan(&p.ID, &administration, &p.Account, &p.Lang, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return p, errNoDraft
	}
	if err != nil {
		return p, fmt.Errorf("reading who is present: %w", err)
	}
	if err := w.May(ctx, by, MayDraft, &Case{Administration: administration, Person: p.ID}); err != nil {
		return Present{}, err
	}
	b, err := w.sealer.Open(ctx, p.ID, presentPlace(draft), sealed)
	if err != nil {
		return Present{}, err
	}
	return p, json.Unmarshal(b, &p.Name)
}

// KnownHere is what a person with an account has said in earlier cases of the
// officer's own administration: it holds that already and does not ask again. What
// they told others stays with those.
func (w *Casework) KnownHere(ctx context.Context, by gov.Actor, p Present) (map[string]any, error) {
	facts := map[string]any{}
	if !p.Account {
		return facts, nil
	}
	list, err := cases(ctx, w.DB.Reader(), `SELECT `+caseColumns+` FROM casework_case WHERE person = $1 AND administration = $2 AND form <> '' ORDER BY created_at DESC, id LIMIT $3`, p.ID, by.Administration, knownFrom)
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		if err := w.May(ctx, by, MayRead, c); err != nil {
			continue // of another unit
		}
		if err := w.addKnown(ctx, c, facts); err != nil {
			return nil, err
		}
	}
	return facts, nil
}

// forgetPresent drops those whose draft is gone.
func (w *Casework) forgetPresent(ctx context.Context) error {
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM casework_present WHERE NOT EXISTS (SELECT 1 FROM casework_draft d WHERE d.id = casework_present.draft)`)
		return err
	})
}
