package cite

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"diwan/internal/gazette/grammar"
	"diwan/internal/gazette/model"
)

// finder compiles the built-in country's words, as the program does.
func finder(t testing.TB) *Finder {
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
	var c Config
	read("gazette.json", &gc)
	read("gazette-citations.json", &c)
	g, err := grammar.New(gc)
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(g, c)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func describe(cs []model.Citation) string {
	var out []string
	for _, c := range cs {
		relation, kind := string(c.Relation), c.Target.Kind
		if c.Aside {
			relation = "aside"
		}
		if c.Target.Self {
			kind = "self"
		}
		out = append(out, strings.Join([]string{relation, kind, dash(string(c.Target.Number)), dash(string(c.Target.Date)),
			dash(strings.Join(c.Target.Articles, ",")), dash(c.Target.Paragraph)}, " "))
	}
	return strings.Join(out, "; ")
}

func TestFind(t *testing.T) {
	f := finder(t)
	b, err := os.ReadFile("testdata/citations.txt")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		p := strings.SplitN(line, "|", 4)
		if len(p) != 4 {
			t.Fatalf("%q is not a case", line)
		}
		text := strings.TrimSpace(p[2])
		got := f.Find(text, model.Lang(strings.TrimSpace(p[0])), model.PieceKind(strings.TrimSpace(p[1])))
		if s := describe(got); s != strings.TrimSpace(p[3]) {
			t.Errorf("%s\n got %s\nwant %s", text, s, strings.TrimSpace(p[3]))
		}
		for _, c := range got {
			if c.Start < 0 || c.End > len(text) || text[c.Start:c.End] != c.Printed {
				t.Errorf("%s: %q is not what stands at %d", text, c.Printed, c.Start)
			}
		}
		n++
	}
	if n < 10 {
		t.Errorf("only %d cases", n)
	}
}

// Whatever the text, citations lie inside it, in order, and nothing panics.
func FuzzFind(f *testing.F) {
	fi := finder(f)
	b, err := os.ReadFile("testdata/citations.txt")
	if err != nil {
		f.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if p := strings.SplitN(line, "|", 4); len(p) == 4 {
			f.Add(p[2], p[0][0] == 'a')
		}
	}
	f.Fuzz(func(t *testing.T, text string, arabic bool) {
		lang := model.Lang("fra")
		if arabic {
			lang = "ara"
		}
		for _, c := range fi.Find(text, lang, model.PieceVisa) {
			if c.Start < 0 || c.Start >= c.End || c.End > len(text) || text[c.Start:c.End] != c.Printed {
				t.Fatalf("%+v in %q", c, text)
			}
		}
	})
}
