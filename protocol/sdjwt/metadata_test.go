package sdjwt

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"diwan/protocol/claimpath"
)

func source(docs map[string]string) Source {
	return func(_ context.Context, vct string) ([]byte, error) {
		d, ok := docs[vct]
		if !ok {
			return nil, errors.New("no such type")
		}
		return []byte(d), nil
	}
}

func TestParseType(t *testing.T) {
	cases := []struct {
		name, text string
		want       error
	}{
		{"least", `{"vct":"a"}`, nil},
		{"unknown properties", `{"vct":"a","x":1,"claims":[{"path":["a"],"y":2}],"display":[{"locale":"fr","name":"n","rendering":{"simple":{}}}]}`, nil},
		{"no vct", `{}`, ErrMetadata},
		{"not an object", `[]`, ErrMetadata},
		{"vct twice", `{"vct":"a","vct":"b"}`, ErrMetadata},
		{"no path", `{"vct":"a","claims":[{}]}`, ErrMetadata},
		{"empty path", `{"vct":"a","claims":[{"path":[]}]}`, ErrMetadata},
		{"wrong sd", `{"vct":"a","claims":[{"path":["a"],"sd":"sometimes"}]}`, ErrMetadata},
		{"wrong mandatory", `{"vct":"a","claims":[{"path":["a"],"mandatory":"yes"}]}`, ErrMetadata},
		{"a claim twice", `{"vct":"a","claims":[{"path":["a",null]},{"path":["a",null]}]}`, ErrMetadata},
		{"no locale", `{"vct":"a","display":[{"name":"n"}]}`, ErrMetadata},
		{"lang of old", `{"vct":"a","display":[{"lang":"fr","name":"n"}]}`, ErrMetadata},
		{"no label", `{"vct":"a","claims":[{"path":["a"],"display":[{"locale":"fr"}]}]}`, ErrMetadata},
		{"a locale twice", `{"vct":"a","claims":[{"path":["a"],"display":[{"locale":"fr","label":"x"},{"locale":"fr","label":"y"}]}]}`, ErrMetadata},
		{"too many claims", `{"vct":"a","claims":[` + strings.Repeat(`{"path":["a"]},`, maxClaims) + `{"path":["a"]}]}`, ErrMetadata},
		{"too large", `{"vct":"` + strings.Repeat("a", MaxMetadata) + `"}`, ErrMetadata},
	}
	for _, c := range cases {
		if _, err := ParseType([]byte(c.text)); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.want)
		}
	}
}

func TestResolveType(t *testing.T) {
	const base = `{"vct":"base","display":[{"locale":"en","name":"Base"}],"claims":[
		{"path":["name"],"sd":"always","mandatory":true,"display":[{"locale":"en","label":"Name"}]},
		{"path":["address","city"],"display":[{"locale":"en","label":"City"}]}]}`
	child := func(more string) map[string]string {
		return map[string]string{"base": base, "child": `{"vct":"child","extends":"base","extends#integrity":"` +
			Integrity([]byte(base)) + `"` + more + `}`}
	}
	circle := map[string]string{"a": `{"vct":"a","extends":"b"}`, "b": `{"vct":"b","extends":"a"}`, "self": `{"vct":"self","extends":"self"}`}
	deep := map[string]string{}
	for i := range maxExtends + 1 {
		name := strings.Repeat("x", i+1)
		deep[name] = `{"vct":"` + name + `","extends":"` + name + `x"}`
	}
	cases := []struct {
		name, vct, integrity string
		docs                 map[string]string
		want                 error
	}{
		{"alone", "base", "", child(""), nil},
		{"with integrity", "base", Integrity([]byte(base)), child(""), nil},
		{"inherits", "child", "", child(""), nil},
		{"another document", "base", Integrity([]byte("other")), child(""), ErrIntegrity},
		{"integrity by nothing known", "base", "md5-AAAA", child(""), ErrIntegrity},
		{"base was changed", "child", "", map[string]string{"base": base + " ", "child": child("")["child"]}, ErrIntegrity},
		{"document of another type", "x", "", map[string]string{"x": base}, ErrIntegrity},
		{"two in a circle", "a", "", circle, ErrMetadata},
		{"extends itself", "self", "", circle, ErrMetadata},
		{"too deep", "x", "", deep, ErrMetadata},
		{"always can't become never", "child", "", child(`,"claims":[{"path":["name"],"sd":"never"}]`), ErrMetadata},
		{"always can't become allowed", "child", "", child(`,"claims":[{"path":["name"],"sd":"allowed"}]`), ErrMetadata},
		{"mandatory can't become optional", "child", "", child(`,"claims":[{"path":["name"],"mandatory":false}]`), ErrMetadata},
		{"allowed may become always", "child", "", child(`,"claims":[{"path":["address","city"],"sd":"always","mandatory":true}]`), nil},
	}
	for _, c := range cases {
		m, err := ResolveType(t.Context(), c.vct, c.integrity, source(c.docs))
		if !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.want)
		}
		if err == nil && (len(m.Claims) != 2 || m.Claims[0].SD != SDAlways || !m.Claims[0].Mandatory || m.Display[0].Name != "Base") {
			t.Errorf("%s: got %+v", c.name, m)
		}
	}
	m, err := ResolveType(t.Context(), "child", "", source(child(`,"claims":[{"path":["address","city"],"display":[{"locale":"en","label":"Town"}]},{"path":["n"]}]`)))
	if err != nil || len(m.Claims) != 3 || m.Claims[1].Display[0].Label != "Town" {
		t.Errorf("got %+v, %v", m, err)
	}
	if _, err := ResolveType(t.Context(), "absent", "", source(nil)); err == nil {
		t.Error("a type that can't be had was resolved")
	}
}

