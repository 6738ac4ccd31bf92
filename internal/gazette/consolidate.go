package gazette

import (
	"context"
	"slices"
	"sort"

	"diwan/internal/gazette/amend"
	"diwan/internal/gazette/model"
)

// otherLanguage is the reason of an operation whose target is held, but not in
// the language in which the new words are.
const otherLanguage = "other_language"

// consolidate applies the amending clauses to the texts that they name. What was
// computed before is thrown away and computed again from what was published.
func (g *Gazette) consolidate(ctx context.Context, ix *index, count *LinkCount) error {
	byText := ix.assign(count)
	stale, err := g.computedTexts(ctx)
	if err != nil {
		return err
	}
	for id := range stale {
		if _, ok := byText[id]; !ok {
			byText[id] = nil
		}
	}
	for _, id := range sortedKeys(byText) {
		t := ix.texts[id]
		if t == nil {
			continue
		}
		rows, err := g.store.rowsOf(ctx, g.store.db.Reader(), id)
		if err != nil {
			return err
		}
		fresh, outcomes := applyTo(t.Version, rows, byText[id])
		if !sameRows(rows, fresh) {
			ix.changed[id] = fresh
			ix.changes(t, rows, fresh)
		}
		ix.note(byText[id], outcomes)
	}
	for _, o := range ix.ops {
		switch o.State {
		case OpApplied, OpIncluded:
			count.Applied++
		case OpManual:
			count.Manual++
		case OpAbsent:
			count.Absent++
		}
	}
	return nil
}

// assign gives each operation its day and the texts that it changes: those of
// its target in its own language. It sets the state of those that change none.
func (ix *index) assign(count *LinkCount) map[string][]*Operation {
	byText := map[string][]*Operation{}
	for _, o := range ix.ops {
		if o.State == OpDropped {
			continue
		}
		from := ix.texts[o.Text]
		o.EffectiveFrom = o.Effective
		if o.EffectiveFrom == "" {
			o.EffectiveFrom = ix.enters(o.Work)
		}
		if o.EffectiveFrom == "" {
			// A translation appears later and changes nothing by itself.
			o.EffectiveFrom = ix.published(o.Work)
		}
		if o.EffectiveFrom == "" && from != nil {
			o.EffectiveFrom = from.Version
		}
		if o.TargetWork == "" {
			o.State, o.Reason = OpAbsent, amend.NotHeld
			if o.Manual == amend.NoTarget {
				o.State, o.Reason = OpManual, amend.NoTarget
			}
			continue
		}
		o.State, o.Reason = OpManual, otherLanguage
		for _, t := range ix.byWork[o.TargetWork] {
			if from == nil || t.Lang != from.Lang {
				continue
			}
			if t.Form == model.ConsolidatedForm && o.EffectiveFrom != "" && o.EffectiveFrom <= t.Version {
				o.State, o.Reason = OpIncluded, ""
				continue
			}
			if t.Version != "" && o.EffectiveFrom != "" && o.EffectiveFrom < t.Version {
				o.State, o.Reason = OpIncluded, "" // the text is younger than the change
				continue
			}
			byText[t.ID] = append(byText[t.ID], o)
		}
	}
	return byText
}

// enters is the day on which a work says that it enters into force, when that is
// later than its publication: nobody can have followed it before he could read
// it. "" is the day of publication.
func (ix *index) enters(work string) model.Date { return entersOn(ix.byWork[work]) }

// entersOn is the same for the texts of one work. A translation counts from its
// own publication, which is later: the first day holds.
func entersOn(texts []*Text) model.Date {
	published, day := model.Date(""), model.Date("")
	for _, t := range texts {
		if t.Form != model.OriginalForm {
			continue
		}
		if t.Version != "" && (published == "" || t.Version < published) {
			published = t.Version
		}
		if t.Entry != nil && t.Entry.Day != "" && (day == "" || t.Entry.Day < day) {
			day = t.Entry.Day
		}
	}
	if published == "" || day <= published || yearOf(day, "")-yearOf(published, "") > maxEntryYears {
		return ""
	}
	return day
}

// maxEntryYears is how long after its publication an act can say that it enters
// into force: a later year was misread, or put in by a later act.
const maxEntryYears = 5

// computedTexts lists the texts that hold computed rows.
func (g *Gazette) computedTexts(ctx context.Context) (map[string]bool, error) {
	return set(ctx, g.store.db.Reader(), `SELECT DISTINCT text FROM gazette_piece WHERE by_work <> ''`)
}

// applyTo computes the rows of a text that reads as published from a day on
// anew.
func applyTo(from model.Date, rows []*Row, ops []*Operation) ([]*Row, []amend.Outcome) {
	var base []amend.Version
	var text, work string
	for _, r := range rows {
		text, work = r.TextID, r.Work
		if r.By == "" {
			v := amend.Version{Piece: r.Piece, Position: r.Position}
			v.From = from // an amendment of that day may have taken it away
			base = append(base, v)
		}
	}
	changes := make([]amend.Change, len(ops))
	for i, o := range ops {
		changes[i] = amend.Change{Operation: o.Operation, ID: o.ID, Day: o.EffectiveFrom, By: o.Work}
	}
	versions, outcomes := amend.Apply(base, changes)
	fresh := make([]*Row, len(versions))
	for i, v := range versions {
		fresh[i] = &Row{Piece: v.Piece, TextID: text, Work: work, Position: v.Position, Until: v.Until}
	}
	return fresh, outcomes
}

func sameRows(a, b []*Row) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if *a[i] != *b[i] {
			return false
		}
	}
	return true
}

// note keeps what became of the operations. One that was applied to one edition
// and not to another counts as applied.
func (ix *index) note(ops []*Operation, outcomes []amend.Outcome) {
	reasons := make(map[string]string, len(outcomes))
	for _, o := range outcomes {
		reasons[o.ID] = o.Reason
	}
	for _, o := range ops {
		reason, ok := reasons[o.ID]
		switch {
		case !ok || o.State == OpApplied:
		case reason == "":
			o.State, o.Reason = OpApplied, ""
		default:
			o.State, o.Reason = OpManual, reason
		}
	}
}

// changes records, for those who follow the law, what an amendment changed in a
// text.
func (ix *index) changes(t *Text, before, after []*Row) {
	had := map[string]bool{}
	for _, r := range before {
		had[r.EID+"|"+string(r.From)] = true
	}
	said := map[string]bool{}
	for _, r := range after {
		if r.By == "" || had[r.EID+"|"+string(r.From)] || said[r.By] {
			continue
		}
		said[r.By] = true
		ix.events = append(ix.events, Event{Type: EventAmended, Work: t.Work, EID: r.EID, By: r.By, Day: r.From})
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return slices.Clip(keys)
}
