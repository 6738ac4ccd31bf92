package catalogue

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"diwan/internal/catalogue/model"
	"diwan/internal/db"
	"diwan/internal/problem"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations returns the catalogue's tables.
func Migrations() db.Migrations { return db.Embedded("catalogue", migrationFiles) }

// Kinds of items that are kept whole, without versions of their own; their
// history is in the audit trail.
const (
	kindAdministration = "administration"
	kindService        = "service"
	kindTheme          = "theme"
	kindLifeEvent      = "life_event"
	kindStarter        = "starter" // which starter was loaded last
)

// Origins say how something came into the catalogue. What a person edited is
// never overwritten by a starter or an import.
const (
	originStarter = "starter"
	originImport  = "import"
	originEditor  = "editor"
)

// Version is one version of a procedure.
type Version struct {
	Number    int64
	State     model.State
	Procedure *model.Procedure
	Author    string // an actor's id, or "" for the program
	Origin    string
	Created   time.Time
	Changed   time.Time
}

// Mark names what a version says: it changes with its words, whatever the clock
// and the version's number do.
func (v *Version) Mark() string {
	b, err := json.Marshal(v.Procedure)
	if err != nil {
		panic(err) // it came out of JSON
	}
	sum := sha256.Sum256(b)
	return fmt.Sprintf("%d-%x", v.Number, sum[:12])
}

// store is the SQL of the slice. Its methods run in the caller's transaction.
type store struct{ db *db.DB }

// querier is a transaction or the pool of readers.
type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

const versionColumns = `version, state, body, author, origin, created_at, changed_at`

func scanVersion(row interface{ Scan(...any) error }) (*Version, error) {
	var v Version
	var body string
	var created, changed int64
	if err := row.Scan(&v.Number, &v.State, &body, &v.Author, &v.Origin, &created, &changed); err != nil {
		return nil, err
	}
	v.Created, v.Changed = db.Time(created), db.Time(changed)
	v.Procedure = new(model.Procedure)
	if err := json.Unmarshal([]byte(body), v.Procedure); err != nil {
		return nil, fmt.Errorf("version %d is damaged: %w", v.Number, err)
	}
	return &v, nil
}

// head is a procedure's row: which version is the latest and which is shown to
// the public (0: none).
type head struct{ latest, shown int64 }

func (s store) head(ctx context.Context, q querier, id string) (head, error) {
	var h head
	if !procedureID.MatchString(id) { // not every text can be asked for: PostgreSQL refuses some
		return h, problem.New(problem.NotFound, "procedure.not_found", "id", short(id))
	}
	err := q.QueryRowContext(ctx, `SELECT latest, shown FROM catalogue_procedure WHERE id = $1`, id).Scan(&h.latest, &h.shown)
	if errors.Is(err, sql.ErrNoRows) {
		return h, problem.New(problem.NotFound, "procedure.not_found", "id", id)
	}
	if err != nil {
		return h, fmt.Errorf("reading procedure %s: %w", id, err)
	}
	return h, nil
}

func (s store) version(ctx context.Context, q querier, id string, n int64) (*Version, error) {
	if !procedureID.MatchString(id) {
		return nil, problem.New(problem.NotFound, "procedure.not_found", "id", short(id))
	}
	v, err := scanVersion(q.QueryRowContext(ctx, `SELECT `+versionColumns+` FROM catalogue_version
		WHERE procedure = $1 AND version = $2`, id, n))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.New(problem.NotFound, "version.not_found", "id", id, "version", fmt.Sprint(n))
	}
	if err != nil {
		return nil, fmt.Errorf("reading version %d of %s: %w", n, id, err)
	}
	return v, nil
}

