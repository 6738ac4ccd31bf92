package wallet

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"diwan/internal/web"
	"diwan/protocol/oauth"
)

// budget is what all scripts together may cost on the wire, each compressed for itself.
const budget = 60_000

func TestScriptsAreSmall(t *testing.T) {
	files := good(t)((&App{}).read()).(map[string][]byte)
	total := 0
	for n, b := range files {
		if path.Ext(n) == ".js" {
			total += len(web.Gzip(b, gzip.DefaultCompression))
		}
	}
	if total > budget {
		t.Errorf("the scripts take %d bytes, at most %d", total, budget)
	}
	t.Log("scripts:", total, "bytes")
}

// TestWords finds words that are missing, not used, or differ in what they have put in.
func TestWords(t *testing.T) {
	words := map[string]map[string]string{}
	for _, l := range []string{"ar", "fr", "zgh", "en"} {
		m := map[string]string{}
		if err := json.Unmarshal(good(t)(fs.ReadFile(appFiles, "app/words/"+l+".json")).([]byte), &m); err != nil {
			t.Fatal(err)
		}
		words[l] = m
	}
	holes := regexp.MustCompile(`\{\w+\}`)
	var source strings.Builder
	for n, b := range good(t)((&App{}).read()).(map[string][]byte) {
		if path.Ext(n) == ".js" {
			source.Write(b)
		}
	}
	for l, m := range words {
		for k, said := range words["ar"] {
			other, ok := m[k]
			switch {
			case !ok:
				t.Errorf("%s lacks %s", l, k)
			case other == "" && k != "review":
				t.Errorf("%s says nothing for %s", l, k)
			case l != "zgh" && !slices.Equal(slices.Sorted(slices.Values(holes.FindAllString(said, -1))), slices.Sorted(slices.Values(holes.FindAllString(other, -1)))):
				t.Errorf("%s: %s has other holes", l, k)
			}
		}
		if len(m) != len(words["ar"]) {
			t.Errorf("%s has %d words, Arabic %d", l, len(m), len(words["ar"]))
		}
		if strings.Count(m["months"], "|") != 11 {
			t.Errorf("%s has not twelve months", l)
		}
	}
	for l, machine := range map[string]bool{"ar": false, "fr": false, "zgh": true, "en": true} {
		if (words[l]["review"] != "") != machine {
			t.Errorf("%s: whether it is to be reviewed", l)
		}
	}
	built := []string{"error.", "reason.", "status.", "history.", "paper.", "protect.", "title", "noscript"}
	for _, k := range slices.Sorted(maps.Keys(words["ar"])) {
		if !strings.Contains(source.String(), `"`+k+`"`) && !slices.ContainsFunc(built, func(b string) bool { return strings.HasPrefix(k, b) }) {
			t.Errorf("nothing says %s", k)
		}
	}
	for _, m := range regexp.MustCompile(`\bt\("([a-z][a-z._]*[a-z])"`).FindAllStringSubmatch(source.String(), -1) {
		if words["ar"][m[1]] == "" && m[1] != "review" {
			t.Errorf("no words for %s", m[1])
		}
	}
}

func TestCommentsGo(t *testing.T) {
	for n, b := range good(t)((&App{}).read()).(map[string][]byte) {
		if path.Ext(n) == ".js" && (bytes.Contains(b, []byte("/**")) || regexp.MustCompile(`(?m)^\s*//`).Match(b)) {
			t.Errorf("%s still has comments", n)
		}
	}
}

// get asks the world and returns the answer with its body.
func (w *world) get(t *testing.T, address string, cookies ...*http.Cookie) (*http.Response, string) {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	return w.do(t, r, cookies...)
}

func (w *world) do(t *testing.T, r *http.Request, cookies ...*http.Cookie) (*http.Response, string) {
	t.Helper()
	for _, c := range cookies {
		r.AddCookie(c)
	}
	rec := httptest.NewRecorder()
	w.server.Config.Handler.ServeHTTP(rec, r)
	b := good(t)(io.ReadAll(rec.Body)).([]byte)
	return rec.Result(), string(b)
}

func TestFiles(t *testing.T) {
	w := newWorld(t)
	for lang, dir := range map[string]string{"ar": "rtl", "fr": "ltr", "zgh": "ltr", "en": "ltr"} {
		r, page := w.get(t, "/wallet/?lang="+lang)
		if r.StatusCode != 200 || !strings.Contains(page, `<html lang="`+lang+`" dir="`+dir+`"`) || strings.Contains(page, "<script>") {
			t.Error(lang, r.StatusCode, page)
		}
		if p := r.Header.Get("Content-Security-Policy"); strings.Contains(p, "unsafe") || !strings.Contains(p, "require-trusted-types-for 'script'") {
			t.Error(p)
		}
		r, text := w.get(t, "/wallet/manifest."+lang+".webmanifest")
		var m map[string]any
		if err := json.Unmarshal([]byte(text), &m); err != nil || m["dir"] != dir || m["scope"] != "/wallet/" || r.Header.Get("Content-Type") != "application/manifest+json" {
			t.Error(lang, err, text)
		}
		for _, a := range regexp.MustCompile(`(?:href|src)="([^"]+)"`).FindAllStringSubmatch(page, -1) {
			if r, _ := w.get(t, a[1]); r.StatusCode != 200 {
				t.Error(a[1], r.StatusCode)
			}
		}
	}
	_, worker := w.get(t, "/wallet/sw.js")
	list := regexp.MustCompile(`files = (\[.*\]);`).FindStringSubmatch(worker)
	var files []string
	if err := json.Unmarshal([]byte(list[1]), &files); err != nil || len(files) < 40 {
		t.Fatal(err, len(files))
	}
	for _, f := range files {
		if r, _ := w.get(t, f); r.StatusCode != 200 {
			t.Error(f, r.StatusCode)
		}
	}
	r, _ := w.get(t, w.app.under()+"main.js")
	if !strings.Contains(r.Header.Get("Cache-Control"), "immutable") || r.Header.Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Error(r.Header)
	}
	for _, f := range []string{"/wallet/v/0123/main.js", w.app.under() + "sw.js", w.app.under() + "index.html", w.app.under() + "nothing.js", "/wallet/other"} {
		if r, _ := w.get(t, f); r.StatusCode != http.StatusNotFound {
			t.Error(f, r.StatusCode)
		}
	}
	r, text := w.get(t, "/wallet/config.json")
	var c struct {
		Issuer  string
		Anchors []string
		SignIn  map[string]string
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil || c.Issuer != w.base || len(c.Anchors) != 1 || c.SignIn["fr"] != "/fr/me/wallets/open" {
		t.Error(r.StatusCode, err, text)
	}
}

