package catalogue

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"diwan/internal/catalogue/cpsv"
	"diwan/internal/web"
)

// exportFormat is one way to write the whole catalogue.
type exportFormat struct {
	name, contentType string
	write             func(ctx context.Context, c *Catalogue, base string, w io.Writer) error
}

var exportFormats = []exportFormat{
	{"jsonld", "application/ld+json", func(_ context.Context, c *Catalogue, base string, w io.Writer) error {
		return c.CPSV(base).WriteJSONLD(w)
	}},
	{"ttl", "text/turtle; charset=utf-8", func(_ context.Context, c *Catalogue, base string, w io.Writer) error {
		return c.CPSV(base).WriteTurtle(w)
	}},
	{"csv", "text/csv; charset=utf-8; header=present", func(ctx context.Context, c *Catalogue, _ string, w io.Writer) error {
		return c.ExportCSV(ctx, w)
	}},
	{"json", jsonType, func(ctx context.Context, c *Catalogue, _ string, w io.Writer) error { return c.ExportJSON(ctx, w) }},
}

// CPSV returns what the public sees now in the European vocabulary. base is the
// portal's public address, with which identifiers begin.
func (c *Catalogue) CPSV(base string) *cpsv.Dataset {
	s := c.Snapshot()
	d := cpsv.Data{Base: base, Country: c.country, Administrations: s.Administrations, Services: s.Services,
		Themes: s.Themes, LifeEvents: s.LifeEvents}
	for _, e := range s.Procedures {
		d.Procedures = append(d.Procedures, cpsv.Item{Procedure: e.Procedure, Version: e.Version, State: e.State, Changed: e.Changed})
	}
	return cpsv.Export(d)
}

// export keeps the whole catalogue in one format, compressed, as it was at one
// revision. It is made when somebody asks for it, once; who asks meanwhile waits.
type export struct {
	format exportFormat

	mu   *sync.Mutex
	made *exported
}

type exported struct {
	revision int64
	etag     string
	gz       []byte
}

func (x *export) get(ctx context.Context, c *Catalogue, base string) (*exported, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	revision := c.Snapshot().Revision
	if x.made != nil && x.made.revision == revision {
		return x.made, nil
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	sum := sha256.New()
	if err := x.format.write(ctx, c, base, io.MultiWriter(z, sum)); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	x.made = &exported{revision, `"` + hex.EncodeToString(sum.Sum(nil)[:12]) + `"`, b.Bytes()}
	return x.made, nil
}

// whole answers with the catalogue in a format.
func (a *API) whole(format string) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		x := a.exports[format]
		// Whoever goes away must not spoil the work for those who wait.
		made, err := x.get(context.WithoutCancel(r.Context()), a.Catalogue, a.Site.BaseURL)
		if err != nil {
			return err
		}
		h := w.Header()
		h.Set("ETag", made.etag)
		h.Set("Cache-Control", "no-cache")
		h.Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("If-None-Match"), made.etag) {
			w.WriteHeader(http.StatusNotModified)
			return nil
		}
		h.Set("Content-Type", x.format.contentType)
		if format == "csv" {
			h.Set("Content-Disposition", `attachment; filename="catalogue.csv"`)
		}
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			h.Set("Content-Encoding", "gzip")
			h.Set("Content-Length", strconv.Itoa(len(made.gz)))
			if r.Method != http.MethodHead {
				w.Write(made.gz)
			}
			return nil
		}
		if r.Method == http.MethodHead {
			return nil
		}
		z, err := gzip.NewReader(bytes.NewReader(made.gz))
		if err != nil {
			return err
		}
		io.Copy(w, z) // an error here is the reader going away
		return nil
	}
}

// wantsTurtle reports whether a reader asks for Turtle rather than JSON-LD.
func wantsTurtle(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "turtle") }

// negotiated answers under the catalogue's own identifier in the format that is
// asked for.
func (a *API) negotiated(w http.ResponseWriter, r *http.Request) error {
	format := "jsonld"
	if wantsTurtle(r) {
		format = "ttl"
	}
	w.Header().Set("Content-Location", "/api/v1/catalogue."+format)
	return a.whole(format)(w, r)
}

func (a *API) contextDocument(w http.ResponseWriter, r *http.Request) error {
	b, err := cpsv.Context(a.Site.BaseURL)
	if err != nil {
		return err
	}
	web.NewRendered("application/ld+json", b).ServeHTTP(w, r)
	return nil
}

// vocabulary answers with the portal's own vocabulary.
func (a *API) vocabulary(w http.ResponseWriter, r *http.Request) error {
	format, contentType := cpsv.JSONLD, "application/ld+json"
	if wantsTurtle(r) {
		format, contentType = cpsv.Turtle, "text/turtle; charset=utf-8"
	}
	var b bytes.Buffer
	if err := cpsv.WriteVocabulary(&b, a.Site.BaseURL, format); err != nil {
		return err
	}
	web.NewRendered(contentType, b.Bytes()).ServeHTTP(w, r)
	return nil
}
