package sdjwt

import (
	"crypto"
	"crypto/sha512"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
)

// disclosure encodes a JSON text as a disclosure and returns its digest too.
func disclosure(text string) (encoded, sum string) {
	encoded = base64.RawURLEncoding.EncodeToString([]byte(text))
	return encoded, digest(crypto.SHA256, encoded)
}

// forge signs a payload as it stands and appends disclosures.
func forge(t testing.TB, key crypto.Signer, payload string, disclosures ...string) string {
	t.Helper()
	s, err := jws.Sign(key, jws.Header{Typ: TypeVC}, []byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range disclosures {
		s += "~" + d
	}
	return s + "~"
}

func TestParseRefuses(t *testing.T) {
	key := newKey(t)
	name, nameSum := disclosure(`["salt","name","Dent"]`)
	element, elementSum := disclosure(`["salt","Dent"]`)
	one := func(text string) (string, []string) {
		d, sum := disclosure(text)
		return fmt.Sprintf(`{"vct":"x","_sd":[%q]}`, sum), []string{d}
	}
	deepSum, deep := "", []string(nil)
	for i := range MaxDepth + 2 {
		text := `["salt","name",1]`
		if i > 0 {
			text = fmt.Sprintf(`["salt","name",{"_sd":[%q]}]`, deepSum)
		}
		d, sum := disclosure(text)
		deep, deepSum = append(deep, d), sum
	}
	type row struct {
		name, payload string
		disclosures   []string
		want          error
	}
	rows := []row{
		{"digest twice in one array", fmt.Sprintf(`{"vct":"x","_sd":[%q,%q]}`, nameSum, nameSum), []string{name}, ErrDigest},
		{"decoy twice", `{"vct":"x","_sd":["a"],"b":{"_sd":["a"]}}`, nil, ErrDigest},
		{"digest twice at two levels", fmt.Sprintf(`{"vct":"x","_sd":[%q],"b":{"_sd":[%q]}}`, nameSum, nameSum), []string{name}, ErrDigest},
		{"digest in an object and an array", fmt.Sprintf(`{"vct":"x","_sd":[%q],"b":[{"...":%q}]}`, nameSum, nameSum), []string{name}, ErrDigest},
		{"disclosure twice", fmt.Sprintf(`{"vct":"x","_sd":[%q]}`, nameSum), []string{name, name}, ErrDigest},
		{"disclosure of no digest", `{"vct":"x"}`, []string{name}, ErrDigest},
		{"element in an object", fmt.Sprintf(`{"vct":"x","_sd":[%q]}`, elementSum), []string{element}, ErrDigest},
		{"member in an array", fmt.Sprintf(`{"vct":"x","b":[{"...":%q}]}`, nameSum), []string{name}, ErrDigest},
		{"name already there", fmt.Sprintf(`{"vct":"x","name":"y","_sd":[%q]}`, nameSum), []string{name}, ErrDigest},
		{"_sd is not an array", `{"vct":"x","_sd":"a"}`, nil, ErrForm},
		{"_sd holds a number", `{"vct":"x","_sd":[1]}`, nil, ErrForm},
		{"placeholder holds a number", `{"vct":"x","b":[{"...":1}]}`, nil, ErrForm},
		{"placeholder with more", `{"vct":"x","b":[{"...":"a","c":1}]}`, nil, ErrForm},
		{"placeholder as a member", `{"vct":"x","...":"a"}`, nil, ErrForm},
		{"_sd_alg below", `{"vct":"x","b":{"_sd_alg":"sha-256"}}`, nil, ErrForm},
		{"_sd_alg unknown", `{"vct":"x","_sd_alg":"sha-1"}`, nil, ErrUnsupported},
		{"_sd_alg weak", `{"vct":"x","_sd_alg":"sha-256-128"}`, nil, ErrUnsupported},
		{"_sd_alg in capitals", `{"vct":"x","_sd_alg":"SHA-256"}`, nil, ErrUnsupported},
		{"_sd_alg a number", `{"vct":"x","_sd_alg":256}`, nil, ErrForm},
		{"_sd_alg null", `{"vct":"x","_sd_alg":null}`, nil, ErrForm},
		{"another hash than was used", fmt.Sprintf(`{"vct":"x","_sd_alg":"sha-512","_sd":[%q]}`, nameSum), []string{name}, ErrDigest},
		{"claim given twice", `{"vct":"x","vct":"y"}`, nil, ErrForm},
		{"payload not an object", `["vct"]`, nil, ErrForm},
		{"disclosure not base64url", `{"vct":"x"}`, []string{"W10="}, ErrForm},
		{"disclosure with stray bits", `{"vct":"x"}`, []string{"W11"}, ErrForm},
		{"disclosure empty", `{"vct":"x"}`, []string{""}, ErrForm},
		{"disclosures nested too deep", fmt.Sprintf(`{"vct":"x","_sd":[%q]}`, deepSum), deep, ErrForm},
	}
	for text, want := range map[string]error{
		`["salt","_sd",1]`: ErrDigest, `["salt","...",1]`: ErrDigest, `["salt","_sd_alg",1]`: ErrDigest,
		`["salt"]`: ErrForm, `["salt","a",1,2]`: ErrForm, `{"a":1}`: ErrForm, `[1,"a",1]`: ErrForm, `["salt",1,1]`: ErrForm,
		`["salt","a",{"b":1,"b":2}]`: ErrForm, `["salt","a",1] 2`: ErrForm, `["salt","a",{"...":"b"}]`: ErrForm,
		`["salt","exp",1]`: ErrProtected, `["salt","cnf",{}]`: ErrProtected, `["salt","status",{}]`: ErrProtected,
		`["salt","iss","x"]`: ErrProtected, `["salt","nbf",1]`: ErrProtected, `["salt","aka_vcts",[]]`: ErrProtected,
		`["salt","vct#integrity","x"]`: ErrProtected,
	} {
		payload, d := one(text)
		rows = append(rows, row{text, payload, d, want})
	}
	hidden, sum := disclosure(`["salt","jwk",{}]`)
	rows = append(rows, row{"below cnf", fmt.Sprintf(`{"vct":"x","cnf":{"_sd":[%q]}}`, sum), []string{hidden}, ErrProtected})
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			if _, err := Parse(forge(t, key, r.payload, r.disclosures...), jws.Want{}); !errors.Is(err, r.want) {
				t.Errorf("error %v, want %v", err, r.want)
			}
		})
	}
}

