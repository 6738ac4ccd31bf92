package form_test

import (
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"diwan/internal/casework/form"
	"diwan/internal/gov"
)

func kindsForm(t testing.TB) *form.Form { return parse(t, "testdata/kinds.json") }

// code returns what was said of a field, "" when nothing was.
func code(ps []form.Problem, path string) string {
	for _, p := range ps {
		if p.Path == path {
			return strings.TrimPrefix(p.Code, "answer.")
		}
	}
	return ""
}

// Each kind, what is typed, what is kept, what is said.
func TestReadKinds(t *testing.T) {
	f := kindsForm(t)
	w := world(t, "fr")
	type answer = map[string]any
	green := form.Answers{"colour": "green"}
	for _, tt := range []struct {
		page string
		in   url.Values
		path string
		want any
		at   string // where a problem is said
		code string
	}{
		{"one", fields("name", "  Aya \t B\r\n "), "name", "Aya B", "", ""},
		{"one", fields("name", ""), "name", nil, "name", "required"},
		{"one", fields("name", strings.Repeat("a", 61)), "name", nil, "name", "long"},
		{"one", fields("name", "x", "about", "a \r\n\r\n\r\n\r\n b"), "about", "a\n\nb", "", ""},
		{"one", fields("name", "x", "sure", "no"), "sure", false, "", ""},
		{"one", fields("name", "x", "sure", "maybe"), "sure", nil, "sure-yes", "choice"},
		{"one", fields("name", "x", "sure", "yes"), "sure", true, "extra", "required"},
		{"one", fields("name", "x", "sure", "yes", "extra", "e"), "extra", "e", "", ""},
		{"one", fields("name", "x", "sure", "no", "extra", "e"), "extra", nil, "", ""},
		{"numbers", fields("size", "1 234,5"), "size", 1234.5, "", ""},
		{"numbers", fields("size", "0,25"), "size", 0.25, "size", "small"},
		{"numbers", fields("size", "abc"), "size", nil, "size", "number"},
		{"numbers", fields("count", "\u0667"), "count", int64(7), "", ""},
		{"numbers", fields("count", "10"), "count", int64(10), "count", "large"},
		{"numbers", fields("count", "3,5"), "count", nil, "count", "integer"},
		{"numbers", fields("price", "1.200,50"), "price", int64(120050), "", ""},
		{"numbers", fields("price", "-1"), "price", int64(-100), "price", "small"},
		{"day", fields("day.day", "29", "day.month", "2", "day.year", "2024"), "day", "2024-02-29", "", ""},
		{"day", fields("day.day", "29", "day.month", "2", "day.year", "2023"), "day", nil, "day.day", "date.none"},
		{"day", fields("day.day", "1", "day.month", "2"), "day", nil, "day.year", "date.whole"},
		{"day", fields("day.day", "1", "day.month", "2", "day.year", "85"), "day", nil, "day.year", "date.year"},
		{"day", fields("day.day", "x", "day.month", "2", "day.year", "1985"), "day", nil, "day.day", "date"},
		{"day", fields("day.day", "3", "day.month", "3", "day.year", "2026"), "day", "2026-03-03", "day.day", "date.past"},
		{"choices", fields("colour", "red"), "colour", "red", "", ""},
		{"choices", fields("colour", "blue"), "colour", "blue", "colour-red", "choice"},
		{"choices", fields("tools", "axe", "tools", "saw", "tools", "axe", "tools", "bomb"), "tools", []any{"saw", "axe"}, "", ""},
		{"choices", fields("town", "paris"), "town", "paris", "town", "choice"},
		{"green", fields("firm.name", "N", "firm.number", "12"), "firm", answer{"name": "N", "number": "12"}, "firm.number", "scheme.look"},
		{"green", fields("firm.name", "N", "firm.number", "001234567000089"), "firm", answer{"name": "N", "number": "001234567000089"}, "firm.number", ""},
		{"green", fields("firm.number", "001234567000089"), "firm", answer{"number": "001234567000089"}, "firm.name", "required"},
		{"people", fields("home.municipality", "C", "home.region", "oriental"), "home", answer{"municipality": "C", "region": "oriental"}, "", ""},
		{"people", fields("home.municipality", "C", "home.region", "mars"), "home", answer{"municipality": "C", "region": "mars"}, "home.region", "choice"},
		{"people", fields("who.given", "Aya", "who.family", "B"), "who", answer{"given": "Aya", "family": "B"}, "who.given", "script.arabic"},
		{"people", fields("phone", "+212 6-12-34-56-78"), "phone", "+212612345678", "", ""},
		{"people", fields("phone", "12"), "phone", nil, "phone", "phone"},
		{"people", fields("mail", "a@b.ma"), "mail", "a@b.ma", "", ""},
		{"people", fields("mail", "A <a@b.ma>"), "mail", nil, "mail", "email"},
		{"people", fields("mail", "a@b"), "mail", nil, "mail", "email"},
		{"people", fields("place.lat", "34.0209", "place.lon", "-6,8416"), "place", answer{"lat": 34.0209, "lon": -6.8416}, "", ""},
		{"people", fields("place.lat", "34.0209"), "place", nil, "place.lon", "point.both"},
		{"people", fields("place.lat", "48.85", "place.lon", "2.35"), "place", answer{"lat": 48.85, "lon": 2.35}, "place.lat", "point.outside"},
		{"people", fields("place.lat", "NaN", "place.lon", "0"), "place", nil, "place.lat", "point"},
		{"papers", fields("title.route", "bring"), "title", answer{"route": "bring"}, "", ""},
		{"papers", fields("title.route", "steal"), "title", nil, "title.route-fetch", "choice"},
		{"papers", fields("paper", "blob-of-another-person"), "paper", nil, "", ""},
		{"end", fields("honour", "yes"), "honour", answer{"agreed": true, "on": "2026-03-02"}, "", ""},
		{"end", fields("honour", "yes", "honour.on", "1999-01-01", "shares", "100"), "honour", answer{"agreed": true, "on": "2026-03-02"}, "", ""},
	} {
		a, ps := f.Read(tt.page, tt.in, green, w)
		blocked := len(form.Blocking(ps)) > 0 && tt.code != "scheme.look"
		got := a.Get(tt.path)
		if blocked && tt.code != "required" && tt.want != nil {
			// What was read is kept, so that it can be shown; Check says the same.
			if !slices.ContainsFunc(f.Check(a, w), func(p form.Problem) bool { return p.Path == tt.at }) {
				t.Errorf("%s %v: Check says nothing at %s", tt.page, tt.in, tt.at)
			}
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s %v: %s = %#v, want %#v", tt.page, tt.in, tt.path, got, tt.want)
		}
		if tt.at != "" && code(ps, tt.at) != tt.code {
			t.Errorf("%s %v: at %s %q is said, want %q (%+v)", tt.page, tt.in, tt.at, code(ps, tt.at), tt.code, ps)
		}
	}
}

