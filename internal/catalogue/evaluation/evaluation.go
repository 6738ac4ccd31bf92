package evaluation

import (
	"context"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"diwan/internal/catalogue/search"
)

//go:embed queries.tsv
var queriesFile string

// Question is what somebody typed, and the right answers.
type Question struct {
	Set     string // dev, test or late
	Lang    string // ar, fr, darija or arabizi
	Text    string
	Answers []Answer
}

// Answer is a thing of the catalogue.
type Answer struct{ Kind, ID string }

// Languages are the kinds of questions, in the order of reports.
var Languages = []string{"ar", "fr", "darija", "arabizi"}

// Sets are the parts of the questions; queries.tsv says what each is for.
var Sets = []string{"dev", "test", "late"}

// Questions reads the committed questions.
func Questions() ([]Question, error) { return parse(queriesFile) }

func parse(text string) ([]Question, error) {
	var out []Question
	n := 0
	for line := range strings.Lines(text) {
		if n++; strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "" {
			continue
		}
		col := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
		if len(col) != 4 || !slices.Contains(Sets, col[0]) || !slices.Contains(Languages, col[1]) || col[2] == "" {
			return nil, fmt.Errorf("queries.tsv, line %d: want a set, a language, a query and its answers", n)
		}
		q := Question{Set: col[0], Lang: col[1], Text: col[2]}
		for id := range strings.SplitSeq(col[3], "|") {
			a := Answer{search.KindProcedure, id}
			if event, ok := strings.CutPrefix(id, "event:"); ok {
				a = Answer{search.KindLifeEvent, event}
			}
			q.Answers = append(q.Answers, a)
		}
		out = append(out, q)
	}
	return out, nil
}

// Unknown returns the answers that are not among the things that can be found.
func Unknown(questions []Question, docs []search.Doc) []Answer {
	known := map[Answer]bool{}
	for _, d := range docs {
		known[Answer{d.Kind, d.ID}] = true
	}
	var out []Answer
	for _, q := range questions {
		for _, a := range q.Answers {
			if !known[a] && !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	return out
}

// Searcher is what is measured.
type Searcher interface {
	Search(ctx context.Context, q search.Query) (*search.Result, error)
}

// Depth is how many results are looked at; an answer below counts as missed.
const Depth = 10

// Figures are the measures of some questions, each from 0 to 1: how often a
// right answer came first, among the first five, and the mean of one divided by
// the place of the first right answer.
type Figures struct {
	Lang     string  `json:"lang"`
	Set      string  `json:"set"`
	Count    int     `json:"questions"`
	Success1 float64 `json:"success_at_1"`
	Success5 float64 `json:"success_at_5"`
	MRR      float64 `json:"mrr"`
	Results  float64 `json:"mean_results"` // how many results a question has
}

// Miss is a question whose right answer was not among the first five.
type Miss struct {
	Set   string   `json:"set"`
	Lang  string   `json:"lang"`
	Query string   `json:"query"`
	Place int      `json:"place"` // 0: not among the first ten
	Want  []string `json:"want"`
	Got   []string `json:"got"`
}

// Report is a whole measurement.
type Report struct {
	Documents int       `json:"documents"`
	Figures   []Figures `json:"figures"`
	Misses    []Miss    `json:"misses,omitempty"`
}

// Run asks every question. The figures of each language end with those of all
// its sets together, the set "all".
func Run(ctx context.Context, s Searcher, questions []Question) (*Report, error) {
	r := &Report{}
	for _, lang := range Languages {
		all := Figures{Lang: lang, Set: "all"}
		for _, set := range Sets {
			f := Figures{Lang: lang, Set: set}
			for _, q := range questions {
				if q.Lang != lang || q.Set != set {
					continue
				}
				if err := r.ask(ctx, s, q, &f); err != nil {
					return nil, err
				}
			}
			all.add(f)
			r.Figures = append(r.Figures, f.mean())
		}
		r.Figures = append(r.Figures, all.mean())
	}
	return r, nil
}

func (f *Figures) add(o Figures) {
	f.Count += o.Count
	f.Success1 += o.Success1
	f.Success5 += o.Success5
	f.MRR += o.MRR
	f.Results += o.Results
}

// mean turns sums over questions into means.
func (f Figures) mean() Figures {
	n := max(1, float64(f.Count))
	f.Success1, f.Success5, f.MRR, f.Results = f.Success1/n, f.Success5/n, f.MRR/n, f.Results/n
	return f
}

func (r *Report) ask(ctx context.Context, s Searcher, q Question, f *Figures) error {
	readers := map[string]string{"ar": "ar", "fr": "fr", "darija": "ar", "arabizi": "ar"}
	res, err := s.Search(ctx, search.Query{Text: q.Text, Lang: readers[q.Lang], Limit: Depth})
	if err != nil {
		return fmt.Errorf("searching for %q: %w", q.Text, err)
	}
	place := 0
	for i, h := range res.Hits {
		if slices.Contains(q.Answers, Answer{h.Kind, h.ID}) {
			place = i + 1
			break
		}
	}
	f.Count++
	f.Results += float64(res.Total)
	if place > 0 {
		f.MRR += 1 / float64(place)
	}
	if place == 1 {
		f.Success1++
	}
	if place > 0 && place <= 5 {
		f.Success5++
		return nil
	}
	m := Miss{Set: q.Set, Lang: q.Lang, Query: q.Text, Place: place}
	for _, a := range q.Answers {
		m.Want = append(m.Want, a.ID)
	}
	for _, h := range res.Hits[:min(5, len(res.Hits))] {
		m.Got = append(m.Got, h.ID)
	}
	r.Misses = append(r.Misses, m)
	return nil
}

// Print writes the figures as a table.
func (r *Report) Print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "language\tset\tquestions\tsuccess@1\tsuccess@5\tMRR\tresults\t")
	for _, f := range r.Figures {
		fmt.Fprintf(t, "%s\t%s\t%d\t%.2f\t%.2f\t%.3f\t%.1f\t\n", f.Lang, f.Set, f.Count, f.Success1, f.Success5, f.MRR, f.Results)
	}
	return t.Flush()
}
