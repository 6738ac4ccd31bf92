package structure

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"diwan/internal/gazette/model"
	"diwan/lexis"
)

// The key holds texts whose articles were read by eye; see testdata/key.tsv.
func TestKey(t *testing.T) {
	texts := corpus(t)
	g := testGrammar(t)
	key, err := os.ReadFile("testdata/key.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var right, found, wanted, whole, files int
	for _, row := range strings.Split(strings.TrimSpace(string(key)), "\n") {
		f := strings.Split(row, "\t")
		if len(f) != 3 {
			continue
		}
		name := f[0]
		if !strings.HasPrefix(name, "ma-") {
			name = "ma-adala-" + name
		}
		match, _ := filepath.Glob(filepath.Join(texts, "*", name+".txt"))
		if len(match) != 1 {
			t.Errorf("%s: %d files", name, len(match))
			continue
		}
		raw, err := os.ReadFile(match[0])
		if err != nil {
			t.Fatal(err)
		}
		body := lexis.RepairArabic(string(raw))
		text := &model.Text{Body: body, Lang: g.Detect(body)}
		text.Suspect = g.Lang(text.Lang).SuspectDigits(body)
		doc := Parse(text, g, Options{})
		for _, fault := range Check(body, doc) {
			t.Errorf("%s: %s", name, fault)
		}
		got, want := labelsOf(doc), expand(t, f[1])
		n := common(got, want)
		right, found, wanted, files = right+n, found+len(got), wanted+len(want), files+1
		if slices.Equal(got, want) {
			whole++
		} else {
			t.Logf("%s: %d of %d right\n got %s\nwant %s", name, n, len(want), strings.Join(got, " "), strings.Join(want, " "))
		}
	}
	precision, recall := float64(right)/float64(found), float64(right)/float64(wanted)
	t.Logf("%d texts, %d wholly right; %d articles, precision %.4f, recall %.4f", files, whole, wanted, precision, recall)
	if precision < 0.995 || recall < 0.995 || whole*100 < files*95 {
		t.Error("worse than it was")
	}
}

// common returns the length of the longest common subsequence.
func common(a, b []string) int {
	prev := make([]int, len(b)+1)
	for i := range a {
		cur := make([]int, len(b)+1)
		for j := range b {
			if cur[j+1] = max(prev[j+1], cur[j]); a[i] == b[j] {
				cur[j+1] = prev[j] + 1
			}
		}
		prev = cur
	}
	return prev[len(b)]
}
