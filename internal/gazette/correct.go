package gazette

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/gazette/extract"
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
	Heads              [2]Head // before and after
	At                 time.Time
	By                 string
}

// Head is what stands over the text of a piece.
type Head struct{ Num, Heading string }

// Whole returns what stood there and what stands there since, with what stands
// over it when that was changed.
func (c *Correction) Whole() (before, after string) {
	if c.Heads[0] == c.Heads[1] {
		return c.Before, c.After
	}
	over := func(h Head) string { return oneLine(h.Num+" "+h.Heading) + "\n" }
	return over(c.Heads[0]) + c.Before, over(c.Heads[1]) + c.After
}

const correctionColumns = `id, text, eid, before_text, after_text, why, at, by_actor, before_num, after_num, before_heading, after_heading`

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
		if err := rows.Scan(&c.ID, &c.Text, &c.EID, &c.Before, &c.After, &c.Why, &at, &c.By,
			&c.Heads[0].Num, &c.Heads[1].Num, &c.Heads[0].Heading, &c.Heads[1].Heading); err != nil {
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

// MarkOfPiece names the wording of a piece with its number and its heading.
func MarkOfPiece(p *model.Piece) string { return MarkOf(p.Num + "\x00" + p.Heading + "\x00" + p.Text) }

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
	return g.correct(ctx, actor, text, eid, mark, after, nil, why, more)
}

// CorrectPiece is Correct for a piece with its number and its heading; mark is
// that of MarkOfPiece. The address of the piece stays.
func (g *Gazette) CorrectPiece(ctx context.Context, actor gov.Actor, text, eid, mark, after string, head Head, why string, more func(*db.Tx) error) error {
	return g.correct(ctx, actor, text, eid, mark, after, &head, why, more)
}

// maxHead bounds a corrected number and heading.
const maxHead = 2000