func TestParseBounds(t *testing.T) {
	key := newKey(t)
	good := forge(t, key, `{"vct":"x"}`)
	compact := func(h, p string) string {
		e := base64.RawURLEncoding.EncodeToString
		return e([]byte(h)) + "." + e([]byte(p)) + ".AA~"
	}
	for name, c := range map[string]struct {
		text string
		want error
	}{
		"empty":           {"", ErrForm},
		"no tilde":        {strings.TrimSuffix(good, "~"), ErrForm},
		"only tildes":     {"~~~", ErrForm},
		"many tildes":     {good + strings.Repeat("a~", MaxDisclosures+1), ErrForm},
		"too large":       {good + strings.Repeat("a", MaxBytes), ErrForm},
		"alg none":        {compact(`{"alg":"none","typ":"dc+sd-jwt"}`, `{"vct":"x"}`), ErrUnsupported},
		"alg HS256":       {compact(`{"alg":"HS256","typ":"dc+sd-jwt"}`, `{"vct":"x"}`), ErrUnsupported},
		"alg not allowed": {compact(`{"alg":"ES384","typ":"dc+sd-jwt"}`, `{"vct":"x"}`), ErrUnsupported},
		"typ of old":      {compact(`{"alg":"ES256","typ":"vc+sd-jwt"}`, `{"vct":"x"}`), ErrUnsupported},
		"typ of another":  {compact(`{"alg":"ES256","typ":"kb+jwt"}`, `{"vct":"x"}`), ErrUnsupported},
		"no typ":          {compact(`{"alg":"ES256"}`, `{"vct":"x"}`), ErrUnsupported},
		"private key":     {compact(`{"alg":"ES256","typ":"dc+sd-jwt","jwk":{"kty":"EC","d":"x"}}`, `{"vct":"x"}`), ErrForm},
	} {
		if _, err := Parse(c.text, jws.Want{}); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
}

// TestTypeInCapitals checks that the rules of a credential aren't escaped by writing its
// type otherwise: types are compared without case.
func TestTypeInCapitals(t *testing.T) {
	key := newKey(t)
	s, err := jws.Sign(key, jws.Header{Typ: "application/DC+SD-JWT"}, []byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	token, err := Parse(s+"~", jws.Want{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := token.Verify(Policy{Key: issuedBy(key.Public()), Now: now}); !errors.Is(err, ErrForm) {
		t.Errorf("no vct: %v", err)
	}
}

func TestVerifyRefuses(t *testing.T) {
	key, holder := newKey(t), newKey(t)
	at := now.Unix()
	unknown := errors.New("unknown issuer")
	cases := []struct {
		name, payload string
		edit          func(*Policy)
		want          error
	}{
		{"good", `{"vct":"x"}`, nil, nil},
		{"another issuer's key", `{"vct":"x"}`, func(p *Policy) { p.Key = issuedBy(holder.Public()) }, ErrSignature},
		{"an unknown issuer", `{"vct":"x"}`, func(p *Policy) {
			p.Key = func(jws.Header, map[string]any) (crypto.PublicKey, error) { return nil, unknown }
		}, ErrIssuer},
		{"no vct", `{}`, nil, ErrForm},
		{"vct is a number", `{"vct":1}`, nil, ErrForm},
		{"expired", fmt.Sprintf(`{"vct":"x","exp":%d}`, at), nil, ErrExpired},
		{"expired within the leeway", fmt.Sprintf(`{"vct":"x","exp":%d}`, at), func(p *Policy) { p.Leeway = time.Minute }, nil},
		{"not yet valid", fmt.Sprintf(`{"vct":"x","nbf":%d}`, at+1), nil, ErrNotYet},
		{"not yet within the leeway", fmt.Sprintf(`{"vct":"x","nbf":%d}`, at+1), func(p *Policy) { p.Leeway = time.Minute }, nil},
		{"with a fraction", fmt.Sprintf(`{"vct":"x","exp":%d.5}`, at+1), nil, nil},
		{"exp is a text", `{"vct":"x","exp":"1"}`, nil, ErrForm},
		{"exp is negative", `{"vct":"x","exp":-1}`, nil, ErrForm},
		{"exp is endless", `{"vct":"x","exp":1e300}`, nil, ErrForm},
		{"neither end nor status", `{"vct":"x"}`, func(p *Policy) { p.Limited = true }, ErrUnlimited},
		{"status malformed", `{"vct":"x","status":{"status_list":{"idx":-1,"uri":"https://a.example"}}}`, nil, ErrForm},
		{"status by another mechanism", `{"vct":"x","status":{"other":1}}`, func(p *Policy) { p.Limited = true }, nil},
		{"holder's key malformed", `{"vct":"x","cnf":{"jwk":{"kty":"EC"}}}`, nil, ErrForm},
		{"no binding", `{"vct":"x"}`, func(p *Policy) { p.Binding = &Binding{Audience: "a", Nonce: "n"} }, ErrHolder},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			token, err := Parse(forge(t, key, c.payload), jws.Want{})
			if err != nil {
				t.Fatal(err)
			}
			p := Policy{Key: issuedBy(key.Public()), Now: now}
			if c.edit != nil {
				c.edit(&p)
			}
			if _, err := token.Verify(p); !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
		})
	}
}

// TestHolderRefused presents what an attacker with a stolen presentation could make.
func TestHolderRefused(t *testing.T) {
	key, holder, thief := newKey(t), newKey(t), newKey(t)
	token := issue(t, key, issuance(t, holder))
	policy := Policy{Key: issuedBy(key.Public()), Now: now, Binding: &Binding{Audience: "v", Nonce: "n"}}
	shown, err := token.Present(claimpath.Path{"office"})
	if err != nil {
		t.Fatal(err)
	}
	bound, err := shown.Bind(holder, Proof{Audience: "v", Nonce: "n", IssuedAt: now})
	if err != nil {
		t.Fatal(err)
	}
	proof := func(key crypto.Signer, typ string, claims map[string]any) string {
		s, err := jws.SignClaims(key, jws.Header{Typ: typ}, claims)
		if err != nil {
			t.Fatal(err)
		}
		return shown.String() + s
	}
	claims := func(edit func(map[string]any)) map[string]any {
		m := map[string]any{"aud": "v", "nonce": "n", "iat": now.Unix(), "sd_hash": digest(crypto.SHA256, shown.String())}
		edit(m)
		return m
	}
	none := func(map[string]any) {}
	last := bound[strings.LastIndex(bound, "~")+1:]
	sum := sha512.Sum512([]byte(shown.String()))
	for name, c := range map[string]struct {
		compact string
		want    error
	}{
		"good":                       {bound, nil},
		"another holder's key":       {proof(thief, TypeBinding, claims(none)), ErrHolder},
		"another type":               {proof(holder, "JWT", claims(none)), ErrHolder},
		"a disclosure added":         {token.String() + last, ErrHolder},
		"a disclosure dropped":       {shown.issuer + "~" + last, ErrHolder},
		"no sd_hash":                 {proof(holder, TypeBinding, claims(func(m map[string]any) { delete(m, "sd_hash") })), ErrHolder},
		"sd_hash by another hash":    {proof(holder, TypeBinding, claims(func(m map[string]any) { m["sd_hash"] = base64.RawURLEncoding.EncodeToString(sum[:]) })), ErrHolder},
		"no iat":                     {proof(holder, TypeBinding, claims(func(m map[string]any) { delete(m, "iat") })), ErrHolder},
		"aud a list":                 {proof(holder, TypeBinding, claims(func(m map[string]any) { m["aud"] = []string{"v"} })), ErrAudience},
		"nonce a number":             {proof(holder, TypeBinding, claims(func(m map[string]any) { m["nonce"] = 1 })), ErrNonce},
		"expired by its own account": {proof(holder, TypeBinding, claims(func(m map[string]any) { m["exp"] = now.Unix() - 1 })), ErrStale},
		"none":                       {shown.String(), ErrHolder},
		"garbage":                    {shown.String() + "a.b.c", ErrHolder},
	} {
		t.Run(name, func(t *testing.T) {
			presented, err := Parse(c.compact, jws.Want{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = presented.Verify(policy)
			if !errors.Is(err, c.want) {
				t.Errorf("error %v, want %v", err, c.want)
			}
			if errors.Is(err, ErrSignature) || errors.Is(err, jws.ErrSignature) {
				t.Error("taken for the issuer's signature:", err)
			}
		})
	}
	presented, err := Parse(bound, jws.Want{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := presented.Verify(Policy{Key: policy.Key, Now: now, Issued: true}); !errors.Is(err, ErrBound) {
		t.Errorf("a presentation as a credential: %v", err)
	}
	v, err := presented.Verify(Policy{Key: policy.Key, Now: now})
	if err != nil || v.Binding != nil {
		t.Errorf("a binding that nobody asked for: %v, %v", v, err)
	}
	tampered := strings.Replace(bound, shown.Disclosures[0].Encoded, token.Disclosures[1].Encoded+"x", 1)
	if _, err := Parse(tampered, jws.Want{}); err == nil {
		t.Error("a tampered disclosure was accepted")
	}
}

// FuzzParse checks that what is read is bounded, is written back as it was, and can be
// presented with any of its disclosures.
func FuzzParse(f *testing.F) {
	key := newKey(f)
	compact, err := Issue(key, issuance(f, key))
	if err != nil {
		f.Fatal(err)
	}
	d, sum := disclosure(`["salt","name",{"_sd":["a"],"b":[{"...":"c"}]}]`)
	for _, s := range []string{compact, forge(f, key, `{"vct":"x","_sd":["`+sum+`"]}`, d), "~", "a.b.c~", compact + "a.b.c"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		token, err := Parse(s, both)
		if err != nil {
			return
		}
		if token.String() != s {
			t.Errorf("written back as %q", token)
		}
		if _, err := json.Marshal(token.Unverified()); err != nil {
			t.Error(err)
		}
		for _, d := range token.Disclosures {
			if _, err := token.Present(d.Path); err != nil && !errors.Is(err, claimpath.ErrForm) {
				t.Errorf("%s can't be shown: %v", d.Path, err)
			}
		}
		_, _ = token.Verify(Policy{Key: issuedBy(key.Public()), Now: now, Binding: &Binding{Audience: "v", Nonce: "n"}})
	})
}

// FuzzPayload lets the fuzzer write what an issuer would sign.
func FuzzPayload(f *testing.F) {
	d, sum := disclosure(`["salt","name",{"_sd":["a"],"b":[{"...":"c"}]}]`)
	f.Add([]byte(`{"vct":"x","_sd":["`+sum+`"]}`), d)
	f.Add([]byte(`{"vct":"x","b":[{"...":"`+sum+`"}]}`), d)
	f.Fuzz(func(t *testing.T, payload []byte, disclosures string) {
		e := base64.RawURLEncoding.EncodeToString
		s := e([]byte(`{"alg":"ES256","typ":"dc+sd-jwt"}`)) + "." + e(payload) + ".AA~" + disclosures + "~"
		token, err := Parse(s, jws.Want{})
		if err != nil {
			return
		}
		b, err := json.Marshal(token.Unverified())
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), `"_sd":`) || strings.Contains(string(b), `"...":`) {
			t.Errorf("digests were left: %s", b)
		}
	})
}
