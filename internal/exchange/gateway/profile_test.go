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
	"time"

	"diwan/internal/exchange/gateway/directory"
)

func TestEventsReachSubscribers(t *testing.T) { engines(t, testEventsReachSubscribers) }

func testEventsReachSubscribers(t *testing.T) {
	type got struct{ subject, id string }
	var mu sync.Mutex
	var list []got
	var failing atomic.Pointer[string]
	none := "-"
	failing.Store(&none)
	system := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var e struct {
			ID, Subject string
			Data        map[string]any
		}
		json.NewDecoder(r.Body).Decode(&e)
		if e.Subject == *failing.Load() {
			w.WriteHeader(500)
			return
		}
		if e.Data["secret"] != nil {
			t.Error("a field that was not agreed on")
		}
		mu.Lock()
		defer mu.Unlock()
		list = append(list, got{e.Subject, e.ID})
	}))
	defer system.Close()
	p := newPair(t, acts(t), func(p *pairing, terms *Terms) {
		terms.Events = []string{"birth.registered"}
		terms.Fields = []string{"name"}
		p.civil.Clients = []ClientConfig{{Subsystem: "REGISTRY", Plain: true}}
		p.town.Subscriptions = []SubscriptionConfig{{Name: "new", Client: "DESK", Service: births, URL: system.URL, Every: 20 * time.Millisecond, Attempts: 4}}
	})
	publish := func(id, subject string) answer {
		return p.answers.call("POST", "/events", strings.NewReader(fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/r","type":"birth.registered","subject":%q,"data":{"name":"n","secret":"s"}}`, id, subject)),
			"X-Road-Client", civil+"/REGISTRY", "Content-Type", "application/cloudevents+json")
	}
	bad := "b"
	failing.Store(&bad)
	for i := range 6 {
		for _, s := range []string{"a", "b"} {
			if a := publish(fmt.Sprintf("%s%d", s, i), s); a.status != 202 {
				t.Fatalf("%+v", a)
			}
		}
	}
	publish("a0", "a") // the same again
	count := func(subject string) (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, g := range list {
			if g.subject == subject {
				if g.id != fmt.Sprintf("%s%d", subject, n%6) {
					t.Errorf("out of order: %v", list)
				}
				n++
			}
		}
		return n
	}
	p.eventually("one subject goes on while another fails", func() bool { return count("a") == 6 })
	if count("b") != 0 {
		t.Error("the other subject came through")
	}
	p.eventually("what fails for good is set aside", func() bool {
		dead, err := p.asks.DeadEvents(t.Context(), "new")
		return err == nil && len(dead) == 6
	})
	failing.Store(&none)
	if n, err := p.asks.RetryDead(t.Context(), "new"); n != 6 || err != nil {
		t.Errorf("retried %d, %v", n, err)
	}
	p.eventually("and comes when it is tried again", func() bool { return count("b") == 6 })
	p.ok(p.asks.ReplayEvents(t.Context(), "new", 0))
	p.eventually("a replay brings all again", func() bool { return count("a") == 12 && count("b") == 12 })
	p.refuses("an event that nobody publishes", p.answers.call("POST", "/events", strings.NewReader(`{"specversion":"1.0","id":"x","source":"/r","type":"other"}`),
		"X-Road-Client", civil+"/REGISTRY", "Content-Type", "application/cloudevents+json"), "server.clientproxy.unknown_service")
}

func TestSecondProfile(t *testing.T) {
	listen := freePort(t)
	p := newPair(t, acts(t), func(p *pairing, _ *Terms) {
		p.civil.HTTP = HTTPConfig{Listen: listen, Address: "https://" + listen}
		p.civil.Link = LinkConfig{}
		p.ok(p.regsOff.Directory().SetNode(t.Context(), directory.NodeState{HTTP: p.civil.HTTP.Address}))
	})
	a := p.asks.call("GET", r1("/acts/4%202?x=1;y"), nil, "X-Road-Id", "h-1")
	if a.status != 200 || !strings.Contains(a.body, `"path":"/v1/acts/4%202"`) || a.header.Get("X-Road-Id") != "h-1" || a.header.Get("Content-Type") != "application/json" {
		t.Fatalf("%+v", a)
	}
	post := p.asks.call("POST", r1("/acts"), strings.NewReader("new"), "X-Road-Id", "h-2")
	if post.status != 201 {
		t.Errorf("%+v", post)
	}
	p.refuses("without a contract", p.asks.call("GET", r1("/other"), nil), "server.serverproxy.access_denied")
	for _, n := range []*node{p.asks, p.answers} {
		r := n.journal.Reader(1)
		notes := 0
		for {
			e, err := r.Next()
			if err == io.EOF {
				break
			}
			p.ok(err)
			if e.Type != noteHTTP {
				continue
			}
			notes++
			if err := VerifyNote(e, n.HTTPKey); err != nil {
				t.Errorf("%s: %v", n.cfg.Member, err)
			}
			e.Payload[len(e.Payload)-3] ^= 1
			if VerifyNote(e, n.HTTPKey) == nil {
				t.Error("an altered record verifies")
			}
		}
		r.Close()
		if notes != 5 {
			t.Errorf("%s has %d records of the profile, want 5", n.cfg.Member, notes)
		}
		p.eventually("indexed", func() bool {
			l, err := n.Exchanges(t.Context(), Search{Message: "h-1"})
			return err == nil && len(l) == 1 && l[0].Status == 200
		})
	}
}
