package gazette

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"diwan/internal/db"
	"diwan/internal/gazette/model"
)

// LinkCount says how many citations lead to a text that the gazette holds.
type LinkCount struct {
	Citations int `json:"citations"`
	Resolved  int `json:"resolved"`
	Targets   int `json:"targets"` // distinct texts named
	Own       int `json:"own"`     // to a place in the same text
	Applied   int `json:"operations_applied"`
	Manual    int `json:"operations_manual"`
	Absent    int `json:"operations_absent"`
	Changed   int `json:"works_changed"` // works whose text or state changed
}

// Relink looks up what every citation names, applies amendments and computes the
// state of each work anew. It runs after an import and after an editor decided
// something; running it again changes nothing. It computes from what it read
// before; when that was changed meanwhile, it begins again.
func (g *Gazette) Relink(ctx context.Context) (LinkCount, error) {
	for try := 1; ; try++ {
		count, err := g.relink(ctx)
		if !errors.Is(err, errStale) || try == relinkTries {
			return count, err
		}
	}
}

// relinkTries is how often linking begins again before it gives up; its job is
// tried again later.
const relinkTries = 8

// errStale says that the gazette changed while it was linked.
var errStale = errors.New("the gazette is being changed")

func (g *Gazette) relink(ctx context.Context) (LinkCount, error) {
	var count LinkCount
	ix, err := g.loadIndex(ctx)
	if err != nil {
		return count, fmt.Errorf("linking: %w", err)
	}
	ix.resolve(&count)
	ix.cited()
	if err := g.consolidate(ctx, ix, &count); err != nil {
		return count, fmt.Errorf("consolidating: %w", err)
	}
	g.states(ix)
	ix.repealed()
	ix.newlyCited(g.clock.Now())
	if err := g.saveIndex(ctx, ix, &count); err != nil {
		return count, fmt.Errorf("linking: %w", err)
	}
	if err := g.checkEditions(ctx, ix); err != nil {
		return count, fmt.Errorf("comparing editions: %w", err)
	}
	return count, nil
}

// index is the whole gazette but its words, in memory while it is linked.
type index struct {
	revision int64 // at which it was read
	works    map[string]*model.Work
	before   map[string]string      // fingerprint of each work as it was
	states   map[string]model.State // of each work as it was
	numbers  map[string][]*model.Work
	dates    map[string][]*model.Work // works without number, by kind and day
	texts    map[string]*Text
	byWork   map[string][]*Text
	links    []*StoredLink
	old      []string // what each link led to
	ops      []*Operation
	oldOps   []string
	eids     map[string]map[string]string // text -> article label -> eId
	changed  map[string][]*Row            // text -> rows computed anew
	events   []Event
	// publishes are the works that publish each other, once asked for.
	publishes map[string]map[string]bool
}

func fingerprint(w *model.Work) string {
	return fmt.Sprint(w.Cited) + jsonOf(w.Status)
}

func (g *Gazette) loadIndex(ctx context.Context) (*index, error) {
	q := g.store.db.Reader()
	ix := &index{works: map[string]*model.Work{}, before: map[string]string{}, states: map[string]model.State{}, numbers: map[string][]*model.Work{}, dates: map[string][]*model.Work{},
		texts: map[string]*Text{}, byWork: map[string][]*Text{}, eids: map[string]map[string]string{}, changed: map[string][]*Row{}}
	var err error
	if ix.revision, err = g.store.revision(ctx, q); err != nil {
		return nil, err
	}
	works, err := g.store.works(ctx, q, "ORDER BY id")
	if err != nil {
		return nil, err
	}
	for _, w := range works {
		ix.works[w.ID], ix.before[w.ID], ix.states[w.ID] = w, fingerprint(w), w.Status.State
		switch {
		case w.Number != "" && !w.Suspect:
			key := w.Number.Key()
			ix.numbers[key] = append(ix.numbers[key], w)
		case len(w.Signed) == len("2006-01-02") && !w.Suspect:
			key := w.Kind + " " + string(w.Signed)
			ix.dates[key] = append(ix.dates[key], w)
		}
	}
	texts, err := g.store.texts(ctx, q, "ORDER BY id")
	if err != nil {
		return nil, err
	}
	for _, t := range texts {
		ix.texts[t.ID] = t
		ix.byWork[t.Work] = append(ix.byWork[t.Work], t)
	}
	if ix.links, err = g.store.links(ctx, q, "ORDER BY text, n"); err != nil {
		return nil, err
	}
	if ix.ops, err = g.store.operations(ctx, q, "ORDER BY text, n"); err != nil {
		return nil, err
	}
	for _, l := range ix.links {
		ix.old = append(ix.old, l.To+" "+l.ToEID)
	}
	for _, o := range ix.ops {
		ix.oldOps = append(ix.oldOps, o.mark())
	}
	return ix, g.loadLabels(ctx, q, ix)
}