// A page changes its own answers and no others, whatever is posted with it.
func TestReadTakesOnlyItsPage(t *testing.T) {
	f := kindsForm(t)
	w := world(t, "fr")
	before := form.Answers{"name": "Aya", "size": 2.0, "count": int64(3), "phone": "+212612345678"}
	in := fields("name", "Other", "day.day", "1", "day.month", "2", "day.year", "2020", "phone", "+33612345678", "total", "1", "paper", "x",
		"honour", "yes", "__proto__", "x", "owners.0.name", "x", "size", "9")
	a, ps := f.Read("day", in, before, w)
	if len(ps) > 0 {
		t.Errorf("problems: %+v", ps)
	}
	want := before.Clone()
	want["day"] = "2020-02-01"
	if !reflect.DeepEqual(a, want) {
		t.Errorf("answers = %v, want %v", a, want)
	}
	if got := before["day"]; got != nil {
		t.Error("Read changed the answers it was given")
	}
	a, ps = f.Read("numbers", fields("size", "2", "count", "3", "total", "1000000"), before, w)
	if got := f.Prune(a)["total"]; len(ps) > 0 || got != 6.0 || a["total"] != nil {
		t.Errorf("the computed answer is %v, problems %+v", got, ps)
	}
	if a, ps = f.Read("green", fields("firm.name", "x"), before, w); code(ps, "") != "page" || a["firm"] != nil {
		t.Errorf("a page that is not reached was read: %v, %+v", a, ps)
	}
	if _, ps = f.Read("nowhere", in, before, w); code(ps, "") != "page" {
		t.Errorf("an unknown page was read: %+v", ps)
	}
}

