package gazette

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Correction is a change that a person made to what was read: what stood there,
// what stands there since, who says so and why. One whose two texts are the same
// says that the reading is right.
type Correction struct {
	ID, Text, EID      string
	Before, After, Why string
	At                 time.Time
	By                 string
}

const correctionColumns = `id, text, eid, before_text, after_text, why, at, by_actor`

// corrections runs a query for corrections: where it stands after FROM
// gazette_correction.
func (g *Gazette) corrections(ctx context.Context, where string, args ...any) ([]Correction, error) {
	return g.store.corrections(ctx, g.store.db.Reader(), where, args...)
}

func (s store) corrections(ctx context.Context, q querier, where string, args ...any) ([]Correction, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+correctionColumns+` FROM gazette_correction `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading corrections: %w", err)
	}
	defer rows.Close()
	var out []Correction
	for rows.Next() {
		var c Correction
		var at int64
		if err := rows.Scan(&c.ID, &c.Text, &c.EID, &c.Before, &c.After, &c.Why, &at, &c.By); err != nil {
			return nil, fmt.Errorf("reading corrections: %w", err)
		}
		c.At = db.Time(at)
		out = append(out, c)
	}
	return out, rows.Err()
}

// Corrections returns what was corrected in a piece, the newest first.
func (g *Gazette) Corrections(ctx context.Context, text, eid string) ([]Correction, error) {
	if !validID(text) || !validID(eid) {
		return nil, nil
	}
	return g.corrections(ctx, `WHERE text = $1 AND eid = $2 ORDER BY at DESC, id`, text, eid)
}

// MarkOf names the wording of a piece, so that a correction of a text that
// somebody else corrected meanwhile is refused.
func MarkOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// readRow returns a piece as it was read: not as an amendment made it.
func (s store) readRow(ctx context.Context, q querier, text, eid string) (*Row, error) {
	if !validID(text) || !validID(eid) {
		return nil, problem.New(problem.NotFound, "law.no_piece")
	}
	rows, err := s.rows(ctx, q, `WHERE text = $1 AND eid = $2 AND by_work = '' ORDER BY valid_from`, text, eid)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, problem.New(problem.NotFound, "law.no_piece")
	}
	return rows[0], nil
}

// maxCorrection bounds a corrected text.
const maxCorrection = 400_000

// Correct puts a person's reading of a piece in place of the one that was made.
// mark names the wording that the person saw. The same text says that the
// reading was right. What cites, what is cited and what is amended is found
// anew; the caller runs Relink after it.
func (g *Gazette) Correct(ctx context.Context, actor gov.Actor, text, eid, mark, after, why string, more func(*db.Tx) error) error {
	if !MayEdit(actor) {
		return problem.New(problem.Forbidden, "forbidden")
	}
	typed := cleanText(after)
	switch {
	case strings.TrimSpace(typed) == "":
		return problem.New(problem.Invalid, "law.correction.empty")
	case len(typed) > maxCorrection:
		return problem.New(problem.TooLarge, "too_large", "limit", "400 kB")
	}
	return g.store.db.RunTx(ctx, func(tx *db.Tx) error {
		row, err := g.store.readRow(ctx, tx, text, eid)
		if err != nil {
			return err
		}
		if MarkOf(row.Text) != mark {
			return problem.New(problem.Conflict, "law.correction.conflict")
		}
		after, same := typed, typed == cleanText(row.Text)
		if same {
			after = row.Text
		}
		if !same && strings.TrimSpace(why) == "" {
			return problem.New(problem.Invalid, "law.correction.why")
		}
		c := Correction{ID: gov.NewID(), Text: text, EID: eid, Before: row.Text, After: after, Why: why, At: g.clock.Now(), By: actor.ID}
		if err := g.store.putCorrection(ctx, tx, c); err != nil {
			return err
		}
		action := "gazette.confirm_reading"
		if !same {
			action = "gazette.correct"
			if err := g.putEvents(ctx, tx, []Event{{Type: EventCorrected, Work: row.Work, EID: eid, Day: model.Date(g.Today().String())}}, g.clock.Now()); err != nil {
				return err
			}
		}
		if err := g.rewrite(ctx, tx, row, after); err != nil {
			return err
		}
		if err := g.audit.Append(ctx, tx, chain, actor, action, text, map[string]string{"eid": eid, "correction": c.ID}); err != nil {
			return err
		}
		if err := g.store.bump(ctx, tx); err != nil {
			return err
		}
		return more(tx)
	})
}

func (s store) putCorrection(ctx context.Context, tx *db.Tx, c Correction) error {
	return s.insert(ctx, tx, "gazette_correction", correctionColumns,
		[][]any{{c.ID, c.Text, c.EID, c.Before, c.After, c.Why, db.Micros(c.At), c.By}})
}

// rewrite puts a text in place of a piece's as it was read, and reads its
// citations and amending clauses anew. What an editor decided about a clause
// stays.
func (g *Gazette) rewrite(ctx context.Context, tx *db.Tx, row *Row, after string) error {
	if _, err := tx.ExecContext(ctx, `UPDATE gazette_piece SET body = $1, confidence = 1 WHERE text = $2 AND eid = $3 AND by_work = ''`,
		after, row.TextID, row.EID); err != nil {
		return fmt.Errorf("correcting %s: %w", row.EID, err)
	}
	if after == row.Text {
		return nil
	}
	texts, err := g.store.texts(ctx, tx, `WHERE id = $1`, row.TextID)
	if err != nil || len(texts) == 0 {
		return err
	}
	work, err := g.store.work(ctx, tx, row.Work)
	if err != nil {
		return err
	}
	row.Text = after
	f := &found{work: *work, text: texts[0], rows: []*Row{row}}
	g.analyse(f)
	for _, query := range []string{`DELETE FROM gazette_link WHERE text = $1 AND eid = $2`,
		`DELETE FROM gazette_operation WHERE text = $1 AND eid = $2 AND decided_by = ''`} {
		if _, err := tx.ExecContext(ctx, query, row.TextID, row.EID); err != nil {
			return fmt.Errorf("correcting %s: %w", row.EID, err)
		}
	}
	if err := g.store.putLinks(ctx, tx, texts[0], f.links); err != nil {
		return err
	}
	return g.store.putOperations(ctx, tx, texts[0], f.ops)
}

// reapply carries out what was corrected in a text when its source is read
// again: wherever the reading is the one that was corrected, or was found right.
func (s store) reapply(ctx context.Context, tx *db.Tx, text string, rows []*Row) error {
	all, err := s.corrections(ctx, tx, `WHERE text = $1 ORDER BY at, id`, text)
	if err != nil || len(all) == 0 {
		return err
	}
	by := map[string]*Row{}
	for _, r := range rows {
		by[r.EID] = r
	}
	for _, c := range all {
		if r := by[c.EID]; r != nil && r.Text == c.Before {
			r.Text, r.Confidence = c.After, 1
		}
	}
	return nil
}

// cleanText is a text that a person typed: lines without what browsers and word
// processors add, tabs kept because rows of tables begin with them.
func cleanText(s string) string {
	s = storable(strings.ReplaceAll(s, "\r\n", "\n"))
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " \t\u00a0")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// MayEdit tells who works at the gazette's desk.
func MayEdit(a gov.Actor) bool { return a.Has(gov.RoleEditor) || a.Has(gov.RoleSteward) }
