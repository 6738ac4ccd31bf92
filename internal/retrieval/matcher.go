package retrieval

import "sync"

// channel is one way of matching: a set of units of the query that are scored
// together.
type channel struct {
	length family // documents are as long as they have keys of this family
	model  model
	units  []unit
}

// unit is one thing looked for: a stem, a run of letters, a word to translate.
type unit struct {
	weight float64 // how often the query has it
	rarity float64 // idf, or for a language model the probability in the collection
}

// hit says that a word counts for a unit, and how much.
type hit struct {
	unit   uint16
	weight float32
}

// Bounds of a query, and so of the work for one document.
const (
	maxQueryWords = 256
	maxUnits      = 4096
)

// matcher tells which units of a query each word counts for. It is used by one
// goroutine, and freed.
type matcher struct {
	channels []channel
	units    int
	lists    [][]hit
	table    *keyTable
	used     []key
	sound    func(w *word, hits []hit) []hit // matches that no key can find
}

// keyTable finds the hits of a key: the number of a list, plus one.
type keyTable [keySpace]uint16

var tables = sync.Pool{New: func() any { return new(keyTable) }}

func newMatcher() *matcher { return &matcher{table: tables.Get().(*keyTable)} }

func (m *matcher) free() {
	for _, k := range m.used {
		m.table[k] = 0
	}
	tables.Put(m.table)
	m.table = nil
}

// full reports that a channel of so many units more would be too many.
func (m *matcher) full(more int) bool { return m.units+more > maxUnits }

// open adds a channel and returns the number of its first unit.
func (m *matcher) open(c channel) int {
	first := m.units
	m.units += len(c.units)
	m.channels = append(m.channels, c)
	return first
}

// add makes every word with the key count for a unit.
func (m *matcher) add(k key, h hit) {
	n := m.table[k]
	if n == 0 {
		if len(m.lists) >= 1<<16-1 {
			return
		}
		m.lists = append(m.lists, nil)
		n = uint16(len(m.lists))
		m.table[k] = n
		m.used = append(m.used, k)
	}
	m.lists[n-1] = append(m.lists[n-1], h)
}

// hits appends what one word counts for.
func (m *matcher) hits(w *word, out []hit) []hit {
	for _, k := range w.keys {
		if n := m.table[k]; n != 0 {
			out = append(out, m.lists[n-1]...)
		}
	}
	if m.sound != nil {
		out = m.sound(w, out)
	}
	return out
}

// addKeys makes a channel of the words' own keys of one family.
func (m *matcher) addKeys(words []*word, f family, s *Stats) {
	c := channel{length: f}
	var keys []key
	at := map[key]int{}
	for _, w := range words {
		for _, k := range w.of(f) {
			if i, ok := at[k]; ok {
				c.units[i].weight++
			} else if !m.full(len(c.units) + 1) {
				at[k] = len(c.units)
				keys = append(keys, k)
				c.units = append(c.units, unit{weight: 1, rarity: s.idf(s.documents(k))})
			}
		}
	}
	first := m.open(c)
	for i, k := range keys {
		m.add(k, hit{uint16(first + i), 1})
	}
}
