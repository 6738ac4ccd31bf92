package lexis

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed data/stop.txt
var stopData string

// stopWords holds the sets of data/stop.txt by section, in folded form.
var stopWords = sync.OnceValue(func() map[string]map[string]bool {
	out := make(map[string]map[string]bool, 5)
	var set map[string]bool
	for line := range strings.Lines(stopData) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '[':
			set = make(map[string]bool, 256)
			out[strings.Trim(line, "[]")] = set
		case set != nil:
			for _, w := range strings.Fields(line) {
				set[foldAny(w)] = true
			}
		}
	}
	return out
})

// foldAny brings a word of any script to the form the tables are kept in.
func foldAny(w string) string {
	return FoldFrench(NormalizeTifinagh(NormalizeArabic(w)))
}

// IsStop reports whether a word is too frequent to search for in the
// language: "ar", "fr", "en" or "zgh". The spelling need not be folded.
func IsStop(word, lang string) bool { return stopWords()[lang][foldAny(word)] }
