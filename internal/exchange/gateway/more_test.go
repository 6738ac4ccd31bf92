package gateway

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"crypto/rand"

	"diwan/internal/exchange/contract"
	"diwan/protocol/link"
)

func TestWhatIsRefusedAtTheEdge(t *testing.T) {
	p := newPair(t, acts(t), func(p *pairing, _ *Terms) {
		p.town.Clients = append(p.town.Clients, ClientConfig{Subsystem: "SAFE", Pins: []string{strings.Repeat("0", 64)}})
	})
	for _, c := range []struct {
		what, target, want string
		header             []string
	}{
		{"too few parts", "/r1/XX/GOV/CIVIL/births", "server.clientproxy.invalid_request", nil},
		{"another version", "/r2/" + births, "server.clientproxy.invalid_request", nil},
		{"no client", r1("/acts/1"), "server.clientproxy.invalid_client_identifier", []string{"X-Road-Client", ""}},
		{"a client of two parts", r1("/acts/1"), "server.clientproxy.invalid_client_identifier", []string{"X-Road-Client", "XX/COM"}},
		{"a client of another member", r1("/acts/1"), "server.clientproxy.unknown_member", []string{"X-Road-Client", civil + "/REGISTRY"}},
		{"a subsystem that is none of ours", r1("/acts/1"), "server.clientproxy.unknown_member", []string{"X-Road-Client", town + "/OTHER"}},
		{"a client with pins without a certificate", r1("/acts/1"), "server.clientproxy.ssl_authentication_failed", []string{"X-Road-Client", town + "/SAFE"}},
		{"an unknown provider", "/r1/XX/GOV/NOBODY/X/y/acts/1", "server.clientproxy.unknown_member", nil},
		{"an unknown service", "/r1/" + civil + "/REGISTRY/deaths/acts/1", "server.serverproxy.unknown_service", nil},
		{"a path that no contract names", r1("/other"), "server.serverproxy.access_denied", nil},
		{"a path upwards", r1("/acts/../admin"), "server.serverproxy.access_denied", nil},
		{"an encoded path upwards", r1("/acts/%2e%2e"), "server.serverproxy.access_denied", nil},
		{"an encoded slash", r1("/acts/a%2Fb"), "server.serverproxy.access_denied", nil},
		{"an encoded slash and dots", r1("/acts/x%2F..%2F..%2Fadmin"), "server.serverproxy.access_denied", nil},
		{"a doubly encoded path upwards", r1("/acts/%252e%252e"), "server.serverproxy.access_denied", nil},
		{"a backslash", r1("/acts/..%5Cadmin"), "server.serverproxy.access_denied", nil},
		{"an empty segment", r1("/acts//"), "server.serverproxy.access_denied", nil},
		{"a slash at the end", r1("/acts/1/"), "server.serverproxy.access_denied", nil},
		{"another case", r1("/ACTS/1"), "server.serverproxy.access_denied", nil},
		{"parameters before the rest", r1("/acts;v=1/1"), "server.serverproxy.access_denied", nil},
		{"a segment of parameters alone", r1("/acts/;v=1"), "server.serverproxy.access_denied", nil},
		{"the same, encoded", r1("/acts/%3Bv=1"), "server.serverproxy.access_denied", nil},
		{"upwards before parameters", r1("/acts/..;v=1/admin"), "server.serverproxy.access_denied", nil},
		{"an overlong path upwards", r1("/acts/%c0%ae%c0%ae"), "server.serverproxy.access_denied", nil},
		{"a path that stays where it is", r1("/./acts/1"), "server.serverproxy.access_denied", nil},
		{"an encoded slash in the service's name", "/r1/" + civil + "%2FREGISTRY/births/acts/1", "server.clientproxy.unknown_member", nil},
		{"a client in another spelling", r1("/acts/1"), "server.clientproxy.invalid_request", []string{"X_Road_Client", civil + "/REGISTRY", "X-Road-Client", desk}},
		{"a gateway of another member", r1("/acts/1"), "server.clientproxy.invalid_request", []string{"X-Road-Security-Server", "XX/GOV/OTHER/n1"}},
		{"an id that is too long", r1("/acts/1"), "server.clientproxy.invalid_request", []string{"X-Road-Id", strings.Repeat("x", 2000)}},
	} {
		a := p.asks.call("GET", c.target, nil, c.header...)
		p.refuses(c.what, a, c.want)
	}
	// Of two clients the last one counts.
	a := p.asks.call("GET", r1("/acts/1"), nil, "X-Road-Client", civil+"/REGISTRY", "X-Road-Client", desk)
	if a.status != 200 || a.header.Get("X-Road-Client") != desk {
		t.Errorf("two clients: %+v", a)
	}
	// The log names the one that counted, and no more of it than a line takes.
	bad := p.asks.call("GET", r1("/other"), nil, "X-Road-Client", civil+"/REGISTRY", "X-Road-Client", desk, "X-Road-Id", strings.Repeat("y", maxLogged+1))
	if line := p.logged("refused to the client", "client="+desk, "id="+strings.Repeat("y", maxLogged)); line == "" || strings.Contains(line, strings.Repeat("y", maxLogged+1)) || bad.errorType() == "" {
		t.Errorf("the log of two clients: %q", line)
	}
	// What a client says of the gateway's own headers does not pass.
	a = p.asks.call("GET", r1("/acts/1"), nil, "X-Road-Request-Id", "mine", "X-Road-Request-Hash", "mine")
	if a.status != 200 || a.header.Get("X-Road-Request-Id") == "mine" {
		t.Errorf("the gateway's headers: %+v", a)
	}
	xml := p.asks.call("GET", r1("/other"), nil, "Accept", "text/xml;q=1")
	if xml.header.Get("Content-Type") != "text/xml;charset=utf-8" || !strings.HasPrefix(xml.body, "<error><type>server.serverproxy.access_denied") {
		t.Errorf("an error in XML: %+v", xml)
	}
	if got := p.asks.call("DELETE", r1("/acts/1"), nil); got.errorType() != "server.serverproxy.access_denied" {
		t.Errorf("another method: %+v", got)
	}
}