func (s store) versions(ctx context.Context, id string) ([]*Version, error) {
	if !procedureID.MatchString(id) {
		return nil, nil
	}
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT `+versionColumns+` FROM catalogue_version
		WHERE procedure = $1 ORDER BY version DESC`, id)
	if err != nil {
		return nil, fmt.Errorf("reading the versions of %s: %w", id, err)
	}
	defer rows.Close()
	var out []*Version
	for rows.Next() {
		v, err := scanVersion(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// insertVersion adds a version and moves the procedure's row to it.
func (s store) insertVersion(ctx context.Context, tx *db.Tx, v *Version, shown int64) error {
	body, err := json.Marshal(v.Procedure)
	if err != nil {
		return err
	}
	p := v.Procedure
	if _, err := tx.ExecContext(ctx, `INSERT INTO catalogue_version (procedure, version, state, body, author, origin, created_at, changed_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		p.ID, v.Number, string(v.State), string(body), v.Author, v.Origin, db.Micros(v.Created), db.Micros(v.Changed)); err != nil {
		if db.IsDuplicate(err) { // somebody else was first, a moment ago
			return problem.Wrap(err, problem.Conflict, "procedure.changed", "id", p.ID)
		}
		return fmt.Errorf("writing version %d of %s: %w", v.Number, p.ID, err)
	}
	return s.setHead(ctx, tx, p, head{v.Number, shown}, v.Changed)
}

func (s store) setHead(ctx context.Context, tx *db.Tx, p *model.Procedure, h head, at time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO catalogue_procedure (id, administration, latest, shown, changed_at)
		VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET administration = excluded.administration, latest = excluded.latest,
			shown = excluded.shown, changed_at = excluded.changed_at`,
		p.ID, p.Competent, h.latest, h.shown, db.Micros(at))
	if err != nil {
		return fmt.Errorf("writing procedure %s: %w", p.ID, err)
	}
	return nil
}

// updateVersion changes a version that is still a draft, or its state.
func (s store) updateVersion(ctx context.Context, tx *db.Tx, v *Version) error {
	body, err := json.Marshal(v.Procedure)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE catalogue_version SET state = $1, body = $2, author = $3, changed_at = $4
		WHERE procedure = $5 AND version = $6`,
		string(v.State), string(body), v.Author, db.Micros(v.Changed), v.Procedure.ID, v.Number); err != nil {
		return fmt.Errorf("changing version %d of %s: %w", v.Number, v.Procedure.ID, err)
	}
	return nil
}

// Row is a procedure as lists of the office show it.
type Row struct {
	ID             string
	Administration string
	Latest, Shown  int64
	State          model.State // of the latest version
	Changed        time.Time
	Procedure      *model.Procedure
}

// rows returns the latest versions of procedures after the given id, in the
// order of their ids. Empty filters match everything.
func (s store) rows(ctx context.Context, administrations []string, state model.State, after string, limit int) ([]Row, error) {
	of, args := ofAdministrations(administrations, after, string(state), limit)
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT p.id, p.administration, p.latest, p.shown, v.state, v.changed_at, v.body
		FROM catalogue_procedure p JOIN catalogue_version v ON v.procedure = p.id AND v.version = p.latest
		WHERE p.id > $1 AND ($2 = '' OR v.state = $2)`+of+`
		ORDER BY p.id LIMIT $3`, args...)
	if err != nil {
		return nil, fmt.Errorf("listing procedures: %w", err)
	}
	defer rows.Close()
	var out []Row
	for rows.Next() {
		var r Row
		var changed int64
		var body string
		if err := rows.Scan(&r.ID, &r.Administration, &r.Latest, &r.Shown, &r.State, &changed, &body); err != nil {
			return nil, err
		}
		r.Changed, r.Procedure = db.Time(changed), new(model.Procedure)
		if err := json.Unmarshal([]byte(body), r.Procedure); err != nil {
			return nil, fmt.Errorf("procedure %s is damaged: %w", r.ID, err)
		}
		out = append(out, r)
	}
	return out, rows.Err()
}

// counts returns how many procedures stand in each state, by their latest
// version.
func (s store) counts(ctx context.Context, administrations []string) (map[model.State]int, error) {
	of, args := ofAdministrations(administrations)
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT v.state, COUNT(*)
		FROM catalogue_procedure p JOIN catalogue_version v ON v.procedure = p.id AND v.version = p.latest
		WHERE 1 = 1`+of+` GROUP BY v.state`, args...)
	if err != nil {
		return nil, fmt.Errorf("counting procedures: %w", err)
	}
	defer rows.Close()
	out := map[model.State]int{}
	for rows.Next() {
		var st model.State
		var n int
		if err := rows.Scan(&st, &n); err != nil {
			return nil, err
		}
		out[st] = n
	}
	return out, rows.Err()
}

