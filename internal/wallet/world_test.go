package wallet

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"image"
	"image/draw"
	"image/png"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/boombuler/barcode"
	"github.com/boombuler/barcode/qr"

	"diwan/country"
	"diwan/internal/audit"
	"diwan/internal/credential"
	"diwan/internal/credential/specimen"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gov"
	"diwan/internal/i18n"
	"diwan/internal/keys"
	"diwan/internal/pdf/seal"
	"diwan/internal/problem"
	"diwan/internal/verifier/check"
	"diwan/internal/web"
	"diwan/protocol/cosecode"
	"diwan/protocol/jws"
	"diwan/protocol/mdoc"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4/jwe"
	"diwan/protocol/openid4/vp"
	"diwan/protocol/sdjwt"
	"diwan/protocol/trustlist"
)

type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

// person has a key for everybody.
type person struct{}

func (person) PersonKey(_ context.Context, id string) ([]byte, error) {
	sum := sha256.Sum256([]byte(id))
	return sum[:], nil
}

type facts map[string]credential.Facts

func (f facts) Facts(_ context.Context, id string) (credential.Facts, error) { return f[id], nil }

var salma = gov.Actor{ID: "salma", Roles: []gov.Role{gov.RolePerson}}

// world is an issuer, a verifier and the wallet behind one address.
type world struct {
	t        testing.TB
	base     string
	issuer   *credential.Credentials
	app      *App
	server   *httptest.Server
	provider *ecdsa.PrivateKey // who attests wallets
	decided  facts
	verifier *verifier
	keys     *keys.Store
	list     string // the status list that was shown last
}

// devices keep the devices with the issuer, as the program does.
type devices struct{ w *world }

func (d devices) Register(ctx context.Context, actor gov.Actor, name, thumbprint string) (string, error) {
	w, err := d.w.issuer.RegisterWallet(ctx, actor, name, thumbprint)
	if err != nil {
		return "", err
	}
	return w.ID, nil
}

func (d devices) Attest(ctx context.Context, id string, key *ecdsa.PublicKey, client string) (Attestation, error) {
	all, err := d.w.issuer.WalletsOf(ctx, salma.ID)
	for _, x := range all {
		if x.ID == id && x.State == credential.Ready {
			ends := time.Now().Add(time.Hour)
			text, err := oauth.ClientAttestation{Issuer: d.w.base, ClientID: credential.OwnClient, Issued: time.Now(), Expires: ends, Key: key}.Sign(d.w.provider, jws.Header{Kid: "provider"})
			return Attestation{text, ends}, err
		}
	}
	return Attestation{}, errors.Join(err, problem.New(problem.NotFound, "wallet.proof"))
}

func (d devices) List(ctx context.Context, actor gov.Actor) ([]Device, error) {
	all, err := d.w.issuer.WalletsOf(ctx, actor.ID)
	var out []Device
	for _, x := range all {
		out = append(out, Device{x.ID, x.Name, x.Created, x.State != credential.Ready, x.Copies})
	}
	return out, err
}

func (d devices) Revoke(ctx context.Context, actor gov.Actor, id string) error {
	return d.w.issuer.RevokeWallet(ctx, actor, id)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	listener := good(t)(net.Listen("tcp", "127.0.0.1:0")).(net.Listener)
	w := &world{t: t, base: "http://" + listener.Addr().String(), provider: newKey(t), decided: facts{}}
	pack := good(t)(country.Load(country.Builtin())).(*country.Pack)
	site := newSite(t, pack.Country, w.base)
	w.openIssuer(t, pack)
	var err error
	w.app, err = New(Options{Site: site, Base: w.base, Client: credential.OwnClient, Devices: devices{w}, Read: func(ctx context.Context, b []byte) ([]string, error) { return check.Codes(ctx, b, nil) }, Anchors: func(ctx context.Context) ([][]byte, error) {
		der, err := w.issuer.Anchor(ctx)
		return [][]byte{der}, err
	}})
	if err != nil {
		t.Fatal(err)
	}
	mux, pages := http.NewServeMux(), http.NewServeMux()
	limit := func(h http.Handler) http.Handler { return h }
	w.issuer.Register(mux, limit)
	w.app.Register(mux)
	w.app.RegisterPages(pages)
	mux.Handle("GET /static/", site.Assets)
	mux.HandleFunc("GET /issue/authorize", w.issuer.Authorize(site))
	pages.HandleFunc("GET /me/wallet/requests/{id}", func(rw http.ResponseWriter, r *http.Request) { // who is asked says yes
		to, err := w.issuer.Answer(r.Context(), salma, r.PathValue("id"), true)
		if err != nil {
			site.Fail(rw, r, err)
			return
		}
		http.Redirect(rw, r, to, http.StatusSeeOther)
	})
	site.Mount(mux, pages)
	w.registerTests(mux)
	w.server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: web.SecureHeaders(false, mux), ReadHeaderTimeout: 5 * time.Second}}
	w.server.Start()
	t.Cleanup(w.server.Close)
	return w
}

