package structure

import (
	"strconv"
	"strings"
	"sync"
	"testing"

	"diwan/country"
	"diwan/internal/beside"
	"diwan/internal/gazette/grammar"
	"diwan/internal/gazette/model"
)

var builtin = sync.OnceValues(func() (*grammar.Grammar, error) {
	var c grammar.Config
	if err := country.Decode(country.Builtin(), "gazette.json", &c); err != nil {
		return nil, err
	}
	return grammar.New(c)
})

func testGrammar(t testing.TB) *grammar.Grammar {
	t.Helper()
	g, err := builtin()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// corpus returns the folder of the collection of real texts, skipping the test
// where it is absent.
func corpus(t testing.TB) string {
	t.Helper()
	found, err := beside.Find("data/law-ma/texts")
	if err != nil {
		t.Skip("the collection of real texts is absent: ", err)
	}
	return found
}

// expand writes out "1-3,3bis,5".
func expand(t testing.TB, s string) (out []string) {
	t.Helper()
	for _, p := range strings.Split(s, ",") {
		a, b, ok := strings.Cut(p, "-")
		from, err1 := strconv.Atoi(a)
		to, err2 := strconv.Atoi(b)
		if !ok || err1 != nil || err2 != nil {
			out = append(out, p)
			continue
		}
		for ; from <= to; from++ {
			out = append(out, strconv.Itoa(from))
		}
	}
	return out
}

func labelsOf(doc model.Document) (out []string) {
	for _, l := range Articles(doc) {
		out = append(out, l.Unit.Label)
	}
	return out
}
