package dcql

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"diwan/internal/beside"
	"diwan/protocol/openid4"
	"diwan/protocol/strict"
)

// credential is a question with members added to a good one.
func credential(id, more string) string {
	return fmt.Sprintf(`{"id":%q,"format":"dc+sd-jwt","meta":{"vct_values":["urn:x:1"]}%s}`, id, more)
}

func query(credentials ...string) string {
	return `{"credentials":[` + strings.Join(credentials, ",") + `]}`
}

func TestParse(t *testing.T) {
	many := make([]string, MaxCredentials+1)
	for i := range many {
		many[i] = credential(fmt.Sprint("c", i), "")
	}
	sets := func(s string) string {
		return strings.TrimSuffix(query(credential("a", ""), credential("b", "")), "}") + `,"credential_sets":` + s + `}`
	}
	cases := []struct {
		name, text string
		ok         bool
	}{
		{"smallest", query(credential("a", "")), true},
		{"unknown members", query(credential("a", `,"new":{"a":1}`)), true},
		{"all members", query(credential("a_-9", `,"multiple":true,"require_cryptographic_holder_binding":false,"trusted_authorities":[{"type":"aki","values":["s9tIpPmhxdiuNkHMEWNpYim8S8Y"]},{"type":"new","values":["x"]}],"claims":[{"id":"n","path":["a",null,0],"values":["x",1,true]},{"id":"m","path":["b"]}],"claim_sets":[["n","m"],["m"]]`)), true},
		{"a set", sets(`[{"options":[["a"],["a","b"]]},{"options":[["b"]],"required":false}]`), true},
		{"as many as may be", query(many[:MaxCredentials]...), true},
		{"too many", query(many...), false},
		{"not an object", `[]`, false},
		{"no credentials", `{}`, false},
		{"empty credentials", `{"credentials":[]}`, false},
		{"name twice", `{"credentials":[` + credential("a", "") + `],"credentials":[` + credential("b", "") + `]}`, false},
		{"id twice", query(credential("a", ""), credential("a", "")), false},
		{"no id", query(`{"format":"x","meta":{}}`), false},
		{"empty id", query(credential("", "")), false},
		{"id with a dot", query(credential("a.b", "")), false},
		{"id with an accent", query(credential("\u00e9", "")), false},
		{"long id", query(credential(strings.Repeat("a", maxID+1), "")), false},
		{"no format", query(`{"id":"a","meta":{}}`), false},
		{"another format", query(`{"id":"a","format":"ldp_vc","meta":{"type_values":[["x"]]}}`), true},
		{"no meta", query(`{"id":"a","format":"dc+sd-jwt"}`), false},
		{"empty vct_values", query(`{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":[]}}`), false},
		{"an empty vct", query(`{"id":"a","format":"dc+sd-jwt","meta":{"vct_values":[""]}}`), false},
		{"no doctype", query(`{"id":"a","format":"mso_mdoc","meta":{"vct_values":["x"]}}`), false},
		{"mdoc", query(`{"id":"a","format":"mso_mdoc","meta":{"doctype_value":"x"},"claims":[{"path":["n","e"],"intent_to_retain":true}]}`), true},
		{"mdoc path of three", query(`{"id":"a","format":"mso_mdoc","meta":{"doctype_value":"x"},"claims":[{"path":["n","e","f"]}]}`), false},
		{"mdoc path of one", query(`{"id":"a","format":"mso_mdoc","meta":{"doctype_value":"x"},"claims":[{"path":["n"]}]}`), false},
		{"mdoc path with null", query(`{"id":"a","format":"mso_mdoc","meta":{"doctype_value":"x"},"claims":[{"path":["n",null]}]}`), false},
		{"empty authorities", query(credential("a", `,"trusted_authorities":[]`)), false},
		{"authority without values", query(credential("a", `,"trusted_authorities":[{"type":"aki","values":[]}]`)), false},
		{"aki not base64url", query(credential("a", `,"trusted_authorities":[{"type":"aki","values":["+/"]}]`)), false},
		{"empty claims", query(credential("a", `,"claims":[]`)), false},
		{"claim without path", query(credential("a", `,"claims":[{"id":"a"}]`)), false},
		{"empty path", query(credential("a", `,"claims":[{"path":[]}]`)), false},
		{"negative index", query(credential("a", `,"claims":[{"path":["a",-1]}]`)), false},
		{"index 1.5", query(credential("a", `,"claims":[{"path":["a",1.5]}]`)), false},
		{"boolean in a path", query(credential("a", `,"claims":[{"path":["a",true]}]`)), false},
		{"empty values", query(credential("a", `,"claims":[{"path":["a"],"values":[]}]`)), false},
		{"value null", query(credential("a", `,"claims":[{"path":["a"],"values":[null]}]`)), false},
		{"value 1.5", query(credential("a", `,"claims":[{"path":["a"],"values":[1.5]}]`)), false},
		{"value an object", query(credential("a", `,"claims":[{"path":["a"],"values":[{}]}]`)), false},
		{"claim ids twice", query(credential("a", `,"claims":[{"id":"x","path":["a"]},{"id":"x","path":["b"]}]`)), false},
		{"bad claim id", query(credential("a", `,"claims":[{"id":"x y","path":["a"]}]`)), false},
		{"claim_sets without claims", query(credential("a", `,"claim_sets":[["x"]]`)), false},
		{"claim_sets without ids", query(credential("a", `,"claims":[{"path":["a"]}],"claim_sets":[["x"]]`)), false},
		{"claim_sets of unknown", query(credential("a", `,"claims":[{"id":"x","path":["a"]}],"claim_sets":[["y"]]`)), false},
		{"empty claim_sets", query(credential("a", `,"claims":[{"id":"x","path":["a"]}],"claim_sets":[]`)), false},
		{"an empty claim set", query(credential("a", `,"claims":[{"id":"x","path":["a"]}],"claim_sets":[[]]`)), false},
		{"empty sets", sets(`[]`), false},
		{"set without options", sets(`[{}]`), false},
		{"set with empty options", sets(`[{"options":[]}]`), false},
		{"an empty option", sets(`[{"options":[[]]}]`), false},
		{"option of unknown", sets(`[{"options":[["c"]]}]`), false},
		{"too large", query(credential("a", `,"new":"`+strings.Repeat("x", MaxBytes)+`"`)), false},
	}
	for _, c := range cases {
		q, err := Parse([]byte(c.text))
		if (err == nil) != c.ok || err != nil && !errors.Is(err, ErrQuery) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil {
			continue
		}
		b, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := Parse(b); err != nil || !reflect.DeepEqual(again, q) && !strings.Contains(c.text, "new") {
			t.Errorf("%s: written as %s, %v", c.name, b, err)
		}
	}
}

