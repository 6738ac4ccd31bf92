package retrieval

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// table reads a file of test data: lines of fields parted by tabs.
func table(t testing.TB, name string) [][]string {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out [][]string
	s := bufio.NewScanner(f)
	for s.Scan() {
		if line := s.Text(); line != "" && line[0] != '#' {
			out = append(out, strings.Split(line, "\t"))
		}
	}
	return out
}

// collection holds the documents of a language of testdata/docs.tsv.
func collection(t testing.TB, lang string) (*Collection, []string, []Candidate) {
	c := NewCollection()
	var ids []string
	var all []Candidate
	for _, r := range table(t, "docs.tsv") {
		if lang == "" || r[1] == lang {
			c.Add("", r[2])
			ids = append(ids, r[0])
			all = append(all, Candidate{ID: r[0], Text: r[2]})
		}
	}
	return c, ids, all
}

func TestSearchWithinAndAcrossLanguages(t *testing.T) {
	for _, r := range table(t, "queries.tsv") {
		c, ids, _ := collection(t, r[3])
		found := c.Search(c.Prepare(r[1], r[0], nil), 10)
		if got := ids[found[0].Candidate]; got != r[2] || len(found) != c.Len() {
			t.Errorf("%s: %s is first of %d, not %s", r[1], got, len(found), r[2])
		}
		// The language that is said yields to the letters.
		if got := ids[c.Search(c.Prepare(r[1], map[string]string{"ar": "fr", "fr": "ar"}[r[0]], nil), 1)[0].Candidate]; got != r[2] {
			t.Errorf("%s, told the other language: %s is first", r[1], got)
		}
	}
}

// The second use ranks candidates as the first ranks the same documents.
func TestRankerAgreesWithCollection(t *testing.T) {
	c, _, candidates := collection(t, "")
	r := Ranker{Stats: c.stats}
	for _, q := range table(t, "queries.tsv") {
		a := c.Search(c.Prepare(q[1], q[0], nil), 10)
		b := r.Score(r.Prepare(q[1], q[0]), candidates)
		if !slices.Equal(a, b) {
			t.Errorf("%s: %v in a collection, %v as candidates", q[1], a, b)
		}
		for i := range candidates {
			candidates[i].Parsed = Parse(candidates[i].Title, candidates[i].Text)
		}
		if b = r.Score(r.Prepare(q[1], q[0]), candidates); !slices.Equal(a, b) {
			t.Errorf("%s: %v in a collection, %v as parsed candidates", q[1], a, b)
		}
	}
}

func TestFirstScoreCounts(t *testing.T) {
	c, _, candidates := collection(t, "fr")
	r := Ranker{Stats: c.stats, First: 100}
	candidates[1].First = 3
	if got := r.Score(r.Prepare("rien de connu", "fr"), candidates)[0].Candidate; got != 1 {
		t.Errorf("the first is %d although the index preferred 1", got)
	}
}

func TestTitleCounts(t *testing.T) {
	c := NewCollection()
	c.Add("Chasse", "Le permis vaut un an. La pêche est libre.")
	c.Add("Pêche", "Le permis vaut un an. La chasse est libre.")
	if got := c.Search(c.Prepare("permis de pêche", "fr", nil), 1)[0].Candidate; got != 1 {
		t.Errorf("document %d is first", got)
	}
}

func TestEmptyAndHostile(t *testing.T) {
	c, _, candidates := collection(t, "")
	r := Ranker{Stats: c.stats}
	for _, q := range []string{"", " ", "???", "le la les", strings.Repeat("a", 1<<16), strings.Repeat("mot ", 1<<14), "\xff\xfe", "\u0645\u0645\u200f\u0645", "12.5 13"} {
		if got := len(c.Search(c.Prepare(q, "fr", nil), 100)); got != c.Len() {
			t.Errorf("%.20q: %d documents", q, got)
		}
		r.Score(r.Prepare(q, ""), candidates)
		r.Prepare(q, "ar").Terms("fr")
	}
	if got := r.Score(r.Prepare("loi", "fr"), nil); len(got) != 0 {
		t.Error("scores without candidates")
	}
	empty := NewCollection()
	if got := empty.Search(empty.Prepare("loi", "fr", nil), 10); len(got) != 0 {
		t.Error("documents in an empty collection")
	}
}

