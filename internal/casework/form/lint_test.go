package form_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"diwan/internal/casework/form"
	"diwan/internal/gov"
)

// Each rule of publishing has a form that breaks it.
func TestLint(t *testing.T) {
	sound := form.Published{Procedure: "sample", ApplicationTypes: []string{"form"}, Documents: []form.Required{
		{ID: "paper"}, {ID: "title", ByAdministration: true, From: "registry"}, {ID: "request", Type: "form"}}}
	for _, tt := range []struct {
		name  string
		bend  func(d tree, p *form.Published)
		want  []string
		stops bool
	}{
		{"sound", func(tree, *form.Published) {}, nil, false},
		{"another procedure", func(_ tree, p *form.Published) { p.Procedure = "other" }, []string{"procedure.other"}, true},
		{"a document outside the procedure", func(d tree, _ *form.Published) { questionOf(d, 7, 0)["evidence"] = "bill" }, []string{"evidence.unknown", "evidence.forgotten"}, true},
		{"a file that is no document", func(d tree, _ *form.Published) { delete(questionOf(d, 7, 0), "evidence") }, []string{"file.unlisted", "evidence.forgotten"}, true},
		{"held by another administration", func(_ tree, p *form.Published) { p.Documents[0].ByAdministration = true }, []string{"evidence.held"}, true},
		{"fetched from elsewhere", func(_ tree, p *form.Published) { p.Documents[1].From = "another" }, []string{"once.other"}, true},
		{"the application itself", func(_ tree, p *form.Published) { p.Documents[0].Type = "form" }, []string{"evidence.application"}, true},
		{"certified copy", func(_ tree, p *form.Published) { p.Documents[0].Certified = true }, []string{"ban.certified"}, true},
		{"two copies", func(_ tree, p *form.Published) { p.Documents[0].Copies = 2 }, []string{"ban.copies"}, true},
		{"legalised", func(_ tree, p *form.Published) { p.Documents[0].Legalised = true }, []string{"ban.legalised"}, true},
		{"not personal", func(_ tree, p *form.Published) { p.Documents[0].NotPersonal = true }, []string{"ban.not_personal"}, true},
		{"banned by its wording", func(d tree, _ *form.Published) {
			questionOf(d, 7, 0)["hint"] = tree{"fr": "Une copie CERTIFIEE, conforme, svp", "en": "x"}
		}, []string{"ban.certified"}, true},
		{"the same document twice", func(d tree, _ *form.Published) { questionOf(d, 7, 1)["evidence"] = "paper" }, []string{"evidence.twice"}, true},
		{"a document never asked for", func(_ tree, p *form.Published) {
			p.Documents = append(p.Documents, form.Required{ID: "more"})
		}, []string{"evidence.forgotten"}, false},
	} {
		d := doc(t)
		p := sound
		p.Documents = slices.Clone(sound.Documents)
		tt.bend(d, &p)
		f, err := form.Parse(encode(t, d))
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		var got []string
		findings := form.Lint(f, p, bans(t))
		for _, x := range findings {
			got = append(got, x.Code)
			if len(x.Articles) == 0 {
				t.Errorf("%s: %s names no article", tt.name, x.Code)
			}
			if !words(t).Has("fr", "ask.lint."+x.Code) {
				t.Errorf("%s has no sentence", x.Code)
			}
		}
		if !slices.Equal(got, tt.want) || len(form.Stops(findings)) > 0 != tt.stops {
			t.Errorf("%s: findings %v, want %v", tt.name, got, tt.want)
		}
	}
}

// A first form made of each published procedure is sound and asks for nothing
// that the law forbids.
func TestFromProcedure(t *testing.T) {
	c := words(t)
	for _, id := range []string{"building-permit", "birth-extract", "residence-certificate", "demolition-permit"} {
		pub := published(t, id)
		f, err := form.FromProcedure(form.Facts{Published: pub, Name: gov.Text{"fr": id}, Languages: []gov.Lang{"ar", "fr", "zgh", "en"}, Review: []gov.Lang{"zgh"},
			Say:    func(l gov.Lang, key string) string { return c.Printer(string(l)).T(key) },
			Scheme: "cin", Routes: map[string]form.Once{"property": {Service: "X/Y/Z", Fields: []string{"number"}, Days: 30}}})
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		for _, x := range form.Lint(f, pub, bans(t)) {
			t.Errorf("%s: %s %s %v", id, x.Path, x.Code, x.Args)
		}
		if pages := f.Pages(nil); pages[0] != "applicant" || pages[len(pages)-1] != "declaration" {
			t.Errorf("%s: pages %v", id, pages)
		}
	}
}

func text(s string) gov.Text { return gov.Text{"fr": s, "en": s} }

