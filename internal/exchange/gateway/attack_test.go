package gateway

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"diwan/internal/exchange/journal"
	"diwan/internal/exchange/snapshot"
	"diwan/protocol/link"
	"diwan/protocol/xroad"
)

// bare is the town's link to the registry without a gateway before it: what a
// member sends that does not keep to the rules.
func (p *pairing) bare() *link.Client {
	p.Helper()
	c, err := p.asks.peers.reach(peerName{member: civil}, p.asks.trust.Load().view, p.clock.Now())
	p.ok(err)
	return c
}

func TestWhatAMemberCannotSend(t *testing.T) {
	p := newPair(t, acts(t), nil)
	c := p.bare()
	const target = "/r1/" + births + "/acts/1"
	head := func(lines ...string) func(id string) string {
		return func(id string) string {
			return strings.ReplaceAll(strings.Join(lines, "\r\n"), "ID", id) + "\r\n"
		}
	}
	for _, k := range []struct {
		what string
		head func(string) string
		want string
	}{
		{"another member's client", head("GET", target, "X-Road-Client:"+civil+"/REGISTRY", "X-Road-Id:1", "x-road-request-id:ID"), typeForged},
		{"a client that is not registered", head("GET", target, "X-Road-Client:"+town+"/NEW", "X-Road-Id:1", "x-road-request-id:ID"), "unknown_member"},
		{"two clients", head("GET", target, "X-Road-Client:"+desk, "X-Road-Client:"+civil+"/REGISTRY", "X-Road-Id:1", "x-road-request-id:ID"), "invalid_request"},
		{"no id", head("GET", target, "X-Road-Client:"+desk, "x-road-request-id:ID"), "invalid_request"},
		{"an empty id", head("GET", target, "X-Road-Client:"+desk, "X-Road-Id:", "x-road-request-id:ID"), "invalid_request"},
		{"the request id of another", head("GET", target, "X-Road-Client:"+desk, "X-Road-Id:1", "x-road-request-id:7b1f6a0e-3c4d-4e5f-8a9b-0c1d2e3f4a5b"), "invalid_request"},
		{"a length of its own", head("GET", target, "X-Road-Client:"+desk, "X-Road-Id:1", "Content-Length:5", "x-road-request-id:ID"), "invalid_request"},
		{"a transfer coding", head("GET", target, "X-Road-Client:"+desk, "X-Road-Id:1", "Transfer-Encoding:chunked", "x-road-request-id:ID"), "invalid_request"},
		{"a host", head("GET", target, "X-Road-Client:"+desk, "X-Road-Id:1", "Host:other", "x-road-request-id:ID"), "invalid_request"},
		{"a line end in a value", head("GET", target, "X-Road-Client:"+desk, "X-Road-Id:1", "A:b\nHost: x", "x-road-request-id:ID"), "invalid_request"},
		{"a folded line", head("GET", target, "X-Road-Client:"+desk, "X-Road-Id:1", "A:b", " folded", "x-road-request-id:ID"), "invalid_request"},
		{"NUL in a value", head("GET", target, "X-Road-Client:"+desk, "X-Road-Id:1", "A:b\x00", "x-road-request-id:ID"), "invalid_request"},
		{"a space in the target", head("GET", target+" HTTP/1.1", "X-Road-Client:"+desk, "X-Road-Id:1", "x-road-request-id:ID"), "invalid_request"},
		{"a method of its own", head("CONNECT", target, "X-Road-Client:"+desk, "X-Road-Id:1", "x-road-request-id:ID"), "invalid_request"},
		{"no head at all", func(string) string { return "" }, "invalid_request"},
		{"the service of another member", head("GET", "/r1/"+town+"/DESK/x/1", "X-Road-Client:"+desk, "X-Road-Id:1", "x-road-request-id:ID"), "unknown_service"},
		{"a client in another spelling", head("GET", target, "X-Road-Client:"+desk, "X_Road_Client:"+civil+"/REGISTRY", "X-Road-Id:1", "x-road-request-id:ID"), "invalid_request"},
		{"a length in another spelling", head("GET", target, "X-Road-Client:"+desk, "Content_Length:9", "X-Road-Id:1", "x-road-request-id:ID"), "invalid_request"},
		{"a path upwards", head("GET", target+"/../../x", "X-Road-Client:"+desk, "X-Road-Id:1", "x-road-request-id:ID"), "access_denied"},
		{"a metaservice by another method", head("POST", "/r1/"+civil+"/REGISTRY/listMethods", "X-Road-Client:"+desk, "X-Road-Id:1", "x-road-request-id:ID"), "invalid_request"},
		{"events without a contract", head("GET", "/r1/"+civil+"/REGISTRY/"+eventsCode+"?service=births&after=0", "X-Road-Client:"+desk, "X-Road-Id:1", "x-road-request-id:ID"), "access_denied"},
	} {
		id := link.NewRequestID()
		_, err := c.Do(t.Context(), &link.Call{ID: id, Head: []byte(k.head(uuid(id)))})
		var e *link.Error
		if !errors.As(err, &e) || !e.Remote || e.Type != k.want {
			t.Errorf("%s: %v, want %s", k.what, err, k.want)
		}
		p.eventually("a line of the log: "+k.what, func() bool {
			return p.logged("link: request refused", "node="+civil, "peer="+town, "request="+id.String(), k.want) != ""
		})
	}
	// The same id again.
	id := link.NewRequestID()
	good := head("GET", target, "X-Road-Client:"+desk, "X-Road-Id:1", "x-road-request-id:ID")(uuid(id))
	if _, err := c.Do(t.Context(), &link.Call{ID: id, Head: []byte(good)}); err != nil {
		t.Fatal(err)
	}
	var e *link.Error
	if _, err := c.Do(t.Context(), &link.Call{ID: id, Head: []byte(good)}); !errors.As(err, &e) || e.Type != link.TypeReplayed {
		t.Errorf("replayed: %v", err)
	}
	p.eventually("the repetition is in the log", func() bool { return p.logged("link: request refused", "request="+id.String()) != "" })
}

