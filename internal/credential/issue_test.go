package credential

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"diwan/internal/db/dbtest"
	"diwan/internal/keys"
	"diwan/protocol/jws"
	"diwan/protocol/mdoc"
	"diwan/protocol/sdjwt"
	"diwan/protocol/statuslist"
	"diwan/protocol/strict"
	"diwan/protocol/trustlist"
)

// trust is what a verifier knows who was given the anchor.
func (w *world) trust() *trustlist.List {
	w.t.Helper()
	der, err := w.Anchor(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	anchor, err := x509.ParseCertificate(der)
	if err != nil {
		w.t.Fatal(err)
	}
	_, m, _ := w.call("GET", pathTrust, nil, "", nil)
	l, err := trustlist.Verify(m["body"].(string), base, []*x509.Certificate{anchor}, w.hand.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	return l
}

// status looks a credential up in its list as a verifier does.
func (w *world) status(r statuslist.Reference) statuslist.Value {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.server.ServeHTTP(rec, httptest.NewRequestWithContext(w.t.Context(), "GET", r.URI, nil))
	v, err := statuslist.Verify(rec.Header().Get("Content-Type"), rec.Body.Bytes(), statuslist.Policy{URI: r.URI, Now: w.hand.Now(), Key: func(h jws.Header, _ string) (crypto.PublicKey, error) {
		k, _, err := w.trust().Key(h.X5C, trustlist.StatusLists, w.hand.Now())
		return k, err
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	x, err := v.Status(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return x
}

func (w *world) verify(text string) *sdjwt.Verified {
	w.t.Helper()
	tok, err := sdjwt.Parse(text, jws.Want{Types: []string{sdjwt.TypeVC}, Algorithms: algorithms})
	if err != nil {
		w.t.Fatal(err)
	}
	v, err := tok.Verify(sdjwt.Policy{Now: w.hand.Now(), Limited: true, Issued: true, Key: func(h jws.Header, claims map[string]any) (crypto.PublicKey, error) {
		vct, _ := claims["vct"].(string)
		k, _, err := w.trust().Key(h.X5C, vct, w.hand.Now())
		return k, err
	}})
	if err != nil {
		w.t.Fatal(err)
	}
	return v
}

func TestFromDecisionToWallet(t *testing.T) {
	each(t, func(t testing.TB, w *world) {
		d := w.document1("case-1", "building-permit", salma)
		if d.State != Ready || d.Number == "" || len(w.told) != 1 || d.Until.String() != "2027-03-02" {
			t.Fatalf("the document is %+v, told %v", d, w.told)
		}
		o, err := w.Offer(t.Context(), salma, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		h := w.holder()
		if status, m := h.redeem(o); status != 200 || m["token_type"] != "DPoP" {
			t.Fatal(status, m)
		}
		k1, k2 := newKey(t), newKey(t)
		texts := h.fetch("building-permit.sd-jwt", k1, k2)
		if len(texts) != 2 {
			t.Fatal(len(texts), "copies")
		}
		v := w.verify(texts[0])
		if v.Type != "urn:ma:gov:permis-construire:1" || v.Claims["holder"] != "Salma EL MITAL" || v.Claims["land_title"] != "12345/06" || v.Status == nil || v.Expires.IsZero() {
			t.Errorf("it says %v", v.Claims)
		}
		if !k1.PublicKey.Equal(v.Holder.Key) {
			t.Error("it is bound to another key")
		}
		if got := w.status(*v.Status); got != statuslist.Valid {
			t.Error("the status is", got)
		}
		if _, err := w.Change(t.Context(), agent, d.ID, Revoked, "Built otherwise."); err != nil {
			t.Fatal(err)
		}
		w.hand.advance(2 * listLook)
		for _, text := range texts {
			if got := w.status(*w.verify(text).Status); got != statuslist.Invalid {
				t.Error("after it was revoked the status is", got)
			}
		}
		if _, err := w.Offer(t.Context(), salma, d.ID); err == nil {
			t.Error("a revoked document is offered")
		}
	})
}

func TestMDoc(t *testing.T) {
	each(t, func(t testing.TB, w *world) {
		d := w.document1("case-1", "driving-licence", salma)
		// The type is one administration's, and this one is not it.
		if d.State != Ready {
			t.Fatalf("the document is %+v", d)
		}
		o, err := w.Offer(t.Context(), salma, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		h := w.holder()
		if status, m := h.redeem(o); status != 200 {
			t.Fatal(status, m)
		}
		key := newKey(t)
		raw, err := base64.RawURLEncoding.DecodeString(h.fetch("driving-licence.mdoc", key)[0])
		if err != nil {
			t.Fatal(err)
		}
		in, err := mdoc.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		doc := in.Unverified()
		if doc.DocType != "org.iso.18013.5.1.mDL" || !key.PublicKey.Equal(doc.DeviceKey) {
			t.Errorf("%+v", doc)
		}
		mdl(t, doc.Elements["org.iso.18013.5.1"])
	})
}

// A batch must not tell that its copies belong together.
func TestCopiesShareNothing(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, storeSets))
	d := w.document1("case-1", "building-permit", salma)
	o, err := w.Offer(t.Context(), salma, d.ID)
	if err != nil {
		t.Fatal(err)
	}
	h := w.holder()
	h.redeem(o)
	seen := map[string]bool{}
	for _, text := range h.fetch("building-permit.sd-jwt", newKey(t), newKey(t), newKey(t), newKey(t), newKey(t), newKey(t), newKey(t), newKey(t), newKey(t), newKey(t)) {
		signed, _, _ := strings.Cut(text, "~")
		tok, err := jws.Parse(signed, jws.Want{Types: []string{sdjwt.TypeVC}, Algorithms: algorithms})
		if err != nil {
			t.Fatal(err)
		}
		claims, err := strict.Object(tok.Unverified(), jws.MaxBytes)
		if err != nil {
			t.Fatal(err)
		}
		once := func(what, x string) {
			if seen[what+x] {
				t.Errorf("%s %q stands in two copies", what, x)
			}
			seen[what+x] = true
		}
		for _, x := range claims["_sd"].([]any) {
			once("the digest", x.(string))
		}
		whole, err := sdjwt.Parse(text, jws.Want{})
		if err != nil || len(whole.Disclosures) == 0 {
			t.Fatal(err)
		}
		for _, d := range whole.Disclosures {
			once("the salt", d.Salt)
		}
		key, err := json.Marshal(claims["cnf"])
		if err != nil {
			t.Fatal(err)
		}
		once("the key", string(key))
		once("the signature", signed[strings.LastIndex(signed, "."):])
		for _, name := range []string{"iat", "nbf", "exp"} {
			moment, ok := claims[name].(interface{ Int64() (int64, error) })
			if !ok && name == "nbf" {
				continue
			}
			at, err := moment.Int64()
			if name == "exp" {
				at++ // the last second of a day
			}
			if err != nil || clockOf(time.Unix(at, 0).In(w.Country.Zone())) != 0 {
				t.Errorf("%s tells a moment: %v", name, claims[name])
			}
		}
		r, err := statuslist.FromClaim(claims["status"])
		if err != nil {
			t.Fatal(err)
		}
		if key := r.URI + " " + strconv.Itoa(r.Index); seen[key] {
			t.Error("a place was given twice")
		} else {
			seen[key] = true
		}
	}
}

// clockOf is the time of day.
func clockOf(t time.Time) time.Duration {
	return time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second
}

func TestOrderOfPlacesIsAPermutation(t *testing.T) {
	o := newOrder([]byte("secret"), "list")
	seen := make([]bool, listPlaces)
	for turn := range int64(listPlaces) {
		at := o.at(turn)
		if at < 0 || at >= listPlaces || seen[at] {
			t.Fatalf("turn %d gets place %d", turn, at)
		}
		seen[at] = true
	}
}

// The second officer is another than the one who decided.
func TestTwoSignatures(t *testing.T) {
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
		if d.State != Waiting || len(w.told) != 0 {
			t.Fatalf("the document is %+v", d)
		}
		if _, err := w.Sign(t.Context(), agent, d.ID); err == nil {
			t.Error("who decided signs")
		}
		if _, err := w.Sign(t.Context(), signer, d.ID); err != nil {
			t.Fatal(err)
		}
		if d = w.one("case-1"); d.State != Ready || d.SignedBy != signer.ID || len(w.told) != 1 {
			t.Errorf("the document is %+v", d)
		}
		if _, err := w.Sign(t.Context(), signer, d.ID); err == nil {
			t.Error("it is signed twice")
		}
	})
}

// A document that lacks something waits for an officer, and is nobody's until then.
func TestFaulty(t *testing.T) {
	each(t, func(t testing.TB, w *world) {
		w.decided["case-1"] = Facts{"office": facts()["office"], "decision": facts()["decision"], "register": map[string]any{"number": "1"}}
		w.prepare("case-1", "building-permit", salma)
		w.prepare("case-1", "building-permit", salma)
		if _, err := w.Settle(t.Context()); err != nil {
			t.Fatal(err)
		}
		d := w.one("case-1")
		faults, err := w.Faults(t.Context(), d)
		if d.State != Faulty || err != nil || len(faults) != 1 || faults[0] != (Fault{"holder", "missing"}) {
			t.Fatal(d.State, faults, err)
		}
		if _, err := w.Mend(t.Context(), agent, d.ID, Values{"holder": "Salma\u202e"}); err != nil {
			t.Fatal(err)
		}
		if d = w.one("case-1"); d.State != Faulty {
			t.Fatal("a name that turns its direction was taken:", d.State)
		}
		if _, err := w.Mend(t.Context(), agent, d.ID, Values{"holder": "Salma EL MITAL"}); err != nil {
			t.Fatal(err)
		}
		if d = w.one("case-1"); d.State != Ready {
			t.Error(d.State)
		}
		if v, err := w.Values(t.Context(), d); err != nil || v["holder"] != "Salma EL MITAL" {
			t.Error(v, err)
		}
	})
}

func TestCheckedIsSignedOnce(t *testing.T) {
	c := &checked{}
	if err := errors.Join(c.take()); err != nil {
		t.Fatal(err)
	}
	if c.take() == nil {
		t.Error("it is taken twice")
	}
}

// After a rotation the new key signs, and what the old one signed stays good.
func TestRotation(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t, storeSets))
	d := w.document1("case-1", "building-permit", salma)
	fetch := func() string {
		t.Helper()
		o, err := w.Offer(t.Context(), salma, d.ID)
		if err != nil {
			t.Fatal(err)
		}
		h := w.holder()
		if status, m := h.redeem(o); status != 200 {
			t.Fatal(status, m)
		}
		return h.fetch("building-permit.sd-jwt", newKey(t))[0]
	}
	before := fetch()
	w.hand.advance(time.Second)
	if _, err := w.Keys.(interface {
		Rotate(purpose string) (*keys.Key, error)
	}).Rotate(issuerPurpose("commune")); err != nil {
		t.Fatal(err)
	}
	after := fetch()
	a, b := w.verify(before), w.verify(after)
	if a.Header.X5C[0].Equal(b.Header.X5C[0]) {
		t.Error("after a rotation the old key signs")
	}
	if n := len(w.trust().Issuers); n < 2 {
		t.Error("issuers in the list:", n)
	}
}
