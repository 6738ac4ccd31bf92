package retrieval

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"unicode"
)

func TestLearnFindsTranslations(t *testing.T) {
	pairs := []Pair{
		{[]string{"la", "maison"}, []string{"the", "house"}},
		{[]string{"la", "fleur"}, []string{"the", "flower"}},
		{[]string{"une", "maison"}, []string{"a", "house"}},
		{nil, []string{"nothing"}},
	}
	got := map[string]string{}
	best := map[string]float64{}
	for _, x := range Learn(pairs, 20, .01) {
		if x.P > best[x.From] {
			best[x.From], got[x.From] = x.P, x.To
		}
	}
	for from, to := range map[string]string{"la": "the", "maison": "house", "fleur": "flower", "une": "a"} {
		if got[from] != to {
			t.Errorf("%s became %s", from, got[from])
		}
	}
}

func TestPackedTableIsTheSame(t *testing.T) {
	in := []Translation{{"b", "a", .5}, {"b", "c", .02}, {"a", "a", 1}}
	data, err := PackTranslations(in)
	if err != nil {
		t.Fatal(err)
	}
	out, err := unpackTranslations(data)
	if err != nil || len(out) != len(in) {
		t.Fatal(out, err)
	}
	for _, x := range in {
		if !slices.ContainsFunc(out, func(y Translation) bool {
			return x.From == y.From && x.To == y.To && math.Abs(x.P-y.P) < .03*x.P
		}) {
			t.Errorf("%v is lost in %v", x, out)
		}
	}
	for n := range data {
		if _, err := unpackTranslations(data[:n]); err == nil {
			t.Fatalf("a table cut at %d was taken", n)
		}
	}
}

// Every line of the dictionary is French on the left and Arabic on the right.
func TestDictionaryLines(t *testing.T) {
	pairs, err := basicPairs()
	if err != nil {
		t.Fatal(err)
	}
	names, err := inflate(packedNames)
	if err != nil {
		t.Fatal(err)
	}
	own := pairs[bytes.Count(names, []byte("\n")):]
	french := map[string]bool{}
	for _, p := range own {
		french[p.French] = true
		if strings.ContainsFunc(p.French, func(r rune) bool { return unicode.Is(unicode.Arabic, r) }) ||
			strings.ContainsFunc(p.Arabic, func(r rune) bool { return !unicode.Is(unicode.Arabic, r) && r != ' ' }) ||
			strings.TrimSpace(p.French) != p.French || strings.TrimSpace(p.Arabic) != p.Arabic || p.French == "" || p.Arabic == "" {
			t.Errorf("%q %q", p.French, p.Arabic)
		}
	}
	if len(french) < 4000 {
		t.Errorf("%d French words and phrases", len(french))
	}
}

func TestTablesLoad(t *testing.T) {
	loadWeights()
	if n := len(frenchCalls()); n < 1000 {
		t.Errorf("%d words of questions", n)
	}
	l := loadCues()
	for _, c := range []*cues{&l.question, &l.text} {
		said := map[int]bool{}
		for _, list := range c.exact {
			for _, p := range list {
				said[p.cue] = true
			}
		}
		for _, p := range slices.Concat(c.prefix, c.suffix) {
			said[p.cue] = true
		}
		for i, name := range c.names {
			if !said[i] {
				t.Errorf("nothing says the cue %s", name)
			}
		}
	}
	for _, bad := range []string{"arabic stem", "arabic nothing 1", "arabic stem x"} {
		if _, err := parseWeights(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestReadLinesNamesTheLine(t *testing.T) {
	for _, x := range []struct{ in, want string }{
		{"{\"id\":\"a\"}\n{\"id\":\"a\"}", `line 2: the id "a" was there before`},
		{"\n\n{", "line 3 is not"},
		{"{}", "line 1: it has no id"},
		{"[1]", "line 1 is not"},
		{"{\"id\":\"a\"}\n" + strings.Repeat("x", MaxLine+1), "line 2 is longer"},
	} {
		if _, err := ReadDocs(strings.NewReader(x.in)); err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%.20q: %v", x.in, err)
		}
	}
	q, err := ReadQuestions(strings.NewReader(`{"id":"1","query":"x"}` + "\n" + `{"id":"2","text":"y"}`))
	if err != nil || len(q) != 2 || q[0].Text != "x" || q[1].Text != "y" {
		t.Error(q, err)
	}
	if _, err := ReadQuestions(strings.NewReader(`{"id":"1"}`)); err == nil {
		t.Error("a query without text was taken")
	}
	if _, err := ReadPairs(strings.NewReader(`{"fr":"x"}`)); err == nil {
		t.Error("half a pair was taken")
	}
}

func FuzzReadLines(f *testing.F) {
	f.Add([]byte(`{"id":"a","text":"b","positives":["c"]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, err := ReadDocs(bytes.NewReader(data))
		if err == nil {
			for _, d := range docs {
				if d.ID == "" {
					t.Fatal("a document without id")
				}
			}
		}
		ReadQuestions(bytes.NewReader(data))
		ReadPairs(bytes.NewReader(data))
		new(Stats).UnmarshalBinary(data)
	})
}
