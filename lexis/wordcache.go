package lexis

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

// wordCache remembers what was decided for a word. A text of law says the same
// few thousand words again and again, and deciding one costs a hundred times a
// look-up. The cache holds a fixed number of places; a newer word takes the
// place of an older one, so memory stays bounded whatever is read, and any
// number of goroutines may share it.
type wordCache struct {
	seed  maphash.Seed
	slots [1 << 15]atomic.Pointer[wordEntry]
}

type wordEntry struct {
	word, result string
	mode         uint8
}

func newWordCache() *wordCache { return &wordCache{seed: maphash.MakeSeed()} }

// get returns the result for a word looked at in one mode, or asks decide for
// it. decide must give the same answer each time.
func (c *wordCache) get(word string, mode uint8, decide func() string) string {
	slot := &c.slots[(maphash.String(c.seed, word)+uint64(mode)*0x9e3779b97f4a7c15)>>1&(1<<15-1)]
	if e := slot.Load(); e != nil && e.mode == mode && e.word == word {
		return e.result
	}
	result := decide()
	// The words are copied: a piece of a text kept here would keep the whole text.
	e := &wordEntry{word: strings.Clone(word), mode: mode}
	if e.result = e.word; result != word {
		e.result = strings.Clone(result)
	}
	slot.Store(e)
	return result
}
