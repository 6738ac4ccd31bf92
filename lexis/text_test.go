package lexis

import (
	"os"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// rows reads a file of testdata with any number of columns.
func rows(t testing.TB, name string) [][]string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var out [][]string
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSuffix(line, "\n")
		if !strings.HasPrefix(line, "#") {
			out = append(out, strings.Split(line, "\t"))
		}
	}
	return out
}

func TestNormalizeArabic(t *testing.T) {
	for _, r := range rows(t, "normalize.tsv") {
		if got := NormalizeArabic(r[0]); got != r[1] {
			t.Errorf("NormalizeArabic(%s) = %q, want %q", r[0], got, r[1])
		}
		if got := NormalizeArabic(r[1]); got != r[1] {
			t.Errorf("not idempotent: %q became %q", r[1], got)
		}
	}
}

func TestStemArabic(t *testing.T) {
	for _, r := range rows(t, "stem.tsv") {
		if got := StemArabic(r[0]); got != r[1] {
			t.Errorf("StemArabic(%s) = %s, want %s", r[0], got, r[1])
		}
		if got := Skeleton(r[0]); got != r[2] {
			t.Errorf("Skeleton(%s) = %s, want %s", r[0], got, r[2])
		}
	}
}

func TestStemFrench(t *testing.T) {
	for _, r := range rows(t, "french.tsv") {
		if a, b := StemFrench(r[0]), StemFrench(r[1]); a != b || a == "" {
			t.Errorf("StemFrench: %s has %q, %s has %q", r[0], a, r[1], b)
		}
	}
}

func TestStemEnglish(t *testing.T) {
	for in, want := range map[string]string{"Permits": "permit", "cities": "city", "processes": "process", "bus": "bus", "taxes": "tax", "address": "address", "child's": "child"} {
		if got := StemEnglish(in); got != want {
			t.Errorf("StemEnglish(%s) = %s, want %s", in, got, want)
		}
	}
}

func TestTamazightKey(t *testing.T) {
	for _, r := range rows(t, "tifinagh.tsv") {
		if a, b := TamazightKey(r[0]), TamazightKey(r[1]); a != b || a == "" {
			t.Errorf("TamazightKey: %s has %q, %s has %q", r[0], a, r[1], b)
		}
	}
}

func TestPhoneticKey(t *testing.T) {
	for _, r := range rows(t, "phonetic.tsv") {
		if a, b := PhoneticKey(r[0]), PhoneticKey(r[1]); a != b || a == "" {
			t.Errorf("PhoneticKey: %s has %q, %s has %q", r[0], a, r[1], b)
		}
	}
	for _, w := range []string{"", "12", "a", "!"} {
		if k := PhoneticKey(w); k != "" {
			t.Errorf("PhoneticKey(%q) = %q, want none", w, k)
		}
	}
}

func TestDetectLang(t *testing.T) {
	for _, r := range rows(t, "detect.tsv") {
		g := DetectLang(r[0])
		flags := ""
		if g.Darija {
			flags = "darija"
		}
		if g.Arabizi {
			flags += " arabizi"
		}
		if g.Lang != r[1] || flags != r[2] {
			t.Errorf("DetectLang(%q) = %+v, want %s %s", r[0], g, r[1], r[2])
		}
		if g.Confidence < 0 || g.Confidence > 1 {
			t.Errorf("confidence of %q is %v", r[0], g.Confidence)
		}
	}
}

func TestIsArabizi(t *testing.T) {
	for in, want := range map[string]bool{
		"3a9d zwaj": true, "l7ala lmadania": true, "ro5sa": true, "i9ama": true,
		"2eme": false, "article 5": false, "CO2": false, "H2O": false, "A4": false,
		"le 3 mai 2023": false, "15km": false, "covid19": false, "carte grise": false, "": false,
	} {
		if got := IsArabizi(in); got != want {
			t.Errorf("IsArabizi(%q) = %v", in, got)
		}
	}
}

