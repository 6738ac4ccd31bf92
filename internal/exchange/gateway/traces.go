package gateway

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"diwan/internal/exchange/backend"
	"diwan/internal/exchange/gateway/directory"
	"diwan/internal/exchange/gateway/tracing"
	"diwan/protocol/xroad"
)

// TracesConfig sends spans of exchanges to a collector. The variables OTEL_… of the
// environment win over it.
type TracesConfig struct {
	Endpoint string            `toml:"endpoint"` // of OTLP over HTTP, with its path; empty: no traces
	Headers  map[string]string `toml:"headers"`
	CA       string            `toml:"ca"` // PEM file, for an https endpoint
	// Share of the traces that begin here which is recorded, from 0 to 1; unset: all.
	Share *float64 `toml:"share"`
}

// settings brings the environment's word over the file's.
func (c *TracesConfig) settings(get func(string) string) (tracing.Settings, error) {
	s := tracing.Settings{Endpoint: c.Endpoint, Headers: c.Headers, CA: c.CA}
	if c.Share != nil {
		s.Share, s.ShareSet = *c.Share, true
	}
	err := s.FromEnvironment(get)
	if err == nil {
		err = s.Check()
	}
	if err != nil {
		return s, &ConfigError{"traces", err.Error()}
	}
	return s, nil
}

// openTraces makes the tracer; it stays nil where no collector is named.
func (g *Gateway) openTraces() (err error) {
	set := g.cfg.traces
	set.Resource = slices.Clone(set.Resource)
	for _, a := range []tracing.Attr{{Key: "service.name", Text: "diwan-gateway"}, {Key: "service.namespace", Text: g.cfg.Member}, {Key: "service.instance.id", Text: g.cfg.Member + "/" + g.cfg.Node}} {
		if !slices.ContainsFunc(set.Resource, func(have tracing.Attr) bool { return have.Key == a.Key }) {
			set.Resource = append(set.Resource, a)
		}
	}
	g.traces, err = tracing.New(set, g.metrics.registry, g.log)
	return err
}

// ending is a span's end while it is put together. It names who, which service and
// which message; never a path, a query or a person, who may stand in either.
type ending struct{ tracing.Ended }

func (e *ending) text(key, v string) {
	if v != "" {
		e.Attrs = append(e.Attrs, tracing.Attr{Key: key, Text: v})
	}
}

// result notes a status or an error of the exchange. Who serves is at fault from
// 500 on, who asks from 400 on (semantic conventions of HTTP spans).
func (e *ending) result(status, from int, err *xroad.Error) {
	if status != 0 {
		e.Attrs = append(e.Attrs, tracing.Attr{Key: "http.response.status_code", Number: int64(status)})
	}
	why := ""
	switch {
	case err != nil:
		why = err.Type.String()
	case status >= from:
		why = strconv.Itoa(status)
	default:
		return
	}
	e.Failed = true
	e.text("error.type", why)
}

// traced ends the span of one side of an exchange.
func (g *Gateway) traced(o *observed, end time.Time) {
	if !o.span.Recorded() {
		return
	}
	id := o.service.String()
	e := ending{tracing.Ended{Name: o.method + " " + id, Kind: tracing.Server, At: end, Attrs: make([]tracing.Attr, 0, 12)}}
	if o.side == directory.Asked {
		e.text("http.route", "/r1/"+id)
	} else {
		e.text("rpc.system.name", "xroad")
		e.text("rpc.method", id)
	}
	e.text("http.request.method", o.method)
	e.text("diwan.exchange.side", o.side)
	e.text("diwan.exchange.client", o.client.String())
	e.text("diwan.exchange.service", id)
	e.text("diwan.exchange.request_id", o.id)
	if o.headers != nil {
		e.text("diwan.exchange.message_id", o.headers.ID)
	}
	e.result(o.status, http.StatusInternalServerError, o.err)
	g.traces.End(o.span, e.Ended)
}

func noReply(*reply, *xroad.Error) {}