func TestOlderErrorsAndMetaservices(t *testing.T) {
	p := newPair(t, acts(t), func(p *pairing, _ *Terms) { p.town.ErrorStyle = "older" })
	if a := p.asks.call("GET", r1("/other"), nil); a.errorType() != "Server.ServerProxy.AccessDenied" {
		t.Errorf("%+v", a)
	}
	base := "/r1/" + civil + "/REGISTRY/"
	for _, name := range []string{"listMethods", "allowedMethods"} {
		a := p.asks.call("GET", base+name, nil)
		if a.status != 200 || !strings.Contains(a.body, `"service_code":"births"`) || !strings.Contains(a.body, `"/acts/*"`) || a.header.Get("X-Road-Request-Hash") == "" {
			t.Errorf("%s: %+v", name, a)
		}
	}
	a := p.asks.call("GET", base+"getOpenAPI?SERVICECODE=births", nil)
	if a.status != 200 || strings.Contains(a.body, "in.side") || !strings.Contains(a.body, `"url":"/v1"`) {
		t.Errorf("getOpenAPI: %+v", a)
	}
	p.refuses("getOpenAPI without a service", reStyle(p.asks.call("GET", base+"getOpenAPI", nil)), "server.serverproxy.invalid_request")
	p.refuses("getOpenAPI of no service", reStyle(p.asks.call("GET", base+"getOpenAPI?serviceCode=x", nil)), "server.serverproxy.internal_error")
	list := p.asks.call("GET", "/listClients", nil, "Accept", "application/json")
	if list.status != 200 || !strings.Contains(list.body, `"subsystem_code":"REGISTRY"`) {
		t.Errorf("listClients: %+v", list)
	}
	if a := p.asks.call("GET", "/listClients?xRoadInstance=YY", nil, "Accept", "text/xml"); a.status != 200 || strings.Contains(a.body, "CIVIL") {
		t.Errorf("listClients of another instance: %+v", a)
	}
}

func reStyle(a answer) answer {
	for old, now := range map[string]string{"Server.ServerProxy.InvalidRequest": "server.serverproxy.invalid_request", "Server.ServerProxy.InternalError": "server.serverproxy.internal_error"} {
		if a.errorType() == old {
			a.header.Set("X-Road-Error", now)
			a.body = strings.ReplaceAll(a.body, old, now)
		}
	}
	return a
}

