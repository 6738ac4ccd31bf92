package gazette

import (
	"context"
	"slices"
	"sort"

	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/protocol/akn"

	"golang.org/x/text/language"
)

// Reading is a text as it reads on one day, with what a reader needs to judge
// it.
type Reading struct {
	Work       *model.Work
	Expression model.Expression // its pieces are those of the day
	Day        model.Date       // the day asked for; "" now
	Attached   []string         // works it publishes
	Texts      []*Text          // every text of the work
	Timeline   []Moment         // of this text, the oldest first
	Warnings   []Warning
}

// Moment is a day on which the wording of a text changed.
type Moment struct {
	Day    model.Date
	By     []string // works that changed it; none for the text as it was published
	Form   model.Form
	TextID string
	Pieces int  // how many pieces changed
	Shown  bool // the reading at hand is of this moment
}

// Warning is what a reader must know before relying on a text.
type Warning struct {
	Code  string
	Count int
}

// The warnings of a reading.
const (
	WarnSuspect    = "suspect"    // its digits can't be trusted
	WarnManual     = "manual"     // amendments that could not be applied
	WarnConfidence = "confidence" // parts of it were read with doubt from a scan
	WarnUnknown    = "unknown"    // nobody knows whether it is in force
	WarnNotYet     = "not_yet"
	WarnEntry      = "entry" // from when it, or a change of it, holds depends on more than a day
	WarnRepealed   = "repealed"
	WarnPast       = "past" // it reads otherwise today
	WarnDemo       = "demo" // invented for the demonstration
	WarnProblems   = "problems"
)

// lowConfidence is where a piece that was read from a scan needs a second look.
const lowConfidence = 0.80

// Read returns the text that an address names: its language, or the first of
// langs that there is, on the day that it names, or now. Where the address names
// no work, but its kind and number do, the error is Moved.
func (g *Gazette) Read(ctx context.Context, iri akn.IRI, langs []model.Lang) (*Reading, error) {
	q := g.store.db.Reader()
	w, err := g.store.work(ctx, q, iri.Work())
	if problem.Is(err, problem.NotFound) {
		if moved := g.moved(ctx, iri); moved != nil {
			return nil, moved
		}
	}
	if err != nil {
		return nil, err
	}
	texts, err := g.store.textsOf(ctx, q, w.ID)
	if err != nil {
		return nil, err
	}
	r := &Reading{Work: w, Texts: texts, Day: dayOf(iri)}
	t := g.choose(r, iri, langs)
	if t == nil {
		return nil, problem.New(problem.NotFound, "law.no_text")
	}
	at := r.Day
	if iri.Original {
		at = t.Version
	}
	return r, g.fill(ctx, r, t, at)
}

// ReadText returns one text as it reads on a day; "" is now.
func (g *Gazette) ReadText(ctx context.Context, t *Text, day model.Date) (*Reading, error) {
	q := g.store.db.Reader()
	w, err := g.store.work(ctx, q, t.Work)
	if err != nil {
		return nil, err
	}
	r := &Reading{Work: w, Day: day}
	if r.Texts, err = g.store.textsOf(ctx, q, t.Work); err != nil {
		return nil, err
	}
	return r, g.fill(ctx, r, t, day)
}

// fill reads a text into a reading: as it reads on a day, or today, when "" asks
// for now. What begins later is shown as it will begin.
func (g *Gazette) fill(ctx context.Context, r *Reading, t *Text, at model.Date) error {
	if at == "" {
		at = max(model.Date(g.Today().String()), t.Version)
	}
	q := g.store.db.Reader()
	rows, err := g.store.rowsOf(ctx, q, t.ID)
	if err != nil {
		return err
	}
	r.Expression, r.Attached = t.Expression, t.Attached
	r.Timeline = timeline(r.Texts, t, rows, at)
	r.setPieces(rows, at)
	return g.warn(ctx, q, r)
}

// dayOf is the day that an address asks for.
func dayOf(iri akn.IRI) model.Date {
	if iri.View != "" {
		return model.Date(iri.View)
	}
	return model.Date(iri.Version)
}

// Moved says that a text stands at another address.
type Moved struct{ To string }

