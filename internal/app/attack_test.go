package app_test

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"diwan/internal/app"
	"diwan/internal/app/apptest"
	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
)

// A request that nobody sends in good faith gets a refusal or a page that it
// could not shape, and never shows or becomes more than that.
func TestHostileRequests(t *testing.T) {
	a := apptest.Open(t)
	public := anybody(t, a)
	long := strings.Repeat("a", 10<<20)
	tests := map[string]struct {
		method, target string
		header         []string
		status         int
	}{
		"path upwards":          {"GET", "/fr/procedures/..%2f..%2fetc%2fpasswd", nil, 404},
		"path upwards, assets":  {"GET", "/static/%2e%2e/go.mod", nil, 404},
		"zero byte":             {"GET", "/fr/procedures/%00", nil, 404},
		"not text":              {"GET", "/fr/procedures/%ff", nil, 404},
		"line break in path":    {"GET", "/fr/%0d%0aSet-Cookie:x=1", nil, 404},
		"other host as path":    {"GET", "/%2F/evil.example", nil, 404},
		"unknown language":      {"GET", "/de/", nil, 404},
		"unknown region":        {"GET", "/ar/regions/%E2%80%AE", nil, 404},
		"query of 10 MB":        {"GET", "/fr/search?q=" + long, nil, 200},
		"control characters":    {"GET", "/fr/search?q=%00%01%1b%E2%80%AEabc%0d%0aX:y", nil, 200},
		"no number":             {"GET", "/fr/search?q=a&page=99999999999999999999", nil, 200},
		"many filters":          {"GET", "/fr/search?q=a" + strings.Repeat("&theme=x", 5000), nil, 200},
		"broken escapes":        {"GET", "/fr/search?q=%zz", nil, 200},
		"suggest of 10 MB":      {"GET", "/fr/suggest?q=" + long, nil, 200},
		"languages of 1 MB":     {"GET", "/", []string{"Accept-Language", strings.Repeat("fr,", 300_000)}, 302},
		"language of nonsense":  {"GET", "/", []string{"Accept-Language", "\xff;;;q=q,*-*-*"}, 302},
		"other host":            {"GET", "/fr/", []string{"X-Forwarded-Host", "evil.example", "X-Original-URL", "/fr/office/"}, 200},
		"metrics":               {"GET", "/metrics", nil, 404},
		"profiles":              {"GET", "/debug/pprof/", nil, 404},
		"office of nobody":      {"GET", "/fr/office/history", nil, 303},
		"writing to the office": {"POST", "/fr/office/procedures/new", nil, 401},
		"unknown sign-in link":  {"POST", "/fr/office/sign-in/guess", nil, 403},
		"writing to the API":    {"POST", "/api/v1/procedures", nil, 405},
		"API token":             {"GET", "/api/v1/procedures?page_token=" + strings.Repeat("A", 5000), nil, 400},
		"API method":            {"TRACE", "/api/v1/procedures", nil, 405},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := public.do(tt.method, tt.target, nil, tt.header...)
			if w.Code != tt.status {
				t.Errorf("status %d, want %d", w.Code, tt.status)
			}
			if w.Header().Get("Content-Security-Policy") == "" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
				t.Error("no security headers")
			}
			if to := w.Header().Get("Location"); to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") || strings.Contains(to, `\`)) {
				t.Errorf("it sends people to %q", to)
			}
			if w.Body.Len() > 200<<10 || strings.Contains(w.Body.String(), "evil.example") {
				t.Errorf("the request shaped an answer of %d bytes", w.Body.Len())
			}
			for _, r := range "\u202e\x00\x1b" {
				if strings.ContainsRune(w.Body.String(), r) {
					t.Errorf("the answer repeats %U", r)
				}
			}
		})
	}
}

// Another site can't act through an officer's browser; the refusal is in the
// language of the page.
func TestOtherSitesCannotAct(t *testing.T) {
	a := apptest.Open(t)
	k := officer(t, a, "one", "", "editor")
	for _, h := range [][]string{{"Origin", "https://evil.example"}, {"Origin", "null"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}} {
		w := k.post("/fr/office/procedures/new", url.Values{"id": {"by-another"}}, h...)
		if w.Code != http.StatusForbidden || !strings.Contains(w.Body.String(), `<html lang="fr"`) {
			t.Errorf("%v: %d %.80q", h, w.Code, w.Body)
		}
	}
	if v, err := a.Catalogue.Versions(t.Context(), "by-another"); err != nil || len(v) != 0 {
		t.Errorf("something was saved: %v, %v", v, err)
	}
}

