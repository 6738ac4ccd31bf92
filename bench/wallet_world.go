package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/country"
	"diwan/internal/audit"
	"diwan/internal/credential"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/keys"
	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4/vci"
	"diwan/protocol/sdjwt"
)

const walletBase = "https://issuer.example"

// walletWorld is an issuer on SQLite that waits for the disk, without a program around
// it: what is measured is issuing.
type walletWorld struct {
	*credential.Credentials
	handler http.Handler
	doc     *credential.Document
	round   int
	key     *ecdsa.PrivateKey
}

type benchPersons struct{}

func (benchPersons) PersonKey(_ context.Context, person string) ([]byte, error) {
	sum := sha256.Sum256([]byte(person))
	return sum[:], nil
}

type benchFacts struct{}

func (benchFacts) Facts(context.Context, string) (credential.Facts, error) {
	return credential.Facts{"decision": map[string]any{"on": "2026-03-01"}, "office": map[string]any{"name": map[string]any{"fr": "Office", "ar": "Office"}},
		"applicant": map[string]any{"name": "Salma EL MITAL"}, "case": map[string]any{"number": "2026-AAAA"},
		"register": map[string]any{"land_title": "12345/06", "works": "Maison", "floors": json.Number("2"), "covered_area": json.Number("140")}}, nil
}

func newWalletWorld(ctx context.Context, dir string) (*walletWorld, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	pack, err := country.Load(country.Builtin())
	if err != nil {
		return nil, err
	}
	d, err := db.Open(ctx, "sqlite:"+filepath.Join(dir, "wallet.db"))
	if err != nil {
		return nil, err
	}
	if _, err := d.Migrate(ctx, []db.Migrations{audit.Migrations(), credential.Migrations()}, time.Now()); err != nil {
		return nil, err
	}
	store, err := keys.Open(dir, filepath.Join(dir, "identity"), gov.SystemClock{})
	if err != nil {
		return nil, err
	}
	w := &walletWorld{}
	w.Credentials, err = credential.New(credential.Options{DB: d, Clock: gov.SystemClock{}, Country: pack.Country, Audit: audit.New(d, gov.SystemClock{}), Persons: benchPersons{}, Keys: store,
		Sources: benchFacts{}, Base: walletBase, OfficeName: func(id string) gov.Text { return gov.Text{"fr": id} },
		May:    func(context.Context, gov.Actor, string, *credential.Document) error { return nil },
		Ready:  func(context.Context, *db.Tx, *credential.Document) error { return nil },
		Secret: bytes.Repeat([]byte{1}, 32), StatusLife: time.Hour, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	var plan struct {
		Silence string            `json:"silence"`
		Types   []credential.Type `json:"types"`
	}
	if err := country.Decode(pack.Files, "credentials.json", &plan); err != nil {
		return nil, err
	}
	if err := w.LoadTypes(ctx, plan.Types); err != nil {
		return nil, err
	}
	if w.doc, err = w.Make(ctx, credential.Source{ID: "case", Type: "building-permit", Administration: "office", Person: "salma", On: gov.DateOf(time.Now(), time.UTC)}); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	w.Register(mux, func(h http.Handler) http.Handler { return h })
	w.handler = mux
	w.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return w, err
}

func (w *walletWorld) close() { _ = w.DB.Close() }

// ask answers a request in the process: what a network adds is not the issuer's.
func (w *walletWorld) ask(path, kind string, head http.Header, body []byte) (int, http.Header, []byte) {
	r := httptest.NewRequest("POST", walletBase+path, bytes.NewReader(body))
	for n, v := range head {
		r.Header[n] = v
	}
	r.Header.Set("Content-Type", kind)
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, r)
	return rec.Code, rec.Header(), rec.Body.Bytes()
}

// prepared is an issuance as far as its client can prepare it.
type preparedIssuance struct {
	form  []byte
	proof http.Header
	token string
	body  []byte
}

// issuances issues n copies, each by a code, a token and a proof of its own, and
// returns how many a second the issuer made: the time in which the client signs does
// not count.
func (w *walletWorld) issuances(ctx context.Context, n int) (float64, error) {
	w.round++
	nonce, cNonce, err := w.nonces()
	if err != nil {
		return 0, err
	}
	all := make([]preparedIssuance, n)
	if err := parallel(n, func(i int) error {
		o, err := w.OfferOf(ctx, w.doc)
		if err != nil {
			return err
		}
		all[i].form = []byte(url.Values{"grant_type": {oauth.GrantPreAuthorized}, "pre-authorized_code": {o.Code}, "tx_code": {o.TxCode}}.Encode())
		all[i].proof, err = w.dpop("/issue/token", nonce, "")
		return err
	}); err != nil {
		return 0, err
	}
	begin := time.Now()
	if err := parallel(n, func(i int) error {
		status, _, b := w.ask("/issue/token", "application/x-www-form-urlencoded", all[i].proof, all[i].form)
		var m struct {
			Token string `json:"access_token"`
		}
		if err := json.Unmarshal(b, &m); err != nil || status != 200 {
			return fmt.Errorf("token: %d %s", status, b)
		}
		all[i].token = m.Token
		return nil
	}); err != nil {
		return 0, err
	}
	took := time.Since(begin)
	if nonce, cNonce, err = w.nonces(); err != nil {
		return 0, err
	}
	if err := parallel(n, func(i int) error {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return err
		}
		p, err := vci.Proof{Key: key, Issuer: walletBase, Nonce: cNonce, Now: time.Now()}.Sign()
		if err != nil {
			return err
		}
		all[i].body, err = json.Marshal(vci.CredentialRequest{Configuration: "building-permit.sd-jwt", Proofs: &vci.Proofs{Type: vci.ProofJWT, Values: []string{p}}})
		if err != nil {
			return err
		}
		all[i].proof, err = w.dpop("/issue/credential", nonce, all[i].token)
		return err
	}); err != nil {
		return 0, err
	}
	begin = time.Now()
	if err := parallel(n, func(i int) error {
		if status, _, b := w.ask("/issue/nonce", "", nil, nil); status != 200 {
			return fmt.Errorf("nonce: %d %s", status, b)
		}
		if status, _, b := w.ask("/issue/credential", "application/json", all[i].proof, all[i].body); status != 200 {
			return fmt.Errorf("credential: %d %s", status, b)
		}
		return nil
	}); err != nil {
		return 0, err
	}
	took += time.Since(begin)
	return float64(n) / took.Seconds(), nil
}