// TestReplayAfterRestart: a provider that starts anew knows what it accepted.
func TestReplayAfterRestart(t *testing.T) {
	p := newPair(t, acts(t), nil)
	id := link.NewRequestID()
	call := &link.Call{ID: id, Head: []byte("GET\r\n/r1/" + births + "/acts/1\r\nX-Road-Client:" + desk + "\r\nX-Road-Id:1\r\nx-road-request-id:" + uuid(id) + "\r\n")}
	if _, err := p.bare().Do(t.Context(), call); err != nil {
		t.Fatal(err)
	}
	p.answers.end()
	p.answers = p.start(p.civil)
	p.eventually("the repetition is refused", func() bool {
		_, err := p.bare().Do(t.Context(), call)
		if err == nil {
			t.Fatal("the repetition was taken")
		}
		var e *link.Error
		return errors.As(err, &e) && e.Type == link.TypeReplayed
	})
}

// A provider that answers something else than what it was asked is not believed,
// though its signature holds.
func TestAnswersThatDoNotFit(t *testing.T) {
	p := newPair(t, acts(t), nil)
	p.answers.end()
	var change func(s *xroad.Stamp, status *int)
	keys, err := openKeys(p.civil.Data, p.clock, false)
	p.ok(err)
	cert, err := keys.tlsCertificate()
	p.ok(err)
	signer, err := link.NewSigner(keys.link, civil)
	p.ok(err)
	j, err := journal.Open(t.TempDir(), journal.Options{SegmentBytes: 1 << 20})
	p.ok(err)
	defer j.Close()
	replay := link.NewReplayWindow(p.clock.Now(), 0, nil)
	replay.Restored()
	server, err := link.NewServer(link.ServerConfig{Config: link.Config{Signer: signer, Keys: linkKeys{p.asks.Gateway}, Journal: j, Peer: p.asks.peer(x509.ExtKeyUsageClientAuth), Now: p.clock.Now},
		TLS: &tls.Config{Certificates: []tls.Certificate{*cert}, ClientAuth: tls.RequireAnyClientCert}, Replay: replay,
		Handler: link.HandlerFunc(func(_ context.Context, r *link.Request) (*link.Reply, error) {
			h, err := xroad.ParseRequestHead(r.Head)
			if err != nil {
				return nil, err
			}
			hs, _ := h.Headers()
			target, _ := xroad.ParseTarget(h.Target)
			s := xroad.Stamp{Client: hs.Client, Service: target.Service, ID: hs.ID, RequestID: h.RequestID(), RequestHash: xroad.RequestHash(sha512.Sum512(r.Head), nil)}
			status := 200
			change(&s, &status)
			head, err := xroad.AppendResponseHead(nil, 200, nil, s, "")
			return &link.Reply{Status: status, Head: head, Body: []byte("x")}, err
		})})
	p.ok(err)
	defer server.Close()
	l, err := net.Listen("tcp", p.civil.Link.Listen)
	p.ok(err)
	go server.Serve(l)
	ask := func() answer { return p.asks.call("GET", r1("/acts/1"), nil, "X-Road-Id", "q") }
	change = func(*xroad.Stamp, *int) {}
	p.eventually("the other provider answers", func() bool { return ask().status == 200 })
	for what, f := range map[string]func(*xroad.Stamp, *int){
		"another client":       func(s *xroad.Stamp, _ *int) { s.Client.Subsystem = "X" },
		"another service":      func(s *xroad.Stamp, _ *int) { s.Service.Code = "X" },
		"another id":           func(s *xroad.Stamp, _ *int) { s.ID = "X" },
		"another request":      func(s *xroad.Stamp, _ *int) { s.RequestID = "X" },
		"another hash":         func(s *xroad.Stamp, _ *int) { s.RequestHash = "X" },
		"two statuses":         func(_ *xroad.Stamp, st *int) { *st = 201 },
		"a line in the middle": func(s *xroad.Stamp, _ *int) { s.ID = "q\r\nX: y" },
	} {
		change = f
		p.refuses(what, ask(), "server.clientproxy.inconsistent_response")
	}
}

