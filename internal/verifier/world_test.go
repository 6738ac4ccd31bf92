package verifier

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/country"
	"diwan/internal/audit"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gov"
	"diwan/internal/i18n"
	"diwan/internal/problem"
	"diwan/internal/verifier/check"
	"diwan/internal/web"
	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
	"diwan/protocol/mdoc"
	"diwan/protocol/openid4/vp"
	"diwan/protocol/sdjwt"
	"diwan/protocol/statuslist"
	"diwan/protocol/trustlist"
)

const (
	base         = "https://portal.example"
	operator     = "https://state.example"
	trustURL     = operator + "/trust/issuers"
	listURI      = operator + "/status/1"
	permitType   = "urn:ma:gov:permis-construire:1"
	licence      = "org.iso.18013.5.1.mDL"
	propertyType = "urn:ma:gov:certificat-propriete:1"
	licenceNS    = "org.iso.18013.5.1"
)

type handClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *handClock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.now }

func (c *handClock) add(d time.Duration) { c.mu.Lock(); c.now = c.now.Add(d); c.mu.Unlock() }

type signer struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func (s signer) header() jws.Header { return jws.Header{X5C: []*x509.Certificate{s.cert}} }

func newKey(t testing.TB) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func certified(t testing.TB, name string, parent *signer, now time.Time) signer {
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
	if err == nil {
		c, err = x509.ParseCertificate(der)
	}
	if err != nil {
		t.Fatal(err)
	}
	return signer{key, c}
}

// world is a verifier with a state that issues and a wallet that shows.
type world struct {
	*testing.T
	*Verifier
	hand                      *handClock
	root, town, portal, asker signer
	holder                    *ecdsa.PrivateKey
	list                      *statuslist.List
	mu                        sync.Mutex
	net                       map[string]string
	mux                       *http.ServeMux
	site                      *web.Site
	revokedPermit, permitText string
	licenceText               []byte
	standing                  map[string]Standing
	barred                    string // whom the policy lets do nothing
}

// each runs a test on both engines.
func each(t *testing.T, test func(w *world)) {
	dbtest.Each(t, []db.Migrations{audit.Migrations(), Migrations()}, func(t *testing.T, d *db.DB) { test(newWorld(t, d)) })
}

var sitesMu sync.Mutex

// newSite builds the pages with the slice's words over those of the layout.
func newSite(t testing.TB, land *gov.Country, clock gov.Clock) *web.Site {
	t.Helper()
	sitesMu.Lock()
	defer sitesMu.Unlock()
	var langs []string
	for _, l := range land.Languages {
		langs = append(langs, string(l.Code))
	}
	words, err := i18n.Load(langs, []fs.FS{web.Messages(), Messages()})
	if err != nil {
		t.Fatal(err)
	}
	site, err := web.NewSite(web.Site{Country: land, Words: words, Clock: clock, Log: slog.New(slog.DiscardHandler), BaseURL: base, Demo: true, Verify: true, Who: whoAsks}, []web.TemplateSet{Templates()})
	if err != nil {
		t.Fatal(err)
	}
	return site
}

type whoKey struct{}

