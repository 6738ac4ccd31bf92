package translog

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"
)

// Source fetches a resource of a log by its path: /checkpoint or /tile/…. It
// returns at most limit bytes, and an error for more.
type Source interface {
	Fetch(ctx context.Context, path string, limit int) ([]byte, error)
}

// HTTPSource fetches from a log's address. A nil client gives up after 15 seconds.
func HTTPSource(address string, client *http.Client) Source {
	if client == nil {
		client = &http.Client{Timeout: 15 * time.Second}
	}
	return &httpSource{strings.TrimSuffix(address, "/"), client}
}

type httpSource struct {
	address string
	client  *http.Client
}

func (s *httpSource) Fetch(ctx context.Context, path string, limit int) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("fetching %s: status %d", path, resp.StatusCode)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, int64(limit)+1))
	if err == nil && len(b) > limit {
		err = fmt.Errorf("fetching %s: longer than %d bytes", path, limit)
	}
	return b, err
}

// HandlerSource fetches from a handler in the same process, such as a *Log.
func HandlerSource(h http.Handler) Source {
	return &httpSource{"http://log.invalid", &http.Client{Transport: direct{h}}}
}

// direct calls a handler without a network.
type direct struct{ h http.Handler }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	w := &answer{header: http.Header{}, status: http.StatusOK}
	d.h.ServeHTTP(w, r)
	return &http.Response{StatusCode: w.status, Header: w.header, Body: io.NopCloser(strings.NewReader(w.body.String())), Request: r}, nil
}

type answer struct {
	header http.Header
	status int
	body   strings.Builder
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(status int)      { a.status = status }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

// reader reads a log's tiles for tlog.TileHashReader, which checks them against
// the root of a checkpoint. Tiles that were checked are kept for the next calls.
type reader struct {
	ctx  context.Context
	s    Source
	seen map[tlog.Tile][]byte
	// failed is why a tile could not be fetched, which is nobody's lie.
	failed error
}

// maxSeen bounds the tiles that are kept, 8 KiB each.
const maxSeen = 1024

func newReader(ctx context.Context, s Source) *reader {
	return &reader{ctx: ctx, s: s, seen: map[tlog.Tile][]byte{}}
}

func (r *reader) Height() int { return tileHeight }

func (r *reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, t := range tiles {
		if b, ok := r.seen[t]; ok {
			data[i] = b
			continue
		}
		b, err := r.s.Fetch(r.ctx, tilePath(t.L, t.N, t.W), tileWidth*tlog.HashSize)
		if err != nil {
			r.failed = err
			return nil, err
		}
		data[i] = b
	}
	return data, nil
}

// blame tells a log that serves wrong tiles from one that can't be reached.
func (r *reader) blame(err error) error {
	if r.failed != nil {
		return r.failed
	}
	return fmt.Errorf("%w: %w", ErrServed, err)
}

func (r *reader) SaveTiles(tiles []tlog.Tile, data [][]byte) {
	if len(r.seen) > maxSeen {
		clear(r.seen)
	}
	for i, t := range tiles {
		r.seen[t] = data[i]
	}
}

// entries fetches a bundle and checks each entry against the tree.
func (r *reader) entries(h tlog.HashReader, n int64, width int) ([]Entry, error) {
	b, err := r.s.Fetch(r.ctx, tilePath(-1, n, width), maxBundle)
	if err != nil {
		return nil, err
	}
	list, err := parseBundle(b)
	if err != nil || len(list) != width {
		return nil, fmt.Errorf("%w: entries %d", ErrServed, n*tileWidth)
	}
	indexes := make([]int64, width)
	for i := range indexes {
		indexes[i] = tlog.StoredHashIndex(0, n*tileWidth+int64(i))
	}
	leaves, err := h.ReadHashes(indexes)
	if err != nil {
		return nil, r.blame(err)
	}
	for i, e := range list {
		if e.leaf() != leaves[i] {
			return nil, fmt.Errorf("%w: entry %d", ErrServed, n*tileWidth+int64(i))
		}
	}
	return list, nil
}
