package credential

import (
	"slices"
	"testing"

	"diwan/country"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// A document ends with the months that its type gives it, or with what it tells of.
func TestEnds(t *testing.T) {
	on := gov.Date{Year: 2026, Month: 1, Day: 31}
	for name, c := range map[string]struct {
		kind   Type
		values Values
		want   string
	}{
		"no end":               {Type{}, nil, ""},
		"a short month":        {Type{Months: 1}, nil, "2026-02-28"},
		"months and days":      {Type{Months: 1, Days: 2}, nil, "2026-03-02"},
		"what it tells ends":   {Type{Months: 3, EndsWith: "until"}, Values{"until": "2026-02-10"}, "2026-02-10"},
		"what it tells lasts":  {Type{Months: 3, EndsWith: "until"}, Values{"until": "2030-02-10"}, "2026-04-30"},
		"only what it tells":   {Type{EndsWith: "until"}, Values{"until": "2030-02-10"}, "2030-02-10"},
		"it does not tell":     {Type{Months: 3, EndsWith: "until"}, Values{}, "2026-04-30"},
		"another is not asked": {Type{Months: 3}, Values{"until": "2026-02-10"}, "2026-04-30"},
	} {
		got := ""
		if end := c.kind.Ends(on, c.values); !end.IsZero() {
			got = end.String()
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// What a document ends with is one of its own days.
func TestEndsWithADate(t *testing.T) {
	pack, err := country.Load(country.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	all := typesOf(t, pack)
	i := slices.IndexFunc(all, func(k Type) bool { return k.ID == "driving-licence" })
	if i < 0 {
		t.Fatal("the country has no driving licence")
	}
	kind := all[i]
	for claim, good := range map[string]bool{"": true, "expiry_date": true, "family_name": false, "unknown": false} {
		k := kind
		k.EndsWith = claim
		if err := k.Check(pack.Country); (err == nil) != good || err != nil && problem.From(err).Code != "credential.type.ends_with" {
			t.Errorf("%q: %v", claim, err)
		}
	}
}

// A country's types follow its pack from version to version, but for those that officers
// edited; documents keep the version that they began with.
func TestTypesFollowThePack(t *testing.T) {
	each(t, func(t testing.TB, w *world) {
		pack, err := country.Load(country.Builtin())
		if err != nil {
			t.Fatal(err)
		}
		before := w.document1("case-1", "driving-licence", salma)
		edited, err := w.Type(t.Context(), "diploma")
		if err != nil {
			t.Fatal(err)
		}
		edited.Months = 7
		if err := w.Publish(t.Context(), agent, edited, 1); err != nil {
			t.Fatal(err)
		}
		load := func(licence, diploma int64, months int) {
			t.Helper()
			all := typesOf(t, pack)
			for i := range all {
				if all[i].ID == "driving-licence" || all[i].ID == "diploma" {
					all[i].Months = months
				}
			}
			if err := w.LoadTypes(t.Context(), all); err != nil {
				t.Fatal(err)
			}
			for id, want := range map[string]int64{"driving-licence": licence, "diploma": diploma, "birth-extract": 1} {
				if k, err := w.Type(t.Context(), id); err != nil || k.Version != want {
					t.Errorf("%s is version %d, want %d %v", id, k.Version, want, err)
				}
			}
		}
		load(2, 2, 11)
		load(2, 2, 11)
		if k, err := w.Type(t.Context(), "diploma"); err != nil || k.Months != 7 {
			t.Errorf("what an officer edited was undone: %d %v", k.Months, err)
		}
		if d := w.one("case-1"); d.Version != before.Version {
			t.Errorf("a document took version %d of its type", d.Version)
		}
	})
}
