package web

import (
	"bytes"
	"errors"
	"html/template"
	"strings"
	"testing"

	"diwan/internal/gov"
)

type inner struct{ ID, Name string }

// Hello greets with a word.
func (i *inner) Hello(word string) string { return word + " " + i.Name }

type sampleData struct {
	*inner
	Text   gov.Text
	Items  []inner
	Ptrs   []*inner
	Map    map[string]string
	N      int64
	Yes    bool
	Lang   gov.Lang
	Date   gov.Date
	HTML   template.HTML
	JS     template.JS
	URL    string
	Nil    *inner
	Any    any
	Nested struct{ Deep struct{ Value string } }
}

func sample(s string) sampleData {
	d := sampleData{inner: &inner{"id-1", s}, Text: gov.Text{"fr": s}, Items: []inner{{"a", s}, {"b", ""}}, Ptrs: []*inner{{"c", s}},
		Map: map[string]string{"k": s}, N: 7, Yes: true, Lang: "fr", Date: gov.Date{Year: 2026, Month: 1, Day: 2}, HTML: template.HTML("<b>" + "x</b>"),
		JS: `{"a":"\u003c"}`, URL: s, Any: s}
	d.Nested.Deep.Value = s
	return d
}

var sampleFuncs = template.FuncMap{
	"shout": func(s string) template.HTML { return template.HTML("<i>" + template.HTMLEscapeString(s) + "</i>") },
	"plain": func(t gov.Text) string { return t["fr"] },
	"t":     func(key string, pairs ...any) string { return key },
	"fail":  func(s string) (string, error) { return "", errors.New("failed") },
	"num":   func(n any) (string, error) { return "n", nil },
}

// samples use everything that pages use, and some of what they must never do.
var samples = []string{
	`{{.Name}} {{.ID}} {{.Lang}} {{.Date}} {{.N}} {{.Yes}} {{.HTML}}`,
	`<a href="/x/{{.ID}}?q={{.Name}}" title="{{.Name}}">{{.Name}}</a>`,
	`<a href="{{.URL}}">x</a><a href="{{.Name}}/y">x</a><a href="/{{.Lang}}{{.URL}}#{{.ID}}">y</a>`,
	`<title>{{.Name}} · {{.Name}}</title><textarea>{{.Name}}</textarea>`,
	`<script type="application/ld+json">{{.JS}}</script>`,
	`{{range .Items}}{{.Name}}-{{.ID}};{{else}}none{{end}}{{range $i, $p := .Ptrs}}{{$i}}{{$p.Name}}{{$.Name}}{{end}}`,
	`{{with .Nil}}{{.Name}}{{else}}nobody{{end}}{{with .Ptrs}}{{len .}}{{end}}{{if and .Yes (eq .N 7)}}y{{end}}{{if or .Nil .Name}}o{{end}}`,
	`{{if not .Nil}}n{{end}}{{if ne .Lang "ar"}}x{{end}}{{if gt .N 3}}g{{end}}{{index .Map "k"}}{{index .Map "none"}}{{.Map.k}}`,
	`{{shout .Name}} {{plain .Text}} {{t "a.b" "name" .Name}} {{num .N}} {{print "p." .ID}} {{.Hello "hi"}} {{(index .Ptrs 0).Name}}`,
	`{{$x := .Name}}{{if .Yes}}{{$x := "in"}}{{$x}}{{end}}{{$x}}{{$x = "new"}}{{$x}}`,
	`{{range .Ptrs}}{{template "part" .}}{{end}}{{define "part"}}[{{.Name}}]{{if false}}{{template "part" .}}{{end}}{{end}}`,
	`{{.Nested.Deep.Value}} {{.Any}} {{.HTML}} <p title="{{.HTML}}">`,
	`<p onclick="f({{.Name}})" style="color: {{.Name}}">{{.Name}}</p>`,
	`{{printf "%d-%s" .N .Name}}`,
	`{{range .Map}}{{.}}{{end}}`,
	`{{.Nil.Name}}`,
	`{{fail .Name}}`,
	`{{.NoSuchField}}`,
}

// Whatever a page says and whatever data it gets: the compiled program writes
// what html/template writes, or leaves the page to it.
func FuzzProgramWritesTheSame(f *testing.F) {
	for _, s := range []string{"plain", `<script>alert("1")</script>`, `a+b & 'c' "d"`, "javascript:alert(1)", "https://x/?a=1&b=%20", "\x00\u202e", "/ok/path?x=y"} {
		f.Add(s)
	}
	urls := newURLEscapers()
	f.Fuzz(func(t *testing.T, s string) {
		for _, text := range samples {
			compare(t, urls, text, sample(s))
		}
	})
}

func compare(t *testing.T, urls *urlEscapers, text string, data any) {
	t.Helper()
	page, err := template.New("layout").Funcs(sampleFuncs).Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	var want bytes.Buffer
	wantErr := template.Must(page.Clone()).Execute(&want, data)
	p := newProgram(page, "layout", sampleFuncs, nil, urls)
	if p == nil {
		return // html/template runs it itself
	}
	var got bytes.Buffer
	err = p.run(&got, "layout", data)
	switch {
	case errors.Is(err, errBeyond):
	case (err == nil) != (wantErr == nil):
		t.Errorf("%s: error %v, html/template says %v", text, err, wantErr)
	case err == nil && got.String() != want.String():
		t.Errorf("%s:\n got %q\nwant %q", text, got.String(), want.String())
	}
}

// What pages use must really be compiled, or the comparison would prove nothing.
func TestSamplesAreCompiled(t *testing.T) {
	for i, text := range samples[:12] {
		page := template.Must(template.New("layout").Funcs(sampleFuncs).Parse(text))
		p := newProgram(page, "layout", sampleFuncs, nil, newURLEscapers())
		if p == nil {
			t.Errorf("sample %d is not compiled: %s", i, text)
			continue
		}
		var b bytes.Buffer
		if err := p.run(&b, "layout", sample("x")); err != nil && !strings.Contains(text, `title="{{.HTML}}"`) && !strings.Contains(text, "index .Ptrs 0") {
			t.Errorf("sample %d: %v", i, err)
		}
	}
}