func TestFieldsLimitsAndMaintenance(t *testing.T) {
	kind := atomic.Pointer[string]{}
	set := func(s string) { kind.Store(&s) }
	set("application/json")
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "" || r.Header.Get("Range") != "" {
			t.Error("the service may encode what must be filtered")
		}
		w.Header().Set("Content-Type", *kind.Load())
		w.Header().Set("ETag", `"of the whole"`)
		io.WriteString(w, `{"name":"A","secret":"s","children":[{"name":"B","secret":"t"}]}`)
	}), func(p *pairing, terms *Terms) {
		terms.Fields = []string{"name", "children.name"}
		terms.CallsPerMinute = 3
	})
	// The calls of one minute are counted together: begin with a whole one.
	now := p.clock.Now()
	p.clock.turn(now.Truncate(time.Minute).Add(time.Minute).Sub(now))
	a := p.asks.call("GET", r1("/acts/1"), nil, "Accept-Encoding", "gzip", "Range", "bytes=0-1")
	if a.body != `{"name":"A","children":[{"name":"B"}]}` || a.header.Get("Etag") != "" {
		t.Errorf("filtered: %+v", a)
	}
	set("text/html")
	p.refuses("an answer that is not JSON", p.asks.call("GET", r1("/acts/1"), nil), "server.serverproxy.service_failed")
	set("application/json")
	p.ok(p.answers.CloseFor(t.Context(), "moving", "who"))
	p.refuses("a gateway in maintenance", p.asks.call("GET", r1("/acts/1"), nil), "server.serverproxy.maintenance_mode")
	p.ok(p.answers.Reopen(t.Context()))
	if a := p.asks.call("GET", r1("/acts/1"), nil); a.status != 200 {
		t.Errorf("the third call: %+v", a)
	}
	last := p.asks.call("GET", r1("/acts/1"), nil)
	p.refuses("too many calls", last, "server.serverproxy.access_denied")
	if !strings.Contains(last.body, "limit") {
		t.Errorf("the message does not say why: %s", last.body)
	}
}

// A request that may change something reaches the service once for an id.
func TestRepeatedIDs(t *testing.T) { engines(t, testRepeatedIDs) }

func testRepeatedIDs(t *testing.T) {
	var calls atomic.Int64
	hold := make(chan struct{})
	entered := make(chan struct{}, 1)
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := calls.Add(1)
		body, _ := io.ReadAll(r.Body)
		switch {
		case strings.HasPrefix(string(body), "hold"):
			entered <- struct{}{}
			<-hold
		case string(body) == "break":
			panic(http.ErrAbortHandler)
		}
		w.Header().Set("X-Call", fmt.Sprint(n))
		w.WriteHeader(201)
		fmt.Fprintf(w, "call %d of %d bytes", n, len(body))
	}), nil)
	post := func(id, body string) answer {
		return p.asks.call("POST", r1("/acts"), strings.NewReader(body), "X-Road-Id", id)
	}
	first, second := post("a", "one"), post("a", "one")
	if first.status != 201 || second.status != 201 || first.body != second.body || second.header.Get("X-Call") != "1" {
		t.Errorf("repeated: %+v, then %+v", first, second)
	}
	if first.header.Get("X-Road-Request-Id") == second.header.Get("X-Road-Request-Id") {
		t.Error("two requests have one request id")
	}
	p.refuses("the id of another request", post("a", "two"), "server.serverproxy.invalid_request")
	done := make(chan answer)
	go func() { done <- post("h", "hold") }()
	<-entered
	p.refuses("while the first is under way", post("h", "hold"), "server.serverproxy.service_failed")
	close(hold)
	<-done
	if a := post("h", "hold"); a.status != 201 {
		t.Errorf("afterwards: %+v", a)
	}
	p.refuses("a service that breaks off", post("b", "break"), "server.serverproxy.service_failed")
	n := calls.Load()
	p.refuses("and again", post("b", "break"), "server.serverproxy.service_failed")
	long := strings.Repeat("x", link.MaxInline+5)
	l1, l2 := post("l", long), post("l", long)
	if l1.status != 201 || l1.body != l2.body {
		t.Errorf("a long body repeated: %d %s, %d %s", l1.status, l1.body, l2.status, l2.body)
	}
	p.refuses("another long body", post("l", long+"y"), "server.serverproxy.invalid_request")
	if got := calls.Load(); got != n+1 {
		t.Errorf("the service was called %d times more than it should", got-n-1)
	}
	// Without the service nothing was carried out, so that it may be tried again.
	p.backend.Close()
	p.refuses("a service that is down", post("d", "x"), "server.serverproxy.network_error")
	p.refuses("and again", post("d", "x"), "server.serverproxy.network_error")
}

