package casework

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Draft is an application that is being written. It can be gone on with on
// another device: it lies here, sealed, and belongs to whoever fills it in.
type Draft struct {
	ID             string
	Person         string // the applicant
	Filer          string
	Administration string
	Procedure      string
	Form           string // version
	Page           string // where the person is
	Version        int64
	Filed          string // the number of the case it became
	Created        time.Time
	Updated        time.Time
	Answers        []byte
}

// Bounds of drafts.
const (
	maxDrafts  = 50 // under way, for one person
	maxAnswers = 512 << 10
	draftLife  = 180 * 24 * time.Hour
)

var errNoDraft = problem.New(problem.NotFound, "draft.not_found")

// Begin starts a draft.
func (w *Casework) Begin(ctx context.Context, d Draft) (Draft, error) {
	d.ID, d.Version = gov.NewID(), 1
	d.Created = w.Clock.Now()
	d.Updated = d.Created
	if len(d.Answers) == 0 {
		d.Answers = []byte("{}")
	}
	sealed, err := w.sealer.Seal(ctx, d.Person, draftPlace(d.ID), d.Answers)
	if err != nil {
		return Draft{}, err
	}
	// Counted outside the transaction: two drafts begun at once by one person may
	// come to one too many, and nobody else has to wait for it.
	var n int
	if err := w.DB.Reader().QueryRowContext(ctx, `SELECT COUNT(*) FROM casework_draft WHERE filer = $1 AND filed = ''`, d.Filer).Scan(&n); err != nil {
		return Draft{}, fmt.Errorf("counting drafts: %w", err)
	}
	if n >= maxDrafts {
		return Draft{}, problem.New(problem.Invalid, "draft.too_many", "max", fmt.Sprint(maxDrafts))
	}
	err = w.joint.Do(ctx, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO casework_draft (id, person, filer, administration, procedure, form, page, sealed, version, filed, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 1, '', $9, $9)`,
			d.ID, d.Person, d.Filer, d.Administration, d.Procedure, d.Form, d.Page, sealed, db.Micros(d.Created))
		return err
	})
	if err != nil {
		return Draft{}, fmt.Errorf("starting a draft: %w", err)
	}
	return d, nil
}

const draftColumns = `id, person, filer, administration, procedure, form, page, sealed, version, filed, created_at, updated_at`

func (w *Casework) scanDraft(ctx context.Context, row interface{ Scan(...any) error }) (Draft, error) {
	var d Draft
	var sealed []byte
	var created, updated int64
	err := row.Scan(&d.ID, &d.Person, &d.Filer, &d.Administration, &d.Procedure, &d.Form, &d.Page, &sealed, &d.Version, &d.Filed, &created, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return d, errNoDraft
	}
	if err != nil {
		return d, fmt.Errorf("reading a draft: %w", err)
	}
	d.Created, d.Updated = db.Time(created), db.Time(updated)
	d.Answers, err = w.sealer.Open(ctx, d.Person, draftPlace(d.ID), sealed)
	return d, err
}

// Draft returns a draft to the one who writes it; for others it does not exist.
func (w *Casework) Draft(ctx context.Context, filer, id string) (Draft, error) {
	if !isID(id) {
		return Draft{}, errNoDraft
	}
	d, err := w.scanDraft(ctx, w.DB.Reader().QueryRowContext(ctx, `SELECT `+draftColumns+` FROM casework_draft WHERE id = $1`, id))
	if err == nil && d.Filer != filer {
		err = errNoDraft
	}
	if err != nil {
		return Draft{}, err
	}
	return d, nil
}

// isID tells what can be an id: PostgreSQL refuses some texts.
func isID(s string) bool {
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return len(s) == 26
}

// Drafts lists what somebody has not filed yet, the latest first.
func (w *Casework) Drafts(ctx context.Context, filer string) ([]Draft, error) {
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT `+draftColumns+` FROM casework_draft WHERE filer = $1 AND filed = '' ORDER BY updated_at DESC LIMIT $2`, filer, maxDrafts)
	if err != nil {
		return nil, fmt.Errorf("listing drafts: %w", err)
	}
	defer rows.Close()
	var out []Draft
	for rows.Next() {
		d, err := w.scanDraft(ctx, rows)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// SaveDraft keeps the answers of a draft. A save over somebody's newer save (the
// same person on another device) is refused; their answers stay.
func (w *Casework) SaveDraft(ctx context.Context, d *Draft) error {
	if len(d.Answers) > maxAnswers {
		return problem.New(problem.Invalid, "draft.too_large")
	}
	sealed, err := w.sealer.Seal(ctx, d.Person, draftPlace(d.ID), d.Answers)
	if err != nil {
		return err
	}
	d.Updated = w.Clock.Now()
	err = w.joint.Do(ctx, func(ctx context.Context, tx *db.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE casework_draft SET page = $3, sealed = $4, version = $2 + 1, updated_at = $5
			WHERE id = $1 AND version = $2 AND filed = ''`, d.ID, d.Version, d.Page, sealed, db.Micros(d.Updated))
		if err != nil {
			return fmt.Errorf("saving a draft: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, problem.New(problem.Conflict, "draft.changed"))
		}
		return nil
	})
	if err == nil {
		d.Version++
	}
	return err
}

// DropDraft forgets a draft.
func (w *Casework) DropDraft(ctx context.Context, filer, id string) error {
	if _, err := w.Draft(ctx, filer, id); err != nil {
		return err
	}
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM casework_draft WHERE id = $1 AND filer = $2 AND filed = ''`, id, filer)
		return err
	})
}

// sweepDrafts forgets drafts that nobody touched for half a year, and those that
// became cases: the case has what they had.
func (w *Casework) sweepDrafts(ctx context.Context) error {
	now := w.Clock.Now()
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM casework_draft WHERE updated_at < $1 OR (filed <> '' AND updated_at < $2)`,
			db.Micros(now.Add(-draftLife)), db.Micros(now.Add(-24*time.Hour)))
		return err
	})
}

// LiveDrafts returns those of some drafts that are still there.
func (w *Casework) LiveDrafts(ctx context.Context, ids []string) ([]string, error) {
	var out []string
	for _, id := range ids {
		var found string
		err := w.DB.Reader().QueryRowContext(ctx, `SELECT id FROM casework_draft WHERE id = $1`, id).Scan(&found)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		if err == nil {
			out = append(out, found)
		}
	}
	return out, nil
}
