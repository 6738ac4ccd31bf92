package pdf

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// texts are the lines of one language: a title, two visas, the enacting
// formula, then articles.
func texts(t testing.TB, lang string) []string {
	t.Helper()
	b, err := os.ReadFile("testdata/" + lang + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSpace(string(b)), "\n")
}

func gazette(t testing.TB, lang, word string, columns, repeat int) *Doc {
	lines := texts(t, lang)
	d := New(Meta{Title: lines[0], Lang: lang, Author: "Test", Subject: "A <test> & more", Keywords: []string{"a", "b"}, Date: time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)})
	d.PageHeader(func(p PageInfo) Running {
		return Running{Lang: lang, Start: lines[3], Center: "N° 12", End: itoa(p.Number), Rule: true}
	})
	d.PageFooter(func(p PageInfo) Running {
		return Running{Lang: lang, Center: itoa(p.Number) + " / " + itoa(p.Total)}
	})
	d.Heading(1, lang, lines[0])
	d.Columns(columns, 20)
	body := Style{Size: 9.5, Align: Justify, After: 4}
	for range repeat {
		d.Heading(2, lang, lines[3])
		for _, l := range lines[1:3] {
			d.Paragraph(lang, l, Style{Size: 9.5, Align: Justify, First: 12, After: 3})
		}
		for i, l := range lines[4:] {
			d.Article(lang, word+" "+itoa(i+1)+".", l, body)
		}
	}
	d.Columns(1, 0)
	d.Rows(Table{Lang: lang, Widths: []float64{1, 2, 1}, Header: true, Grid: true, Style: Style{Size: 9}}, [][]string{{lines[3], "2025", "12-31"}, {"a", lines[1], "3"}, {"b", lines[2], ""}})
	return d
}

func render(t testing.TB, d *Doc) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := d.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// save keeps a file where a person can look at it, when DIWAN_PDF_OUT says so.
func save(t testing.TB, name string, b []byte) string {
	t.Helper()
	dir := os.Getenv("DIWAN_PDF_OUT")
	if dir == "" {
		dir = t.TempDir()
	}
	p := filepath.Join(dir, name)
	if err := os.WriteFile(p, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func tool(t testing.TB, name string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed (package poppler-utils): reading back is not tested", name)
	}
	var out, bad bytes.Buffer
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &bad
	if err := cmd.Run(); err != nil || bad.Len() > 0 {
		t.Fatalf("%s: %v %s", name, err, bad.String())
	}
	return out.String()
}

// words cuts text into words without the marks that readers add for direction.
func words(s string) []string {
	s = strings.Map(func(r rune) rune {
		if r >= 0x200e && r <= 0x200f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return -1
		}
		return r
	}, s)
	return strings.Fields(s)
}

func TestTextReadsBack(t *testing.T) {
	for _, c := range []struct{ lang, word string }{{"ar", "12"}, {"fr", "Article"}} {
		t.Run(c.lang, func(t *testing.T) {
			p := save(t, c.lang+".pdf", render(t, gazette(t, c.lang, c.word, 1, 1)))
			got := strings.Join(words(tool(t, "pdftotext", p, "-")), " ")
			for _, l := range texts(t, c.lang) {
				if want := strings.Join(words(l), " "); !strings.Contains(got, want) {
					t.Errorf("not read back: %s", want)
				}
			}
		})
	}
}