// traceCall begins the span of a call to another gateway and writes its place into
// the head, so that what that gateway does hangs below it. end ends it.
func (g *Gateway) traceCall(q *question, member string) (end func(*reply, *xroad.Error)) {
	s := g.traces.Child(q.span, g.clock.Now())
	if !s.Context.Valid() {
		return noReply
	}
	q.fields = placed(q.fields, s)
	if !s.Recorded() {
		return noReply
	}
	return func(r *reply, err *xroad.Error) {
		id := q.target.Service.String()
		e := ending{tracing.Ended{Name: "call " + id, Kind: tracing.Client, At: g.clock.Now(), Attrs: make([]tracing.Attr, 0, 8)}}
		e.text("rpc.system.name", "xroad")
		e.text("rpc.method", id)
		e.text("service.peer.name", member)
		if r != nil {
			e.text("diwan.exchange.request_id", r.id)
		}
		e.result(0, 1, err)
		g.traces.End(s, e.Ended)
	}
}

// traceService begins the span of asking the service itself. It returns the lines
// that the service sees, which name this span as their parent.
func (g *Gateway) traceService(of tracing.Span, s *service, method string, fields []xroad.Field) (_ []xroad.Field, end func(status int, err error)) {
	own := g.traces.Child(of, g.clock.Now())
	if !own.Context.Valid() {
		return fields, func(int, error) {}
	}
	fields = placed(fields, own)
	return fields, func(status int, err error) {
		if !own.Recorded() {
			return
		}
		e := ending{tracing.Ended{Name: method, Kind: tracing.Client, At: g.clock.Now(), Attrs: make([]tracing.Attr, 0, 6)}}
		e.text("http.request.method", method)
		if u, err := url.Parse(s.config.URL); err == nil {
			e.text("server.address", u.Hostname())
			port, _ := strconv.Atoi(u.Port())
			if port == 0 {
				port = map[string]int{"http": 80, "https": 443}[u.Scheme]
			}
			e.Attrs = append(e.Attrs, tracing.Attr{Key: "server.port", Number: int64(port)})
		}
		var fault *xroad.Error
		if err != nil {
			fault = told(serviceError(err))
		}
		e.result(status, http.StatusBadRequest, fault)
		g.traces.End(own, e.Ended)
	}
}

// callService hands the request to the service, as a span of its own when traces
// are on.
func (g *Gateway) callService(ctx context.Context, in *incoming, s *service, fields []xroad.Field, body io.Reader, length int64, seen *observed) (*backend.Response, error) {
	target := in.target.Upstream(s.client.Path())
	if g.traces == nil {
		return s.client.Do(ctx, in.head.Method, target, fields, body, length)
	}
	fields, end := g.traceService(seen.span, s, in.head.Method, fields)
	resp, err := s.client.Do(ctx, in.head.Method, target, fields, body, length)
	status := 0
	if err == nil {
		status = resp.Status
	}
	end(status, err)
	return resp, err
}

// placed returns the lines of a head with the place of s in them, in the order of
// names. What systems of another trace noted goes when the trace begins with s.
func placed(fields []xroad.Field, s tracing.Span) []xroad.Field {
	begins := !slices.ContainsFunc(fields, func(f xroad.Field) bool {
		c, ok := tracing.Parse(f.Value)
		return strings.EqualFold(f.Name, tracing.Header) && ok && c.Trace == s.Context.Trace
	})
	out := make([]xroad.Field, 0, len(fields)+1)
	for _, f := range fields {
		if strings.EqualFold(f.Name, tracing.Header) || begins && strings.EqualFold(f.Name, tracing.StateHeader) {
			continue
		}
		out = append(out, f)
	}
	i, _ := slices.BinarySearchFunc(out, tracing.Header, func(f xroad.Field, name string) int { return strings.Compare(f.Name, name) })
	return slices.Insert(out, i, xroad.Field{Name: tracing.Header, Value: s.Context.String()})
}

// traceOf is the place that the lines of a request name; one that is named twice is
// none (W3C Trace Context, 3.2).
func traceOf(fields []xroad.Field) (v string) {
	for _, f := range fields {
		if strings.EqualFold(f.Name, tracing.Header) {
			if v != "" {
				return ""
			}
			v = f.Value
		}
	}
	return v
}
