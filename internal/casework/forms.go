package casework

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"

	"diwan/internal/casework/form"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// States of a form document.
const (
	formDraft     = "draft"     // an officer builds it
	formPublished = "published" // applications are written with it; it never changes
	formRetired   = "retired"   // cases that began with it keep it
)

var errNoForm = problem.New(problem.NotFound, "form.not_found")

// keptForms bounds the forms at hand.
const keptForms = 500

// Form returns a published form of a procedure by its version; "" is the latest
// that is published.
func (w *Casework) Form(ctx context.Context, procedure, version string) (*form.Form, error) {
	var body, state string
	var err error
	if version == "" {
		err = w.DB.Reader().QueryRowContext(ctx, `SELECT version, body, state FROM casework_form WHERE procedure = $1 AND state = $2 ORDER BY changed_at DESC LIMIT 1`,
			procedure, formPublished).Scan(&version, &body, &state)
	} else {
		err = w.DB.Reader().QueryRowContext(ctx, `SELECT body, state FROM casework_form WHERE procedure = $1 AND version = $2 AND state <> $3`,
			procedure, version, formDraft).Scan(&body, &state)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNoForm
	}
	if err != nil {
		return nil, fmt.Errorf("reading a form: %w", err)
	}
	return w.parsed(procedure+" "+version, body)
}

// parsed keeps compiled forms: a published document never changes.
func (w *Casework) parsed(key, body string) (*form.Form, error) {
	key += " " + hashOf(body)[:16]
	w.mu.Lock()
	f := w.forms[key]
	w.mu.Unlock()
	if f != nil {
		return f, nil
	}
	f, err := form.Parse([]byte(body))
	if err != nil {
		return nil, fmt.Errorf("the form %s: %w", key, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.forms) >= keptForms {
		clear(w.forms)
	}
	w.forms[key] = f
	return f, nil
}

// FormRow is a form document as a list shows it.
type FormRow struct {
	Procedure, Version, State string
	Changed                   gov.Date
	By                        string
}

// Forms lists the form documents of a procedure, the latest first; of all
// procedures when it is "".
func (w *Casework) Forms(ctx context.Context, procedure string) ([]FormRow, error) {
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT procedure, version, state, changed_at, changed_by FROM casework_form WHERE procedure = $1 OR $1 = '' ORDER BY procedure, changed_at DESC`, procedure)
	if err != nil {
		return nil, fmt.Errorf("listing forms: %w", err)
	}
	defer rows.Close()
	var out []FormRow
	for rows.Next() {
		var r FormRow
		var at int64
		if err := rows.Scan(&r.Procedure, &r.Version, &r.State, &at, &r.By); err != nil {
			return nil, err
		}
		r.Changed = gov.DateOf(db.Time(at), w.Country.Zone())
		out = append(out, r)
	}
	return out, rows.Err()
}

// LoadForms reads which procedures one can apply for here. It is called at start
// and by whatever follows what other copies of the program publish.
func (w *Casework) LoadForms(ctx context.Context) error {
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT procedure, version FROM casework_form WHERE state = $1`, formPublished)
	if err != nil {
		return fmt.Errorf("listing published forms: %w", err)
	}
	defer rows.Close()
	online := map[string]string{}
	for rows.Next() {
		var procedure, version string
		if err := rows.Scan(&procedure, &version); err != nil {
			return err
		}
		online[procedure] = version
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if had := w.online.Load(); had == nil || !maps.Equal(*had, online) {
		w.online.Store(&online)
		w.formsChanged.Add(1)
	}
	return nil
}

// HasForm tells whether one can apply for a procedure here.
func (w *Casework) HasForm(procedure string) bool {
	online := w.online.Load()
	return online != nil && (*online)[procedure] != ""
}

// FormsChanged counts the changes of what one can apply for, as this copy of the
// program saw them.
func (w *Casework) FormsChanged() int64 { return w.formsChanged.Load() }

// PublishForm makes a form the one that a procedure's applications are written
// with. It is refused while it asks for a document that the published procedure
// does not have, or one that the law forbids to ask for: the findings say which.
func (w *Casework) PublishForm(ctx context.Context, by gov.Actor, body []byte) ([]form.Finding, error) {
	f, err := form.Parse(body)
	if err != nil {
		return nil, err
	}
	d := f.Doc()
	published, err := w.Procedures.Published(ctx, d.Procedure)
	if err != nil {
		return nil, err
	}
	found := form.Lint(f, published, w.Banned)
	if len(form.Stops(found)) > 0 {
		return found, problem.New(problem.Invalid, "form.unlawful")
	}
	err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
		var state string
		err := tx.QueryRowContext(ctx, `SELECT state FROM casework_form WHERE procedure = $1 AND version = $2`, d.Procedure, d.Version).Scan(&state)
		if err == nil && state != formDraft {
			return problem.New(problem.Conflict, "form.version_published", "version", d.Version)
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE casework_form SET state = $2 WHERE procedure = $1 AND state = $3`, d.Procedure, formRetired, formPublished); err != nil {
			return err
		}
		return w.putForm(ctx, tx, by, d, formPublished, body)
	})
	if err != nil {
		return found, err
	}
	return found, w.LoadForms(ctx)
}

// SaveForm keeps a form that is being built. It may be unlawful or unfinished, but
// it must be a form.
func (w *Casework) SaveForm(ctx context.Context, by gov.Actor, body []byte) error {
	f, err := form.Parse(body)
	if err != nil {
		return err
	}
	d := f.Doc()
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		var state string
		err := tx.QueryRowContext(ctx, `SELECT state FROM casework_form WHERE procedure = $1 AND version = $2`, d.Procedure, d.Version).Scan(&state)
		if err == nil && state != formDraft {
			return problem.New(problem.Conflict, "form.version_published", "version", d.Version)
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return w.putForm(ctx, tx, by, d, formDraft, body)
	})
}

func (w *Casework) putForm(ctx context.Context, tx *db.Tx, by gov.Actor, d form.Doc, state string, body []byte) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO casework_form (procedure, version, state, body, changed_at, changed_by) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (procedure, version) DO UPDATE SET state = excluded.state, body = excluded.body, changed_at = excluded.changed_at, changed_by = excluded.changed_by`,
		d.Procedure, d.Version, state, string(body), db.Micros(w.Clock.Now()), by.ID)
	if err != nil {
		return fmt.Errorf("keeping a form: %w", err)
	}
	return nil
}

// FormBody returns a form document as it was written, drafts included, for who
// builds it.
func (w *Casework) FormBody(ctx context.Context, procedure, version string) (body, state string, err error) {
	err = w.DB.Reader().QueryRowContext(ctx, `SELECT body, state FROM casework_form WHERE procedure = $1 AND version = $2`, procedure, version).Scan(&body, &state)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoForm
	}
	return body, state, err
}
