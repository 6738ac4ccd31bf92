package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"diwan/internal/app"
	"diwan/internal/app/apptest"
	"diwan/internal/app/demogazette"
	"diwan/internal/gazette"
	"diwan/internal/gazette/extract"
	"diwan/internal/gov"
	"diwan/internal/webhook"
)

// fountains is the law of the invented gazette that the others amend.
const fountains = "/akn/ma/act/loi/2026/90-26"

func get(t *testing.T, address string) (int, string) {
	t.Helper()
	res, err := http.Get(address)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

func post(t *testing.T, address string, form url.Values) (int, string) {
	t.Helper()
	res, err := http.PostForm(address, form)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return res.StatusCode, string(b)
}

type caughtMail struct {
	Items []struct{ To, Subject, Text, Unsubscribe string }
}

// mails waits until the demonstration caught so many.
func mails(t *testing.T, base string, n int) caughtMail {
	t.Helper()
	var m caughtMail
	for range 300 {
		_, body := get(t, base+"/demo/mail")
		if err := json.Unmarshal([]byte(body), &m); err != nil {
			t.Fatal(err)
		}
		if len(m.Items) >= n {
			return m
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("%d mails were caught, %d were expected", len(m.Items), n)
	return m
}

func importFile(t *testing.T, a *app.App, name string, data []byte) gazette.ImportReport {
	t.Helper()
	report, err := a.Gazette.Import(context.Background(), []gazette.Input{{Name: name, Demo: true, Open: func() ([]byte, error) { return data, nil }}},
		gazette.ImportOptions{Actor: gov.Actor{ID: "test"}})
	if err != nil {
		t.Fatal(err)
	}
	if report.Failed > 0 {
		t.Fatalf("%+v", report.Notices)
	}
	return report
}

// tools skips a test that needs what reads scans, but never where it is meant to
// run.
func tools(t *testing.T) {
	t.Helper()
	found := extract.FindTools(context.Background())
	if missing := found.Packages(); len(missing) > 0 {
		if os.Getenv("CI") != "" {
			t.Fatalf("the scanned issue can't be read: install %s", strings.Join(missing, " "))
		}
		t.Skipf("the scanned issue is not read here: install %s", strings.Join(missing, " "))
	}
}

// What the demonstration is there to show: somebody follows a law; the scanned
// issue is read and becomes acts and articles; the law is there as at two days;
// the difference shows; the alert comes; a program is told too; and one request
// ends it.
func TestJourneyOfAScannedIssue(t *testing.T) {
	tools(t)
	a := apptest.Open(t)
	base := apptest.Serve(t, a)
	a.Site.BaseURL = base

	var told []byte
	hooked := make(chan []byte, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		hooked <- b
	}))
	defer receiver.Close()

	form := url.Values{"work": {fountains}, "channel": {"mail"}, "address": {"reader@example.org"}}
	if status, _ := post(t, base+"/fr/law/follow", form); status != http.StatusOK {
		t.Fatalf("following by mail: %d", status)
	}
	link := regexp.MustCompile(`http://\S+/law/follow/\S+`).FindString(mails(t, base, 1).Items[0].Text)
	if status, body := get(t, link); status != http.StatusOK || !strings.Contains(body, "/confirm") {
		t.Fatalf("%s: %d", link, status)
	}
	if status, _ := post(t, link+"/confirm", nil); status != http.StatusOK {
		t.Fatalf("confirming: %d", status)
	}
	if status, body := post(t, base+"/en/law/follow", url.Values{"citing": {fountains}, "channel": {"webhook"}, "address": {receiver.URL}}); status != http.StatusOK || !strings.Contains(body, "whsec_") {
		t.Fatalf("following by webhook: %d", status)
	}
	if told = <-hooked; !bytes.Contains(told, []byte("law.subscription.created")) {
		t.Fatalf("the receiver was sent %s first", told)
	}

	scan, ok := demogazette.PDF(demogazette.ToUpload)
	if !ok {
		t.Fatal("there is no scanned issue")
	}
	report := importFile(t, a, demogazette.ToUpload, scan)
	if report.Works != 3 || report.Articles < 5 {
		t.Errorf("the scanned issue became %d works with %d articles", report.Works, report.Articles)
	}
	_, before := get(t, base+fountains+"/ara@2026-09-03.txt")
	_, between := get(t, base+fountains+"/ara@2026-10-15.txt")
	_, after := get(t, base+fountains+"/ara@2026-11-12.txt")
	for day, text := range map[string]string{"3 September": before, "15 October": between, "12 November": after} {
		if !strings.Contains(text, "90.26") {
			t.Errorf("the law as at %s: %.200s", day, text)
		}
	}
	if !strings.Contains(between, "500") || strings.Contains(between, "800") || !strings.Contains(after, "800") {
		t.Error("the scanned amendment is not in the text, or too early")
	}
	if before == between {
		t.Error("the second issue changed nothing")
	}
	var diff struct {
		Same    int
		Changes []struct{ EID, Kind string }
	}
	_, body := get(t, base+"/api/v1/law/differences?a="+fountains+"/ara@2026-09-03&b="+fountains+"/ara@2026-11-12")
	if err := json.Unmarshal([]byte(body), &diff); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{}
	for _, c := range diff.Changes {
		kinds[c.EID] = c.Kind
	}
	for article, kind := range map[string]string{"art_4bis": "added", "art_5": "changed", "art_6": "changed", "art_7": "changed", "art_8": "changed"} {
		found := ""
		for eid, k := range kinds {
			if eid == article || strings.HasSuffix(eid, "__"+article) {
				found = k
			}
		}
		if found != kind {
			t.Errorf("%s is %q, not %q: %v", article, found, kind, kinds)
		}
	}

	m := mails(t, base, 2)
	if alert := m.Items[0]; !strings.Contains(alert.Text, fountains) || alert.Unsubscribe == "" || alert.To != "reader@example.org" {
		t.Errorf("the alert: %+v", alert)
	}
	if told = <-hooked; !bytes.Contains(told, []byte(`"type":"law.changed"`)) || !bytes.Contains(told, []byte(`"cited"`)) {
		t.Errorf("the receiver was told %s", told)
	}
	for _, query := range []string{"work=" + fountains, "citing=" + fountains, "q=fontaines"} {
		status, feed := get(t, base+"/fr/law/feed.atom?"+query)
		var parsed struct {
			Entries []struct {
				ID string `xml:"id"`
			} `xml:"entry"`
		}
		if err := xml.Unmarshal([]byte(feed), &parsed); status != http.StatusOK || err != nil || len(parsed.Entries) == 0 {
			t.Errorf("feed %s: %d, %v, %d entries", query, status, err, len(parsed.Entries))
		}
	}
	if status, _ := post(t, m.Items[0].Unsubscribe, url.Values{"List-Unsubscribe": {"One-Click"}}); status != http.StatusOK {
		t.Errorf("one request does not end the mails: %d", status)
	}
	if status, _ := get(t, link); status != http.StatusNotFound {
		t.Errorf("something is left of the subscription: %d", status)
	}
}

// The invented issues say what the code must make of them, in both languages and
// without reading a picture.
func TestDemoGazetteIsUnderstood(t *testing.T) {
	a := apptest.Open(t)
	for _, e := range demogazette.Editions {
		text, err := demogazette.Text(e.Name)
		if err != nil {
			t.Fatal(err)
		}
		if b, ok := demogazette.PDF(e.Name + ".pdf"); !ok || len(b) > 400<<10 {
			t.Errorf("%s: its file has %d bytes", e.Name, len(b))
		}
		if !e.Loaded {
			importFile(t, a, e.Name+".txt", text)
		}
	}
	h := a.Handler
	for address, wants := range map[string][]string{
		fountains + "/fra@2026-09-10.txt":          {"une fois par an", "trente jours", "500 dirhams", "registre sur papier"},
		fountains + "/fra@2026-10-22.txt":          {"tous les trois mois", "quinze jours", "500 dirhams", "handicap"},
		fountains + "/fra@2026-11-19.txt":          {"tous les trois mois", "800 dirhams"},
		"/akn/ma/act/decret/2026/2-26-903/fra.txt": {"deux fois par an"},
	} {
		rec := httptest.NewRecorder()
		h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, address, nil))
		for _, want := range wants {
			if !strings.Contains(rec.Body.String(), want) {
				t.Errorf("%s has no %q", address, want)
			}
		}
	}
	for work, state := range map[string]string{fountains: "amended", "/akn/ma/act/decret/2026/2-26-902": "repealed", "/akn/ma/act/decret/2026/2-26-903": "amended"} {
		works, err := a.Gazette.Works(t.Context(), []string{work})
		if err != nil || works[work] == nil {
			t.Fatalf("%s: %v", work, err)
		}
		if w := works[work]; string(w.Status.State) != state || !w.Demo || len(w.Status.Reasons) == 0 || w.Titles["ara"] == "" || w.Titles["fra"] == "" {
			t.Errorf("%s: %+v", work, w)
		}
	}
	if ops := operations(t, h, fountains); ops["manual"] != 0 || ops["applied"] != 10 {
		t.Errorf("amending clauses of the law: %v", ops)
	}
}

