package form_test

import (
	"encoding/json"
	"net/url"
	"testing"

	"diwan/internal/casework/form"
)

// placesOf are those of the country pack.
func placesOf(t testing.TB) (out []form.Place) {
	t.Helper()
	if err := json.Unmarshal(read(t, root+"/country/ma/places.json"), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// Every province lies in a region of the country, once, with a name in its languages.
func TestPlacesOfTheCountry(t *testing.T) {
	regions, ids := map[string]int{}, map[string]bool{}
	for _, r := range pack(t).Country.Regions {
		regions[r.ID] = 0
	}
	for _, p := range placesOf(t) {
		if _, ok := regions[p.Within]; !ok || p.Level != "province" || ids[p.ID] || p.Name["ar"] == "" || p.Name["fr"] == "" {
			t.Errorf("%+v", p)
		}
		ids[p.ID] = true
		regions[p.Within]++
	}
	for r, n := range regions {
		if n == 0 {
			t.Errorf("%s has no province", r)
		}
	}
	if len(ids) != 75 {
		t.Errorf("%d provinces and prefectures", len(ids))
	}
}

// Before a region is chosen the list of provinces holds all of them under their
// regions; then those of the region alone. A province that lies elsewhere is refused,
// a municipality is typed where the country lists none.
func TestProvincesOfARegion(t *testing.T) {
	s, f := site(t), parse(t, countryForms[0])
	for _, path := range countryForms {
		if x := parse(t, path); x.Doc().Procedure == "building-permit" {
			f = x
		}
	}
	w := world(t, "fr")
	w.Places = placesOf(t)
	lk := look(t, s, "fr")
	lk.World = w
	page := func(a form.Answers) (groups, options int, typed bool) {
		v, ok := f.View("land-place", a, lk)
		if !ok {
			t.Fatal("no page")
		}
		n := render(t, s, "fr", "form-page", v)
		list := find(n, "select", "name", "land.place.province")
		if len(list) != 1 {
			t.Fatalf("%d lists of provinces", len(list))
		}
		return len(find(list[0], "optgroup", "", "")), len(find(list[0], "option", "", "")), len(find(n, "input", "name", "land.place.municipality")) == 1
	}
	if groups, options, typed := page(nil); groups != 12 || options != 76 || !typed {
		t.Errorf("at first %d regions, %d options, municipality typed: %v", groups, options, typed)
	}
	for name, tt := range map[string]struct{ region, province, code string }{
		"in it":       {"rabat-sale-kenitra", "kenitra", ""},
		"elsewhere":   {"rabat-sale-kenitra", "nador", "answer.place"},
		"nowhere":     {"rabat-sale-kenitra", "atlantis", "answer.choice"},
		"left out":    {"rabat-sale-kenitra", "", ""},
		"as a region": {"kenitra", "kenitra", "answer.choice"},
	} {
		in := url.Values{"land.place.region": {tt.region}, "land.place.province": {tt.province}, "land.place.municipality": {"Mehdia"}, "land.place.street": {"1, rue de la Plage"}}
		a, ps := f.Read("land-place", in, nil, w)
		code := ""
		if len(ps) > 0 {
			code = ps[0].Code
		}
		if code != tt.code {
			t.Errorf("%s: %+v", name, ps)
		}
		if name == "in it" {
			if groups, options, _ := page(a); groups != 0 || options != 8 {
				t.Errorf("then %d regions, %d options", groups, options)
			}
		}
	}
}
