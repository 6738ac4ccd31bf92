package directory

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

const good = `{"directory":"https://d.example","instance":"XX","member":"XX/GOV/CIVIL","node":"n1","token":"dxt_x","key":"0000000000000000000000000000000000000000000000000000000000000000"}`

func code(json string) string { return "dxj_" + base64.RawURLEncoding.EncodeToString([]byte(json)) }

func TestReadInvitation(t *testing.T) {
	if i, err := ReadInvitation(code(good)); err != nil || i.Member != "XX/GOV/CIVIL" {
		t.Errorf("%+v, %v", i, err)
	}
	for what, bad := range map[string]string{"empty": "", "no prefix": code(good)[4:], "not base64": "dxj_!", "not JSON": code("x"), "no member": code(strings.Replace(good, "CIVIL", "", 1)),
		"another instance": code(strings.Replace(good, `"instance":"XX"`, `"instance":"YY"`, 1)), "a subsystem": code(strings.Replace(good, "CIVIL", "CIVIL/X", 1)), "long": "dxj_" + strings.Repeat("A", 5000)} {
		if _, err := ReadInvitation(bad); !errors.Is(err, ErrInvitation) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func FuzzReadInvitation(f *testing.F) {
	f.Add(code(good))
	f.Add("dxj_e30")
	f.Fuzz(func(t *testing.T, s string) {
		if i, err := ReadInvitation(s); err == nil && (i.Token == "" || i.Member == "" || len(i.Key) != 64) {
			t.Errorf("%q gives %+v", s, i)
		}
	})
}

func TestAddresses(t *testing.T) {
	for a, ok := range map[string]bool{"https://d.example": true, "https://d.example:8443/": true, "http://127.0.0.1:8080": true, "http://[::1]:1": true, "http://localhost": true,
		"http://d.example": false, "ftp://d": false, "": false, "https://u:p@d": false} {
		if _, err := New(a, Options{}); (err == nil) != ok {
			t.Errorf("%q: %v", a, err)
		}
	}
}

func TestRefusalsKeepTheirCodes(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/api/v1/exchange/parts/a":
			w.WriteHeader(404)
			w.Write([]byte(`{"code":"exchange.not_found","detail":"no"}`))
		case "/api/v1/exchange/parts/b":
			w.WriteHeader(503)
		default:
			http.Redirect(w, r, "/elsewhere", http.StatusFound)
		}
	}))
	defer s.Close()
	c, err := New(s.URL, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var e *Error
	if _, err := c.Part(t.Context(), "a"); !errors.As(err, &e) || e.Code != "exchange.not_found" || e.Status != 404 {
		t.Errorf("refused: %v", err)
	}
	if _, err := c.Part(t.Context(), "b"); !errors.Is(err, ErrUnreachable) {
		t.Errorf("down: %v", err)
	}
	if _, err := c.Part(t.Context(), "c"); !errors.As(err, &e) || e.Status != 302 {
		t.Errorf("a redirect was followed: %v", err)
	}
	if err := c.SetNode(t.Context(), NodeState{}); err == nil {
		t.Error("a node without a key signed")
	}
}
