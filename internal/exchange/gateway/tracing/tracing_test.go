package tracing

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

func TestParse(t *testing.T) {
	for s, ok := range map[string]bool{
		example: true, strings.Replace(example, "-01", "-00", 1): true, strings.Replace(example, "-01", "-ff", 1): true,
		"cc" + example[2:]: true, "cc" + example[2:] + "-more": true,
		"": false, example + "-more": false, "cc" + example[2:] + ".": false, "ff" + example[2:]: false, strings.ToUpper(example): false,
		strings.Replace(example, "4bf92f3577b34da6a3ce929d0e0e4736", strings.Repeat("0", 32), 1): false,
		strings.Replace(example, "00f067aa0ba902b7", strings.Repeat("0", 16), 1):                 false,
		example[:54]: false, strings.Replace(example, "4", "g", 1): false, strings.Replace(example, "-", "_", 1): false,
	} {
		c, got := Parse(s)
		if got != ok || got != c.Valid() {
			t.Errorf("%q: %v, %+v", s, got, c)
		}
	}
	if c, _ := Parse(example); c.String() != example || !c.Sampled() {
		t.Errorf("%s", c)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(example)
	f.Add("cc" + example[2:] + "-x")
	f.Add("00-00000000000000000000000000000000-0000000000000000-00")
	f.Fuzz(func(t *testing.T, s string) {
		c, ok := Parse(s)
		if !ok {
			return
		}
		if again, ok := Parse(c.String()); !ok || again != c {
			t.Errorf("%q reads as %s", s, c)
		}
	})
}

func count(t *testing.T, tr *Tracer, outcome string) float64 {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(tr.spans)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range families[0].GetMetric() {
		if m.GetLabel()[0].GetValue() == outcome {
			return m.GetCounter().GetValue()
		}
	}
	t.Fatalf("nothing counts %s", outcome)
	return 0
}

func tracer(t *testing.T, h http.HandlerFunc, set Settings) *Tracer {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	set.Endpoint = s.URL + "/v1/traces"
	tr, err := New(set, prometheus.NewRegistry(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return tr
}

func (t *Tracer) some(n int) {
	for range n {
		s := t.Start("", time.Unix(1, 0))
		t.End(s, Ended{Name: strings.Repeat("x", 2*maxText) + "\xff", Kind: Server, At: time.Unix(2, 0), Attrs: []Attr{{Key: "k", Text: "\xff"}}})
	}
}

func TestNilTracer(t *testing.T) {
	var tr *Tracer
	s := tr.Start(example, time.Now())
	tr.End(tr.Child(s, time.Now()), Ended{})
	if s.Recorded() || s.Context.Valid() {
		t.Errorf("%+v", s)
	}
	if tr, err := New(Settings{}, nil, nil); tr != nil || err != nil {
		t.Errorf("%v, %v", tr, err)
	}
}

// A queue that is full drops and counts; what is left goes out at the end.
func TestFullQueue(t *testing.T) {
	tr := tracer(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `{}`) }, Settings{Queue: 10, Batch: 4})
	tr.some(25)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tr.Run(ctx)
	if count(t, tr, dropped) != 15 || count(t, tr, sent) != 10 {
		t.Errorf("dropped %v, sent %v", count(t, tr, dropped), count(t, tr, sent))
	}
}

// What the collector says decides whether a batch is sent again.
func TestCollectorAnswers(t *testing.T) {
	for _, c := range []struct {
		name, body                   string
		statuses                     []int
		sent, failed, rejected, asks float64
	}{
		{"again", `{}`, []int{503, 200}, 3, 0, 0, 2},
		{"never again", `{}`, []int{400}, 0, 3, 0, 1},
		{"redirected", `{}`, []int{307}, 0, 3, 0, 1},
		{"some rejected", `{"partialSuccess":{"rejectedSpans":"2","errorMessage":"no"}}`, []int{200}, 1, 0, 2, 1},
		{"more rejected than sent", `{"partialSuccess":{"rejectedSpans":9}}`, []int{200}, 0, 0, 3, 1},
		{"not JSON", `<html>`, []int{200}, 3, 0, 0, 1},
	} {
		var asked atomic.Int64
		tr := tracer(t, func(w http.ResponseWriter, r *http.Request) {
			i := asked.Add(1)
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.statuses[min(int(i), len(c.statuses))-1])
			io.WriteString(w, c.body)
		}, Settings{})
		tr.some(3)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		tr.Run(ctx)
		if count(t, tr, sent) != c.sent || count(t, tr, failed) != c.failed || count(t, tr, rejected) != c.rejected || float64(asked.Load()) != c.asks {
			t.Errorf("%s: sent %v, failed %v, rejected %v, asked %d times", c.name, count(t, tr, sent), count(t, tr, failed), count(t, tr, rejected), asked.Load())
		}
	}
}

// The share of traces that begin here; who began a trace decides for it.
func TestShare(t *testing.T) {
	tr := tracer(t, nil, Settings{Share: 0.25, ShareSet: true})
	n := 0
	for range 4000 {
		if tr.Start("", time.Time{}).Recorded() {
			n++
		}
	}
	if n < 800 || n > 1200 {
		t.Errorf("%d of 4000", n)
	}
	if s := tr.Start(example, time.Time{}); !s.Recorded() || !s.Remote || s.Context.String()[:35] != example[:35] {
		t.Errorf("%+v", s)
	}
	if s := tr.Start(strings.Replace(example, "-01", "-00", 1), time.Time{}); s.Recorded() || tr.Child(s, time.Time{}).Recorded() {
		t.Errorf("%+v", s)
	}
	none := tracer(t, nil, Settings{ShareSet: true, Alone: true})
	if s := none.Start(example, time.Time{}); s.Recorded() {
		t.Errorf("%+v", s)
	}
}
