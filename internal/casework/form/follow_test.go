package form_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"

	"diwan/internal/casework/form"
	"diwan/internal/gov"
)

func TestPagesFollowAnswers(t *testing.T) {
	f := kindsForm(t)
	all := []string{"one", "numbers", "day", "choices", "green", "people", "owners", "papers", "end"}
	if got := f.Pages(form.Answers{"colour": "green"}); !slices.Equal(got, all) {
		t.Errorf("pages %v", got)
	}
	without := slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == "green" })
	for _, a := range []form.Answers{nil, {"colour": "red"}, {"colour": 7}, {"colour": []any{"green"}}} {
		if got := f.Pages(a); !slices.Equal(got, without) {
			t.Errorf("pages of %v: %v", a, got)
		}
	}
	for _, tt := range []struct{ at, next, previous string }{
		{"one", "numbers", ""}, {"choices", "people", "day"}, {"end", "", "papers"}, {"", "one", "end"}, {"green", "one", ""}, {"nowhere", "one", ""},
	} {
		if n, p := f.Next(nil, tt.at), f.Previous(nil, tt.at); n != tt.next || p != tt.previous {
			t.Errorf("after %q %q, before it %q", tt.at, n, p)
		}
	}
}

// An answer whose question is no longer asked opens nothing, counts for nothing
// and is not sent; it comes back when its question does.
func TestAnswersNoLongerAsked(t *testing.T) {
	f := parse(t, countryForms[0])
	a := form.Answers{"applicant": map[string]any{"kind": "firm", "firm": map[string]any{"name": "N", "number": "001234567000089"},
		"person": map[string]any{"given": "stale"}}}
	if p := f.Prune(a); p.Get("applicant.person") != nil || p.Get("applicant.firm") == nil {
		t.Errorf("counts: %v", p)
	}
	a["applicant"].(map[string]any)["kind"] = "person"
	if p := f.Prune(a); p.Get("applicant.person.given") != "stale" || p.Get("applicant.firm") != nil {
		t.Errorf("counts: %v", p)
	}
	// A chain: what opened the next page is itself no longer asked.
	g := kindsForm(t)
	b := form.Answers{"sure": false, "extra": "x", "colour": "red", "firm": map[string]any{"name": "N"}, "nobody": 1}
	if p := g.Prune(b); !reflect.DeepEqual(p, form.Answers{"sure": false, "colour": "red"}) {
		t.Errorf("counts: %v", p)
	}
}

// Check says everything once, in the order of the pages; a missing document does
// not block.
func TestCheckEmpty(t *testing.T) {
	f := kindsForm(t)
	w := world(t, "fr")
	var got []string
	for _, p := range f.Check(nil, w) {
		s := p.Page + " " + p.Path + " " + p.Code
		if !p.Blocks() {
			s += " waits"
		}
		got = append(got, s)
	}
	want := []string{"one name answer.required", "owners owners answer.group.few", "papers paper answer.piece waits",
		"papers title.route-fetch answer.required", "end honour answer.required"}
	if !slices.Equal(got, want) {
		t.Errorf("problems:\n%q\nwant\n%q", got, want)
	}
	if open := f.Open(nil, w); open != "one" {
		t.Errorf("resumes at %q", open)
	}
	pieces := f.Pieces(form.Answers{"title": map[string]any{"route": "bring"}})
	if len(pieces) != 2 || !pieces[0].Missing || !pieces[1].Missing {
		t.Errorf("pieces %+v", pieces)
	}
}

// What a program sends is checked as what a person types.
func TestCheckForeignAnswers(t *testing.T) {
	f := kindsForm(t)
	w := world(t, "fr")
	for _, tt := range []struct{ answers, path, code string }{
		{`{"name":7}`, "name", "type"},
		{`{"name":"a\u202eb"}`, "name", "characters"},
		{`{"name":" a"}`, "name", "characters"},
		{`{"count":3.5}`, "count", "type"},
		{`{"count":1e300}`, "count", "large"},
		{`{"phone":"0612345678"}`, "phone", "phone"},
		{`{"mail":"nobody"}`, "mail", "pattern"},
		{`{"day":"2026-02-30"}`, "day.day", "pattern"},
		{`{"colour":"blue"}`, "colour-red", "choice"},
		{`{"tools":["saw","saw"]}`, "tools-saw", "type"},
		{`{"home":{"municipality":"C","planet":"x"}}`, "home.region", "type"},
		{`{"place":{"lat":1}}`, "place.lon", "required"},
		{`{"honour":{"agreed":false,"on":""}}`, "honour", "declared"},
		{`{"paper":[{"ref":"a","name":"a"},{"ref":"b","name":"b"},{"ref":"c","name":"c"}]}`, "paper", "group.many"},
		{`{"owners":[{"name":"A","share":1},{"name":"B","share":1},{"name":"C","share":1},{"name":"D","share":1}]}`, "owners", "group.many"},
		{`{"owners":["A"]}`, "owners.0.name", "required"},
		{`{"owners":{"0":{}}}`, "owners", "group.few"},
	} {
		a, err := form.Decode([]byte(tt.answers))
		if err != nil {
			t.Fatal(err)
		}
		ps := f.Check(a, w)
		if got := code(ps, tt.path); got != tt.code {
			t.Errorf("%s: %q at %s, want %q; %+v", tt.answers, got, tt.path, tt.code, ps)
		}
	}
	for _, bad := range []string{"", "[]", "null", `{"a":1,"a":2}`, `{"a":`, `{} {}`} {
		if a, err := form.Decode([]byte(bad)); err == nil {
			t.Errorf("Decode(%q) = %v", bad, a)
		}
	}
}

