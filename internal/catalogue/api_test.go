package catalogue

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"diwan/internal/catalogue/cpsv"
	"diwan/internal/gov"
	"diwan/internal/web"
)

func folders() []fs.FS { return []fs.FS{web.Messages(), Messages(), MessagesAPI()} }

// TestAPI asks one interface, because filling a catalogue takes a while.
func TestAPI(t *testing.T) {
	w := newAPIWorld(t)
	t.Run("pages through everything", func(t *testing.T) { checkAPIPagesThroughEverything(t, w) })
	t.Run("filters", func(t *testing.T) { checkAPIFilters(t, w) })
	t.Run("refuses what is wrong", func(t *testing.T) { checkAPIRefusesWhatIsWrong(t, w) })
	t.Run("harmless queries", func(t *testing.T) { checkAPIHarmlessQueries(t, w) })
	t.Run("methods and headers", func(t *testing.T) { checkAPIMethodsAndHeaders(t, w) })
	t.Run("shows no drafts", func(t *testing.T) { checkAPIShowsNoDrafts(t, w) })
	t.Run("export comes back", func(t *testing.T) { checkAPIExportComesBack(t, w) })
}

type listed struct {
	Items []map[string]any `json:"items"`
	Total int              `json:"total"`
	Next  string           `json:"next_page_token"`
}

func (w *apiWorld) list(t *testing.T, path string) listed {
	t.Helper()
	rec := w.do("GET", path)
	if rec.Code != 200 {
		t.Fatalf("%s: %d %s", path, rec.Code, rec.Body)
	}
	var l listed
	if err := json.Unmarshal(rec.Body.Bytes(), &l); err != nil {
		t.Fatal(err)
	}
	return l
}

// problemOf reads the answer as a problem and checks what every problem has.
func problemOf(t *testing.T, path string, status int, body []byte, contentType string) (code string, fields []string) {
	t.Helper()
	var p struct {
		Type, Title, Code, Detail string
		Status                    int
		Errors                    []struct{ Path, Code, Detail string }
	}
	if err := json.Unmarshal(body, &p); err != nil {
		t.Fatalf("%s: %v in %s", path, err, body)
	}
	if contentType != "application/problem+json" || p.Status != status || p.Title == "" || p.Type == "" || p.Detail == "" || strings.HasPrefix(p.Detail, "[") {
		t.Errorf("%s: %s %s", path, contentType, body)
	}
	for _, f := range p.Errors {
		fields = append(fields, f.Path+" "+f.Code)
		if f.Detail == "" || strings.Contains(f.Detail, "[") || strings.Contains(f.Detail, "{") {
			t.Errorf("%s: the fault %s is said as %q", path, f.Code, f.Detail)
		}
	}
	return p.Code, fields
}

func checkAPIPagesThroughEverything(t *testing.T, w *apiWorld) {
	for _, path := range []string{"/api/v1/procedures", "/api/v1/administrations", "/api/v1/services", "/api/v1/themes", "/api/v1/life-events"} {
		t.Run(path, func(t *testing.T) {
			seen, token, last := map[string]bool{}, "", ""
			for range 1000 {
				l := w.list(t, path+"?page_size=7&page_token="+token)
				for _, x := range l.Items {
					id := x["id"].(string)
					if seen[id] || id <= last {
						t.Fatalf("%s comes twice or out of order", id)
					}
					seen[id], last = true, id
				}
				if token = l.Next; token == "" {
					if len(seen) != l.Total || l.Total == 0 {
						t.Errorf("saw %d of %d", len(seen), l.Total)
					}
					return
				}
			}
			t.Fatal("the list does not end")
		})
	}
}

func checkAPIFilters(t *testing.T, w *apiWorld) {
	s := w.c.Snapshot()
	theme, body := s.Themes[0].ID, s.Procedures[0].Competent
	if l := w.list(t, "/api/v1/procedures?theme="+theme+"&page_size=200"); l.Total != len(s.InTheme(theme)) {
		t.Errorf("theme: %d, want %d", l.Total, len(s.InTheme(theme)))
	}
	if l := w.list(t, "/api/v1/procedures?administration="+body); l.Total != len(s.Of(body)) {
		t.Errorf("administration: %d, want %d", l.Total, len(s.Of(body)))
	}
	l := w.list(t, "/api/v1/procedures?q=passeport&lang=fr&page_size=3")
	if len(l.Items) == 0 || l.Items[0]["title_lang"] != "fr" || !strings.Contains(strings.ToLower(l.Items[0]["title"].(string)), "passeport") {
		t.Errorf("q: %v", l.Items)
	}
	if l.Next != "" {
		more := w.list(t, "/api/v1/procedures?q=passeport&lang=fr&page_size=3&page_token="+l.Next)
		if len(more.Items) == 0 || more.Items[0]["id"] == l.Items[0]["id"] {
			t.Errorf("the second page of a search: %v", more.Items)
		}
	}
	found := w.list(t, "/api/v1/search?q=passeport&lang=fr&page_size=150")
	if len(found.Items) == 0 || found.Items[0]["kind"] != "procedure" || !strings.HasPrefix(found.Items[0]["url"].(string), "https://portal.example/fr/procedures/") {
		t.Errorf("search: %v", found.Items)
	}
}