func decode(t testing.TB, s string) any {
	v, err := strict.Value([]byte(s), 1<<16)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const person = `{"vct":"urn:x:1","family_name":"Doe","given_name":"John","age":42,"big":12345678901234567891,"adult":true,"half":0.5,
	"address":{"locality":"Rabat","street_address":"1 street"},"nationalities":["MA","FR"],"degrees":[{"type":"B"},{"type":"M","year":2020},{"year":1}]}`

func held(t testing.TB) Held {
	return Held{Format: openid4.SDJWT, Types: []string{"urn:x:1", "urn:x:base"}, Claims: decode(t, person), Bound: true,
		AuthorityKeys: [][]byte{[]byte("authority")}, Authorities: map[string][]string{TrustedList: {"https://list.example"}}}
}

func TestChoose(t *testing.T) {
	aki := base64.RawURLEncoding.EncodeToString([]byte("authority"))
	cases := []struct {
		name, more string
		claims     string // paths chosen, as JSON
		set        int
		want       error
	}{
		{"no claims", ``, "null", -1, nil},
		{"a claim", `,"claims":[{"path":["family_name"]}]`, `[["family_name"]]`, -1, nil},
		{"a claim twice", `,"claims":[{"path":["family_name"]},{"path":["family_name"]}]`, `[["family_name"]]`, -1, nil},
		{"all elements", `,"claims":[{"path":["degrees",null,"type"]}]`, `[["degrees",0,"type"],["degrees",1,"type"]]`, -1, nil},
		{"a missing claim", `,"claims":[{"path":["family_name"]},{"path":["birthdate"]}]`, "", 0, ErrClaims},
		{"a path through a text", `,"claims":[{"path":["family_name","x"]}]`, "", 0, ErrClaims},
		{"an index too far", `,"claims":[{"path":["nationalities",2]}]`, "", 0, ErrClaims},
		{"by value", `,"claims":[{"path":["family_name"],"values":["Roe","Doe"]}]`, `[["family_name"]]`, -1, nil},
		{"by another value", `,"claims":[{"path":["family_name"],"values":["doe"]}]`, "", 0, ErrClaims},
		{"by a value of another kind", `,"claims":[{"path":["age"],"values":["42"]}]`, "", 0, ErrClaims},
		{"by a number", `,"claims":[{"path":["age"],"values":[42]}]`, `[["age"]]`, -1, nil},
		{"by a long number", `,"claims":[{"path":["big"],"values":[12345678901234567891]}]`, `[["big"]]`, -1, nil},
		{"by nearly the long number", `,"claims":[{"path":["big"],"values":[12345678901234567892]}]`, "", 0, ErrClaims},
		{"by truth", `,"claims":[{"path":["adult"],"values":[true]}]`, `[["adult"]]`, -1, nil},
		{"by untruth", `,"claims":[{"path":["adult"],"values":[false]}]`, "", 0, ErrClaims},
		{"an object by value", `,"claims":[{"path":["address"],"values":["Rabat"]}]`, "", 0, ErrClaims},
		{"elements by value", `,"claims":[{"path":["nationalities",null],"values":["FR"]}]`, `[["nationalities",1]]`, -1, nil},
		{"the first set that can be", `,"claims":[{"id":"a","path":["birthdate"]},{"id":"b","path":["age"]},{"id":"c","path":["adult"]}],"claim_sets":[["a"],["c"],["b","c"]]`, `[["adult"]]`, 1, nil},
		{"no set can be", `,"claims":[{"id":"a","path":["birthdate"]},{"id":"b","path":["age"]}],"claim_sets":[["a"],["a","b"]]`, "", 0, ErrClaims},
		{"an authority", `,"trusted_authorities":[{"type":"aki","values":["AAAA","` + aki + `"]}]`, "null", -1, nil},
		{"another authority", `,"trusted_authorities":[{"type":"aki","values":["AAAA"]}]`, "", 0, ErrIssuer},
		{"one of two authorities", `,"trusted_authorities":[{"type":"aki","values":["AAAA"]},{"type":"etsi_tl","values":["https://list.example"]}]`, "null", -1, nil},
		{"an unknown kind of authority", `,"trusted_authorities":[{"type":"new","values":["AAAA"]}]`, "", 0, ErrIssuer},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			q, err := Parse([]byte(query(credential("a", c.more))))
			if err != nil {
				t.Fatal(err)
			}
			r := q.Evaluate([]Held{held(t)})
			one := q.CheckOne("a", held(t))
			if !errors.Is(one, c.want) || (one == nil) != (c.want == nil) {
				t.Fatalf("got %v, want %v", one, c.want)
			}
			if c.want != nil {
				if len(r.Matches) != 0 {
					t.Errorf("it matches: %+v", r.Matches)
				}
				if _, err := r.Default(); !errors.Is(err, ErrUnsatisfied) {
					t.Errorf("got %v", err)
				}
				return
			}
			m := r.Matches["a"][0]
			b, err := json.Marshal(m.Claims)
			if err != nil || string(b) != c.claims || m.ClaimSet != c.set {
				t.Errorf("chosen %s of set %d, want %s of %d", b, m.ClaimSet, c.claims, c.set)
			}
			if err := q.CheckAnswer(map[string][]Held{"a": {held(t)}}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestKinds(t *testing.T) {
	q, err := Parse([]byte(query(credential("a", ""))))
	if err != nil {
		t.Fatal(err)
	}
	unbound, err := Parse([]byte(query(credential("a", `,"require_cryptographic_holder_binding":false`))))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		q      *Query
		change func(*Held)
		want   error
	}{
		"good":              {q, func(*Held) {}, nil},
		"another format":    {q, func(h *Held) { h.Format = openid4.MDoc }, ErrMismatch},
		"another type":      {q, func(h *Held) { h.Types = []string{"urn:x:2"} }, ErrMismatch},
		"no type":           {q, func(h *Held) { h.Types = nil }, ErrMismatch},
		"extends the type":  {q, func(h *Held) { h.Types = []string{"urn:x:2", "urn:x:1"} }, nil},
		"holder not proved": {q, func(h *Held) { h.Bound = false }, ErrHolder},
		"nor asked for":     {unbound, func(h *Held) { h.Bound = false }, nil},
	} {
		h := held(t)
		c.change(&h)
		if err := c.q.CheckOne("a", h); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if err := q.CheckOne("b", held(t)); !errors.Is(err, ErrUnknown) {
		t.Errorf("got %v", err)
	}
}

func TestSets(t *testing.T) {
	text := strings.TrimSuffix(query(credential("a", `,"claims":[{"path":["birthdate"]}]`), credential("b", ""), credential("c", `,"multiple":true`), credential("d", "")), "}") +
		`,"credential_sets":[{"options":[["a"],["b","c"]]},{"options":[["d"]],"required":false}]}`
	q, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	r := q.Evaluate([]Held{held(t), held(t)})
	want := []Options{{true, [][]string{{"b", "c"}}}, {false, [][]string{{"d"}}}}
	if !reflect.DeepEqual(r.Sets, want) {
		t.Errorf("sets %+v", r.Sets)
	}
	chosen, err := r.Default()
	if err != nil || len(chosen) != 2 || chosen[0].ID != "b" || len(chosen[0].Matches) != 1 || chosen[1].ID != "c" || len(chosen[1].Matches) != 2 {
		t.Errorf("chosen %+v, %v", chosen, err)
	}
	if _, err := q.Evaluate(nil).Default(); !errors.Is(err, ErrUnsatisfied) {
		t.Errorf("nothing held: %v", err)
	}
	one := []Held{held(t)}
	for name, c := range map[string]struct {
		answer map[string][]Held
		want   error
	}{
		"an option":            {map[string][]Held{"b": one, "c": one}, nil},
		"and what may be":      {map[string][]Held{"b": one, "c": {held(t), held(t)}, "d": one}, nil},
		"half an option":       {map[string][]Held{"b": one}, ErrMissing},
		"only what may be":     {map[string][]Held{"d": one}, ErrMissing},
		"nothing":              {nil, ErrMissing},
		"two for one":          {map[string][]Held{"b": {held(t), held(t)}, "c": one}, ErrCount},
		"what was not asked":   {map[string][]Held{"b": one, "c": one, "x": one}, ErrUnknown},
		"an empty answer":      {map[string][]Held{"b": {}, "c": one}, ErrMissing},
		"without those claims": {map[string][]Held{"a": one}, ErrClaims},
	} {
		if err := q.CheckAnswer(c.answer); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// TestPublished reads the queries that OpenID4VP 1.0 prints, and answers some.
func TestPublished(t *testing.T) {
	dir, err := beside.Find("vectors/oid4vp")
	if err != nil {
		t.Skip("the examples of OpenID4VP are absent: ", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "query_lang", "*.json"))
	if err != nil || len(files) < 7 {
		t.Fatalf("%d queries, %v", len(files), err)
	}
	files = append(files, filepath.Join(dir, "request", "dcql_jwt_vc.json"), filepath.Join(dir, "request", "dcql_ldp_vc.json"))
	wallet := []Held{
		{Format: openid4.SDJWT, Types: []string{"https://credentials.example.com/identity_credential"}, Bound: true, Claims: decode(t,
			`{"family_name":"Doe","given_name":"John","address":{"street_address":"x"},"postal_code":"90211","date_of_birth":"1940-01-01"}`)},
		{Format: openid4.MDoc, Types: []string{"org.iso.7367.1.mVRC"}, Bound: true, Claims: decode(t,
			`{"org.iso.7367.1":{"vehicle_holder":"x"},"org.iso.18013.5.1":{"given_name":"y"}}`)},
		{Format: openid4.MDoc, Types: []string{"org.iso.23220.photoid.1"}, Bound: true, Claims: decode(t,
			`{"org.iso.18013.5.1":{"given_name":"y","family_name":"z","portrait":"AA"}}`)},
	}
	want := map[string]string{
		"simple.json":                   "my_credential:-1",
		"simple_mdoc.json":              "my_credential:-1",
		"value_matching_simple.json":    "my_credential:-1",
		"claims_alternatives.json":      "pid:1",
		"multi_credentials.json":        "pid:-1 mdl:-1",
		"credentials_alternatives.json": "pid:-1",
		"complex_mdoc.json":             "photo_card-id:-1",
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		q, err := Parse(b)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(f), err)
			continue
		}
		var got []string
		chosen, err := q.Evaluate(wallet).Default()
		for _, c := range chosen {
			got = append(got, fmt.Sprintf("%s:%d", c.ID, c.Matches[0].ClaimSet))
		}
		if s := strings.Join(got, " "); s != want[filepath.Base(f)] || (err == nil) != (s != "") {
			t.Errorf("%s is answered by %q, %v", filepath.Base(f), s, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{query(credential("a", "")), query(credential("a", `,"claims":[{"id":"x","path":["degrees",null,"type"],"values":["B",1]}],"claim_sets":[["x"]]`)),
		`{"credentials":[{"id":"a","format":"mso_mdoc","meta":{"doctype_value":"x"},"claims":[{"path":["n","e"]}]}],"credential_sets":[{"options":[["a"]]}]}`, `{"credentials":null}`} {
		f.Add(s, person)
	}
	f.Fuzz(func(t *testing.T, text, claims string) {
		q, err := Parse([]byte(text))
		if err != nil {
			return
		}
		v, err := strict.Value([]byte(claims), 1<<16)
		if err != nil {
			return
		}
		h := Held{Format: openid4.SDJWT, Types: []string{"urn:x:1"}, Claims: v, Bound: true}
		chosen, err := q.Evaluate([]Held{h}).Default()
		if err != nil {
			return
		}
		answer := map[string][]Held{}
		for _, c := range chosen {
			for range c.Matches {
				answer[c.ID] = append(answer[c.ID], h)
			}
		}
		if err := q.CheckAnswer(answer); err != nil {
			t.Errorf("%s: what a wallet chose is refused: %v", text, err)
		}
	})
}
