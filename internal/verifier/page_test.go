package verifier

import (
	"bytes"
	"context"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"diwan/country"
	"diwan/internal/gov"
	"diwan/internal/i18n"
	"diwan/internal/verifier/check"
	"diwan/protocol/openid4/vp"
	"io/fs"
)

// TestWords compares the languages with each other.
func TestWords(t *testing.T) {
	words, err := i18n.Load([]string{"ar", "fr", "zgh", "en"}, []fs.FS{Messages()})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range words.Check() {
		t.Error(f)
	}
	for _, x := range check.Reasons() {
		if !words.Has("ar", reasonWords[x]) || !words.Has("ar", "verify.reason."+string(x)) {
			t.Errorf("%s has no words", x)
		}
	}
}

// TestPages opens every page in every language, with what can be on it.
func TestPages(t *testing.T) {
	each(t, func(w *world) {
		if slow := w.site.Slow(); len(slow) > 0 {
			w.Logf("run by html/template itself: %v", slow)
		}
		w.standing["P-17"] = Standing{State: "revoked", Type: gov.Text{"fr": "Permis"}, Issuer: gov.Text{"ar": "x"}, From: gov.Date{Year: 2026, Month: 1, Day: 2}, Demonstration: true}
		pack, err := country.Load(country.Builtin())
		if err != nil {
			w.Fatal(err)
		}
		expired := w.permit(12, func(m map[string]any) { m["exp"] = w.hand.Now().Add(-time.Hour).Unix(); m["yes"] = true })
		for _, l := range pack.Country.Languages {
			at := "/" + string(l.Code)
			b := w.browser()
			get := func(path string, status int, want ...string) {
				w.Helper()
				rec := b.get(at + path)
				if rec.Code != status {
					w.Errorf("%s%s: %d", at, path, rec.Code)
				}
				for _, s := range want {
					if !strings.Contains(rec.Body.String(), s) {
						w.Errorf("%s%s lacks %q", at, path, s)
					}
				}
			}
			get("/verify", 200, `name="file"`, `value="permit-loan"`, `dir="`+l.Dir+`"`)
			get("/verify/code", 200, "data-hash", ScriptPath)
			get("/verify/P-17", 200, "is-bad")
			get("/verify/P-18", 404)
			get("/verify/%3Cscript%3E", 404)
			get("/verify?number=a%2Fb", 422)
			get("/verify/requests/none", 404)
			get("/verify/back/none", 403)
			for _, text := range []string{w.permitText, expired, "rubbish", "<script>alert(1)</script>~"} {
				rec := b.post(at+"/verify/code", url.Values{"text": {text}})
				if rec.Code != 200 || strings.Contains(rec.Body.String(), "<script>alert") {
					w.Errorf("%s: %d", at, rec.Code)
				}
				if good := text == w.permitText; good != strings.Contains(rec.Body.String(), "is-good") || good != !strings.Contains(rec.Body.String(), "is-bad") {
					w.Errorf("%s: the verdict on %.20s", at, text)
				}
			}
			where := b.begin(at, "bank-demo", "permit-loan", CrossDevice)
			get(strings.TrimPrefix(where, at), 200, `<svg class="qr" viewBox=`, "openid4vp://", "data-state")
			q := w.open(b.link(where))
			w.post(q, w.sealed(q, vp.Tokens{"permit": {w.show(w.permitText, q, nil, pathHolder, pathTitle)}}))
			get(strings.TrimPrefix(where, at), 200, "data-ready")
			if rec := b.post(where+"/result", nil); rec.Code != 200 || !strings.Contains(rec.Body.String(), "Salma EL MITAL") || !strings.Contains(rec.Body.String(), "is-good") {
				w.Errorf("%s: the result: %d", at, rec.Code)
			}
			if rec := b.post(where+"/result", nil); rec.Code != 200 || strings.Contains(rec.Body.String(), "Salma EL MITAL") {
				w.Errorf("%s: the result is told twice: %d", at, rec.Code)
			}
		}
	})
}

// browser keeps cookies.
type browser struct {
	*world
	jar []*http.Cookie
	who gov.Actor // signed in
}

func (w *world) browser() *browser { return &browser{world: w} }

func (b *browser) do(r *http.Request) *httptest.ResponseRecorder {
	for _, c := range b.jar {
		r.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	b.mux.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), whoKey{}, b.who)))
	b.jar = append(b.jar, rec.Result().Cookies()...)
	return rec
}

func (b *browser) get(path string) *httptest.ResponseRecorder {
	return b.do(httptest.NewRequest("GET", path, nil))
}

func (b *browser) post(path string, form url.Values) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", formType)
	return b.do(r)
}

// begin begins a request and returns its page.
func (b *browser) begin(at, verifier, template, flow string) string {
	b.Helper()
	rec := b.post(at+"/verify/ask", url.Values{"verifier": {verifier}, "template": {template}, "flow": {flow}})
	if rec.Code != http.StatusSeeOther {
		b.Fatalf("asking: %d", rec.Code)
	}
	return rec.Header().Get("Location")
}

var linkForm = regexp.MustCompile(`href="(openid4vp://[^"]+)"`)

// link finds the wallet's link on a page.
func (b *browser) link(page string) string {
	b.Helper()
	m := linkForm.FindStringSubmatch(b.get(page).Body.String())
	if m == nil {
		b.Fatalf("%s has no link", page)
	}
	return strings.ReplaceAll(m[1], "&amp;", "&")
}

