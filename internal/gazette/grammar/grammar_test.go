package grammar

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"diwan/country"
	"diwan/internal/gazette/model"
)

func load(t testing.TB) *Grammar {
	t.Helper()
	var c Config
	if err := country.Decode(country.Builtin(), "gazette.json", &c); err != nil {
		t.Fatal(err)
	}
	g, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// rows reads a table of cases. Empty last columns may be left out.
func rows(t testing.TB, name string, columns int) (out [][]string) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimRight(string(b), "\n"), "\n") {
		f := strings.Split(line, "\t")
		for len(f) < columns {
			f = append(f, "")
		}
		out = append(out, f)
	}
	return out
}

func (g *Grammar) read(text string) (*Lang, []Token) {
	s := g.Scanner()
	defer s.Release()
	return g.Lang(g.Detect(text)), s.Tokens(nil, text, 0, 1000)
}

func TestDates(t *testing.T) {
	g := load(t)
	for _, r := range rows(t, "dates.tsv", 4) {
		l, toks := g.read(r[0])
		d, _ := l.MatchDate(r[0], toks)
		civil, lunar := string(d.Civil), ""
		if civil == "" {
			civil = "-"
		}
		if d.Lunar.Year > 0 && r[2] != "" {
			lunar = fmt.Sprintf("%d-%d-%d", d.Lunar.Year, d.Lunar.Month, d.Lunar.Day)
		} else if r[2] == "-" {
			lunar = "-"
		}
		if civil != r[1] || lunar != r[2] || d.Doubt != (r[3] == "doubt") {
			t.Errorf("%s: got %s %s %v, want %v", r[0], civil, lunar, d.Doubt, r[1:])
		}
	}
}

func TestLabels(t *testing.T) {
	g := load(t)
	for _, r := range rows(t, "labels.tsv", 2) {
		l, toks := g.read(r[0])
		h, n := l.MatchArticle(r[0], toks)
		got := "-"
		if n > 0 {
			got = g.Format(h.Label)
		}
		if got != r[1] {
			t.Errorf("%s: got %s, want %s", r[0], got, r[1])
		}
	}
}

func TestNumbers(t *testing.T) {
	g := load(t)
	for _, r := range rows(t, "numbers.tsv", 3) {
		n, ok := g.Number(r[0], r[1], false)
		if !ok {
			n = "-"
		}
		if string(n) != r[2] {
			t.Errorf("%s %s: got %s, want %s", r[0], r[1], n, r[2])
		}
	}
}

func TestIssues(t *testing.T) {
	g := load(t)
	for _, r := range rows(t, "issues.tsv", 5) {
		l, toks := g.read(r[0])
		ref, _, _ := l.FindIssue(r[0], toks)
		bis := ""
		if ref.Bis {
			bis = "bis"
		}
		if got := []string{fmt.Sprint(ref.Number), bis, string(ref.Date), fmt.Sprint(ref.Page)}; strings.Join(got, " ") != strings.Join(r[1:], " ") {
			t.Errorf("%s: got %v, want %v", r[0], got, r[1:])
		}
	}
}

func TestTitles(t *testing.T) {
	g := load(t)
	for _, r := range rows(t, "titles.tsv", 4) {
		l, toks := g.read(r[0])
		title, n := l.MatchTitle(r[0], toks)
		if n == 0 {
			title.Kind = "-"
		}
		if title.Kind != r[1] || string(title.Number) != r[2] || string(title.Dates.Civil) != r[3] {
			t.Errorf("%s: got %s %s %s, want %v", r[0], title.Kind, title.Number, title.Dates.Civil, r[1:])
		}
	}
}

func TestLabelOrder(t *testing.T) {
	a := Label{N: 5}
	bis := Label{N: 5, Tails: [maxTails]Tail{{true, 1}}}
	ter := Label{N: 5, Tails: [maxTails]Tail{{true, 2}}}
	one := Label{N: 5, Tails: [maxTails]Tail{{false, 1}}}
	two := Label{N: 5, Tails: [maxTails]Tail{{false, 2}}}
	six := Label{N: 6}
	order := []Label{a, bis, ter, one, two, six}
	for i := range order {
		for k := range order {
			if got := order[i].Compare(order[k]); got < 0 != (i < k) || got > 0 != (i > k) {
				t.Errorf("compare %v with %v: %d", order[i], order[k], got)
			}
		}
	}
	for _, p := range [][2]Label{{a, bis}, {bis, ter}, {a, one}, {one, two}, {a, six}, {ter, six}, {two, six}} {
		if !p[1].Follows(p[0]) {
			t.Errorf("%v does not follow %v", p[1], p[0])
		}
	}
	if six.Follows(six) || a.Follows(six) || (Label{Unique: true}).Follows(a) {
		t.Error("something follows what it can't")
	}
	if r, ok := (Label{N: 1, Tails: [maxTails]Tail{{false, 54}}}).Reversed(); !ok || r.N != 54 || r.Tails[0].N != 1 {
		t.Error(r, ok)
	}
}

func TestBadConfigs(t *testing.T) {
	for name, c := range map[string]Config{
		"no language": {},
		"digits":      {Digits: []string{"012"}},
		"quotes":      {Quotes: []string{"«"}},
		"kinds":       {Kinds: []Kind{{ID: "a", Path: "a"}, {ID: "a", Path: "b"}}},
		"script":      {Languages: map[model.Lang]*Language{"xxx": {Script: "None"}}},
		"months":      {Languages: map[model.Lang]*Language{"xxx": {Script: "Latin"}}},
	} {
		if _, err := New(c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// What is read must lie in the text, whatever it is.
func FuzzMatch(f *testing.F) {
	for _, name := range []string{"dates.tsv", "labels.tsv", "issues.tsv", "titles.tsv"} {
		for _, r := range rows(f, name, 1) {
			f.Add(r[0])
		}
	}
	g := load(f)
	f.Fuzz(func(t *testing.T, s string) {
		l, toks := g.read(s)
		at := 0
		for _, k := range toks {
			if k.Start < at || k.End <= k.Start || k.End > len(s) {
				t.Fatalf("token %v after %d in %d bytes", k, at, len(s))
			}
			at = k.End
		}
		for i := range toks {
			_, a := l.MatchDate(s, toks[i:])
			h, b := l.MatchArticle(s, toks[i:])
			_, c := l.MatchIssue(s, toks[i:])
			_, d := l.MatchTitle(s, toks[i:])
			_, e := l.MatchUnit(s, toks[i:])
			n, x := l.MatchNumber(s, "dahir", toks[i:])
			for _, v := range []int{a, b, c, d, e, x} {
				if v < 0 || v > len(toks)-i {
					t.Fatalf("%d tokens of %d", v, len(toks)-i)
				}
			}
			if b > 0 && g.Format(h.Label) == "" && !h.Label.Zero() {
				t.Errorf("label %v has no form", h.Label)
			}
			if x > 0 && n == "" {
				t.Error("a number without a form")
			}
		}
	})
}

func FuzzNumber(f *testing.F) {
	for _, r := range rows(f, "numbers.tsv", 2) {
		f.Add(r[1])
	}
	g := load(f)
	f.Fuzz(func(t *testing.T, s string) {
		n, ok := g.Number("loi", s, true)
		if !ok {
			return
		}
		if again, ok := g.Number("loi", string(n), true); !ok || again != n {
			t.Errorf("%q gives %q, which gives %q", s, n, again)
		}
	})
}