func (m *Moved) Error() string { return "the text stands at " + m.To }

// moved finds a work by its kind and number when the year in the address is
// another one than ours: people cite a law by the year of its number, of its
// signature or of its publication.
func (g *Gazette) moved(ctx context.Context, iri akn.IRI) error {
	if work := iri.Work(); validID(work) {
		if to, err := g.store.movedTo(ctx, g.store.db.Reader(), "old", work); err == nil && to != "" {
			return &Moved{withRest(to, iri)}
		}
	}
	if iri.Number == "" || !validID(iri.Number) || !validID(iri.Subtype+"-") {
		return nil
	}
	works, err := g.store.works(ctx, g.store.db.Reader(), `WHERE number_key = $1 ORDER BY id LIMIT 50`, model.Number(iri.Number).Key())
	if err != nil {
		return nil
	}
	works = slices.DeleteFunc(works, func(w *model.Work) bool { return g.pathOf(w.Kind) != iri.Subtype })
	if len(works) != 1 {
		return nil
	}
	return &Moved{withRest(works[0].ID, iri)}
}

// choose picks the text to show: of the language asked for, or else the first of
// langs; of its editions the latest that had begun on the day. An original with
// computed changes and an official consolidated edition are both editions.
func (g *Gazette) choose(r *Reading, iri akn.IRI, langs []model.Lang) *Text {
	order := langs
	if iri.Lang != "" {
		order = []model.Lang{model.Lang(iri.Lang)}
	}
	for _, t := range r.Texts { // whatever there is, when none was asked for
		if iri.Lang == "" && !slices.Contains(order, t.Lang) {
			order = append(order[:len(order):len(order)], t.Lang)
		}
	}
	for _, l := range order {
		day := r.Day
		if day == "" {
			day = model.Date(g.Today().String())
		}
		best := r.edition(l, day, iri.Original)
		if best == nil && r.Day == "" {
			best = r.edition(l, "", true) // it is still to come
		}
		if best != nil {
			return best
		}
	}
	return nil
}

// edition is the text in a language that shows best how the work reads on a day;
// "" is any day. first asks for the one that it began with.
func (r *Reading) edition(l model.Lang, day model.Date, first bool) *Text {
	var best *Text
	for _, t := range r.Texts {
		switch {
		case t.Lang != l || day != "" && t.Version > day:
		case best == nil, first && t.Version < best.Version, !first && better(t, best):
			best = t
		}
	}
	return best
}

// better tells which of two editions is shown when both could be.
func better(t, than *Text) bool {
	if (t.Form == model.ConsolidatedForm) != (than.Form == model.ConsolidatedForm) {
		return t.Form == model.ConsolidatedForm
	}
	if t.Version != than.Version {
		return t.Version > than.Version
	}
	return t.ID < than.ID
}

// validOn tells whether a row is what the text says on a day; "" is the latest.
func (r *Row) validOn(day model.Date) bool {
	if day == "" {
		return r.Until == ""
	}
	return r.From <= day && (r.Until == "" || day < r.Until)
}

func (r *Reading) setPieces(rows []*Row, day model.Date) {
	from, until := model.Date(""), model.Date("")
	for _, row := range rows {
		if row.validOn(day) {
			r.Expression.Pieces = append(r.Expression.Pieces, row.Piece)
			from = max(from, row.From)
			if row.Until != "" && (until == "" || row.Until < until) {
				until = row.Until
			}
		} else if day != "" && row.From > day && (until == "" || row.From < until) {
			until = row.From
		}
	}
	if from != "" {
		r.Expression.Version = from
	}
	r.Expression.Until = until
}

