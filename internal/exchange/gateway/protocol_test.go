package gateway

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"diwan/internal/exchange/contract"
)

// seen is a request as the service got it.
type seen struct {
	Method, Target string
	Header         http.Header
	Body           string
}

// The rows of the protocol (PR-REST 4.3 to 4.6) as a client and a service see them.
func TestProtocolRowByRow(t *testing.T) {
	var last seen
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		last = seen{r.Method, r.RequestURI, r.Header.Clone(), string(b)}
		h := w.Header()
		h["Cache-Control"], h["ETag"], h["Set-Cookie"] = []string{"max-age=60"}, []string{`"1"`}, []string{"a=1", "b=2"}
		h["Server"], h["X-Road-Service"], h["x-road-represented-party"] = []string{"inside"}, []string{"forged"}, []string{"passes"}
		switch r.Header.Get("X-Want") {
		case "204":
			w.WriteHeader(204)
		case "304":
			w.WriteHeader(304)
		case "404":
			w.WriteHeader(404)
			io.WriteString(w, "no such act")
		default:
			json.NewEncoder(w).Encode("ok")
		}
	}), func(p *pairing, terms *Terms) {
		terms.Properties.Operations = []contract.Operation{{Method: "*", Path: "**"}}
	})
	for _, verb := range []string{"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE"} {
		body := ""
		if verb == "PATCH" || verb == "POST" || verb == "PUT" {
			body = "body of " + verb
		}
		a := p.asks.call(verb, r1("/%7Ea/b+c%20d/?x=%2F;y&&z"), strings.NewReader(body))
		if a.status != 200 || a.errorType() != "" || last.Method != verb || last.Target != "/v1/%7Ea/b+c%20d/?x=%2F;y&&z" || last.Body != body {
			t.Errorf("%s: %+v, the service saw %+v", verb, a, last)
		}
		if (a.body == "") != (verb == "HEAD") {
			t.Errorf("%s: the body is %q", verb, a.body)
		}
	}
	p.refuses("a verb of its own", p.asks.call("PROPFIND", r1("/x"), nil), "server.clientproxy.invalid_request")

	// What speaks of one connection stays on it, what the gateway says is its own,
	// everything else passes.
	a := p.asks.call("GET", r1("/x"), nil, "Keep-Alive", "5", "Te", "trailers", "Proxy-Authenticate", "x", "Proxy-Authorization", "x", "Trailer", "X",
		"Upgrade", "h2c", "User-Agent", "client", "Server", "x", "X-Road-Request-Id", "mine", "X-Road-Request-Hash", "mine",
		"Authorization", "Bearer t", "Cookie", "c=1", "If-None-Match", `"0"`, "X-Road-Other", "o", "X-Road-Issue", "i-1", "X-Road-UserId", "u-1",
		"X-Road-Represented-Party", "COM/M%2F1", "X-Road-Security-Server", civil+"/n1", "X-Many", "1", "X-Many", "2")
	if a.status != 200 {
		t.Fatalf("%+v", a)
	}
	for _, name := range []string{"Keep-Alive", "Te", "Proxy-Authenticate", "Proxy-Authorization", "Trailer", "Upgrade", "User-Agent", "Server", "X-Road-Request-Hash"} {
		if v := last.Header.Values(name); len(v) > 0 {
			t.Errorf("the service sees %s: %q", name, v)
		}
	}
	for name, want := range map[string][]string{"Authorization": {"Bearer t"}, "Cookie": {"c=1"}, "If-None-Match": {`"0"`}, "X-Road-Other": {"o"}, "X-Road-Issue": {"i-1"},
		"X-Road-Userid": {"u-1"}, "X-Road-Represented-Party": {"COM/M%2F1"}, "X-Many": {"1", "2"}, "Accept": {"application/json"}, "X-Road-Client": {desk},
		"X-Road-Request-Id": {a.header.Get("X-Road-Request-Id")}, "X-Road-Id": {a.header.Get("X-Road-Id")}} {
		if got := last.Header.Values(name); !slices.Equal(got, want) {
			t.Errorf("the service sees %s: %q, want %q", name, got, want)
		}
	}
	if !regexp.MustCompile(`^XX-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(a.header.Get("X-Road-Id")) {
		t.Errorf("the id that was made is %q", a.header.Get("X-Road-Id"))
	}
	for name, want := range map[string][]string{"Cache-Control": {"max-age=60"}, "Etag": {`"1"`}, "Set-Cookie": {"a=1", "b=2"}, "X-Road-Service": {births},
		"X-Road-Represented-Party": {"passes"}, "Server": nil} {
		if got := a.header.Values(name); !slices.Equal(got, want) {
			t.Errorf("the client sees %s: %q, want %q", name, got, want)
		}
	}
	if p.asks.call("GET", r1("/x"), nil, "Accept", "text/html", "X-Road-Client", "XX/COM/%54OWN/D%45SK"); last.Header.Get("Accept") != "text/html" {
		t.Errorf("the service sees Accept %q", last.Header.Get("Accept"))
	}
	for want, status := range map[string]int{"204": 204, "304": 304, "404": 404} {
		a := p.asks.call("GET", r1("/x"), nil, "X-Want", want)
		if a.status != status || a.errorType() != "" || a.header.Get("X-Road-Request-Hash") == "" || (a.body == "no such act") != (status == 404) {
			t.Errorf("%s: %+v", want, a)
		}
	}
	// A part is decoded on its own, and comes back encoded.
	if a := p.asks.call("GET", r1("/x"), nil, "X-Road-Client", "XX/COM/%54OWN/D%45SK"); a.status != 200 || a.header.Get("X-Road-Client") != desk {
		t.Errorf("a client with encoded letters: %+v", a)
	}
	if a := p.asks.call("GET", strings.Replace(r1("/x"), "births", "%62irths", 1), nil); a.status != 200 || a.header.Get("X-Road-Service") != births {
		t.Errorf("a service with encoded letters: %+v", a)
	}
}
