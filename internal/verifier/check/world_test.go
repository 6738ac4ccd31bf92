package check

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/protocol/claimpath"
	"diwan/protocol/cosecode"
	"diwan/protocol/jws"
	"diwan/protocol/mdoc"
	"diwan/protocol/sdjwt"
	"diwan/protocol/statuslist"
	"diwan/protocol/trustlist"
)

const (
	operator   = "https://state.example"
	trustURL   = operator + "/trust/issuers"
	listsURL   = operator + "/status"
	listURI    = operator + "/status/1"
	permitType = "urn:example:permit:1"
	licence    = "org.example.licence"
)

// signer is a key with a certificate under the world's root.
type signer struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func (s signer) header() jws.Header { return jws.Header{X5C: []*x509.Certificate{s.cert}} }

// world is a state that issues, with a network of what it publishes.
type world struct {
	testing.TB
	now                   time.Time
	root                  signer
	town, portal, foreign signer
	holder                *ecdsa.PrivateKey
	list                  *statuslist.List
	net                   map[string][]byte
	asked                 []string
	kit                   *Kit
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// issue makes a certificate, signed by itself without a parent.
func issue(t testing.TB, name string, parent *signer, now time.Time) signer {
	t.Helper()
	key := newKey(t)
	c := &x509.Certificate{SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name, SerialNumber: name}, NotBefore: now.Add(-time.Hour),
		NotAfter: now.AddDate(2, 0, 0), BasicConstraintsValid: true, IsCA: parent == nil, KeyUsage: x509.KeyUsageDigitalSignature}
	above, by := c, key
	if parent == nil {
		c.KeyUsage = x509.KeyUsageCertSign
	} else {
		above, by = parent.cert, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, above, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	c, err = x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return signer{key, c}
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), holder: newKey(t), net: map[string][]byte{}}
	w.root = issue(t, "root", nil, w.now)
	w.town, w.portal = issue(t, "town", &w.root, w.now), issue(t, "portal", &w.root, w.now)
	other := issue(t, "other root", nil, w.now)
	w.foreign = issue(t, "town", &other, w.now)
	var err error
	if w.list, err = statuslist.New(1024, 2); err != nil {
		t.Fatal(err)
	}
	w.publishTrust(time.Hour)
	w.publishStatus(w.portal, nil)
	b, err := json.Marshal(statuslist.Aggregation{StatusLists: []string{listURI}})
	if err != nil {
		t.Fatal(err)
	}
	w.net[listsURL] = b
	w.kit = New(w.options())
	return w
}

func (w *world) options() Options {
	return Options{Operator: operator, Anchors: []*x509.Certificate{w.root.cert}, TrustURL: trustURL, ListsURL: listsURL, Fetch: w.fetch,
		Types: func(context.Context) ([]*sdjwt.TypeMetadata, error) { return []*sdjwt.TypeMetadata{w.describe()}, nil }, Now: func() time.Time { return w.now }}
}

func (w *world) describe() *sdjwt.TypeMetadata {
	return &sdjwt.TypeMetadata{VCT: permitType, Display: []sdjwt.TypeDisplay{{Locale: "en", Name: "Permit"}, {Locale: "fr", Name: "Permis"}},
		Claims: []sdjwt.ClaimMetadata{{Path: claimpath.Path{"land"}, Display: []sdjwt.ClaimDisplay{{Locale: "en", Label: "Land"}}}, {Path: claimpath.Path{"holder"}}}}
}

func (w *world) fetch(_ context.Context, url string) ([]byte, string, error) {
	w.asked = append(w.asked, url)
	b, ok := w.net[url]
	if !ok {
		return nil, "", errors.New("not reached")
	}
	return b, map[string]string{trustURL: trustlist.MediaType, listURI: statuslist.MediaJWT}[url], nil
}

// publishTrust publishes a list of issuers with an end.
func (w *world) publishTrust(life time.Duration) {
	w.Helper()
	own := func(s signer) []string { return []string{base64.StdEncoding.EncodeToString(s.cert.Raw)} }
	roots := []string{base64.StdEncoding.EncodeToString(w.root.cert.Raw)}
	l := trustlist.List{Operator: operator, IssuedAt: w.now.Unix(), Expires: w.now.Add(life).Unix(), TTL: 60, Issuers: []trustlist.Issuer{
		{ID: "town", Name: map[string]string{"en": "The town"}, Types: []string{permitType, licence}, Roots: roots, Certificates: own(w.town), Demonstration: true},
		{ID: "portal", Types: []string{trustlist.StatusLists}, Roots: roots, Certificates: own(w.portal)}}}
	s, err := l.Sign(w.portal.key, w.portal.header())
	if err != nil {
		w.Fatal(err)
	}
	w.net[trustURL] = []byte(s)
}

