package gateway

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"diwan/internal/exchange/gateway/directory"
	"diwan/internal/exchange/journal"
	"diwan/protocol/link"
	"diwan/protocol/xroad"
)

// offer is how the registry describes itself.
func offer() directory.Offer {
	return directory.Offer{Type: "OPENAPI", Title: map[string]string{"en": "Births"}, Classification: "personal", LegalBasis: []string{theBasis},
		Events: []string{"birth.registered"}, OpenAPI: birthsFile}
}

// acts is a registry of births.
func acts(t testing.TB) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("the service got a broken body: %v", err)
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Road-Service", "XX/GOV/OTHER/X/y") // must not come through
		w.Header().Set("X-Seen-Client", r.Header.Get("X-Road-Client"))
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusCreated)
		}
		fmt.Fprintf(w, `{"path":%q,"query":%q,"body":%q,"name":"Somebody","secret":"s"}`, r.URL.EscapedPath(), r.URL.RawQuery, body)
	})
}

// messages lists what a journal holds.
func messagesOf(t *testing.T, n *node) (requests, responses int) {
	t.Helper()
	r := n.journal.Reader(1)
	defer r.Close()
	for {
		e, err := r.Next()
		if err == io.EOF {
			return requests, responses
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Type != journal.Received && e.Type != journal.Sent {
			continue
		}
		switch e.Message.Envelope.Kind() {
		case link.KindRequest:
			requests++
		case link.KindResponse:
			responses++
		}
	}
}

func TestOneRequestEndToEnd(t *testing.T) {
	p := newPair(t, acts(t), nil)
	a := p.asks.call("GET", r1("/acts/4%202?x=1;y=2&z"), nil, "X-Road-Id", "m-1", "X-Road-UserId", "u1", "X-Other", "kept")
	if a.status != 200 || a.errorType() != "" {
		t.Fatalf("%+v", a)
	}
	if !strings.Contains(a.body, `"path":"/v1/acts/4%202"`) || !strings.Contains(a.body, `"query":"x=1;y=2&z"`) {
		t.Errorf("the service saw %s", a.body)
	}
	for name, want := range map[string]string{"X-Road-Client": desk, "X-Road-Service": births, "X-Road-Id": "m-1", "X-Seen-Client": desk, "Content-Type": "application/json", contractHeader: p.hash} {
		if got := a.header.Values(name); len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %s", name, got, want)
		}
	}
	if len(a.header.Values("Date")) != 1 || len(a.header.Get("X-Road-Request-Id")) != 36 || a.header.Get("X-Road-Request-Hash") == "" {
		t.Errorf("headers %v", a.header)
	}
	for _, n := range []*node{p.asks, p.answers} {
		if q, s := messagesOf(t, n); q != 1 || s != 1 {
			t.Errorf("%s holds %d requests and %d responses", n.cfg.Member, q, s)
		}
		report, err := journal.Verify(n.cfg.Data+"/"+journalFolder, n.trust.Load().key, nil)
		if err != nil || len(report.Problems) > 0 || report.Messages != 2 {
			t.Errorf("%s verifies as %+v, %v", n.cfg.Member, report, err)
		}
	}
	// The hash that the client gets is that of the bytes both journals hold.
	head := headOf(t, p.answers)
	if got := xroad.HashRequest(head, nil); got != a.header.Get("X-Road-Request-Hash") {
		t.Errorf("the hash is %s, of the head %s", a.header.Get("X-Road-Request-Hash"), got)
	}
	post := p.asks.call("POST", r1("/acts"), strings.NewReader(`{"n":1}`), "Content-Type", "application/json")
	if post.status != 201 || !strings.Contains(post.body, `{\"n\":1}`) {
		t.Errorf("%+v", post)
	}
}

// headOf is the head of the first request in a journal.
func headOf(t *testing.T, n *node) []byte {
	t.Helper()
	r := n.journal.Reader(1)
	defer r.Close()
	for {
		e, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e.Message != nil && e.Message.Envelope.Kind() == link.KindRequest {
			return e.Message.Head
		}
	}
}
