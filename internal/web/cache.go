package web

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"
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
	if a := r.Header["Accept-Encoding"]; len(a) > 0 && strings.Contains(a[0], "gzip") {
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

// Cache keeps rendered pages by key up to a number of bytes. It has two
// generations: a page that is asked for again moves to the young one, and when
// that is full the old one is dropped. So a flood of addresses that nobody asks
// for twice can't push out what many people read, and no page is ever wrong for
// longer than its key: callers put the revision of what they show in the key.
type Cache struct {
	limit int

	mu         sync.RWMutex
	young, old map[string]*Rendered
	bytes      int // of the young generation
}

// NewCache returns a cache of at most limit bytes.
func NewCache(limit int) *Cache {
	return &Cache{limit: limit / 2, young: map[string]*Rendered{}, old: map[string]*Rendered{}}
}

// Get returns the page of a key, or nil.
func (c *Cache) Get(key string) *Rendered {
	c.mu.RLock()
	p, ok := c.young[key]
	if !ok {
		p = c.old[key]
	}
	c.mu.RUnlock()
	if !ok && p != nil {
		c.Put(key, p)
	}
	return p
}

// Put keeps a page.
func (c *Cache) Put(key string, p *Rendered) {
	size := len(key) + len(p.body) + len(p.gz)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.bytes+size > c.limit {
		c.young, c.old, c.bytes = map[string]*Rendered{}, c.young, 0
	}
	if _, there := c.young[key]; !there {
		c.young[key], c.bytes = p, c.bytes+size
	}
}