func TestLongBodiesBothWays(t *testing.T) {
	const size = 5<<20 + 7
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sum := sha256.New()
		n, err := io.Copy(sum, r.Body)
		w.Header().Set("X-Sum", hex.EncodeToString(sum.Sum(nil)))
		w.Header().Set("X-Length", fmt.Sprint(n))
		if err != nil {
			t.Errorf("the service: %v", err)
		}
		w.Write(make([]byte, size))
	}), nil)
	body := make([]byte, size)
	rand.Read(body)
	want := sha256.Sum256(body)
	a := p.asks.call("POST", r1("/acts"), strings.NewReader(string(body)), "X-Road-Id", "long")
	if a.status != 200 || a.header.Get("X-Sum") != hex.EncodeToString(want[:]) || len(a.body) != size {
		t.Errorf("%d %q %d bytes, sum %s", a.status, a.errorType(), len(a.body), a.header.Get("X-Sum"))
	}
}

// The contract's end, its revocation and the suspension of a member reach the
// gateways.
func TestContractsEndAndMembersLeave(t *testing.T) {
	p := newPair(t, acts(t), nil)
	ask := func() answer { return p.asks.call("GET", r1("/acts/1"), nil) }
	if a := ask(); a.status != 200 {
		t.Fatalf("%+v", a)
	}
	p.ok(p.regsOff.Answer(t.Context(), p.hash, contract.Revoke))
	p.eventually("the revocation is known", func() bool { return ask().errorType() == "server.serverproxy.access_denied" })
	terms := p.terms()
	terms.Until = p.clock.Now().Add(time.Hour)
	p.agree(p.townOffice, p.regsOff, terms)
	p.eventually("the new contract is known", func() bool { return ask().status == 200 })
	p.clock.turn(2 * time.Hour)
	p.refuses("after the contract's end", ask(), "server.serverproxy.access_denied")
	p.ok(p.x.Suspend(t.Context(), officer, town, "test", true))
	p.eventually("the member is out", func() bool { e := ask().errorType(); return e != "" && e != "server.serverproxy.access_denied" })
}

// With the directory down everything goes on, until what the gateways hold is too
// old.
func TestDirectoryDownAndExpired(t *testing.T) {
	p := newPair(t, acts(t), nil)
	p.down.Store(true)
	p.portal.CloseClientConnections()
	if a := p.asks.call("GET", r1("/acts/1"), nil); a.status != 200 {
		t.Fatalf("%+v", a)
	}
	p.clock.turn(25 * time.Hour)
	p.refuses("an outdated directory", p.asks.call("GET", r1("/acts/1"), nil), "server.clientproxy.global_conf_outdated")
	if s := p.asks.Status(); s.Ready || len(s.Faults) != 1 || s.Faults[0] != FaultDirectory {
		t.Errorf("status %+v", s)
	}
	p.down.Store(false)
	p.eventually("it comes back", func() bool { return p.asks.call("GET", r1("/acts/1"), nil).status == 200 })
}

func TestClientsWithCertificates(t *testing.T) {
	key := newKey(t)
	der := func(until time.Time) []byte {
		c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until}
		b, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good, other, old := der(time.Now().Add(time.Hour)), der(time.Now().Add(2*time.Hour)), der(time.Now().Add(-time.Hour))
	pin := func(b []byte) string { s := sha256.Sum256(b); return hex.EncodeToString(s[:]) }
	p := newPair(t, acts(t), func(p *pairing, _ *Terms) {
		p.town.Edge.HTTPS = "127.0.0.1:0"
		p.town.Clients = []ClientConfig{{Subsystem: "DESK", Pins: []string{pin(good), pin(old)}}}
	})
	for _, c := range []struct {
		what string
		cert []byte
		want int
	}{{"pinned", good, 200}, {"another", other, 500}, {"expired", old, 500}, {"none", nil, 500}} {
		conf := &tls.Config{InsecureSkipVerify: true}
		if c.cert != nil {
			conf.Certificates = []tls.Certificate{{Certificate: [][]byte{c.cert}, PrivateKey: key}}
		}
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: conf}}
		req, _ := http.NewRequest("GET", "https://"+p.asks.Addresses().EdgeTLS+r1("/acts/1"), nil)
		req.Header.Set("X-Road-Client", desk)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.want || c.want == 500 && resp.Header.Get("X-Road-Error") != "server.clientproxy.ssl_authentication_failed" {
			t.Errorf("%s: %d %s", c.what, resp.StatusCode, resp.Header.Get("X-Road-Error"))
		}
	}
	p.refuses("the same client in the clear", p.asks.call("GET", r1("/acts/1"), nil), "server.clientproxy.ssl_authentication_failed")
}
