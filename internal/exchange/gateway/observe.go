package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"diwan/internal/exchange/gateway/directory"
	"diwan/internal/exchange/gateway/tracing"
	"diwan/protocol/xroad"
)

// pages are buffers for bodies that pass through.
var pages = sync.Pool{New: func() any { b := make([]byte, 64<<10); return &b }}

// observed is what one side saw of an exchange, for counters and monitoring; it
// holds nothing of its content.
type observed struct {
	side           string // directory.Asked or Answered
	client         xroad.ClientID
	service        xroad.ServiceID
	headers        *xroad.Headers
	method, path   string
	id             string
	status         int
	err            *xroad.Error
	begin, out, in time.Time // in is when the answer's head was here
	request        int64     // bytes of bodies
	response       int64
	metaservice    bool
	trace          string // traceparent, as it came
	span           tracing.Span
	openAPI        bool // described by OpenAPI
}

// observe counts an exchange when it has ended.
func (g *Gateway) observe(o *observed) {
	end := g.clock.Now()
	g.metrics.exchange(o, end.Sub(o.begin))
	if g.counts(o) {
		g.usage.add(o, end)
	}
	g.monitor.add(o, end)
	switch {
	case g.traces != nil:
		g.traced(o, end)
	case sampled(o.trace):
		g.span(o, end)
	}
}

// sampled tells whether a traceparent (W3C Trace Context) asks to be recorded.
func sampled(trace string) bool {
	return len(trace) == 55 && trace[:3] == "00-" && trace[35] == '-' && trace[52] == '-' && (trace[54]-'0')&1 == 1 &&
		strings.Trim(trace, "0123456789abcdef-") == ""
}

// span writes what a span of this gateway would say where no collector is named. The
// header itself then passes as it came, like all others; what collects logs joins the
// two gateways by the trace.
func (g *Gateway) span(o *observed, end time.Time) {
	var id [8]byte
	rand.Read(id[:])
	out := []slog.Attr{slog.String("trace", o.trace[3:35]), slog.String("parent", o.trace[36:52]), slog.String("span", hex.EncodeToString(id[:])), slog.String("side", o.side),
		slog.String("service", o.service.String()), slog.String("request", o.id), slog.Int("status", o.status), slog.Time("begin", o.begin), slog.Duration("took", end.Sub(o.begin))}
	if o.err != nil {
		out = append(out, slog.String("type", o.err.Type.String()))
	}
	g.log.LogAttrs(context.Background(), slog.LevelInfo, "exchange: span", out...)
}

// counts tells whether an exchange belongs to the counters by client and service:
// names that somebody only claims must not fill them.
func (g *Gateway) counts(o *observed) bool {
	if o.client.Subsystem == "" || o.service.Code == "" {
		return false
	}
	if o.err != nil && o.err.Type.Code == xroad.InvalidClientIdentifier {
		return false
	}
	if o.side == directory.Answered {
		return o.service.Provider.MemberID() == g.member && (o.err == nil || g.service(o.service.Provider.Subsystem, o.service.Code) != nil)
	}
	return o.client.MemberID() == g.member && (o.err == nil || o.err.Type.Code != xroad.UnknownMember)
}

func levelOf(e *xroad.Error) slog.Level {
	switch e.Type.Code {
	case xroad.LoggingFailed, xroad.InternalError:
		return slog.LevelError
	case xroad.AccessDenied, xroad.SSLAuthenticationFailed, xroad.InvalidSignatureValue, xroad.InconsistentResponse, xroad.UnknownMember:
		return slog.LevelWarn
	}
	return slog.LevelInfo
}

// attrs say of a refused request who it was and where to follow it: never its
// query or body, which may name people. Of a header that came several times they
// say the value that counted.
func attrs(r *http.Request, e *xroad.Error) []slog.Attr {
	out := []slog.Attr{slog.String("type", e.Type.String()), slog.String("detail", e.Detail), slog.String("message", e.Message),
		slog.String("method", r.Method), slog.String("client", lastValue(r, xroad.HeaderClient)), slog.String("id", lastValue(r, xroad.HeaderID)),
		slog.String("remote", r.RemoteAddr)}
	if t := lastValue(r, traceHeader); t != "" {
		out = append(out, slog.String("trace", t))
	}
	return out
}