// ofAdministrations returns the condition that a procedure belongs to one of some
// administrations, none for all, and the arguments with theirs behind.
func ofAdministrations(ids []string, args ...any) (string, []any) {
	if len(ids) == 0 {
		return "", args
	}
	marks := make([]string, len(ids))
	for i, id := range ids {
		args = append(args, id)
		marks[i] = "$" + strconv.Itoa(len(args))
	}
	return " AND p.administration IN (" + strings.Join(marks, ", ") + ")", args
}

// shown calls fn with each version that the public sees.
func (s store) shown(ctx context.Context, fn func(*Version) error) error {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT v.version, v.state, v.body, v.author, v.origin, v.created_at, v.changed_at
		FROM catalogue_procedure p JOIN catalogue_version v ON v.procedure = p.id AND v.version = p.shown ORDER BY p.id`)
	if err != nil {
		return fmt.Errorf("reading what is published: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		v, err := scanVersion(rows)
		if err != nil {
			return err
		}
		if err := fn(v); err != nil {
			return err
		}
	}
	return rows.Err()
}

// item is a thing kept whole.
type item struct{ kind, id, body, origin string }

// putItem writes an item and reports whether that changed anything. A starter
// or an import does not touch what an editor wrote.
func (s store) putItem(ctx context.Context, tx *db.Tx, it item, at time.Time) (bool, error) {
	var body, origin string
	err := tx.QueryRowContext(ctx, `SELECT body, origin FROM catalogue_item WHERE kind = $1 AND id = $2`, it.kind, it.id).Scan(&body, &origin)
	switch {
	case errors.Is(err, sql.ErrNoRows):
	case err != nil:
		return false, fmt.Errorf("reading %s %s: %w", it.kind, it.id, err)
	case body == it.body || (origin == originEditor && it.origin != originEditor):
		return false, nil
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO catalogue_item (kind, id, body, origin, changed_at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body, origin = excluded.origin, changed_at = excluded.changed_at`,
		it.kind, it.id, it.body, it.origin, db.Micros(at)); err != nil {
		return false, fmt.Errorf("writing %s %s: %w", it.kind, it.id, err)
	}
	return true, nil
}

// items calls fn with the body of each item of a kind, in the order of ids.
func (s store) items(ctx context.Context, kind string, fn func(body []byte) error) error {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT body FROM catalogue_item WHERE kind = $1 ORDER BY id`, kind)
	if err != nil {
		return fmt.Errorf("reading the items %s: %w", kind, err)
	}
	defer rows.Close()
	for rows.Next() {
		var body []byte
		if err := rows.Scan(&body); err != nil {
			return err
		}
		if err := fn(body); err != nil {
			return err
		}
	}
	return rows.Err()
}

// revision returns the counter that moves with every public change.
func (s store) revision(ctx context.Context, q querier) (int64, error) {
	var n int64
	err := q.QueryRowContext(ctx, `SELECT n FROM catalogue_revision WHERE id = 'public'`).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

func (s store) bump(ctx context.Context, tx *db.Tx) error {
	if _, err := tx.ExecContext(ctx, `INSERT INTO catalogue_revision (id, n) VALUES ('public', 1)
		ON CONFLICT (id) DO UPDATE SET n = catalogue_revision.n + 1`); err != nil {
		return fmt.Errorf("moving the catalogue's revision: %w", err)
	}
	return nil
}

// sameBody reports whether two procedures are written alike.
func sameBody(a, b *model.Procedure) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}
