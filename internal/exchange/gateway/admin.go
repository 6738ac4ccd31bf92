package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"diwan/internal/exchange/contract"
)

// admin is for operators on the same machine. It asks for no password and shows
// nothing of a single exchange about a person, which officers alone see (viewer); it
// listens on the loopback alone, takes no request that a web page of elsewhere
// could make a browser send, and answers to no other name than this machine's.
func (g *Gateway) admin() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(g.metrics.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "ok") })
	for pattern, h := range map[string]func(*http.Request) (any, error){
		"GET /status":              func(*http.Request) (any, error) { return g.Status(), nil },
		"GET /monitoring":          g.adminMonitoring,
		"GET /contracts":           g.adminContracts,
		"PUT /maintenance":         g.adminMaintenance,
		"DELETE /maintenance":      g.adminOpen,
		"POST /reload":             g.adminReload,
		"POST /selftest":           func(r *http.Request) (any, error) { return g.SelfTest(r.Context()), nil },
		"GET /events/dead":         func(r *http.Request) (any, error) { return g.DeadEvents(r.Context(), r.FormValue("subscription")) },
		"POST /events/dead/retry":  g.adminRetry,
		"POST /events/replay":      g.adminReplay,
		"GET /events/subscription": func(r *http.Request) (any, error) { return g.SubscriptionStates(r.Context()) },
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			out, err := h(r)
			status := http.StatusOK
			if err != nil {
				status, out = http.StatusInternalServerError, map[string]string{"error": err.Error()}
				var bad *badRequest
				if errors.As(err, &bad) {
					status = http.StatusBadRequest
				}
			}
			writeJSON(w, status, out)
		})
	}
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		s := g.Status()
		status := http.StatusOK
		if !s.Ready {
			status = http.StatusServiceUnavailable
		}
		writeJSON(w, status, s)
	})
	for pattern, h := range g.extra {
		mux.Handle(pattern, h)
	}
	var guard http.CrossOriginProtection
	return onlyHere(guard.Handler(mux))
}

// onlyHere refuses names that lead here from elsewhere.
func onlyHere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			http.Error(w, "not here", http.StatusMisdirectedRequest)
			return
		}
		next.ServeHTTP(w, r)
	})
}

type badRequest struct{ what string }

func (b *badRequest) Error() string { return b.what }

func writeJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, "failed", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(b)
}

// Status is how a gateway stands, for operators and readiness.
type Status struct {
	Member, Node     string
	Ready            bool
	Faults           []string `json:",omitempty"` // stable codes
	Maintenance      bool
	Closure          *Closure `json:",omitempty"` // while there is maintenance
	DirectorySerial  int64
	DirectoryUntil   time.Time
	CertificateUntil time.Time
	ContractsLive    int
	JournalLast      uint64
	JournalIndexed   uint64
	UnderWay         int64
}

// Faults that make a gateway not ready.
const (
	FaultJournal   = "journal"
	FaultDirectory = "directory_outdated"
	FaultDatabase  = "database"
)

// Status returns it.
func (g *Gateway) Status() Status {
	now := g.clock.Now()
	last, _ := g.journal.Durable()
	s := Status{Member: g.cfg.Member, Node: g.cfg.Node, Maintenance: g.closed.Load() != nil, Closure: g.closed.Load(), CertificateUntil: g.cert.Load().Leaf.NotAfter, ContractsLive: len(g.Contracts(contract.Live)),
		JournalLast: last, JournalIndexed: g.indexedTo.Load(), UnderWay: g.underWay.Load()}
	if t := g.trust.Load(); t != nil {
		s.DirectorySerial, s.DirectoryUntil = t.view.Index.Serial, t.view.Index.ValidUntil
	}
	if g.journal.Err() != nil {
		s.Faults = append(s.Faults, FaultJournal)
	}
	if g.valid(now) == nil {
		s.Faults = append(s.Faults, FaultDirectory)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if err := g.db.Reader().PingContext(ctx); err != nil {
		s.Faults = append(s.Faults, FaultDatabase)
	}
	s.Ready = len(s.Faults) == 0 && !s.Maintenance
	return s
}

func (g *Gateway) adminReload(r *http.Request) (any, error) {
	err := g.Reload(r.Context())
	return g.Status(), err
}

func (g *Gateway) adminMonitoring(r *http.Request) (any, error) {
	since := g.clock.Now().Add(-time.Hour)
	if v := r.FormValue("from"); v != "" {
		var err error
		if since, err = time.Parse(time.RFC3339Nano, v); err != nil {
			return nil, &badRequest{"from is no time of RFC 3339"}
		}
	}
	return g.Monitoring(r.Context(), since, maxFound)
}

// contractLine is a contract in the list of operators.
type contractLine struct {
	Hash    string
	State   contract.State
	Until   time.Time
	Clients []string
	Missing []string `json:",omitempty"`
}

func (g *Gateway) adminContracts(*http.Request) (any, error) {
	now := g.clock.Now()
	out := []contractLine{}
	for _, c := range g.Contracts("") {
		l := contractLine{Hash: c.Hash, State: c.State(now), Until: time.Unix(c.Validity.NotAfter, 0).UTC(), Missing: c.Missing()}
		for _, grant := range c.Grants {
			l.Clients = append(l.Clients, grant.Data.Properties.Client+" -> "+grant.Data.Properties.Service)
		}
		out = append(out, l)
	}
	return out, nil
}

func (g *Gateway) adminRetry(r *http.Request) (any, error) {
	n, err := g.RetryDead(r.Context(), r.FormValue("subscription"))
	return map[string]int64{"retried": n}, err
}

func (g *Gateway) adminReplay(r *http.Request) (any, error) {
	from, err := strconv.ParseInt(r.FormValue("from"), 10, 64)
	if err != nil || from < 0 {
		return nil, &badRequest{"from is no number"}
	}
	return map[string]int64{"from": from}, g.ReplayEvents(r.Context(), r.FormValue("subscription"), from)
}
