package gateway

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// gotSpan is a span as a collector sees it.
type gotSpan struct {
	TraceID, SpanID, ParentSpanID, Name string
	Kind, Flags                         int
	StartTimeUnixNano, EndTimeUnixNano  string
	Attributes                          []struct {
		Key   string
		Value struct{ StringValue, IntValue string }
	}
	Status   struct{ Code int }
	instance string // of the resource
}

func (s gotSpan) attr(key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.StringValue + a.Value.IntValue
		}
	}
	return ""
}

// collector takes spans by OTLP over HTTP.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []gotSpan
	raw   strings.Builder
	bad   []string
}

func newCollector(t *testing.T) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		c.mu.Lock()
		defer c.mu.Unlock()
		if r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/json" || r.Header.Get("X-Token") != "a,b" {
			c.bad = append(c.bad, fmt.Sprint(r.Method, r.URL, r.Header))
		}
		var in struct {
			ResourceSpans []struct {
				Resource   gotSpan
				ScopeSpans []struct{ Spans []gotSpan }
			}
		}
		if err := json.Unmarshal(b, &in); err != nil {
			c.bad = append(c.bad, err.Error())
		}
		c.raw.Write(b)
		for _, rs := range in.ResourceSpans {
			for _, ss := range rs.ScopeSpans {
				for _, s := range ss.Spans {
					s.instance = rs.Resource.attr("service.instance.id")
					c.spans = append(c.spans, s)
				}
			}
		}
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, "{}")
	}))
	t.Cleanup(c.Close)
	return c
}

// of returns the spans of a trace by instance and kind.
func (c *collector) of(trace string) map[string]gotSpan {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[string]gotSpan{}
	for _, s := range c.spans {
		if s.TraceID == trace {
			out[fmt.Sprint(s.instance, " ", s.Kind)] = s
		}
	}
	return out
}

// traced is a pair whose gateways send their spans to a collector.
func traced(t *testing.T, h http.Handler) (*pairing, *collector) {
	c := newCollector(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", c.URL)
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "X-Token=a%2Cb")
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "20")
	return newPair(t, h, nil), c
}

// One trace goes through both gateways: each span hangs below the one that caused
// it, from the client system's own to what the service sees.
func TestTraceOverTwoGateways(t *testing.T) {
	var mu sync.Mutex
	var seen, state string
	p, c := traced(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen, state = r.Header.Get("Traceparent"), r.Header.Get("Tracestate")
		if strings.HasSuffix(r.URL.Path, "/404") {
			http.NotFound(w, r)
		}
	}))
	const trace, client = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	townNode, civilNode := town+"/n1", civil+"/n1"
	complete := func(trace string, n int) map[string]gotSpan {
		t.Helper()
		p.eventually("the spans are with the collector", func() bool { return len(c.of(trace)) == n })
		return c.of(trace)
	}
	if a := p.asks.call("GET", r1("/acts/1990-secret?name=secret"), nil, "Traceparent", "00-"+trace+"-"+client+"-01", "Tracestate", "k=v", "X-Road-Id", "m-1", "X-Road-UserId", "subject:secret"); a.status != 200 {
		t.Fatalf("%+v", a)
	}
	got := complete(trace, 4)
	edge, call, answer, service := got[townNode+" 2"], got[townNode+" 3"], got[civilNode+" 2"], got[civilNode+" 3"]
	for what, pair := range map[string][2]string{"edge": {edge.ParentSpanID, client}, "call": {call.ParentSpanID, edge.SpanID}, "answer": {answer.ParentSpanID, call.SpanID},
		"service": {service.ParentSpanID, answer.SpanID}, "what the service sees": {seen, "00-" + trace + "-" + service.SpanID + "-01"}} {
		if pair[0] != pair[1] || len(pair[0]) < 16 {
			t.Errorf("%s: %q, want %q", what, pair[0], pair[1])
		}
	}
	if state != "k=v" {
		t.Errorf("the state of the trace is %q", state)
	}
	if edge.attr("diwan.exchange.message_id") != "m-1" || answer.attr("diwan.exchange.message_id") != "m-1" || edge.attr("diwan.exchange.request_id") != answer.attr("diwan.exchange.request_id") ||
		edge.attr("http.response.status_code") != "200" || answer.attr("rpc.method") != births || edge.attr("diwan.exchange.client") != desk || service.attr("server.address") != "127.0.0.1" {
		t.Errorf("attributes: %+v", got)
	}
	if edge.StartTimeUnixNano > edge.EndTimeUnixNano || edge.Flags != 0x301 || call.Flags != 0x101 {
		t.Errorf("%+v", edge)
	}
	c.mu.Lock()
	if text := c.raw.String(); strings.Contains(text, "secret") || len(c.bad) > 0 {
		t.Errorf("what must not be told is told, or not as agreed: %v %s", c.bad, text)
	}
	c.mu.Unlock()

	// A trace that begins here; the service's own failure, and one of the exchange.
	p.asks.call("GET", r1("/acts/404"), nil)
	mu.Lock()
	began := strings.Split(seen, "-")[1]
	mu.Unlock()
	got = complete(began, 4)
	if s := got[civilNode+" 3"]; s.Status.Code != 2 || s.attr("error.type") != "404" || got[townNode+" 2"].ParentSpanID != "" || got[townNode+" 2"].Status.Code != 0 {
		t.Errorf("%+v", got)
	}
	const denied = "5bf92f3577b34da6a3ce929d0e0e4736"
	p.asks.call("GET", r1("/nothing"), nil, "Traceparent", "00-"+denied+"-"+client+"-01")
	got = complete(denied, 3)
	for name, s := range got {
		if s.Status.Code != 2 || s.attr("error.type") != "server.serverproxy.access_denied" {
			t.Errorf("%s: %+v", name, s)
		}
	}
	// Who began it does not want it recorded.
	const quiet = "6bf92f3577b34da6a3ce929d0e0e4736"
	p.asks.call("GET", r1("/acts/2"), nil, "Traceparent", "00-"+quiet+"-"+client+"-00")
	mu.Lock()
	if !strings.HasPrefix(seen, "00-"+quiet) || !strings.HasSuffix(seen, "-00") {
		t.Errorf("the service saw %q", seen)
	}
	mu.Unlock()
	p.asks.end()
	p.answers.end()
	if n := len(c.of(quiet)); n != 0 {
		t.Errorf("%d spans of a trace that is not recorded", n)
	}
}

