package gateway

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// What both gateways recorded can be searched, and what is about a person reaches
// the directory from both sides, without content.
func TestIndexNoticesAndUsage(t *testing.T) { engines(t, testIndexNoticesAndUsage) }

func testIndexNoticesAndUsage(t *testing.T) {
	p := newPair(t, acts(t), nil)
	person := strings.Repeat("ab", 32)
	p.asks.call("GET", r1("/acts/77"), nil, "X-Road-Id", "s-1", "X-Road-UserId", "subject:"+person)
	p.asks.call("GET", r1("/acts/78"), nil, "X-Road-UserId", "EE123")
	p.asks.call("GET", r1("/nothing"), nil, "X-Road-Id", "s-2")
	for _, n := range []*node{p.asks, p.answers} {
		n := n
		p.eventually(n.cfg.Member+" has indexed all", func() bool {
			list, err := n.Exchanges(t.Context(), Search{})
			return err == nil && len(list) == 3 && list[0].Fault != ""
		})
		got, err := n.Exchanges(t.Context(), Search{Message: "s-1"})
		p.ok(err)
		if len(got) != 1 || got[0].Client != desk || got[0].Service != births || got[0].Status != 200 || got[0].Operation != "GET /acts/*" || got[0].Subject != person || got[0].Contract != p.hash || got[0].RequestSeq == 0 || got[0].ResponseSeq == 0 {
			t.Errorf("%s: %+v", n.cfg.Member, got)
		}
		if byPerson, _ := n.Exchanges(t.Context(), Search{Subject: person, Side: got[0].Side, From: p.clock.Now().Add(-time.Hour), To: p.clock.Now().Add(time.Hour), Status: 200}); len(byPerson) != 1 {
			t.Errorf("%s: by person %+v", n.cfg.Member, byPerson)
		}
		if faults, _ := n.Exchanges(t.Context(), Search{Failed: true}); len(faults) != 1 || faults[0].Fault != "server.serverproxy.access_denied" || faults[0].Message != "s-2" {
			t.Errorf("%s: failed %+v", n.cfg.Member, faults)
		}
	}
	p.eventually("the person sees it", func() bool {
		list, total, err := p.x.Accesses(t.Context(), person, 10, 0)
		return err == nil && total == 1 && list[0].Asked && list[0].Answered && list[0].Agreement != nil && list[0].Operation == "GET /acts/*"
	})
	p.ok(p.answers.flushCounters(t.Context()))
	p.ok(p.answers.sendUsage(t.Context()))
	traffic, err := p.x.Traffic(t.Context(), p.clock.Now().Add(-2*time.Hour), 10)
	if err != nil || len(traffic) != 1 || traffic[0].Calls != 3 || traffic[0].Errors != 1 {
		t.Errorf("traffic %+v, %v", traffic, err)
	}
	records, err := p.answers.Monitoring(t.Context(), p.clock.Now().Add(-time.Hour), 10)
	if err != nil || len(records) != 3 || records[0].ServerType != "Producer" || records[0].MessageUserID != "" || records[0].ServiceType != "OPENAPI3" {
		t.Errorf("monitoring %+v, %v", records, err)
	}
}

func TestTracesPassBothGateways(t *testing.T) {
	var seen atomic.Value
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { seen.Store(r.Header.Get("Traceparent")) }), nil)
	const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	p.asks.call("GET", r1("/acts/1"), nil, "Traceparent", trace)
	if seen.Load() != trace {
		t.Errorf("the service saw %q", seen.Load())
	}
	p.asks.call("GET", r1("/acts/1"), nil, "Traceparent", trace[:54]+"0")
	p.eventually("each gateway told its span once", func() bool {
		return strings.Count(p.lines.String(), "trace=4bf92f3577b34da6a3ce929d0e0e4736 parent=00f067aa0ba902b7") == 2
	})
}

func TestAdmin(t *testing.T) {
	p := newPair(t, acts(t), nil)
	p.asks.call("GET", r1("/acts/1"), nil)
	get := func(method, path, host string) (int, string) {
		req, _ := http.NewRequest(method, "http://"+p.asks.Addresses().Admin+path, nil)
		if host != "" {
			req.Host = host
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(b)
	}
	for path, want := range map[string]string{"/healthz": "ok", "/readyz": `"Ready":true`, "/metrics": `diwan_exchange_requests_total{outcome="2xx",side="asked"} 1`, "/contracts": p.hash, "/monitoring": "["} {
		if status, body := get("GET", path, ""); status != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, _ := get("GET", "/status", "evil.example"); status != http.StatusMisdirectedRequest {
		t.Errorf("another name: %d", status)
	}
	status, body := get("POST", "/selftest", "")
	var checks []Check
	if err := json.Unmarshal([]byte(body), &checks); err != nil || status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	seen := map[string]Verdict{}
	for _, c := range checks {
		seen[c.Code] = c.Verdict
		if c.Verdict == Bad {
			t.Errorf("%+v", c)
		}
	}
	for _, code := range []string{"selftest.directory.reachable", "selftest.clock.right", "selftest.name.known", "selftest.certificate.good", "selftest.port.open", "selftest.contract.live"} {
		if seen[code] != Good {
			t.Errorf("%s is %q", code, seen[code])
		}
	}
}

func TestSelfTestSaysWhatIsWrong(t *testing.T) {
	p := newPair(t, acts(t), nil)
	has := func(c Config, by time.Duration, code string) {
		t.Helper()
		clock := &turnedClock{}
		clock.turn(time.Duration(p.clock.by.Load()) + by)
		var codes []string
		for _, k := range SelfTest(t.Context(), c, clock) {
			codes = append(codes, k.Code)
			if k.Code == code {
				return
			}
		}
		t.Errorf("%s is not among %v", code, codes)
	}
	c := p.town
	has(c, 0, "selftest.contract.live")
	has(c, 5*time.Minute, "selftest.clock.off")
	has(c, 100*24*time.Hour, "selftest.certificate.expired")
	other := c
	other.Node = "n9"
	has(other, 0, "selftest.name.node_unknown")
	other = c
	other.Clients = []ClientConfig{{Subsystem: "NEW", Plain: true}}
	has(other, 0, "selftest.subsystem.unknown")
	other = c
	other.Link.Addresses = []string{freePort(t)}
	has(other, 0, "selftest.port.closed_not_running")
	other = c
	other.Services = []ServiceConfig{{Subsystem: "S", Code: "c", URL: "http://" + freePort(t)}}
	has(other, 0, "selftest.service.unreachable")
	p.down.Store(true)
	p.portal.CloseClientConnections()
	has(c, 0, "selftest.directory.unreachable")
	other = c
	other.Data = t.TempDir()
	has(other, 0, "selftest.keys")
}
