package lexis

import (
	"slices"
	"strings"
	"testing"
)

func TestSplitGlued(t *testing.T) {
	known := map[string]float64{"la": 3, "source": 9, "des": 3, "carte": 7, "s": 5, "de": 2.5, "a": 3, "xyz": 40, "bcd": 40}
	cost := func(w string) (float64, bool) { c, ok := known[w]; return c, ok }
	for word, want := range map[string]string{
		"lasourcedes":            "la source des",
		"cartede":                "carte de",
		"lade":                   "", // too short
		"lasourceinconnue":       "",
		"xyzbcd":                 "", // rarer than an unknown word
		"ladeladelade":           "", // more than four words
		"l4source":               "",
		strings.Repeat("la", 50): "",
		"":                       "",
	} {
		if got := SplitGlued(word, cost); !slices.Equal(got, strings.Fields(want)) && !(got == nil && want == "") {
			t.Errorf("%s: %v", word, got)
		}
	}
}

func FuzzSplitGlued(f *testing.F) {
	f.Add("lasourcedes")
	f.Fuzz(func(t *testing.T, word string) {
		parts := SplitGlued(word, func(w string) (float64, bool) { return float64(len(w)), len(w)%2 == 0 })
		if parts != nil && strings.Join(parts, "") != word {
			t.Fatalf("%q became %q", word, parts)
		}
	})
}
