package credential

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
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
	"diwan/internal/credential/specimen"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gov"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4/vci"
)

const base = "https://issuer.example"

var (
	salma  = gov.Actor{ID: "salma"}
	karim  = gov.Actor{ID: "karim"}
	agent  = gov.Actor{ID: "agent", Administration: "commune"}
	signer = gov.Actor{ID: "signer", Administration: "commune"}
)

type hand struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hand) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.now
}

func (h *hand) advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = h.now.Add(d)
}

// persons gives everybody a key of their own.
type persons struct{}

func (persons) PersonKey(_ context.Context, person string) ([]byte, error) {
	sum := sha256.Sum256([]byte("key of " + person))
	return sum[:], nil
}

// decisions are what was decided, by id.
type decisions map[string]Facts

func (d decisions) Facts(_ context.Context, id string) (Facts, error) { return d[id], nil }

// world is credentials with everything around them.
type world struct {
	*Credentials
	t         testing.TB
	hand      *hand
	decided   decisions
	told      []string
	server    http.Handler
	countries *gov.Country
}

var storeSets = []db.Migrations{audit.Migrations(), Migrations()}

// each runs a test on both engines.
func each(t *testing.T, test func(t testing.TB, w *world)) {
	dbtest.Each(t, storeSets, func(t *testing.T, d *db.DB) { test(t, newWorld(t, d)) })
}

