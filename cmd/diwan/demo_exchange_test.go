package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// registered is what registering a trial answers.
type registered struct {
	Edge, Code string
	Edges      map[string]string
}

func (r *running) register(format string, args ...any) (int, registered) {
	r.Helper()
	res, err := http.Post(r.portal+"/demo/exchange", "application/json", strings.NewReader(fmt.Sprintf(format, args...)))
	body := r.whole(res, err)
	var out registered
	if err := json.Unmarshal([]byte(body), &out); err != nil {
		r.Fatalf("registering: %d %s", res.StatusCode, body)
	}
	if out.Code != "" {
		r.Log(body)
	}
	return res.StatusCode, out
}

// Somebody brings a provider of their own: at once their clients call it through two
// gateways, what is not allowed is refused, and registering again replaces what was
// said before.
func TestTrialsOfTheExchange(t *testing.T) {
	if testing.Short() {
		t.Skip("a whole demonstration is not started in a short run")
	}
	r := startDemo(t)
	x := r.demo.Exchange
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"path":%q}`, q.URL.Path)
	}))
	t.Cleanup(backend.Close)
	provider := x.Services[0].ID[:strings.LastIndex(x.Services[0].ID, "/")] // an existing subsystem
	first, desk := provider+"/essai", x.Nodes[0].Member+"/NOUVEAU"
	call := func(edge, client, method, target string, status int, body string) {
		t.Helper()
		q, err := http.NewRequest(method, edge+"/r1/"+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		q.Header.Set("X-Road-Client", client)
		res, err := http.DefaultClient.Do(q)
		if got := r.whole(res, err); res.StatusCode != status || !strings.Contains(got, body) {
			t.Errorf("%s %s of %s: %d %s", method, target, client, res.StatusCode, got)
		}
	}

	const one = `{"backend":%q,"services":[{"id":%q,"clients":[%q],"allow":[{"method":"GET","path":"/things/*"}]}]}`
	for range 2 { // the second changes nothing
		status, out := r.register(one, backend.URL+"/base", first, desk)
		if status != http.StatusOK || out.Edge != x.Edge {
			t.Fatalf("registering: %d %+v", status, out)
		}
		call(out.Edge, desk, "GET", first+"/things/7", 200, `"path":"/base/things/7"`)
		call(out.Edge, desk, "POST", first+"/things/7", 500, "access_denied")
		call(out.Edge, x.Client, "GET", first+"/things/7", 500, "access_denied")
	}
	if status, _ := r.register(one, backend.URL, first, x.Client); status != http.StatusOK {
		t.Fatal(status)
	}
	call(x.Edge, x.Client, "GET", first+"/things/7", 200, `"path":"/things/7"`)
	call(x.Edge, desk, "GET", first+"/things/7", 500, "access_denied") // no client any more
	call(x.Edge, x.Client, "GET", x.Services[0].ID+x.Services[0].Path, 200, "sample")

	// Members that are not there are taken in, each with a gateway of its own.
	instance, _, _ := strings.Cut(first, "/")
	second, office := instance+"/GOV/ESSAI/SYSTEME/avec-description", instance+"/COM/ESSAI/GUICHET"
	const described = `{"backend":%q,"services":[{"id":%q,"clients":[%q,%q],"openapi":{"openapi":"3.0.3","info":{"title":"T","version":"1"},"paths":{"/v1/things":{"get":{"responses":{"200":{"description":"ok"}}}}}}}]}`
	// One of them breaks off after the directory has let it in, and is repeated.
	broken := filepath.Join(filepath.Dir(filepath.Dir(x.Nodes[0].Config)), "trial-"+strings.ReplaceAll(second[:strings.Index(second, "/SYSTEME")], "/", "-"), "data", "tls.pem", "taken")
	if err := os.MkdirAll(broken, 0o700); err != nil {
		t.Fatal(err)
	}
	if status, _ := r.register(described, backend.URL, second, office, desk); status < 500 {
		t.Errorf("a join that can't come to its end answers %d", status)
	}
	if err := os.RemoveAll(filepath.Dir(broken)); err != nil {
		t.Fatal(err)
	}
	status, out := r.register(described, backend.URL, second, office, desk)
	if status != http.StatusOK || out.Edge == x.Edge || out.Edges[x.Nodes[0].Member] != x.Edge {
		t.Fatalf("registering new members: %d %+v", status, out)
	}
	call(out.Edge, office, "GET", second+"/v1/things", 200, `"path":"/v1/things"`)
	call(x.Edge, desk, "GET", second+"/v1/things", 200, `"path":"/v1/things"`)
	call(out.Edge, office, "GET", instance+"/GOV/ESSAI/SYSTEME/getOpenAPI?serviceCode=avec-description", 200, "/v1/things")
	call(out.Edge, office, "GET", first+"/things/7", 500, "access_denied")

	for _, bad := range []struct{ backend, id, client, code string }{
		{"http://192.0.2.1:80", first, desk, "demo.exchange.backend"},
		{"file:///etc", first, desk, "demo.exchange.backend"},
		{backend.URL, provider, desk, "demo.exchange.id"},
		{backend.URL, first, x.Nodes[0].Member, "demo.exchange.id"},
		{backend.URL, first, provider, "demo.exchange.same_member"},
		{backend.URL, x.Services[0].ID, desk, "demo.exchange.taken"},
		{backend.URL, instance + "/NONE/ESSAI/SYSTEME/x", desk, "demo.exchange.member"},
		{backend.URL, "XX/GOV/ESSAI/SYSTEME/x", desk, "demo.exchange.member"},
	} {
		if status, out := r.register(one, bad.backend, bad.id, bad.client); status < 400 || out.Code != bad.code {
			t.Errorf("%+v: %d %+v", bad, status, out)
		}
	}
}