// An answer that opens another question on the same page makes it asked, not
// passed over.
func TestReadAsksWhatWasJustOpened(t *testing.T) {
	f := kindsForm(t)
	in := fields("name", "Aya", "sure", "yes", form.FieldShown, "name", form.FieldShown, "about", form.FieldShown, "sure", "extra", "typed by nobody")
	a, ps := f.Read("one", in, nil, world(t, "fr"))
	if code(ps, "extra") != "also" || a["extra"] != nil {
		t.Errorf("answers %v, problems %+v", a, ps)
	}
}

func TestRepeatedGroup(t *testing.T) {
	f := kindsForm(t)
	w := world(t, "fr")
	a, ps := f.Read("owners", fields(form.FieldAdd, "owners"), nil, w)
	if list := a["owners"].([]any); len(list) != 1 || len(ps) > 0 {
		t.Fatalf("first item: %v, %+v", a, ps)
	}
	a, ps = f.Read("owners", fields("owners.0.name", "A", "owners.0.share", "60", form.FieldAdd, "owners"), a, w)
	if list := a["owners"].([]any); len(list) != 2 || len(ps) > 0 {
		t.Fatalf("second item: %v, %+v", a, ps)
	}
	a, ps = f.Read("owners", fields("owners.0.name", "A", "owners.0.share", "60", "owners.1.name", "B", "owners.1.share", "13", "owners.7.name", "Z"), a, w)
	if code(ps, "owners.0.why") != "required" || code(ps, "owners.1.share") != "rule" || len(a["owners"].([]any)) != 2 {
		t.Errorf("answers %v, problems %+v", a, ps)
	}
	a, ps = f.Read("owners", fields("owners.0.name", "A", "owners.0.share", "60", "owners.0.why", "w", "owners.1.name", "B", "owners.1.share", "40", "owners.1.why", "hidden"), a, w)
	if len(ps) > 0 || f.Prune(a)["shares"] != int64(100) || a["owners"].([]any)[1].(map[string]any)["why"] != nil {
		t.Errorf("answers %v, problems %+v", a, ps)
	}
	a, _ = f.Read("owners", fields("owners.0.name", "A", "owners.1.name", "B", form.FieldRemove, "owners.0"), a, w)
	if list := a["owners"].([]any); len(list) != 1 || list[0].(map[string]any)["name"] != "B" {
		t.Errorf("after removal: %v", a)
	}
	for _, bad := range []string{"owners.9", "owners.-1", "owners.x", "owners", "name.0"} {
		if b, _ := f.Read("owners", fields("owners.0.name", "B", form.FieldRemove, bad), a, w); len(b["owners"].([]any)) != 1 {
			t.Errorf("removing %q left %v", bad, b)
		}
	}
	if _, ps = f.Read("owners", fields(), nil, w); code(ps, "owners") != "group.few" {
		t.Errorf("no owner: %+v", ps)
	}
}

