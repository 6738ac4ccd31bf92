package main

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

const (
	rounds    = 3
	roundTime = 4 * time.Second
)

// portal measures the public's pages.
func portal(ctx context.Context, b *bench) error {
	pack, what, err := makePack(ctx, b.work)
	if err != nil {
		return err
	}
	fmt.Println("catalogue:", what)
	data := filepath.Join(b.work, "data")
	first, err := startProgram(ctx, b.program, data, pack)
	if err != nil {
		return err
	}
	fmt.Printf("first start, with import and indexing: %.2f s\n", first.ready.Seconds())
	first.stop()
	p, err := startProgram(ctx, b.program, data, pack)
	if err != nil {
		return err
	}
	defer p.stop()
	page, pages, queries, err := targets(p.address)
	if err != nil {
		return err
	}
	c, err := dial(p.address)
	if err != nil {
		return err
	}
	_, size, err := c.get(page)
	if err != nil {
		return err
	}
	ref, err := startStatic(ctx, size)
	if err != nil {
		return err
	}
	defer ref.stop()
	if err := b.rates(ctx, p, ref, page, pages, queries, size); err != nil {
		return err
	}
	b.atMost("ready_seconds", p.ready.Seconds(), 1)
	if err := b.export(p); err != nil {
		return err
	}
	rss, err := p.resident()
	if err != nil {
		return err
	}
	b.atMost("resident_mb", rss, 250)
	return b.sizes(p)
}

// rates compares the server with the reference, turn by turn, so that a machine
// whose speed drifts weighs on both alike.
func (b *bench) rates(ctx context.Context, p, ref *process, page string, pages, queries []string, size int) error {
	loads := []struct {
		figure string
		paths  []string
		goal   float64
	}{{"cached_page_ratio", []string{page}, .80}, {"uncached_page_ratio", pages, .25}, {"search_ratio", queries, .10}}
	ratios := make([][]float64, len(loads))
	var searchTop []float64
	for round := range rounds {
		static, err := top(ctx, ref.address, []string{"/"}, roundTime)
		if err != nil {
			return err
		}
		for i, l := range loads {
			got, err := top(ctx, p.address, l.paths, roundTime)
			if err != nil {
				return err
			}
			ratios[i] = append(ratios[i], got/static)
			if i == 2 {
				searchTop = append(searchTop, got)
			}
			fmt.Printf("round %d: %-20s %8.0f a second (static page of %d bytes: %.0f)\n", round+1, l.figure, got, size, static)
		}
	}
	for i, l := range loads {
		b.atLeast(l.figure, median(ratios[i]), l.goal)
	}
	times, err := paced(ctx, p.address, queries, median(searchTop)/2, 2*roundTime)
	if err != nil {
		return err
	}
	fmt.Printf("search at half its top rate: p50 %v, p99 %v of %d\n", percentile(times, .5), percentile(times, .99), len(times))
	b.atMost("search_p99_ms", percentile(times, .99).Seconds()*1000, 25)
	return nil
}

func fetch(address, path string, header ...string) (*http.Response, []byte, error) {
	r, err := http.NewRequest("GET", "http://"+address+path, nil)
	if err != nil {
		return nil, nil, err
	}
	r.Header.Set("Accept-Encoding", "identity")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, body, err
}

var idInAPI = regexp.MustCompile(`"id":\s*"([a-z0-9-]+)"`)
var nameInAPI = regexp.MustCompile(`"fr":\s*"([^"\\]+)"`)

// targets returns a page that is cached, the same kind of page rendered anew on
// each request (what follows after feedback), and searches, all different.
func targets(address string) (page string, uncached, queries []string, err error) {
	token := ""
	for range 40 {
		res, body, err := fetch(address, "/api/v1/procedures?page_size=200&page_token="+url.QueryEscape(token))
		if err != nil {
			return "", nil, nil, err
		}
		if res.StatusCode != 200 {
			return "", nil, nil, fmt.Errorf("the list of procedures answers %d: %s", res.StatusCode, body)
		}
		for _, m := range idInAPI.FindAllSubmatch(body, -1) {
			uncached = append(uncached, "/fr/procedures/"+string(m[1])+"/thanks")
		}
		for i, m := range nameInAPI.FindAllSubmatch(body, -1) {
			// Two or three words of a title, as people type them.
			w := strings.Fields(string(m[1]))
			from := i % max(1, len(w)-2)
			queries = append(queries, "/fr/search?q="+url.QueryEscape(strings.Join(w[from:min(len(w), from+2+i%2)], " ")))
		}
		next := regexp.MustCompile(`"next_page_token":\s*"([^"]+)"`).FindSubmatch(body)
		if next == nil {
			break
		}
		token = string(next[1])
	}
	if len(uncached) < 1000 || len(queries) < 1000 {
		return "", nil, nil, fmt.Errorf("only %d procedures and %d searches found", len(uncached), len(queries))
	}
	return strings.TrimSuffix(uncached[len(uncached)/2], "/thanks"), uncached, queries, nil
}

// export times the whole catalogue as linked data, made for the first time.
func (b *bench) export(p *process) error {
	slowest := 0.0
	for _, path := range []string{"/api/v1/catalogue.jsonld", "/api/v1/catalogue.ttl"} {
		start := time.Now()
		res, body, err := fetch(p.address, path)
		if err != nil {
			return err
		}
		if res.StatusCode != 200 {
			return fmt.Errorf("%s answers %d", path, res.StatusCode)
		}
		took := time.Since(start).Seconds()
		fmt.Printf("%s: %.1f MB in %.2f s\n", path, float64(len(body))/1e6, took)
		slowest = max(slowest, took)
	}
	b.atMost("export_seconds", slowest, 5)
	return nil
}

var linked = regexp.MustCompile(`(?:href|src)="(/static/[^"]+)"`)

// sizes weighs a first visit to an Arabic page, as it travels.
func (b *bench) sizes(p *process) error {
	_, html, err := fetch(p.address, "/ar/procedures/building-permit")
	if err != nil {
		return err
	}
	z, _ := gzip.NewWriterLevel(nil, gzip.DefaultCompression)
	var n counter
	z.Reset(&n)
	z.Write(html)
	z.Close()
	b.atMost("html_kb", float64(n)/1000, 15)
	css, js := 0.0, 0.0
	for _, m := range linked.FindAllSubmatch(html, -1) {
		res, body, err := fetch(p.address, string(m[1]), "Accept-Encoding", "gzip")
		if err != nil {
			return err
		}
		switch t := res.Header.Get("Content-Type"); {
		case strings.HasPrefix(t, "text/css"):
			css += float64(len(body)) / 1000
		case strings.HasPrefix(t, "text/javascript"):
			js += float64(len(body)) / 1000
		}
	}
	b.atMost("css_kb", css, 20)
	b.atMost("js_kb", js, 10)
	return nil
}

type counter int

// Write counts.
func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}
