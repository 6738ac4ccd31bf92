package app_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"diwan/internal/app/apptest"
)

// lawDeskAddresses are all addresses of the gazette's desk.
var lawDeskAddresses = []struct{ method, path string }{
	{"GET", ""}, {"POST", "/import"}, {"GET", "/imports/x"}, {"POST", "/imports/x/again"}, {"GET", "/queue"}, {"GET", "/correct?piece=x~art_1"}, {"POST", "/correct"},
	{"POST", "/pages/x/1/checked"}, {"GET", "/operations"}, {"GET", "/operations/x"}, {"POST", "/operations/x"}, {"GET", "/differences"}, {"GET", "/differences.csv"},
	{"GET", "/confirm"}, {"GET", "/confirm/x"}, {"POST", "/confirm/x"},
}

// The desk of the gazette is for stewards and for editors of all administrations;
// an editor of one has no say in the country's law, other sites can't act there,
// and nothing changes by a link.
func TestWhoWorksAtTheGazette(t *testing.T) {
	a := apptest.Open(t)
	body := a.Catalogue.Snapshot().Administrations[0].ID
	public := anybody(t, a)
	steward, commission := officer(t, a, "steward-x", "", "steward"), officer(t, a, "commission-x", "", "commission")
	all, one := officer(t, a, "editor-all", "", "editor"), officer(t, a, "one-only", body, "editor")
	for _, at := range lawDeskAddresses {
		path := "/fr/office/gazette" + at.path
		send := func(k *asker, method string, header ...string) int {
			return k.do(method, path, strings.NewReader(""), append([]string{"Content-Type", "application/x-www-form-urlencoded"}, header...)...).Code
		}
		nobody := http.StatusSeeOther
		if at.method == "POST" {
			nobody = http.StatusUnauthorized
		}
		if got := send(public, at.method); got != nobody {
			t.Errorf("%s %s by nobody: %d", at.method, path, got)
		}
		for name, k := range map[string]*asker{"the commission": commission, "an editor of one administration": one} {
			if got := send(k, at.method); got != http.StatusForbidden {
				t.Errorf("%s %s by %s: %d", at.method, path, name, got)
			}
		}
		for name, k := range map[string]*asker{"a steward": steward, "an editor of all": all} {
			if got := send(k, at.method); got == http.StatusForbidden || got == http.StatusUnauthorized || got >= 500 {
				t.Errorf("%s %s by %s: %d", at.method, path, name, got)
			}
		}
		if at.method == "POST" {
			for _, h := range [][]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}} {
				if got := send(all, "POST", h...); got != http.StatusForbidden {
					t.Errorf("POST %s from another site: %d", path, got)
				}
			}
		}
	}
}

