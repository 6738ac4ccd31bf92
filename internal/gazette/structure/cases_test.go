package structure

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"diwan/internal/gazette/model"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden is what a case shows: enough to see every decision.
type golden struct {
	Issue    *model.Issue `json:"issue,omitempty"`
	Acts     []goldenAct  `json:"acts"`
	Articles string       `json:"articles"` // as they are listed
	Rest     []string     `json:"rest,omitempty"`
	Skipped  []string     `json:"skipped,omitempty"`
}

type goldenAct struct {
	Act           string              `json:"act"`
	Short         string              `json:"short,omitempty"`
	Hijri         model.Hijri         `json:"hijri,omitzero"`
	Authority     string              `json:"authority,omitempty"`
	Publication   []model.IssueRef    `json:"publication,omitempty"`
	Consolidated  *model.Consolidated `json:"consolidated,omitempty"`
	Visas         []string            `json:"visas,omitempty"`
	Enacting      string              `json:"enacting,omitempty"`
	Units         []string            `json:"units,omitempty"`
	Annexes       []string            `json:"annexes,omitempty"`
	Closing       string              `json:"closing,omitempty"`
	Countersigned []string            `json:"countersigned,omitempty"`
	Notes         []string            `json:"notes,omitempty"`
	Problems      []string            `json:"problems,omitempty"`
	Attached      []goldenAct         `json:"attached,omitempty"`
}

// The cases are invented; each is one trap of real texts.
func TestCases(t *testing.T) {
	g := testGrammar(t)
	files, err := filepath.Glob("testdata/cases/*.txt")
	if err != nil || len(files) < 12 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		t.Run(filepath.Base(name), func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			text := &model.Text{Body: string(b)}
			doc := Parse(text, g, Options{})
			for _, f := range Check(text.Body, doc) {
				t.Error(f)
			}
			var out bytes.Buffer
			e := json.NewEncoder(&out)
			e.SetEscapeHTML(false)
			e.SetIndent("", " ")
			if err := e.Encode(show(text, doc)); err != nil {
				t.Fatal(err)
			}
			file := strings.TrimSuffix(name, ".txt") + ".json"
			if *update {
				if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(want, out.Bytes()) {
				t.Errorf("differs from %s:\n%s", file, out.String())
			}
		})
	}
}

func show(t *model.Text, doc model.Document) golden {
	out := golden{Issue: doc.Issue, Articles: strings.Join(labelsOf(doc), " ")}
	for i := range doc.Acts {
		out.Acts = append(out.Acts, showAct(t, &doc.Acts[i]))
	}
	out.Rest, out.Skipped = texts(t, doc.Rest), texts(t, doc.Skipped)
	return out
}

func showAct(t *model.Text, a *model.Act) goldenAct {
	out := goldenAct{Act: a.Kind + " " + string(a.Number) + " " + string(a.Signed), Short: a.Short, Hijri: a.Hijri, Authority: a.Authority,
		Publication: a.Publication, Consolidated: a.Consolidated, Visas: texts(t, a.Visas), Enacting: t.Of(a.Enacting),
		Closing: oneLine(t.Of(a.Closing)), Countersigned: texts(t, a.Countersigned)}
	list := func(units []model.Unit) (out []string) {
		model.Walk(units, func(u *model.Unit) {
			s := u.EID
			if u.Heading != "" {
				s += " [" + u.Heading + "]"
			}
			if u.Repealed {
				s += " repealed"
			}
			if len(u.Quoted) > 0 {
				s += " quotes " + strings.Join(texts(t, u.Quoted), " | ")
			}
			if c := strings.Join(texts(t, u.Content), " | "); c != "" {
				s += ": " + c
			}
			out = append(out, s)
		})
		return out
	}
	out.Units, out.Annexes = list(a.Body), list(a.Annexes)
	for _, n := range a.Notes {
		out.Notes = append(out.Notes, n.Mark+": "+n.Text)
	}
	for _, p := range a.Problems {
		out.Problems = append(out.Problems, strings.TrimSpace(p.Code+" "+p.Detail))
	}
	for i := range a.Attached {
		out.Attached = append(out.Attached, showAct(t, &a.Attached[i]))
	}
	return out
}

func texts(t *model.Text, spans []model.Span) (out []string) {
	for _, s := range spans {
		out = append(out, oneLine(t.Of(s)))
	}
	return out
}