// TestIntegrityForms checks the forms of W3C Subresource Integrity: several
// hashes, options, and the strongest decides.
func TestIntegrityForms(t *testing.T) {
	doc := []byte("alert('Hello, world.');")
	const sha256 = "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="
	const sha384 = "sha384-H8BRh8j48O9oYatfu5AZzq6A9RINhZO5H16dQZngK7T62em8MUt1FLm52t+eX6xO"
	for text, good := range map[string]bool{
		sha256: true, sha384: true, sha256 + " " + sha384: true, sha256 + "?ct=x": true,
		"sha256-AAAA " + sha384: true, sha256 + " sha384-AAAA": false, "sha256-AAAA " + sha256: true,
		"": false, "sha256-": false, "sha1-AAAA": false, strings.Repeat(sha256+" ", 40): false,
	} {
		if err := CheckIntegrity(doc, text); (err == nil) != good {
			t.Errorf("%.80q: %v", text, err)
		}
	}
	if Integrity(doc) != sha256 {
		t.Error(Integrity(doc))
	}
}

func TestRules(t *testing.T) {
	m, err := ParseType([]byte(`{"vct":"x","claims":[
		{"path":["name"],"sd":"always","mandatory":true},{"path":["office"],"sd":"never"},{"path":["year"]},
		{"path":["parents",null],"sd":"always"},{"path":["parents"],"sd":"never"},{"path":["exp"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	all := []claimpath.Path{{"name"}, {"parents", 0}, {"parents", 1}}
	cases := []struct {
		name, claims string
		disclosed    []claimpath.Path
		complete     bool
		want         error
	}{
		{"good", `{"vct":"x","name":"a","office":"b","parents":["c","d"]}`, all, true, nil},
		{"another type", `{"vct":"y","name":"a"}`, all, true, ErrRules},
		{"mandatory absent", `{"vct":"x"}`, nil, true, ErrRules},
		{"mandatory not shown", `{"vct":"x","parents":[]}`, nil, false, nil},
		{"always, but not hidden", `{"vct":"x","name":"a"}`, nil, false, ErrRules},
		{"one element not hidden", `{"vct":"x","parents":["c","d"]}`, []claimpath.Path{{"parents", 0}}, false, ErrRules},
		{"never, but hidden", `{"vct":"x","office":"b"}`, []claimpath.Path{{"office"}}, false, ErrRules},
		{"of another shape", `{"vct":"x","parents":"c"}`, nil, false, ErrRules},
		{"allowed either way", `{"vct":"x","year":1}`, []claimpath.Path{{"year"}}, false, nil},
	}
	for _, c := range cases {
		var claims map[string]any
		if err := json.Unmarshal([]byte(c.claims), &claims); err != nil {
			t.Fatal(err)
		}
		if err := m.Check(claims, c.disclosed, c.complete); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", c.name, err, c.want)
		}
	}
	if got := m.Disclosable(false); len(got) != 2 {
		t.Errorf("always: %v", got)
	}
	if got := m.Disclosable(true); len(got) != 3 {
		t.Errorf("always and allowed: %v", got)
	}
	if d := m.Describe(claimpath.Path{"parents", 1}); d == nil || d.Path.String() != `["parents",null]` {
		t.Errorf("described by %+v", d)
	}
	if d := m.Describe(claimpath.Path{"parents", 1, "x"}); d != nil {
		t.Errorf("described by %+v", d)
	}
}

func TestLanguages(t *testing.T) {
	m := &TypeMetadata{Display: []TypeDisplay{{Locale: "fr"}, {Locale: "ar-MA"}, {Locale: "en-GB"}}}
	for want, languages := range map[string][]string{
		"ar-MA": {"ar"}, "fr": {"zgh"}, "en-GB": {"zgh", "en-US", "fr"},
	} {
		if got := m.In(languages...); got.Locale != want {
			t.Errorf("%v: %s, want %s", languages, got.Locale, want)
		}
	}
	if m.In().Locale != "fr" || new(TypeMetadata).In("fr") != nil || new(ClaimMetadata).In("fr") != nil {
		t.Error("without a choice")
	}
}

func FuzzParseType(f *testing.F) {
	f.Add([]byte(`{"vct":"a","extends":"b","claims":[{"path":["a",null,0],"sd":"always","mandatory":true}],"display":[{"locale":"fr","name":"n"}]}`))
	f.Add([]byte(`{"vct":"a","claims":[{"path":null}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseType(b)
		if err != nil {
			return
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ParseType(again); err != nil && len(again) < MaxMetadata {
			t.Errorf("%s is not read again: %v", again, err)
		}
	})
}
