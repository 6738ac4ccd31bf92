package web

import (
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"diwan/internal/problem"
)

// RateLimit bounds how many requests one address makes a minute (or one whom By
// names), and how many of them at once. It protects everybody else from one careless script.
// Addresses are kept for two minutes at most and in bounded number; an address
// that asks from behind a proxy counts as the proxy's, unless the operator put
// the proxy in front and rewrites RemoteAddr.
type RateLimit struct {
	perMinute int
	burst     int
	now       func() time.Time
	fail      func(http.ResponseWriter, *http.Request, error)
	// By names who asks, where that is known better than by the address: behind one
	// address there can be a whole quarter of a town.
	By func(*http.Request) string

	mu         sync.Mutex
	young, old map[string]*rate.Limiter
	turned     time.Time
}

const maxAddresses = 50_000

// NewRateLimit returns a limit; fail writes the refusal.
func NewRateLimit(perMinute, burst int, now func() time.Time, fail func(http.ResponseWriter, *http.Request, error)) *RateLimit {
	return &RateLimit{perMinute: perMinute, burst: burst, now: now, fail: fail, young: map[string]*rate.Limiter{}}
}

// Wrap refuses requests over the limit with 429 and says when to come back.
func (l *RateLimit) Wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := l.now()
		res := l.limiter(l.who(r), now).ReserveN(now, 1)
		if wait := res.DelayFrom(now); wait > 0 {
			res.CancelAt(now)
			seconds := strconv.Itoa(int(wait/time.Second) + 1)
			w.Header().Set("Retry-After", seconds)
			l.fail(w, r, problem.New(problem.TooMany, "too_many", "seconds", seconds, "limit", strconv.Itoa(l.perMinute)))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (l *RateLimit) who(r *http.Request) string {
	if l.By != nil {
		return l.By(r)
	}
	return network(r.RemoteAddr)
}

func (l *RateLimit) limiter(who string, now time.Time) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.turned) > time.Minute || len(l.young) >= maxAddresses {
		l.young, l.old, l.turned = make(map[string]*rate.Limiter, len(l.young)), l.young, now
	}
	lim := l.young[who]
	if lim == nil {
		if lim = l.old[who]; lim == nil {
			lim = rate.NewLimiter(rate.Limit(float64(l.perMinute)/60), max(1, l.burst))
		}
		l.young[who] = lim
	}
	return lim
}

// network names who asks. An IPv6 host chooses freely among the addresses of its
// /64, so that the whole of it counts as one: otherwise the limit would hold
// back everybody but those who mean to get around it.
func network(remote string) string {
	a, err := netip.ParseAddrPort(remote)
	if err != nil {
		return remote
	}
	ip := a.Addr().Unmap()
	if ip.Is4() {
		return ip.String()
	}
	p, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return ip.String()
	}
	return p.String()
}