// What an administration prepares is nobody else's to read or to change.
func TestDraftsOfOthersStayTheirs(t *testing.T) {
	a := apptest.Open(t)
	var bodies []string
	for _, x := range a.Catalogue.Snapshot().Administrations {
		if x.Parent == "" && len(a.Catalogue.Snapshot().Children(x.ID)) == 0 {
			bodies = append(bodies, x.ID)
		}
	}
	mine, other := officer(t, a, "mine", bodies[0], "editor"), officer(t, a, "other", bodies[1], "editor")
	if w := mine.post("/en/office/procedures/new", url.Values{"id": {"secret-plan"}, "competent": {bodies[0]}, "name.en": {"Secret plan"}}); w.Code != http.StatusSeeOther {
		t.Fatalf("saving: %d", w.Code)
	}
	for _, path := range []string{"", "/edit", "/compare", "/versions/1"} {
		if w := mine.do("GET", "/en/office/procedures/secret-plan"+path, nil); w.Code != http.StatusOK {
			t.Errorf("mine %s: %d", path, w.Code)
		}
		if w := other.do("GET", "/en/office/procedures/secret-plan"+path, nil); w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "Secret plan") {
			t.Errorf("other %s: %d", path, w.Code)
		}
	}
	for _, do := range []string{"submit", "publish", "return", "withdraw"} {
		if w := other.post("/en/office/procedures/secret-plan", url.Values{"version": {"1"}, "do": {do}, "why": {"x"}}); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", do, w.Code)
		}
	}
	// Neither taking it over nor giving one's own away works by a field of the form.
	if w := other.post("/en/office/procedures/secret-plan/edit", url.Values{"based": {"1"}, "competent": {bodies[1]}}); w.Code != http.StatusForbidden {
		t.Errorf("taking over: %d", w.Code)
	}
	if w := mine.post("/en/office/procedures/new", url.Values{"id": {"for-others"}, "competent": {bodies[1]}}); w.Code != http.StatusForbidden {
		t.Errorf("giving away: %d", w.Code)
	}
	for _, path := range []string{"/en/office/", "/en/office/?state=draft", "/en/office/bulk/procedures.json", "/en/office/bulk/procedures.csv", "/en/procedures/secret-plan",
		"/en/search?q=Secret+plan", "/api/v1/procedures/secret-plan", "/api/v1/catalogue.jsonld"} {
		if w := other.do("GET", path, nil); strings.Contains(w.Body.String(), "Secret plan</") || strings.Contains(w.Body.String(), "/secret-plan") {
			t.Errorf("%s shows the draft", path)
		}
	}
	if w := mine.do("GET", "/en/office/history", nil); w.Code != http.StatusForbidden {
		t.Errorf("the history of all: %d", w.Code)
	}
}

// Two editors who have the same draft open can't wipe out each other's words.
func TestSecondOfTwoEditorsIsTold(t *testing.T) {
	a := apptest.Open(t)
	k := officer(t, a, "one", "", "editor")
	owner := a.Catalogue.Snapshot().Administrations[0].ID
	k.post("/en/office/procedures/new", url.Values{"id": {"shared-draft"}, "competent": {owner}, "name.en": {"First"}})
	page := k.do("GET", "/en/office/procedures/shared-draft/edit", nil).Body.String()
	_, rest, _ := strings.Cut(page, `name="based" value="`)
	based, _, _ := strings.Cut(rest, `"`)
	save := func(name string) int {
		return k.post("/en/office/procedures/shared-draft/edit", url.Values{"based": {based}, "competent": {owner}, "name.en": {name}}).Code
	}
	if code := save("From A"); code != http.StatusSeeOther {
		t.Fatalf("the first: %d", code)
	}
	if code := save("From B"); code != http.StatusConflict {
		t.Errorf("the second, who did not see the first's words: %d", code)
	}
	if v, err := a.Catalogue.Latest(t.Context(), "shared-draft"); err != nil || v.Procedure.Name["en"] != "From A" {
		t.Errorf("kept: %v, %v", v, err)
	}
}

