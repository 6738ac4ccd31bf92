package viewer

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/exchange/gateway"
	"diwan/internal/exchange/translog"
)

// fake is a gateway with one exchange.
type fake struct {
	now     time.Time
	noted   []string
	refuse  bool
	pending bool
	whole   *gateway.Whole
}

const request = "1d67e74f-4705-446d-8176-dd06a4dff4dc"

func (f *fake) Identity() (string, string) { return "XX/COM/TOWN", "n1" }
func (f *fake) Now() time.Time             { return f.now }
func (f *fake) Exchanges(_ context.Context, s gateway.Search) ([]gateway.Exchange, error) {
	if s.Request != "" && s.Request != request {
		return nil, nil
	}
	return []gateway.Exchange{{Request: request, Side: "asked", At: f.now, Client: "XX/COM/TOWN/<b>", Service: "XX/GOV/CIVIL/R/s", Status: 200, RequestSeq: 1, ResponseSeq: 2}}, nil
}

func (f *fake) Evidence(context.Context, string) (*gateway.Evidence, *gateway.EvidenceReport, error) {
	if f.pending {
		return nil, nil, gateway.ErrNotYet
	}
	r := &gateway.EvidenceReport{Proven: true, Request: request}
	for _, code := range []string{"format", "directory", "members", "record", "entry", "log_signature", "inclusion", "witnesses", "time_stamp", "parties", "pair", "contract", "body"} {
		for _, o := range []translog.Outcome{translog.Passed, translog.Failed, translog.Absent} {
			r.Steps = append(r.Steps, gateway.Step{Of: gateway.OfRequest, Check: translog.Check{Code: code, Outcome: o, Facts: []translog.Fact{{Name: "n", Value: "v"}}}})
		}
	}
	return &gateway.Evidence{Format: gateway.EvidenceFormat, Request: request}, r, nil
}

func (f *fake) CheckWhole(context.Context) (*gateway.Whole, error) { return f.whole, nil }
func (f *fake) LastCheck(context.Context) (*gateway.Whole, error)  { return f.whole, nil }
func (f *fake) ProofFault() string                                 { return "" }
func (f *fake) NoteAccess(_ context.Context, who, action, q string) error {
	if f.refuse {
		return errors.New("disk full")
	}
	f.noted = append(f.noted, who+" "+action+" "+q)
	return nil
}

func newViewer(t *testing.T) (*fake, *db.DB, http.Handler) {
	t.Helper()
	f := &fake{now: time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)}
	d := dbtest.SQLite(t, []db.Migrations{Migrations()})
	v, err := New(t.Context(), f, d)
	if err != nil {
		t.Fatal(err)
	}
	return f, d, v.Handler()
}

