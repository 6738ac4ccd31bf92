package lexis

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"diwan/internal/beside"
)

// corpus returns the folder of the public law texts beside the repository,
// or skips the test.
func corpus(t testing.TB) string {
	t.Helper()
	found, err := beside.Find("data/law-ma/manifest.csv")
	if err != nil {
		t.Skip("the law texts are absent: ", err)
	}
	return filepath.Dir(found)
}

// soundTexts returns the Arabic texts of the collection in which the pairs
// of lam and alef came out right.
func soundTexts(t testing.TB) map[string]string {
	dir := corpus(t)
	f, err := os.Open(filepath.Join(dir, "manifest.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	col := map[string]int{}
	for i, name := range rows[0] {
		col[name] = i
	}
	out := map[string]string{}
	for _, r := range rows[1:] {
		flags := r[col["flags"]]
		if r[col["lang"]] != "ar" || strings.Contains(flags, "lam-alef-inverted") || strings.Contains(flags, "glyph-codes") {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, r[col["file"]]))
		if err != nil {
			t.Fatal(err)
		}
		s := string(b)
		if weigh(s) == clean && strings.Count(s, "\u0644\u0627") > 10 {
			out[r[col["id"]]] = s
		}
	}
	return out
}

// damageText does to sound text what the extraction does: it turns lam and
// alef, glues numbers to the word behind them, and prints a heh for some
// spaces.
func damageText(s string) string {
	var b strings.Builder
	words := 0
	for i := 0; i < len(s); {
		a, e := nextWord(s, i)
		gap := s[i:a]
		if words%97 == 5 && gap == " " && strings.HasSuffix(b.String()[max(0, b.Len()-2):], "\u0629") && strings.HasPrefix(s[a:e], "\u0627\u0644") {
			gap = "\u0647"
		}
		if n := len(gap); n > 1 && gap[n-1] == ' ' && isDigit(rune(gap[n-2])) {
			gap = gap[:n-1]
		}
		b.WriteString(gap)
		b.WriteString(damageWord(s[a:e]))
		words++
		if a == e {
			break
		}
		i = e
	}
	return b.String()
}

// TestRestore damages sound text and measures how much of it comes back.
// The standard is the sound text after a repair of its own, because the
// files have glued numbers and commas too; how far that is from the bytes
// of the file is measured beside it.
func TestRestore(t *testing.T) {
	texts := soundTexts(t)
	if len(texts) == 0 {
		t.Fatal("no sound text in the collection")
	}
	total, wrong, words, wrongWords, touched := 0, 0, 0, 0, 0
	misses := map[string]int{}
	for _, s := range texts {
		want := RepairArabic(s)
		got := RepairArabic(damageText(s))
		total += utf8.RuneCountInString(want)
		wrong += lineErrors(want, got)
		a, b := arabicWords(want), arabicWords(got)
		words += len(a)
		if len(a) == len(b) {
			for i := range a {
				if a[i] != b[i] {
					wrongWords++
					misses[a[i]+" -> "+b[i]]++
				}
			}
		}
		o := arabicWords(s)
		if len(o) == len(a) {
			for i := range o {
				if o[i] != a[i] {
					touched++
					misses["sound "+o[i]+" -> "+a[i]]++
				}
			}
		}
	}
	rate := 1 - float64(wrong)/float64(total)
	t.Logf("%d texts, %d characters: %.4f%% restored; %d of %d words differ; %d sound words touched", len(texts), total, 100*rate, wrongWords, words, touched)
	for m, n := range misses {
		if testing.Verbose() && n > 0 {
			t.Logf("%4d %s", n, m)
		}
	}
	if rate < 0.995 {
		t.Errorf("only %.4f of the characters were restored", rate)
	}
}

func arabicWords(s string) []string {
	var out []string
	for i := 0; i < len(s); {
		a, e := nextWord(s, i)
		if a == e {
			break
		}
		out = append(out, s[a:e])
		i = e
	}
	return out
}

// lineErrors sums the edit distances of the lines of two texts; a line too
// many or too few counts whole.
func lineErrors(want, got string) int {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	n := 0
	for i := range max(len(a), len(b)) {
		var x, y string
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			n += editCount([]rune(x), []rune(y))
		}
	}
	return n
}

func editCount(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range a {
		diag := row[0]
		row[0] = i + 1
		for j := range b {
			cost := diag
			if a[i] != b[j] {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, row[j]+1, diag+1)
		}
	}
	return row[len(b)]
}
