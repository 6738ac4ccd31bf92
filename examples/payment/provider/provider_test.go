package provider

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func sealed(secret, at, body string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(at + "." + body))
	return hex.EncodeToString(m.Sum(nil))
}

// site takes messages; it fails the first ones.
type site struct {
	mu    sync.Mutex
	fails int
	got   []notice
}

func (s *site) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	at := r.Header.Get("Payment-Timestamp")
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("Payment-Signature") != "v1="+sealed("secret", at, string(body)) {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	if s.fails > 0 {
		s.fails--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var n notice
	json.Unmarshal(body, &n)
	s.got = append(s.got, n)
}

func address(change func(url.Values)) string {
	q := url.Values{"order": {"o1"}, "case": {"C-1"}, "amount": {"20000"}, "currency": {"XXX"}, "back": {"http://site.example/back"}, "lang": {"fr"}, "time": {strconv.FormatInt(time.Now().Unix(), 10)}}
	q.Set("seal", sealed("secret", q.Get("time"), q.Encode()))
	change(q)
	return "/pay?" + q.Encode()
}

func same(url.Values) {}

func TestPayment(t *testing.T) {
	s := &site{fails: 2}
	server := httptest.NewServer(s)
	defer server.Close()
	p, err := New(t.Context(), Options{Secret: "secret", Notify: server.URL, Sites: []string{"http://site.example"}, Wait: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	call := func(method, path, body string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		if method == http.MethodPost && len(header) == 0 {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		p.Handler().ServeHTTP(w, r)
		return w
	}
	for name, change := range map[string]func(url.Values){
		"amount": func(q url.Values) { q.Set("amount", "1") },
		"order":  func(q url.Values) { q.Set("order", "o2") },
		"seal":   func(q url.Values) { q.Del("seal") },
		"back":   func(q url.Values) { q.Set("back", "http://thief.example/") },
		"old": func(q url.Values) {
			q.Del("seal")
			q.Set("time", "1000000000")
			q.Set("seal", sealed("secret", q.Get("time"), q.Encode()))
		},
		"other site": func(q url.Values) {
			q.Del("seal")
			q.Set("back", "http://thief.example/")
			q.Set("seal", sealed("secret", q.Get("time"), q.Encode()))
		},
	} {
		if w := call("GET", address(change), ""); w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	w := call("GET", address(same), "")
	form := regexp.MustCompile(`action="([^"]*)"`).FindStringSubmatch(w.Body.String())
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "200,00 XXX") || form == nil {
		t.Fatal(w.Code, w.Body)
	}
	for range 2 { // a payer who presses twice
		w := call("POST", html.UnescapeString(form[1]), "do=pay")
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "http://site.example/back" {
			t.Fatal(w.Code, w.Header())
		}
	}
	call("POST", address(same), "do=refuse") // what was paid stays paid
	p.Wait()
	if len(s.got) != 3 {
		t.Fatalf("%d messages arrived", len(s.got))
	}
	for _, n := range s.got {
		if n.Status != "paid" || n.Order != "o1" || n.Case != "C-1" || n.Amount != 20000 {
			t.Errorf("%+v", n)
		}
	}
	body := `{"order":"o1","amount":20000,"currency":"XXX"}`
	at := strconv.FormatInt(time.Now().Unix(), 10)
	if w := call("POST", "/refunds", body, "Payment-Timestamp", at, "Payment-Signature", "v1=00"); w.Code != http.StatusForbidden {
		t.Error("a forged refund:", w.Code)
	}
	for range 2 {
		if w := call("POST", "/refunds", body, "Payment-Timestamp", at, "Payment-Signature", "v1="+sealed("secret", at, body)); w.Code != http.StatusNoContent {
			t.Error("a refund:", w.Code)
		}
	}
	if _, err := New(context.Background(), Options{}); err == nil {
		t.Error("a provider without a secret")
	}
}

func TestOnlyThisMachine(t *testing.T) {
	for _, a := range []string{"0.0.0.0:0", "example.org:80", "x"} {
		if err := Run(t.Context(), []string{"--listen", a, "--secret", "s"}, io.Discard); err == nil {
			t.Errorf("it listens on %s", a)
		}
	}
}