// TestSession keeps an answer to the browser that began, and on the same device to the
// one that comes back with the code.
func TestSession(t *testing.T) {
	each(t, func(w *world) {
		mine, theirs := w.browser(), w.browser()
		theirs.begin("/fr", "bank-demo", "permit-loan", CrossDevice) // it has a cookie of its own
		where := mine.begin("/fr", "bank-demo", "permit-loan", SameDevice)
		q := w.open(mine.link(where))
		rec := w.post(q, w.sealed(q, vp.Tokens{"permit": {w.show(w.permitText, q, nil, pathHolder, pathTitle)}}))
		receipt, err := vp.ParseReceipt(rec.Body.Bytes())
		if err != nil {
			w.Fatal(err)
		}
		page, code, _ := strings.Cut(strings.TrimPrefix(receipt.RedirectURI, base), "#")
		for name, c := range map[string]struct {
			rec    *httptest.ResponseRecorder
			status int
		}{
			"page elsewhere":     {theirs.get(where), 404},
			"state elsewhere":    {theirs.get(where + "/state"), 404},
			"result elsewhere":   {theirs.post(where+"/result", nil), 404},
			"code elsewhere":     {theirs.post(page, url.Values{"text": {code}}), 403},
			"back elsewhere":     {theirs.get(page), 403},
			"nobody":             {w.browser().post(page, url.Values{"text": {code}}), 403},
			"without the code":   {mine.post(where+"/result", nil), 403},
			"with another code":  {mine.post(page, url.Values{"text": {"response_code=abc"}}), 403},
			"with an empty code": {mine.post(page, nil), 403},
		} {
			if c.rec.Code != c.status || strings.Contains(c.rec.Body.String(), "Salma") {
				w.Errorf("%s: %d", name, c.rec.Code)
			}
		}
		if body := mine.get(where + "/state").Body.String(); !strings.Contains(body, Fetched) {
			w.Errorf("the state tells %s", body)
		}
		if rec := mine.get(page); rec.Code != 200 {
			w.Errorf("back: %d", rec.Code)
		}
		if rec := mine.post(page, url.Values{"text": {code}}); rec.Code != 200 || !strings.Contains(rec.Body.String(), "Salma EL MITAL") {
			w.Errorf("with the code: %d", rec.Code)
		}
		for _, s := range []string{receipt.RedirectURI, "#" + code, code, strings.TrimPrefix(code, "response_code=")} {
			if responseCode(s) != strings.TrimPrefix(code, "response_code=") {
				w.Errorf("%q gives %q", s, responseCode(s))
			}
		}
		w.Demo = false
		if rec := mine.post("/fr/verify/ask", url.Values{"verifier": {"bank-demo"}, "template": {"permit-loan"}}); rec.Code != 403 {
			w.Errorf("asking without the demonstration: %d", rec.Code)
		}
	})
}

func TestUpload(t *testing.T) {
	each(t, func(w *world) {
		send := func(name string, content []byte) *httptest.ResponseRecorder {
			var b bytes.Buffer
			m := multipart.NewWriter(&b)
			f, err := m.CreateFormFile(name, "document.txt")
			if err == nil {
				_, err = f.Write(content)
			}
			if err == nil {
				err = m.Close()
			}
			if err != nil {
				w.Fatal(err)
			}
			return w.ask("POST", "/fr/verify/check", m.FormDataContentType(), b.String(), nil)
		}
		for name, c := range map[string]struct {
			rec    *httptest.ResponseRecorder
			status int
			want   string
		}{
			"document":       {send("file", []byte(w.permitText)), 200, "is-good"},
			"as text":        {send("text", []byte(w.permitText)), 200, "is-good"},
			"nothing":        {send("file", nil), 422, "role=\"alert\""},
			"rubbish":        {send("file", []byte("abc")), 200, "is-bad"},
			"no picture":     {send("file", []byte("\x89PNG\r\n\x1a\nabc")), 422, "role=\"alert\""},
			"PDF":            {send("file", []byte("%PDF-1.7")), 422, "role=\"alert\""},
			"too large":      {send("file", make([]byte, check.MaxFile+1)), 413, "role=\"alert\""},
			"other parts":    {send("x", []byte("y")), 422, "role=\"alert\""},
			"no form":        {w.ask("POST", "/fr/verify/check", "multipart/form-data; boundary=x", "y", nil), 422, ""},
			"form as pasted": {w.ask("POST", "/fr/verify/check", formType, url.Values{"text": {w.permitText}}.Encode(), nil), 200, "is-good"},
		} {
			if c.rec.Code != c.status || !strings.Contains(c.rec.Body.String(), c.want) {
				w.Errorf("%s: %d", name, c.rec.Code)
			}
		}
	})
}

func TestShort(t *testing.T) {
	each(t, func(w *world) {
		for accept, want := range map[string]string{"fr-FR,en;q=0.5": "/fr/verify/code", "": "/ar/verify/code", "zgh": "/zgh/verify/code"} {
			rec := w.ask("GET", "/v", "", "", map[string]string{"Accept-Language": accept})
			if rec.Code != http.StatusFound || rec.Header().Get("Location") != want {
				w.Errorf("%q: %d %s", accept, rec.Code, rec.Header().Get("Location"))
			}
		}
		rec := w.ask("GET", ScriptPath, "", "", nil)
		if rec.Code != 200 || !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/javascript") {
			w.Errorf("the script: %d", rec.Code)
		}
		if rec := w.ask("GET", "/fr/verify/kit", "", "", nil); rec.Code != 200 {
			w.Errorf("the kit: %d", rec.Code)
		} else if k, err := check.Import(rec.Body.Bytes(), check.Options{Now: w.hand.Now}); err != nil || len(k.Fingerprints()) != 1 {
			w.Errorf("the kit: %v", err)
		}
		if !slices.Contains([]int{200}, w.ask("GET", "/fr/verify?number=", "", "", nil).Code) {
			w.Error("an empty number")
		}
	})
}
