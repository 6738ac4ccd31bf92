package gazette

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"diwan/internal/db"
	"diwan/internal/problem"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations returns the gazette's tables.
func Migrations() db.Migrations { return db.Embedded("gazette", migrationFiles) }

// store is the SQL of the slice. Its methods run in the caller's transaction.
type store struct{ db *db.DB }

// querier is a transaction or the pool of readers.
type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// States of a source.
const (
	SourceDone    = "done"
	SourceReading = "reading" // its pages are being read; what was read is kept
	SourceFailed  = "failed"
)

// Source is a file that was read.
type Source struct {
	ID, SHA256, Name, Title, Origin, Format, Lang string
	Bytes, Pages                                  int64
	Flags                                         string // separated by spaces
	State, Code, Detail                           string // Code and Detail say why it failed
	Repairs                                       []Repair
	Confidence                                    float64
	Created                                       time.Time
	By                                            string
}

// Repair is how often one rule of repair changed the text of a source.
type Repair struct {
	Rule  string `json:"rule"`
	Count int    `json:"count"`
}

const sourceColumns = `id, sha256, name, title, origin, format, lang, bytes, pages, flags, state, code, detail, repairs, confidence, created_at, created_by`

func (s *Source) row() []any {
	return []any{s.ID, s.SHA256, s.Name, s.Title, s.Origin, s.Format, s.Lang, s.Bytes, s.Pages, s.Flags, s.State, s.Code, s.Detail,
		jsonOf(s.Repairs), s.Confidence, db.Micros(s.Created), s.By}
}

func scanSource(row interface{ Scan(...any) error }) (*Source, error) {
	var s Source
	var repairs string
	var created int64
	err := row.Scan(&s.ID, &s.SHA256, &s.Name, &s.Title, &s.Origin, &s.Format, &s.Lang, &s.Bytes, &s.Pages, &s.Flags, &s.State, &s.Code,
		&s.Detail, &repairs, &s.Confidence, &created, &s.By)
	if err != nil {
		return nil, err
	}
	s.Created = db.Time(created)
	return &s, json.Unmarshal([]byte(repairs), &s.Repairs)
}

// sourceByHash returns the source with these bytes, or nil.
func (s store) sourceByHash(ctx context.Context, q querier, sha string) (*Source, error) {
	src, err := scanSource(q.QueryRowContext(ctx, `SELECT `+sourceColumns+` FROM gazette_source WHERE sha256 = $1`, sha))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return src, err
}

func (s store) source(ctx context.Context, q querier, id string) (*Source, error) {
	if !validID(id) {
		return nil, problem.New(problem.NotFound, "law.source_not_found")
	}
	src, err := scanSource(q.QueryRowContext(ctx, `SELECT `+sourceColumns+` FROM gazette_source WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.New(problem.NotFound, "law.source_not_found")
	}
	return src, err
}

// putSource writes a source, new or read again.
func (s store) putSource(ctx context.Context, tx *db.Tx, src *Source) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM gazette_source WHERE id = $1`, src.ID); err != nil {
		return fmt.Errorf("writing source %s: %w", src.ID, err)
	}
	return s.insert(ctx, tx, "gazette_source", sourceColumns, [][]any{src.row()})
}

// doneHashes returns the hashes of the sources that were read, so that a second
// run passes them over without a question for each.
func (s store) doneHashes(ctx context.Context, q querier) (map[string]bool, error) {
	return set(ctx, q, `SELECT sha256 FROM gazette_source WHERE state = $1`, SourceDone)
}

// set returns the values of a query's only column.
func set(ctx context.Context, q querier, query string, args ...any) (map[string]bool, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[string]bool{}
	for rows.Next() {
		var v string
		if err := rows.Scan(&v); err != nil {
			return nil, err
		}
		out[v] = true
	}
	return out, rows.Err()
}

// clearSource forgets what was found in a source: its texts with their pieces,
// links and operations. Its pages stay, and so do the works, whose addresses may
// be in use.
func (s store) clearSource(ctx context.Context, tx *db.Tx, id string) error {
	for _, table := range []string{"gazette_piece", "gazette_link", "gazette_operation", "gazette_difference"} {
		where := ` WHERE text IN (SELECT id FROM gazette_text WHERE source = $1)`
		if table == "gazette_operation" {
			where += ` AND decided_by = ''` // what a person decided stays
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM `+table+where, id); err != nil {
			return fmt.Errorf("clearing source %s: %w", id, err)
		}
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM gazette_text WHERE source = $1`, id); err != nil {
		return fmt.Errorf("clearing source %s: %w", id, err)
	}
	return nil
}

// revision counts what was published in the gazette's tables. Copies of the
// search index follow it.
func (s store) revision(ctx context.Context, q querier) (int64, error) {
	var n int64
	err := q.QueryRowContext(ctx, `SELECT n FROM gazette_revision WHERE id = 'law'`).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

func (s store) bump(ctx context.Context, tx *db.Tx) error {
	_, err := s.advance(ctx, tx)
	return err
}

// advance counts one more change and returns the new revision. Where it comes
// first in a transaction, two that write at once wait for each other.
func (s store) advance(ctx context.Context, tx *db.Tx) (n int64, err error) {
	err = tx.QueryRowContext(ctx, `INSERT INTO gazette_revision (id, n) VALUES ('law', 1)
		ON CONFLICT (id) DO UPDATE SET n = gazette_revision.n + 1 RETURNING n`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting a change: %w", err)
	}
	return n, nil
}

// linked is the revision up to which citations, amendments and states were
// computed.
func (s store) linked(ctx context.Context, q querier) (n int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT n FROM gazette_revision WHERE id = 'linked'`).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return n, err
}

func (s store) setLinked(ctx context.Context, tx *db.Tx, n int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO gazette_revision (id, n) VALUES ('linked', $1) ON CONFLICT (id) DO UPDATE SET n = $1`, n)
	return err
}

func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // our own types
	}
	return string(b)
}

// validID reports an id that may be asked of a database: PostgreSQL refuses
// some texts, and none of ours is long.
func validID(s string) bool {
	if s == "" || len(s) > 300 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '!' || s[i] > '~' {
			return false
		}
	}
	return true
}
