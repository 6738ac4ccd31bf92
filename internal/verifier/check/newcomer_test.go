package check

import (
	"encoding/base64"
	"testing"
	"time"

	"diwan/protocol/trustlist"
)

// An administration that began to issue after the list of issuers was had is found by
// asking again, in every form of a document; a stranger stays one, and is asked about
// seldom.
func TestNewcomer(t *testing.T) {
	for _, d := range documents {
		w := newWorld(t)
		document := func(by signer) string { return d.make(w, by, w.now, w.now.AddDate(0, 1, 0), listURI, d.index) }
		w.found(w.kit.Document(t.Context(), document(w.town)), Accepted)
		newcomer := issue(t, "village", &w.root, w.now)
		text := document(newcomer)
		w.found(w.kit.Document(t.Context(), text), Refused, UntrustedIssuer)
		w.now = w.now.Add(retry)
		w.join(newcomer, "village")
		w.publishStatus(w.portal, nil)
		w.found(w.kit.Document(t.Context(), text), Accepted)
		before := len(w.asked)
		for range 5 {
			w.found(w.kit.Document(t.Context(), document(w.foreign)), Refused, UntrustedIssuer)
		}
		if n := len(w.asked) - before; n > 1 {
			t.Errorf("a stranger has the list asked for %d times", n)
		}
	}
}

// join publishes a list with one more issuer.
func (w *world) join(s signer, id string) {
	w.Helper()
	own := func(s signer) []string { return []string{base64.StdEncoding.EncodeToString(s.cert.Raw)} }
	roots := own(w.root)
	l := trustlist.List{Operator: operator, IssuedAt: w.now.Unix(), Expires: w.now.Add(time.Hour).Unix(), TTL: 3600, Issuers: []trustlist.Issuer{
		{ID: "town", Types: []string{permitType, licence}, Roots: roots, Certificates: own(w.town)},
		{ID: id, Types: []string{permitType, licence}, Roots: roots, Certificates: own(s)},
		{ID: "portal", Types: []string{trustlist.StatusLists}, Roots: roots, Certificates: own(w.portal)}}}
	text, err := l.Sign(w.portal.key, w.portal.header())
	if err != nil {
		w.Fatal(err)
	}
	w.net[trustURL] = []byte(text)
}