// A key, a certificate or a member that is trusted no more is out at once.
func TestRevokedAndExpiredCertificates(t *testing.T) {
	p := newPair(t, acts(t), nil)
	if a := p.asks.call("GET", r1("/acts/1"), nil); a.status != 200 {
		t.Fatalf("%+v", a)
	}
	state := tls.ConnectionState{PeerCertificates: []*x509.Certificate{p.asks.cert.Load().Leaf}}
	check := p.answers.peer(x509.ExtKeyUsageClientAuth)
	if m, err := check(state); m != town || err != nil {
		t.Errorf("%q, %v", m, err)
	}
	other := newKey(t)
	real := p.asks.cert.Load().Leaf
	tmpl := &x509.Certificate{SerialNumber: real.SerialNumber, Subject: real.Subject, NotBefore: real.NotBefore, NotAfter: real.NotAfter, ExtKeyUsage: real.ExtKeyUsage, URIs: real.URIs}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, other.Public(), other)
	p.ok(err)
	forged, err := x509.ParseCertificate(der)
	p.ok(err)
	if _, err := check(tls.ConnectionState{PeerCertificates: []*x509.Certificate{forged}}); err == nil {
		t.Error("a certificate of nobody's authority is believed")
	}
	p.clock.turn(91 * 24 * time.Hour)
	if _, err := check(state); err == nil {
		t.Error("an expired certificate is believed")
	}
	p.clock.turn(-91 * 24 * time.Hour)
	der, err = p.asks.keys.linkPKIX()
	p.ok(err)
	p.ok(p.x.Revoke(t.Context(), officer, snapshot.Hash(der), "stolen"))
	p.eventually("the signing key is out", func() bool {
		return p.asks.call("GET", r1("/acts/1"), nil).errorType() == "server.serverproxy.unknown_member"
	})
	pin := snapshot.Hash(p.asks.cert.Load().Leaf.RawSubjectPublicKeyInfo)
	p.ok(p.x.Revoke(t.Context(), officer, pin, "stolen"))
	p.eventually("the certificate is out", func() bool { _, err := check(state); return err != nil })
	p.eventually("its connection is cut", func() bool {
		return p.asks.call("GET", r1("/acts/1"), nil).errorType() == "server.clientproxy.network_error"
	})
	p.eventually("another is refused, and the log says so", func() bool {
		p.asks.call("GET", r1("/acts/1"), nil)
		return p.logged("link: connection refused", "node="+civil) != ""
	})
}

