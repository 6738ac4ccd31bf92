package gazette

import (
	"context"
	"slices"
	"strings"
	"sync"

	"diwan/lexis"
)

// followWords knows the words of the works that changed lately, for saved
// searches: feeds are asked for by anybody, as often as they like, and must not
// read the law anew each time.
type followWords struct {
	mu    sync.Mutex // held while texts are read: the others wait for the same answer
	rev   int64
	works map[string][]uint32 // the stems of each, sorted, as hashes

	stemMu sync.Mutex
	stems  map[string]uint32 // of words; 0 has none
}

// Bounds of what is kept in memory: works, about 40 kB each at most, and words.
const (
	maxKeptWorks = 1000
	maxKeptStems = 200_000
)

// of returns the stems of a text, sorted, without quotation marks and operators.
func (f *followWords) of(s string) []uint32 {
	f.stemMu.Lock()
	defer f.stemMu.Unlock()
	if f.stems == nil || len(f.stems) > maxKeptStems {
		f.stems = map[string]uint32{}
	}
	var out []uint32
	for _, t := range lexis.Tokenize(strings.ToValidUTF8(s, " ")) {
		h, known := f.stems[t.Text]
		if !known {
			for _, term := range lexis.Analyze(t.Text, "") {
				if term.Kind == lexis.Stem {
					h = max(1, hashWord(term.Text))
					break
				}
			}
			f.stems[strings.Clone(t.Text)] = h
		}
		if h != 0 {
			out = append(out, h)
		}
	}
	slices.Sort(out)
	return slices.Clip(slices.Compact(out))
}

// maxMatched bounds how much of a text a saved search looks through.
const maxMatched = 2 << 20

// wordsOf returns the stems of all texts of a work as they read now.
func (m *matcher) wordsOf(ctx context.Context, work string) ([]uint32, error) {
	f := &m.g.words
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rev != m.rev || len(f.works) > maxKeptWorks {
		f.rev, f.works = m.rev, map[string][]uint32{}
	}
	if have, ok := f.works[work]; ok {
		return have, nil
	}
	w := m.works[work]
	if w == nil {
		return nil, nil
	}
	var all []uint32
	for _, title := range w.Titles {
		all = append(all, f.of(title)...)
	}
	rows, err := m.g.store.rows(ctx, m.g.store.db.Reader(), `WHERE text IN (SELECT id FROM gazette_text WHERE work = $1) AND valid_until = '' ORDER BY text, position`, work)
	if err != nil {
		return nil, err
	}
	size := 0
	for _, r := range rows {
		if size += len(r.Text); size > maxMatched {
			break
		}
		all = append(append(all, f.of(r.Heading)...), f.of(r.Text)...)
	}
	slices.Sort(all)
	f.works[work] = slices.Clip(slices.Compact(all))
	return f.works[work], nil
}
