package gateway

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
)

// A service and a client system come while both gateways run, and go again; a file
// that can't be read leaves everything as it was.
func TestReloadOfTheSystems(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `"first"`) }), nil)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, `"second"`) }))
	t.Cleanup(other.Close)
	ctx := t.Context()
	p.ok(p.townOffice.Directory().SetSubsystem(ctx, "COUNTER", map[string]string{"en": "Counter"}))
	p.ok(p.regsOff.Directory().SetService(ctx, "REGISTRY", "deaths", offer()))
	counter, deaths := town+"/COUNTER", civil+"/REGISTRY/deaths"
	terms := p.terms()
	terms.Client, terms.Service = counter, deaths
	p.agree(p.townOffice, p.regsOff, terms)

	p.refuses("before", p.asks.call("GET", "/r1/"+deaths+"/acts/1", nil, "X-Road-Client", counter), "server.clientproxy.unknown_member")
	keep := func(file string, more string) []byte {
		b, err := os.ReadFile(file)
		p.ok(err)
		p.ok(os.WriteFile(file, append(b, more...), 0o600))
		return b
	}
	before := keep(p.town.file, "\n[[client]]\nsubsystem = \"COUNTER\"\nplain = true\n")
	keep(p.civil.file, fmt.Sprintf("\n[[service]]\nsubsystem = \"REGISTRY\"\ncode = \"deaths\"\nurl = %q\n", other.URL))
	for _, n := range []*node{p.asks, p.answers} {
		p.ok(n.Reload(ctx))
	}
	if a := p.asks.call("GET", "/r1/"+deaths+"/acts/1", nil, "X-Road-Client", counter); a.status != 200 || a.body != `"second"` {
		t.Errorf("after: %d %s", a.status, a.body)
	}
	keep(p.town.file, "\n[[client]]\nsubsystem = 5\n")
	if err := p.asks.Reload(ctx); err == nil {
		t.Error("a file that can't be read is taken")
	}
	if a := p.asks.call("GET", "/r1/"+deaths+"/acts/1", nil, "X-Road-Client", counter); a.status != 200 {
		t.Errorf("after a file that can't be read: %d %s", a.status, a.body)
	}
	p.ok(os.WriteFile(p.town.file, before, 0o600))
	p.ok(p.asks.Reload(ctx))
	p.refuses("taken out again", p.asks.call("GET", "/r1/"+deaths+"/acts/1", nil, "X-Road-Client", counter), "server.clientproxy.unknown_member")
}