func newSite(t testing.TB, land *gov.Country, base string) *web.Site {
	t.Helper()
	var langs []string
	for _, l := range land.Languages {
		langs = append(langs, string(l.Code))
	}
	words, err := i18n.Load(langs, []fs.FS{web.Messages(), Messages(), credential.Messages()})
	if err != nil {
		t.Fatal(err)
	}
	site, err := web.NewSite(web.Site{Country: land, Words: words, Clock: realClock{}, Log: slog.New(slog.DiscardHandler), BaseURL: base, Demo: true, Verify: true, Who: func(r *http.Request) gov.Actor {
		if c, err := r.Cookie("who"); err == nil && c.Value == salma.ID {
			return salma
		}
		return gov.Actor{}
	}}, []web.TemplateSet{Templates()})
	if err != nil {
		t.Fatal(err)
	}
	return site
}

func (w *world) openIssuer(t *testing.T, pack *country.Pack) {
	t.Helper()
	dir := t.TempDir()
	store := good(t)(keys.Open(dir, filepath.Join(dir, "identity"), realClock{})).(*keys.Store)
	w.keys = store
	d := dbtest.SQLite(t, []db.Migrations{audit.Migrations(), credential.Migrations()})
	var err error
	w.issuer, err = credential.New(credential.Options{DB: d, Clock: realClock{}, Country: pack.Country, Audit: audit.New(d, realClock{}), Persons: person{}, Keys: store, Sources: w.decided, Base: w.base,
		OfficeName: func(string) gov.Text { return gov.Text{"fr": "Commune d’Oued Zitoun (fictive)"} },
		May:        func(context.Context, gov.Actor, string, *credential.Document) error { return nil },
		Ready:      func(context.Context, *db.Tx, *credential.Document) error { return nil },
		Wallets: func(h jws.Header, issuer string) (crypto.PublicKey, error) {
			if h.Kid != "provider" || issuer != w.base {
				return nil, errors.New("unknown")
			}
			return w.provider.Public(), nil
		},
		Secret: bytes.Repeat([]byte{7}, 32), StatusLife: 2 * time.Second, Demonstration: true, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	var plan struct {
		Silence string            `json:"silence"`
		Types   []credential.Type `json:"types"`
	}
	if err := country.Decode(pack.Files, "credentials.json", &plan); err != nil {
		t.Fatal(err)
	}
	if err := w.issuer.LoadTypes(t.Context(), plan.Types); err != nil {
		t.Fatal(err)
	}
}

// document makes a signed document of a type for Salma.
func (w *world) document(id, kind string) (*credential.Document, error) {
	ctx := context.Background()
	if err := w.prepare(id, kind); err != nil {
		return nil, err
	}
	if _, err := w.issuer.Settle(ctx); err != nil {
		return nil, err
	}
	all, err := w.issuer.Of(ctx, id)
	if err != nil || len(all) != 1 {
		return nil, errors.Join(err, errors.New("not one document"))
	}
	return all[0], nil
}

// prepare makes a document due, without it being signed.
func (w *world) prepare(id, kind string) error {
	face, err := specimen.Portrait()
	if err != nil {
		return err
	}
	w.decided[id] = credential.Facts{"decision": map[string]any{"on": gov.DateOf(time.Now(), w.issuer.Country.Zone()).String()}, "office": map[string]any{"name": map[string]any{"fr": "Commune", "ar": "Commune"}},
		"applicant": map[string]any{"name": "Salma EL MITAL"}, "case": map[string]any{"number": "2026-AAAA"},
		"answers": map[string]any{"land": map[string]any{"title": "12345/06"}, "project": map[string]any{"floors": json.Number("2"), "covered": json.Number("140.5")}},
		"register": map[string]any{"family_name": "EL MITAL", "given_name": "Salma", "birth_date": "1990-04-12", "expiry_date": "2036-03-31", "issuing_country": "MA", "number": "00/1",
			"categories": "B", "age_over_18": true, "family_name_ar": "EL MITAL", "given_name_ar": "Salma", "plate": "12345-A-6", "make": "Example", "first_registered": "2020-01-01",
			"portrait": base64.StdEncoding.EncodeToString(face), "driving_privileges": []any{map[string]any{"vehicle_category_code": "A1", "issue_date": "2014-05-02"}, map[string]any{"vehicle_category_code": "B", "issue_date": "2016-04-01", "expiry_date": "2036-03-31"}}},
		"country": credential.CountryFacts(w.issuer.Country)}
	ctx := context.Background()
	t, err := w.issuer.Type(ctx, kind)
	if err != nil {
		return err
	}
	office := "commune"
	if len(t.Issuers) > 0 {
		office = t.Issuers[0]
	}
	return w.issuer.DB.RunTx(ctx, func(tx *db.Tx) error {
		return w.issuer.Prepare(ctx, tx, credential.Source{ID: id, Type: kind, Administration: office, Person: salma.ID, By: "agent", On: gov.DateOf(time.Now(), w.issuer.Country.Zone())})
	})
}

// verifier is a bank that asks for two fields.
type verifier struct {
	party
	root *seal.Authority
	last *vp.Response
}

// registerTests adds what a script needs to bring something about.
func (w *world) registerTests(mux *http.ServeMux) {
	answer := func(rw http.ResponseWriter, v any, err error) {
		if err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(v)
	}
	mux.HandleFunc("GET /test/offer/{id}/{kind}", func(rw http.ResponseWriter, r *http.Request) {
		d, err := w.document(r.PathValue("id"), r.PathValue("kind"))
		if err != nil {
			answer(rw, nil, err)
			return
		}
		o, err := w.issuer.Offer(r.Context(), salma, d.ID)
		if err != nil {
			answer(rw, nil, err)
			return
		}
		link, err := w.issuer.Link(o, true)
		answer(rw, map[string]string{"link": link, "code": o.TxCode, "document": d.ID}, err)
	})
	mux.HandleFunc("GET /test/prepare/{id}/{kind}", func(rw http.ResponseWriter, r *http.Request) {
		answer(rw, true, w.prepare(r.PathValue("id"), r.PathValue("kind")))
	})
	mux.HandleFunc("GET /test/settle", func(rw http.ResponseWriter, r *http.Request) {
		_, err := w.issuer.Settle(r.Context())
		answer(rw, true, err)
	})
	mux.HandleFunc("GET /test/status/{document}/{to}", func(rw http.ResponseWriter, r *http.Request) {
		_, err := w.issuer.Change(r.Context(), gov.Actor{ID: "agent", Administration: "commune"}, r.PathValue("document"), r.PathValue("to"), "for the test")
		answer(rw, true, err)
	})
	mux.HandleFunc("GET /test/code/{place}", func(rw http.ResponseWriter, r *http.Request) {
		text, err := w.code(r.Context(), r.PathValue("place"))
		answer(rw, map[string]string{"code": text}, err)
	})
	w.openVerifier(mux, answer)
}

// code is the code of a document on paper, as the issuer signs it, with a place in its
// first status list.
func (w *world) code(ctx context.Context, place string) (string, error) {
	sum := sha256.Sum256([]byte("commune"))
	key, err := w.keys.Signer("credential-" + hex.EncodeToString(sum[:10]))
	if err != nil {
		return "", err
	}
	l, err := w.issuer.TrustList(ctx)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(l.Issuers, func(x trustlist.Issuer) bool { return x.ID == "commune" })
	der, err := base64.StdEncoding.DecodeString(l.Issuers[i].Certificates[0])
	if err != nil {
		return "", err
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return "", err
	}
	index, err := strconv.ParseUint(place, 10, 64)
	if err != nil {
		return "", err
	}
	return cosecode.Encode(key, cosecode.KeyID(cert), &cosecode.Document{Issuer: "commune", Type: l.Issuers[i].Types[0], Number: "0000-TEST", IssuedAt: time.Now().Truncate(time.Second),
		Claims: map[string]any{"holder": "Salma EL MITAL"}, Status: &cosecode.Status{Idx: index, URI: w.list}})
}

func (w *world) openVerifier(mux *http.ServeMux, answer func(http.ResponseWriter, any, error)) {
	t := w.t.(*testing.T)
	v := &verifier{root: good(t)(seal.NewAuthority("Bank authority", "XX", newKey(t), time.Now())).(*seal.Authority)}
	k := newKey(t)
	v.party = party{k, good(t)(v.root.Issue(k.Public(), seal.Holder{Name: "Example Bank", ID: "bank"}, time.Now())).(*x509.Certificate)}
	w.verifier = v
	f := &fixtures{now: time.Now(), verifier: v.party, out: map[string]any{}}
	open := func(next http.HandlerFunc) http.HandlerFunc {
		return func(rw http.ResponseWriter, r *http.Request) {
			rw.Header().Set("Access-Control-Allow-Origin", "*")
			next(rw, r)
		}
	}
	mux.HandleFunc("GET /test/ask/{type}/{claims}", func(rw http.ResponseWriter, r *http.Request) {
		err := f.askFor(w.base, r.PathValue("type"), r.PathValue("claims"))
		link := ""
		if err == nil {
			link, err = vp.Link{ClientID: f.request.ClientID, RequestURI: w.base + "/bank/request", Method: vp.Post}.URL(w.base + "/wallet/")
		}
		answer(rw, map[string]string{"link": link}, err)
	})
	mux.HandleFunc("POST /bank/request", open(func(rw http.ResponseWriter, r *http.Request) {
		f.request.WalletNonce = r.FormValue("wallet_nonce")
		text, err := f.request.Sign(v.key, []*x509.Certificate{v.cert})
		if err != nil {
			answer(rw, nil, err)
			return
		}
		rw.Header().Set("Content-Type", vp.RequestType)
		_, _ = rw.Write([]byte(text))
	}))
	mux.HandleFunc("POST /bank/answer", open(func(rw http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		var err error
		if v.last, err = (vp.Reader{Mode: vp.DirectPostJWT, Key: f.answer, State: f.request.State}).Read(r.PostForm); err != nil {
			answer(rw, nil, err)
			return
		}
		answer(rw, map[string]string{"redirect_uri": w.base + "/bank/done#response_code=x"}, nil)
	}))
	mux.HandleFunc("GET /bank/done", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		_, _ = rw.Write([]byte("<!doctype html><title>bank</title><h1>Thank you</h1>"))
	})
	mux.HandleFunc("GET /test/photo", func(rw http.ResponseWriter, r *http.Request) {
		code, err := qr.Encode(r.URL.Query().Get("text"), qr.M, qr.Auto)
		if err == nil {
			code, err = barcode.Scale(code, 900, 900)
		}
		if err != nil {
			answer(rw, nil, err)
			return
		}
		page := image.NewGray(image.Rect(0, 0, 1000, 1000))
		draw.Draw(page, page.Rect, image.White, image.Point{}, draw.Src)
		draw.Draw(page, image.Rect(50, 50, 950, 950), code, image.Point{}, draw.Src)
		_ = png.Encode(rw, page)
	})
	mux.HandleFunc("GET /test/got", func(rw http.ResponseWriter, r *http.Request) {
		got := v.seen(f)
		if list, ok := got["list"].(string); ok {
			w.list = list
		}
		answer(rw, got, nil)
	})
}

// mdoc checks the presentation of an mdoc.
func (v *verifier) mdoc(f *fixtures) (*mdoc.Document, error) {
	b, err := base64.RawURLEncoding.DecodeString(v.last.Tokens["q"][0])
	if err != nil {
		return nil, err
	}
	thumb, err := jwe.Thumbprint(f.request.EncryptionKey())
	if err != nil {
		return nil, err
	}
	session, err := mdoc.Transcript(f.request.ClientID, f.request.Nonce, thumb, f.request.ResponseURI)
	if err != nil {
		return nil, err
	}
	r, err := mdoc.ParseResponse(b)
	if err != nil {
		return nil, err
	}
	return r.Verify(mdoc.Want{Trust: func([]*x509.Certificate, string) error { return nil }}, mdoc.Session{Transcript: session}, time.Now())
}

// seen is what the bank got.
func (v *verifier) seen(f *fixtures) map[string]any {
	switch {
	case v.last == nil:
		return map[string]any{"nothing": true}
	case v.last.Err != nil:
		return map[string]any{"error": v.last.Err.Code}
	}
	if f.request.Query.Credentials[0].Format == "mso_mdoc" {
		d, err := v.mdoc(f)
		if err != nil {
			return map[string]any{"bad": err.Error()}
		}
		return map[string]any{"elements": d.Elements}
	}
	tok, err := sdjwt.Parse(v.last.Tokens["q"][0], jws.Want{})
	if err != nil {
		return map[string]any{"bad": err.Error()}
	}
	x, err := tok.Verify(sdjwt.Policy{Now: time.Now(), Leeway: time.Minute, Binding: &sdjwt.Binding{Audience: f.request.ClientID, Nonce: f.request.Nonce},
		Key: func(h jws.Header, _ map[string]any) (crypto.PublicKey, error) { return h.X5C[0].PublicKey, nil }})
	if err != nil {
		return map[string]any{"bad": err.Error()}
	}
	return map[string]any{"claims": x.Claims, "disclosed": len(x.Disclosed), "place": x.Status.Index, "list": x.Status.URI, "shown": len(v.last.Tokens["q"])}
}
