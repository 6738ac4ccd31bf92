package casework

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"diwan/internal/casework/form"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// BuiltForm is a form that an officer builds, as they see it.
type BuiltForm struct {
	*form.Form
	State string
	// Seen names the document: who changes it says which one they saw, and is
	// refused when somebody else has changed it since.
	Seen  string
	Hands []string // accounts that had a hand in it
}

// Source is a data service from which a form may fetch a document.
type Source struct {
	Service string
	Fields  []SourceField
	Asks    []string // answers of the form that it needs
	// Type is the type of document for which alone it stands, "" where any may be
	// fetched by it.
	Type string
}

// SourceField is one thing that a service tells.
type SourceField struct {
	Name  string
	Label gov.Text
}

// maxVersions bounds the versions of one form.
const maxVersions = 500

// Built returns a version of a form, drafts included.
func (w *Casework) Built(ctx context.Context, procedure, version string) (*BuiltForm, error) {
	body, state, err := w.FormBody(ctx, procedure, version)
	if err != nil {
		return nil, err
	}
	f, err := form.Parse([]byte(body))
	if err != nil {
		return nil, fmt.Errorf("the form %s %s: %w", procedure, version, err)
	}
	b := &BuiltForm{Form: f, State: state, Seen: hashOf(body)[:16]}
	b.Hands, err = formHands(ctx, w.DB.Reader(), procedure, version)
	return b, err
}

func formHands(ctx context.Context, q querier, procedure, version string) ([]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT account FROM casework_form_hand WHERE procedure = $1 AND version = $2 ORDER BY account`, procedure, version)
	if err != nil {
		return nil, fmt.Errorf("reading who built a form: %w", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var a string
		if err := rows.Scan(&a); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// Findings are what the law has to say of a form: see form.Lint.
func (w *Casework) Findings(ctx context.Context, f *form.Form) ([]form.Finding, error) {
	published, err := w.Procedures.Published(ctx, f.Doc().Procedure)
	if err != nil {
		return nil, err
	}
	return form.Lint(f, published, w.Banned), nil
}

// nextVersion is the number after the highest that a procedure's forms have.
func (w *Casework) nextVersion(ctx context.Context, procedure string) (string, error) {
	rows, err := w.Forms(ctx, procedure)
	if err != nil {
		return "", err
	}
	if len(rows) >= maxVersions {
		return "", problem.New(problem.Invalid, "form.versions_many")
	}
	n := 0
	for _, r := range rows {
		if i, err := strconv.Atoi(r.Version); err == nil {
			n = max(n, i)
		}
	}
	return strconv.Itoa(n + 1), nil
}

// NewForm starts a form: from what the procedure says when from is empty, from an
// earlier version otherwise. It returns the new version.
func (w *Casework) NewForm(ctx context.Context, by gov.Actor, procedure, from string, facts form.Facts) (string, error) {
	version, err := w.nextVersion(ctx, procedure)
	if err != nil {
		return "", err
	}
	var f *form.Form
	if from == "" {
		if facts.Published, err = w.Procedures.Published(ctx, procedure); err != nil {
			return "", err
		}
		f, err = form.FromProcedure(facts)
	} else {
		var b *BuiltForm
		if b, err = w.Built(ctx, procedure, from); err == nil {
			f = b.Form
		}
	}
	if err == nil {
		f, err = form.Edit(f, form.Op{Do: "form.version", Version: version})
	}
	if err != nil {
		return "", err
	}
	return version, w.DB.RunTx(ctx, func(tx *db.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM casework_form WHERE procedure = $1 AND version = $2`, procedure, version).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return problem.New(problem.Conflict, "form.changed")
		}
		return w.putBuilt(ctx, tx, by, f)
	})
}

func (w *Casework) putBuilt(ctx context.Context, tx *db.Tx, by gov.Actor, f *form.Form) error {
	d := f.Doc()
	if err := w.putForm(ctx, tx, by, d, formDraft, f.JSON()); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO casework_form_hand (procedure, version, account) VALUES ($1, $2, $3)
		ON CONFLICT (procedure, version, account) DO NOTHING`, d.Procedure, d.Version, by.ID)
	return err
}

// EditForm makes changes to a draft, all or none of them. seen is the Seen of the
// form that they were made on.
func (w *Casework) EditForm(ctx context.Context, by gov.Actor, procedure, version, seen string, ops ...form.Op) error {
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		f, err := w.draftForm(ctx, tx, procedure, version, seen)
		if err != nil {
			return err
		}
		for _, op := range ops {
			if f, err = form.Edit(f, op); err != nil {
				return err
			}
		}
		return w.putBuilt(ctx, tx, by, f)
	})
}

// draftForm reads a draft in a transaction, and refuses one that was published, or
// changed since it was seen.
func (w *Casework) draftForm(ctx context.Context, tx *db.Tx, procedure, version, seen string) (*form.Form, error) {
	var body, state string
	err := tx.QueryRowContext(ctx, `SELECT body, state FROM casework_form WHERE procedure = $1 AND version = $2`, procedure, version).Scan(&body, &state)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, errNoForm
	case err != nil:
		return nil, fmt.Errorf("reading a form: %w", err)
	case state != formDraft:
		return nil, problem.New(problem.Conflict, "form.version_published", "version", version)
	case hashOf(body)[:16] != seen:
		return nil, problem.New(problem.Conflict, "form.changed")
	}
	return form.Parse([]byte(body))
}

// DropForm forgets a draft.
func (w *Casework) DropForm(ctx context.Context, procedure, version, seen string) error {
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		if _, err := w.draftForm(ctx, tx, procedure, version, seen); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM casework_form WHERE procedure = $1 AND version = $2 AND state = $3`, procedure, version, formDraft); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `DELETE FROM casework_form_hand WHERE procedure = $1 AND version = $2`, procedure, version)
		return err
	})
}

// PublishBuilt publishes a draft that was seen, by another hand than those that
// built it. The findings say why it can't be.
func (w *Casework) PublishBuilt(ctx context.Context, by gov.Actor, procedure, version, seen string) ([]form.Finding, error) {
	b, err := w.Built(ctx, procedure, version)
	switch {
	case err != nil:
		return nil, err
	case b.State != formDraft:
		return nil, problem.New(problem.Conflict, "form.version_published", "version", version)
	case b.Seen != seen:
		return nil, problem.New(problem.Conflict, "form.changed")
	case slices.Contains(b.Hands, by.ID):
		return nil, problem.New(problem.Forbidden, "form.own_hand")
	}
	return w.PublishForm(ctx, by, b.JSON())
}
