package lexis

import (
	"os"
	"strings"
	"testing"
)

// frenchKey reads the hand-made key: what a file printed, and what it means.
func frenchKey(t testing.TB) [][2]string {
	t.Helper()
	b, err := os.ReadFile("testdata/repair-french.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var out [][2]string
	for l := range strings.SplitSeq(strings.TrimSuffix(string(b), "\n"), "\n") {
		f := strings.Split(l, "\t")
		if len(f) != 2 {
			t.Fatalf("bad line %q", l)
		}
		out = append(out, [2]string{f[0], f[1]})
	}
	return out
}

func TestRepairFrenchKey(t *testing.T) {
	for _, c := range frenchKey(t) {
		if got := RepairFrench(c[0]); got != c[1] {
			t.Errorf("%q became %q, want %q", c[0], got, c[1])
		}
		if got := RepairFrench(c[1]); got != c[1] {
			t.Errorf("sound %q became %q", c[1], got)
		}
	}
}

// A text set in such a font throughout is mended in the lines that show too
// little by themselves.
func TestRepairFrenchWholeText(t *testing.T) {
	sure := "DONN\u006dES\nPR\u006dSENTE\nLIBERT\u006dS\nCITO\\EN\nE[CEPTION\n"
	out, rules := RepairFrenchReport(sure + "ARTICLES 23 g 30\n")
	if !strings.HasSuffix(out, "ARTICLES 23 \u00c0 30\n") || len(rules) != 1 || rules[0].Rule != RuleFontCodes || rules[0].Count != 6 {
		t.Errorf("%q %v", out, rules)
	}
}

func FuzzRepairFrench(f *testing.F) {
	for _, c := range frenchKey(f) {
		f.Add(c[0])
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := RepairFrench(s)
		if digitsOf(once) != digitsOf(s) {
			t.Errorf("digits of %q changed in %q", s, once)
		}
		if twice := RepairFrench(once); twice != once {
			t.Errorf("%q became %q, then %q", s, once, twice)
		}
	})
}
