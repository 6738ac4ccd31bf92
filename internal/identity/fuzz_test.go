package identity

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"unicode"

	"diwan/internal/gov"
)

// Whatever a provider says, what is kept of it is bounded, one line, and turns
// nothing around on a page.
func FuzzClaims(f *testing.F) {
	for _, s := range []string{`{"name":"x"}`, `{"a":{"b":"1"},"a.b":"2"}`, `{"name#fr":"\u202ex\u0000","represents":[{"kind":"firm","id":"1","name":{"fr":"x"},"until":"2030-01-01"}]}`, `{"represents":{"kind":1}}`, `{"birthdate":"2026-02-30"}`} {
		f.Add(s)
	}
	c := ClaimNames{Name: map[string]string{"fr": "name#fr"}, NationalID: "a.b", Birthdate: "birthdate", Represents: "represents"}
	f.Fuzz(func(t *testing.T, s string) {
		var claims map[string]any
		if json.Unmarshal([]byte(s), &claims) != nil {
			return
		}
		p := c.read(claims, []gov.Lang{"ar", "fr"})
		texts := []string{p.Particulars.NationalID}
		for _, n := range p.Name {
			texts = append(texts, n)
		}
		if len(p.Represents) > maxRepresents {
			t.Errorf("%d mandates", len(p.Represents))
		}
		for _, r := range p.Represents {
			if !declarable[r.Kind] || r.ID == "" || r.Name.Empty() {
				t.Errorf("%+v", r)
			}
			texts = append(texts, r.ID)
			for _, n := range r.Name {
				texts = append(texts, n)
			}
		}
		for _, x := range texts {
			if len([]rune(x)) > maxName || strings.ContainsFunc(x, func(r rune) bool {
				return unicode.IsControl(r) || r >= 0x202A && r <= 0x202E || r >= 0x2066 && r <= 0x2069
			}) {
				t.Errorf("kept %q", x)
			}
		}
		if b := p.Particulars.Birthdate; b != "" {
			if _, err := gov.ParseDate(b); err != nil {
				t.Error(err)
			}
		}
	})
}

// No way of writing a return address leads out of the part of the site it is for.
func FuzzSafeReturn(f *testing.F) {
	for _, s := range []string{"/me/", "/me/data?x=1", "//x", "/me/../office/", "/me/%2e%2e/x", `/me\x`, "/me/#//x", "/me/;x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := SafeReturn(Me, s)
		base, _ := url.Parse("https://site.example/fr/")
		u, err := base.Parse("/fr" + got)
		if err != nil || u.Host != "site.example" || !strings.HasPrefix(u.Path, "/fr/me/") || strings.ContainsAny(got, "\r\n\\") {
			t.Errorf("SafeReturn(%q) = %q leads to %v", s, got, u)
		}
	})
}
