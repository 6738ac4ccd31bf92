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
