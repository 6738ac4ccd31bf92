package gateway

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// Two nodes of one member share a database: none is primary, a request is carried
// out once through whichever it comes, and one goes on when the other is gone.
func TestTwoNodesOfOneMember(t *testing.T) {
	engines(t, func(t *testing.T) {
		var calls atomic.Int64
		var second Config
		p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, calls.Add(1))
		}), func(p *pairing, _ *Terms) {
			second = p.joined(civil, "n2")
			second.Database, second.Services = p.civil.Database, p.civil.Services
		})
		other := p.start(second)
		p.eventually("the second node knows the contract", func() bool { return len(other.Contracts("")) == 1 })
		if _, _, err := other.keys.memberKey(); err == nil {
			t.Error("the second node made a member's key")
		}
		// Through one node by name, then through the other.
		post := func(node string) answer {
			return p.asks.call("POST", r1("/acts"), strings.NewReader("x"), "X-Road-Id", "once", "X-Road-Security-Server", civil+"/"+node)
		}
		a, b := post("n1"), post("n2")
		if a.status != 200 || a.body != b.body || calls.Load() != 1 {
			t.Errorf("%+v, %+v, %d calls", a, b, calls.Load())
		}
		p.answers.end()
		p.eventually("the other node answers", func() bool { return p.asks.call("GET", r1("/acts/1"), nil).status == 200 })
		p.answers = p.start(p.civil)
		other.end()
		p.eventually("and the first one again", func() bool { return p.asks.call("GET", r1("/acts/1"), nil).status == 200 })
	})
}

// Nodes behind one address, as behind a TCP balancer.
func TestVolumeOverNodes(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(make([]byte, 1000)) }), func(_ *pairing, terms *Terms) { terms.BytesPerDay = 2500 })
	for range 3 {
		if a := p.asks.call("GET", r1("/acts/1"), nil); a.status != 200 {
			t.Fatalf("%+v", a)
		}
	}
	p.refuses("past the volume", p.asks.call("GET", r1("/acts/1"), nil), "server.serverproxy.access_denied")
	p.ok(p.answers.flushCounters(t.Context()))
	p.answers.end()
	p.answers = p.start(p.civil)
	p.ok(p.answers.flushCounters(t.Context()))
	p.eventually("also after a restart", func() bool {
		a := p.asks.call("GET", r1("/acts/1"), nil)
		return strings.Contains(a.body, "limit")
	})
}