func newWorld(t testing.TB, d *db.DB) *world {
	pack, err := country.Load(country.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, hand: &hand{now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}, decided: decisions{}, countries: pack.Country}
	w.Credentials, err = New(Options{DB: d, Clock: w.hand, Country: pack.Country, Audit: audit.New(d, w.hand), Persons: persons{}, Keys: signers(t, w.hand), Sources: w.decided, Base: base,
		OfficeName: func(id string) gov.Text { return gov.Text{"fr": "Office " + id} },
		May: func(_ context.Context, a gov.Actor, action string, d *Document) error {
			if a.ID == d.Person || action == MayEditTypes && a.Administration != "" || a.Administration == d.Administration && a.Administration != "" {
				return nil
			}
			return errNoDocument
		},
		Ready:  func(_ context.Context, _ *db.Tx, d *Document) error { w.told = append(w.told, d.ID); return nil },
		Secret: bytes.Repeat([]byte{7}, 32), StatusLife: 5 * time.Minute, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.LoadTypes(t.Context(), typesOf(t, pack)); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	w.Register(mux, func(h http.Handler) http.Handler { return h })
	w.server = mux
	return w
}

// typesOf are the types of documents of a country.
func typesOf(t testing.TB, pack *country.Pack) []Type {
	t.Helper()
	var plan struct {
		Silence string `json:"silence"`
		Types   []Type `json:"types"`
	}
	if err := country.Decode(pack.Files, "credentials.json", &plan); err != nil {
		t.Fatal(err)
	}
	return plan.Types
}

// facts are enough for any of the country's types.
func facts() Facts {
	return Facts{"decision": map[string]any{"on": "2026-03-01"}, "office": map[string]any{"name": map[string]any{"fr": "Commune", "ar": "Commune"}},
		"applicant": map[string]any{"name": "Salma EL MITAL"}, "case": map[string]any{"number": "2026-AAAA"},
		"answers": map[string]any{"land": map[string]any{"title": "12345/06"}, "project": map[string]any{"floors": json.Number("2"), "covered": json.Number("140.5")}},
		"register": map[string]any{"family_name": "EL MITAL", "given_name": "Salma", "birth_date": "1990-04-12", "expiry_date": "2036-03-31", "issuing_country": "MA", "number": "00/1",
			"categories": "B", "age_over_18": true, "portrait": face(),
			"driving_privileges": []any{map[string]any{"vehicle_category_code": "A1", "issue_date": "2014-05-02"}, map[string]any{"vehicle_category_code": "B", "issue_date": "2016-04-01", "expiry_date": "2036-03-31"}}},
		"country": map[string]any{"code": "MA", "distinguishing_sign": "MA"}}
}

// face is a picture of nobody, as registers keep pictures.
func face() string {
	b, err := specimen.Portrait()
	if err != nil {
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(b)
}

// document makes a signed document of a type for a person.
func (w *world) document1(id, kind string, who gov.Actor) *Document {
	w.t.Helper()
	w.decided[id] = facts()
	w.prepare(id, kind, who)
	if _, err := w.Settle(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return w.one(id)
}

func (w *world) prepare(id, kind string, who gov.Actor) {
	w.t.Helper()
	if err := w.DB.RunTx(w.t.Context(), func(tx *db.Tx) error {
		return w.Prepare(w.t.Context(), tx, Source{ID: id, Type: kind, Administration: "commune", Person: who.ID, By: agent.ID, On: gov.Date{Year: 2026, Month: 3, Day: 1}})
	}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) one(source string) *Document {
	w.t.Helper()
	all, err := w.Of(w.t.Context(), source)
	if err != nil || len(all) != 1 {
		w.t.Fatal(source, len(all), err)
	}
	return all[0]
}

// holder is a wallet that does what the protocol says, and can be told not to.
type holder struct {
	w     *world
	key   *ecdsa.PrivateKey // of DPoP
	nonce string            // the server's, for DPoP
	token string
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func (w *world) holder() *holder { return &holder{w: w, key: newKey(w.t)} }

// call sends a request and reads a JSON answer.
func (w *world) call(method, path string, head http.Header, kind string, body []byte) (int, map[string]any, http.Header) {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), method, base+path, bytes.NewReader(body))
	for n, v := range head {
		r.Header[n] = v
	}
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, r)
	b, _ := io.ReadAll(rec.Body)
	m := map[string]any{}
	if len(b) > 0 && strings.HasPrefix(rec.Header().Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(b, &m); err != nil {
			w.t.Fatalf("%s answers %q", path, b)
		}
	} else {
		m["body"] = string(b)
	}
	return rec.Code, m, rec.Header()
}

// proof is a DPoP proof for a request.
func (h *holder) proof(method, path string) http.Header {
	h.w.t.Helper()
	text, err := oauth.DPoP{Key: h.key, Method: method, URL: base + path, Now: h.w.hand.Now(), Nonce: h.nonce, AccessToken: h.token}.Make()
	if err != nil {
		h.w.t.Fatal(err)
	}
	head := http.Header{}
	head.Set("DPoP", text)
	if h.token != "" {
		head.Set("Authorization", "DPoP "+h.token)
	}
	return head
}

// send sends with a proof, once more with the nonce that the server asks for.
func (h *holder) send(method, path, kind string, body []byte) (int, map[string]any) {
	h.w.t.Helper()
	for {
		status, m, head := h.w.call(method, path, h.proof(method, path), kind, body)
		fresh := head.Get("DPoP-Nonce")
		again := m["error"] == "use_dpop_nonce" && fresh != "" && fresh != h.nonce
		if fresh != "" {
			h.nonce = fresh
		}
		if !again {
			return status, m
		}
	}
}

func publicKey(k *ecdsa.PrivateKey) *jose.JSONWebKey { return &jose.JSONWebKey{Key: &k.PublicKey} }

const formKind = "application/x-www-form-urlencoded"

// redeem takes an offer's code for a token.
func (h *holder) redeem(o *Offer) (int, map[string]any) {
	h.w.t.Helper()
	status, m := h.send("POST", pathToken, formKind, []byte(url.Values{"grant_type": {oauth.GrantPreAuthorized}, "pre-authorized_code": {o.Code}, "tx_code": {o.TxCode}}.Encode()))
	if status == 200 {
		h.token = m["access_token"].(string)
	}
	return status, m
}

// request is a credential request with a proof for each key.
func (h *holder) request(configuration string, keys ...*ecdsa.PrivateKey) []byte {
	h.w.t.Helper()
	return h.requestAs("", configuration, keys...)
}

// requestAs is a request of a client that said who it is.
func (h *holder) requestAs(client, configuration string, keys ...*ecdsa.PrivateKey) []byte {
	h.w.t.Helper()
	_, m, _ := h.w.call("POST", pathNonce, nil, "", nil)
	r := vci.CredentialRequest{Configuration: configuration, Proofs: &vci.Proofs{Type: vci.ProofJWT}}
	for _, k := range keys {
		p, err := vci.Proof{Key: k, Issuer: base, ClientID: client, Nonce: m["c_nonce"].(string), Now: h.w.hand.Now()}.Sign()
		if err != nil {
			h.w.t.Fatal(err)
		}
		r.Proofs.Values = append(r.Proofs.Values, p)
	}
	b, err := json.Marshal(r)
	if err != nil {
		h.w.t.Fatal(err)
	}
	return b
}

// fetch fetches credentials for keys.
func (h *holder) fetch(configuration string, keys ...*ecdsa.PrivateKey) []string {
	h.w.t.Helper()
	status, m := h.send("POST", pathCredential, "application/json", h.request(configuration, keys...))
	if status != 200 {
		h.w.t.Fatal(status, m)
	}
	var out []string
	for _, c := range m["credentials"].([]any) {
		out = append(out, c.(map[string]any)["credential"].(string))
	}
	return out
}
