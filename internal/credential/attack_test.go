package credential

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gov"
	"diwan/protocol/jws"
	"diwan/protocol/oauth"
)

// offered is a fresh offer of a building permit to salma.
func (w *world) offered() *Offer {
	w.t.Helper()
	d := w.document1("case-"+newNumber(), "building-permit", salma)
	o, err := w.Offer(w.t.Context(), salma, d.ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return o
}

// codeOf is the error that an answer names.
func codeOf(m map[string]any) string { s, _ := m["error"].(string); return s }

func TestCodes(t *testing.T) {
	each(t, func(t testing.TB, w *world) {
		expect := func(what string, o *Offer, status int, code string) {
			t.Helper()
			if got, m := w.holder().redeem(o); got != status || codeOf(m) != code {
				t.Errorf("%s: %d %v, want %d %s", what, got, m, status, code)
			}
		}
		o := w.offered()
		wrong, none := *o, *o
		wrong.TxCode, none.TxCode = "000000", ""
		if o.TxCode == wrong.TxCode {
			wrong.TxCode = "000001"
		}
		expect("no transaction code", &none, 400, "invalid_request")
		expect("a wrong one", &wrong, 400, "invalid_grant")
		expect("the right one after a wrong one", o, 200, "")
		expect("the same code again", o, 400, "invalid_grant")

		o = w.offered()
		wrong = *o
		wrong.TxCode = "x" + o.TxCode[1:]
		for range maxTries {
			expect("a wrong one", &wrong, 400, "invalid_grant")
		}
		expect("the right one after too many", o, 400, "invalid_grant")

		o = w.offered()
		w.hand.advance(offerLife)
		expect("after its time", o, 400, "invalid_grant")
		expect("an unknown code", &Offer{Code: "x", TxCode: "1"}, 400, "invalid_grant")

		// An offer without a transaction code may not be given one.
		o = w.offered()
		if err := w.DB.RunTx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE credential_grant SET tx_code = '' WHERE id = $1`, o.ID)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		expect("a transaction code that is not expected", o, 400, "invalid_request")
	})
}

// Of those who redeem one code at once, one gets a token; and whoever tries codes in
// parallel has no more tries than in turn.
func TestParallel(t *testing.T) {
	each(t, func(t testing.TB, w *world) {
		o := w.offered()
		var won, tried sync.Map
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				if status, _ := w.holder().redeem(o); status == 200 {
					won.Store(i, true)
				}
			})
		}
		all.Wait()
		if n := count(&won); n != 1 {
			t.Errorf("%d holders redeemed one code", n)
		}
		o = w.offered()
		for i := range 12 {
			all.Go(func() {
				wrong := *o
				wrong.TxCode = "y"
				if status, _ := w.holder().redeem(&wrong); status == 400 {
					tried.Store(i, true)
				}
			})
		}
		all.Wait()
		var tries int
		if err := w.DB.Reader().QueryRowContext(t.Context(), `SELECT tries FROM credential_grant WHERE id = $1`, o.ID).Scan(&tries); err != nil || tries != maxTries {
			t.Errorf("%d tries were counted, %v", tries, err)
		}
		if status, _ := w.holder().redeem(o); status != 400 {
			t.Error("the code outlived its tries")
		}
	})
}

func count(m *sync.Map) (n int) {
	m.Range(func(any, any) bool { n++; return true })
	return n
}

func TestTokenTheft(t *testing.T) {
	each(t, func(t testing.TB, w *world) {
		o := w.offered()
		h := w.holder()
		if status, m := h.redeem(o); status != 200 {
			t.Fatal(status, m)
		}
		ask := func(what string, head http.Header, status int, code string) {
			t.Helper()
			got, m, answer := w.call("POST", pathCredential, head, "application/json", h.request("building-permit.sd-jwt", newKey(t)))
			if got != status || codeOf(m) != code {
				t.Errorf("%s: %d %v, want %d %s", what, got, m, status, code)
			}
			if got == http.StatusUnauthorized && !strings.HasPrefix(answer.Get("WWW-Authenticate"), "DPoP") {
				t.Errorf("%s: WWW-Authenticate is %q", what, answer.Get("WWW-Authenticate"))
			}
		}
		good := h.proof("POST", pathCredential)
		ask("the right proof", good, 200, "")
		ask("the same proof again", good, 401, "invalid_dpop_proof")
		ask("a proof for another address", h.proof("POST", pathDeferred), 401, "invalid_dpop_proof")
		ask("a proof for another method", h.proof("GET", pathCredential), 401, "invalid_dpop_proof")
		thief := &holder{w: w, key: newKey(t), nonce: h.nonce, token: h.token}
		ask("another key", thief.proof("POST", pathCredential), 401, "invalid_dpop_proof")
		bare := &holder{w: w, key: h.key, nonce: h.nonce}
		head := bare.proof("POST", pathCredential)
		head.Set("Authorization", "DPoP "+h.token)
		ask("a proof without the hash of the token", head, 401, "invalid_dpop_proof")
		head = http.Header{}
		head.Set("Authorization", "Bearer "+h.token)
		ask("as a bearer", head, 401, "invalid_token")
		stale := &holder{w: w, key: h.key, nonce: "", token: h.token}
		ask("no server nonce", stale.proof("POST", pathCredential), 401, "use_dpop_nonce")
		old := h.nonce
		w.hand.advance(nonceLife + time.Minute)
		stale.nonce = old
		ask("an old server nonce", stale.proof("POST", pathCredential), 401, "use_dpop_nonce")
		ask("no token", http.Header{}, 401, "")
		w.hand.advance(boundLife)
		h.nonce = w.nonces.Make(oauth.ForDPoP, w.hand.Now())
		ask("an old token", h.proof("POST", pathCredential), 401, "invalid_token")
	})
}

// The token address asks for its own nonce with the error of an authorization server:
// 400 and the nonce beside it, where a resource says 401 (RFC 9449, 8 and 9).
func TestTokenAddressAsksForItsNonce(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, storeSets))
	o := w.offered()
	form := []byte(url.Values{"grant_type": {oauth.GrantPreAuthorized}, "pre-authorized_code": {o.Code}, "tx_code": {o.TxCode}}.Encode())
	h := w.holder()
	for _, nonce := range []string{"", "stale"} {
		h.nonce = nonce
		status, m, head := w.call("POST", pathToken, h.proof("POST", pathToken), formKind, form)
		if status != 400 || codeOf(m) != "use_dpop_nonce" || head.Get("DPoP-Nonce") == "" || head.Get("Cache-Control") != "no-store" {
			t.Errorf("the nonce %q: %d %v %v", nonce, status, m, head)
		}
	}
	if status, m, _ := w.call("POST", pathToken, nil, formKind, form); status != 400 || codeOf(m) != "invalid_dpop_proof" {
		t.Errorf("no proof: %d %v", status, m)
	}
	if status, m := h.redeem(o); status != 200 { // none of these used the code up
		t.Error(status, m)
	}
}

// sealed signs a proof with a header and claims of the attacker's choice.
func sealed(t testing.TB, w *world, head jws.Header, claims map[string]any) string {
	t.Helper()
	k := newKey(t)
	if head.Typ == "" {
		head.Typ = "openid4vci-proof+jwt"
	}
	if head.JWK == nil && head.Kid == "" {
		head.JWK = publicKey(k)
	}
	all := map[string]any{"aud": base, "iat": w.hand.Now().Unix(), "nonce": w.nonces.Make(oauth.ForProof, w.hand.Now())}
	for n, v := range claims {
		if v == nil {
			delete(all, n)
		} else {
			all[n] = v
		}
	}
	s, err := jws.SignClaims(k, head, all)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestProofs(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, storeSets))
	o := w.offered()
	h := w.holder()
	if status, m := h.redeem(o); status != 200 {
		t.Fatal(status, m)
	}
	k := newKey(t)
	old := w.nonces.Make(oauth.ForProof, w.hand.Now())
	w.hand.advance(nonceLife + time.Minute)
	hmac := part(`{"alg":"HS256","typ":"openid4vci-proof+jwt"}`) + "." + part(`{}`) + ".AAAA"
	none := part(`{"alg":"none","typ":"openid4vci-proof+jwt"}`) + "." + part(`{}`) + "."
	private, _ := json.Marshal(map[string]any{"alg": "ES256", "typ": "openid4vci-proof+jwt", "jwk": map[string]any{"kty": "EC", "crv": "P-256", "x": "A", "y": "A", "d": "A"}})
	proofs := func(list ...string) string {
		b, _ := json.Marshal(map[string]any{"credential_configuration_id": "building-permit.sd-jwt", "proofs": map[string]any{"jwt": list}})
		return string(b)
	}
	good := func() string { return sealed(t, w, jws.Header{}, nil) }
	many := make([]string, batchSize+1)
	for i := range many {
		many[i] = good()
	}
	twice := good()
	cases := []struct{ name, body, code string }{
		{"a stale nonce", proofs(sealed(t, w, jws.Header{}, map[string]any{"nonce": old})), "invalid_nonce"},
		{"a nonce of another purpose", proofs(sealed(t, w, jws.Header{}, map[string]any{"nonce": w.nonces.Make(oauth.ForDPoP, w.hand.Now())})), "invalid_nonce"},
		{"no nonce", proofs(sealed(t, w, jws.Header{}, map[string]any{"nonce": nil})), "invalid_proof"},
		{"a foreign audience", proofs(sealed(t, w, jws.Header{}, map[string]any{"aud": "https://other.example"})), "invalid_proof"},
		{"a stale moment", proofs(sealed(t, w, jws.Header{}, map[string]any{"iat": 1000})), "invalid_proof"},
		{"an issuer in an anonymous flow", proofs(sealed(t, w, jws.Header{}, map[string]any{"iss": "me"})), "invalid_proof"},
		{"another type", proofs(sealed(t, w, jws.Header{Typ: "JWT"}, nil)), "invalid_proof"},
		{"a key by name", proofs(sealed(t, w, jws.Header{Kid: "did:key:x"}, nil)), "invalid_proof"},
		{"HS256", proofs(hmac), "invalid_proof"},
		{"none", proofs(none), "invalid_proof"},
		{"a private key in the header", proofs(part(string(private)) + ".e30.AAAA"), "invalid_proof"},
		{"one key twice", proofs(twice, twice), "invalid_proof"},
		{"more than a batch", proofs(many...), "invalid_proof"},
		{"no proof", `{"credential_configuration_id":"building-permit.sd-jwt"}`, "invalid_proof"},
		{"an empty list", `{"credential_configuration_id":"building-permit.sd-jwt","proofs":{"jwt":[]}}`, "invalid_proof"},
		{"both identifiers", `{"credential_configuration_id":"a","credential_identifier":"b"}`, "invalid_credential_request"},
		{"neither", `{}`, "invalid_credential_request"},
		{"a name twice", `{"credential_configuration_id":"a","credential_configuration_id":"b"}`, "invalid_credential_request"},
		{"an unknown configuration", strings.Replace(proofs(good()), "building-permit.sd-jwt", "building-permit.jpg", 1), "unknown_credential_configuration"},
		{"one that was not offered", strings.Replace(proofs(good()), "building-permit", "birth-extract", 1), "unknown_credential_configuration"},
		{"an unknown identifier", strings.Replace(proofs(good()), `"credential_configuration_id":"building-permit.sd-jwt"`, `"credential_identifier":"x.sd-jwt"`, 1), "unknown_credential_identifier"},
		{"a key for the answer in the clear", strings.Replace(proofs(good()), `{`, `{"credential_response_encryption":{"jwk":{"alg":"ECDH-ES","kid":"1","kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},"enc":"A128GCM"},`, 1), "invalid_encryption_parameters"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			status, m := h.send("POST", pathCredential, "application/json", []byte(c.body))
			if status != 400 || codeOf(m) != c.code {
				t.Errorf("%d %v, want %s", status, m, c.code)
			}
			if d, _ := m["error_description"].(string); strings.ContainsAny(d, "\"\\") {
				t.Errorf("the description is %q", d)
			}
		})
	}
	if status, m := h.send("POST", pathCredential, "application/json", bytes.Repeat([]byte("x"), maxRequest+1)); status != 400 {
		t.Error("a huge request:", status, m)
	}
	if got := h.fetch("building-permit.sd-jwt", k); len(got) != 1 {
		t.Error("after all that nothing is issued")
	}
}

func part(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }

// A token is not a printing press.
func TestTokenFetchesSoMuch(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, storeSets))
	h := w.holder()
	if status, m := h.redeem(w.offered()); status != 200 {
		t.Fatal(status, m)
	}
	for range maxCopies * len(suffixes) {
		h.fetch("building-permit.sd-jwt", newKey(t))
	}
	if status, m := h.send("POST", pathCredential, "application/json", h.request("building-permit.sd-jwt", newKey(t))); status != 400 || codeOf(m) != "credential_request_denied" {
		t.Error(status, m)
	}
}

// What a person asked for before the second signature comes when it is there.
func TestDeferredAndNotified(t *testing.T) {
	each(t, func(t testing.TB, w *world) {
		two, err := w.Type(t.Context(), "building-permit")
		if err != nil {
			t.Fatal(err)
		}
		two.TwoSign = true
		if err := w.Publish(t.Context(), agent, two, 1); err != nil {
			t.Fatal(err)
		}
		d := w.document1("case-1", "building-permit", salma)
		h := w.authorized("building-permit.sd-jwt", salma)
		status, m := h.send("POST", pathCredential, "application/json", h.requestAs(OwnClient, "building-permit.sd-jwt", newKey(t)))
		id, _ := m["transaction_id"].(string)
		if status != 202 || id == "" {
			t.Fatal(status, m)
		}
		later := []byte(`{"transaction_id":"` + id + `"}`)
		if status, m := h.send("POST", pathDeferred, "application/json", later); status != 202 || m["transaction_id"] != id {
			t.Error("while it waits:", status, m)
		}
		if status, m := h.send("POST", pathDeferred, "application/json", []byte(`{"transaction_id":"other"}`)); status != 400 || codeOf(m) != "invalid_transaction_id" {
			t.Error("another transaction:", status, m)
		}
		if _, err := w.Sign(t.Context(), signer, d.ID); err != nil {
			t.Fatal(err)
		}
		status, m = h.send("POST", pathDeferred, "application/json", later)
		if status != 200 {
			t.Fatal(status, m)
		}
		if status, m := h.send("POST", pathDeferred, "application/json", later); status != 400 {
			t.Error("again:", status, m)
		}
		note := []byte(`{"notification_id":"` + m["notification_id"].(string) + `","event":"credential_accepted"}`)
		for range 2 {
			if status, m := h.send("POST", pathNotification, "application/json", note); status != 204 {
				t.Error("a notification:", status, m)
			}
		}
		if status, m := h.send("POST", pathNotification, "application/json", []byte(`{"notification_id":"x","event":"credential_accepted"}`)); status != 400 || codeOf(m) != "invalid_notification_id" {
			t.Error("an unknown notification:", status, m)
		}
		stranger := w.authorized("building-permit.sd-jwt", karim)
		if status, m := stranger.send("POST", pathCredential, "application/json", stranger.requestAs(OwnClient, "building-permit.sd-jwt", newKey(t))); status != 400 || codeOf(m) != "credential_request_denied" {
			t.Error("somebody who has no such document:", status, m)
		}
	})
}

// pushed sends a request for an authorization and returns its reference.
func (h *holder) pushed(configuration, verifier string) (int, map[string]any) {
	h.w.t.Helper()
	return h.send("POST", pathPush, formKind, []byte(oauth.AuthorizationRequest{ClientID: OwnClient, ResponseType: "code", RedirectURI: base + "/wallet/", Scope: configuration, State: "s",
		CodeChallenge: oauth.Challenge(verifier), CodeChallengeMethod: "S256"}.Form().Encode()))
}

// authorized goes through the authorization code flow for a person.
func (w *world) authorized(configuration string, who gov.Actor) *holder {
	w.t.Helper()
	h, verifier := w.holder(), oauth.NewVerifier()
	status, m := h.pushed(configuration, verifier)
	if status != 201 {
		w.t.Fatal(status, m)
	}
	id, err := w.Open(w.t.Context(), OwnClient, m["request_uri"].(string))
	if err != nil {
		w.t.Fatal(err)
	}
	back, err := w.Answer(w.t.Context(), who, id, true)
	if err != nil {
		w.t.Fatal(err)
	}
	u, err := url.Parse(back)
	if err != nil {
		w.t.Fatal(err)
	}
	code, err := oauth.ReadAuthorizationResponse(u.Query(), "s", base)
	if err != nil {
		w.t.Fatal(err)
	}
	if status, m := h.exchange(code, verifier); status != 200 {
		w.t.Fatal(status, m)
	}
	return h
}

// exchange brings a code for a token.
func (h *holder) exchange(code, verifier string) (int, map[string]any) {
	h.w.t.Helper()
	status, m := h.send("POST", pathToken, formKind, []byte(oauth.TokenRequest{GrantType: oauth.GrantCode, ClientID: OwnClient, Code: code, CodeVerifier: verifier, RedirectURI: base + "/wallet/"}.Form().Encode()))
	if status == 200 {
		h.token = m["access_token"].(string)
	}
	return status, m
}

func TestAuthorizationCode(t *testing.T) {
	each(t, func(t testing.TB, w *world) {
		w.document1("case-1", "building-permit", salma)
		h, verifier := w.holder(), oauth.NewVerifier()
		status, m := h.pushed("building-permit.sd-jwt", verifier)
		if status != 201 {
			t.Fatal(status, m)
		}
		uri := m["request_uri"].(string)
		if _, err := w.Open(t.Context(), "other", uri); err == nil {
			t.Error("another client opens the request")
		}
		id, err := w.Open(t.Context(), OwnClient, uri)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Open(t.Context(), OwnClient, uri); err == nil {
			t.Error("a request is opened twice")
		}
		if wish, err := w.Wish(t.Context(), id); err != nil || len(wish.Types) != 1 || wish.Attested {
			t.Error(wish, err)
		}
		if _, err := w.Answer(t.Context(), gov.Actor{}, id, true); err == nil {
			t.Error("nobody decides")
		}
		back, err := w.Answer(t.Context(), salma, id, true)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Answer(t.Context(), salma, id, true); err == nil {
			t.Error("a request is answered twice")
		}
		u, _ := url.Parse(back)
		code := u.Query().Get("code")
		if u.Query().Get("iss") != base || u.Query().Get("state") != "s" || code == "" {
			t.Errorf("the browser goes to %s", back)
		}
		if status, m := h.exchange(code, oauth.NewVerifier()); status != 400 || codeOf(m) != "invalid_grant" {
			t.Error("another verifier:", status, m)
		}
		if status, m := w.holder().exchange(code, verifier); status != 400 || codeOf(m) != "invalid_grant" {
			t.Error("another key than the one that pushed:", status, m)
		}
		if status, m := h.exchange(code, verifier); status != 200 {
			t.Error(status, m)
		}
		if status, m := h.exchange(code, verifier); status != 400 || codeOf(m) != "invalid_grant" {
			t.Error("the code again:", status, m)
		}
		if status, m := h.pushed("openid", verifier); status != 400 || codeOf(m) != "invalid_scope" {
			t.Error("a scope of something else:", status, m)
		}
	})
}

// A wallet may not have people sent to an address of its choice.
func TestRedirects(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, storeSets))
	for _, c := range []struct {
		client, address string
		attested, ok    bool
	}{
		{OwnClient, base + "/wallet/", false, true},
		{OwnClient, base + "/wallet/../me/", false, false},
		{OwnClient, "https://evil.example/wallet/", false, false},
		{CommandClient, "http://127.0.0.1:4000/", false, true},
		{CommandClient, "http://[::1]:4000/", false, true},
		{CommandClient, "http://localhost.evil.example/", false, false},
		{CommandClient, "https://127.0.0.1/", false, false},
		{"stranger", "https://wallet.example/cb", false, false},
		{"stranger", "https://wallet.example/cb", true, true},
		{"stranger", "com.example.wallet:/cb", true, true},
		{"stranger", "javascript:alert(1)", true, false},
		{"stranger", "http://wallet.example/cb", true, false},
		{"stranger", "https://wallet.example/cb#x", true, false},
	} {
		if got := w.redirectFits(c.client, c.address, c.attested); got != c.ok {
			t.Errorf("%s to %s, attested %v: %v", c.client, c.address, c.attested, got)
		}
	}
}
