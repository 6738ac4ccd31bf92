package app

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"diwan/internal/credential"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/pdf/seal"
	"diwan/internal/wallet/holder"
	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
	"diwan/protocol/mdoc"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/dcql"
	"diwan/protocol/openid4/jwe"
	"diwan/protocol/openid4/vp"
	"diwan/protocol/sdjwt"
)

// installation is the whole program, listening.
type installation struct {
	*App
	base string
	t    testing.TB
}

func serveApp(t testing.TB, change func(*Config)) *installation {
	t.Helper()
	return serveAppAt(t, fixedClock(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC)), change)
}

func serveAppAt(t testing.TB, clock gov.Clock, change func(*Config)) *installation {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	base := "http://" + l.Addr().String()
	a := openAppAt(t, clock, func(c *Config) {
		c.Demo, c.PublicURL = true, base
		if change != nil {
			change(c)
		}
	})
	srv := &httptest.Server{Listener: l, Config: &http.Server{Handler: a.Handler, ReadHeaderTimeout: time.Second}}
	srv.Start()
	t.Cleanup(srv.Close)
	return &installation{a, base, t}
}

func (i *installation) anchors() []*x509.Certificate {
	i.t.Helper()
	der, err := i.Credentials.Anchor(i.t.Context())
	if err != nil {
		i.t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		i.t.Fatal(err)
	}
	return []*x509.Certificate{c}
}

func (i *installation) wallet() *holder.Wallet {
	i.t.Helper()
	dir := i.t.TempDir()
	s, err := holder.OpenStore(filepath.Join(dir, "wallet"), filepath.Join(dir, "identity"))
	if err != nil {
		i.t.Fatal(err)
	}
	return &holder.Wallet{Store: s, Now: i.clock.Now, Anchors: i.anchors(), ClientID: "diwan-command"}
}

// post calls the demonstration's helpers.
func (i *installation) post(path string, body any) map[string]string {
	i.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		i.t.Fatal(err)
	}
	res, err := http.Post(i.base+path, "application/json", bytes.NewReader(b))
	if err != nil {
		i.t.Fatal(err)
	}
	defer res.Body.Close()
	var out map[string]string
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil || res.StatusCode != 200 {
		i.t.Fatal(path, res.StatusCode, err, out)
	}
	return out
}

func (i *installation) offer(kind string) map[string]string {
	return i.post("/demo/offers", map[string]string{"type": kind})
}

const drivingLicence, birthExtract = "driving-licence", "birth-extract"

// One installation serves all these tests: none changes what another sees.
func TestHolder(t *testing.T) {
	shared := serveApp(t, nil)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *installation)
	}{
		{"receives", holderReceives},
		{"refuses", holderRefuses},
		{"copies share nothing", holderCopiesShareNothing},
		{"fetches later", holderFetchesLater},
		{"consents", holderConsents},
		{"backup", holderBackup},
		{"store", holderStore},
		{"presents", holderPresents},
		{"shows no more", holderShowsNoMore},
		{"answers only the one who asks", holderAnswersOnlyTheOneWhoAsks},
		{"checks what comes", holderChecksWhatComes},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, &installation{shared.App, shared.base, t}) })
	}
}

func holderReceives(t *testing.T, i *installation) {
	for _, test := range []struct {
		name, kind, link string
		options          holder.ReceiveOptions
		formats          []string
		copies           int
	}{
		{"by value", birthExtract, "offer", holder.ReceiveOptions{}, []string{openid4.SDJWT}, 5},
		{"by reference, plain", birthExtract, "offer_uri", holder.ReceiveOptions{Plain: true, Copies: 1}, []string{openid4.SDJWT}, 1},
		{"both formats", drivingLicence, "offer", holder.ReceiveOptions{Copies: 100}, []string{openid4.SDJWT, openid4.MDoc}, 10},
		{"one format", drivingLicence, "offer", holder.ReceiveOptions{Copies: 2, Format: openid4.MDoc}, []string{openid4.MDoc}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			w, o := i.wallet(), i.offer(test.kind)
			test.options.TxCode = o["tx_code"]
			got, err := w.Receive(t.Context(), o[test.link], test.options)
			if err != nil {
				t.Fatal(err)
			}
			kept, err := w.Store.List()
			if err != nil || len(kept) != len(test.formats) || len(got) != len(test.formats) {
				t.Fatal(len(got), len(kept), err)
			}
			for _, d := range kept {
				if !slices.Contains(test.formats, d.Format) || len(d.Copies) != test.copies || !d.Listed || d.Notification == "" || len(d.Names) != 4 {
					t.Errorf("%s: %d copies, listed %v, notification %q, %d names", d.Format, len(d.Copies), d.Listed, d.Notification, len(d.Names))
				}
				if s, err := w.Standing(t.Context(), d); s != holder.Valid {
					t.Error(s, err)
				}
			}
			if _, err := w.Receive(t.Context(), o[test.link], test.options); err == nil {
				t.Error("the offer was taken twice")
			}
		})
	}
}

