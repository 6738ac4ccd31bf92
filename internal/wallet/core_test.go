package wallet

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/internal/pdf/seal"
	"diwan/protocol/claimpath"
	"diwan/protocol/cosecode"
	"diwan/protocol/jws"
	"diwan/protocol/mdoc"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4/dcql"
	"diwan/protocol/openid4/jwe"
	"diwan/protocol/openid4/vci"
	"diwan/protocol/openid4/vp"
	"diwan/protocol/sdjwt"
	"diwan/protocol/statuslist"
	"diwan/protocol/trustlist"
)

const (
	operator = "https://issuer.example"
	listURI  = operator + "/status/one"
	kind     = "urn:example:permit:1"
	docType  = "org.example.licence.1"
)

// party is somebody with a certificate.
type party struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func (p party) header() jws.Header { return jws.Header{X5C: []*x509.Certificate{p.cert}} }

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return good(t)(k, err).(*ecdsa.PrivateKey)
}

// good returns what was made, or ends the test.
func good(t *testing.T) func(v any, err error) any {
	t.Helper()
	return func(v any, err error) any {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// fixtures is what the packages of the program made, for the application to read, and
// the keys to read its answers with.
type fixtures struct {
	now      time.Time
	root     *seal.Authority
	office   party
	verifier party
	answer   *jwe.Key
	request  *vp.Request
	list     *trustlist.List
	out      map[string]any
}

func jwkOf(t *testing.T, k crypto.PublicKey) map[string]any {
	t.Helper()
	m := map[string]any{}
	b := good(t)((jose.JSONWebKey{Key: k}).MarshalJSON()).([]byte)
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	return m
}

func pkcs8(t *testing.T, k *ecdsa.PrivateKey) string {
	t.Helper()
	return base64.StdEncoding.EncodeToString(good(t)(x509.MarshalPKCS8PrivateKey(k)).([]byte))
}

func makeFixtures(t *testing.T) *fixtures {
	t.Helper()
	f := &fixtures{now: time.Now().Truncate(time.Second), out: map[string]any{}}
	must := good(t)
	f.root = must(seal.NewAuthority("Test authority", "XX", newKey(t), f.now)).(*seal.Authority)
	stranger := must(seal.NewAuthority("Stranger", "XX", newKey(t), f.now)).(*seal.Authority)
	make := func(a *seal.Authority, id string, uses ...asn1.ObjectIdentifier) party {
		k := newKey(t)
		return party{k, must(a.Issue(k.Public(), seal.Holder{Name: "Office " + id, ID: id, Uses: uses}, f.now)).(*x509.Certificate)}
	}
	f.office, f.verifier = make(f.root, "office"), make(f.root, "bank", trustlist.ReaderUse)
	portal, alien := make(f.root, "portal"), make(stranger, "office")
	holder := newKey(t)
	f.out["now"], f.out["operator"], f.out["list_uri"], f.out["holder_pkcs8"], f.out["holder_jwk"] = f.now.Unix(), operator, listURI, pkcs8(t, holder), jwkOf(t, holder.Public())
	f.out["anchor"] = base64.StdEncoding.EncodeToString(f.root.Certificate.Raw)
	f.trust(t, portal)
	f.credentials(t, holder, alien)
	f.status(t, portal, alien)
	f.paper(t, alien)
	f.ask(t)
	f.register(t, portal, map[string]party{"good": f.verifier, "seal": make(f.root, "bank"), "alien": make(stranger, "bank", trustlist.ReaderUse)})
	f.out["client_attestation_server"] = operator
	return f
}

// trust writes the list of issuers.
func (f *fixtures) trust(t *testing.T, portal party) {
	roots := []string{base64.StdEncoding.EncodeToString(f.root.Certificate.Raw)}
	f.list = &trustlist.List{Operator: operator, IssuedAt: f.now.Unix(), Expires: f.now.Add(time.Hour).Unix(), TTL: 60, Issuers: []trustlist.Issuer{
		{ID: "portal", Name: map[string]string{"fr": "Portail"}, Types: []string{trustlist.StatusLists, trustlist.Verifiers}, Roots: roots},
		{ID: "office", Name: map[string]string{"fr": "Bureau"}, Types: []string{kind, docType}, Roots: roots,
			Certificates: []string{base64.StdEncoding.EncodeToString(f.office.cert.Raw)}},
	}}
	f.out["trust"] = good(t)(f.list.Sign(portal.key, portal.header()))
}

// credentials writes an SD-JWT VC and an mdoc, good ones and such as must be refused.
func (f *fixtures) credentials(t *testing.T, holder *ecdsa.PrivateKey, alien party) {
	must := good(t)
	issue := func(p party) string {
		return must(sdjwt.Issue(p.key, sdjwt.Issuance{
			Claims: map[string]any{"iss": operator, "vct": kind, "iat": f.now.Unix(), "exp": f.now.Add(24 * time.Hour).Unix(), "cnf": map[string]any{"jwk": jwkOf(t, holder.Public())},
				"status": statuslist.Reference{Index: 5, URI: listURI}.Claim(), "holder": "Salma", "floors": 2, "open": "seen",
				"land": map[string]any{"title": "12345/06", "area": 140}, "uses": []any{"home", "shop"}},
			Disclosable: []claimpath.Path{{"holder"}, {"floors"}, {"land"}, {"land", "title"}, {"uses", nil}}, Decoys: 2, Header: p.header()})).(string)
	}
	f.out["sdjwt"], f.out["sdjwt_alien"] = issue(f.office), issue(alien)
	b := must(mdoc.Issue(f.office.key, mdoc.Issuance{DocType: docType, DeviceKey: &holder.PublicKey, Signed: f.now, ValidUntil: f.now.Add(24 * time.Hour),
		Status: &mdoc.Status{Idx: 6, URI: listURI}, Chain: []*x509.Certificate{f.office.cert}, Elements: []mdoc.Element{
			{NameSpace: "org.example.1", Identifier: "family_name", Value: "EL MITAL"}, {NameSpace: "org.example.1", Identifier: "birth_date", Value: mdoc.Date("1990-04-12")},
			{NameSpace: "org.example.1", Identifier: "age_over_18", Value: true}, {NameSpace: "org.example.1", Identifier: "portrait", Value: []byte{1, 2, 3}}}})).([]byte)
	f.out["mdoc"] = base64.RawURLEncoding.EncodeToString(b)
}

// status writes lists: 4 is revoked, 5 valid, 6 suspended.
func (f *fixtures) status(t *testing.T, portal, alien party) {
	must := good(t)
	l := must(statuslist.New(1<<12, 2)).(*statuslist.List)
	for i, v := range map[int]statuslist.Value{4: statuslist.Invalid, 6: statuslist.Suspended, 4095: statuslist.Invalid} {
		if err := l.Set(i, v); err != nil {
			t.Fatal(err)
		}
	}
	packed := must(l.Pack()).(statuslist.Packed)
	token := statuslist.Token{URI: listURI, IssuedAt: f.now, Expires: f.now.Add(time.Hour), TTL: time.Minute, List: packed}
	f.out["status"], f.out["status_alien"] = must(token.SignJWT(portal.key, portal.header())), must(token.SignJWT(alien.key, alien.header()))
	f.out["status_cwt"] = base64.RawURLEncoding.EncodeToString(must(token.SignCWT(portal.key, portal.header())).([]byte))
	f.out["status_cwt_alien"] = base64.RawURLEncoding.EncodeToString(must(token.SignCWT(alien.key, alien.header())).([]byte))
	dense := must(statuslist.New(1<<20, 2)).(*statuslist.List)
	for i := range 1 << 20 {
		if err := dense.Set(i, statuslist.Value(mathrand.IntN(3))); err != nil { // #nosec G404 -- a filling
			t.Fatal(err)
		}
	}
	token.List = must(dense.Pack()).(statuslist.Packed)
	f.out["status_dense"] = must(token.SignJWT(portal.key, portal.header()))
	bomb := must(statuslist.New(1<<25, 2)).(*statuslist.List)
	token.List = must(bomb.Pack()).(statuslist.Packed)
	f.out["status_bomb"] = must(token.SignJWT(portal.key, portal.header()))
}

// paper writes codes.
func (f *fixtures) paper(t *testing.T, alien party) {
	must := good(t)
	d := &cosecode.Document{Issuer: operator, Type: kind, Number: "AB12-CD34", IssuedAt: f.now, Expires: f.now.Add(time.Hour),
		Claims: map[string]any{"holder": "Salma", "on": cosecode.Date("2026-03-01"), "floors": int64(2)}, Status: &cosecode.Status{Idx: 4, URI: listURI}}
	f.out["paper"] = must(cosecode.Encode(f.office.key, cosecode.KeyID(f.office.cert), d))
	f.out["paper_alien"] = must(cosecode.Encode(alien.key, cosecode.KeyID(f.office.cert), d))
}

// ask writes a verifier's request.
func (f *fixtures) ask(t *testing.T) {
	must := good(t)
	f.answer = must(jwe.NewKey()).(*jwe.Key)
	q := must(dcql.Parse([]byte(`{"credentials":[{"id":"permit","format":"dc+sd-jwt","meta":{"vct_values":["` + kind + `"]},"claims":[{"path":["holder"]},{"path":["land","title"]}]},
		{"id":"licence","format":"mso_mdoc","meta":{"doctype_value":"` + docType + `"},"claims":[{"path":["org.example.1","family_name"]},{"path":["org.example.1","age_over_18"],"values":[true]}]}]}`))).(*dcql.Query)
	f.request = &vp.Request{ClientID: vp.HashID(f.verifier.cert), Mode: vp.DirectPostJWT, ResponseURI: "https://bank.example/answer", Nonce: vp.NewNonce(), State: "state-1",
		WalletNonce: "wallet-nonce", Query: q, Metadata: vp.MetadataFor(f.answer), Issued: f.now, Expires: f.now.Add(time.Minute)}
	f.out["request"] = must(f.request.Sign(f.verifier.key, []*x509.Certificate{f.verifier.cert}))
	f.out["client_id"], f.out["verifier_pkcs8"], f.out["verifier_cert"] = f.request.ClientID, pkcs8(t, f.verifier.key), base64.StdEncoding.EncodeToString(f.verifier.cert.Raw)
}

// register writes who is registered: certificates with the token of each, and tokens that
// must not help the good one.
func (f *fixtures) register(t *testing.T, portal party, all map[string]party) {
	must := good(t)
	signed := func(by party, of *x509.Certificate, operator string, until time.Time) string {
		return must(trustlist.Register(operator, of, f.now, until).Sign(by.key, by.header())).(string)
	}
	until, of := f.now.Add(time.Minute), all["good"].cert
	out := map[string][2]string{}
	for name, p := range all {
		out[name] = [2]string{base64.StdEncoding.EncodeToString(p.cert.Raw), signed(portal, p.cert, operator, until)}
	}
	chain := base64.StdEncoding.EncodeToString(of.Raw)
	out["ended"], out["by itself"], out["by an issuer"] = [2]string{chain, signed(portal, of, operator, f.now)}, [2]string{chain, signed(all["good"], of, operator, until)}, [2]string{chain, signed(f.office, of, operator, until)}
	out["of another"], out["with another operator"] = [2]string{chain, out["seal"][1]}, [2]string{chain, signed(portal, of, "https://other.example", until)}
	out["missing"] = [2]string{chain, ""}
	f.out["registrations"] = out
}

// askFor makes a request of the bank for claims of a type, named with commas; with
// "several" before them the bank takes several documents.
func (f *fixtures) askFor(base, kind, claims string) error {
	var err error
	if f.answer, err = jwe.NewKey(); err != nil {
		return err
	}
	claims, several := strings.CutPrefix(claims, "several,")
	c := dcql.Credential{ID: "q", Multiple: several, Format: "dc+sd-jwt", Meta: dcql.Meta{VCT: []string{kind}}}
	space, isMDoc := strings.CutSuffix(kind, ".mDL")
	if isMDoc {
		c.Format, c.Meta = "mso_mdoc", dcql.Meta{Doctype: kind}
	}
	for name := range strings.SplitSeq(claims, ",") {
		at := claimpath.Path{name}
		if isMDoc {
			at = claimpath.Path{space, name}
		}
		c.Claims = append(c.Claims, dcql.Claim{Path: at})
	}
	f.request = &vp.Request{ClientID: vp.HashID(f.verifier.cert), Mode: vp.DirectPostJWT, ResponseURI: base + "/bank/answer", Nonce: vp.NewNonce(), State: vp.NewNonce(),
		Query: &dcql.Query{Credentials: []dcql.Credential{c}}, Metadata: vp.MetadataFor(f.answer), Issued: time.Now(), Expires: time.Now().Add(time.Minute),
		Info: []vp.VerifierInfo{{Format: "example", Data: json.RawMessage(`{"name":{"fr":"Banque Exemple (fictive)","en":"Example Bank (fictional)"},"purpose":{"fr":"Étudier une demande de crédit","en":"To study an application"},"demonstration":true}`)}}}
	return nil
}

// script runs the tests of the application's core in node, on a copy beside fixtures.
func script(t *testing.T, name string, f *fixtures) map[string]any {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("node is needed for the tests of the wallet application")
		}
		t.Skip("node is not installed: the wallet application's own tests don't run")
	}
	dir := t.TempDir()
	copyApp(t, dir)
	text := good(t)(json.Marshal(f.out)).([]byte)
	test := good(t)(os.ReadFile(filepath.Join("testdata", name))).([]byte)
	for n, b := range map[string][]byte{"fixtures.json": text, name: test, "package.json": []byte(`{"type":"module"}`)} {
		if err := os.WriteFile(filepath.Join(dir, n), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(t.Context(), node, "--test", name)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	answers := map[string]any{}
	if b, err := os.ReadFile(filepath.Join(dir, "answers.json")); err == nil {
		if err := json.Unmarshal(b, &answers); err != nil {
			t.Fatal(err)
		}
	}
	return answers
}

// copyApp writes the application as it is served.
func copyApp(t *testing.T, dir string) {
	t.Helper()
	files := good(t)((&App{}).read()).(map[string][]byte)
	for name, b := range files {
		p := filepath.Join(dir, "app", filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCore lets the application read what the program writes, and the program what the
// application answers.
func TestCore(t *testing.T) {
	f := makeFixtures(t)
	a := script(t, "core.test.mjs", f)
	t.Run("presentations", func(t *testing.T) { f.checkPresentations(t, a) })
	t.Run("proofs", func(t *testing.T) { f.checkProofs(t, a) })
}

func (f *fixtures) checkPresentations(t *testing.T, a map[string]any) {
	must := good(t)
	r := must(vp.Reader{Mode: vp.DirectPostJWT, Key: f.answer, State: f.request.State}.Read(map[string][]string{"response": {a["response"].(string)}})).(*vp.Response)
	tok := must(sdjwt.Parse(r.Tokens["permit"][0], jws.Want{})).(*sdjwt.Token)
	v := must(tok.Verify(sdjwt.Policy{Now: time.Now(), Leeway: time.Minute, Binding: &sdjwt.Binding{Audience: f.request.ClientID, Nonce: f.request.Nonce},
		Key: func(h jws.Header, _ map[string]any) (crypto.PublicKey, error) {
			k, _, err := f.list.Key(h.X5C, kind, time.Now())
			return k, err
		}})).(*sdjwt.Verified)
	land, _ := v.Claims["land"].(map[string]any)
	if v.Claims["holder"] != "Salma" || land["title"] != "12345/06" || v.Claims["floors"] != nil || len(v.Disclosed) != 3 {
		t.Error("disclosed", v.Claims)
	}
	b := must(base64.RawURLEncoding.DecodeString(r.Tokens["licence"][0])).([]byte)
	resp := must(mdoc.ParseResponse(b)).(*mdoc.Response)
	thumb := must(jwe.Thumbprint(f.request.EncryptionKey())).([]byte)
	session := must(mdoc.Transcript(f.request.ClientID, f.request.Nonce, thumb, f.request.ResponseURI)).([]byte)
	d := must(resp.Verify(mdoc.Want{DocType: docType, Trust: func(c []*x509.Certificate, k string) error { _, err := f.list.Issuer(c, k, time.Now()); return err }},
		mdoc.Session{Transcript: session}, time.Now())).(*mdoc.Document)
	if e := d.Elements["org.example.1"]; len(e) != 2 || e["family_name"] != "EL MITAL" || e["age_over_18"] != true {
		t.Error("shown", d.Elements)
	}
}

func (f *fixtures) checkProofs(t *testing.T, a map[string]any) {
	must := good(t)
	head := http.Header{"Dpop": {a["dpop"].(string)}}
	p := must(oauth.VerifyDPoP(context.Background(), oauth.DPoPCheck{Header: head, Method: "POST", URL: operator + "/issue/token", AccessToken: "token", Now: time.Now(),
		Nonce: func(n string) bool { return n == "dpop-nonce" }})).(*oauth.DPoPProof)
	if p.Thumbprint != a["thumbprint"] {
		t.Error("thumbprint", p.Thumbprint, a["thumbprint"])
	}
	var proofs []string
	for _, x := range a["proofs"].([]any) {
		proofs = append(proofs, x.(string))
	}
	keys := must(vci.ProofCheck{Issuer: operator, Now: time.Now(), Nonce: func(n string) bool { return n == "c-nonce" }, BatchSize: 3}.Verify(vci.Proofs{Type: vci.ProofJWT, Values: proofs})).([]vci.ProvedKey)
	if len(keys) != 3 {
		t.Error(len(keys), "keys")
	}
	// The wallet is attested here as the program would.
	jwk := must(jws.PublicKey(a["instance"])).(*jose.JSONWebKey)
	text := must(oauth.ClientAttestation{Issuer: operator, ClientID: "diwan-wallet", Expires: time.Now().Add(time.Hour), Key: jwk.Key}.Sign(f.office.key, f.office.header())).(string)
	head = http.Header{"Oauth-Client-Attestation": {text}, "Oauth-Client-Attestation-Pop": {a["pop"].(string)}}
	must(oauth.VerifyClient(context.Background(), oauth.ClientCheck{Header: head, Issuer: operator, ClientID: "diwan-wallet", Now: time.Now(),
		Trust: func(h jws.Header, _ string) (crypto.PublicKey, error) { return h.X5C[0].PublicKey, nil }, Challenge: func(c string) bool { return c == "challenge" }}))
	if !strings.HasPrefix(a["base45"].(string), "QED8WEX0") { // RFC 9285 §4.3
		t.Error("base45", a["base45"])
	}
}

// TestRequests brings requests, offers and links that must be refused.
func TestRequests(t *testing.T) { script(t, "request.test.mjs", makeFixtures(t)) }

// TestBackup writes backups and reads them on another device.
func TestBackup(t *testing.T) { script(t, "backup.test.mjs", &fixtures{out: map[string]any{}}) }