func checkAPIRefusesWhatIsWrong(t *testing.T, w *apiWorld) {
	other := w.list(t, "/api/v1/procedures?page_size=2").Next
	for _, c := range []struct {
		path   string
		status int
		code   string
		fields string
	}{
		{"/api/v1/procedures?lang=xx", 400, "api.parameters", "lang api.lang"},
		{"/api/v1/procedures?theme=nowhere&administration=nobody&page_size=0", 400, "api.parameters", "theme theme.unknown|administration administration.unknown|page_size api.page_size"},
		{"/api/v1/procedures?page_size=201", 400, "api.parameters", "page_size api.page_size"},
		{"/api/v1/procedures?page_token=abc", 400, "api.parameters", "page_token api.page_token"},
		{"/api/v1/procedures?free=%zz", 400, "api.parameters", "query api.query_string"},
		{"/api/v1/administrations?page_token=" + other, 400, "api.parameters", "page_token api.page_token_other"},
		{"/api/v1/administrations?kind=x&region=y", 400, "api.parameters", "kind kind.unknown|region region.unknown"},
		{"/api/v1/life-events?kind=x", 400, "api.parameters", "kind api.choice"},
		{"/api/v1/search?q=a&kind=x&lang=q", 400, "api.parameters", "lang api.lang|kind api.choice"},
		{"/api/v1/services?procedure=none", 400, "api.parameters", "procedure procedure.unknown"},
		{"/api/v1/procedures/none", 404, "procedure.not_found", ""},
		{"/api/v1/procedures/none/versions/1", 404, "version.not_found", ""},
		{"/api/v1/procedures/none/versions/01", 404, "version.not_found", ""},
		{"/api/v1/procedures/none/versions/-1", 404, "version.not_found", ""},
		{"/api/v1/procedures/none/versions/99999999999999999999", 404, "version.not_found", ""},
		{"/api/v1/administrations/none", 404, "administration.not_found", ""},
		{"/api/v1/services/none", 404, "service.not_found", ""},
		{"/api/v1/themes/none", 404, "theme.not_found", ""},
		{"/api/v1/life-events/none", 404, "life_event.not_found", ""},
		{"/api/v1/nothing", 404, "api.not_found", ""},
		{"/api/", 404, "api.not_found", ""},
		{"/api/v1/procedures/", 404, "api.not_found", ""},
	} {
		for _, l := range []string{"ar", "fr", "zgh", "en"} {
			rec := w.do("GET", c.path, "Accept", "text/html", "Accept-Language", l)
			code, fields := problemOf(t, c.path, c.status, rec.Body.Bytes(), rec.Header().Get("Content-Type"))
			if rec.Code != c.status || code != c.code || strings.Join(fields, "|") != c.fields {
				t.Errorf("%s: %d %s %v", c.path, rec.Code, code, fields)
			}
			if rec.Header().Get("Content-Language") != l || rec.Header().Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s: headers %v", c.path, rec.Header())
			}
		}
	}
}

func checkAPIHarmlessQueries(t *testing.T, w *apiWorld) {
	for _, q := range []string{"", strings.Repeat("a", 30_000), "\u202egnp.exe\u202c", "\x00\x01\x02", "\xff\xfe", "=cmd|' /C calc'!A0", strings.Repeat("( ", 5000)} {
		for _, path := range []string{"/api/v1/search", "/api/v1/procedures"} {
			if rec := w.do("GET", path+"?q="+url.QueryEscape(q)); rec.Code != 200 {
				t.Errorf("%s with %.20q: %d %s", path, q, rec.Code, rec.Body)
			}
		}
	}
}