func (o *Operation) mark() string {
	return o.TargetWork + " " + string(o.EffectiveFrom) + " " + o.State + " " + o.Reason
}

// loadLabels reads which articles each text has.
func (g *Gazette) loadLabels(ctx context.Context, q querier, ix *index) error {
	rows, err := q.QueryContext(ctx, `SELECT text, label, eid FROM gazette_piece WHERE kind = $1 AND label <> ''`, string(model.Article))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var text, label, eid string
		if err := rows.Scan(&text, &label, &eid); err != nil {
			return err
		}
		m := ix.eids[text]
		if m == nil {
			m = map[string]string{}
			ix.eids[text] = m
		}
		if _, twice := m[label]; !twice {
			m[label] = eid
		}
	}
	return rows.Err()
}

// find returns the work that a citation names, or nil: no work, or more than
// one, and nothing tells which.
func (ix *index) find(t model.Target) *model.Work {
	if t.Number == "" {
		if t.Date == "" {
			return only(ix.ofKind(t.Kind))
		}
		return only(ix.dates[t.Kind+" "+string(t.Date)])
	}
	all := ix.numbers[t.Number.Key()]
	var same, other []*model.Work
	for _, w := range all {
		if w.Kind == t.Kind {
			same = append(same, w)
		} else if related(w.Kind, t.Kind) {
			other = append(other, w)
		}
	}
	for _, list := range [][]*model.Work{same, other} {
		if w := only(list); w != nil {
			return w
		}
		for _, w := range list { // the date tells which
			if t.Date != "" && w.Signed == t.Date {
				return w
			}
		}
		if len(list) > 1 {
			return nil
		}
	}
	return nil
}

// ofKind returns the works of a kind that is cited by its name alone.
func (ix *index) ofKind(kind string) []*model.Work {
	var out []*model.Work
	for _, w := range ix.works {
		if w.Kind == kind && kind != "" {
			out = append(out, w)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Signed > out[j].Signed })
	return out[:min(1, len(out))] // the newest stands for it
}

func only(list []*model.Work) *model.Work {
	if len(list) == 1 {
		return list[0]
	}
	return nil
}

// related kinds are named for each other: an organic law is cited as a law, a
// decree-law as a decree, a joint order as an order. Their addresses begin alike.
func related(a, b string) bool {
	a, _, _ = strings.Cut(a, "-")
	b, _, _ = strings.Cut(b, "-")
	return a == b
}

// resolve looks up every citation and every amending clause.
func (ix *index) resolve(count *LinkCount) {
	targets := map[string]bool{}
	for _, l := range ix.links {
		count.Citations++
		l.To, l.ToEID = "", ""
		if l.Target.Self {
			l.To = l.From
			count.Own++
		} else if w := ix.find(l.Target); w != nil {
			l.To = w.ID
			count.Resolved++
			targets[w.ID] = true
		}
		if l.To != "" && len(l.Target.Articles) > 0 {
			l.ToEID = ix.place(l)
		}
	}
	for _, o := range ix.ops {
		if o.DecidedBy != "" && ix.works[o.TargetWork] != nil {
			continue // a person said which
		}
		o.TargetWork = ""
		if w := ix.find(o.Target); w != nil && w.ID != o.Work {
			o.TargetWork = w.ID
		}
	}
	count.Targets = len(targets)
}