func (w *walletWorld) nonces() (dpop, proof string, err error) {
	status, head, b := w.ask("/issue/nonce", "", nil, nil)
	var m struct {
		Nonce string `json:"c_nonce"`
	}
	if err := json.Unmarshal(b, &m); err != nil || status != 200 {
		return "", "", fmt.Errorf("nonce: %d %s", status, b)
	}
	return head.Get("DPoP-Nonce"), m.Nonce, nil
}

func (w *walletWorld) dpop(path, nonce, token string) (http.Header, error) {
	text, err := oauth.DPoP{Key: w.key, Method: "POST", URL: walletBase + path, Now: time.Now(), Nonce: nonce, AccessToken: token}.Make()
	h := http.Header{"Dpop": {text}}
	if token != "" {
		h.Set("Authorization", "DPoP "+token)
	}
	return h, err
}

// parallel does n things, so many at once as a busy issuer has requests under way.
func parallel(n int, do func(i int) error) error {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	for range 16 * runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && failed.Load() == nil; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	all.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

// list returns a status list of the installation as it is served, and its path.
func (w *walletWorld) list(context.Context) ([]byte, string, error) {
	rec := httptest.NewRecorder()
	w.handler.ServeHTTP(rec, httptest.NewRequest("GET", walletBase+"/status", nil))
	var a struct {
		Lists []string `json:"status_lists"`
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil || len(a.Lists) == 0 {
		return nil, "", fmt.Errorf("status lists: %s", rec.Body.Bytes())
	}
	path := strings.TrimPrefix(a.Lists[0], walletBase)
	rec = httptest.NewRecorder()
	w.handler.ServeHTTP(rec, httptest.NewRequest("GET", walletBase+path, nil))
	return rec.Body.Bytes(), path, nil
}

// fill records copies as if they had been issued, so that the tables are those of an
// installation after some years.
func (w *walletWorld) fill(ctx context.Context, n int) error {
	const each = 5000
	for from := 0; from < n; from += each {
		if err := w.DB.RunTx(ctx, func(tx *db.Tx) error {
			for i := from; i < min(n, from+each); i++ {
				id := fmt.Sprintf("old-%d", i)
				if _, err := tx.ExecContext(ctx, `INSERT INTO credential_document (id, source, type, version, administration, person, decided_by, decided_on, state, sealed, number, valid_from, valid_until, signed_by, tries, created_at, updated_at)
					VALUES ($1, $1, 'birth-extract', 1, 'commune', $2, '', '2025-01-01', 'ready', $3, $1, '2025-01-01', '', '', 0, $4, $4)`, id, fmt.Sprintf("person-%d", i), []byte("x"), int64(i)); err != nil {
					return err
				}
				if _, err := tx.ExecContext(ctx, `INSERT INTO credential_copy (list, place, document, format, status, wallet, notification, issued_at, ends_at) VALUES ($1, $2, $3, 'dc+sd-jwt', 0, '', $3, 0, 0)`,
					fmt.Sprintf("old-%d", i>>20), i&(1<<20-1), id); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// presentations measures the verification of a presentation of ten disclosures with a
// key binding, beside its two signatures alone.
func (w *walletWorld) presentations(n int) (alone, whole float64, err error) {
	issuer, holder := w.key, w.key
	claims := map[string]any{"iss": walletBase, "vct": "urn:x:1", "exp": time.Now().Add(time.Hour).Unix(), "cnf": map[string]any{"jwk": publicOf(&holder.PublicKey)}}
	var paths []claimpath.Path
	for i := range 10 {
		name := fmt.Sprintf("claim_%d", i)
		claims[name] = "value of claim"
		paths = append(paths, claimpath.Path{name})
	}
	text, err := sdjwt.Issue(issuer, sdjwt.Issuance{Claims: claims, Disclosable: paths, Header: jws.Header{Typ: sdjwt.TypeVC, Kid: "1"}})
	if err != nil {
		return 0, 0, err
	}
	t, err := sdjwt.Parse(text, jws.Want{})
	if err != nil {
		return 0, 0, err
	}
	shown, err := t.Bind(holder, sdjwt.Proof{Audience: "x509_hash:a", Nonce: "n", IssuedAt: time.Now()})
	if err != nil {
		return 0, 0, err
	}
	sum := sha256.Sum256([]byte("x"))
	sig, err := ecdsa.SignASN1(rand.Reader, issuer, sum[:])
	if err != nil {
		return 0, 0, err
	}
	lasts := 2 * time.Second
	if n < 5000 {
		lasts = time.Second / 2
	}
	alone = together(lasts, func() func() {
		return func() {
			ecdsa.VerifyASN1(&issuer.PublicKey, sum[:], sig)
			ecdsa.VerifyASN1(&holder.PublicKey, sum[:], sig)
		}
	})
	whole = together(lasts, func() func() {
		return func() {
			t, perr := sdjwt.Parse(shown, jws.Want{})
			if perr == nil {
				_, perr = t.Verify(sdjwt.Policy{Now: time.Now(), Key: func(jws.Header, map[string]any) (crypto.PublicKey, error) { return &issuer.PublicKey, nil },
					Binding: &sdjwt.Binding{Audience: "x509_hash:a", Nonce: "n"}})
			}
			if perr != nil {
				panic(perr)
			}
		}
	})
	return alone, whole, nil
}

func publicOf(k *ecdsa.PublicKey) map[string]any {
	b, err := (jose.JSONWebKey{Key: k}).MarshalJSON()
	if err != nil {
		panic(err)
	}
	m := map[string]any{}
	if err := json.Unmarshal(b, &m); err != nil {
		panic(err)
	}
	return m
}
