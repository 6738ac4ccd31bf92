package verifier

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"diwan/internal/verifier/check"
	"diwan/protocol/claimpath"
	"diwan/protocol/sdjwt"
)

// Programs get lists as lists, whatever of them was disclosed.
func TestValues(t *testing.T) {
	claim := func(v any, path ...any) check.Claim { return check.Claim{Path: claimpath.Path(path), Value: v} }
	for name, c := range map[string]struct {
		claims []check.Claim
		want   string
	}{
		"flat":           {[]check.Claim{claim("x", "name"), claim(true, "old")}, `{"name":"x","old":true}`},
		"one name twice": {[]check.Claim{claim("x", "a", "name"), claim("y", "b", "name")}, `{"[\"b\",\"name\"]":"y","name":"x"}`},
		"a list of maps": {[]check.Claim{claim("B", "ns", "rights", 0, "code"), claim("2036", "ns", "rights", 0, "until"), claim("A1", "ns", "rights", 1, "code"), claim("2030", "ns", "until")},
			`{"rights":[{"code":"B","until":"2036"},{"code":"A1"}],"until":"2030"}`},
		"a list of texts": {[]check.Claim{claim("a", "kinds", 0), claim("b", "kinds", 1)}, `{"kinds":["a","b"]}`},
		"a part of it":    {[]check.Claim{claim("c", "rights", 7, "code"), claim("b", "rights", 3, "code")}, `{"rights":[{"code":"b"},{"code":"c"}]}`},
		"deeper":          {[]check.Claim{claim(1, "rights", 0, "of", 0, "n"), claim(2, "rights", 0, "of", 1, "n")}, `{"rights":[{"of":[{"n":1},{"n":2}]}]}`},
		"taken by a list": {[]check.Claim{claim("a", "a", "x", 0), claim("b", "b", "x")}, `{"[\"b\",\"x\"]":"b","x":["a"]}`},
	} {
		b, err := json.Marshal(Values([]Shown{{Query: "q", Result: check.Result{Claims: c.claims}}})["q"])
		if err != nil || string(b) != c.want {
			t.Errorf("%s: %s %v", name, b, err)
		}
	}
}

// The page of a verdict tells each entry of a list in words, in the reader's language.
func TestListPage(t *testing.T) {
	each(t, func(w *world) {
		w.Kit.SetTypes([]*sdjwt.TypeMetadata{{VCT: licence, Claims: []sdjwt.ClaimMetadata{
			{Path: claimpath.Path{licenceNS, "driving_privileges"}, Display: []sdjwt.ClaimDisplay{{Locale: "fr", Label: "Rights"}, {Locale: "ar", Label: "Rights-ar"}}},
			{Path: claimpath.Path{licenceNS, "driving_privileges", nil, "vehicle_category_code"}, Display: []sdjwt.ClaimDisplay{{Locale: "fr", Label: "Category"}, {Locale: "ar", Label: "Category-ar"}}},
			{Path: claimpath.Path{licenceNS, "driving_privileges", nil, "expiry_date"}, Display: []sdjwt.ClaimDisplay{{Locale: "fr", Label: "Until"}, {Locale: "ar", Label: "Until-ar"}}}}}})
		for lang, after := range map[string]string{"fr": "", "ar": "-ar"} {
			rec := w.browser().post("/"+lang+"/verify/code", url.Values{"text": {base64.RawURLEncoding.EncodeToString(w.licenceText)}})
			page := rec.Body.String()
			for _, s := range []string{"<dt><bdi>Rights" + after + "</bdi></dt><dd><ul", "<dt><bdi>Category" + after + "</bdi></dt><dd><bdi>B</bdi></dd>", "<dt><bdi>Until" + after + "</bdi></dt><dd><bdi>"} {
				if rec.Code != 200 || !strings.Contains(page, s) {
					w.Errorf("%s: %d, it lacks %q", lang, rec.Code, s)
				}
			}
			if strings.Contains(page, "2036-03-01</bdi>") || strings.Contains(page, "vehicle_category_code") || strings.Contains(page, "[{") {
				w.Errorf("%s: the list is not in words", lang)
			}
		}
	})
}