// What an officer uploads is named as what it is, wherever its name came from.
func TestUploadNames(t *testing.T) {
	a := apptest.Open(t)
	k := officer(t, a, "editor-all", "", "editor")
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	w, err := form.CreateFormFile("file", "..\\..\\=cmd|'/c calc'!A1\u202efdp.txt")
	if err == nil {
		_, err = io.WriteString(w, "Décret n° 2-26-778 du 16 septembre 2026 relatif aux puits\n\nDÉCRÈTE :\n\nArticle premier\nLes puits sont couverts.\n")
	}
	if err == nil {
		err = form.WriteField("title", "Décret\u202e\x00 sur les puits")
	}
	if err == nil {
		err = form.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	res := k.do("POST", "/fr/office/gazette/import", &b, "Content-Type", form.FormDataContentType())
	if res.Code != http.StatusSeeOther {
		t.Fatalf("%d %.300s", res.Code, res.Body)
	}
	page := k.do("GET", res.Header().Get("Location"), nil)
	if s := page.Body.String(); page.Code != 200 || strings.ContainsAny(s, "\u202e\x00") || strings.Contains(s, `..\`) {
		t.Errorf("%d, or the page shows what it should not", page.Code)
	}
}

// Strangers who ask for mail can neither fill a mailbox by writing its address in
// other letters, nor put words of their own into what we send.
func TestMailsThatStrangersAskFor(t *testing.T) {
	a := apptest.Open(t)
	base := apptest.Serve(t, a)
	a.Site.BaseURL = base
	for _, address := range []string{"reader@example.org", "Reader@example.org", "READER@example.org", "reader@EXAMPLE.org", "rEader@example.org"} {
		if status, _ := post(t, base+"/fr/law/follow", url.Values{"q": {"fontaines http://evil.example/<b>"}, "channel": {"mail"}, "address": {address}}); status != http.StatusOK {
			t.Fatalf("%s: %d", address, status)
		}
	}
	for _, address := range []string{"x@[127.0.0.1]", "x@example.org\r\nBcc: y@example.org", "x@localhost", "a b@example.org"} {
		if status, _ := post(t, base+"/fr/law/follow", url.Values{"q": {"fontaines"}, "channel": {"mail"}, "address": {address}}); status != http.StatusUnprocessableEntity {
			t.Errorf("%q: %d", address, status)
		}
	}
	got := mails(t, base, 3)
	if len(got.Items) != 3 {
		t.Errorf("%d mails went to one mailbox", len(got.Items))
	}
	for _, m := range got.Items {
		if strings.Contains(m.Text, "evil.example") || strings.Contains(m.Text, "<b>") || m.Unsubscribe != "" {
			t.Errorf("the mail says %q", m.Text)
		}
	}
}

// Nothing that is asked of the law's public addresses upsets the program.
func TestHostileQuestionsAboutTheLaw(t *testing.T) {
	a := apptest.Open(t)
	if err := a.UpdateLawSearch(t.Context()); err != nil {
		t.Fatal(err)
	}
	public := anybody(t, a)
	for _, v := range []string{"%00", "%ff%fe", "%E2%80%AE", "%0d%0aX:y", strings.Repeat("%28", 3000), strings.Repeat("a+NEAR/99+", 500), "%22", "NOT+NOT+NOT", "title%3A", "date%3A9999999999..1", "9999999999999999999999"} {
		for _, path := range []string{"/fr/law/search?q=", "/fr/law/feed.atom?q=", "/fr/law/feed.atom?work=", "/fr/law/follow?subject=", "/fr/law/browse?kind=", "/fr/law/browse?subject=", "/fr/law/browse?year=",
			"/fr/law/cited-by?work=", "/fr/law/cited-by.csv?work=", "/fr/law/compare?a=", "/fr/law/changes?page=", "/fr/law/issues/", "/fr/law/subjects/", "/fr/law/pages/x/", "/fr/law/images/x/",
			"/api/v1/law/search?q=", "/api/v1/law/search?q=a&work=", "/api/v1/law/works?subject=", "/api/v1/law/works/", "/api/v1/law/events?after=", "/api/v1/law/differences?a=", "/akn/", "/akn/ma/act/loi/2026/90-26/fra@", "/l/", "/eli/ma/loi/2026/"} {
			w := public.do("GET", path+v, nil)
			if w.Code >= 500 {
				t.Errorf("%s%.40s: %d", path, v, w.Code)
			}
			for name := range w.Header() {
				if name == "X" {
					t.Errorf("%s%.40s writes a header", path, v)
				}
			}
			if to := w.Header().Get("Location"); to != "" && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//")) {
				t.Errorf("%s%.40s sends people to %q", path, v, to)
			}
		}
	}
}

// A table that is opened in a spreadsheet runs nothing, whatever a text is called.
func TestNoFormulaInTables(t *testing.T) {
	a := apptest.Open(t)
	const title = "Loi n° 93-26 du 5 octobre 2026 relative aux canaux;=HYPERLINK(\"http://evil.example\") de la loi n° 90-26"
	data := []byte(title + "\n\nArticle premier\nVu la loi n° 90-26 relative aux fontaines publiques.\n\nArticle 2\nLes canaux sont tenus propres.\n")
	importFile(t, a, "canals.txt", data)
	w := anybody(t, a).do("GET", "/fr/law/cited-by.csv?work="+fountains, nil)
	if s := w.Body.String(); w.Code != 200 || !strings.Contains(s, "canaux") || strings.Contains(s, ";=") {
		t.Errorf("%d %s", w.Code, s)
	}
}

// A token that somebody made up leads nowhere, and upsets nothing.
func TestForgedTokens(t *testing.T) {
	a := apptest.Open(t)
	if err := a.UpdateLawSearch(t.Context()); err != nil {
		t.Fatal(err)
	}
	public := anybody(t, a)
	token := func(filters, at string) string {
		sum := sha256.Sum256([]byte(filters))
		return base64.RawURLEncoding.EncodeToString([]byte("1|" + hex.EncodeToString(sum[:6]) + "|" + at + "|x"))
	}
	for _, at := range []string{"-5", "9223372036854775807", "-9223372036854775808", "4611686018427387904"} {
		for _, c := range [][2]string{{"/api/v1/law/search?q=fontaines", "q=fontaines"}, {"/api/v1/law/cited-by/ma/act/loi/2026/90-26?", ""}, {"/api/v1/law/works?", ""}, {"/api/v1/law/works?changed_since=2020-01-01", "changed_since=2020-01-01"}} {
			if w := public.do("GET", c[0]+"&page_token="+token(c[1], at), nil); w.Code >= 500 {
				t.Errorf("%s at %s: %d %.200s", c[0], at, w.Code, w.Body)
			}
		}
	}
}