func holderRefuses(t *testing.T, i *installation) {
	o := i.offer(birthExtract)
	stranger, _ := newAuthority(t, i.clock.Now())
	for _, test := range []struct {
		name   string
		change func(*holder.Wallet)
		code   string
		want   error
	}{
		{"no code", nil, "", holder.ErrTxCode},
		{"short code", nil, "12", holder.ErrTxCode},
		{"wrong code", nil, wrong(o["tx_code"]), oauth.InvalidGrant},
	} {
		w := i.wallet()
		if _, err := w.Receive(t.Context(), o["offer"], holder.ReceiveOptions{TxCode: test.code}); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
	w := i.wallet()
	w.Anchors = []*x509.Certificate{stranger}
	if _, err := w.Receive(t.Context(), o["offer"], holder.ReceiveOptions{TxCode: o["tx_code"]}); !errors.Is(err, holder.ErrUntrusted) {
		t.Errorf("with the anchor of somebody else: %v", err)
	}
	// The code was not spent on that.
	w = i.wallet()
	w.Anchors = nil
	got, err := w.Receive(t.Context(), o["offer"], holder.ReceiveOptions{TxCode: o["tx_code"]})
	if err != nil || got[0].Listed {
		t.Errorf("without anchors: %v", err)
	}
	if s, err := w.Standing(t.Context(), got[0]); s != holder.Valid {
		t.Errorf("without anchors: %s %v", s, err)
	}
}

func wrong(code string) string {
	if code[0] == '1' {
		return "2" + code[1:]
	}
	return "1" + code[1:]
}

// Every copy of a batch must look like a document of somebody else.
func holderCopiesShareNothing(t *testing.T, i *installation) {
	w, o := i.wallet(), i.offer(birthExtract)
	got, err := w.Receive(t.Context(), o["offer"], holder.ReceiveOptions{TxCode: o["tx_code"], Copies: 10})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	once := func(s string) {
		if seen[s] {
			t.Errorf("two copies share %s", s)
		}
		seen[s] = true
	}
	for _, c := range got[0].Copies {
		tok, err := sdjwt.Parse(c.Value, jws.Want{})
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range tok.Disclosures {
			once(x.Salt)
			once(x.Encoded)
		}
		claims := tok.Unverified()
		once(fmt.Sprint(claims["status"]))
		once(fmt.Sprint(claims["cnf"]))
	}
}

// A document that waits for its signature is fetched when it is ready, in the copies and
// for the keys that were asked for before.
func holderFetchesLater(t *testing.T, i *installation) {
	person, err := i.Accounts.ByLogin(t.Context(), "salma.demo")
	if err != nil {
		t.Fatal(err)
	}
	now := i.clock.Now()
	samples, err := i.samples()
	if err != nil {
		t.Fatal(err)
	}
	for _, plain := range []bool{false, true} {
		w := i.wallet()
		w.Now = func() time.Time { return now }
		kind := map[bool]string{false: "diploma", true: "vehicle-registration"}[plain]
		source := credential.Source{ID: samplePrefix + kind + "." + gov.NewID(), Type: kind, Administration: samples.Registers[kind].Administration, Person: person.ID, On: gov.DateOf(now, i.Country.Zone())}
		if err := i.DB.RunTx(t.Context(), func(tx *db.Tx) error { return i.Credentials.Prepare(t.Context(), tx, source) }); err != nil {
			t.Fatal(err)
		}
		got, err := w.Request(t.Context(), i.base, holder.ReceiveOptions{Configurations: []string{kind + ".sd-jwt"}, Copies: 3, Plain: plain, Browse: i.consents(person.Actor, true)})
		if err != nil || len(got) != 1 || got[0].Pending == nil {
			t.Fatal(got, err)
		}
		d, err := w.Store.Get(got[0].ID[:6])
		if err != nil {
			t.Fatal(err)
		}
		if s, err := w.Standing(t.Context(), d); s != holder.Waiting {
			t.Error(s, err)
		}
		if err := w.Fetch(t.Context(), d); !errors.Is(err, holder.ErrWaiting) {
			t.Errorf("before the issuer wants it: %v", err)
		}
		d.Pending.NotBefore = now
		if err := w.Fetch(t.Context(), d); !errors.Is(err, holder.ErrWaiting) || !d.Pending.NotBefore.After(now) {
			t.Errorf("before it is signed: %v", err)
		}
		if _, err := i.Credentials.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		d.Pending.NotBefore = now
		if err := w.Fetch(t.Context(), d); err != nil || d.Pending != nil || len(d.Copies) != 3 {
			t.Fatal(len(d.Copies), err)
		}
		if err := w.Fetch(t.Context(), d); err != nil {
			t.Errorf("what does not wait: %v", err)
		}
		if d, err = w.Store.Get(d.ID); err != nil || d.Pending != nil || len(d.Copies) != 3 {
			t.Error(err)
		}
	}
}

// consents is what the page of the issuer does when a person says yes or no.
func (i *installation) consents(person gov.Actor, yes bool) func(context.Context, string) error {
	return func(ctx context.Context, address string) error {
		u, err := url.Parse(address)
		if err != nil {
			return err
		}
		wish, err := i.Credentials.Open(ctx, u.Query().Get("client_id"), u.Query().Get("request_uri"))
		if err != nil {
			return err
		}
		back, err := i.Credentials.Answer(ctx, person, wish, yes)
		if err != nil {
			return err
		}
		stranger, err := http.Get(strings.Split(back, "?")[0] + "?code=x&state=y")
		if err != nil || stranger.StatusCode != http.StatusBadRequest {
			return fmt.Errorf("a stranger's answer: %w", err)
		}
		stranger.Body.Close()
		res, err := http.Get(back)
		if err == nil {
			res.Body.Close()
		}
		return err
	}
}

func holderConsents(t *testing.T, i *installation) {
	i.offer(birthExtract) // makes the document that is then asked for
	w := i.wallet()
	person, err := i.Accounts.ByLogin(t.Context(), "salma.demo")
	if err != nil {
		t.Fatal(err)
	}
	const id = birthExtract + ".sd-jwt"
	got, err := w.Request(t.Context(), i.base, holder.ReceiveOptions{Configurations: []string{id}, Copies: 2, Browse: i.consents(person.Actor, true)})
	if err != nil || len(got) != 1 || len(got[0].Copies) != 2 {
		t.Fatal(got, err)
	}
	if _, err := w.Request(t.Context(), i.base, holder.ReceiveOptions{Configurations: []string{id}, Browse: i.consents(person.Actor, false)}); !errors.Is(err, oauth.AccessDenied) {
		t.Errorf("the person said no: %v", err)
	}
	if _, err := w.Request(t.Context(), i.base, holder.ReceiveOptions{Browse: i.consents(person.Actor, true)}); !errors.Is(err, holder.ErrOffer) {
		t.Errorf("nothing in particular: %v", err)
	}
}

func holderBackup(t *testing.T, i *installation) {
	w, o := i.wallet(), i.offer(birthExtract)
	if _, err := w.Receive(t.Context(), o["offer"], holder.ReceiveOptions{TxCode: o["tx_code"]}); err != nil {
		t.Fatal(err)
	}
	const pass = "correct horse battery"
	var b bytes.Buffer
	if err := w.Export(&b, "short"); err == nil {
		t.Error("a short passphrase was taken")
	}
	if err := w.Export(&b, pass); err != nil {
		t.Fatal(err)
	}
	other := i.wallet()
	if _, _, err := other.Import(bytes.NewReader(b.Bytes()), pass+"!"); !errors.Is(err, holder.ErrBackup) {
		t.Errorf("another passphrase: %v", err)
	}
	changed := bytes.Clone(b.Bytes())
	changed[len(changed)-40] ^= 1
	if _, _, err := other.Import(bytes.NewReader(changed), pass); !errors.Is(err, holder.ErrBackup) {
		t.Errorf("a changed backup: %v", err)
	}
	if n, _, err := other.Import(bytes.NewReader(b.Bytes()), pass); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if n, _, err := other.Import(bytes.NewReader(b.Bytes()), pass); err != nil || n != 0 {
		t.Errorf("twice: %d %v", n, err)
	}
	all, err := other.Store.List()
	if err != nil || len(all) != 1 {
		t.Fatal(len(all), err)
	}
	if s, err := other.Standing(t.Context(), all[0]); s != holder.Valid {
		t.Error(s, err)
	}
}

// What lies on disk tells nothing, and can't be moved about.
func holderStore(t *testing.T, i *installation) {
	w, o := i.wallet(), i.offer(drivingLicence)
	dir := t.TempDir()
	var err error
	if w.Store, err = holder.OpenStore(dir, ""); err != nil {
		t.Fatal(err)
	}
	got, err := w.Receive(t.Context(), o["offer"], holder.ReceiveOptions{TxCode: o["tx_code"], Copies: 1})
	if err != nil || len(got) != 2 {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) != 3 {
		t.Fatal(names, err)
	}
	for _, n := range names {
		info, err := os.Stat(n)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Error(n, info.Mode(), err)
		}
		b, err := os.ReadFile(n)
		if err != nil || bytes.Contains(b, []byte("credential")) {
			t.Errorf("%s can be read by anybody", n)
		}
	}
	a, b := filepath.Join(dir, got[0].ID+".document.age"), filepath.Join(dir, got[1].ID+".document.age")
	text, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Store.Get(got[1].ID); err == nil {
		t.Error("a document passes for another")
	}
	if err := os.Remove(filepath.Join(dir, "wallet.identity")); err != nil {
		t.Fatal(err)
	}
	if _, err := holder.OpenStore(dir, ""); err == nil {
		t.Error("a wallet without its identity opens")
	}
}