func TestDarija(t *testing.T) {
	for _, r := range rows(t, "darija-lookup.tsv") {
		means, ok := Darija(r[0])
		switch {
		case !ok:
			t.Errorf("Darija(%s) is unknown", r[0])
		case r[1] == "-" && len(means) > 0:
			t.Errorf("Darija(%s) = %v, want nothing", r[0], means)
		case r[1] != "-" && !slices.Contains(means, r[1]):
			t.Errorf("Darija(%s) = %v, want %s in it", r[0], means, r[1])
		}
	}
	n := 0
	for line := range strings.Lines(darijaData) {
		if strings.Contains(line, "\t") && line[0] != '#' {
			n++
		}
	}
	if n < 250 {
		t.Errorf("the lexicon has %d entries", n)
	}
	e := ExpandDarija(Tokenize("kifach nakhod la carte nationale"))
	if len(e) != 3 || e[2].First != 2 || e[2].Last != 5 || len(e[2].Means) == 0 {
		t.Errorf("ExpandDarija = %+v", e)
	}
}

func TestTokenize(t *testing.T) {
	in := "L'acte n\u00b0 55.19, 3a9d\u202e-zwaj 2023-05-08!"
	want := []string{"L'acte", "n", "55.19", "3a9d", "zwaj", "2023-05-08"}
	var got []string
	for _, tok := range Tokenize(in) {
		got = append(got, tok.Text)
		if Clean(in[tok.Start:tok.End]) != tok.Text {
			t.Errorf("offsets of %q give %q", tok.Text, in[tok.Start:tok.End])
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("Tokenize = %q, want %q", got, want)
	}
	long := Tokenize(strings.Repeat("a", 1000) + " b")
	if len(long) != 2 || len(long[0].Text) != MaxTokenRunes || long[0].End != 1000 {
		t.Errorf("long token: %d tokens, first %d bytes", len(long), len(long[0].Text))
	}
	if n := len(Tokenize(strings.Repeat("a ", MaxInput))); n != MaxTokens {
		t.Errorf("%d tokens of too much text", n)
	}
}

func TestNGrams(t *testing.T) {
	if got := NGrams("banana", 2); !slices.Equal(got, []string{"ba", "an", "na"}) {
		t.Errorf("NGrams = %q", got)
	}
	if got := NGrams("\u0627\u0628\u062a", 2); len(got) != 2 {
		t.Errorf("NGrams of three letters = %q", got)
	}
	if NGrams("", 3) != nil || NGrams("a", 0) != nil || !slices.Equal(NGrams("ab", 4), []string{"ab"}) {
		t.Error("NGrams at its bounds")
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		max  int
		want int
	}{
		{"", "", 2, 0}, {"abc", "abc", 2, 0}, {"abc", "acb", 2, 1}, {"abc", "ab", 2, 1}, {"", "abc", 2, 3},
		{"passeport", "pasport", 2, 2}, {"kitten", "sitting", 3, 3}, {"kitten", "sitting", 2, 3},
		{"\u0634\u0647\u0627\u062f\u0647", "\u0634\u0627\u0647\u062f\u0647", 2, 1}, {"a", "b", -1, 0},
	} {
		if got := Distance(c.a, c.b, c.max); got != c.want {
			t.Errorf("Distance(%q, %q, %d) = %d, want %d", c.a, c.b, c.max, got, c.want)
		}
		if got := Distance(c.b, c.a, c.max); got != c.want {
			t.Errorf("Distance(%q, %q, %d) = %d, want %d", c.b, c.a, c.max, got, c.want)
		}
	}
}

func TestAnalyze(t *testing.T) {
	r := rows(t, "phonetic.tsv")
	for _, pair := range r {
		a, b := Analyze(pair[0], ""), Analyze(pair[1], "ar")
		if !shares(a, b, Sound) {
			t.Errorf("%s and %s do not meet", pair[0], pair[1])
		}
	}
	for _, pair := range rows(t, "tifinagh.tsv") {
		if !shares(Analyze(pair[1], ""), Analyze(pair[0], "zgh"), Amazigh) {
			t.Errorf("%s and %s do not meet", pair[0], pair[1])
		}
	}
	if !shares(Analyze("55.19", "ar"), Analyze("55-19", "fr"), Stem) {
		t.Error("one law number is two terms")
	}
	if len(Analyze("de la les", "fr")) != 0 {
		t.Error("stop words made terms")
	}
	if a := Analyze("de la carte", "fr"); len(a) == 0 || a[0].Pos != 2 || a[0].Kind != Stem {
		t.Errorf("positions: %v", a)
	}
	if a := Analyze("\xff\xfe\u202e", ""); len(a) != 0 {
		t.Errorf("terms of no text: %v", a)
	}
}

func shares(a, b []Term, k Kind) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Kind == k && y.Kind == k && x.Text == y.Text {
				return true
			}
		}
	}
	return false
}

