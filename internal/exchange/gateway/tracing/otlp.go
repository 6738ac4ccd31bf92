package tracing

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The messages of OTLP 1 (opentelemetry-proto, trace.proto) in their JSON form:
// identifiers in hexadecimal, 64-bit numbers as texts.
type (
	exportRequest struct {
		ResourceSpans []resourceSpans `json:"resourceSpans"`
	}
	resourceSpans struct {
		Resource   resource     `json:"resource"`
		ScopeSpans []scopeSpans `json:"scopeSpans"`
		SchemaURL  string       `json:"schemaUrl"`
	}
	resource struct {
		Attributes []keyValue `json:"attributes"`
	}
	scopeSpans struct {
		Scope scope  `json:"scope"`
		Spans []span `json:"spans"`
	}
	scope struct {
		Name string `json:"name"`
	}
	span struct {
		TraceID      string     `json:"traceId"`
		SpanID       string     `json:"spanId"`
		ParentSpanID string     `json:"parentSpanId,omitempty"`
		Flags        uint32     `json:"flags"`
		Name         string     `json:"name"`
		Kind         Kind       `json:"kind"`
		Start        string     `json:"startTimeUnixNano"`
		End          string     `json:"endTimeUnixNano"`
		Attributes   []keyValue `json:"attributes,omitempty"`
		Status       *status    `json:"status,omitempty"`
	}
	status struct {
		Message string `json:"message,omitempty"`
		Code    int    `json:"code"`
	}
	keyValue struct {
		Key   string `json:"key"`
		Value value  `json:"value"`
	}
	value struct {
		String *string `json:"stringValue,omitempty"`
		Int    string  `json:"intValue,omitempty"`
	}
	exportResponse struct {
		Partial struct {
			Rejected json.Number `json:"rejectedSpans"` // a text or a number
			Message  string      `json:"errorMessage"`
		} `json:"partialSuccess"`
	}
)

const (
	scopeName = "diwan/exchange"
	// schema is the version of the semantic conventions that names are of.
	schema      = "https://opentelemetry.io/schemas/1.43.0"
	statusError = 2
	// Flags of a span beyond the trace's own: whether the parent is known to be in
	// another process, and whether it is.
	flagHasRemote = 0x100
	flagRemote    = 0x200
)

func attributes(list []Attr) []keyValue {
	out := make([]keyValue, 0, len(list))
	for _, a := range list[:min(len(list), maxAttrs)] {
		v := value{}
		if a.Number != 0 {
			v.Int = strconv.FormatInt(a.Number, 10)
		} else {
			text := cut(a.Text)
			v.String = &text
		}
		out = append(out, keyValue{a.Key, v})
	}
	return out
}

// cut bounds a text and keeps it UTF-8.
func cut(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
	}
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "")
	}
	return s
}

func (f *finished) span() span {
	c := f.Context
	s := span{TraceID: hex.EncodeToString(c.Trace[:]), SpanID: hex.EncodeToString(c.Span[:]), Flags: uint32(c.Flags) | flagHasRemote, Name: cut(f.Name), Kind: f.Kind,
		Start: strconv.FormatInt(f.Begin.UnixNano(), 10), End: strconv.FormatInt(f.At.UnixNano(), 10), Attributes: attributes(f.Attrs)}
	if f.Parent != [8]byte{} {
		s.ParentSpanID = hex.EncodeToString(f.Parent[:])
	}
	if f.Remote {
		s.Flags |= flagRemote
	}
	if f.Failed {
		s.Status = &status{cut(f.Why), statusError}
	}
	return s
}

// maxTries bounds how often a batch is sent; while it is, the queue fills.
const maxTries = 4

// firstPause is before the second try; each further one waits twice as long.
const firstPause = 500 * time.Millisecond

// maxPause bounds what a collector may ask us to wait.
const maxPause = 30 * time.Second

// send sends a batch, more than once where the specification says that it may help.
func (t *Tracer) send(ctx context.Context, batch []finished) {
	if len(batch) == 0 {
		return
	}
	spans := make([]span, len(batch))
	for i := range batch {
		spans[i] = batch[i].span()
	}
	body, err := json.Marshal(exportRequest{[]resourceSpans{{resource{attributes(t.set.Resource)}, []scopeSpans{{scope{scopeName}, spans}}, schema}}})
	n := float64(len(batch))
	pause := firstPause
	for try := 1; err == nil; try++ {
		var refused int64
		var wait time.Duration
		if refused, wait, err = t.post(ctx, body); err == nil {
			refused = min(max(refused, 0), int64(len(batch)))
			t.spans.WithLabelValues(rejected).Add(float64(refused))
			t.spans.WithLabelValues(sent).Add(n - float64(refused))
			return
		}
		if wait < 0 || try == maxTries || !sleep(ctx, max(wait, pause)) {
			break
		}
		pause, err = 2*pause, nil
	}
	t.spans.WithLabelValues(failed).Add(n)
	t.log.Warn("exchange: the collector of traces did not take a batch", "spans", len(batch), "err", err)
}

func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(min(d, maxPause))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// post sends a batch once. wait says how long to wait at least before it is sent
// again; below zero it is not.
func (t *Tracer) post(ctx context.Context, body []byte) (refused int64, wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.set.Endpoint, bytes.NewReader(body))
	if err != nil {
		return 0, -1, err
	}
	for k, v := range t.set.Headers {
		req.Header.Set(k, v)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "diwan")
	resp, err := t.client.Do(req)
	if err != nil {
		return 0, 0, err
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted, http.StatusNoContent:
		var r exportResponse
		if json.Unmarshal(answer, &r) == nil {
			refused, _ = r.Partial.Rejected.Int64()
		}
		if refused > 0 {
			t.log.Warn("exchange: the collector of traces rejected spans", "spans", refused, "why", cut(r.Partial.Message))
		}
		return refused, 0, nil
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
			wait = time.Duration(min(s, int(maxPause/time.Second))) * time.Second
		}
	default:
		wait = -1
	}
	return 0, wait, fmt.Errorf("it answered %s", resp.Status)
}