// whoAsks is who is signed in, as the tests say.
func whoAsks(r *http.Request) gov.Actor {
	a, _ := r.Context().Value(whoKey{}).(gov.Actor)
	return a
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	pack, err := country.Load(country.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	w := &world{T: t, hand: &handClock{now: now}, holder: newKey(t), net: map[string]string{}, mux: http.NewServeMux(), standing: map[string]Standing{}}
	w.root = certified(t, "root", nil, now)
	w.town, w.portal, w.asker = certified(t, "town", &w.root, now), certified(t, "portal", &w.root, now), certified(t, "bank", &w.root, now)
	if w.list, err = statuslist.New(64, 2); err != nil {
		t.Fatal(err)
	}
	w.publish()
	kit := check.New(check.Options{Operator: operator, Anchors: []*x509.Certificate{w.root.cert}, TrustURL: trustURL, Now: w.hand.Now, Fetch: func(_ context.Context, url string) ([]byte, string, error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		text, ok := w.net[url]
		if !ok {
			return nil, "", errors.New("not reached")
		}
		return []byte(text), statuslist.MediaJWT, nil
	}})
	w.Verifier, err = New(Options{DB: d, Audit: audit.New(d, w.hand), Clock: w.hand, Country: pack.Country, Log: slog.New(slog.DiscardHandler), Base: base, Secret: make([]byte, 32), Kit: kit, Demo: true, Numbers: w,
		Identity: func(context.Context, string, gov.Text) (crypto.Signer, []*x509.Certificate, error) {
			return w.asker.key, []*x509.Certificate{w.asker.cert}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Enrol(t.Context(), parties(t)); err != nil {
		t.Fatal(err)
	}
	w.site = newSite(t, pack.Country, w.hand)
	w.RegisterWallets(w.mux)
	(&API{w.Verifier, w.site}).Register(w.mux)
	pages := &Pages{Verifier: w.Verifier, Site: w.site, May: func(_ context.Context, who gov.Actor, _ string) error {
		if who.ID == w.barred {
			return problem.New(problem.Forbidden, "forbidden")
		}
		return nil
	}}
	inner := http.NewServeMux()
	pages.Register(inner)
	pages.RegisterShort(w.mux)
	w.site.Mount(w.mux, inner)
	w.permitText = w.permit(3, nil)
	w.revokedPermit = w.permit(4, nil)
	w.licenceText = w.licence(5)
	return w
}

// Standing answers for the issuer.
func (w *world) Standing(_ context.Context, number string) (Standing, error) {
	s, ok := w.standing[number]
	if !ok {
		return Standing{}, errNoRequest
	}
	return s, nil
}

func parties(t testing.TB) Parties {
	t.Helper()
	var p Parties
	if err := country.Decode(country.Builtin(), "verifiers.json", &p); err != nil {
		t.Fatal(err)
	}
	return p
}

// publish signs the lists anew.
func (w *world) publish() {
	w.Helper()
	now := w.hand.Now()
	roots := []string{base64.StdEncoding.EncodeToString(w.root.cert.Raw)}
	l := trustlist.List{Operator: operator, IssuedAt: now.Unix(), Expires: now.Add(24 * time.Hour).Unix(), TTL: 60, Issuers: []trustlist.Issuer{
		{ID: "town", Name: map[string]string{"fr": "La commune"}, Types: []string{permitType, licence, propertyType}, Roots: roots}, {ID: "portal", Types: []string{trustlist.StatusLists}, Roots: roots}}}
	trust, err := l.Sign(w.portal.key, w.portal.header())
	if err != nil {
		w.Fatal(err)
	}
	packed, err := (&statuslist.Packer{}).Pack(w.list)
	if err != nil {
		w.Fatal(err)
	}
	t := statuslist.Token{URI: listURI, IssuedAt: now, Expires: now.Add(time.Hour), TTL: time.Minute, List: packed}
	status, err := t.SignJWT(w.portal.key, w.portal.header())
	if err != nil {
		w.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.net[trustURL], w.net[listURI] = trust, status
}

func (w *world) revoke(index int) {
	if err := w.list.Set(index, statuslist.Invalid); err != nil {
		w.Fatal(err)
	}
	w.publish()
}

func (w *world) permit(index int, change func(map[string]any)) string {
	w.Helper()
	b, err := (jose.JSONWebKey{Key: &w.holder.PublicKey}).MarshalJSON()
	key := map[string]any{}
	if err == nil {
		err = json.Unmarshal(b, &key)
	}
	if err != nil {
		w.Fatal(err)
	}
	now := w.hand.Now()
	claims := map[string]any{"vct": permitType, "iat": now.Unix(), "exp": now.AddDate(0, 1, 0).Unix(), "cnf": map[string]any{"jwk": key}, "status": statuslist.Reference{Index: index, URI: listURI}.Claim(),
		"holder": "Salma EL MITAL", "land_title": "12345/06", "works": "House", "number": "P-17"}
	if change != nil {
		change(claims)
	}
	s, err := sdjwt.Issue(w.town.key, sdjwt.Issuance{Claims: claims, Disclosable: []claimpath.Path{{"holder"}, {"land_title"}, {"works"}, {"number"}}, Header: w.town.header()})
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func (w *world) licence(index uint64) []byte {
	w.Helper()
	now := w.hand.Now()
	in := mdoc.Issuance{DocType: licence, DeviceKey: &w.holder.PublicKey, Chain: []*x509.Certificate{w.town.cert}, Signed: now, ValidUntil: now.AddDate(1, 0, 0), Status: &mdoc.Status{Idx: index, URI: listURI}}
	for n, v := range map[string]any{"family_name": "EL MITAL", "given_name": "Salma", "expiry_date": mdoc.Date("2036-03-01"), "driving_privileges": []any{map[string]any{"vehicle_category_code": "B", "expiry_date": mdoc.Date("2036-03-01")}}, "birth_date": mdoc.Date("1990-04-12"), "age_over_18": true} {
		in.Elements = append(in.Elements, mdoc.Element{NameSpace: licenceNS, Identifier: n, Value: v})
	}
	b, err := mdoc.Issue(w.town.key, in)
	if err != nil {
		w.Fatal(err)
	}
	return b
}

// ask sends a request to the server.
func (w *world) ask(method, path, kind, body string, head map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, strings.TrimPrefix(path, base), strings.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	for n, v := range head {
		r.Header.Set(n, v)
	}
	rec := httptest.NewRecorder()
	w.mux.ServeHTTP(rec, r)
	return rec
}

const formType = "application/x-www-form-urlencoded"

// begin makes a request by the API.
func (w *world) begin(body string, head map[string]string) (apiBegun, int, string) {
	w.Helper()
	rec := w.ask("POST", "/api/v1/verifications", "application/json", body, head)
	var b apiBegun
	var p struct{ Code string }
	if err := json.Unmarshal(rec.Body.Bytes(), &b); err != nil {
		w.Fatalf("%d %s", rec.Code, rec.Body)
	}
	_ = json.Unmarshal(rec.Body.Bytes(), &p)
	return b, rec.Code, p.Code
}

func (w *world) begun(template string) apiBegun {
	w.Helper()
	b, status, code := w.begin(`{"template":"`+template+`"}`, nil)
	if status != http.StatusCreated {
		w.Fatalf("beginning: %d %s", status, code)
	}
	return b
}

// open gets a request as a wallet does.
func (w *world) open(link string) *vp.Request {
	w.Helper()
	l, err := vp.ParseLink(link)
	if err != nil {
		w.Fatal(err)
	}
	rec := w.ask("POST", l.RequestURI, formType, url.Values{"wallet_nonce": {"mine"}}.Encode(), nil)
	if rec.Code != http.StatusOK || rec.Header().Get("Content-Type") != vp.RequestType {
		w.Fatalf("%d %s %s", rec.Code, rec.Header().Get("Content-Type"), rec.Body)
	}
	q, err := vp.OpenRequest(rec.Body.String(), vp.Check{Link: *l, WalletNonce: "mine", Now: w.hand.Now(), Trust: func(h jws.Header, _ string) (crypto.PublicKey, error) { return h.X5C[0].PublicKey, nil }})
	if err != nil {
		w.Fatal(err)
	}
	return q
}

// show makes a presentation of a permit for a request.
func (w *world) show(text string, q *vp.Request, change func(*sdjwt.Proof), paths ...claimpath.Path) string {
	w.Helper()
	t, err := sdjwt.Parse(text, jws.Want{})
	if err == nil {
		t, err = t.Present(paths...)
	}
	if err != nil {
		w.Fatal(err)
	}
	p := sdjwt.Proof{Audience: q.ClientID, Nonce: q.Nonce, IssuedAt: w.hand.Now()}
	if change != nil {
		change(&p)
	}
	s, err := t.Bind(w.holder, p)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

var (
	pathHolder = claimpath.Path{"holder"}
	pathTitle  = claimpath.Path{"land_title"}
	pathWorks  = claimpath.Path{"works"}
)

// post sends a form to where the request says.
func (w *world) post(q *vp.Request, form url.Values) *httptest.ResponseRecorder {
	w.Helper()
	return w.ask("POST", q.ResponseURI, formType, form.Encode(), nil)
}

// sealed encrypts an answer to the request.
func (w *world) sealed(q *vp.Request, t vp.Tokens) url.Values {
	w.Helper()
	form, err := q.Answer(t)
	if err != nil {
		w.Fatal(err)
	}
	return form
}

// status reads how a request stands.
func (w *world) status(statusURL string) (apiStatus, int) {
	w.Helper()
	rec := w.ask("GET", statusURL, "", "", nil)
	var s apiStatus
	_ = json.Unmarshal(rec.Body.Bytes(), &s)
	return s, rec.Code
}