// newAuthority is a root that nobody here trusts, with a certificate below it.
func newAuthority(t testing.TB, now time.Time) (*x509.Certificate, func() (*ecdsa.PrivateKey, *x509.Certificate)) {
	t.Helper()
	root := newTestKey(t)
	a, err := seal.NewAuthority("Test", "XX", root, now)
	if err != nil {
		t.Fatal(err)
	}
	return a.Certificate, func() (*ecdsa.PrivateKey, *x509.Certificate) {
		k := newTestKey(t)
		c, err := a.Issue(k.Public(), seal.Holder{ID: "bank", Name: "Bank", Country: "XX"}, now)
		if err != nil {
			t.Fatal(err)
		}
		return k, c
	}
}

func newTestKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// testVerifier is a verifier made of nothing but the protocol's package.
type testVerifier struct {
	t       testing.TB
	i       *installation
	key     *ecdsa.PrivateKey
	cert    *x509.Certificate
	server  *httptest.Server
	request vp.Request
	object  string // signed
	enc     *jwe.Key
	posts   []*vp.Response
	status  int    // of the answer to a post, 0 for 200
	kind    string // of the request object
	moved   bool   // the request lies elsewhere
	chain   []*x509.Certificate
}

func newTestVerifier(t testing.TB, i *installation, query string) *testVerifier {
	t.Helper()
	_, issue := newAuthority(t, i.clock.Now())
	v := &testVerifier{t: t, i: i, kind: vp.RequestType}
	v.key, v.cert = issue()
	v.chain = []*x509.Certificate{v.cert}
	v.server = httptest.NewServer(v)
	t.Cleanup(v.server.Close)
	var err error
	if v.enc, err = jwe.NewKey(); err != nil {
		t.Fatal(err)
	}
	q, err := dcql.Parse([]byte(query))
	if err != nil {
		t.Fatal(err)
	}
	v.request = vp.Request{ClientID: vp.HashID(v.cert), Mode: vp.DirectPostJWT, ResponseURI: v.server.URL + "/response", Nonce: vp.NewNonce(), State: vp.NewNonce(), Query: q, Metadata: vp.MetadataFor(v.enc), Issued: i.clock.Now()}
	return v
}

