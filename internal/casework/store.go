package casework

import (
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"diwan/internal/casework/clock"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations returns the tables of casework.
func Migrations() db.Migrations { return db.Embedded("casework", migrationFiles) }

// querier is a transaction or the pool of readers.
type querier interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

var errNoCase = problem.New(problem.NotFound, "case.not_found")

// never is the day that stands where nothing is due, so that what is due stands
// first in an inbox without a second index.
const never = "9999-12-31"

// foremost is the day that stands where a decision is to be changed after a granted
// appeal: there is no day due, and nothing is more urgent.
const foremost = "0001-01-01"

// dueText is what stands for the day due of a case, in the order of an inbox.
func (c *Case) dueText() string {
	if c.ToChange {
		return foremost
	}
	return dayText(c.Due)
}

func dayText(d gov.Date) string {
	if d.IsZero() {
		return never
	}
	return d.String()
}

func dayOf(s string) gov.Date {
	if s == never || s == foremost || s == "" {
		return gov.Date{}
	}
	d, err := gov.ParseDate(s)
	if err != nil {
		return gov.Date{} // only days that we wrote stand there
	}
	return d
}

const caseColumns = `administration, id, number, procedure, terms, form, unit, person, reference, filer, lang, channel, state, open,
	filed_on, due, silence_from, next_on, assigned, asked_of, duplicate, earlier, above, sealed, head, events, version, created_at, updated_at`

func scanCase(row interface{ Scan(...any) error }) (*Case, error) {
	var c Case
	var state, filed, due, silence, next, asked string
	var created, updated int64
	err := row.Scan(&c.Administration, &c.ID, &c.Number, &c.Procedure, &c.Terms, &c.Form, &c.Unit, &c.Person, &c.Reference, &c.Filer, &c.Lang, &c.Channel, &state, &c.Open,
		&filed, &due, &silence, &next, &c.Assigned, &asked, &c.Duplicate, &c.Earlier, &c.Above, &c.sealed, &c.head, &c.Events, &c.Version, &created, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNoCase
	}
	if err != nil {
		return nil, fmt.Errorf("reading a case: %w", err)
	}
	c.State, c.Filed, c.Due, c.SilenceFrom, c.Next = clock.State(state), dayOf(filed), dayOf(due), dayOf(silence), dayOf(next)
	c.ToChange = due == foremost
	c.AskedOf = strings.Fields(asked)
	c.Created, c.Updated = db.Time(created), db.Time(updated)
	return &c, nil
}

func caseByID(ctx context.Context, q querier, administration, id string) (*Case, error) {
	return scanCase(q.QueryRowContext(ctx, `SELECT `+caseColumns+` FROM casework_case WHERE administration = $1 AND id = $2`, administration, id))
}

func caseByNumber(ctx context.Context, q querier, number string) (*Case, error) {
	return scanCase(q.QueryRowContext(ctx, `SELECT `+caseColumns+` FROM casework_case WHERE number = $1`, number))
}

func cases(ctx context.Context, q querier, query string, args ...any) ([]*Case, error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("listing cases: %w", err)
	}
	defer rows.Close()
	var out []*Case
	for rows.Next() {
		c, err := scanCase(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

func insertCase(ctx context.Context, tx *db.Tx, c *Case) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO casework_case (`+caseColumns+`, last_on)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $15)`,
		c.Administration, c.ID, c.Number, c.Procedure, c.Terms, c.Form, c.Unit, c.Person, c.Reference, c.Filer, string(c.Lang), c.Channel, string(c.State), c.Open,
		c.Filed.String(), c.dueText(), c.SilenceFrom.String(), c.Next.String(), c.Assigned, strings.Join(c.AskedOf, " "), c.Duplicate, c.Earlier, c.Above, c.sealed, c.head, c.Events, c.Version,
		db.Micros(c.Created), db.Micros(c.Updated))
	if err != nil {
		return fmt.Errorf("keeping a case: %w", err)
	}
	return nil
}

// updateCase writes what changes in a case. Whoever read it before somebody else
// changed it is refused, and nothing of theirs is written.
func updateCase(ctx context.Context, tx *db.Tx, c *Case) error {
	r, err := tx.ExecContext(ctx, `UPDATE casework_case SET unit = $4, state = $5, open = $6, due = $7, silence_from = $8, next_on = $9, assigned = $10,
		head = $11, events = $12, version = $3 + 1, updated_at = $13, asked_of = $14, above = $15 WHERE administration = $1 AND id = $2 AND version = $3`,
		c.Administration, c.ID, c.Version, c.Unit, string(c.State), c.Open, c.dueText(), c.SilenceFrom.String(), c.Next.String(), c.Assigned,
		c.head, c.Events, db.Micros(c.Updated), strings.Join(c.AskedOf, " "), c.Above)
	if err != nil {
		return fmt.Errorf("changing a case: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, problem.New(problem.Conflict, "case.changed", "number", c.Number))
	}
	c.Version++
	return nil
}

// appendEvent adds an event to a case's journal; the case's head moves with it.
func (w *Casework) appendEvent(ctx context.Context, tx *db.Tx, c *Case, e *Event) error {
	e.Seq = c.Events + 1
	if e.Text != "" {
		sealed, err := w.sealer.Seal(ctx, c.Person, eventPlace(c.ID, e.Seq), []byte(e.Text))
		if err != nil {
			return err
		}
		e.sealed = sealed
	}
	if e.sealed == nil {
		e.sealed = []byte{}
	}
	clear, err := json.Marshal(e.Clear)
	if err != nil {
		return err
	}
	e.chain(c.head, string(clear))
	_, err = tx.ExecContext(ctx, `INSERT INTO casework_event (administration, case_id, seq, type, on_day, at, actor, clear, sealed, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		c.Administration, c.ID, e.Seq, e.Type, e.On.String(), db.Micros(e.At), e.Actor, string(clear), e.sealed, e.Hash)
	if err != nil {
		return fmt.Errorf("writing to the journal of a case: %w", err)
	}
	c.Events, c.head = e.Seq, e.Hash
	return nil
}

// events reads a case's journal. The texts stay sealed.
func events(ctx context.Context, q querier, c *Case) (out []Event, clears []string, err error) {
	rows, err := q.QueryContext(ctx, `SELECT seq, type, on_day, at, actor, clear, sealed, hash FROM casework_event
		WHERE administration = $1 AND case_id = $2 ORDER BY seq`, c.Administration, c.ID)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the journal of a case: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var e Event
		var on, clear string
		var at int64
		if err := rows.Scan(&e.Seq, &e.Type, &on, &at, &e.Actor, &clear, &e.sealed, &e.Hash); err != nil {
			return nil, nil, err
		}
		if err := json.Unmarshal([]byte(clear), &e.Clear); err != nil {
			return nil, nil, fmt.Errorf("the journal of case %s: %w", c.Number, err)
		}
		e.On, e.At = dayOf(on), db.Time(at)
		out, clears = append(out, e), append(clears, clear)
	}
	return out, clears, rows.Err()
}

// putTerms keeps terms once and returns their digest.
func (w *Casework) putTerms(ctx context.Context, tx *db.Tx, t *Terms) (string, error) {
	b, err := json.Marshal(t)
	if err != nil {
		return "", err
	}
	digest := hashOf("terms", string(b))
	if w.has(digest) {
		return digest, nil
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO casework_terms (digest, body) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING`, digest, string(b))
	if err != nil {
		return "", fmt.Errorf("keeping the terms of a case: %w", err)
	}
	return digest, nil
}