// A collector that does not answer holds up no message, and what it did not take is
// counted.
func TestCollectorAway(t *testing.T) {
	stuck := make(chan struct{})
	c := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-stuck:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(c.Close)
	t.Cleanup(func() { close(stuck) })
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", c.URL)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "1")
	t.Setenv("OTEL_BSP_MAX_QUEUE_SIZE", "4")
	t.Setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "600000")
	p := newPair(t, acts(t), nil)
	for i := range 20 {
		if a := p.asks.call("GET", r1(fmt.Sprint("/acts/", i)), nil); a.status != 200 {
			t.Fatalf("%+v", a)
		}
	}
	p.eventually("dropped spans are counted", func() bool {
		resp, err := http.Get("http://" + p.asks.Addresses().Admin + "/metrics")
		if err != nil {
			return false
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		_, rest, ok := strings.Cut(string(b), `diwan_exchange_spans_total{outcome="dropped"} `)
		return ok && !strings.HasPrefix(rest, "0")
	})
}

// Without a collector nothing is made, sent or changed.
func TestTracesOff(t *testing.T) {
	var traced atomic.Bool
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { traced.Store(r.Header["Traceparent"] != nil) }), nil)
	if p.asks.traces != nil || p.answers.traces != nil {
		t.Fatal("there is a tracer")
	}
	if p.asks.call("GET", r1("/acts/1"), nil); traced.Load() {
		t.Error("the service saw a trace that nobody began")
	}
	if strings.Contains(p.lines.String(), "exchange: span") {
		t.Error("a span was told")
	}
}

func TestTracesConfig(t *testing.T) {
	env := func(kv ...string) func(string) string {
		return func(k string) string {
			for i := 0; i < len(kv); i += 2 {
				if kv[i] == k {
					return kv[i+1]
				}
			}
			return ""
		}
	}
	half := 0.5
	c := TracesConfig{Endpoint: "http://c:4318/v1/traces", Share: &half}
	s, err := c.settings(env())
	if err != nil || s.Endpoint != c.Endpoint || s.Share != 0.5 {
		t.Errorf("%+v, %v", s, err)
	}
	s, err = c.settings(env("OTEL_EXPORTER_OTLP_ENDPOINT", "https://other/base/", "OTEL_TRACES_SAMPLER", "parentbased_always_on", "OTEL_SERVICE_NAME", "x"))
	if err != nil || s.Endpoint != "https://other/base/v1/traces" || s.Share != 1 || s.Resource[0].Text != "x" {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err = c.settings(env("OTEL_SDK_DISABLED", "true")); err != nil || s.Endpoint != "" {
		t.Errorf("%+v, %v", s, err)
	}
	for _, bad := range [][]string{{"OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}, {"OTEL_EXPORTER_OTLP_HEADERS", "secret"}, {"OTEL_EXPORTER_OTLP_HEADERS", "a=b%0d%0ac"},
		{"OTEL_TRACES_SAMPLER", "sometimes"}, {"OTEL_TRACES_SAMPLER", "traceidratio", "OTEL_TRACES_SAMPLER_ARG", "2"}, {"OTEL_BSP_MAX_QUEUE_SIZE", "10000000"}, {"OTEL_EXPORTER_OTLP_TIMEOUT", "-1"},
		{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://user:pass@host/v1/traces"}} {
		if _, err := c.settings(env(bad...)); err == nil {
			t.Errorf("%v passes", bad)
		} else if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "pass@") {
			t.Errorf("%v: the error repeats a secret: %v", bad, err)
		}
	}
}