func TestRenewal(t *testing.T) {
	p := newPair(t, acts(t), nil)
	old := p.asks.cert.Load()
	p.ok(p.asks.renewIfDue(t.Context()))
	if p.asks.cert.Load() != old {
		t.Fatal("renewed too early")
	}
	p.clock.turn(61 * 24 * time.Hour)
	p.eventually("the directory is fresh", func() bool { return p.asks.valid(p.clock.Now()) != nil && p.answers.valid(p.clock.Now()) != nil })
	p.ok(p.asks.renewIfDue(t.Context()))
	p.eventually("the new certificate is in use", func() bool { return p.asks.cert.Load() != old })
	p.asks.peers.close()
	p.eventually("and believed", func() bool { return p.asks.call("GET", r1("/acts/1"), nil).status == 200 })
	p.asks.end()
	p.asks = p.start(p.town)
	p.eventually("also after a restart", func() bool { return p.asks.call("GET", r1("/acts/1"), nil).status == 200 })
}

func TestDiskFull(t *testing.T) {
	for _, side := range []string{town, civil} {
		t.Run(side, func(t *testing.T) {
			var called atomic.Bool
			p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { called.Store(true) }), func(p *pairing, _ *Terms) {
				c := &p.town
				if side == civil {
					c = &p.civil
				}
				c.Limits.MinFreeMiB = 1 << 40
			})
			want := "server.clientproxy.logging_failed"
			if side == civil {
				want = "server.serverproxy.logging_failed"
			}
			p.refuses("a full disk", p.asks.call("GET", r1("/acts/1"), nil), want)
			if called.Load() {
				t.Error("the service was asked")
			}
		})
	}
}

