package form_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"reflect"
	"testing"

	"diwan/internal/casework/form"
)

// Whatever is read as a form: it is refused, or it works. What works is written
// and read again as it is, and can be followed, shown and checked.
func FuzzParse(f *testing.F) {
	for _, path := range append([]string{"testdata/kinds.json"}, countryForms...) {
		f.Add(read(f, path))
	}
	f.Add([]byte(`{"id":"a","version":"1","procedure":"a","title":{"fr":"x"},"languages":["fr"],"schema":{"type":"object","additionalProperties":false,"properties":{"a":{"type":"string"}}},"pages":[{"id":"a","title":{"fr":"x"},"questions":[{"name":"a","kind":"text","label":{"fr":"x"}}]}]}`))
	w := form.World{}
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := form.Parse(b)
		if err != nil {
			if len(err.Error()) > 200_000 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
			return
		}
		again, err := form.Parse(x.JSON())
		if err != nil {
			t.Fatalf("what was accepted is refused once written: %v", err)
		}
		if !bytes.Equal(again.JSON(), x.JSON()) {
			t.Error("the document changes when it is written")
		}
		for page := ""; ; {
			if page = x.Next(nil, page); page == "" {
				break
			}
			if _, ps := x.Read(page, url.Values{}, nil, w); len(ps) > 5000 {
				t.Error("too many problems")
			}
		}
		x.Check(nil, w)
		form.Lint(x, form.Published{}, form.Banned{})
	})
}

// Whatever is posted to a page: nothing breaks, only the page's own answers
// change, and what is kept is clean and can be stored.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"name=Aya&sure=yes&extra=x", "owners.0.name=A&owners.0.share=13&form-add=owners", "form-remove=owners.0&owners.1.name=x", "day.day=31&day.month=2&day.year=1999",
		"place.lat=1e308&place.lon=-0", "title.route=bring&form-drop=title.files:x", "price=%D9%A1%D9%AB%D9%A2", "name=%E2%80%AEx&form-shown=name", "tools=saw&tools=saw&colour=green",
		"phone=%2B999999999999999999", "mail=%40", "owners.999999999999.name=x", "size=1,234.567.8",
	} {
		for _, page := range []string{"one", "numbers", "owners", "people", "papers"} {
			f.Add(page, s, `{"colour":"green"}`)
		}
	}
	x := kindsForm(f)
	own := map[string][]string{"one": {"name", "about", "sure", "extra"}, "numbers": {"size", "count", "price", "total"}, "day": {"day"},
		"choices": {"colour", "tools", "town"}, "green": {"firm"}, "people": {"home", "who", "phone", "mail", "place"}, "owners": {"owners"},
		"papers": {"paper", "title"}, "end": {"shares", "honour"}}
	w := world(f, "fr")
	f.Fuzz(func(t *testing.T, page, query, stored string) {
		in, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		before, err := form.Decode([]byte(stored))
		if err != nil {
			before = nil
		}
		kept := before.Clone()
		a, ps := x.Read(page, in, before, w)
		if !reflect.DeepEqual(kept, before.Clone()) {
			t.Error("Read changed the answers it was given")
		}
		for _, name := range own[page] {
			delete(kept, name)
		}
		rest := a.Clone()
		for _, name := range own[page] {
			delete(rest, name)
		}
		if !reflect.DeepEqual(kept, rest) {
			t.Errorf("page %s changed other answers: %v to %v", page, kept, rest)
		}
		for _, p := range ps {
			if p.Code == "" {
				t.Errorf("a problem without a code: %+v", p)
			}
		}
		x.Check(a, w)
		b, err := x.Document(a)
		if err != nil || !json.Valid(b) {
			t.Errorf("%s: %v", b, err)
		}
		pruned := x.Prune(a)
		if !reflect.DeepEqual(x.Prune(pruned), pruned) {
			t.Errorf("what counts changes when it is counted again: %v", pruned)
		}
	})
}

// Whatever stands in a condition: it is refused, or it gives the same over the
// same answers, whatever they are.
func FuzzCondition(f *testing.F) {
	for _, s := range []string{
		`answers.colour == "green"`, `answers.owners.all(o, o.share > 1)`, `has(answers.name) || answers.size > 1.5`, `answers.owners.map(o, o.name).exists(n, n.matches("a+b*"))`,
		`sum(answers.owners.map(o, o.share)) == 100`, `size(answers.about) > 3`, `answers.who.given != null`, `1/0 == 1`, `"a" in answers.tools`, `[1,2,3].all(x, [1,2].all(y, x > y))`,
		`answers.name + answers.name + answers.name == ""`, `answers_of_{} == answers_of_{}`, `timestamp("2020-01-01T00:00:00Z") > timestamp("x")`, `dyn(answers.name) == 1`, `type(answers) == int`,
	} {
		f.Add(s, `{"colour":"green","owners":[{"name":"aab","share":3}],"tools":["saw"]}`)
	}
	source := read(f, "testdata/kinds.json")
	f.Fuzz(func(t *testing.T, condition, stored string) {
		var d tree
		if err := json.Unmarshal(source, &d); err != nil {
			t.Fatal(err)
		}
		pageOf(d, 8)["when"] = condition
		b, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		x, err := form.Parse(b)
		if err != nil {
			return
		}
		a, err := form.Decode([]byte(stored))
		if err != nil {
			return
		}
		first := x.Pages(a)
		if second := x.Pages(a); !reflect.DeepEqual(first, second) {
			t.Errorf("%q opens %v, then %v", condition, first, second)
		}
	})
}
