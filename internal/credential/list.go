package credential

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"diwan/protocol/statuslist"
)

// listLook is how often a program asks whether a list has changed, and listLife how
// long a published list can be relied on offline.
const (
	listLook = time.Second
	listLife = 24 * time.Hour
)

// published is a list as it is served: both forms, signed.
type published struct {
	jwt, cwt []byte
	changes  int64
	at       time.Time
	etag     string
}

// listCache is one list in memory. Requests are answered from now; who comes when it
// is time to look again looks, and nobody waits for them.
type listCache struct {
	now    atomic.Pointer[published]
	looked atomic.Int64

	mu     sync.Mutex
	packer statuslist.Packer
}

func (s *Credentials) cache(list string) *listCache {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.lists[list]
	if c == nil {
		c = &listCache{}
		s.lists[list] = c
	}
	return c
}

// current returns a list as it stands, at most listLook old.
func (s *Credentials) current(ctx context.Context, list string) (*published, error) {
	c := s.cache(list)
	p, now := c.now.Load(), s.Clock.Now()
	last := c.looked.Load()
	if p != nil && now.UnixNano()-last < int64(listLook) && now.UnixNano() >= last {
		return p, nil
	}
	c.looked.Store(now.UnixNano())
	var changes int64
	if err := s.DB.Reader().QueryRowContext(ctx, `SELECT changes FROM credential_list WHERE id = $1`, list).Scan(&changes); err != nil {
		return nil, err
	}
	if p != nil && p.changes == changes && now.Sub(p.at) < s.StatusLife/2 && !now.Before(p.at) {
		return p, nil
	}
	return s.rebuild(ctx, c, list)
}

// rebuild reads the statuses of a list and signs it.
func (s *Credentials) rebuild(ctx context.Context, c *listCache, list string) (*published, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := &published{at: s.Clock.Now()}
	var places int
	if err := s.DB.Reader().QueryRowContext(ctx, `SELECT places, changes FROM credential_list WHERE id = $1`, list).Scan(&places, &p.changes); err != nil {
		return nil, err
	}
	l, err := statuslist.New(places, statusBits)
	if err != nil {
		return nil, err
	}
	if err := s.fill(ctx, l, list); err != nil {
		return nil, err
	}
	packed, err := c.packer.Pack(l)
	if err != nil {
		return nil, err
	}
	by, err := s.statusKey(ctx)
	if err != nil {
		return nil, err
	}
	t := statuslist.Token{URI: s.listURI(list), IssuedAt: p.at.Truncate(time.Second), Expires: p.at.Add(listLife).Truncate(time.Second), TTL: s.StatusLife.Truncate(time.Second),
		List: packed, AggregationURI: s.Base + pathLists}
	text, err := t.SignJWT(by.key, by.header())
	if err != nil {
		return nil, err
	}
	if p.cwt, err = t.SignCWT(by.key, by.header()); err != nil {
		return nil, err
	}
	p.jwt, p.etag = []byte(text), fmt.Sprintf(`"%d-%d"`, p.changes, p.at.Unix())
	c.now.Store(p)
	return p, nil
}

// fill sets what is not valid: places that nobody was given stand as valid too, so
// that the list does not tell how many there are.
func (s *Credentials) fill(ctx context.Context, l *statuslist.List, list string) error {
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT place, status FROM credential_copy WHERE list = $1 AND status <> 0`, list)
	if err != nil {
		return fmt.Errorf("reading the statuses of a list: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var at, status int
		if err := rows.Scan(&at, &status); err != nil {
			return err
		}
		if err := l.Set(at, statuslist.Value(status)); err != nil {
			return err
		}
	}
	return rows.Err()
}

// statusList answers GET /status/{list} as the reader asks, a JWT otherwise (Token
// Status List §8.1). What the list says of its own age is in its signature; the
// headers only spare the network.
func (h *issuerHTTP) statusList(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Has("time") { // §8.4: what was before is not published
		w.WriteHeader(http.StatusNotImplemented)
		return
	}
	p, err := h.current(r.Context(), r.PathValue("list"))
	if err != nil {
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "status_list_not_found"})
		return
	}
	head := w.Header()
	head["Vary"] = []string{"Accept"}
	head["Etag"] = []string{p.etag}
	if r.Header.Get("If-None-Match") == p.etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	body, kind := p.jwt, statuslist.MediaJWT
	if a := r.Header.Get("Accept"); strings.Contains(a, statuslist.MediaCWT) && !strings.Contains(a, statuslist.MediaJWT) {
		body, kind = p.cwt, statuslist.MediaCWT
	}
	head["Content-Type"] = []string{kind}
	_, _ = w.Write(body)
}

// statusLists answers GET /status with the addresses of all lists, for verifiers that
// work offline (§9).
func (h *issuerHTTP) statusLists(w http.ResponseWriter, r *http.Request) {
	rows, err := h.DB.Reader().QueryContext(r.Context(), `SELECT id FROM credential_list ORDER BY created_at, id`)
	if err != nil {
		h.resourceError(w, err)
		return
	}
	defer rows.Close()
	a := statuslist.Aggregation{StatusLists: []string{}}
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			h.resourceError(w, err)
			return
		}
		a.StatusLists = append(a.StatusLists, h.listURI(id))
	}
	if err := rows.Err(); err != nil {
		h.resourceError(w, err)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=60")
	writeJSON(w, http.StatusOK, a)
}

// Sweep forgets what can no longer be used.
func (s *Credentials) Sweep(ctx context.Context) error {
	now := s.Clock.Now().UnixMicro()
	var all error
	for _, table := range []string{"credential_grant", "credential_token", "credential_deferred", "credential_proof", "credential_seen"} {
		_, err := s.DB.Writer().ExecContext(ctx, `DELETE FROM `+table+` WHERE ends_at < $1`, now)
		all = errors.Join(all, err)
	}
	return all
}