// raw speaks HTTP by hand.
func (n *node) raw(text string, then func(net.Conn)) (status, errorType string) {
	n.w.Helper()
	c, err := net.Dial("tcp", n.Addresses().Edge)
	n.w.ok(err)
	defer c.Close()
	io.WriteString(c, text)
	if then != nil {
		then(c)
	}
	c.SetReadDeadline(time.Now().Add(10 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		return "closed", ""
	}
	defer resp.Body.Close()
	return fmt.Sprint(resp.StatusCode), resp.Header.Get("X-Road-Error")
}

// unreadLine is in the log for what net/http does not take for a request.
const unreadLine = "sent something else than a request"

func TestHostileClients(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err == nil { // else it is none, and must not look like one
			w.WriteHeader(201)
		}
	}), func(p *pairing, _ *Terms) {
		p.town.Limits.BodyTime, p.town.Limits.HeadTime = 300*time.Millisecond, 300*time.Millisecond
		p.town.Limits.BodyMiB = 2
		p.civil.Limits.BodyTime = 500 * time.Millisecond
	})
	start := "POST " + r1("/acts") + " HTTP/1.1\r\nHost: x\r\nX-Road-Client: " + desk + "\r\n"
	for _, k := range []struct {
		what, text string
		then       func(net.Conn)
		status     string
		want       string
	}{
		{"a body that does not come", start + "Content-Length: 10\r\n\r\nab", nil, "500", "server.clientproxy.io_error"},
		{"a body that ends early", start + "Content-Length: 10\r\n\r\nab", func(c net.Conn) { c.(*net.TCPConn).CloseWrite() }, "500", "server.clientproxy.io_error"},
		{"a long body that stops", start + "Transfer-Encoding: chunked\r\n\r\n", func(c net.Conn) {
			chunk := strings.Repeat("x", 1<<20)
			fmt.Fprintf(c, "%x\r\n%s\r\n%x\r\n%s", len(chunk), chunk, len(chunk), chunk[:1000])
		}, "500", "server.clientproxy.io_error"},
		{"a body that says it is too long", start + "Content-Length: 3000000\r\n\r\n", nil, "500", "server.clientproxy.invalid_request"},
		{"two lengths", start + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", nil, "400", ""},
		{"a bad chunk", start + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", nil, "500", "server.clientproxy.io_error"},
		{"NUL in a header", start + "A: b\x00c\r\n\r\n", nil, "400", ""},
		{"a folded header", start + "A: b\r\n c\r\nContent-Length: 0\r\n\r\n", nil, "201", ""},
		{"a length and chunks", start + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", nil, "201", ""},
		{"another transfer coding", start + "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", nil, "501", ""},
		{"a length that is none", start + "Content-Length: +3\r\n\r\nabc", nil, "400", ""},
		{"two hosts", start + "Host: y\r\n\r\n", nil, "400", ""},
		{"a space before the colon", start + "X-Road-Id : 1\r\n\r\n", nil, "400", ""},
		{"a client in another spelling", start + "X_Road_Client: " + civil + "/REGISTRY\r\nContent-Length: 0\r\n\r\n", nil, "500", "server.clientproxy.invalid_request"},
		{"a question to the server itself", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", nil, "500", "server.clientproxy.invalid_request"},
		{"a body without end", start + "Transfer-Encoding: chunked\r\n\r\n", func(c net.Conn) {
			for chunk := []byte("1000\r\n" + strings.Repeat("x", 4096) + "\r\n"); ; {
				if _, err := c.Write(chunk); err != nil {
					return
				}
			}
		}, "any", "server.clientproxy.invalid_request"},
		{"a head that does not end", "GET " + r1("/acts/1") + " HTTP/1.1\r\nHost: x\r\n", nil, "closed", ""},
		{"a head that is too long", start + strings.Repeat("A: "+strings.Repeat("x", 1000)+"\r\n", 90) + "\r\n", nil, "431", ""},
		{"many headers", start + strings.Repeat("A: x\r\n", 300) + "Content-Length: 0\r\n\r\n", nil, "500", "server.clientproxy.invalid_request"},
	} {
		before := strings.Count(p.lines.String(), unreadLine)
		status, typ := p.asks.raw(k.text, k.then)
		if k.status == "any" { // whether it is read depends on when the connection is closed
			p.eventually("a line of the log: "+k.what, func() bool { return p.logged("refused to the client", k.want, errTooLong.Error()) != "" })
			continue
		}
		if status != k.status || typ != k.want {
			t.Errorf("%s: %s %q, want %s %q", k.what, status, typ, k.status, k.want)
		}
		if typ != "" && p.logged("refused to the client", typ) == "" {
			t.Errorf("%s: the refusal is not in the log", k.what)
		}
		if typ == "" && status != "201" {
			p.eventually("a line of the log: "+k.what, func() bool { return strings.Count(p.lines.String(), unreadLine) > before })
		}
	}
	// A request that continues is told so before its body.
	if status, _ := p.asks.raw(start+"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n", func(c net.Conn) {
		b := make([]byte, 25)
		io.ReadFull(c, b)
		if !strings.HasPrefix(string(b), "HTTP/1.1 100") {
			t.Errorf("told %q", b)
		}
		io.WriteString(c, "ab")
	}); status != "201" {
		t.Errorf("100-continue: %s", status)
	}
}

// Two requests on one connection are two to the service, whatever their lengths say:
// the body of one is never read as another.
func TestNoRequestInside(t *testing.T) {
	var seen atomic.Int64
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		seen.Add(1)
	}), nil)
	inside := "GET " + r1("/acts/inside") + " HTTP/1.1\r\nHost: x\r\nX-Road-Client: " + desk + "\r\n\r\n"
	start := "POST " + r1("/acts") + " HTTP/1.1\r\nHost: x\r\nX-Road-Client: " + desk + "\r\nConnection: close\r\n"
	for i, text := range []string{
		start + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(inside)) + inside,
		start + fmt.Sprintf("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(inside), inside),
	} {
		if status, _ := p.asks.raw(text, nil); status != "200" || seen.Load() != int64(i+1) {
			t.Errorf("%d: %s, the service saw %d requests", i, status, seen.Load())
		}
	}
}