func (v *testVerifier) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case v.moved:
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	case r.URL.Path == "/request":
		request := v.request
		if r.Method == http.MethodPost {
			f := vp.Fetch{}
			if r.ParseForm() == nil {
				if got, err := vp.ParseFetch(r.PostForm); err == nil {
					f = *got
				}
			}
			request.WalletNonce = f.Nonce
		}
		text := v.object
		if text == "" {
			var err error
			if text, err = request.Sign(v.key, v.chain); err != nil {
				v.t.Error(err)
			}
		}
		w.Header().Set("Content-Type", v.kind)
		fmt.Fprint(w, text)
	case r.URL.Path == "/response":
		if err := r.ParseForm(); err != nil {
			v.t.Error(err)
		}
		got, err := vp.Reader{Mode: v.request.Mode, Key: v.enc, State: v.request.State}.Read(r.PostForm)
		if err != nil {
			v.t.Error(err)
		}
		v.posts = append(v.posts, got)
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(max(v.status, 200))
		fmt.Fprint(w, `{"redirect_uri":"https://bank.example/done#response_code=x"}`)
	default:
		http.NotFound(w, r)
	}
}

func (v *testVerifier) link(method string) string {
	v.t.Helper()
	s, err := vp.Link{ClientID: v.request.ClientID, RequestURI: v.server.URL + "/request", Method: method}.URL(vp.Scheme)
	if err != nil {
		v.t.Fatal(err)
	}
	return s
}