func (g *Gazette) correct(ctx context.Context, actor gov.Actor, text, eid, mark, after string, head *Head, why string, more func(*db.Tx) error) error {
	if !g.MayEdit(actor) {
		return problem.New(problem.Forbidden, "forbidden")
	}
	typed := cleanText(after)
	if head != nil {
		head = &Head{oneLine(cleanText(head.Num)), oneLine(cleanText(head.Heading))}
	}
	switch {
	case head != nil && len(head.Num)+len(head.Heading) > maxHead:
		return problem.New(problem.TooLarge, "too_large", "limit", "2 kB")
	case strings.TrimSpace(typed) == "" && (head == nil || *head == Head{}):
		return problem.New(problem.Invalid, "law.correction.empty")
	case len(typed) > maxCorrection:
		return problem.New(problem.TooLarge, "too_large", "limit", "400 kB")
	}
	return g.store.db.RunTx(ctx, func(tx *db.Tx) error {
		row, err := g.store.readRow(ctx, tx, text, eid)
		if err != nil {
			return err
		}
		was, seen := Head{row.Num, row.Heading}, MarkOfPiece(&row.Piece)
		now := was
		if head == nil {
			seen = MarkOf(row.Text)
		} else if now = *head; now == (Head{oneLine(was.Num), oneLine(was.Heading)}) {
			now = was
		}
		if seen != mark {
			return problem.New(problem.Conflict, "law.correction.conflict")
		}
		if typed == "" && row.Text != "" {
			return problem.New(problem.Invalid, "law.correction.empty")
		}
		after, same := typed, typed == cleanText(row.Text)
		if same {
			after = row.Text
		}
		same = same && now == was
		if !same && strings.TrimSpace(why) == "" {
			return problem.New(problem.Invalid, "law.correction.why")
		}
		c := Correction{ID: gov.NewID(), Text: text, EID: eid, Before: row.Text, After: after, Heads: [2]Head{was, now}, Why: why, At: g.clock.Now(), By: actor.ID}
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
		if err := g.rewrite(ctx, tx, row, after, now); err != nil {
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
		[][]any{{c.ID, c.Text, c.EID, c.Before, c.After, c.Why, db.Micros(c.At), c.By,
			c.Heads[0].Num, c.Heads[1].Num, c.Heads[0].Heading, c.Heads[1].Heading}})
}

// rewrite puts a text in place of a piece's as it was read, and reads its
// citations and amending clauses anew. What an editor decided about a clause
// stays.
func (g *Gazette) rewrite(ctx context.Context, tx *db.Tx, row *Row, after string, head Head) error {
	texts, err := g.store.texts(ctx, tx, `WHERE id = $1`, row.TextID)
	if err != nil || len(texts) == 0 {
		return err
	}
	g.setHead(row, texts[0].Lang, head)
	if _, err := tx.ExecContext(ctx, `UPDATE gazette_piece SET body = $1, confidence = 1, num = $2, heading = $3, label = $4 WHERE text = $5 AND eid = $6 AND by_work = ''`,
		after, row.Num, row.Heading, row.Label, row.TextID, row.EID); err != nil {
		return fmt.Errorf("correcting %s: %w", row.EID, err)
	}
	if after == row.Text {
		return nil
	}
	work, err := g.store.work(ctx, tx, row.Work)
	if err != nil {
		return err
	}
	row.Text = after
	entry := texts[0].Entry
	f := &found{work: *work, text: texts[0], rows: []*Row{row}}
	if g.analyse(f); f.text.Entry == nil && entry != nil && entry.EID != row.EID {
		f.text.Entry = entry // it stands in another article
	}
	if err := g.putHead(ctx, tx, f.text); err != nil {
		return err
	}
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

// setHead puts a number and a heading over a piece. Citations and amendments find
// an article by the label that its number gives it.
func (g *Gazette) setHead(row *Row, lang model.Lang, head Head) {
	if l := g.grammar.Lang(lang); l != nil && row.IsArticle() && head.Num != row.Num {
		sc := g.grammar.Scanner()
		defer sc.Release()
		if h, n := l.MatchArticle(head.Num, sc.Tokens(nil, head.Num, 0, 12)); n > 0 && !h.Label.Zero() {
			row.Label = g.grammar.Format(h.Label)
		}
	}
	row.Num, row.Heading = head.Num, head.Heading
}

// reapply carries out what was corrected in a text when its source is read
// again: wherever the reading is the one that was corrected, or was found right.
// It returns the pieces that read otherwise now, so that what a person mended
// there must be looked at again.
func (g *Gazette) reapply(ctx context.Context, tx *db.Tx, text string, lang model.Lang, rows []*Row) (lost []string, err error) {
	all, err := g.store.corrections(ctx, tx, `WHERE text = $1 ORDER BY at, id`, text)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	last := map[string]Correction{}
	by := map[string]*Row{}
	for _, r := range rows {
		by[r.EID] = r
	}
	for _, c := range all {
		last[c.EID] = c
		r := by[c.EID]
		if r == nil {
			continue
		}
		if r.Text == c.Before {
			r.Text, r.Confidence = c.After, 1
		}
		if c.Heads[0] != c.Heads[1] && c.Heads[0] == (Head{r.Num, r.Heading}) {
			g.setHead(r, lang, c.Heads[1])
		}
	}
	for _, eid := range sortedKeys(last) {
		if r := by[eid]; r == nil || r.Text != last[eid].After {
			lost = append(lost, eid)
		}
	}
	return lost, nil
}

// cleanText is a text that a person typed: lines without what browsers and word
// processors add, tabs kept because rows of tables begin with them.
func cleanText(s string) string {
	s = extract.Clean(strings.ReplaceAll(s, "\r\n", "\n"))
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " \t\u00a0")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n")
}

// MayEdit tells who works at the gazette's desk: stewards, and editors of the
// administration that keeps the gazette or of all. An editor of another one has
// no say in the country's law.
func (g *Gazette) MayEdit(a gov.Actor) bool {
	return a.Has(gov.RoleSteward) || a.Has(gov.RoleEditor) && (a.Administration == "" || a.Administration == g.grammar.Config.Keeper)
}