func FuzzAnalyze(f *testing.F) {
	for _, r := range rows(f, "detect.tsv") {
		f.Add(r[0], r[1])
	}
	f.Fuzz(func(t *testing.T, s, lang string) {
		for _, term := range Analyze(s, lang) {
			if term.Text == "" || !utf8.ValidString(term.Text) {
				t.Fatalf("term %q of %q", term.Text, s)
			}
			for _, r := range term.Text {
				if isInvisible(r) {
					t.Fatalf("invisible rune in %q of %q", term.Text, s)
				}
			}
		}
		last := 0
		for _, tok := range Tokenize(s) {
			if tok.Start < last || tok.End <= tok.Start || tok.End > len(s) {
				t.Fatalf("token %+v after %d in %q", tok, last, s)
			}
			last = tok.End
		}
		if n := NormalizeArabic(s); NormalizeArabic(n) != n {
			t.Fatalf("NormalizeArabic is not idempotent on %q", s)
		}
	})
}

func FuzzPhoneticKey(f *testing.F) {
	for _, r := range rows(f, "phonetic.tsv") {
		f.Add(r[0])
		f.Add(r[1])
	}
	f.Fuzz(func(t *testing.T, s string) {
		k := PhoneticKey(s)
		if len(k) == 1 || len(k) > maxKey {
			t.Fatalf("PhoneticKey(%q) = %q", s, k)
		}
		for i := range len(k) {
			if c := k[i]; (c < 'a' || c > 'z') && c != 'G' {
				t.Fatalf("PhoneticKey(%q) = %q", s, k)
			}
		}
		if d := Distance(s, k, 3); d < 0 || d > 4 {
			t.Fatalf("Distance = %d", d)
		}
	})
}

func FuzzDetectLang(f *testing.F) {
	for _, r := range rows(f, "detect.tsv") {
		f.Add(r[0])
	}
	f.Fuzz(func(t *testing.T, s string) {
		g := DetectLang(s)
		if !slices.Contains([]string{"ar", "fr", "en", "zgh", Unsure}, g.Lang) || g.Confidence < 0 || g.Confidence > 1 || g.Arabizi && !g.Darija {
			t.Fatalf("DetectLang(%q) = %+v", s, g)
		}
	})
}

func BenchmarkAnalyze(b *testing.B) {
	r := rows(b, "detect.tsv")
	q := r[1][0] + " " + r[7][0]
	b.ReportAllocs()
	for b.Loop() {
		Analyze(q, "")
	}
}

func BenchmarkRepairArabic(b *testing.B) {
	var s strings.Builder
	for _, r := range table(b, "repair-lines.tsv") {
		s.WriteString(r[0] + "\n")
	}
	b.SetBytes(int64(s.Len()))
	b.ReportAllocs()
	for b.Loop() {
		RepairArabic(s.String())
	}
}