// sdjwt checks a presentation and returns the claims that it shows.
func (v *testVerifier) sdjwt(text string) map[string]any {
	v.t.Helper()
	tok, err := sdjwt.Parse(text, jws.Want{})
	if err != nil {
		v.t.Fatal(err)
	}
	got, err := tok.Verify(sdjwt.Policy{Now: v.i.clock.Now(), Binding: &sdjwt.Binding{Audience: v.request.ClientID, Nonce: v.request.Nonce},
		Key: func(h jws.Header, _ map[string]any) (crypto.PublicKey, error) { return h.X5C[0].PublicKey, nil }})
	if err != nil {
		v.t.Fatal(err)
	}
	return got.Claims
}

// mdoc checks a presentation and returns its elements.
func (v *testVerifier) mdoc(text string) map[string]map[string]any {
	v.t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		v.t.Fatal(err)
	}
	r, err := mdoc.ParseResponse(b)
	if err != nil {
		v.t.Fatal(err)
	}
	public := v.enc.Public()
	thumb, err := jwe.Thumbprint(&public)
	if err != nil {
		v.t.Fatal(err)
	}
	transcript, err := mdoc.Transcript(v.request.ClientID, v.request.Nonce, thumb, v.request.ResponseURI)
	if err != nil {
		v.t.Fatal(err)
	}
	d, err := r.Verify(mdoc.Want{Trust: func([]*x509.Certificate, string) error { return nil }}, mdoc.Session{Transcript: transcript}, v.i.clock.Now())
	if err != nil {
		v.t.Fatal(err)
	}
	return d.Elements
}

const extractQuery = `{"credentials":[{"id":"birth","format":"dc+sd-jwt","meta":{"vct_values":["urn:ma:gov:acte-naissance:1"]},"claims":[{"path":["family_name"]},{"path":["birth_date"]}]}]}`
const licenceQuery = `{"credentials":[{"id":"mdl","format":"mso_mdoc","meta":{"doctype_value":"org.iso.18013.5.1.mDL"},"claims":[{"path":["org.iso.18013.5.1","family_name"]},{"path":["org.iso.18013.5.1","age_over_18"]}]}]}`

