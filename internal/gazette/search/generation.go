package search

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	index "github.com/blevesearch/bleve_index_api"
)

// generation is what searches see: a fixed reader of the segments with what is
// known of its documents. Any number of searches use it at once, each between
// enter and leave.
type generation struct {
	revision int64
	reader   index.IndexReader
	docs     []doc // by Bleve's document number
	eids     []string
	slots    []slot
	texts    int // slots before it are texts, the others works
	works    []Work
	byWork   map[string]uint32
	values   [facets][]string // values of facets, by their number in slots
	lists    *listCache
	shown    sync.Map // by day, what shownTexts found for it
	days     atomic.Int32
	live     int

	mu     sync.RWMutex
	closed bool
}

// doc is a document. A work's title has the slot of its work, and no eid.
type doc struct {
	slot        uint32
	eid         uint32
	from, until int32 // days as numbers; until 0 has no end
	letter      byte  // kind of piece; 0 a title, 255 nothing to find
}

const gone = 255

// The facets by number.
const (
	kindFacet = iota
	stateFacet
	decadeFacet
	langFacet
	subjectFacet
	authorityFacet
	facets
)

// slot is a text, or the titles of a work: what filters and facets look at.
type slot struct {
	work  uint32
	value [facets]uint16
	text  Text
}

func (g *generation) enter() bool {
	g.mu.RLock()
	if g.closed {
		g.mu.RUnlock()
		return false
	}
	return true
}

func (g *generation) leave() { g.mu.RUnlock() }

func (g *generation) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil
	}
	g.closed = true
	return g.reader.Close()
}

func newGeneration(ctx context.Context, x *Index, revision int64) (_ *generation, err error) {
	g := &generation{revision: revision, byWork: map[string]uint32{}, lists: newListCache(listCacheBytes)}
	if g.reader, err = x.engine.Reader(); err != nil {
		return nil, fmt.Errorf("reading the search index: %w", err)
	}
	defer func() {
		if err != nil {
			g.reader.Close()
		}
	}()
	numbers := [facets]map[string]uint16{}
	for f := range numbers {
		numbers[f] = map[string]uint16{}
	}
	number := func(f int, v string) uint16 {
		if v == "" {
			v = Unknown
		}
		n, ok := numbers[f][v]
		if !ok {
			if len(g.values[f]) == 1<<16-1 {
				return 0
			}
			n = uint16(len(g.values[f]))
			numbers[f][v] = n
			g.values[f] = append(g.values[f], v)
		}
		return n
	}
	var ofWork [][facets]uint16
	err = x.source.Works(ctx, func(w *Work) error {
		g.byWork[w.ID] = uint32(len(g.works))
		g.works = append(g.works, *w)
		var v [facets]uint16
		v[kindFacet], v[stateFacet] = number(kindFacet, w.Kind), number(stateFacet, w.State)
		v[decadeFacet] = number(decadeFacet, decade(w.Year))
		v[subjectFacet], v[authorityFacet] = number(subjectFacet, w.Subject), number(authorityFacet, w.Authority)
		ofWork = append(ofWork, v)
		return nil
	})
	if err != nil {
		return nil, err
	}
	byText := map[string]uint32{}
	err = x.source.Texts(ctx, func(t *Text) error {
		w, ok := g.byWork[t.Work]
		if !ok {
			return nil
		}
		v := ofWork[w]
		v[langFacet] = number(langFacet, t.Lang)
		byText[t.ID] = uint32(len(g.slots))
		g.slots = append(g.slots, slot{w, v, *t})
		return nil
	})
	if err != nil {
		return nil, err
	}
	g.texts = len(g.slots)
	for w := range g.works {
		v := ofWork[w]
		v[langFacet] = number(langFacet, mainLang(&g.works[w]))
		g.slots = append(g.slots, slot{work: uint32(w), value: v})
	}
	return g, g.readDocs(byText)
}

// mainLang is the language of a work's title.
func mainLang(w *Work) string {
	for _, l := range sortedKeys(w.Titles) {
		return l
	}
	return ""
}

func decade(year int) string {
	if year <= 0 {
		return ""
	}
	return fmt.Sprintf("%d", year/10*10)
}

