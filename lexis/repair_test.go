package lexis

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// table reads a two-column file of testdata.
func table(t testing.TB, name string) [][2]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var out [][2]string
	sc := bufio.NewScanner(strings.NewReader(string(b)))
	for sc.Scan() {
		line := sc.Text()
		if line == "" || line[0] == '#' {
			continue
		}
		in, want, ok := strings.Cut(line, "\t")
		if !ok {
			t.Fatalf("%s: line without a tab: %q", name, line)
		}
		out = append(out, [2]string{in, want})
	}
	return out
}

func TestRepairTables(t *testing.T) {
	for _, name := range []string{"repair-words.tsv", "repair-lines.tsv"} {
		rows := table(t, name)
		bad := 0
		for _, r := range rows {
			got := RepairArabic(r[0])
			if got != r[1] {
				bad++
				t.Errorf("%s: RepairArabic(%s) = %s, want %s", name, r[0], got, r[1])
			}
			if clean := RepairArabic(r[1]); clean != r[1] {
				t.Errorf("%s: sound text changed: %s became %s", name, r[1], clean)
			}
			if digitsOf(got) != digitsOf(r[1]) {
				t.Errorf("%s: digits of %q became those of %q", name, r[0], got)
			}
		}
		t.Logf("%s: %d of %d right", name, len(rows)-bad, len(rows))
	}
}

// digitsOf counts each digit of a text.
func digitsOf(s string) [30]int {
	var n [30]int
	for _, r := range s {
		switch {
		case r >= '0' && r <= '9':
			n[r-'0']++
		case r >= '\u0660' && r <= '\u0669':
			n[10+r-'\u0660']++
		case r >= '\u06f0' && r <= '\u06f9':
			n[20+r-'\u06f0']++
		}
	}
	return n
}

// digitString returns the digits of a text in order.
func digitString(s string) string {
	return strings.Map(func(r rune) rune {
		if isDigit(r) {
			return r
		}
		return -1
	}, s)
}

func TestRepairReport(t *testing.T) {
	rows := table(t, "repair-lines.tsv")
	_, rules := RepairReport(rows[0][0])
	seen := map[Rule]int{}
	for _, r := range rules {
		seen[r.Rule] = r.Count
	}
	if seen[RuleBrackets] != 1 || seen[RuleGlued] == 0 {
		t.Errorf("rules of the first line: %v", rules)
	}
	if s, rules := RepairReport("no Arabic (1 2"); s != "no Arabic (1 2" || rules != nil {
		t.Errorf("text without Arabic: %q %v", s, rules)
	}
}

func FuzzRepairArabic(f *testing.F) {
	for _, name := range []string{"repair-lines.tsv"} {
		for _, r := range table(f, name) {
			f.Add(r[0])
			f.Add(r[1])
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 4096 {
			return
		}
		got := RepairArabic(s)
		if digitsOf(got) != digitsOf(s) {
			t.Fatalf("digits changed: %q became %q", s, got)
		}
		if !strings.ContainsAny(s, "()") && digitString(got) != digitString(s) {
			t.Fatalf("digits moved without brackets: %q became %q", s, got)
		}
		if strings.Count(got, "\n") != strings.Count(s, "\n") {
			t.Fatalf("lines changed: %q became %q", s, got)
		}
		if again := RepairArabic(got); again != got {
			t.Fatalf("not idempotent: %q, %q, %q", s, got, again)
		}
	})
}
