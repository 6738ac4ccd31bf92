package gazette

import (
	"context"
	"strings"

	"diwan/internal/gazette/model"
)

// registry knows every work and text of the gazette while an import runs, so
// that each text that is read finds its work without a question to the
// database.
type registry struct {
	revision int64 // at which it was read
	works    map[string]*entry
	// numbers finds the works of a kind and number whatever their year.
	numbers map[string][]string
	moved   map[string]string // addresses that works had before
	journal []func()          // undoes what was learned since keep
}

type entry struct {
	work  *model.Work
	texts []entryText
}

type entryText struct {
	id, digest string
	lang       model.Lang
	form       model.Form
	words      map[uint32]bool // nil: not loaded yet
}

func loadRegistry(ctx context.Context, g *Gazette, q querier) (*registry, error) {
	r := &registry{works: map[string]*entry{}, numbers: map[string][]string{}}
	var err error
	if r.revision, err = g.store.revision(ctx, q); err != nil {
		return nil, err
	}
	if r.moved, err = g.store.loadMoved(ctx, q); err != nil {
		return nil, err
	}
	works, err := g.store.works(ctx, q, "")
	if err != nil {
		return nil, err
	}
	for _, w := range works {
		r.addWork(w)
	}
	rows, err := q.QueryContext(ctx, `SELECT id, work, lang, form, digest FROM gazette_text`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t entryText
		var work string
		if err := rows.Scan(&t.id, &work, &t.lang, &t.form, &t.digest); err != nil {
			return nil, err
		}
		if e := r.works[work]; e != nil {
			e.texts = append(e.texts, t)
		}
	}
	r.keep()
	return r, rows.Err()
}

func numberKey(kind string, n model.Number) string { return kind + " " + n.Key() }

func (r *registry) addWork(w *model.Work) *entry {
	e := &entry{work: w}
	r.works[w.ID] = e
	key := numberKey(w.Kind, w.Number)
	if w.Number != "" {
		r.numbers[key] = append(r.numbers[key], w.ID)
	}
	r.journal = append(r.journal, func() {
		delete(r.works, w.ID)
		if ids := r.numbers[key]; w.Number != "" && len(ids) > 0 {
			r.numbers[key] = ids[:len(ids)-1]
		}
	})
	return e
}

func (r *registry) addText(e *entry, t entryText) {
	e.texts = append(e.texts, t)
	r.journal = append(r.journal, func() { e.texts = e.texts[:len(e.texts)-1] })
}

// dropSource forgets the texts of a source that is read again.
func (r *registry) dropSource(source string) {
	for _, e := range r.works {
		before := e.texts
		var kept []entryText
		for _, t := range e.texts {
			if !strings.HasPrefix(t.id, source+"-") {
				kept = append(kept, t)
			}
		}
		if len(kept) != len(before) {
			e.texts = kept
			r.journal = append(r.journal, func() { e.texts = before })
		}
	}
}

// keep makes what was learned so far last.
func (r *registry) keep() { r.journal = r.journal[:0] }

// rollback forgets what was learned since keep, the newest first.
func (r *registry) rollback() {
	for i := len(r.journal) - 1; i >= 0; i-- {
		r.journal[i]()
	}
	r.keep()
}

// place says where a text that was found belongs.
type place int

const (
	newWork   place = iota
	sameWork        // a text of a work that is there: another language, edition or copy
	sameText        // word for word a text that is there
	otherWork       // its number is taken by a different text
)

// alikeEnough is the share of words two texts of one work have in common at
// least. Amended and consolidated editions of one law share far more; two laws
// share the words of the trade alone.
const alikeEnough = 0.45

// find places a text. words loads the sample of a text that is not in memory.
func (r *registry) find(id string, f *found, words func(textID string) (map[uint32]bool, error)) (place, *entry, error) {
	e := r.works[id]
	if e == nil && id == f.work.ID && f.work.Number != "" && f.work.Signed == "" {
		// Its own date is not known: the number alone finds it, if only one has it.
		if ids := r.numbers[numberKey(f.work.Kind, f.work.Number)]; len(ids) == 1 {
			e = r.works[ids[0]]
		}
	}
	if e == nil {
		return newWork, nil, nil
	}
	for i := range e.texts {
		if e.texts[i].digest == f.text.Digest {
			return sameText, e, nil
		}
	}
	other := false
	for i := range e.texts {
		t := &e.texts[i]
		if t.lang != f.text.Lang {
			continue
		}
		if t.words == nil {
			var err error
			if t.words, err = words(t.id); err != nil {
				return 0, nil, err
			}
		}
		if alike(t.words, f.words) >= alikeEnough {
			return sameWork, e, nil
		}
		other = true
	}
	if other {
		return otherWork, e, nil
	}
	return sameWork, e, nil
}
