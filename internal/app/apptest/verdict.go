package apptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"diwan/internal/app"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/pdf/seal"
	"diwan/internal/verifier"
	"diwan/internal/verifier/check"
	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
	"diwan/protocol/sdjwt"
	"diwan/protocol/statuslist"
)

// verdictPages are what a verifier reads: of a document whose status nobody knows, and of
// an answer, with each reason there is, in the first two languages, which are one of each
// direction. The page that answers a form is looked at as the program wrote it.
func verdictPages(t testing.TB, a *app.App, c Cases) []Page {
	t.Helper()
	unknown := unknownStatus(t, a, c)
	out := []Page{{Kind: "verdict: nobody knows the status", Path: "/verify", answer: func(t testing.TB, l gov.Lang) string {
		return posted(t, a, l, "/verify/code", url.Values{"text": {unknown}}, nil, "verify.verdict.unknown", "verify.unknown.text", "verify.reason.status_unknown")
	}}}
	for _, x := range check.Reasons() {
		id, session := refusedRequest(t, a, x)
		out = append(out, Page{Kind: "verdict: " + string(x), Path: "/verify", answer: func(t testing.TB, l gov.Lang) string {
			return posted(t, a, l, "/verify/requests/"+id+"/result", nil, &http.Cookie{Name: "diwan-verify", Value: session}, "verify.verdict.refused", "verify.reason."+string(x))
		}})
	}
	return out
}

var readers atomic.Uint32

// posted returns the page that answers a form, which has to say some words.
func posted(t testing.TB, a *app.App, l gov.Lang, path string, form url.Values, cookie *http.Cookie, words ...string) string {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/"+string(l)+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	// Readers come from many addresses: how often one may send is not what is looked at.
	n := readers.Add(1)
	r.RemoteAddr = fmt.Sprintf("198.51.%d.%d:1000", n>>8&0xff, n&0xff)
	if cookie != nil {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	a.Handler.ServeHTTP(w, r)
	page := w.Body.String()
	for _, key := range words {
		if say := html.EscapeString(a.Site.Words.Printer(string(l)).T(key)); w.Code != http.StatusOK || !strings.Contains(html.EscapeString(html.UnescapeString(page)), say) {
			t.Fatalf("%s %s: %d, without %q", l, path, w.Code, say)
		}
	}
	return page
}

// refusedRequest is a request of a browser that was answered, and refused for a reason.
func refusedRequest(t testing.TB, a *app.App, x check.Reason) (id, session string) {
	t.Helper()
	session = strings.Repeat("0123456789abcdef", 4)
	party, err := a.Verifier.Party(t.Context(), "bank-demo")
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.Verifier.Begin(t.Context(), party, verifier.Ask{Template: party.Templates[0].ID, Session: session})
	if err != nil {
		t.Fatal(err)
	}
	reasons, err := json.Marshal([]check.Reason{x})
	if err != nil {
		t.Fatal(err)
	}
	err = a.DB.RunTx(t.Context(), func(tx *db.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE verifier_request SET state = $2, reasons = $3, answered_at = created_at, gone_at = $4 WHERE id = $1`, b.ID, verifier.Refused, string(reasons), db.Micros(b.Ends.Add(24*time.Hour)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.ID, session
}

// unknownStatus is a document of an issuer that is on the list, good in all but that no
// status list of the name it gives can be had.
func unknownStatus(t testing.TB, a *app.App, c Cases) string {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	of, err := a.Credentials.Of(ctx, c.Silent)
	must(err)
	kind, err := a.Credentials.TypeVersion(ctx, of[0].Type, of[0].Version)
	must(err)
	anchor, err := a.Credentials.Anchor(ctx)
	must(err)
	above, err := a.Keys.Signer("credential-authority")
	must(err)
	root, err := seal.OpenAuthority(anchor, above)
	must(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	now := time.Now()
	leaf, err := root.Issue(key.Public(), seal.Holder{ID: of[0].Administration, Country: a.Country.Code, Name: "Office"}, now.Add(-time.Hour))
	must(err)
	s, err := sdjwt.Issue(key, sdjwt.Issuance{Header: jws.Header{X5C: []*x509.Certificate{leaf}}, Disclosable: []claimpath.Path{{"holder"}},
		Claims: map[string]any{"vct": kind.VCT, "iat": now.Unix(), "exp": now.AddDate(0, 1, 0).Unix(), "holder": "Salma EL MITAL",
			"status": statuslist.Reference{Index: 1, URI: "https://status.invalid/1"}.Claim()}})
	must(err)
	return s
}

// told are the languages in which what is long to look at is looked at.
func told(a *app.App) []gov.Lang {
	return slices.Clone(a.Country.Order()[:min(2, len(a.Country.Languages))])
}
