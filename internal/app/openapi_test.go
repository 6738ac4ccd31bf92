package app_test

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"diwan/internal/app/apptest"
)

// One document describes the whole interface, and the law answers as it says:
// good requests and bad ones.
func TestDocumentDescribesTheLaw(t *testing.T) {
	a := apptest.Open(t)
	if err := a.UpdateLawSearch(t.Context()); err != nil {
		t.Fatal(err)
	}
	ask := func(address string) *httptest.ResponseRecorder {
		rec := httptest.NewRecorder()
		a.Handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, address, nil))
		return rec
	}
	doc, err := openapi3.NewLoader().LoadFromData(ask("/api/openapi.json").Body.Bytes())
	if err == nil {
		err = doc.Validate(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	if doc.Paths.Value("/api/v1/procedures") == nil {
		t.Error("the catalogue is not described any more")
	}
	const law = "ma/act/loi/2026/90-26"
	asked := map[string]bool{}
	for _, c := range []struct {
		path, address string
		status        int
	}{
		{"works", "works", 200}, {"works", "works?kind=loi&year=2026&state=amended&number=90-26", 200}, {"works", "works?changed_since=2020-01-01&page_size=2", 200},
		{"works", "works?page_size=0&state=x&changed_since=soon&page_token=x", 400}, {"works/{path}", "works/" + law, 200}, {"works/{path}", "works/ma/act/loi/1900/1-00", 404},
		{"works/{path}", "works/%00", 404}, {"expressions/{path}", "expressions/" + law + "/fra@2026-10-22", 200}, {"expressions/{path}", "expressions/" + law + "?at=2026-10-15&lang=ar", 200},
		{"expressions/{path}", "expressions/" + law + "?at=x", 400}, {"links/{path}", "links/ma/act/decret/2026/2-26-902", 200}, {"cited-by/{path}", "cited-by/" + law + "?page_size=1", 200},
		{"cited-by/{path}", "cited-by/" + law + "?relation=x", 400}, {"operations/{path}", "operations/" + law, 200}, {"operations/{path}", "operations/ma/act/loi/2026/91-26?role=source", 200},
		{"issues", "issues", 200}, {"issues", "issues?year=2026", 200}, {"issues/{path}", "issues/ma/officialGazette/generale/2026/9001", 200}, {"issues/{path}", "issues/ma/officialGazette/generale/2026/1", 404},
		{"events", "events?after=0&page_size=3", 200}, {"events", "events?after=-1", 400},
		{"search", "search?q=fontaines&lang=fr&page_size=2", 200}, {"search", "search?q=90-26", 200}, {"search", "search?q=%28%28&as_at=x&sort=x&page_size=0", 400}, {"search", "search?q=%ff%00", 200},
		{"differences", "differences?a=/akn/" + law + "/fra@2026-09-10&b=/akn/" + law + "/fra@2026-10-22", 200}, {"differences", "differences?a=x", 400},
		{"export/texts.jsonl", "export/texts.jsonl", 200}, {"export/akn.tar.gz", "export/akn.tar.gz", 200}, {"export/citations.csv", "export/citations.csv", 200}, {"export/citations.nt", "export/citations.nt", 200},
	} {
		item := doc.Paths.Value("/api/v1/law/" + c.path)
		if item == nil {
			t.Errorf("%s is not described", c.path)
			continue
		}
		asked["/api/v1/law/"+c.path] = true
		rec := ask("/api/v1/law/" + c.address)
		if rec.Code != c.status {
			t.Errorf("%s: %d, not %d: %.300s", c.address, rec.Code, c.status, rec.Body)
			continue
		}
		answer := item.Get.Responses.Status(rec.Code)
		media, _, _ := strings.Cut(rec.Header().Get("Content-Type"), ";")
		if answer == nil || answer.Value.Content[media] == nil {
			t.Errorf("%s: an answer %d in %s is not described", c.address, rec.Code, media)
			continue
		}
		if strings.HasSuffix(media, "json") {
			var v any
			if err := json.Unmarshal(rec.Body.Bytes(), &v); err != nil {
				t.Fatal(err)
			}
			if err := answer.Value.Content[media].Schema.Value.VisitJSON(v); err != nil {
				t.Errorf("%s: %.600s", c.address, err)
			}
		}
	}
	for path := range doc.Paths.Map() {
		if strings.HasPrefix(path, "/api/v1/law/") && !asked[path] {
			t.Errorf("%s is described and was not asked", path)
		}
	}
}

// Page by page a harvest brings every work once, by address and by change.
func TestHarvestIsComplete(t *testing.T) {
	a := apptest.Open(t)
	for _, filter := range []string{"", "&changed_since=2020-01-01"} {
		seen, token := map[string]bool{}, ""
		total := 0
		for range 50 {
			address := "/api/v1/law/works?page_size=2" + filter
			if token != "" {
				address += "&page_token=" + token
			}
			rec := httptest.NewRecorder()
			a.Handler.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, address, nil))
			var page struct {
				Items []struct{ Work string }
				Total int
				Next  string `json:"next_page_token"`
			}
			if err := json.Unmarshal(rec.Body.Bytes(), &page); err != nil || rec.Code != http.StatusOK {
				t.Fatalf("%d %v", rec.Code, err)
			}
			for _, w := range page.Items {
				if seen[w.Work] {
					t.Errorf("%s came twice", w.Work)
				}
				seen[w.Work] = true
			}
			total, token = page.Total, page.Next
			if token == "" {
				break
			}
		}
		if len(seen) != total || total < 6 {
			t.Errorf("%d of %d works came with %q", len(seen), total, filter)
		}
	}
}

var triple = regexp.MustCompile(`^<[^<>"{}|^\x60\\\s]+> <[^<>\s]+> (<[^<>"{}|^\x60\\\s]+>|"([^"\\\n]|\\.)*"(@[a-z]+)?) \.$`)

// What is exported can be read by those who did not write it.
func TestExportsAreWellFormed(t *testing.T) {
	a := apptest.Open(t)
	ask := func(name string) []byte {
		r := httptest.NewRequest(http.MethodGet, "/api/v1/law/export/"+name, nil)
		rec := httptest.NewRecorder()
		a.Handler.ServeHTTP(rec, r)
		return rec.Body.Bytes()
	}
	texts := 0
	lines := bufio.NewScanner(bytes.NewReader(ask("texts.jsonl")))
	lines.Buffer(nil, 8<<20)
	for lines.Scan() {
		var x struct{ Address string }
		if err := json.Unmarshal(lines.Bytes(), &x); err != nil || x.Address == "" {
			t.Errorf("line %d: %v", texts+1, err)
		}
		texts++
	}
	z, err := gzip.NewReader(bytes.NewReader(ask("akn.tar.gz")))
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for r := tar.NewReader(z); ; files++ {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		var root struct{ XMLName xml.Name }
		if err := xml.NewDecoder(r).Decode(&root); err != nil || root.XMLName.Local != "akomaNtoso" {
			t.Errorf("%s: %v", h.Name, err)
		}
	}
	if texts != files || texts < 12 {
		t.Errorf("%d lines and %d files", texts, files)
	}
	rows := strings.Split(strings.TrimSpace(string(ask("citations.nt"))), "\n")
	if len(rows) < 20 {
		t.Errorf("%d triples", len(rows))
	}
	for _, row := range rows {
		if !triple.MatchString(row) {
			t.Errorf("this is no triple: %s", row)
		}
	}
	if csv := string(ask("citations.csv")); strings.Count(csv, "\n") < 20 || !strings.HasPrefix(csv, "from,") {
		t.Errorf("the table of citations: %.200s", csv)
	}
}
