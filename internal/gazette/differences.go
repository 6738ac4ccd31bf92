package gazette

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"diwan/internal/db"
	"diwan/internal/gazette/compare"
	"diwan/internal/gazette/model"
)

// Codes of the differences between an edition that already holds changes and
// what is computed here.
const (
	// DiffUnlinked: an act that the head of the edition names is held, and
	// nothing was found in it that changes this text.
	DiffUnlinked = "unlinked"
	// DiffMissing: an act that changes this text is older than the edition, and
	// the head does not name it.
	DiffMissing = "not_in_head"
	// DiffLater: an act changes this text after the day of the edition.
	DiffLater = "later"
	// DiffText: an article reads otherwise in the edition than in the original
	// with all changes applied.
	DiffText = "text_differs"
	// DiffExtra, DiffAbsent: an article that only the edition has, or only the
	// original with its changes.
	DiffExtra  = "article_extra"
	DiffAbsent = "article_absent"
)

// Difference is one of them. Detail is the act concerned, or how much of an
// article's words differ.
type Difference struct {
	Work, Text, Code, EID, Detail string
}

// maxDifferences bounds those of one text: past it the two are not editions of
// one text.
const maxDifferences = 200

// checkEditions compares every edition that already holds changes with what is
// computed, and keeps what differs. It runs after the amendments were applied.
func (g *Gazette) checkEditions(ctx context.Context, ix *index) error {
	held := ix.amending()
	var all []Difference
	for _, id := range sortedKeys(ix.texts) {
		t := ix.texts[id]
		if t.Form != model.ConsolidatedForm || t.Consolidated == nil || ix.works[t.Work] == nil {
			continue
		}
		found := ix.headDifferences(t, held[t.Work])
		words, err := g.wordDifferences(ctx, ix, t)
		if err != nil {
			return err
		}
		found = append(found, words...)
		all = append(all, found[:min(len(found), maxDifferences)]...)
	}
	return g.saveDifferences(ctx, all)
}

// amending lists for each work the acts that change it, with the first day from
// which each does.
func (ix *index) amending() map[string]map[string]model.Date {
	out := map[string]map[string]model.Date{}
	add := func(target, by string, day model.Date) {
		if out[target] == nil {
			out[target] = map[string]model.Date{}
		}
		if have, ok := out[target][by]; !ok || day != "" && (have == "" || day < have) {
			out[target][by] = day
		}
	}
	for _, o := range ix.ops {
		if o.TargetWork != "" && o.State != OpDropped && o.Action != model.RepealAct {
			add(o.TargetWork, o.Work, o.EffectiveFrom)
		}
	}
	for _, l := range ix.links {
		switch l.Relation {
		case model.Amends, model.Completes, model.Replaces:
			if l.To != "" && l.To != l.From {
				add(l.To, l.From, ix.published(l.From))
			}
		}
	}
	return out
}

// published is the day on which a work first appeared, as far as is known.
func (ix *index) published(work string) model.Date {
	day := model.Date("")
	for _, t := range ix.byWork[work] {
		if t.Form == model.OriginalForm && t.Version != "" && (day == "" || t.Version < day) {
			day = t.Version
		}
	}
	return day
}

// headDifferences compares the acts that the head of an edition names with
// those that are known to change the text.
func (ix *index) headDifferences(t *Text, known map[string]model.Date) []Difference {
	var out []Difference
	named := map[string]bool{}
	for _, a := range t.Consolidated.By {
		w := ix.find(model.Target{Kind: a.Kind, Number: a.Number, Date: a.Signed})
		if w == nil || w.ID == t.Work {
			continue // not held here, or the text itself
		}
		ix.name(named, w.ID)
		if !ix.anyKnown(known, w.ID) {
			out = append(out, Difference{t.Work, t.ID, DiffUnlinked, "", w.ID})
		}
	}
	for _, by := range sortedKeys(known) {
		if named[by] {
			continue
		}
		switch day := known[by]; {
		case day == "":
		case t.Version == "" || day <= t.Version:
			if len(t.Consolidated.By) > 0 {
				out = append(out, Difference{t.Work, t.ID, DiffMissing, "", by})
			}
		default:
			out = append(out, Difference{t.Work, t.ID, DiffLater, "", by})
		}
	}
	return out
}

// name counts an act as named, with what it publishes and what publishes it: a
// head names the law or the act that promulgates it.
func (ix *index) name(named map[string]bool, id string) {
	named[id] = true
	for other := range ix.attached(id) {
		named[other] = true
	}
}

func (ix *index) anyKnown(known map[string]model.Date, id string) bool {
	if _, ok := known[id]; ok {
		return true
	}
	for other := range ix.attached(id) {
		if _, ok := known[other]; ok {
			return true
		}
	}
	return false
}

