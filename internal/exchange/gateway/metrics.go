package gateway

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"diwan/internal/exchange/contract"
	"diwan/internal/exchange/gateway/directory"
	"diwan/internal/exchange/journal"
	"diwan/protocol/xroad"
)

// metrics are the gateway's own figures. None names a person, a client or an id.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	errors   *prometheus.CounterVec
	seconds  map[string]prometheus.Observer
	bytes    map[string]prometheus.Counter
	ok       map[string]prometheus.Counter
	flush    prometheus.Histogram
	indexed  prometheus.Counter
	sent     *prometheus.CounterVec
	events   *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "diwan_exchange_requests_total", Help: "Exchanges by side and class of outcome."}, []string{"side", "outcome"}),
		errors:   prometheus.NewCounterVec(prometheus.CounterOpts{Name: "diwan_exchange_errors_total", Help: "Errors of the exchange by side and type."}, []string{"side", "type"}),
		flush: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "diwan_exchange_journal_flush_seconds", Help: "Time that messages waited for the journal to be durable.",
			Buckets: prometheus.ExponentialBuckets(25e-6, 2, 16)}),
		indexed: prometheus.NewCounter(prometheus.CounterOpts{Name: "diwan_exchange_indexed_records_total", Help: "Records of the journal that the index has taken in."}),
		sent:    prometheus.NewCounterVec(prometheus.CounterOpts{Name: "diwan_exchange_reports_total", Help: "Reports to the directory by kind and outcome."}, []string{"kind", "outcome"}),
		events:  prometheus.NewCounterVec(prometheus.CounterOpts{Name: "diwan_exchange_events_total", Help: "Events by what happened to them."}, []string{"what"}),
		seconds: map[string]prometheus.Observer{}, bytes: map[string]prometheus.Counter{}, ok: map[string]prometheus.Counter{}}
	seconds := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "diwan_exchange_seconds", Help: "Time of exchanges by side.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}}, []string{"side"})
	bytes := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "diwan_exchange_body_bytes_total", Help: "Bytes of bodies, both directions."}, []string{"side"})
	m.registry.MustRegister(m.requests, m.errors, seconds, bytes, m.flush, m.indexed, m.sent, m.events,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	for _, side := range []string{directory.Asked, directory.Answered} {
		m.seconds[side], m.bytes[side], m.ok[side] = seconds.WithLabelValues(side), bytes.WithLabelValues(side), m.requests.WithLabelValues(side, "2xx")
	}
	return m
}

// timedJournal is the journal of the link, with the time that messages wait for it
// measured: once for each group of them.
type timedJournal struct {
	*journal.Journal
	waited prometheus.Observer
}

// Wait implements link.Journal.
func (j timedJournal) Wait(ctx context.Context, seq uint64) error {
	begin := time.Now()
	err := j.Journal.Wait(ctx, seq)
	j.waited.Observe(time.Since(begin).Seconds())
	return err
}

func (m *metrics) exchange(o *observed, took time.Duration) {
	m.seconds[o.side].Observe(took.Seconds())
	m.bytes[o.side].Add(float64(o.request + o.response))
	switch {
	case o.err != nil:
		m.refused(o.side, o.err.Type.Code)
	case o.status >= 200 && o.status < 300:
		m.ok[o.side].Inc()
	default:
		m.requests.WithLabelValues(o.side, string('0'+byte(o.status/100))+"xx").Inc()
	}
}

func (m *metrics) refused(side string, code xroad.Code) {
	m.requests.WithLabelValues(side, "error").Inc()
	m.errors.WithLabelValues(side, xroad.Type{Code: code}.String()[len("server.clientproxy."):]).Inc()
}

// gauges are read when they are asked for.
func (g *Gateway) gauges() {
	days := func(t time.Time) float64 { return t.Sub(g.clock.Now()).Hours() / 24 }
	for _, f := range []struct {
		name, help string
		read       func() float64
	}{
		{"diwan_exchange_certificate_days", "Days left of the node's certificate.", func() float64 { return days(g.cert.Load().Leaf.NotAfter) }},
		{"diwan_exchange_contract_days", "Days left of the live contract that ends first; -1 when there is none.", func() float64 { return g.firstEnd(days) }},
		{"diwan_exchange_contracts_live", "Contracts in force.", func() float64 { return float64(len(g.Contracts(contract.Live))) }},
		{"diwan_exchange_directory_seconds_left", "How long the directory that the gateway holds may be used.", func() float64 {
			if t := g.trust.Load(); t != nil {
				return t.view.Index.ValidUntil.Sub(g.clock.Now()).Seconds()
			}
			return 0
		}},
		{"diwan_exchange_under_way", "Exchanges of client systems under way.", func() float64 { return float64(g.underWay.Load()) }},
		{"diwan_exchange_body_bytes_held", "Bytes of request bodies held whole.", func() float64 { return float64(g.bodies.Load()) }},
		{"diwan_exchange_journal_last", "Number of the last durable record.", func() float64 { n, _ := g.journal.Durable(); return float64(n) }},
		{"diwan_exchange_index_behind", "Records of the journal that the index has not taken in.", func() float64 {
			n, _ := g.journal.Durable()
			return float64(n) - float64(g.indexedTo.Load())
		}},
		{"diwan_exchange_journal_writable", "1 while the journal takes records.", func() float64 {
			if g.journal.Err() != nil {
				return 0
			}
			return 1
		}},
		{"diwan_exchange_maintenance", "1 while this node is closed.", func() float64 {
			if g.closed.Load() != nil {
				return 1
			}
			return 0
		}},
	} {
		g.metrics.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: f.name, Help: f.help}, f.read))
	}
}

func (g *Gateway) firstEnd(days func(time.Time) float64) float64 {
	first := -1.0
	for _, c := range g.Contracts(contract.Live) {
		if d := days(time.Unix(c.Validity.NotAfter, 0)); first < 0 || d < first {
			first = d
		}
	}
	return first
}