// maxLogged is how much of a header somebody who is refused can have written into
// the log, in bytes.
const maxLogged = 256

// lastValue is the last value of a header, as much of it as a line of the log takes.
func lastValue(r *http.Request, name string) string {
	v := r.Header[name]
	if len(v) == 0 {
		return ""
	}
	last := strings.Trim(v[len(v)-1], " \t")
	return last[:min(len(last), maxLogged)]
}

// usage counts by hour, side, client and service. It is added up in memory and
// written once a minute: at most a minute of counters is lost with a process,
// never a record of an exchange.
type usage struct {
	mu sync.Mutex
	m  map[usageKey]*counted
}

type usageKey struct {
	hour    int64 // hours since 1970
	side    string
	client  xroad.ClientID
	service xroad.ServiceID
}

type counted struct{ calls, errors, bytes, millis, worst int64 }

// maxUsageKeys bounds what waits to be written.
const maxUsageKeys = 100_000

func (u *usage) add(o *observed, end time.Time) {
	k := usageKey{end.Unix() / 3600, o.side, o.client, o.service}
	ms := end.Sub(o.begin).Milliseconds()
	u.mu.Lock()
	defer u.mu.Unlock()
	c := u.m[k]
	if c == nil {
		if len(u.m) >= maxUsageKeys {
			return
		}
		if u.m == nil {
			u.m = map[usageKey]*counted{}
		}
		c = &counted{}
		u.m[k] = c
	}
	c.calls++
	if o.err != nil || o.status >= 500 {
		c.errors++
	}
	c.bytes += o.request + o.response
	c.millis += ms
	c.worst = max(c.worst, ms)
}

// take returns what was counted since the last time.
func (u *usage) take() map[usageKey]*counted {
	u.mu.Lock()
	defer u.mu.Unlock()
	m := u.m
	u.m = nil
	return m
}

// monitor collects records of operational monitoring. Every failure is kept and,
// of the others, up to a number each second: a record for every exchange would
// outgrow what it describes. The counters are whole.
type monitor struct {
	userID bool
	mu     sync.Mutex
	list   []xroad.Monitoring
	second int64
	n      int
}

const (
	monitoredPerSecond = 50
	maxMonitored       = 10_000 // waiting to be written
)

func (m *monitor) add(o *observed, end time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s := end.Unix(); s != m.second {
		m.second, m.n = s, 0
	}
	if m.n++; o.err == nil && m.n > monitoredPerSecond || len(m.list) >= maxMonitored {
		return
	}
	m.list = append(m.list, m.record(o, end))
}

func (m *monitor) record(o *observed, end time.Time) xroad.Monitoring {
	r := xroad.Monitoring{DataTs: end.Unix(), ServerType: xroad.MonitorClient, RequestInTs: o.begin.UnixMilli(), ResponseOutTs: end.UnixMilli(),
		RestMethod: o.method, RestPath: o.path, ServiceType: "REST", StatusCode: o.status, RequestID: o.id, Succeeded: o.err == nil && o.status < 500,
		ProtocolVersion: "1", RequestSize: &o.request, ResponseSize: &o.response}
	if o.side == directory.Answered {
		r.ServerType = xroad.MonitorProducer
	}
	if !o.out.IsZero() {
		r.RequestOutTs = o.out.UnixMilli()
	}
	if !o.in.IsZero() {
		r.ResponseInTs = o.in.UnixMilli()
	}
	if o.openAPI {
		r.ServiceType = "OPENAPI3"
	}
	r.SetClient(o.client)
	r.SetService(o.service)
	if h := o.headers; h != nil {
		r.MessageID, r.MessageIssue, r.PartyClass, r.PartyCode = h.ID, h.Issue, h.RepresentedParty.Class, h.RepresentedParty.Member
		if m.userID {
			r.MessageUserID = h.UserID
		}
	}
	if o.metaservice {
		r.SetMetaservice()
	}
	if o.err != nil {
		r.SetError(o.err, xroad.Style78)
	}
	return r
}

func (m *monitor) take() []xroad.Monitoring {
	m.mu.Lock()
	defer m.mu.Unlock()
	list := m.list
	m.list = nil
	return list
}
