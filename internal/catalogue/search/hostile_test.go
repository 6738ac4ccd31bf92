package search

import (
	"context"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// hostileQueries are what nobody types by mistake.
func hostileQueries(t testing.TB) map[string]string {
	out := map[string]string{
		"ten megabytes":      strings.Repeat("permis ", 10<<20/7),
		"one long word":      strings.Repeat("a", 10<<20),
		"ten thousand words": strings.Repeat("carte naissance construire ", 3400),
		"controls":           strings.Repeat("\x00\x01\x1b\x1f", 500),
		"controls in words":  "per\x00mis de\x1f con\x7fstruire",
		"overrides":          "\u202e\u202dpermis\u202c \u2066de\u2069 construire\u200f",
		"wildcards":          "per* ?is ~2 +name:permis -b:x ^4 [a TO z] /.*/ \\",
		"invalid":            "\xff\xfe\xc3\x28permis",
		"combining":          "e" + strings.Repeat("\u0301", 5000),
		"separator":          "permis\x1fde\x1fconstruire",
	}
	for _, row := range rows(t, "hostile.tsv") {
		out[row[0]] = row[1]
	}
	return out
}

func TestHostileQueries(t *testing.T) {
	x := testIndex(t, "")
	for name, text := range hostileQueries(t) {
		check(t, x, name, text)
	}
	for _, name := range []string{"overrides", "controls in words"} {
		if r := find(t, x, Query{Text: hostileQueries(t)[name], Limit: 3}); len(r.Hits) == 0 || r.Hits[0].ID != "building-permit" {
			t.Errorf("%s hide the words: %v", name, r.Hits)
		}
	}
	for _, name := range []string{"marks only", "controls", "one long word"} {
		if r := find(t, x, Query{Text: hostileQueries(t)[name], Limit: 3}); name != "controls" && r.Total != 0 {
			t.Errorf("%s find %v", name, r.Hits)
		}
	}
}

// check asserts what holds for every query whatsoever.
func check(t *testing.T, x *Index, name, text string) {
	t.Helper()
	r, err := x.Search(context.Background(), Query{Text: text, Lang: "fr", Limit: 5, Filters: map[string][]string{text[:min(len(text), 9)]: nil}})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(r.Hits) > 5 || r.Total < len(r.Hits) || r.Total > 9 || len(r.Also) > maxAlso {
		t.Errorf("%s: %d hits of %d, %d words", name, len(r.Hits), r.Total, len(r.Also))
	}
	if len(r.Corrected) > 4*maxQueryBytes || !utf8.ValidString(r.Corrected) || strings.ContainsFunc(r.Corrected, unicode.IsControl) {
		t.Errorf("%s: corrected to %q", name, r.Corrected)
	}
	hits, err := x.Suggest(context.Background(), text, "ar", 7)
	if err != nil || len(hits) > 7 {
		t.Errorf("%s: suggests %d, %v", name, len(hits), err)
	}
	if p := x.current.Load().plan(clean(text), "fr"); p.terms > maxTerms || len(p.grams) > maxGrams {
		t.Errorf("%s: reads %d and %d posting lists", name, p.terms, len(p.grams))
	}
}

func FuzzSearch(f *testing.F) {
	for _, text := range hostileQueries(f) {
		f.Add(text[:min(len(text), 4000)])
	}
	for _, name := range []string{"finds.tsv", "corrected.tsv", "prefixes.tsv"} {
		for _, row := range rows(f, name) {
			f.Add(row[0])
		}
	}
	x := testIndex(f, "")
	f.Fuzz(func(t *testing.T, text string) { check(t, x, "fuzz", text) })
}
