package tracing

import (
	"context"
	"encoding/binary"
	"log/slog"
	"math"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Kind is a span's part in a call, with the numbers of OTLP.
type Kind int

// Kinds of spans.
const (
	Internal Kind = 1
	Server   Kind = 2
	Client   Kind = 3
)

// Attr is an attribute: a text or, when it is not zero, a number.
type Attr struct {
	Key    string
	Text   string
	Number int64
}

// maxText bounds a text of a span, in bytes.
const maxText = 512

// maxAttrs bounds the attributes of a span.
const maxAttrs = 32

// Span is something under way. The zero Span is none: it is not recorded, and what
// is derived from it neither.
type Span struct {
	Context Context
	Parent  [8]byte // zero for the first of a trace
	Remote  bool    // the parent was in another process
	Begin   time.Time
}

// Recorded tells whether the span will be sent when it ends.
func (s Span) Recorded() bool { return s.Context.Valid() && s.Context.Sampled() }

// Ended is what is known of a span at its end.
type Ended struct {
	Name  string
	Kind  Kind
	At    time.Time
	Attrs []Attr
	// Failed marks an error; Why says which.
	Failed bool
	Why    string
}

// Tracer makes spans and sends them. A nil *Tracer makes none.
type Tracer struct {
	set    Settings
	client *http.Client
	log    *slog.Logger
	queue  chan finished
	spans  *prometheus.CounterVec
}

type finished struct {
	Span
	Ended
}

// Outcomes of spans in the counter diwan_exchange_spans_total.
const (
	sent     = "sent"
	dropped  = "dropped"  // the queue was full
	failed   = "failed"   // the collector did not take them
	rejected = "rejected" // the collector took the batch and said no to some
)

// New makes a tracer, nil when the settings name no collector. Counters are
// registered with reg.
func New(set Settings, reg prometheus.Registerer, log *slog.Logger) (*Tracer, error) {
	if set.Endpoint == "" {
		return nil, nil
	}
	set.defaults()
	if err := set.Check(); err != nil {
		return nil, err
	}
	client, err := set.client()
	if err != nil {
		return nil, err
	}
	t := &Tracer{set: set, client: client, log: log, queue: make(chan finished, set.Queue),
		spans: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "diwan_exchange_spans_total", Help: "Spans of traces by what became of them."}, []string{"outcome"})}
	for _, o := range []string{sent, dropped, failed, rejected} {
		t.spans.WithLabelValues(o)
	}
	return t, reg.Register(t.spans)
}

// Start begins a span below the place that a message names, or a new trace when it
// names none. The decision of who began the trace holds; of a new one the settings
// decide. A span that is not recorded still has a place, so that those after it
// decide the same.
func (t *Tracer) Start(traceparent string, now time.Time) Span {
	if t == nil {
		return Span{}
	}
	if p, ok := Parse(traceparent); ok {
		return Span{Context: Context{p.Trace, newSpanID(), t.set.follow(p)}, Parent: p.Span, Remote: true, Begin: now}
	}
	c := Context{Trace: newTraceID(), Span: newSpanID(), Flags: flagRandom}
	if t.set.begin(c.Trace) {
		c.Flags |= flagSampled
	}
	return Span{Context: c, Begin: now}
}

// Child begins a span below s, in this process.
func (t *Tracer) Child(s Span, now time.Time) Span {
	if t == nil || !s.Context.Valid() {
		return Span{}
	}
	return Span{Context: Context{s.Context.Trace, newSpanID(), s.Context.Flags}, Parent: s.Context.Span, Begin: now}
}

// End hands a span over to be sent. It never waits.
func (t *Tracer) End(s Span, e Ended) {
	if t == nil || !s.Recorded() {
		return
	}
	select {
	case t.queue <- finished{s, e}:
	default:
		t.spans.WithLabelValues(dropped).Inc()
	}
}

// Run sends what has ended until ctx ends, and then, within a short time, what is
// still in the queue. It is called once.
func (t *Tracer) Run(ctx context.Context) {
	defer t.client.CloseIdleConnections()
	tick := time.NewTicker(t.set.Every)
	defer tick.Stop()
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(lastTime, cancel) })()
	batch := make([]finished, 0, t.set.Batch)
	flush := func() {
		t.send(work, batch)
		clear(batch) // their texts would live on
		batch = batch[:0]
	}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case s := <-t.queue:
			if batch = append(batch, s); len(batch) == cap(batch) {
				flush()
			}
		case <-tick.C:
			flush()
		}
	}
	for work.Err() == nil {
		if batch = t.take(batch); len(batch) == 0 {
			return
		}
		flush()
	}
}

// lastTime is how long a gateway that ends still sends spans.
const lastTime = 3 * time.Second

// take fills a batch with what lies in the queue.
func (t *Tracer) take(batch []finished) []finished {
	for len(batch) < cap(batch) {
		select {
		case s := <-t.queue:
			batch = append(batch, s)
		default:
			return batch
		}
	}
	return batch
}

// follow is the flags of a span below p.
func (s *Settings) follow(p Context) byte {
	flags := p.Flags &^ flagSampled
	switch {
	case s.Alone && s.begin(p.Trace), !s.Alone && p.Sampled():
		flags |= flagSampled
	}
	return flags
}

// begin decides whether a trace is recorded, from its identifier: all who decide by
// the same share decide alike.
func (s *Settings) begin(trace [16]byte) bool {
	if s.Share >= 1 {
		return true
	}
	return float64(binary.BigEndian.Uint64(trace[8:])>>1) < s.Share*float64(math.MaxInt64)
}
