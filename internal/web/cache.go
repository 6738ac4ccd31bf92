package web

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"diwan/internal/gov"
)

// Rendered is a finished answer that many readers may get.
type Rendered struct {
	contentType []string
	etag        []string
	length      []string
	gzLength    []string
	body, gz    []byte
}

var (
	hRevalidate = []string{"no-cache"}
	hVary       = []string{"Accept-Encoding"}
	hGzip       = []string{"gzip"}
)

// NewRendered prepares an answer: its tag and its compressed form.
func NewRendered(contentType string, body []byte) *Rendered {
	sum := sha256.Sum256(body)
	p := &Rendered{contentType: []string{contentType}, body: body, gz: Gzip(body, gzip.DefaultCompression)}
	p.etag = []string{`"` + hex.EncodeToString(sum[:12]) + `"`}
	p.length, p.gzLength = []string{strconv.Itoa(len(p.body))}, []string{strconv.Itoa(len(p.gz))}
	return p
}

// ServeHTTP answers with the page, or says that the reader's copy is current.
func (p *Rendered) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["Etag"] = p.etag
	h["Cache-Control"] = hRevalidate
	h["Vary"] = hVary
	if m := r.Header["If-None-Match"]; len(m) > 0 && strings.Contains(m[0], p.etag[0]) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Type"] = p.contentType
	body := p.body
	if a := r.Header["Accept-Encoding"]; len(a) > 0 && accepts(a[0], "gzip") {
		h["Content-Encoding"] = hGzip
		h["Content-Length"] = p.gzLength
		body = p.gz
	} else {
		h["Content-Length"] = p.length
	}
	if r.Method != http.MethodHead {
		w.Write(body)
	}
}

// accepts reports whether an Accept-Encoding header takes a coding (RFC 9110,
// section 12.5.3). A reader that names it with a weight of zero can't read it.
func accepts(header, coding string) bool {
	_, rest, found := strings.Cut(header, coding)
	if !found {
		return false
	}
	weight, _, _ := strings.Cut(rest, ",")
	if weight == "" {
		return true
	}
	_, q, weighted := strings.Cut(strings.ReplaceAll(weight, " ", ""), ";q=")
	return !weighted || strings.Trim(q, "0.") != ""
}

// Moment is what a public page depends on beside its address: the revision of
// what it shows, and the day, because legal periods are counted from it.
type Moment struct {
	Revision int64
	Other    int64 // revision of what another slice adds to the page
	Day      gov.Date
}

// Cache keeps rendered pages by address, each with the moment it was made for,
// up to a number of bytes. It has two generations: a page that is asked for
// again moves to the young one, and when that is full the old one is dropped. So
// a flood of addresses that nobody asks for twice can't push out what many
// people read, and a page of another moment is never shown.
type Cache struct {
	limit int

	mu         sync.RWMutex
	young, old map[string]kept
	bytes      int // of the young generation
}

type kept struct {
	page   *Rendered
	moment Moment
}

// NewCache returns a cache of at most limit bytes.
func NewCache(limit int) *Cache {
	return &Cache{limit: limit / 2, young: map[string]kept{}, old: map[string]kept{}}
}

// Get returns the page of an address at a moment, or nil.
func (c *Cache) Get(address string, m Moment) *Rendered {
	c.mu.RLock()
	k, ok := c.young[address]
	if !ok {
		k = c.old[address]
	}
	c.mu.RUnlock()
	if k.page == nil || k.moment != m {
		return nil
	}
	if !ok {
		c.Put(address, m, k.page)
	}
	return k.page
}

// Put keeps a page.
func (c *Cache) Put(address string, m Moment, p *Rendered) {
	size := len(address) + len(p.body) + len(p.gz)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bytes+size > c.limit {
		c.young, c.old, c.bytes = map[string]kept{}, c.young, 0
	}
	c.young[address] = kept{p, m}
	c.bytes += size
}

// Hot answers pages that are in the cache before anything else looks at the
// request: most readers read the same few pages.
func (s *Site) Hot(moment func() Moment, hit func(), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.RawQuery == "" {
			if p := s.cache.Get(r.URL.Path, moment()); p != nil {
				hit()
				p.ServeHTTP(w, r)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}
