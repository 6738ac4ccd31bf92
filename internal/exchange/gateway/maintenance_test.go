package gateway

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"diwan/internal/exchange"
)

// Maintenance lasts over a restart, with who closed the node and since when, and the
// directory comes to know of it whether it could be reached or not.
func TestMaintenanceOverRestart(t *testing.T) { engines(t, testMaintenanceOverRestart) }

func testMaintenanceOverRestart(t *testing.T) {
	p := newPair(t, acts(t), nil)
	known := func() exchange.Node {
		m, err := p.x.Member(t.Context(), civil)
		p.ok(err)
		return m.Nodes[0]
	}
	closed := func(what string) {
		t.Helper()
		p.eventually("it is asked: "+what, func() bool { // a connection to a process that is gone is found out first
			return p.asks.call("GET", r1("/acts/1"), nil).errorType() == "server.serverproxy.maintenance_mode"
		})
	}
	restart := func() {
		t.Helper()
		p.answers.end()
		p.answers = p.start(p.civil)
	}
	p.down.Store(true)
	p.portal.CloseClientConnections()
	p.ok(p.answers.CloseFor(t.Context(), "a disk is replaced", "Operator A"))
	closed("closed while the directory is away")
	since := p.answers.Status().Closure.Since
	restart()
	closed("after a restart")
	s := p.answers.Status()
	if c := s.Closure; !s.Maintenance || s.Ready || c == nil || c.Reason != "a disk is replaced" || c.By != "Operator A" || !c.Since.Equal(since.Truncate(1000)) || c.Told {
		t.Errorf("after a restart: %+v %+v", s, c)
	}
	if known().Maintenance != "" {
		t.Error("the directory knows what nobody could tell it")
	}
	p.down.Store(false)
	p.eventually("the directory is told", func() bool { return known().Maintenance != "" })
	if n := known(); n.MaintenanceBy != "Operator A" || !n.MaintenanceSince.Equal(since.Truncate(1000)) || n.Maintenance != "a disk is replaced" {
		t.Errorf("the directory knows %+v", n)
	}
	p.eventually("it is known to be told", func() bool { return p.answers.Status().Closure.Told })
	restart()
	closed("after another restart")
	if !p.answers.Status().Closure.Told {
		t.Error("what was told is told again")
	}
	if !slices.ContainsFunc(p.answers.SelfTest(t.Context()), func(c Check) bool {
		return c.Code == "selftest.maintenance" && c.Verdict == Doubt && strings.Contains(c.Text, "Operator A")
	}) {
		t.Error("the self-test says nothing of it")
	}

	p.down.Store(true)
	p.portal.CloseClientConnections()
	p.ok(p.answers.Reopen(t.Context()))
	restart()
	p.eventually("it is open again", func() bool { return p.asks.call("GET", r1("/acts/1"), nil).status == 200 })
	p.down.Store(false)
	p.eventually("the directory knows that it is open", func() bool {
		n := known()
		return n.Maintenance == "" && n.MaintenanceBy == "" && n.MaintenanceSince.IsZero()
	})
	if p.answers.Status().Closure != nil {
		t.Error("a node that is open says that it is closed")
	}
}

// From beside its gateway a node is closed whether that runs or not; what lacks a
// reason or a name closes nothing.
func TestMaintenanceFromBeside(t *testing.T) { engines(t, testMaintenanceFromBeside) }

func testMaintenanceFromBeside(t *testing.T) {
	p := newPair(t, acts(t), nil)
	ctx := t.Context()
	cfg := p.civil
	cfg.Admin.Listen = p.answers.Addresses().Admin
	set := func(wantRunning bool, reason, by string) {
		t.Helper()
		running, err := Maintenance(ctx, cfg, reason, by, p.clock)
		if err != nil || running != wantRunning {
			t.Errorf("%q by %q: %v, %v", reason, by, running, err)
		}
	}
	for _, bad := range [][2]string{{"why", ""}, {"why\n", "who"}, {strings.Repeat("x", maxReason+1), "who"}, {"why", strings.Repeat("x", maxBy+1)}} {
		if _, err := Maintenance(ctx, cfg, bad[0], bad[1], p.clock); err == nil {
			t.Errorf("%q is taken", bad)
		}
		req, _ := http.NewRequest(http.MethodPut, "http://"+cfg.Admin.Listen+"/maintenance", nil)
		req.URL.RawQuery = "reason=" + strings.ReplaceAll(bad[0], "\n", "%0a") + "&by=" + bad[1]
		resp, err := http.DefaultClient.Do(req)
		p.ok(err)
		var said map[string]string
		json.NewDecoder(resp.Body).Decode(&said)
		resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest || said["error"] == "" {
			t.Errorf("%q over HTTP: %d %v", bad, resp.StatusCode, said)
		}
	}
	set(true, "moving", "B")
	if c := p.answers.Status().Closure; c == nil || c.By != "B" || !c.Told {
		t.Errorf("%+v", c)
	}
	other := cfg
	other.Node = "n9"
	if _, err := Maintenance(ctx, other, "moving", "B", p.clock); err == nil {
		t.Error("another node's gateway was told")
	}
	set(true, "", "")
	if p.answers.Status().Maintenance {
		t.Error("it is still closed")
	}
	p.answers.end()
	set(false, "moving again", "C")
	p.answers = p.start(p.civil)
	if c := p.answers.Status().Closure; c == nil || c.By != "C" || c.Reason != "moving again" {
		t.Errorf("after its start: %+v", c)
	}
}