// publishStatus publishes the status list, after a change.
func (w *world) publishStatus(by signer, change func(*statuslist.Token)) {
	w.Helper()
	packed, err := (&statuslist.Packer{}).Pack(w.list)
	if err != nil {
		w.Fatal(err)
	}
	t := statuslist.Token{URI: listURI, IssuedAt: w.now, Expires: w.now.Add(time.Hour), TTL: time.Minute, List: packed}
	if change != nil {
		change(&t)
	}
	s, err := t.SignJWT(by.key, by.header())
	if err != nil {
		w.Fatal(err)
	}
	w.net[listURI] = []byte(s)
}

func members(t testing.TB, k *ecdsa.PublicKey) map[string]any {
	b, err := (jose.JSONWebKey{Key: k}).MarshalJSON()
	m := map[string]any{}
	if err == nil {
		err = json.Unmarshal(b, &m)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// permit issues an SD-JWT VC, with claims changed.
func (w *world) permit(by signer, change map[string]any) string {
	w.Helper()
	claims := map[string]any{"iss": operator, "vct": permitType, "iat": w.now.Unix(), "nbf": w.now.Unix(), "exp": w.now.AddDate(0, 1, 0).Unix(),
		"cnf": map[string]any{"jwk": members(w, &w.holder.PublicKey)}, "status": statuslist.Reference{Index: 7, URI: listURI}.Claim(),
		"holder": "Salma", "land": "12345/06", "works": "House", "issued_on": "2026-03-02"}
	maps.Copy(claims, change)
	for name, v := range change {
		if v == nil {
			delete(claims, name)
		}
	}
	s, err := sdjwt.Issue(by.key, sdjwt.Issuance{Claims: claims, Disclosable: []claimpath.Path{{"holder"}, {"land"}, {"works"}}, Header: by.header()})
	if err != nil {
		w.Fatal(err)
	}
	return s
}

// licence issues an ISO document.
func (w *world) licence(by signer, change func(*mdoc.Issuance)) []byte {
	w.Helper()
	in := mdoc.Issuance{DocType: licence, DeviceKey: &w.holder.PublicKey, Chain: []*x509.Certificate{by.cert}, Signed: w.now, ValidUntil: w.now.AddDate(1, 0, 0),
		Status:   &mdoc.Status{Idx: 9, URI: listURI},
		Elements: []mdoc.Element{{NameSpace: "org.example", Identifier: "family_name", Value: "Benali"}, {NameSpace: "org.example", Identifier: "expiry_date", Value: mdoc.Date("2036-03-01")}, {NameSpace: "org.example", Identifier: "portrait", Value: []byte{1, 2, 3}}}}
	if change != nil {
		change(&in)
	}
	b, err := mdoc.Issue(by.key, in)
	if err != nil {
		w.Fatal(err)
	}
	return b
}

// page signs the code of a printed page.
func (w *world) page(by signer, change func(*cosecode.Document)) string {
	w.Helper()
	d := cosecode.Document{Issuer: by.cert.Subject.SerialNumber, Type: permitType, Number: "P-17", IssuedAt: w.now, Expires: w.now.AddDate(1, 0, 0), Claims: map[string]any{"holder": "Salma", "on": cosecode.Date("2026-03-02"), "floors": int64(2)},
		Status: &cosecode.Status{Idx: 11, URI: listURI}}
	if change != nil {
		change(&d)
	}
	s, err := cosecode.Encode(by.key, cosecode.KeyID(by.cert), &d)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func (w *world) status(i int, v statuslist.Value) {
	if err := w.list.Set(i, v); err != nil {
		w.Fatal(err)
	}
	w.publishStatus(w.portal, nil)
}

// found checks a verdict.
func (w *world) found(r Result, state State, reasons ...Reason) {
	w.Helper()
	same := len(reasons) == len(r.Reasons)
	for i := range reasons {
		same = same && reasons[i] == r.Reasons[i]
	}
	if r.State != state || !same {
		w.Errorf("%s %v (%s), want %s %v", r.State, r.Reasons, r.Trace, state, reasons)
	}
}