// readDocs reads the name of every document.
func (g *generation) readDocs(byText map[string]uint32) error {
	n, err := g.reader.DocCount()
	if err != nil {
		return fmt.Errorf("reading the search index: %w", err)
	}
	ids, err := g.reader.DocIDReaderAll()
	if err != nil {
		return fmt.Errorf("reading the search index: %w", err)
	}
	defer ids.Close()
	eids := map[string]uint32{"": 0}
	g.eids = []string{""}
	g.docs = make([]doc, 0, n)
	for {
		id, err := ids.Next()
		if err != nil {
			return fmt.Errorf("reading the search index: %w", err)
		}
		if id == nil {
			return nil
		}
		name, err := g.reader.ExternalID(id)
		if err != nil {
			return fmt.Errorf("reading the search index: %w", err)
		}
		for len(g.docs) <= int(id.Value()) {
			g.docs = append(g.docs, doc{letter: gone})
		}
		d := &g.docs[id.Value()]
		if work, ok := strings.CutPrefix(name, workMark); ok {
			if w, ok := g.byWork[work]; ok {
				*d = doc{slot: uint32(g.texts) + w}
				g.live++
			}
			continue
		}
		r, letter, ok := parseRowID(name)
		if !ok {
			return fmt.Errorf("the search index has a document %q", name)
		}
		s, ok := byText[r.Text]
		if !ok {
			continue
		}
		e, ok := eids[r.EID]
		if !ok {
			e = uint32(len(g.eids))
			eid := strings.Clone(r.EID)
			eids[eid] = e
			g.eids = append(g.eids, eid)
		}
		*d = doc{s, e, dayNumber(r.From), dayNumber(r.Until), letter}
		g.live++
	}
}

// dayNumber turns "2020-03-19" into 20200319, so that days compare; a missing
// day is 0. Parts that are missing count as 0.
func dayNumber(s string) int32 {
	n, digits := int32(0), 0
	for i := 0; i < len(s) && digits < 8; i++ {
		if s[i] >= '0' && s[i] <= '9' {
			n = n*10 + int32(s[i]-'0')
			digits++
		}
	}
	if digits == 0 {
		return 0
	}
	for ; digits < 8; digits++ {
		n *= 10
	}
	return n
}

func dayText(n int32) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", n/10000, n/100%100, n%100)
}

// documentsOf returns the names of the documents of a text.
func (g *generation) documentsOf(text string) []string {
	var out []string
	for n := range g.docs {
		d := &g.docs[n]
		if d.letter == 0 || d.letter == gone || g.slots[d.slot].text.ID != text {
			continue
		}
		r := g.ref(d)
		out = append(out, rowID(&Row{Ref: r, Until: dayText(d.until), Kind: kindOfLetter[d.letter]}))
	}
	return out
}

func (g *generation) ref(d *doc) Ref {
	return Ref{g.slots[d.slot].text.ID, g.eids[d.eid], dayText(d.from)}
}

// shownTexts tells for every slot whether it is the edition that a reader is
// shown on a day; day 0 is any. Of the editions of a work in one language a
// consolidated one comes first, then the latest that had begun.
func (g *generation) shownTexts(day int32) []bool {
	if v, ok := g.shown.Load(day); ok {
		return slices.Clone(v.([]bool))
	}
	out := g.findShown(day)
	if g.days.Add(1) <= maxDays {
		g.shown.Store(day, slices.Clone(out))
	}
	return out
}

// maxDays bounds the days that are remembered.
const maxDays = 64

func (g *generation) findShown(day int32) []bool {
	out := make([]bool, len(g.slots))
	best := map[uint64]int{}
	for i := range g.slots {
		s := &g.slots[i]
		if i >= g.texts {
			out[i] = day == 0 || dayNumber(g.works[s.work].Signed) <= day
			continue
		}
		if day != 0 && dayNumber(s.text.Version) > day {
			continue
		}
		k := uint64(s.work)<<16 | uint64(s.value[langFacet])
		if b, ok := best[k]; !ok || better(&s.text, &g.slots[b].text) {
			best[k] = i
		}
	}
	for _, i := range best {
		out[i] = true
	}
	return out
}

func better(t, than *Text) bool {
	if t.Consolidated != than.Consolidated {
		return t.Consolidated
	}
	return cmp.Or(-cmp.Compare(t.Version, than.Version), cmp.Compare(t.ID, than.ID)) < 0
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