func TestTermsForAnIndex(t *testing.T) {
	for _, r := range table(t, "cross.tsv") {
		q := new(Ranker).Prepare(r[0], "fr")
		want := Stems(r[1])[0]
		if !slices.ContainsFunc(q.Terms("ar"), func(x Term) bool { return x.Text == want && x.Boost > .3 }) {
			t.Errorf("%s in Arabic: no %s in %v", r[0], want, q.Terms("ar"))
		}
		own := Stems(r[0])[0]
		if got := q.Terms("fr")[0]; got != (Term{own, 1}) {
			t.Errorf("%s in French begins with %v", r[0], got)
		}
		back := new(Ranker).Prepare(r[1], "ar").Terms("fr")
		if !slices.ContainsFunc(back, func(x Term) bool { return x.Text == own }) {
			t.Errorf("%s in French: no %s in %v", r[1], own, back)
		}
	}
}

func TestNamesBySound(t *testing.T) {
	for _, r := range table(t, "names.tsv") {
		best := 0.0
		latin := formOf(latinSounds(r[0]))
		for _, f := range nameForms(r[1]) {
			best = max(best, alike(&latin, &f))
		}
		if (best >= leastAlike) != (r[2] == "yes") {
			t.Errorf("%s and %s are alike by %.2f", r[0], r[1], best)
		}
	}
}

func TestQuestionCues(t *testing.T) {
	for _, r := range table(t, "questions.tsv") {
		found := questionCues(r[0])
		for _, want := range strings.Fields(r[1]) {
			i := slices.Index(loadCues().question.names, want)
			if i < 0 || !slices.Contains(found, i) {
				t.Errorf("%s: no cue %s", r[0], want)
			}
		}
	}
}

func TestStatsSurviveWriting(t *testing.T) {
	c, _, candidates := collection(t, "")
	data, err := c.stats.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var s Stats
	if err := s.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	a, b := Ranker{Stats: c.stats}, Ranker{Stats: &s}
	if !slices.Equal(a.Score(a.Prepare("permis", "fr"), candidates), b.Score(b.Prepare("permis", "fr"), candidates)) {
		t.Error("other scores after writing")
	}
	for _, bad := range [][]byte{nil, {1}, data[:len(data)/2], []byte("nothing of this kind")} {
		if s.UnmarshalBinary(bad) == nil {
			t.Errorf("%d damaged bytes were taken", len(bad))
		}
	}
	if s.Docs() != c.Len() {
		t.Error("damaged bytes changed the statistics")
	}
}

func TestAnalyzerKeepsPlaces(t *testing.T) {
	text := "Voiciquelques règles de la mairie"
	got := ""
	for _, x := range NewAnalyzer(StemAnalyzer).Analyze([]byte(text)) {
		got += fmt.Sprintf("%s@%d[%s] ", x.Term, x.Position, text[x.Start:x.End])
	}
	if want := "voic@1[Voiciquelques] quelqu@2[Voiciquelques] regl@3[règles] mair@6[mairie] "; got != want {
		t.Errorf("%s, not %s", got, want)
	}
	for _, r := range table(t, "docs.tsv") {
		n := 0
		eachWord(r[2], func(w *word) {
			if !w.stop {
				n++
			}
		})
		if got := len(NewAnalyzer(StemAnalyzer).Analyze([]byte(r[2]))); got != n {
			t.Errorf("%s: %d terms for %d words", r[0], got, n)
		}
		if got := len(NewAnalyzer(SkeletonAnalyzer).Analyze([]byte(r[2]))); (got > 0) != (r[1] == "ar") {
			t.Errorf("%s: %d skeletons", r[0], got)
		}
	}
}

func FuzzSearch(f *testing.F) {
	for _, r := range table(f, "queries.tsv") {
		f.Add(r[1], r[1])
	}
	c, _, candidates := collection(f, "")
	r := Ranker{Stats: c.stats}
	f.Fuzz(func(t *testing.T, query, text string) {
		all := append(slices.Clone(candidates), Candidate{Title: query, Text: text}, Candidate{})
		q := r.Prepare(query, "")
		q.Terms("ar")
		for _, x := range r.Score(q, all) {
			if x.Score != x.Score {
				t.Fatalf("the score of %d is no number", x.Candidate)
			}
		}
		for _, a := range []string{StemAnalyzer, SkeletonAnalyzer} {
			for _, x := range NewAnalyzer(a).Analyze([]byte(text)) {
				if x.Start < 0 || x.End > len(text) || x.Start >= x.End || len(x.Term) == 0 {
					t.Fatalf("a term of %d..%d", x.Start, x.End)
				}
			}
		}
	})
}