// Each change of the builder, and what is refused.
func TestEdit(t *testing.T) {
	base := kindsForm(t)
	before := string(base.JSON())
	question := func(name, kind string) *form.Question {
		return &form.Question{Name: name, Kind: kind, Label: text(name)}
	}
	coloured := &form.Question{Name: "shade", Kind: "choice", Label: text("x"), Options: []form.Option{{Value: "a", Label: text("a")}}}
	for _, tt := range []struct {
		op   form.Op
		code string // "" when it is applied
		has  string // in the document
	}{
		{form.Op{Do: "page.add", At: -1, Page: &form.Page{ID: "new", Title: text("New"), Questions: []form.Question{*question("fresh.day", "date")}}}, "", `"fresh.day"`},
		{form.Op{Do: "page.add", Page: &form.Page{ID: "one", Title: text("New"), Questions: []form.Question{*question("fresh", "text")}}}, "page.id", ""},
		{form.Op{Do: "page.add", Page: &form.Page{ID: "kids", Title: text("Kids"), Repeat: &form.Repeat{Name: "kids", Max: 4, Title: text("Kid {n}")}, Questions: []form.Question{*question("name", "text")}}}, "", `"kids"`},
		{form.Op{Do: "page.add", Page: &form.Page{ID: "empty", Title: text("Empty")}}, "page.empty", ""},
		{form.Op{Do: "page.remove", On: "day"}, "", ""},
		{form.Op{Do: "page.remove", On: "choices"}, "expression.bad", ""}, // a condition speaks of it
		{form.Op{Do: "page.remove", On: "nowhere"}, "edit.page", ""},
		{form.Op{Do: "page.move", On: "day", At: 0}, "", ""},
		{form.Op{Do: "page.move", On: "green", At: 0}, "expression.later", ""},
		{form.Op{Do: "page.set", On: "day", Page: &form.Page{Title: text("Other"), When: "answers.sure == true"}}, "", `answers.sure == true`},
		{form.Op{Do: "page.set", On: "day", Page: &form.Page{Title: text("Other"), When: "answers.sur"}}, "expression.bad", ""},
		{form.Op{Do: "question.add", On: "day", Question: question("hour", "integer"), At: 0}, "", `"hour"`},
		{form.Op{Do: "question.add", On: "day", Question: question("name", "text")}, "question.twice", ""},
		{form.Op{Do: "question.add", On: "day", Question: question("In Valid", "text")}, "", "refused"},
		{form.Op{Do: "question.add", On: "day", Question: coloured}, "", `"shade"`},
		{form.Op{Do: "question.add", On: "owners", Question: question("born", "date"), At: -1}, "", `"born"`},
		{form.Op{Do: "question.add", On: "day", Question: question("x", "person"), Schema: json.RawMessage(`{"type":"string"}`)}, "question.type", ""},
		{form.Op{Do: "question.remove", On: "one", Name: "about"}, "", ""},
		{form.Op{Do: "question.remove", On: "one", Name: "sure"}, "expression.bad", ""},
		{form.Op{Do: "question.move", On: "one", Name: "about", To: "day", At: -1}, "", ""},
		{form.Op{Do: "question.move", On: "one", Name: "about", To: "owners"}, "edit.group", ""},
		{form.Op{Do: "question.set", On: "one", Name: "about", Question: &form.Question{Label: text("Story"), Required: true}}, "", `"Story"`},
		{form.Op{Do: "question.set", On: "one", Name: "about", Question: &form.Question{Label: gov.Text{"fr": "x"}}}, "text.missing", ""},
		{form.Op{Do: "option.add", On: "choices", Name: "colour", Option: &form.Option{Value: "blue", Label: text("Blue")}, At: 1}, "", `"blue"`},
		{form.Op{Do: "option.add", On: "choices", Name: "tools", Option: &form.Option{Value: "pick", Label: text("Pick")}, At: -1}, "", `"pick"`},
		{form.Op{Do: "option.add", On: "choices", Name: "colour", Option: &form.Option{Value: "red", Label: text("Red")}}, "option.value", ""},
		{form.Op{Do: "option.remove", On: "choices", Name: "colour", Value: "red"}, "", ""},
		{form.Op{Do: "option.remove", On: "choices", Name: "colour", Value: "pink"}, "edit.option", ""},
		{form.Op{Do: "option.set", On: "choices", Name: "colour", Value: "red", Option: &form.Option{Value: "red", Label: text("Scarlet")}}, "", `"Scarlet"`},
		{form.Op{Do: "form.set", Form: &form.Doc{Title: text("New title"), Declaration: text("D")}}, "", `"New title"`},
		{form.Op{Do: "form.set", Form: &form.Doc{Title: text("New title")}}, "declaration", ""},
		{form.Op{Do: "form.version", Version: "1.1"}, "", `"1.1"`},
		{form.Op{Do: "form.burn"}, "edit", ""},
		{form.Op{Do: "question.add", On: "day"}, "edit", ""},
	} {
		f, err := form.Edit(base, tt.op)
		if tt.has == "refused" {
			if err == nil {
				t.Errorf("%+v is accepted", tt.op)
			}
			continue
		}
		if tt.code == "" {
			if err != nil {
				t.Errorf("%s %s %s: %v", tt.op.Do, tt.op.On, tt.op.Name, err)
			} else if tt.has != "" && !contains(f, tt.has) {
				t.Errorf("%s: %s is missing", tt.op.Do, tt.has)
			}
			continue
		}
		faults, _ := err.(form.Faults)
		if !slices.ContainsFunc(faults, func(x form.Fault) bool { return len(x.Code) > 14 && strings.HasPrefix(x.Code[14:], tt.code) }) {
			t.Errorf("%s %s %s: %v, want %s", tt.op.Do, tt.op.On, tt.op.Name, err, tt.code)
		}
	}
	if string(base.JSON()) != before {
		t.Error("Edit changed the form it was given")
	}
}

func contains(f *form.Form, s string) bool {
	var m any
	if err := json.Unmarshal(f.JSON(), &m); err != nil {
		return false
	}
	return slices.ContainsFunc(textsIn(m), func(x string) bool { return x == strings.Trim(s, `"`) })
}

// textsIn lists all texts of a document, values and names.
func textsIn(v any) []string {
	var out []string
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		for _, x := range v {
			out = append(out, textsIn(x)...)
		}
	case map[string]any:
		for k, x := range v {
			out = append(append(out, k), textsIn(x)...)
		}
	}
	return out
}
