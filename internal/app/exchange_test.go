package app_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"diwan/internal/app/apptest"
	"diwan/internal/exchange"
	"diwan/internal/exchange/pki"
	"diwan/internal/exchange/snapshot"
	"diwan/internal/gov"
	"diwan/protocol/httpsig"
)

// caller is a gateway as the directory sees it.
type caller struct {
	*testing.T
	base  string
	key   ed25519.PrivateKey
	der   []byte
	nonce int
}

func newCaller(t *testing.T, base string) *caller {
	t.Helper()
	pub, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return &caller{t, base + "/api/v1/exchange", key, der, 0}
}

func (c *caller) request(method, path string, in any) *http.Request {
	c.Helper()
	var body io.Reader
	var b []byte
	if in != nil {
		var err error
		if b, err = json.Marshal(in); err != nil {
			c.Fatal(err)
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequest(method, c.base+path, body)
	if err != nil {
		c.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	if b != nil {
		digest, err := httpsig.ContentDigest(httpsig.SHA256, b)
		if err != nil {
			c.Fatal(err)
		}
		r.Header.Set(httpsig.HeaderDigest, digest)
	}
	return r
}

// sign signs a request as a gateway does; change spoils it first.
func (c *caller) sign(r *http.Request, change func(*httpsig.SignOptions)) {
	c.Helper()
	c.nonce++
	o := httpsig.SignOptions{Label: "sig1", Components: httpsig.Cs("@method", "@path", "@query"), Params: httpsig.Params{Created: time.Now(), Nonce: fmt.Sprint("n", c.nonce), Tag: exchange.RequestTag, Alg: httpsig.Ed25519}}
	if r.Body != nil {
		o.Components = append(o.Components, httpsig.C("content-digest"))
	}
	if change != nil {
		change(&o)
	}
	id := snapshot.KeyID(c.der)
	if err := httpsig.SignRequest(r, httpsig.Signer{KeyID: hex.EncodeToString(id[:]), Alg: httpsig.Ed25519, Key: c.key}, o); err != nil {
		c.Fatal(err)
	}
}

func (c *caller) send(r *http.Request) (int, map[string]any) {
	c.Helper()
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		c.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.Fatal(err)
	}
	var v map[string]any
	json.Unmarshal(b, &v)
	return res.StatusCode, v
}

// Over HTTP a gateway joins, is known by its signature and by nothing else, and
// what it sends once is not taken twice.
func TestGatewaysAreKnownByTheirSignature(t *testing.T) {
	a := apptest.Open(t)
	base := apptest.Serve(t, a)
	ctx := t.Context()
	operator := gov.Actor{ID: "test"}
	if err := a.Exchange.AddMember(ctx, operator, exchange.Member{ID: "MA/COM/TOWN", Name: gov.Text{"fr": "Commune"}}); err != nil {
		t.Fatal(err)
	}
	i, err := a.Exchange.Invite(ctx, operator, "MA/COM/TOWN", "node-1", base)
	if err != nil {
		t.Fatal(err)
	}
	c := newCaller(t, base)
	proof, err := pki.ProveKey(c.key, i.Token)
	if err != nil {
		t.Fatal(err)
	}
	tls, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := pki.NewRequest(tls)
	if err != nil {
		t.Fatal(err)
	}
	enrolment := exchange.Enrolment{Token: i.Token, Node: "node-1", Addresses: []string{"127.0.0.1:5500"}, TLSRequest: csr, LinkKey: c.der, LinkProof: proof}
	if status, v := c.send(c.request("POST", "/enrol", enrolment)); status != http.StatusCreated || v["member"] != "MA/COM/TOWN" {
		t.Fatalf("joining: %d %v", status, v)
	}
	if status, v := c.send(c.request("POST", "/enrol", enrolment)); status != http.StatusCreated || v["member"] != "MA/COM/TOWN" {
		t.Errorf("joining again, the answer was lost: %d %v", status, v)
	}
	thief := newCaller(t, base)
	enrolment.LinkKey = thief.der
	if enrolment.LinkProof, err = pki.ProveKey(thief.key, i.Token); err != nil {
		t.Fatal(err)
	}
	if status, v := c.send(c.request("POST", "/enrol", enrolment)); status != http.StatusForbidden || v["code"] != "exchange.token" {
		t.Errorf("joining with a code that another has used: %d %v", status, v)
	}

	name := map[string]any{"name": map[string]string{"fr": "Guichet"}}
	good := c.request("PUT", "/subsystems/DESK", name)
	c.sign(good, nil)
	again := c.request("PUT", "/subsystems/DESK", name)
	again.Header = good.Header.Clone()
	if status, v := c.send(good); status != http.StatusOK {
		t.Fatalf("a signed request: %d %v", status, v)
	}
	stranger := newCaller(t, base)
	for what, r := range map[string]func() *http.Request{
		"the same again": func() *http.Request { return again },
		"no signature":   func() *http.Request { return c.request("PUT", "/subsystems/DESK", name) },
		"a stranger":     func() *http.Request { r := c.request("PUT", "/subsystems/DESK", name); stranger.sign(r, nil); return r },
		"another body": func() *http.Request {
			r := c.request("PUT", "/subsystems/DESK", name)
			c.sign(r, nil)
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(`{"name":{"fr":"Autre"}}`)), 23
			return r
		},
		"another path": func() *http.Request {
			r := c.request("PUT", "/subsystems/DESK", name)
			c.sign(r, nil)
			r.URL.Path = strings.Replace(r.URL.Path, "DESK", "OTHER", 1)
			return r
		},
		"an old one": func() *http.Request {
			r := c.request("PUT", "/subsystems/DESK", name)
			c.sign(r, func(o *httpsig.SignOptions) { o.Params.Created = time.Now().Add(-time.Hour) })
			return r
		},
		"without a nonce": func() *http.Request {
			r := c.request("PUT", "/subsystems/DESK", name)
			c.sign(r, func(o *httpsig.SignOptions) { o.Params.Nonce = "" })
			return r
		},
		"of another purpose": func() *http.Request {
			r := c.request("PUT", "/subsystems/DESK", name)
			c.sign(r, func(o *httpsig.SignOptions) { o.Params.Tag = "another" })
			return r
		},
		"the body not covered": func() *http.Request {
			r := c.request("PUT", "/subsystems/DESK", name)
			c.sign(r, func(o *httpsig.SignOptions) { o.Components = httpsig.Cs("@method", "@path", "@query") })
			return r
		},
	} {
		if status, v := c.send(r()); status != http.StatusUnauthorized || v["code"] != "exchange.signature" {
			t.Errorf("%s: %d %v", what, status, v)
		}
	}
	if err := a.Exchange.Suspend(ctx, operator, "MA/COM/TOWN", "closed", true); err != nil {
		t.Fatal(err)
	}
	r := c.request("GET", "/contracts?after=0", nil)
	c.sign(r, nil)
	if status, _ := c.send(r); status != http.StatusUnauthorized {
		t.Errorf("a suspended member: %d", status)
	}
}

// Who closed a gateway for maintenance, why and since when is on the desk.
func TestDeskShowsMaintenance(t *testing.T) {
	a := apptest.Open(t)
	apptest.Pages(t, a) // with a gateway that is closed
	keeper := entered(t, a, apptest.Keeper)
	member := "/office/exchange/members/" + a.Exchange.Settings().Instance + "/" + a.Exchange.Settings().Classes[0].Code + "/REGISTRY"
	for _, path := range []string{"/office/exchange", member} {
		for _, lang := range []string{"ar", "fr", "zgh", "en"} {
			_, after, ok := strings.Cut(keeper.sees("/"+lang+path), "operator-7")
			if !ok || !strings.Contains(after[:min(len(after), 100)], `<time datetime="`) {
				t.Errorf("%s in %s: %v", path, lang, ok)
			}
		}
	}
}

// The index has a tag, so that asking often costs nothing; every address of the
// interface is described.
func TestDirectoryOverHTTP(t *testing.T) {
	a := apptest.Open(t)
	base := apptest.Serve(t, a)
	res, err := http.Get(base + "/api/v1/exchange/index")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	r, err := http.NewRequest(http.MethodGet, base+"/api/v1/exchange/index", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("If-None-Match", res.Header.Get("ETag"))
	if status, _ := newCaller(t, base).send(r); status != http.StatusNotModified {
		t.Errorf("the same index: %d", status)
	}
	_, body := get(t, base+"/api/openapi.json")
	doc, err := openapi3.NewLoader().LoadFromData([]byte(body))
	if err == nil {
		err = doc.Validate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	described := 0
	for _, p := range doc.Paths.InMatchingOrder() {
		if strings.HasPrefix(p, exchange.Root) {
			described += len(doc.Paths.Value(p).Operations())
		}
	}
	if described != exchange.Routes() {
		t.Errorf("%d operations are described, there are %d", described, exchange.Routes())
	}
	if status, _ := get(t, base+"/api/v1/exchange/parts/00"); status != http.StatusNotFound {
		t.Errorf("a part that is not there: %d", status)
	}
}