func holding(t testing.TB, i *installation, kinds ...string) *holder.Wallet {
	t.Helper()
	w := i.wallet()
	for _, k := range kinds {
		o := i.offer(k)
		if _, err := w.Receive(t.Context(), o["offer"], holder.ReceiveOptions{TxCode: o["tx_code"], Copies: 2}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// answer asks, plans and presents.
func answer(w *holder.Wallet, link string, o holder.PresentOptions) (*holder.Plan, *vp.Receipt, error) {
	ctx := context.Background()
	q, err := w.Ask(ctx, link)
	if err != nil {
		return nil, nil, err
	}
	p, err := w.Plan(ctx, q, o)
	if err != nil {
		return nil, nil, err
	}
	r, err := w.Present(ctx, p)
	return p, r, err
}

func holderPresents(t *testing.T, i *installation) {
	w := holding(t, i, birthExtract, drivingLicence)
	for _, method := range []string{vp.Get, vp.Post} {
		v := newTestVerifier(t, i, extractQuery)
		p, receipt, err := answer(w, v.link(method), holder.PresentOptions{})
		if err != nil || len(v.posts) != 1 || !strings.Contains(receipt.RedirectURI, "response_code") {
			t.Fatal(err)
		}
		if p.Question.Vouched || p.Question.Name != "Bank" || p.Shows[0].Standing != holder.Valid {
			t.Errorf("vouched %v, name %q, standing %s", p.Question.Vouched, p.Question.Name, p.Shows[0].Standing)
		}
		claims := v.sdjwt(v.posts[0].Tokens["birth"][0])
		if claims["family_name"] == nil || claims["birth_date"] == nil || claims["given_name"] != nil {
			t.Errorf("shown: %v", claims)
		}
	}
	v := newTestVerifier(t, i, licenceQuery)
	if _, _, err := answer(w, v.link(vp.Get), holder.PresentOptions{}); err != nil {
		t.Fatal(err)
	}
	shown := v.mdoc(v.posts[0].Tokens["mdl"][0])["org.iso.18013.5.1"]
	if len(shown) != 2 || shown["age_over_18"] != true {
		t.Errorf("shown: %v", shown)
	}
	all, err := w.Store.List()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range all {
		if want := map[string]int{openid4.MDoc: 1}[d.Format]; d.Format == openid4.MDoc && len(d.Shown) != want {
			t.Errorf("%s: shown %d times", d.Configuration, len(d.Shown))
		}
		if strings.Contains(d.Configuration, birthExtract) && (len(d.Shown) != 2 || d.Copies[0].Shown != 1 || d.Copies[1].Shown != 1) {
			t.Errorf("copies were not taken in turn: %+v", d.Shown)
		}
	}
}

func holderShowsNoMore(t *testing.T, i *installation) {
	w := holding(t, i, birthExtract)
	v := newTestVerifier(t, i, extractQuery)
	if _, _, err := answer(w, v.link(vp.Get), holder.PresentOptions{Claims: []string{"family_name"}}); !errors.Is(err, holder.ErrNothing) {
		t.Errorf("less than is asked for: %v", err)
	}
	if _, _, err := answer(w, v.link(vp.Get), holder.PresentOptions{Documents: []string{"0000000000000000"}}); !errors.Is(err, holder.ErrNothing) {
		t.Errorf("no document: %v", err)
	}
	either := strings.Replace(extractQuery, `"claims":[{"path":["family_name"]},{"path":["birth_date"]}]`,
		`"claims":[{"id":"a","path":["family_name"]},{"id":"b","path":["birth_date"]}],"claim_sets":[["a","b"],["b"]]`, 1)
	v = newTestVerifier(t, i, either)
	p, _, err := answer(w, v.link(vp.Get), holder.PresentOptions{Claims: []string{"birth_date"}})
	if err != nil || len(p.Shows) != 1 || len(p.Shows[0].Claims) != 1 || !p.Shows[0].Claims[0].Equal(claimpath.Path{"birth_date"}) {
		t.Errorf("the second choice: %v", err)
	}
	q, err := w.Ask(t.Context(), v.link(vp.Get))
	if err != nil {
		t.Fatal(err)
	}
	v.posts = nil
	if _, err := w.Decline(t.Context(), q); err != nil || len(v.posts) != 1 || v.posts[0].Err == nil || v.posts[0].Err.Code != oauth.AccessDenied {
		t.Errorf("declining: %v %v", err, v.posts)
	}
}

func TestHolderShowsNothingInvalid(t *testing.T) {
	for _, want := range []holder.Standing{holder.Suspended, holder.Revoked, holder.Expired} {
		i := serveApp(t, nil)
		w, o := i.wallet(), i.offer(birthExtract)
		got, err := w.Receive(t.Context(), o["offer"], holder.ReceiveOptions{TxCode: o["tx_code"]})
		if err != nil {
			t.Fatal(err)
		}
		v := newTestVerifier(t, i, extractQuery)
		q, err := w.Ask(t.Context(), v.link(vp.Get))
		if err != nil {
			t.Fatal(err)
		}
		if want == holder.Expired {
			w.Now = func() time.Time { return i.clock.Now().AddDate(2, 0, 0) }
		} else {
			i.post("/demo/revoke", map[string]string{"credential": got[0].Copies[0].Value, "to": string(want)})
		}
		if s, err := w.Standing(t.Context(), got[0]); s != want {
			t.Error(want, s, err)
		}
		if _, err := w.Plan(t.Context(), q, holder.PresentOptions{}); !errors.Is(err, holder.ErrInvalid) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func holderAnswersOnlyTheOneWhoAsks(t *testing.T, i *installation) {
	w := holding(t, i, birthExtract)
	for _, test := range []struct {
		name   string
		change func(*testVerifier)
		told   bool // the verifier was proved and is told
	}{
		{"redirected", func(v *testVerifier) { v.moved = true }, false},
		{"another type", func(v *testVerifier) { v.kind = "application/json" }, false},
		{"signed by another", func(v *testVerifier) { v.key = newTestKey(v.t) }, false},
		{"another certificate", func(v *testVerifier) {
			text, err := v.request.Sign(v.key, v.chain)
			if err != nil {
				v.t.Fatal(err)
			}
			v.object, v.request.ClientID = text, "x509_hash:"+vp.NewNonce()
		}, false},
		{"random bytes", func(v *testVerifier) { v.object = "AAAA.BBBB.CCCC" }, false},
		{"transaction data", func(v *testVerifier) {
			text, err := vp.NewTransaction("payment", []string{"birth"}, nil)
			if err != nil {
				v.t.Fatal(err)
			}
			v.request.Transactions = []string{text}
		}, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			v := newTestVerifier(t, i, extractQuery)
			test.change(v)
			if _, _, err := answer(w, v.link(vp.Get), holder.PresentOptions{}); err == nil {
				t.Error("it was answered")
			}
			for _, p := range v.posts {
				if p.Err == nil {
					t.Error("something was shown")
				}
			}
			if (len(v.posts) > 0) != test.told {
				t.Errorf("%d answers", len(v.posts))
			}
		})
	}
	for _, link := range []string{"", "openid4vp://", "openid4vp://?client_id=x509_hash:a&request_uri=http://example.org/x", "openid4vp://?client_id=x509_hash:a&request_uri=https://10.0.0.1/x",
		"openid4vp://?client_id=x509_hash:a&request_uri=https://[fd00::1]/x", "openid4vp://?client_id=x509_hash:a&request_uri=file:///etc/passwd"} {
		if _, err := w.Ask(t.Context(), link); err == nil {
			t.Errorf("%s was followed", link)
		}
		if _, err := w.Receive(t.Context(), strings.NewReplacer("openid4vp", "openid-credential-offer", "request_uri", "credential_offer_uri").Replace(link), holder.ReceiveOptions{}); err == nil {
			t.Errorf("%s was followed for an offer", link)
		}
	}
}

// An issuer that does not keep to the rules gets nothing kept.
func holderChecksWhatComes(t *testing.T, i *installation) {
	a, b := i.wallet(), i.offer(birthExtract)
	got, err := a.Receive(t.Context(), b["offer"], holder.ReceiveOptions{TxCode: b["tx_code"], Copies: 1})
	if err != nil {
		t.Fatal(err)
	}
	old := got[0].Copies[0].Value
	for _, test := range []struct {
		name   string
		change func(m map[string]any)
	}{
		{"another wallet's", func(m map[string]any) { m["credentials"] = []any{map[string]any{"credential": old}} }},
		{"changed", func(m map[string]any) {
			c := m["credentials"].([]any)[0].(map[string]any)
			s := c["credential"].(string)
			other := "A"
			if s[len(s)/4] == 'A' {
				other = "B"
			}
			c["credential"] = s[:len(s)/4] + other + s[len(s)/4+1:]
		}},
		{"not one", func(m map[string]any) { m["credentials"] = []any{map[string]any{"credential": "~~"}} }},
		{"none", func(m map[string]any) { delete(m, "credentials") }},
	} {
		w, o := i.wallet(), i.offer(birthExtract)
		w.HTTP = &http.Client{Transport: rewriting{test.change}}
		if _, err := w.Receive(t.Context(), o["offer"], holder.ReceiveOptions{TxCode: o["tx_code"], Copies: 1, Plain: true}); err == nil {
			t.Errorf("%s: it was kept", test.name)
		}
		if all, err := w.Store.List(); err != nil || len(all) != 0 {
			t.Errorf("%s: %d kept, %v", test.name, len(all), err)
		}
	}
}

// rewriting changes the answers of the endpoint for credentials.
type rewriting struct{ change func(map[string]any) }

func (r rewriting) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil || !strings.HasSuffix(req.URL.Path, "/credential") || res.StatusCode != http.StatusOK {
		return res, err
	}
	defer res.Body.Close()
	m := map[string]any{}
	if err := json.NewDecoder(res.Body).Decode(&m); err != nil {
		return nil, err
	}
	r.change(m)
	b, err := json.Marshal(m)
	res.Body = io.NopCloser(bytes.NewReader(b))
	return res, err
}