// Only the address that takes files takes much.
func TestBodiesAreBounded(t *testing.T) {
	a := apptest.Open(t)
	k := officer(t, a, "one", "", "editor")
	upload := func(target string) (int, int64) {
		var head bytes.Buffer
		form := multipart.NewWriter(&head)
		form.CreateFormFile("file", "x.csv")
		body := &counted{r: io.MultiReader(&head, io.LimitReader(zeros{}, 40<<20))}
		w := k.do("POST", target, body, "Content-Type", form.FormDataContentType())
		return w.Code, body.n
	}
	for target, most := range map[string]int64{
		"/en/office/procedures/import": 2 << 20, "/en/office/sign-in/import": 2 << 20,
		"/en/office/procedures/new": 2 << 20, "/en/office/bulk/import": 18 << 20,
	} {
		if code, n := upload(target); code < 400 || code >= 500 || n > most {
			t.Errorf("%s: %d after %d bytes", target, code, n)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// A remark holds no characters that would make it read as something else, and a
// script that sends many is stopped.
func TestRemarksAreBounded(t *testing.T) {
	a := apptest.Open(t)
	public, id := anybody(t, a), a.Catalogue.Snapshot().Procedures[0].ID
	form := url.Values{"useful": {"no"}, "comment": {"a\u202eb\x00\xff" + strings.Repeat("c", 5000)}}
	if w := public.post("/fr/procedures/"+id+"/feedback", form); w.Code != http.StatusSeeOther {
		t.Fatalf("a remark: %d", w.Code)
	}
	o, err := a.Catalogue.Opinions(t.Context(), id)
	if err != nil || len(o.Comments) != 1 || !strings.HasPrefix(o.Comments[0], "abc") || len(o.Comments[0]) != 1000 {
		t.Errorf("kept: %.20q, %v", o.Comments, err)
	}
	refused := 0
	for range 100 {
		if w := public.post("/fr/procedures/"+id+"/feedback", form); w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") != "" {
			refused++
		}
	}
	if refused < 50 {
		t.Errorf("of 100 remarks at once %d were refused", refused)
	}
}

// Who fills in a form is quick, and not alone behind their address: a person is counted
// by who they are, and still not without a bound.
func TestPersonsAreCountedByThemselves(t *testing.T) {
	a := apptest.Open(t)
	person := signedIn(t, a, apptest.Person)
	refused := func(n int) (count int) {
		for range n {
			if w := person.post("/fr/me/nothing", nil); w.Code == http.StatusTooManyRequests && w.Header().Get("Retry-After") != "" {
				count++
			}
		}
		return count
	}
	if n := refused(40); n > 0 {
		t.Errorf("of 40 answers in a row %d were refused", n)
	}
	if n := refused(400); n < 200 {
		t.Errorf("of 400 at once %d were refused", n)
	}
	// Their guesses at somebody's door are counted by the address.
	stranger, turned := anybody(t, a), 0
	for range 100 {
		if w := stranger.post("/fr/me/sign-in", url.Values{"login": {"nobody"}}); w.Code == http.StatusTooManyRequests {
			turned++
		}
	}
	if turned < 50 {
		t.Errorf("of 100 signings-in at once %d were refused", turned)
	}
}

// The demonstration's clock runs ahead; officers can still sign in and stay.
func TestSignInWithClockAhead(t *testing.T) {
	a := apptest.Open(t)
	public := anybody(t, a)
	if w := public.do("POST", "/demo/clock", strings.NewReader(`{"advance":"720h"}`)); w.Code != http.StatusOK {
		t.Fatalf("the clock: %d", w.Code)
	}
	if w := entered(t, a, apptest.Steward).do("GET", "/en/office/", nil); w.Code != http.StatusOK {
		t.Errorf("the desk after signing in: %d", w.Code)
	}
	if w := public.do("POST", "/demo/clock", strings.NewReader(`{"advance":"-1h"}`)); w.Code != http.StatusBadRequest {
		t.Errorf("turning the clock back: %d", w.Code)
	}
}

// In production nothing of the demonstration is there, nor does a sample account
// open the office when the same data was used for a demonstration before.
func TestNoDemonstrationInProduction(t *testing.T) {
	demo := apptest.Open(t)
	steward := entered(t, demo, apptest.Steward)
	link, err := demo.SignInLink(t.Context(), apptest.Steward)
	if err != nil {
		t.Fatal(err)
	}
	c := demo.Config
	if err := demo.Close(); err != nil {
		t.Fatal(err)
	}
	c.Demo = false
	a, err := app.Open(t.Context(), c, slog.New(slog.DiscardHandler), gov.SystemClock{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	public := anybody(t, a)
	for _, path := range []string{"/demo.json", "/demo/clock", "/demo/mail", "/demo/offers", "/demo/exchange"} {
		if w := public.do("GET", path, nil); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := public.post("/en/office/sign-in", url.Values{"login": {apptest.Steward}}); w.Code != http.StatusNotFound {
		t.Errorf("a sample account: %d", w.Code)
	}
	steward.h = a.Handler
	if w := steward.do("GET", "/en/office/", nil); w.Code != http.StatusSeeOther {
		t.Errorf("a session of the demonstration: %d", w.Code)
	}
	u, _ := url.Parse(link)
	if w := public.do("POST", u.Path, nil); w.Code != http.StatusForbidden {
		t.Errorf("a sign-in link of the demonstration: %d", w.Code)
	}
}

// What an editor writes is words on every page, also where it looks like markup.
func TestWordsStayWords(t *testing.T) {
	a := apptest.Open(t)
	const attack = `</script><script>alert(1)</script><img src=x onerror=alert(1)>'"--><!--`
	var p *model.Procedure
	for _, e := range a.Catalogue.Snapshot().Popular() {
		if len(e.Procedure.Blocking(a.Catalogue.Rules())) == 0 {
			p = new(model.Procedure)
			b, _ := json.Marshal(e.Procedure)
			if err := json.Unmarshal(b, p); err != nil {
				t.Fatal(err)
			}
			break
		}
	}
	if p == nil {
		t.Fatal("no procedure of the starter is complete")
	}
	p.ID = "attack"
	for _, l := range apptest.Languages(a) {
		p.Name[l] = attack
	}
	p.Summary, p.Where, p.Filing = p.Name, p.Name, p.Name
	p.Evidence = []model.Evidence{{ID: "x", Name: p.Name, By: model.ByUser, Note: p.Name}}
	p.Steps = []model.Step{{Title: p.Name, Text: p.Name}}
	p.Sources = []model.Source{{Title: p.Name, URL: "javascript:alert(1)"}}
	author, reviewer := gov.Actor{ID: "a", Roles: []gov.Role{gov.RoleSteward}}, gov.Actor{ID: "b", Roles: []gov.Role{gov.RoleCommission}}
	v, err := a.Catalogue.Save(t.Context(), author, p, 0)
	if err == nil {
		err = a.Catalogue.Submit(t.Context(), author, p.ID, v.Number)
	}
	if err == nil {
		err = a.Catalogue.Publish(t.Context(), reviewer, p.ID, v.Number)
	}
	if err != nil {
		t.Fatal(err)
	}
	public, k := anybody(t, a), officer(t, a, "one", "", "editor")
	check := func(path string, w *httptest.ResponseRecorder) {
		body := w.Body.String()
		if w.Code != http.StatusOK {
			t.Errorf("%s: %d", path, w.Code)
		}
		for _, bad := range []string{"<script>alert", "<img src=x", `="javascript:`, "--><!--"} {
			if strings.Contains(body, bad) {
				t.Errorf("%s says %s", path, bad)
			}
		}
	}
	for _, l := range apptest.Languages(a) {
		for _, path := range []string{"/procedures/attack", "/administrations/" + p.Competent, "/search?q=alert"} {
			check(path, public.do("GET", "/"+string(l)+path, nil))
		}
	}
	for _, path := range []string{"/en/office/procedures/attack", "/en/office/procedures/attack/edit", "/en/office/procedures/attack/versions/1"} {
		check(path, k.do("GET", path, nil))
	}
	if w := public.do("GET", "/api/v1/procedures/attack", nil); w.Header().Get("Content-Type") != "application/json; charset=utf-8" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("the API's answer could be taken for a page: %v", w.Header())
	}
	csv := public.do("GET", "/api/v1/catalogue.csv", nil)
	if !strings.HasPrefix(csv.Header().Get("Content-Disposition"), "attachment") {
		t.Error("the table opens in the browser")
	}
}

// A reader that can't unpack gets the plain page.
func TestCompressionIsAskedFor(t *testing.T) {
	a := apptest.Open(t)
	public := anybody(t, a)
	for accept, want := range map[string]string{"": "", "gzip": "gzip", "br;q=1, gzip;q=0.5": "gzip", "gzip;q=0": "", "gzip; q=0.000, identity": "", "identity": ""} {
		if w := public.do("GET", "/fr/help", nil, "Accept-Encoding", accept); w.Header().Get("Content-Encoding") != want {
			t.Errorf("Accept-Encoding %q gets %q", accept, w.Header().Get("Content-Encoding"))
		}
	}
}
