package gazette

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/gazette/model"
	"diwan/internal/problem"
)

const workColumns = `id, kind, number, number_key, year, signed, hijri, authority, titles, subject, suspect, demo, state, state_since, state_by, reasons, cited, short, created_at, changed_at`

func workRow(w *model.Work, now time.Time) []any {
	return []any{w.ID, w.Kind, w.Number, w.Number.Key(), yearOf(w.Signed, w.ID), w.Signed, jsonOf(w.Hijri), w.Authority, jsonOf(w.Titles), w.Subject,
		w.Suspect, w.Demo, w.Status.State, w.Status.Since, w.Status.By, jsonOf(w.Status.Reasons), w.Cited, shortOf(w.ID), db.Micros(now), db.Micros(now)}
}

// yearOf is the year of a work, from its signature or else from its address; 0
// when nobody knows it.
func yearOf(signed model.Date, id string) int {
	if len(signed) >= 4 {
		if y, err := strconv.Atoi(string(signed[:4])); err == nil {
			return y
		}
	}
	for _, p := range strings.Split(id, "/") {
		if y, err := strconv.Atoi(p); err == nil && len(p) == 4 {
			return y
		}
	}
	return 0
}

func scanWork(row interface{ Scan(...any) error }) (*model.Work, error) {
	var w model.Work
	var key, hijri, titles, reasons, short string
	var year, created, changed int64
	err := row.Scan(&w.ID, &w.Kind, &w.Number, &key, &year, &w.Signed, &hijri, &w.Authority, &titles, &w.Subject, &w.Suspect, &w.Demo,
		&w.Status.State, &w.Status.Since, &w.Status.By, &reasons, &w.Cited, &short, &created, &changed)
	if err != nil {
		return nil, err
	}
	return &w, errors.Join(json.Unmarshal([]byte(hijri), &w.Hijri), json.Unmarshal([]byte(titles), &w.Titles), json.Unmarshal([]byte(reasons), &w.Status.Reasons))
}

