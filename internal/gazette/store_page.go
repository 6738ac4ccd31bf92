package gazette

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"diwan/internal/db"
	"diwan/internal/gazette/model"
	"diwan/internal/problem"
)

// Page is one page of a source as it was read.
type Page struct {
	Source        string
	Number        int
	Width, Height int     // of the image, in pixels
	Method        string  // "text" or "ocr"
	Confidence    float64 // 0 to 1
	Disagreement  float64 // between the text in the file and what was seen; -1 not compared
	Lines         []PageLine
	Image         string // key of the image among the files; "" none
	Checked       time.Time
	CheckedBy     string
}

// PageLine is one line of a page, in reading order.
type PageLine struct {
	Text       string    `json:"t"`
	Box        model.Box `json:"b"`
	Confidence float64   `json:"c"`
	Role       string    `json:"r,omitempty"` // header, footer, footnote; "" the body
}

const pageColumns = `source, number, width, height, method, confidence, disagreement, lines, image, checked_at, checked_by`

func (p *Page) row() []any {
	checked := int64(0)
	if !p.Checked.IsZero() {
		checked = db.Micros(p.Checked)
	}
	return []any{p.Source, p.Number, p.Width, p.Height, p.Method, p.Confidence, p.Disagreement, jsonOf(p.Lines), p.Image, checked, p.CheckedBy}
}

func scanPage(row interface{ Scan(...any) error }) (*Page, error) {
	var p Page
	var lines string
	var checked int64
	err := row.Scan(&p.Source, &p.Number, &p.Width, &p.Height, &p.Method, &p.Confidence, &p.Disagreement, &lines, &p.Image, &checked, &p.CheckedBy)
	if err != nil {
		return nil, err
	}
	if checked != 0 {
		p.Checked = db.Time(checked)
	}
	return &p, json.Unmarshal([]byte(lines), &p.Lines)
}

func (s store) putPage(ctx context.Context, tx *db.Tx, p *Page) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM gazette_page WHERE source = $1 AND number = $2`, p.Source, p.Number); err != nil {
		return fmt.Errorf("writing page %d: %w", p.Number, err)
	}
	return s.insert(ctx, tx, "gazette_page", pageColumns, [][]any{p.row()})
}

// page returns one page of a source.
func (s store) page(ctx context.Context, q querier, source string, number int) (*Page, error) {
	if !validID(source) {
		return nil, problem.New(problem.NotFound, "law.page_not_found")
	}
	p, err := scanPage(q.QueryRowContext(ctx, `SELECT `+pageColumns+` FROM gazette_page WHERE source = $1 AND number = $2`, source, number))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.New(problem.NotFound, "law.page_not_found")
	}
	return p, err
}

// pages returns the pages of a source that were read so far, by number.
func (s store) pages(ctx context.Context, q querier, source string) ([]*Page, error) {
	return s.scanPages(q.QueryContext(ctx, `SELECT `+pageColumns+` FROM gazette_page WHERE source = $1 ORDER BY number`, source))
}

// doubtful returns the pages nobody has checked, the least certain first.
func (s store) doubtful(ctx context.Context, q querier, below float64, limit, offset int) ([]*Page, error) {
	return s.scanPages(q.QueryContext(ctx, `SELECT `+pageColumns+` FROM gazette_page WHERE checked_at = 0 AND (confidence < $1 OR disagreement > $2)
		ORDER BY confidence, source, number LIMIT $3 OFFSET $4`, below, 1-below, limit, offset))
}

func (s store) scanPages(rows *sql.Rows, err error) ([]*Page, error) {
	if err != nil {
		return nil, fmt.Errorf("reading pages: %w", err)
	}
	defer rows.Close()
	var out []*Page
	for rows.Next() {
		p, err := scanPage(rows)
		if err != nil {
			return nil, fmt.Errorf("reading pages: %w", err)
		}
		out = append(out, p)
	}
	return out, rows.Err()
}
