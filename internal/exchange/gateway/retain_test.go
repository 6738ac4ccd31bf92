package gateway

import (
	"strings"
	"testing"
	"time"
)

// What is older than the law asks for is forgotten, and the journal says so itself.
func TestRetention(t *testing.T) { engines(t, testRetention) }

func testRetention(t *testing.T) {
	p := newPair(t, acts(t), func(p *pairing, _ *Terms) { p.civil.RetentionDays = 30 })
	long := strings.Repeat("x", 30<<10)
	for range 40 { // past a segment of 1 MiB
		if a := p.asks.call("POST", r1("/acts"), strings.NewReader("a"), "X-Long", long); a.status != 201 {
			t.Fatalf("%+v", a)
		}
	}
	p.asks.call("POST", r1("/acts"), strings.NewReader("a"), "X-Road-Id", "kept")
	p.eventually("indexed", func() bool {
		l, err := p.answers.Exchanges(t.Context(), Search{})
		return err == nil && len(l) == 41
	})
	p.ok(p.answers.retain(t.Context()))
	if l, _ := p.answers.Exchanges(t.Context(), Search{}); len(l) != 41 {
		t.Errorf("too early: %d are left", len(l))
	}
	p.clock.turn(31 * 24 * time.Hour)
	p.eventually("the directory is fresh", func() bool { return p.asks.valid(p.clock.Now()) != nil && p.answers.valid(p.clock.Now()) != nil })
	if a := p.asks.call("GET", r1("/acts/1"), nil); a.status != 200 {
		t.Fatalf("%+v", a)
	}
	p.ok(p.answers.retain(t.Context()))
	r := p.answers.journal.Reader(1)
	defer r.Close()
	if _, err := r.Next(); err == nil {
		t.Error("the oldest records are still there")
	}
	l, err := p.answers.Exchanges(t.Context(), Search{To: p.clock.Now().Add(-time.Hour)})
	if err != nil || len(l) != 0 {
		t.Errorf("the index still has %d, %v", len(l), err)
	}
	// The claims of a day are forgotten too: the id may be used again.
	if a := p.asks.call("POST", r1("/acts"), strings.NewReader("other"), "X-Road-Id", "kept"); a.status != 201 {
		t.Errorf("%+v", a)
	}
}