func do(t *testing.T, h http.Handler, method, path string, form url.Values, c *http.Cookie) *http.Response {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c != nil {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func body(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func signIn(t *testing.T, f *fake, d *db.DB, h http.Handler) *http.Cookie {
	t.Helper()
	code, err := NewCode(t.Context(), d, "Officer One", f.now)
	if err != nil {
		t.Fatal(err)
	}
	r := do(t, h, "POST", "/viewer/fr/sign-in", url.Values{"code": {" " + strings.ToLower(code)}}, nil)
	if r.StatusCode != http.StatusSeeOther || len(r.Cookies()) != 1 {
		t.Fatalf("sign-in: %d", r.StatusCode)
	}
	c := r.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.MaxAge != 12*3600 {
		t.Errorf("the cookie is %+v", c)
	}
	if again := do(t, h, "POST", "/viewer/fr/sign-in", url.Values{"code": {code}}, nil); again.StatusCode != http.StatusForbidden {
		t.Errorf("a code is good twice: %d", again.StatusCode)
	}
	return c
}

func TestOnlyOfficersGetIn(t *testing.T) {
	f, d, h := newViewer(t)
	paths := []string{"/viewer/ar/", "/viewer/fr/?search=1", "/viewer/en/exchanges/" + request, "/viewer/en/exchanges/" + request + "/proof.json", "/viewer/en/verification"}
	for _, p := range paths {
		for _, c := range []*http.Cookie{nil, {Name: cookie, Value: "guess"}} {
			if r := do(t, h, "GET", p, nil, c); r.StatusCode != http.StatusSeeOther || !strings.HasSuffix(r.Header.Get("Location"), "/sign-in") {
				t.Errorf("%s without a session: %d", p, r.StatusCode)
			}
		}
	}
	const list = "/viewer/exchanges.json"
	if r := do(t, h, "GET", list, nil, nil); r.StatusCode != http.StatusUnauthorized || strings.Contains(body(t, r), "CIVIL") {
		t.Errorf("%s without a session: %d", list, r.StatusCode)
	}
	c := signIn(t, f, d, h)
	for query, status := range map[string]int{"": 200, "?from=2026-01-01T00:00:00Z&limit=5": 200, "?status=x": 400, "?limit=0": 400} {
		if r := do(t, h, "GET", list+query, nil, c); r.StatusCode != status || strings.Contains(body(t, r), "CIVIL") != (status == 200) {
			t.Errorf("%s: %d", list+query, r.StatusCode)
		}
	}
	for _, p := range paths {
		if r := do(t, h, "GET", p, nil, c); r.StatusCode != http.StatusOK || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", p, r.StatusCode, body(t, r))
		}
	}
	f.now = f.now.Add(12*time.Hour + time.Second)
	if r := do(t, h, "GET", paths[0], nil, c); r.StatusCode != http.StatusSeeOther {
		t.Errorf("after twelve hours: %d", r.StatusCode)
	}
	late, err := NewCode(t.Context(), d, "Late", f.now.Add(-CodeLife-time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if r := do(t, h, "POST", "/viewer/en/sign-in", url.Values{"code": {late}}, nil); r.StatusCode != http.StatusForbidden {
		t.Errorf("an old code: %d", r.StatusCode)
	}
	c = signIn(t, f, d, h)
	do(t, h, "POST", "/viewer/en/sign-out", nil, c)
	if r := do(t, h, "GET", paths[0], nil, c); r.StatusCode != http.StatusSeeOther {
		t.Errorf("after signing out: %d", r.StatusCode)
	}
}

func TestEveryLookIsNoted(t *testing.T) {
	f, d, h := newViewer(t)
	c := signIn(t, f, d, h)
	f.noted = nil
	do(t, h, "GET", "/viewer/en/", nil, c)
	if len(f.noted) != 0 {
		t.Errorf("an empty form shows nothing, and is noted: %v", f.noted)
	}
	do(t, h, "GET", "/viewer/en/?search=1&client=a", nil, c)
	do(t, h, "GET", "/viewer/en/exchanges/"+request, nil, c)
	do(t, h, "GET", "/viewer/en/exchanges/"+request+"/proof.json", nil, c)
	do(t, h, "GET", "/viewer/exchanges.json?client=b", nil, c)
	want := []string{"Officer One search search=1&client=a", "Officer One exchange " + request, "Officer One download " + request, "Officer One search client=b"}
	if strings.Join(f.noted, "\n") != strings.Join(want, "\n") {
		t.Errorf("noted %v", f.noted)
	}
	f.refuse = true
	for _, p := range []string{"/viewer/exchanges.json", "/viewer/en/?search=1", "/viewer/en/exchanges/" + request, "/viewer/en/exchanges/" + request + "/proof.json"} {
		if r := do(t, h, "GET", p, nil, c); r.StatusCode != http.StatusServiceUnavailable || strings.Contains(body(t, r), "CIVIL") {
			t.Errorf("%s shows something that can't be noted: %d", p, r.StatusCode)
		}
	}
}

// Every page in every language has words for all that it may show, and lets no
// name of others become markup.
func TestPagesHaveAllWords(t *testing.T) {
	f, d, h := newViewer(t)
	c := signIn(t, f, d, h)
	f.whole = &gateway.Whole{Last: 9}
	for _, k := range []string{"missing", "altered", "unreadable", "signature", "rewritten", "not_in_log", "log_missing", "log_key", "set_back", "forked", "unsigned", "torn"} {
		f.whole.Faults = append(f.whole.Faults, gateway.Fault{Kind: k, Seq: 2, Last: 3, Request: request})
	}
	for _, k := range []string{gateway.RemarkNoLog, gateway.RemarkUnlogged, gateway.RemarkUnchecked, gateway.RemarkTorn, gateway.RemarkUncosign, gateway.RemarkNoWitness,
		gateway.RemarkNoStamp, gateway.RemarkDropped, gateway.RemarkOthers} {
		f.whole.Remarks = append(f.whole.Remarks, gateway.Remark{Code: k, N: 1})
	}
	for _, l := range langs {
		for _, p := range []string{"", "?search=1&status=x", "?search=1&from=2026-01-01T10:00", "exchanges/" + request, "exchanges/other", "verification", "sign-in"} {
			b := body(t, do(t, h, "GET", Root+l+"/"+p, nil, c))
			if strings.Contains(b, "[viewer.") || strings.Contains(b, "<b>/") || strings.Contains(b, "TOWN/<b>") {
				t.Errorf("%s/%s lacks words or escapes nothing: %s", l, p, b)
			}
			if want := `dir="rtl"`; (l == "ar") != strings.Contains(b[:min(len(b), 100)], want) {
				t.Errorf("%s/%s runs the wrong way", l, p)
			}
		}
	}
	f.pending = true
	if b := body(t, do(t, h, "GET", "/viewer/en/exchanges/"+request, nil, c)); !strings.Contains(b, "on its way") {
		t.Errorf("a proof that is on its way: %s", b)
	}
	if r := do(t, h, "GET", "/viewer/en/exchanges/"+request+"/proof.json", nil, c); r.StatusCode != http.StatusConflict {
		t.Errorf("its download: %d", r.StatusCode)
	}
	f.pending = false
	r := do(t, h, "GET", "/viewer/en/exchanges/"+request+"/proof.json", nil, c)
	var ev gateway.Evidence
	if err := json.NewDecoder(r.Body).Decode(&ev); err != nil || ev.Request != request || !strings.Contains(r.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("the download is %+v, %v", ev, err)
	}
}