// timeline lists the days on which a text changed, with the other editions of
// its language.
func timeline(texts []*Text, t *Text, rows []*Row, day model.Date) []Moment {
	at := map[model.Date]*Moment{}
	for _, row := range rows {
		if row.Until != "" && row.Until <= t.Version {
			continue // an act of the same day changed it before it could hold
		}
		m := at[row.From]
		if m == nil {
			m = &Moment{Day: row.From, Form: t.Form, TextID: t.ID}
			at[row.From] = m
		}
		if row.By != "" {
			m.Pieces++
			if !slices.Contains(m.By, row.By) {
				m.By = append(m.By, row.By)
			}
		}
	}
	var out []Moment
	for _, m := range at {
		out = append(out, *m)
	}
	for _, o := range texts {
		if o.ID != t.ID && o.Lang == t.Lang {
			out = append(out, Moment{Day: o.Version, Form: o.Form, TextID: o.ID})
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Day < out[j].Day })
	shown := -1
	for i := range out {
		if out[i].TextID == t.ID && (day == "" || out[i].Day <= day) {
			shown = i
		}
	}
	if shown >= 0 {
		out[shown].Shown = true
	}
	return out
}

func (g *Gazette) warn(ctx context.Context, q querier, r *Reading) error {
	add := func(code string, n int) {
		if n > 0 {
			r.Warnings = append(r.Warnings, Warning{code, n})
		}
	}
	add(WarnDemo, one(r.Work.Demo))
	add(WarnRepealed, one(r.Work.Status.State == model.Repealed))
	add(WarnNotYet, one(r.Work.Status.State == model.NotYet))
	add(WarnPast, one(r.Expression.Until != "" && r.Expression.Until <= model.Date(g.Today().String())))
	add(WarnSuspect, one(r.Work.Suspect || slices.ContainsFunc(r.Expression.Problems, func(p model.Problem) bool { return p.Code == digitsSuspect })))
	var manual int
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM gazette_operation WHERE target = $1 AND state = $2`, r.Work.ID, OpManual).Scan(&manual); err != nil {
		return err
	}
	add(WarnManual, manual)
	var unread int
	if err := q.QueryRowContext(ctx, `SELECT count(*) FROM gazette_text WHERE head LIKE '%"entry":{"day":"",%' AND
		(work = $1 OR work IN (SELECT work FROM gazette_operation WHERE target = $1 AND state = $2))`, r.Work.ID, OpApplied).Scan(&unread); err != nil {
		return err
	}
	add(WarnEntry, min(unread, 1))
	doubtful := 0
	for i := range r.Expression.Pieces {
		doubtful += one(r.Expression.Pieces[i].Confidence < lowConfidence)
	}
	add(WarnConfidence, doubtful)
	add(WarnUnknown, one(r.Work.Status.State == model.Unknown))
	add(WarnProblems, len(r.Expression.Problems))
	return nil
}

// Piece returns a piece of the reading by its eId, or nil.
func (r *Reading) Piece(eid string) *model.Piece {
	for i := range r.Expression.Pieces {
		if r.Expression.Pieces[i].EID == eid {
			return &r.Expression.Pieces[i]
		}
	}
	return nil
}

// Links returns the citations that stand in a text.
func (g *Gazette) Links(ctx context.Context, text string) ([]*StoredLink, error) {
	if !validID(text) {
		return nil, problem.New(problem.NotFound, "law.no_text")
	}
	return g.store.links(ctx, g.store.db.Reader(), `WHERE text = $1 ORDER BY n`, text)
}

// Citing is a work that names another, with the strongest of its reasons.
type Citing struct {
	Work     *model.Work
	Relation model.Relation
	EID      string // the place of the citation
	Count    int
}

// CitedBy returns the works that name a work, the strongest relation first, then
// the newest. A page of limit works begins at offset.
func (g *Gazette) CitedBy(ctx context.Context, work string, relation model.Relation, limit, offset int) ([]Citing, int, error) {
	if !validID(work) {
		return nil, 0, problem.New(problem.NotFound, "law.work_not_found")
	}
	links, err := g.store.links(ctx, g.store.db.Reader(), `WHERE to_work = $1 AND work <> $1`, work)
	if err != nil {
		return nil, 0, err
	}
	by := map[string]*Citing{}
	var ids []string
	for _, l := range links {
		if relation != "" && l.Relation != relation {
			continue
		}
		c := by[l.From]
		if c == nil {
			c = &Citing{Relation: l.Relation, EID: l.EID}
			by[l.From] = c
			ids = append(ids, l.From)
		}
		c.Count++
		if strength(l.Relation) > strength(c.Relation) {
			c.Relation, c.EID = l.Relation, l.EID
		}
	}
	works, err := g.Works(ctx, ids)
	if err != nil {
		return nil, 0, err
	}
	var out []Citing
	for id, c := range by {
		if c.Work = works[id]; c.Work != nil {
			out = append(out, *c)
		}
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i], out[j]
		if strength(a.Relation) != strength(b.Relation) {
			return strength(a.Relation) > strength(b.Relation)
		}
		if a.Work.Signed != b.Work.Signed {
			return a.Work.Signed > b.Work.Signed
		}
		return a.Work.ID < b.Work.ID
	})
	n := len(out)
	return out[min(offset, n):min(offset+limit, n)], n, nil
}

// citingRelations counts the works that name a work by each relation.
func (g *Gazette) citingRelations(ctx context.Context, work string) (map[model.Relation]int, error) {
	rows, err := g.store.db.Reader().QueryContext(ctx, `SELECT relation, count(DISTINCT work) FROM gazette_link WHERE to_work = $1 AND work <> $1 GROUP BY relation`, work)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	out := map[model.Relation]int{}
	for rows.Next() {
		var r model.Relation
		var n int
		if err := rows.Scan(&r, &n); err != nil {
			return nil, err
		}
		out[r] = n
	}
	return out, rows.Err()
}

func strength(r model.Relation) int { return slices.Index(model.Relations, r) }

// Works returns works by their addresses; those that are not there are left out.
func (g *Gazette) Works(ctx context.Context, ids []string) (map[string]*model.Work, error) {
	out := make(map[string]*model.Work, len(ids))
	for chunk := range slices.Chunk(ids, 400) {
		args := make([]any, 0, len(chunk))
		where := "WHERE id IN ("
		for _, id := range chunk {
			if !validID(id) {
				continue
			}
			if len(args) > 0 {
				where += ","
			}
			args = append(args, id)
			where += "$" + itoa(len(args))
		}
		if len(args) == 0 {
			continue
		}
		works, err := g.store.works(ctx, g.store.db.Reader(), where+")", args...)
		if err != nil {
			return nil, err
		}
		for _, w := range works {
			out[w.ID] = w
		}
	}
	return out, nil
}

// Issue is a row of the issues.
type Issue struct {
	ID     string
	Source string
	Demo   bool
	model.Issue
}

// Addresses returns the addresses of all works.
func (g *Gazette) Addresses(ctx context.Context) (map[string]bool, error) {
	return set(ctx, g.store.db.Reader(), `SELECT id FROM gazette_work`)
}

// ByShort returns the work of a short link.
func (g *Gazette) ByShort(ctx context.Context, short string) (*model.Work, error) {
	if !validID(short) {
		return nil, problem.New(problem.NotFound, "law.work_not_found")
	}
	works, err := g.store.works(ctx, g.store.db.Reader(), `WHERE short = $1`, short)
	if err == nil && len(works) == 0 {
		if to, _ := g.store.movedTo(ctx, g.store.db.Reader(), "short", short); to != "" {
			works, err = g.store.works(ctx, g.store.db.Reader(), `WHERE id = $1`, to)
		}
	}
	if err == nil && len(works) == 0 {
		err = problem.New(problem.NotFound, "law.work_not_found")
	}
	if err != nil {
		return nil, err
	}
	return works[0], nil
}

// Short is the name of a work in its short link, "/l/" before it.
func Short(work string) string { return shortOf(work) }

// threeLetters is the code of a page's language in the addresses of the law.
func (g *Gazette) threeLetters(l gov.Lang) string {
	base, _ := language.Make(string(l)).Base()
	return base.ISO3()
}

// LawLangs are the languages of the law in the order in which readers of a
// page's language want them: their own first, then the country's order.
func (g *Gazette) LawLangs(l gov.Lang) []model.Lang {
	out := []model.Lang{model.Lang(g.threeLetters(l))}
	for _, other := range g.country.Order() {
		if code := model.Lang(g.threeLetters(other)); !slices.Contains(out, code) {
			out = append(out, code)
		}
	}
	return out
}