// work returns a work by its address.
func (s store) work(ctx context.Context, q querier, id string) (*model.Work, error) {
	if !validID(id) {
		return nil, problem.New(problem.NotFound, "law.work_not_found")
	}
	w, err := scanWork(q.QueryRowContext(ctx, `SELECT `+workColumns+` FROM gazette_work WHERE id = $1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.New(problem.NotFound, "law.work_not_found")
	}
	return w, err
}

// works runs a query for works: where it stands after FROM gazette_work.
func (s store) works(ctx context.Context, q querier, where string, args ...any) ([]*model.Work, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+workColumns+` FROM gazette_work `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading works: %w", err)
	}
	defer rows.Close()
	var out []*model.Work
	for rows.Next() {
		w, err := scanWork(rows)
		if err != nil {
			return nil, fmt.Errorf("reading works: %w", err)
		}
		out = append(out, w)
	}
	return out, rows.Err()
}

// putWorks writes works, new ones and changed ones.
func (s store) putWorks(ctx context.Context, tx *db.Tx, works []*model.Work, now time.Time) error {
	for _, w := range works {
		if _, err := tx.ExecContext(ctx, `DELETE FROM gazette_work WHERE id = $1`, w.ID); err != nil {
			return err
		}
	}
	rows := make([][]any, len(works))
	for i, w := range works {
		rows[i] = workRow(w, now)
	}
	return s.insert(ctx, tx, "gazette_work", workColumns, rows)
}

// textHead is what a text's row keeps as JSON.
type textHead struct {
	Publication  []model.IssueRef    `json:"publication,omitempty"`
	Consolidated *model.Consolidated `json:"consolidated,omitempty"`
	Problems     []model.Problem     `json:"problems,omitempty"`
	Attached     []string            `json:"attached,omitempty"` // works this text publishes
	Entry        *TextEntry          `json:"entry,omitempty"`
}

// TextEntry is what a text says of its own entry into force.
type TextEntry struct {
	Day model.Date `json:"day"` // "" it says something that only a person can tell
	EID string     `json:"eid"`
}

const textColumns = `id, work, lang, form, version, source, title, subject_line, head, digest, created_at, created_by`

// Text is a row of the texts, without its pieces.
type Text struct {
	model.Expression
	Attached []string
	Entry    *TextEntry
	Digest   string
	Created  time.Time
	By       string
}

func (t *Text) row() []any {
	head := textHead{t.Publication, t.Consolidated, t.Problems, t.Attached, t.Entry}
	return []any{t.ID, t.Work, t.Lang, t.Form, t.Version, t.Source, t.Title, t.Short, jsonOf(head), t.Digest, db.Micros(t.Created), t.By}
}

func scanText(row interface{ Scan(...any) error }) (*Text, error) {
	var t Text
	var head string
	var created int64
	err := row.Scan(&t.ID, &t.Work, &t.Lang, &t.Form, &t.Version, &t.Source, &t.Title, &t.Short, &head, &t.Digest, &created, &t.By)
	if err != nil {
		return nil, err
	}
	var h textHead
	if err := json.Unmarshal([]byte(head), &h); err != nil {
		return nil, fmt.Errorf("text %s is damaged: %w", t.ID, err)
	}
	t.Publication, t.Consolidated, t.Problems, t.Attached, t.Entry = h.Publication, h.Consolidated, h.Problems, h.Attached, h.Entry
	t.Created = db.Time(created)
	return &t, nil
}

// texts runs a query for texts: where it stands after FROM gazette_text.
func (s store) texts(ctx context.Context, q querier, where string, args ...any) ([]*Text, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+textColumns+` FROM gazette_text `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading texts: %w", err)
	}
	defer rows.Close()
	var out []*Text
	for rows.Next() {
		t, err := scanText(rows)
		if err != nil {
			return nil, fmt.Errorf("reading texts: %w", err)
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// textsOf returns the texts of a work, the oldest version first.
func (s store) textsOf(ctx context.Context, q querier, work string) ([]*Text, error) {
	return s.texts(ctx, q, `WHERE work = $1 ORDER BY lang, version, form DESC, id`, work)
}

const pieceColumns = `text, work, position, eid, kind, depth, label, num, heading, body, repealed, valid_from, valid_until, by_work, page, box, confidence`

// Row is a piece with the days between which it reads so.
type Row struct {
	model.Piece
	TextID, Work string
	Position     int64
	Until        model.Date
}

func (r *Row) row() []any {
	box := ""
	if r.Box != (model.Box{}) {
		box = fmt.Sprintf("%d %d %d %d", r.Box.X, r.Box.Y, r.Box.W, r.Box.H)
	}
	return []any{r.TextID, r.Work, r.Position, r.EID, r.Kind, r.Depth, r.Label, r.Num, r.Heading, r.Text, r.Repealed, r.From, r.Until, r.By,
		r.Page, box, r.Confidence}
}

func scanRow(row interface{ Scan(...any) error }) (*Row, error) {
	var r Row
	var box string
	err := row.Scan(&r.TextID, &r.Work, &r.Position, &r.EID, &r.Kind, &r.Depth, &r.Label, &r.Num, &r.Heading, &r.Text, &r.Repealed, &r.From, &r.Until,
		&r.By, &r.Page, &box, &r.Confidence)
	if err == nil && box != "" {
		_, err = fmt.Sscanf(box, "%d %d %d %d", &r.Box.X, &r.Box.Y, &r.Box.W, &r.Box.H)
	}
	return &r, err
}

// rows runs a query for pieces: where it stands after FROM gazette_piece.
func (s store) rows(ctx context.Context, q querier, where string, args ...any) ([]*Row, error) {
	res, err := q.QueryContext(ctx, `SELECT `+pieceColumns+` FROM gazette_piece `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading pieces: %w", err)
	}
	defer res.Close()
	var out []*Row
	for res.Next() {
		r, err := scanRow(res)
		if err != nil {
			return nil, fmt.Errorf("reading pieces: %w", err)
		}
		out = append(out, r)
	}
	return out, res.Err()
}

// rowsOf returns every row of a text, all versions, in order.
func (s store) rowsOf(ctx context.Context, q querier, text string) ([]*Row, error) {
	return s.rows(ctx, q, `WHERE text = $1 ORDER BY position, valid_from`, text)
}

// putText writes a text and its rows in place of what was there.
func (s store) putText(ctx context.Context, tx *db.Tx, t *Text, rows []*Row) error {
	if err := s.insert(ctx, tx, "gazette_text", textColumns, [][]any{t.row()}); err != nil {
		return err
	}
	return s.putRows(ctx, tx, rows)
}

func (s store) putRows(ctx context.Context, tx *db.Tx, rows []*Row) error {
	values := make([][]any, len(rows))
	for i, r := range rows {
		values[i] = r.row()
	}
	return s.insert(ctx, tx, "gazette_piece", pieceColumns, values)
}