// A client that asks and does not read gets its connection closed, and what it held
// is free again.
func TestClientThatDoesNotRead(t *testing.T) {
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Write(make([]byte, 1<<20))
	}), func(p *pairing, _ *Terms) { p.town.Limits.BodyTime = 200 * time.Millisecond })
	c, err := net.Dial("tcp", p.asks.Addresses().Edge)
	p.ok(err)
	defer c.Close()
	c.(*net.TCPConn).SetReadBuffer(4096)
	go func() {
		for range 200 {
			fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: x\r\nX-Road-Client: %s\r\n\r\n", r1("/acts/1"), desk)
		}
	}()
	p.eventually("it is answered", func() bool { return p.asks.underWay.Load() > 0 })
	p.eventually("its connection is closed", func() bool {
		_, err := c.Write([]byte("\r\n"))
		return err != nil
	})
	p.eventually("nothing is under way for it", func() bool { return p.asks.underWay.Load() == 0 })
	if a := p.asks.call("GET", r1("/acts/1"), nil); a.status != 200 {
		t.Errorf("afterwards: %+v", a)
	}
}

// What a service sends must not do harm either.
func TestHostileServices(t *testing.T) {
	over := make(chan struct{})
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, b, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer c.Close()
		switch strings.TrimPrefix(r.URL.Path, "/v1/acts/") {
		case "cut":
			fmt.Fprintf(b, "HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n%s", strings.Repeat("x", 2000000))
		case "short":
			b.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\nx")
		case "two":
			b.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx")
		case "forged":
			b.WriteString("HTTP/1.1 200 OK\r\nX-Road-Error: server.x\r\nX-Road-Client: A/B/C\r\nX-Road-Request-Hash: x\r\nDiwan-Contract: x\r\nDate: x\r\nDate: y\r\nContent-Length: 1\r\n\r\nx")
		case "redirect":
			b.WriteString("HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Length: 0\r\n\r\n")
		case "late":
			<-over
		case "untyped":
			b.WriteString("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>")
		case "failed":
			b.WriteString("HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n")
		}
		b.Flush()
	}), func(p *pairing, _ *Terms) { p.civil.Services[0].Timeout = 2 * time.Second })
	t.Cleanup(func() { close(over) })
	if a, err := p.asks.try("GET", r1("/acts/cut"), nil); err == nil {
		t.Errorf("a body that was cut off came as whole: %d bytes", len(a.body))
	}
	for _, path := range []string{"short", "two", "late"} {
		p.refuses(path, p.asks.call("GET", r1("/acts/"+path), nil), "server.serverproxy.service_failed")
	}
	a := p.asks.call("GET", r1("/acts/forged"), nil)
	if a.status != 200 || a.errorType() != "" || a.header.Get("X-Road-Client") != desk || len(a.header.Values("Date")) != 1 || a.header.Get(contractHeader) != p.hash {
		t.Errorf("forged: %+v", a)
	}
	if a := p.asks.call("GET", r1("/acts/redirect"), nil); a.status != 302 || a.header.Get("Location") != "http://elsewhere/" {
		t.Errorf("redirect: %+v", a)
	}
	if a := p.asks.call("GET", r1("/acts/untyped"), nil); a.header.Get("Content-Type") != "" || a.body != "<html>" {
		t.Errorf("untyped: %+v", a)
	}
	if a := p.asks.call("GET", r1("/acts/failed"), nil); a.status != 500 || a.errorType() != "" {
		t.Errorf("a failure of the service: %+v", a)
	}
}