func checkAPIMethodsAndHeaders(t *testing.T, w *apiWorld) {
	for _, r := range w.api.routes() {
		path := concrete(w.c, r.path)
		first := w.do("GET", path)
		tag := first.Header().Get("ETag")
		if first.Code != 200 || tag == "" || first.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("GET %s: %d %v", path, first.Code, first.Header())
		}
		if rec := w.do("GET", path, "If-None-Match", tag); rec.Code != http.StatusNotModified || rec.Body.Len() > 0 {
			t.Errorf("GET %s again: %d", path, rec.Code)
		}
		if rec := w.do("HEAD", path); rec.Code != 200 || rec.Body.Len() > 0 {
			t.Errorf("HEAD %s: %d with %d bytes", path, rec.Code, rec.Body.Len())
		}
		packed := w.do("GET", path, "Accept-Encoding", "gzip")
		z, err := gzip.NewReader(packed.Body)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if b, err := io.ReadAll(z); err != nil || !bytes.Equal(b, first.Body.Bytes()) {
			t.Errorf("%s compressed is not the same: %v", path, err)
		}
		pre := w.do("OPTIONS", path, "Origin", "https://other.example", "Access-Control-Request-Method", "GET")
		if pre.Code != http.StatusNoContent || pre.Header().Get("Access-Control-Allow-Methods") != "GET, HEAD, OPTIONS" || pre.Header().Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("OPTIONS %s: %d %v", path, pre.Code, pre.Header())
		}
		for _, m := range []string{"POST", "PUT", "DELETE", "PATCH"} {
			rec := w.do(m, path)
			code, _ := problemOf(t, path, 405, rec.Body.Bytes(), rec.Header().Get("Content-Type"))
			if rec.Code != 405 || code != "api.method" || rec.Header().Get("Allow") != "GET, HEAD, OPTIONS" {
				t.Errorf("%s %s: %d %s", m, path, rec.Code, code)
			}
		}
	}
}

// concrete fills a route's placeholders with things that exist.
func concrete(c *Catalogue, path string) string {
	s := c.Snapshot()
	id := s.Procedures[0].ID
	switch {
	case strings.Contains(path, "administrations"):
		id = s.Administrations[0].ID
	case strings.Contains(path, "services"):
		id = s.Services[0].ID
	case strings.Contains(path, "themes"):
		id = s.Themes[0].ID
	case strings.Contains(path, "life-events"):
		id = s.LifeEvents[0].ID
	}
	return strings.NewReplacer("{id}", id, "{n}", "1").Replace(path)
}

// Drafts are never shown, and what was public stays to be read.
func checkAPIShowsNoDrafts(t *testing.T, w *apiWorld) {
	ctx := t.Context()
	p := cloneProcedure(w.c.Snapshot().Procedures[0].Procedure)
	p.Name["fr"] = "Secret"
	editor := gov.Actor{ID: "e", Roles: []gov.Role{gov.RoleEditor}}
	v, err := w.c.Save(ctx, editor, p, 1)
	if err != nil {
		t.Fatal(err)
	}
	if rec := w.do("GET", "/api/v1/procedures/"+p.ID+"/versions/2"); rec.Code != 404 || v.Number != 2 {
		t.Errorf("the draft answers %d", rec.Code)
	}
	if rec := w.do("GET", "/api/v1/procedures/"+p.ID); strings.Contains(rec.Body.String(), "Secret") {
		t.Error("the draft is shown")
	}
}

func checkAPIExportComesBack(t *testing.T, w *apiWorld) {
	for path, format := range map[string]string{"/api/v1/catalogue.jsonld": cpsv.JSONLD, "/api/v1/catalogue.ttl": cpsv.Turtle} {
		rec := w.do("GET", path)
		c, err := cpsv.Import(rec.Body, format)
		if err != nil || len(c.Procedures) != len(w.c.Snapshot().Procedures) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if rec := w.do("GET", "/api/v1/catalogue", "Accept", "text/turtle"); !strings.HasPrefix(rec.Header().Get("Content-Type"), "text/turtle") {
		t.Errorf("Accept: text/turtle gives %s", rec.Header().Get("Content-Type"))
	}
}

func FuzzPageToken(f *testing.F) {
	f.Add(pageToken{1, "a-b", 0, "0123456789ab"}.String())
	f.Add("")
	f.Add("MXwwfDB8fA")
	f.Fuzz(func(t *testing.T, s string) {
		tok, ok := parsePageToken(s)
		if ok && (tok.String() != s || tok.offset < 0 || tok.offset > maxTokenOffset) {
			t.Errorf("%q gives %+v", s, tok)
		}
	})
}

func TestMessagesAPIComplete(t *testing.T) {
	var first map[string]string
	for _, l := range []string{"ar", "fr", "zgh", "en"} {
		b, err := os.ReadFile("messages-api/" + l + ".json")
		if err != nil {
			t.Fatal(err)
		}
		var m map[string]string
		if err := json.Unmarshal(b, &m); err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = m
		}
		if len(m) != len(first) {
			t.Errorf("%s has %d messages, the first language %d", l, len(m), len(first))
		}
	}
}