func operations(t *testing.T, h http.Handler, work string) map[string]int {
	t.Helper()
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/api/v1/law/operations"+strings.TrimPrefix(work, "/akn"), nil))
	var list struct{ Items []struct{ State string } }
	if err := json.Unmarshal(rec.Body.Bytes(), &list); err != nil {
		t.Fatalf("%v: %s", err, rec.Body)
	}
	out := map[string]int{}
	for _, o := range list.Items {
		out[o.State]++
	}
	return out
}

// A listener is told everything once it works again, and nothing twice.
func TestListenersAreToldAtLeastOnce(t *testing.T) {
	a := apptest.Open(t)
	var got []int64
	fail := true
	a.Gazette.OnChange("test", func(_ context.Context, events []gazette.Event) error {
		if fail {
			return webhook.ErrGone // any error
		}
		for _, e := range events {
			got = append(got, e.N)
		}
		return nil
	})
	if err := a.Gazette.Tell(t.Context()); err == nil {
		t.Error("the failure of a listener is not told")
	}
	fail = false
	for range 2 {
		if err := a.Gazette.Tell(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) == 0 {
		t.Fatal("it was told nothing")
	}
	for i, n := range got {
		if n != int64(i)+1 {
			t.Fatalf("it was told %v", got)
		}
	}
}

// A guest's document is there, labelled, and gone without a trace when it is
// removed; real and loaded texts can't be removed in this way.
func TestTrialDocuments(t *testing.T) {
	a := apptest.Open(t)
	call := func(method, address, body string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		a.Handler.ServeHTTP(rec, httptest.NewRequest(method, address, strings.NewReader(body)))
		return rec
	}
	const document = `{"title":"Note sur les bancs publics","text":"Article premier\nLes bancs publics sont peints en vert.\nArticle 2\nChacun peut s'y asseoir.","lang":"fr"}`
	rec := call(http.MethodPost, "/demo/documents", document)
	var added struct {
		ID    string
		Works []string
	}
	if err := json.Unmarshal(rec.Body.Bytes(), &added); err != nil || rec.Code != http.StatusOK || added.ID == "" || len(added.Works) == 0 {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	text := call(http.MethodGet, added.Works[0]+"/fra.txt", "")
	if !strings.Contains(text.Body.String(), "peints en vert") || !strings.Contains(text.Body.String(), "Document d") {
		t.Errorf("the document reads %d %s", text.Code, text.Body)
	}
	if again := call(http.MethodPost, "/demo/documents", document); again.Code != http.StatusOK {
		t.Errorf("the same document again: %d", again.Code)
	}
	if rec := call(http.MethodDelete, "/demo/documents/"+added.ID, ""); rec.Code != http.StatusNoContent {
		t.Errorf("removing it: %d %s", rec.Code, rec.Body)
	}
	for address, status := range map[string]int{added.Works[0] + "/fra.txt": http.StatusNotFound} {
		if rec := call(http.MethodGet, address, ""); rec.Code != status {
			t.Errorf("%s: %d", address, rec.Code)
		}
	}
	for _, body := range []string{"", "{}", `{"title":"x","text":"","lang":"fr"}`, `{"title":"x","text":"y","lang":"xx"}`} {
		if rec := call(http.MethodPost, "/demo/documents", body); rec.Code != http.StatusBadRequest && rec.Code != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", body, rec.Code)
		}
	}
	if rec := call(http.MethodDelete, "/demo/documents/none", ""); rec.Code != http.StatusNotFound {
		t.Errorf("removing what is not there: %d", rec.Code)
	}
}
