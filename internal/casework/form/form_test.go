package form_test

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"diwan/country"
	"diwan/internal/casework/form"
	"diwan/internal/gov"
	"diwan/internal/i18n"
)

const root = "../../.."

// pack is the country whose forms are tested, with a day.
func pack(t testing.TB) *country.Pack {
	t.Helper()
	p, err := country.Load(country.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func world(t testing.TB, l gov.Lang) form.World {
	return form.World{Country: pack(t).Country, Lang: l, Today: gov.Date{Year: 2026, Month: 3, Day: 2}}
}

func words(t testing.TB, folders ...string) *i18n.Catalog {
	t.Helper()
	c, err := i18n.Load([]string{"ar", "fr", "zgh", "en"}, nil, form.Messages())
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t testing.TB, path string) *form.Form {
	t.Helper()
	f, err := form.Parse(read(t, path))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return f
}

var countryForms = []string{root + "/country/ma/forms/building-permit.json", root + "/country/ma/forms/birth-extract.json"}

// published reads a procedure of the catalogue as Lint wants it.
func published(t testing.TB, id string) form.Published {
	t.Helper()
	files, err := filepath.Glob(root + "/country/ma/catalogue/procedures/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		var procedures []struct {
			ID       string `json:"id"`
			Evidence []struct {
				ID        string   `json:"id"`
				Name      gov.Text `json:"name"`
				Type      string   `json:"type"`
				By        string   `json:"by"`
				From      string   `json:"from"`
				Copies    int      `json:"copies"`
				Certified bool     `json:"certified"`
			} `json:"evidence"`
		}
		if err := json.Unmarshal(read(t, name), &procedures); err != nil {
			t.Fatal(err)
		}
		for _, p := range procedures {
			if p.ID != id {
				continue
			}
			pub := form.Published{Procedure: id, ApplicationTypes: []string{"form"}}
			for _, e := range p.Evidence {
				pub.Documents = append(pub.Documents, form.Required{ID: e.ID, Name: e.Name, Type: e.Type, ByAdministration: e.By == "administration", From: e.From, Copies: e.Copies, Certified: e.Certified})
			}
			return pub
		}
	}
	t.Fatalf("no procedure %s", id)
	return form.Published{}
}

func bans(t testing.TB) form.Banned {
	var b form.Banned
	if err := json.Unmarshal(read(t, root+"/country/ma/forms/rules/bans.json"), &b); err != nil {
		t.Fatal(err)
	}
	return b
}

// The forms of the country parse, and lint clean against the procedures as they
// are published.
func TestCountryForms(t *testing.T) {
	for _, path := range countryForms {
		f := parse(t, path)
		d := f.Doc()
		for _, x := range form.Stops(form.Lint(f, published(t, d.Procedure), bans(t))) {
			t.Errorf("%s: %s %s %v", d.ID, x.Path, x.Code, x.Args)
		}
		if !d.Demonstration || d.Note.Empty() || !slices.Contains(d.Review, "zgh") {
			t.Errorf("%s is not labelled", d.ID)
		}
		again, err := form.Parse(f.JSON())
		if err != nil {
			t.Fatalf("%s written and read again: %v", d.ID, err)
		}
		if string(again.JSON()) != string(f.JSON()) {
			t.Errorf("%s changes when it is written", d.ID)
		}
	}
}

// journey posts pages one after the other, as a browser would.
func journey(t *testing.T, f *form.Form, w form.World, posts []url.Values) form.Answers {
	t.Helper()
	a := form.Answers{}
	page := f.Pages(a)[0]
	for i, in := range posts {
		if page == "" {
			t.Fatalf("post %d: the form has ended", i)
		}
		var ps []form.Problem
		a, ps = f.Read(page, in, a, w)
		for _, p := range form.Blocking(ps) {
			t.Fatalf("page %s: %+v", page, p)
		}
		page = f.Next(a, page)
	}
	if page != "" {
		t.Fatalf("the form goes on at %q", page)
	}
	return a
}

func fields(kv ...string) url.Values {
	v := url.Values{}
	for i := 0; i < len(kv); i += 2 {
		v.Add(kv[i], kv[i+1])
	}
	return v
}

// sample reads the answers of a journey: fields by page, in a data file because
// some are in Arabic.
func sample(t testing.TB, path string) []url.Values {
	t.Helper()
	var pages []map[string][]string
	if err := json.Unmarshal(read(t, path), &pages); err != nil {
		t.Fatal(err)
	}
	out := make([]url.Values, len(pages))
	for i, p := range pages {
		out[i] = p
	}
	return out
}

func upload(names ...string) map[string][]form.File {
	m := map[string][]form.File{}
	for _, n := range names {
		m[n] = []form.File{{Ref: "blob-" + n, Name: n + ".pdf", Type: "application/pdf", Size: 12_345}}
	}
	return m
}

func TestBuildingPermitGoesThrough(t *testing.T) {
	f := parse(t, countryForms[0])
	w := world(t, "ar")
	w.Uploads = upload("plans", "studies", "surfaces")
	a := journey(t, f, w, sample(t, "testdata/building-permit.json"))
	if ps := f.Check(a, w); len(ps) > 0 {
		t.Fatalf("problems: %+v", ps)
	}
	for path, want := range map[string]any{
		"project.covered": 260.5, "project.cost": int64(120_000_050), "contact.phone": "+212612345678", "land.area": 1200.0,
		"land.title": "45817/13", "property.route": "fetch", "declaration.on": "2026-03-02",
	} {
		if got := a.Get(path); path != "project.covered" && got != want {
			t.Errorf("%s = %#v, want %#v", path, got, want)
		}
		if got := f.Prune(a).Get(path); got != want {
			t.Errorf("%s counts as %#v, want %#v", path, got, want)
		}
	}
	pieces := f.Pieces(a)
	if len(pieces) != 4 || pieces[0].Route != form.RouteFetch || slices.ContainsFunc(pieces, func(p form.Piece) bool { return p.Missing }) {
		t.Errorf("pieces: %+v", pieces)
	}
	doc, err := f.Document(a)
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(doc) || !strings.HasPrefix(string(doc), `{"answers":{`) || strings.Contains(string(doc), `"firm"`) {
		t.Errorf("document: %s", doc)
	}
}

func TestBirthExtractGoesThrough(t *testing.T) {
	f := parse(t, countryForms[1])
	w := world(t, "fr")
	a := journey(t, f, w, sample(t, "testdata/birth-extract.json"))
	if ps := f.Check(a, w); len(ps) > 0 {
		t.Fatalf("problems: %+v", ps)
	}
	if got := a.Get("born"); got != "1990-03-27" {
		t.Errorf("born = %v", got)
	}
}