// place is the eId of the first article that a citation names, in the text of
// the same language when there is one.
func (ix *index) place(l *StoredLink) string {
	label, _, _ := strings.Cut(l.Target.Articles[0], "..")
	if l.Target.Self {
		return ix.eids[l.Text][label]
	}
	lang := ix.texts[l.Text].Lang
	best := ""
	for _, t := range ix.byWork[l.To] {
		if eid := ix.eids[t.ID][label]; eid != "" && (best == "" || t.Lang == lang) {
			best = eid
		}
	}
	return best
}

// cited counts the works that name each work.
func (ix *index) cited() {
	from := map[string]map[string]bool{}
	for _, l := range ix.links {
		if l.To != "" && l.To != l.From {
			if from[l.To] == nil {
				from[l.To] = map[string]bool{}
			}
			from[l.To][l.From] = true
		}
	}
	for id, w := range ix.works {
		w.Cited = len(from[id])
	}
}

// saveIndex writes what changed, if nobody else wrote since the index was read.
func (g *Gazette) saveIndex(ctx context.Context, ix *index, count *LinkCount) error {
	now := g.clock.Now()
	return g.store.db.RunTx(ctx, func(tx *db.Tx) error {
		rev, err := g.store.advance(ctx, tx)
		if err != nil {
			return err
		}
		if rev != ix.revision+1 {
			return errStale
		}
		if err := g.store.setLinked(ctx, tx, rev); err != nil {
			return err
		}
		stmt, err := tx.PrepareContext(ctx, `UPDATE gazette_link SET to_work = $1, to_eid = $2 WHERE text = $3 AND eid = $4 AND n = $5`)
		if err != nil {
			return err
		}
		defer stmt.Close()
		for i, l := range ix.links {
			if l.To+" "+l.ToEID != ix.old[i] {
				if _, err := stmt.ExecContext(ctx, l.To, l.ToEID, l.Text, l.EID, l.N); err != nil {
					return err
				}
			}
		}
		for i, o := range ix.ops {
			if o.mark() == ix.oldOps[i] {
				continue
			}
			if _, err := tx.ExecContext(ctx, `UPDATE gazette_operation SET target = $1, effective = $2, state = $3, reason = $4 WHERE id = $5`,
				o.TargetWork, o.EffectiveFrom, o.State, o.Reason, o.ID); err != nil {
				return err
			}
		}
		for _, text := range slices.Sorted(maps.Keys(ix.changed)) {
			if _, err := tx.ExecContext(ctx, `DELETE FROM gazette_piece WHERE text = $1`, text); err != nil {
				return err
			}
			if err := g.store.putRows(ctx, tx, ix.changed[text]); err != nil {
				return err
			}
		}
		var works []*model.Work
		for _, id := range slices.Sorted(maps.Keys(ix.works)) {
			if w := ix.works[id]; fingerprint(w) != ix.before[id] {
				works = append(works, w)
			}
		}
		count.Changed = len(works)
		if err := g.updateWorks(ctx, tx, works, db.Micros(now)); err != nil {
			return err
		}
		news, err := g.unknownEvents(ctx, tx, ix.events)
		if err != nil {
			return err
		}
		return g.putEvents(ctx, tx, news, now)
	})
}

// updateWorks writes the computed columns of works.
func (g *Gazette) updateWorks(ctx context.Context, tx *db.Tx, works []*model.Work, at int64) error {
	stmt, err := tx.PrepareContext(ctx, `UPDATE gazette_work SET cited = $1, state = $2, state_since = $3, state_by = $4, reasons = $5, changed_at = $6 WHERE id = $7`)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for _, w := range works {
		if _, err := stmt.ExecContext(ctx, w.Cited, w.Status.State, w.Status.Since, w.Status.By, jsonOf(w.Status.Reasons), at, w.ID); err != nil {
			return err
		}
	}
	return nil
}
