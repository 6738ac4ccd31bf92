package evaluation

import (
	"context"
	"strings"
	"testing"

	"diwan/internal/catalogue/search"
)

func TestQuestions(t *testing.T) {
	questions, err := Questions()
	if err != nil {
		t.Fatal(err)
	}
	count, seen := map[string]int{}, map[string]bool{}
	for _, q := range questions {
		count[q.Lang]++
		if seen[q.Lang+q.Text] {
			t.Errorf("%q is asked twice", q.Text)
		}
		seen[q.Lang+q.Text] = true
	}
	for _, l := range Languages {
		if count[l] < 50 {
			t.Errorf("%d questions in %s, want 50 at least", count[l], l)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, line := range []string{"dev\tfr\tx", "dev\tde\tx\ty", "all\tfr\tx\ty", "dev\tfr\t\ty", "x"} {
		if _, err := parse("# head\n" + line + "\n"); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", line, err)
		}
	}
}

// fixed answers every query with the same results.
type fixed []search.Hit

func (f fixed) Search(context.Context, search.Query) (*search.Result, error) {
	return &search.Result{Hits: f, Total: len(f)}, nil
}

func TestFigures(t *testing.T) {
	questions, err := parse("dev\tfr\tone\ta|b\ndev\tfr\ttwo\tevent:c\ndev\tfr\tthree\tx\ndev\tfr\tfour\tz\n")
	if err != nil {
		t.Fatal(err)
	}
	hits := fixed{{Kind: "procedure", ID: "b"}, {Kind: "life_event", ID: "c"}, {Kind: "procedure", ID: "c"},
		{Kind: "procedure", ID: "d"}, {Kind: "procedure", ID: "e"}, {Kind: "procedure", ID: "x"}}
	r, err := Run(context.Background(), hits, questions)
	if err != nil {
		t.Fatal(err)
	}
	want := Figures{Lang: "fr", Set: "dev", Count: 4, Success1: 0.25, Success5: 0.5, MRR: (1 + 1.0/2 + 1.0/6) / 4, Results: 6}
	found := false
	for _, f := range r.Figures {
		if f.Lang == "fr" && f.Set == "dev" {
			found = true
			if f != want {
				t.Errorf("figures %+v, want %+v", f, want)
			}
		}
	}
	if !found || len(r.Misses) != 2 || r.Misses[0].Place != 6 || r.Misses[1].Place != 0 {
		t.Errorf("misses %+v", r.Misses)
	}
	var b strings.Builder
	if err := r.Print(&b); err != nil || !strings.Contains(b.String(), "success@5") {
		t.Errorf("printed %q, %v", b.String(), err)
	}
}
