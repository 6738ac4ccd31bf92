package amend

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"diwan/internal/gazette/cite"
	"diwan/internal/gazette/grammar"
	"diwan/internal/gazette/model"
)

// reader compiles the built-in country's words, as the program does.
func reader(t testing.TB) (*Reader, *cite.Finder) {
	t.Helper()
	read := func(name string, into any) {
		b, err := os.ReadFile(filepath.Join("..", "..", "..", "country", "ma", name))
		if err == nil {
			err = json.Unmarshal(b, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var gc grammar.Config
	var c cite.Config
	read("gazette.json", &gc)
	read("gazette-citations.json", &c)
	g, err := grammar.New(gc)
	if err != nil {
		t.Fatal(err)
	}
	f, err := cite.New(g, c)
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewReader(g, f, c)
	if err != nil {
		t.Fatal(err)
	}
	return r, f
}

func describe(ops []model.Operation) string {
	var out []string
	for _, o := range ops {
		s := fmt.Sprintf("%s %s %s", o.Action, o.Target.Kind, o.Target.Number)
		add := func(name, v string) {
			if v != "" {
				s += " " + name + "=" + strings.ReplaceAll(v, "\n", "/")
			}
		}
		add("art", o.Article)
		add("para", o.Paragraph)
		add("label", o.Label)
		add("manual", o.Manual)
		if o.Action == model.ReplaceText || o.Action == model.DeleteText {
			add("old", o.Old)
		}
		add("new", o.New)
		out = append(out, s)
	}
	return strings.Join(out, "\n")
}

type clause struct {
	name, text, want string
	lang             model.Lang
	main             model.Target
}

func clauses(t testing.TB) []clause {
	t.Helper()
	b, err := os.ReadFile("testdata/clauses.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []clause
	for _, block := range strings.Split(string(b), "=== ")[1:] {
		head, rest, _ := strings.Cut(block, "\n")
		h := strings.Split(head, "|")
		c := clause{name: strings.TrimSpace(h[0]), lang: model.Lang(strings.TrimSpace(h[1]))}
		if f := strings.Fields(h[2]); len(f) == 2 {
			c.main = model.Target{Kind: f[0], Number: model.Number(f[1])}
		}
		var want []string
		for line := range strings.Lines(rest) {
			if w, ok := strings.CutPrefix(line, "--- "); ok {
				want = append(want, strings.TrimSpace(w))
			} else {
				c.text += line
			}
		}
		c.text, c.want = strings.TrimSpace(c.text), strings.Join(want, "\n")
		out = append(out, c)
	}
	return out
}

func TestRead(t *testing.T) {
	r, f := reader(t)
	for _, c := range clauses(t) {
		t.Run(c.name, func(t *testing.T) {
			p := &model.Piece{Kind: model.PieceKind(model.Article), EID: "art_1", Text: c.text}
			if got := describe(r.Read(p, c.lang, c.main, f.Find(c.text, c.lang, p.Kind))); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// Whatever the text, operations lie inside it and nothing panics.
func FuzzRead(f *testing.F) {
	r, finds := reader(f)
	for _, c := range clauses(f) {
		f.Add(c.text, c.lang == "ara")
	}
	f.Fuzz(func(t *testing.T, text string, arabic bool) {
		lang := model.Lang("fra")
		if arabic {
			lang = "ara"
		}
		p := &model.Piece{EID: "art_1", Text: text}
		main := model.Target{Kind: "loi", Number: "90-26"}
		for _, o := range r.Read(p, lang, main, finds.Find(text, lang, "article")) {
			if o.Start < 0 || o.End > len(text) || o.Start > o.End {
				t.Fatalf("%+v in %q", o, text)
			}
		}
	})
}

func article(label, text string, position int64) Version {
	return Version{Piece: model.Piece{Kind: "article", EID: "art_" + label, Label: label, Num: "Article " + label, Text: text, From: "2026-09-03"}, Position: position << 10}
}

func base() []Version {
	return []Version{article("1", "The rule applies.", 1), article("4", "Answer within fifteen days.\nThe local authority signs.", 2), article("5", "Old.", 3)}
}

func show(vs []Version) string {
	var out []string
	for _, v := range vs {
		text := strings.ReplaceAll(v.Text, "\n", "/")
		if v.Repealed {
			text = "(repealed)"
		}
		out = append(out, fmt.Sprintf("%s %s..%s %s", v.EID, v.From, v.Until, text))
	}
	return strings.Join(out, "\n")
}

func change(id string, day model.Date, by string, o model.Operation) Change {
	return Change{Operation: o, ID: id, Day: day, By: by}
}

func TestApply(t *testing.T) {
	got, outcomes := Apply(base(), []Change{
		// Given out of order on purpose: they are carried out by their days.
		change("b", "2026-11-12", "/w/2", model.Operation{Action: model.Substitute, Article: "4", Paragraph: "2", New: "The mayor signs."}),
		change("a", "2026-10-15", "/w/1", model.Operation{Action: model.Substitute, Article: "4", New: "Answer within ten days.\nThe local authority signs."}),
		change("c", "2026-10-15", "/w/1", model.Operation{Action: model.Insert, Article: "4", Label: "4bis", Old: "Article 4 bis", New: "Repair it."}),
		change("d", "2026-11-12", "/w/2", model.Operation{Action: model.Delete, Article: "5"}),
		change("e", "2026-11-12", "/w/2", model.Operation{Action: model.ReplaceText, Old: "rule", New: "law"}),
		change("f", "2026-11-12", "/w/2", model.Operation{Action: model.Substitute, Article: "99", New: "x"}),
		change("g", "2026-11-12", "/w/2", model.Operation{Action: model.ReplaceText, Article: "1", Old: "nowhere", New: "x"}),
		change("h", "2026-11-12", "/w/2", model.Operation{Action: model.Insert, Article: "4", Label: "5", New: "x"}),
		change("i", "", "/w/3", model.Operation{Action: model.Delete, Article: "1"}),
		change("j", "2026-11-12", "/w/2", model.Operation{Action: model.Delete, Article: "1", Manual: Conditional}),
	})
	want := `art_1 2026-09-03..2026-11-12 The rule applies.
art_1 2026-11-12.. The law applies.
art_4 2026-09-03..2026-10-15 Answer within fifteen days./The local authority signs.
art_4 2026-10-15..2026-11-12 Answer within ten days./The local authority signs.
art_4 2026-11-12.. Answer within ten days./The mayor signs.
art_4bis 2026-10-15.. Repair it.
art_5 2026-09-03..2026-11-12 Old.
art_5 2026-11-12.. (repealed)`
	if s := show(got); s != want {
		t.Errorf("got\n%s\nwant\n%s", s, want)
	}
	reasons := map[string]string{}
	for _, o := range outcomes {
		reasons[o.ID] = o.Reason
	}
	for id, want := range map[string]string{"a": "", "b": "", "c": "", "d": "", "e": "", "f": ArticleAbsent, "g": WordsAbsent, "h": AlreadyThere, "i": NoDate, "j": Conditional} {
		if reasons[id] != want {
			t.Errorf("change %s: %q, want %q", id, reasons[id], want)
		}
	}
}

// At every day exactly one wording of each piece holds, from its first day on.
func FuzzApply(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5})
	f.Add([]byte{7, 7, 7, 1, 1, 9, 30, 31, 200})
	f.Fuzz(func(t *testing.T, program []byte) {
		if len(program) > 400 {
			return
		}
		days := []model.Date{"2026-10-01", "2026-10-15", "2026-11-12", "2026-10-15"}
		actions := []model.Action{model.Substitute, model.Insert, model.Append, model.Delete, model.ReplaceText, model.DeleteText}
		labels := []string{"1", "4", "4bis", "5", "6"}
		var changes []Change
		for i, b := range program {
			changes = append(changes, change(fmt.Sprint(i), days[int(b)%len(days)], "/w", model.Operation{Action: actions[int(b/4)%len(actions)],
				Article: labels[int(b/8)%len(labels)], Label: labels[int(b/16)%len(labels)], Old: "the", New: "the new"}))
		}
		all, outcomes := Apply(base(), changes)
		if len(outcomes) != len(changes) {
			t.Fatalf("%d outcomes of %d changes", len(outcomes), len(changes))
		}
		for _, day := range []model.Date{"2026-09-03", "2026-10-01", "2026-10-15", "2026-11-12", "2027-01-01"} {
			seen := map[string]bool{}
			for _, v := range all {
				if v.From <= day && (v.Until == "" || day < v.Until) {
					if seen[v.EID] {
						t.Fatalf("two wordings of %s on %s:\n%s", v.EID, day, show(all))
					}
					seen[v.EID] = true
				}
			}
			if !seen["art_1"] || !seen["art_4"] || !seen["art_5"] {
				t.Fatalf("a piece is lost on %s:\n%s", day, show(all))
			}
		}
	})
}
