package credential

import (
	"crypto/ecdsa"
	"net/http"
	"net/url"
	"testing"

	"diwan/internal/problem"
	"diwan/protocol/jws"
	"diwan/protocol/oauth"
	"diwan/protocol/statuslist"
)

// attested adds what a registered device shows of itself.
func (h *holder) attested(text string, key *ecdsa.PrivateKey, path string) http.Header {
	h.w.t.Helper()
	head := h.proof("POST", path)
	head.Set(oauth.AttestationHeader, text)
	pop, err := oauth.ClientPoP{ClientID: OwnClient, Audience: base, Now: h.w.hand.Now(), Challenge: h.w.nonces.Make(oauth.ForAttestation, h.w.hand.Now())}.Sign(key)
	if err != nil {
		h.w.t.Fatal(err)
	}
	head.Set(oauth.AttestationPoPHeader, pop)
	return head
}

// A lost device: what it holds is worthless, it gets nothing more, and its holder
// fetches the document again with another.
func TestLostDevice(t *testing.T) {
	each(t, func(t testing.TB, w *world) {
		w.Attested = true
		d := w.document1("case-1", "building-permit", salma)
		key := newKey(t)
		jkt, err := jws.Thumbprint(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		device, err := w.RegisterWallet(t.Context(), salma, "My phone", jkt)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.AttestWallet(t.Context(), device.ID, &newKey(t).PublicKey, ""); !problem.Is(err, problem.NotFound) {
			t.Error("another key is vouched for:", err)
		}
		text, ends, err := w.AttestWallet(t.Context(), device.ID, &key.PublicKey, "")
		if err != nil || ends.Sub(w.hand.Now()) != attestationLife {
			t.Fatal(ends, err)
		}
		redeem := func(h *holder, head http.Header) (int, map[string]any) {
			t.Helper()
			o, err := w.OfferOf(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			status, m, _ := w.call("POST", pathToken, head, formKind, []byte(url.Values{"grant_type": {oauth.GrantPreAuthorized}, "pre-authorized_code": {o.Code}, "tx_code": {o.TxCode}}.Encode()))
			if status == 200 {
				h.token = m["access_token"].(string)
			}
			return status, m
		}
		h := w.holder()
		h.nonce = w.nonces.Make(oauth.ForDPoP, w.hand.Now())
		if status, m := redeem(h, h.proof("POST", pathToken)); status != 401 || codeOf(m) != "invalid_client" {
			t.Error("without an attestation:", status, m)
		}
		if status, m := redeem(h, h.attested(text, newKey(t), pathToken)); status == 200 {
			t.Error("with somebody else's attestation:", m)
		}
		if status, m := redeem(h, h.attested(text, key, pathToken)); status != 200 {
			t.Fatal(status, m)
		}
		status, m := h.send("POST", pathCredential, "application/json", h.requestAs(OwnClient, "building-permit.sd-jwt", newKey(t)))
		if status != 200 {
			t.Fatal(status, m)
		}
		copied := m["credentials"].([]any)[0].(map[string]any)["credential"].(string)
		if list, err := w.WalletsOf(t.Context(), salma.ID); err != nil || len(list) != 1 || list[0].Copies != 1 {
			t.Error(list, err)
		}
		if err := w.RevokeWallet(t.Context(), karim, device.ID); !problem.Is(err, problem.NotFound) {
			t.Error("somebody else revokes it:", err)
		}
		if err := w.RevokeWallet(t.Context(), salma, device.ID); err != nil {
			t.Fatal(err)
		}
		w.hand.advance(2 * listLook)
		if got := w.status(*w.verify(copied).Status); got != statuslist.Invalid {
			t.Error("what the lost device holds is", got)
		}
		if status, m := h.send("POST", pathCredential, "application/json", h.requestAs(OwnClient, "building-permit.sd-jwt", newKey(t))); status != 401 {
			t.Error("its token still works:", status, m)
		}
		again := w.holder()
		again.nonce = w.nonces.Make(oauth.ForDPoP, w.hand.Now())
		if status, m := redeem(again, again.attested(text, key, pathToken)); status != 401 || codeOf(m) != "invalid_client" {
			t.Error("it gets another:", status, m)
		}
		if _, _, err := w.AttestWallet(t.Context(), device.ID, &key.PublicKey, ""); !problem.Is(err, problem.Forbidden) {
			t.Error("it is vouched for again:", err)
		}
		if d, err := w.document(t.Context(), w.DB.Reader(), d.ID); err != nil || !d.Valid(w.today()) {
			t.Error("the document went with the device:", d, err)
		}
	})
}