var signedIn = &http.Cookie{Name: "who", Value: "salma"}

func TestClocks(t *testing.T) {
	zone := good(t)(time.LoadLocation("Africa/Casablanca")).(*time.Location)
	now := time.Date(2024, 3, 20, 12, 0, 0, 0, time.UTC) // in Ramadan, when the clocks stand back
	list := clocks(now, zone)
	for _, at := range []time.Time{now, now.AddDate(0, 3, 0), now.AddDate(-10, 0, 0), now.AddDate(1, 0, 5)} {
		_, want := at.In(zone).Zone()
		got := int64(-1)
		for _, c := range list {
			if c[0] <= at.Unix() {
				got = c[1]
			}
		}
		if got != int64(want) {
			t.Error(at, got, want)
		}
	}
	if l := clocks(now, time.UTC); len(l) != 1 || l[0][1] != 0 {
		t.Error(l)
	}
}

func TestDevices(t *testing.T) {
	w := newWorld(t)
	key, other := newKey(t), newKey(t)
	post := func(path, body string, proof oauth.DPoP, cookies ...*http.Cookie) (int, map[string]any) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, path, strings.NewReader(body))
		if proof.Key != nil {
			if proof.Now.IsZero() {
				proof.Now = time.Now()
			}
			if proof.Method == "" {
				proof.Method = "POST"
			}
			if proof.URL == "" {
				proof.URL = w.base + path
			}
			r.Header.Set("DPoP", good(t)(proof.Make()).(string))
		}
		res, text := w.do(t, r, cookies...)
		m := map[string]any{}
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(path, res.StatusCode, text)
		}
		return res.StatusCode, m
	}
	const at, name = "/wallet/api/devices", `{"name":"My phone"}`
	proof := oauth.DPoP{Key: key}
	if s, m := post(at, name, proof); s != http.StatusUnauthorized {
		t.Error("nobody is signed in", s, m)
	}
	for what, p := range map[string]oauth.DPoP{"no proof": {}, "stale": {Key: key, Now: time.Now().Add(-time.Hour)}, "to come": {Key: key, Now: time.Now().Add(time.Hour)},
		"another address": {Key: key, URL: w.base + "/issue/token"}, "another method": {Key: key, Method: "GET"}} {
		if s, m := post(at, name, p, signedIn); s != http.StatusBadRequest && s != http.StatusUnprocessableEntity {
			t.Error(what, s, m)
		}
	}
	for _, body := range []string{"", "{", `{"name":""}`, `{"name":"  "}`, `{"name":"a","name":"b"}`, `{"name":"a\u0000b"}`, `{"name":"` + strings.Repeat("x", 81) + `"}`, `{"name":"` + strings.Repeat("x", 9000) + `"}`} {
		if s, m := post(at, body, proof, signedIn); s/100 != 4 {
			t.Errorf("%.40s: %d %v", body, s, m)
		}
	}
	s, m := post(at, name, proof, signedIn)
	if s != 200 || m["attestation"] == "" || m["id"] == "" {
		t.Fatal(s, m)
	}
	id := m["id"].(string)
	renew := at + "/" + id + "/attestation"
	if s, m := post(renew, "{}", proof); s != 200 || m["attestation"] == "" {
		t.Error("renewed without a session", s, m)
	}
	if s, m := post(renew, "{}", oauth.DPoP{Key: other, URL: w.base + at}); s/100 != 4 {
		t.Error(s, m)
	}
	if s, m := post(at+"/nothing/attestation", "{}", proof); s != http.StatusNotFound {
		t.Error(s, m)
	}
	for _, lang := range []string{"ar", "fr", "zgh", "en"} {
		if r, page := w.get(t, "/"+lang+"/me/wallets", signedIn); r.StatusCode != 200 || !strings.Contains(page, "My phone") || !strings.Contains(page, "/me/wallets/"+id+"/revoke") {
			t.Error(lang, r.StatusCode)
		}
	}
	r, _ := w.do(t, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/fr/me/wallets/"+id+"/revoke", nil), signedIn)
	if r.StatusCode != http.StatusSeeOther {
		t.Error(r.StatusCode)
	}
	if s, m := post(renew, "{}", proof); s != http.StatusNotFound {
		t.Error("a revoked device is vouched for", s, m)
	}
	if r, page := w.get(t, "/fr/me/wallets?revoked=1", signedIn); r.StatusCode != 200 || strings.Contains(page, "/revoke") {
		t.Error(r.StatusCode)
	}
	if r, _ := w.get(t, "/fr/me/wallets/open", signedIn); r.Header.Get("Location") != "/wallet/#/device" {
		t.Error(r.Header)
	}
}
