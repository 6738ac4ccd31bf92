package form_test

import (
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"golang.org/x/net/html"

	"diwan/internal/casework/form"
	uploaded "diwan/internal/casework/upload"
	"diwan/internal/gov"
	"diwan/internal/i18n"
	"diwan/internal/web"
)

type stoppedClock struct{ gov.Clock }

// site renders the package's templates through the house's compiler, each page a
// second time by html/template.
func site(t *testing.T) *web.Site {
	t.Helper()
	words, err := i18n.Load([]string{"ar", "fr", "zgh", "en"}, nil, web.Messages(), form.Messages(), uploaded.Messages())
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	for _, name := range []string{"_form.html", "form-page.html", "form-check.html"} {
		b, err := os.ReadFile("../templates/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = &fstest.MapFile{Data: b}
	}
	s, err := web.NewSite(web.Site{Country: pack(t).Country, Words: words, Clock: stoppedClock{}, Log: slog.New(slog.DiscardHandler), Verify: true},
		[]web.TemplateSet{{Slice: "casework", Files: files}})
	if err != nil {
		t.Fatal(err)
	}
	if slow := s.Slow(); len(slow) > 0 {
		t.Errorf("not compiled: %v", slow)
	}
	return s
}

func look(t *testing.T, s *web.Site, l gov.Lang) form.Look {
	return form.Look{World: world(t, l), Words: s.Words.Printer(string(l)), Format: s.Formats[l], Action: "/" + string(l) + "/me/cases/1/x", Back: "/back",
		Change: func(page, field string) string { return "/" + string(l) + "/me/cases/1/" + page + "#" + field }}
}

func render(t *testing.T, s *web.Site, l gov.Lang, template string, data any) *html.Node {
	t.Helper()
	b, err := s.Render(l, gov.Actor{}, web.Page{Template: "casework/" + template, Title: "t", Path: "/", Hidden: true, Data: data})
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"ZgotmplZ", "[ask.", "[problem.", "<no value>", "map["} {
		if i := strings.Index(string(b), bad); i >= 0 {
			t.Errorf("%s in %s: %s", bad, l, b[max(0, i-200):min(len(b), i+200)])
		}
	}
	n, err := html.Parse(strings.NewReader(string(b)))
	if err != nil {
		t.Fatal(err)
	}
	sound(t, n, fmt.Sprint(l, " ", template))
	return n
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// find returns the elements with a name, and an attribute when one is given.
func find(n *html.Node, tag, key, value string) []*html.Node {
	var out []*html.Node
	for d := range n.Descendants() {
		if d.Type == html.ElementNode && d.Data == tag && (key == "" || attr(d, key) == value) {
			out = append(out, d)
		}
	}
	return out
}

func content(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// sound checks what every page promises: ids once, every input labelled, every
// reference leading somewhere, one heading.
func sound(t *testing.T, n *html.Node, page string) {
	t.Helper()
	ids := map[string]*html.Node{}
	labels := map[string]bool{}
	for d := range n.Descendants() {
		if d.Type != html.ElementNode {
			continue
		}
		if id := attr(d, "id"); id != "" {
			if ids[id] != nil {
				t.Errorf("%s: the id %q stands twice", page, id)
			}
			ids[id] = d
		}
		if d.Data == "label" {
			labels[attr(d, "for")] = true
		}
	}
	for d := range n.Descendants() {
		if d.Type != html.ElementNode {
			continue
		}
		for _, id := range strings.Fields(attr(d, "aria-describedby") + " " + attr(d, "aria-labelledby")) {
			if ids[id] == nil {
				t.Errorf("%s: %s refers to %q, which is not there", page, d.Data, id)
			}
		}
		if href := attr(d, "href"); d.Data == "a" && strings.HasPrefix(href, "#") && ids[href[1:]] == nil {
			t.Errorf("%s: a link leads to %s, which is not there", page, href)
		}
		if d.Data == "input" && attr(d, "type") != "hidden" || d.Data == "select" || d.Data == "textarea" {
			if d.Parent.Data != "label" && !labels[attr(d, "id")] {
				t.Errorf("%s: %q has no label", page, attr(d, "name"))
			}
		}
		if d.Data == "fieldset" && len(find(d, "legend", "", "")) == 0 {
			t.Errorf("%s: a fieldset has no legend", page)
		}
	}
	if got := len(find(n, "h1", "", "")); got != 1 {
		t.Errorf("%s has %d headings", page, got)
	}
}

// Every page of every form in every language: empty, with everything wrong, and
// with answers.
func TestEveryPageInEveryLanguage(t *testing.T) {
	s := site(t)
	for _, path := range append(slices.Clone(countryForms), "testdata/kinds.json") {
		f := parse(t, path)
		full := form.Answers{"colour": "green", "sure": true, "land": map[string]any{"registered": true}, "owners": []any{map[string]any{"name": "A", "share": int64(70)}, map[string]any{}},
			"levels": []any{map[string]any{}}, "paper": []any{map[string]any{"ref": "r", "name": "<b>.pdf", "size": int64(5000)}}, "day": "2020-02-01", "born": "1990-03-27",
			"honour": map[string]any{"agreed": true, "on": "2026-03-02"}, "whose": "ward", "home": map[string]any{"region": "oriental", "municipality": "C"}}
		for _, l := range []gov.Lang{"ar", "fr", "zgh", "en"} {
			for _, a := range []form.Answers{nil, full} {
				lk := look(t, s, l)
				lk.Problems = f.Check(a, lk.World)
				lk.Filled = []string{"firm"}
				for _, id := range f.Pages(a) {
					v, ok := f.View(id, a, lk)
					if !ok {
						t.Fatalf("%s is not reached", id)
					}
					render(t, s, l, "form-page", v)
				}
				render(t, s, l, "form-check", f.Summary(a, lk))
			}
		}
	}
}

func TestPageOfOneQuestion(t *testing.T) {
	s := site(t)
	f := parse(t, countryForms[0])
	lk := look(t, s, "ar")
	a := form.Answers{"land": map[string]any{"registered": true}}
	in := fields("land.title", "45817-")
	a, lk.Problems = f.Read("land-title", in, a, lk.World)
	lk.Typed = in
	v, _ := f.View("land-title", a, lk)
	n := render(t, s, "ar", "form-page", v)
	input := find(n, "input", "name", "land.title")[0]
	for key, want := range map[string]string{"value": "45817-", "dir": "ltr", "aria-invalid": "true", "aria-describedby": "land.title-h land.title-e", "spellcheck": "false", "id": "land.title"} {
		if got := attr(input, key); got != want {
			t.Errorf("%s = %q, want %q", key, got, want)
		}
	}
	if h := find(n, "h1", "", "")[0]; len(find(h, "label", "for", "land.title")) != 1 {
		t.Error("the label is not the heading")
	}
	links := find(find(n, "div", "class", "error-sum")[0], "a", "", "")
	if len(links) != 1 || attr(links[0], "href") != "#land.title" || content(links[0]) != content(find(n, "p", "id", "land.title-e")[0])[len(content(find(find(n, "p", "id", "land.title-e")[0], "span", "class", "sr")[0]))+1:] {
		t.Errorf("the summary of errors does not lead to the field, or says something else")
	}
	if p := find(n, "progress", "", "")[0]; attr(p, "max") == "" || attr(p, "value") == "0" {
		t.Error("no progress")
	}
}

func TestInputsKnowWhatTheyAsk(t *testing.T) {
	s := site(t)
	f := kindsForm(t)
	lk := look(t, s, "ar")
	page := func(id string, a form.Answers) *html.Node {
		v, ok := f.View(id, a, lk)
		if !ok {
			t.Fatal(id)
		}
		return render(t, s, "ar", "form-page", v)
	}
	people := page("people", form.Answers{"phone": "+212612345678"})
	for _, tt := range []struct{ name, key, want string }{
		{"who.given", "dir", "rtl"}, {"who.given_latin", "dir", "ltr"}, {"who.given", "autocomplete", "given-name"}, {"phone", "type", "tel"},
		{"phone", "value", "+212 6 12 34 56 78"}, {"phone", "autocomplete", "tel"}, {"mail", "type", "email"}, {"home.postcode", "inputmode", "numeric"}, {"place.lat", "inputmode", "decimal"},
		{"home.municipality", "dir", "auto"},
	} {
		input := find(people, "input", "name", tt.name)
		if len(input) != 1 || attr(input[0], tt.key) != tt.want {
			t.Errorf("%s of %s is %q, want %q", tt.key, tt.name, attr(input[0], tt.key), tt.want)
		}
	}
	if options := find(find(people, "select", "name", "home.region")[0], "option", "", ""); len(options) != 13 {
		t.Errorf("%d regions to choose", len(options))
	}
	day := page("day", form.Answers{"day": "2020-02-01"})
	if in := find(day, "input", "name", "day.month")[0]; attr(in, "value") != "2" || attr(in, "autocomplete") != "bday-month" || attr(in, "inputmode") != "numeric" {
		t.Error("the month is not asked for rightly")
	}
	owners := page("owners", form.Answers{"owners": []any{map[string]any{"name": "A"}, map[string]any{"name": "B"}}})
	if got := find(owners, "button", "name", form.FieldRemove); len(got) != 2 || attr(got[1], "value") != "owners.1" {
		t.Errorf("%d items can be removed", len(got))
	}
	if got := find(owners, "button", "name", form.FieldAdd); len(got) != 1 || attr(got[0], "value") != "owners" {
		t.Error("no item can be added")
	}
	papers := page("papers", form.Answers{"paper": []any{map[string]any{"ref": "r1", "name": "a.pdf", "size": int64(2048)}}})
	if got := find(papers, "button", "name", form.FieldDrop); len(got) != 1 || attr(got[0], "value") != "paper:r1" {
		t.Error("the file can't be removed")
	}
	if fm := find(papers, "form", "", "")[0]; attr(fm, "enctype") != "multipart/form-data" {
		t.Error("files are not sent")
	}
	if shown := find(page("one", nil), "input", "name", form.FieldShown); len(shown) != 3 {
		t.Errorf("%d questions are said to be shown", len(shown))
	}
}

// A browser posts what the page holds, and Read takes the same back.
func TestWhatIsShownReadsBack(t *testing.T) {
	s := site(t)
	for _, path := range countryForms {
		f := parse(t, path)
		w := world(t, "ar")
		w.Uploads = upload("plans", "studies", "surfaces")
		a := journey(t, f, w, sample(t, strings.Replace(path, root+"/country/ma/forms", "testdata", 1)))
		for _, l := range []gov.Lang{"ar", "fr", "en"} {
			lk := look(t, s, l)
			for _, id := range f.Pages(a) {
				v, _ := f.View(id, a, lk)
				b, ps := f.Read(id, posted(render(t, s, l, "form-page", v)), a, lk.World)
				if len(ps) > 0 {
					t.Errorf("%s, %s: %+v", id, l, ps)
				}
				x, _ := a.JSON()
				y, _ := b.JSON()
				if string(x) != string(y) {
					t.Errorf("%s, %s:\n%s\n%s", id, l, x, y)
				}
			}
		}
	}
}

// posted is what a browser sends for a form when its first button is pressed.
func posted(n *html.Node) url.Values {
	out := url.Values{}
	for d := range n.Descendants() {
		if d.Type != html.ElementNode {
			continue
		}
		name := attr(d, "name")
		switch {
		case name == "":
		case d.Data == "textarea":
			out.Add(name, content(d))
		case d.Data == "select":
			for _, o := range find(d, "option", "", "") {
				if hasAttr(o, "selected") {
					out.Add(name, attr(o, "value"))
				}
			}
		case d.Data != "input" || attr(d, "type") == "file":
		case attr(d, "type") == "radio" || attr(d, "type") == "checkbox":
			if hasAttr(d, "checked") {
				out.Add(name, attr(d, "value"))
			}
		default:
			out.Add(name, attr(d, "value"))
		}
	}
	return out
}

func hasAttr(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// What people type is text on every page, never markup.
func TestAnswersAreNoMarkup(t *testing.T) {
	s := site(t)
	f := kindsForm(t)
	evil := `"><script>alert(1)</script>{{t "x"}}`
	lk := look(t, s, "fr")
	lk.Typed = fields("size", evil)
	a, ps := f.Read("one", fields("name", evil, "about", evil), nil, lk.World)
	lk.Problems = append(ps, form.Problem{Path: "size", Code: "answer.number", Page: "numbers"})
	for _, id := range []string{"one", "numbers"} {
		v, _ := f.View(id, a, lk)
		n := render(t, s, "fr", "form-page", v)
		for _, x := range find(n, "script", "", "") {
			if attr(x, "src") == "" {
				t.Errorf("a script on %s: %s", id, content(x))
			}
		}
	}
	n := render(t, s, "fr", "form-check", f.Summary(a, lk))
	if len(find(n, "dl", "", "")) == 0 || !strings.Contains(content(n), "<script>alert(1)") {
		t.Error("the answer is not shown as it was typed")
	}
}

func TestSummary(t *testing.T) {
	s := site(t)
	f := parse(t, countryForms[0])
	w := world(t, "ar")
	w.Uploads = upload("plans", "surfaces")
	a := journey(t, f, w, sample(t, "testdata/building-permit.json"))
	lk := look(t, s, "fr")
	lk.Hijri = func(d gov.Date) gov.Text { return gov.Text{"fr": "Hijri " + d.String()} }
	lk.Problems = f.Check(a, lk.World)
	sum := f.Summary(a, lk)
	if sum.Missing != 1 || len(sum.Errors) != 0 {
		t.Errorf("missing %d, errors %v", sum.Missing, sum.Errors)
	}
	n := render(t, s, "fr", "form-check", sum)
	all := content(n)
	for _, want := range []string{"45817/13", "260,5 m²", "1\u202f200\u202f000,50", "plans.pdf", "Hijri 2026-03-02", "34.0209, -6.8416", "+212 6 12 34 56 78", "Niveau 2", "il manque 1 pièce"} {
		if !strings.Contains(strings.ToLower(all), strings.ToLower(strings.Join(strings.Fields(want), " "))) {
			t.Errorf("the summary lacks %q", want)
		}
	}
	if len(find(n, "a", "href", "/fr/me/cases/1/land-title#land.title")) != 1 {
		t.Error("the title can't be changed")
	}
}