// attached are the works that a work publishes, and those that publish it.
func (ix *index) attached(id string) map[string]bool {
	if ix.publishes == nil {
		ix.publishes = map[string]map[string]bool{}
		join := func(a, b string) {
			if ix.publishes[a] == nil {
				ix.publishes[a] = map[string]bool{}
			}
			ix.publishes[a][b] = true
		}
		for _, t := range ix.texts {
			for _, a := range t.Attached {
				join(t.Work, a)
				join(a, t.Work)
			}
		}
	}
	return ix.publishes[id]
}

// wordDifferences compares an edition with the original of the same language,
// where both are held, as it reads on the edition's day.
func (g *Gazette) wordDifferences(ctx context.Context, ix *index, t *Text) ([]Difference, error) {
	var original *Text
	for _, o := range ix.byWork[t.Work] {
		if o.Form == model.OriginalForm && o.Lang == t.Lang && (original == nil || o.Version < original.Version) {
			original = o
		}
	}
	if original == nil || t.Version != "" && original.Version > t.Version {
		return nil, nil
	}
	edition, err := g.rowsFor(ctx, ix, t.ID)
	if err != nil {
		return nil, err
	}
	computed, err := g.rowsFor(ctx, ix, original.ID)
	if err != nil {
		return nil, err
	}
	var out []Difference
	for _, c := range compare.Pieces(provisions(computed, t.Version), provisions(edition, t.Version)) {
		switch {
		case c.Old == nil:
			out = append(out, Difference{t.Work, t.ID, DiffExtra, c.New.EID, c.New.Num})
		case c.New == nil:
			out = append(out, Difference{t.Work, t.ID, DiffAbsent, c.Old.EID, c.Old.Num})
		case c.Kind != "same":
			if share := changedShare(c.Old.Text, c.New.Text); share > 0 {
				out = append(out, Difference{t.Work, t.ID, DiffText, c.New.EID, itoa(share)})
			}
		}
	}
	return out, nil
}

// rowsFor are the rows of a text as they are about to be kept.
func (g *Gazette) rowsFor(ctx context.Context, ix *index, text string) ([]*Row, error) {
	if rows, ok := ix.changed[text]; ok {
		return rows, nil
	}
	return g.store.rowsOf(ctx, g.store.db.Reader(), text)
}

// provisions are the articles that hold on a day. An edition without a day is
// compared with the latest.
func provisions(rows []*Row, day model.Date) []model.Piece {
	var out []model.Piece
	for _, r := range rows {
		if r.IsArticle() && (r.validOn(day) || r.From == "" && r.Until == "") {
			out = append(out, r.Piece)
		}
	}
	return out
}

// changedShare is how many hundredths of the words of two texts differ, at least
// 1 when any does. Spaces and marks count for nothing.
func changedShare(a, b string) int {
	da := digest(a)
	db := digest(b)
	if da == db {
		return 0
	}
	changed, all := 0, 0
	for _, run := range compare.Words(a, b) {
		all += len(run.Text)
		if run.Op != compare.Same {
			changed += len(run.Text)
		}
	}
	return max(1, changed*100/max(1, all))
}

// saveDifferences puts the differences in place of those that were kept, where
// they are others.
func (g *Gazette) saveDifferences(ctx context.Context, all []Difference) error {
	before, err := g.differences(ctx, `ORDER BY work, text, n`)
	if err != nil {
		return err
	}
	order := func(a, b Difference) int { return cmp.Or(cmp.Compare(a.Work, b.Work), cmp.Compare(a.Text, b.Text)) }
	slices.SortStableFunc(all, order)
	if slices.Equal(before, all) {
		return nil
	}
	return g.store.db.RunTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM gazette_difference`); err != nil {
			return err
		}
		rows := make([][]any, len(all))
		n := 0
		for i, d := range all {
			if i > 0 && order(all[i-1], d) != 0 {
				n = 0
			}
			rows[i] = []any{d.Work, n, d.Text, d.Code, d.EID, d.Detail}
			n++
		}
		return g.store.insert(ctx, tx, "gazette_difference", `work, n, text, code, eid, detail`, rows)
	})
}

// differences runs a query for differences: where it stands after FROM
// gazette_difference.
func (g *Gazette) differences(ctx context.Context, where string, args ...any) ([]Difference, error) {
	rows, err := g.store.db.Reader().QueryContext(ctx, `SELECT work, text, code, eid, detail FROM gazette_difference `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading differences: %w", err)
	}
	defer rows.Close()
	var out []Difference
	for rows.Next() {
		var d Difference
		if err := rows.Scan(&d.Work, &d.Text, &d.Code, &d.EID, &d.Detail); err != nil {
			return nil, fmt.Errorf("reading differences: %w", err)
		}
		out = append(out, d)
	}
	return out, rows.Err()
}