// Ten megabytes in a name are refused with a sentence, and quickly; what turns a
// page around is taken out of it.
func TestHostileText(t *testing.T) {
	f := kindsForm(t)
	w := world(t, "fr")
	if a, ps := f.Read("one", fields("name", strings.Repeat("\u0301", 5<<20)), nil, w); code(ps, "name") != "long" || a["name"] != nil {
		t.Errorf("ten megabytes: %+v", ps)
	}
	for in, want := range map[string]string{
		"Aya\u202egnp.exe":                 "Ayagnp.exe",
		"\u2067Aya":                        "Aya",
		"Aya\u2069 B":                      "Aya B",
		"\u2067Aya\u2069 B":                "\u2067Aya\u2069 B",
		"A\u0000y\u0007a":                  "Aya",
		"A\u200by\ufeffa":                  "Aya",
		"e\u0301":                          "\u00e9",
		"a" + strings.Repeat("\u0323", 90): "\u1ea1" + strings.Repeat("\u0323", 6),
		"\xff\xfeA":                        "A",
		"a\u2028b":                         "a b",
		"\u0645\u200c\u064a":               "\u0645\u200c\u064a",
		"\U000e0041A":                      "A",
	} {
		a, ps := f.Read("one", fields("name", in), nil, w)
		if len(ps) > 0 || a["name"] != want {
			t.Errorf("%q is kept as %q, want %q; %+v", in, a["name"], want, ps)
		}
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "a b", "a\u202eb\u202c", "\u2067\u2067a\u2069", "e\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301", "\xff", "a\n\n\n\nb \n c", "\u00a0x\u3000"} {
		f.Add(s, true)
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, lines bool) {
		c := form.Clean(s, lines)
		if again := form.Clean(c, lines); again != c {
			t.Errorf("%q cleans to %q and that to %q", s, c, again)
		}
		if !utf8.ValidString(c) || strings.ContainsAny(c, "\u202a\u202b\u202c\u202d\u202e\x00\r\t") || !lines && strings.Contains(c, "\n") {
			t.Errorf("%q cleans to %q", s, c)
		}
	})
}

func TestDroppedFilesAndForeignOnes(t *testing.T) {
	f := kindsForm(t)
	w := world(t, "fr")
	w.Uploads = upload("paper", "title.files", "name")
	a, ps := f.Read("papers", fields("title.route", ""), nil, w)
	if len(ps) > 0 || len(a["paper"].([]any)) != 1 || a.Get("title.route") != form.RouteBring || a["name"] != nil {
		t.Fatalf("answers %v, problems %+v", a, ps)
	}
	w.Uploads = map[string][]form.File{"paper": {{Ref: "x", Name: "x"}, {Ref: "y", Name: "\u202ey"}}}
	if b, ps := f.Read("papers", fields("title.route", "bring"), a, w); code(ps, "paper") != "files.many" || len(b["paper"].([]any)) != 1 {
		t.Errorf("three files: %v, %+v", b, ps)
	}
	if _, ps := f.Read("papers", fields("title.route", "", form.FieldUpload, "paper"), a, w); code(ps, "paper") != "files.many" || len(ps) != 1 {
		t.Errorf("three files sent by the button: %+v", ps)
	}
	w.Uploads = nil
	a, _ = f.Read("papers", fields("title.route", "bring", form.FieldDrop, "paper:blob-paper"), a, w)
	if a["paper"] != nil || a.Get("title.files") == nil {
		t.Errorf("after the removal: %v", a)
	}
}

// Known facts fill what has no answer, and only where they fit.
func TestPrefill(t *testing.T) {
	f := kindsForm(t)
	w := world(t, "fr")
	facts := map[string]any{"firm": map[string]any{"name": "N", "number": "001234567000089", "secret": "x"}, "person": map[string]any{"given": "Latin"}}
	a, filled := f.Prefill(form.Answers{"colour": "green"}, facts, w)
	want := map[string]any{"name": "N", "number": "001234567000089"}
	if !reflect.DeepEqual(a["firm"], want) || !slices.Equal(filled, []string{"firm"}) {
		t.Errorf("answers %v, filled %v", a, filled)
	}
	if b, again := f.Prefill(a, facts, w); len(again) > 0 || !reflect.DeepEqual(a, b) {
		t.Errorf("filled again: %v", again)
	}
	if facts["firm"].(map[string]any)["secret"] != "x" {
		t.Error("Prefill changed the facts")
	}
}

func TestWorldMayBeEmpty(t *testing.T) {
	f := kindsForm(t)
	a, ps := f.Read("people", fields("home.region", "anywhere", "home.municipality", "C", "phone", "+212612345678"), nil, form.World{})
	if len(form.Blocking(ps)) > 0 || a.Get("home.region") != "anywhere" {
		t.Errorf("answers %v, problems %+v", a, ps)
	}
	if (gov.Date{}).String() != "" {
		t.Error("a date of nothing is written")
	}
}