// The same answers always give the same bytes.
func TestDocumentIsCanonical(t *testing.T) {
	f := kindsForm(t)
	a, err := form.Decode([]byte(`{"size":1.50,"name":"\u00e9","count":2,"firm":{"name":"N"}}`))
	if err != nil {
		t.Fatal(err)
	}
	b, err := f.Document(a)
	want := `{"answers":{"count":2,"name":"é","size":1.5,"total":3},"form":"all-kinds","procedure":"sample","version":"1.0"}`
	if err != nil || string(b) != want {
		t.Errorf("%s, %v\nwant %s", b, err, want)
	}
	draft, err := a.JSON()
	if err != nil {
		t.Fatal(err)
	}
	again, err := form.Decode(draft)
	if err != nil || !reflect.DeepEqual(again, a) {
		t.Errorf("a draft reads back as %v, %v", again, err)
	}
}

// A number that could be read in two ways is refused, in each language's writing.
func TestNumbers(t *testing.T) {
	f := kindsForm(t)
	for _, tt := range []struct {
		lang         gov.Lang
		field, typed string
		want         any // nil: refused
	}{
		{"fr", "size", "1,5", 1.5}, {"en", "size", "1.5", 1.5}, {"ar", "size", "1.234.567,5", 1234567.5}, {"en", "size", "1,234,567.5", 1234567.5},
		{"fr", "size", "1\u202f234,5", 1234.5}, {"ar", "size", "\u0661\u0662\u0663\u066b\u0665", 123.5}, {"fr", "size", "1,234", 1.234},
		{"ar", "size", "1.234", nil}, {"en", "size", "1,234", nil}, {"fr", "size", "1.234", nil}, {"ar", "price", "1.234", int64(123400)},
		{"en", "price", "1.234", nil}, {"fr", "price", "1,234", nil}, {"fr", "price", "1.5", int64(150)}, {"fr", "price", "1,005", nil},
		{"ar", "count", "1", int64(1)}, {"ar", "count", "--1", nil}, {"ar", "count", "1e3", nil}, {"ar", "count", "0x10", nil},
		{"fr", "size", "1,2,3", nil}, {"fr", "size", "1.23.456", nil}, {"fr", "size", ",5", nil}, {"fr", "size", "5,", 5.0}, {"fr", "size", "Inf", nil},
		{"fr", "price", "99999999999999999999", nil}, {"fr", "size", "9 9", 99.0},
	} {
		w := world(t, tt.lang)
		a, _ := f.Read("numbers", fields(tt.field, tt.typed), nil, w)
		if got := a[tt.field]; !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s in %s, %s: %#v, want %#v", tt.typed, tt.lang, tt.field, got, tt.want)
		}
	}
}

func TestAnswersAreBounded(t *testing.T) {
	deep := any("x")
	for range 100 {
		deep = []any{deep}
	}
	b, err := json.Marshal(map[string]any{"a": deep})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := form.Decode(b); err == nil {
		t.Error("a hundred levels were accepted")
	}
}

// A form is followed and checked fast enough for a busy office.
func BenchmarkCheck(b *testing.B) {
	f := parse(b, countryForms[0])
	w := world(b, "ar")
	a := form.Answers{"applicant": map[string]any{"kind": "person"}, "land": map[string]any{"registered": true}}
	for b.Loop() {
		f.Check(a, w)
	}
}

func BenchmarkParse(b *testing.B) {
	source := read(b, countryForms[0])
	for b.Loop() {
		if _, err := form.Parse(source); err != nil {
			b.Fatal(err)
		}
	}
}
