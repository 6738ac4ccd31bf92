package retrieval

import (
	_ "embed"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"diwan/lexis"
)

// word is all that ranking needs to know of one written form. It is made once
// and shared; nobody changes it, but for forms, which are worked out when asked.
type word struct {
	text   string // folded
	stem   string
	script lexis.Script
	stop   bool // says nothing of what a text is about; it has no keys
	name   bool // begins with a capital letter
	keys   []key
	ends   [families]uint8 // where the keys of each family end
	parts  []*word         // of a French word that was glued together
	forms  atomic.Pointer[[]spokenForm]
}

// of returns the keys of one family.
func (w *word) of(f family) []key {
	if f == 0 {
		return w.keys[:w.ends[0]]
	}
	return w.keys[w.ends[f-1]:w.ends[f]]
}

// maxWords bounds the memory of the words seen: when it is full it starts
// again, so that hostile text costs time and not memory.
const maxWords = 1 << 19

// words is the memory of the words seen, by the form as written.
type words struct {
	mu  sync.RWMutex
	all map[string]*word
}

var seen = words{all: make(map[string]*word, 1<<12)}

// wordOf returns what is known of a token as it was written.
func wordOf(text string, script lexis.Script) *word {
	seen.mu.RLock()
	w := seen.all[text]
	seen.mu.RUnlock()
	if w != nil {
		return w
	}
	text = strings.Clone(text) // a word outlives its document
	w = makeWord(text, script)
	if w.script == lexis.Latin && !w.stop {
		for _, p := range splitGlued(w.text) {
			w.parts = append(w.parts, makeWord(p, lexis.Latin))
		}
	}
	seen.mu.Lock()
	defer seen.mu.Unlock()
	if old := seen.all[text]; old != nil {
		return old
	}
	if len(seen.all) >= maxWords {
		clear(seen.all)
	}
	seen.all[text] = w
	return w
}

//go:embed data/stop-ar.txt
var stopText string

// moreStops are Arabic words too empty to look for, beyond those of lexis.
var moreStops = sync.OnceValue(func() map[string]bool {
	out := map[string]bool{}
	for line := range strings.Lines(stopText) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out[lexis.NormalizeArabic(line)] = true
		}
	}
	return out
})

// makeWord analyses one form by its script.
func makeWord(text string, script lexis.Script) *word {
	w := &word{script: script}
	switch script {
	case lexis.Arabic:
		w.text = lexis.NormalizeArabic(text)
		w.stop = lexis.IsStop(w.text, "ar") || moreStops()[w.text]
		w.stem = lexis.StemArabic(w.text)
	case lexis.Latin:
		r, _ := utf8.DecodeRuneInString(text)
		w.name = r >= 'A' && r <= 'Z' || r >= 0xc0 && r <= 0xde
		w.text = lexis.CutElision(lexis.FoldFrench(text))
		w.stop = lexis.IsStop(w.text, "fr")
		w.stem = lexis.StemFrench(w.text)
	case lexis.Tifinagh:
		w.text = lexis.NormalizeTifinagh(text)
		w.stop = lexis.IsStop(w.text, "zgh")
		w.stem = w.text
	default:
		w.text = numberText(text)
		w.stem = w.text
	}
	if w.text == "" || w.stem == "" {
		w.stop = true
	}
	w.makeKeys()
	return w
}

// numberText writes a number one way: Latin digits, and one mark between its
// parts, as two languages print different ones.
func numberText(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '.', '/', '\u2013', '\u066b':
			return '-'
		}
		return r
	}, lexis.NormalizeArabic(s))
}
