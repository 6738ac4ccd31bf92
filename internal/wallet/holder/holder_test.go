package holder

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"diwan/protocol/oauth"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/vci"
)

// What strangers answer is bounded, and where they lead is not followed.
func TestWhatIsFetchedIsBounded(t *testing.T) {
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		asked++
		switch r.URL.Path {
		case "/moved":
			http.Redirect(rw, r, "/", http.StatusFound)
		case "/large":
			for range maxAnswer>>10 + 1 {
				_, _ = rw.Write(make([]byte, 1<<10))
			}
		case "/refused":
			rw.Header().Set("Content-Type", "application/json")
			rw.WriteHeader(http.StatusBadRequest)
			_, _ = rw.Write([]byte(`{"error":"invalid_grant"}`))
		}
	}))
	defer srv.Close()
	w := &Wallet{}
	for path, want := range map[string]error{"/moved": ErrAnswer, "/large": ErrAnswer, "/refused": oauth.InvalidGrant} {
		if _, err := w.get(t.Context(), "asking", srv.URL+path, ""); !errors.Is(err, want) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if asked != 3 {
		t.Errorf("asked %d times", asked)
	}
	if _, err := w.get(t.Context(), "asking", strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)+"/", ""); err != nil {
		t.Errorf("this machine by its name: %v", err)
	}
	ctx, stop := context.WithTimeout(t.Context(), 5*time.Second)
	defer stop()
	for _, at := range []string{"https://10.0.0.1/", "https://169.254.169.254/latest", "https://[fd00::1]/", "http://example.org/", "ftp://127.0.0.1/", "https://user@127.0.0.1/", "/", ""} {
		if _, err := w.get(ctx, "asking", at, ""); !errors.Is(err, ErrAddress) {
			t.Errorf("%s: %v", at, err)
		}
	}
}

// An issuer elsewhere can't have the wallet call what only this machine reaches.
func TestIssuersStayOutside(t *testing.T) {
	for _, test := range []struct {
		issuer, endpoint string
		ok               bool
	}{
		{"https://issuer.example", "https://issuer.example/token", true},
		{"https://issuer.example", "https://other.example/token", true},
		{"https://issuer.example", "http://127.0.0.1:6379/token", false},
		{"https://issuer.example", "https://localhost/token", false},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080/token", true},
	} {
		s := &session{issuer: &vci.Metadata{Issuer: test.issuer, CredentialEndpoint: test.issuer + "/credential"}, server: &oauth.Metadata{Issuer: test.issuer, TokenEndpoint: test.endpoint}}
		if err := s.contained(); (err == nil) != test.ok {
			t.Errorf("%s names %s: %v", test.issuer, test.endpoint, err)
		}
	}
}

func TestTxCodes(t *testing.T) {
	for _, test := range []struct {
		asked *vci.TxCode
		given string
		want  error
	}{
		{nil, "", nil}, {nil, "1234", ErrOffer}, {&vci.TxCode{}, "", ErrTxCode}, {&vci.TxCode{}, "x", nil}, {&vci.TxCode{Length: 4}, "123", ErrTxCode}, {&vci.TxCode{Length: 4}, "1234", nil},
		{&vci.TxCode{Length: 2, InputMode: vci.Text}, "éé", nil},
	} {
		if err := checkTxCode(test.asked, test.given); !errors.Is(err, test.want) {
			t.Errorf("%+v, %q: %v", test.asked, test.given, err)
		}
	}
}

func TestStoreFindsByTheBeginning(t *testing.T) {
	dir := t.TempDir()
	s, err := OpenStore(dir, filepath.Join(t.TempDir(), "identity"))
	if err != nil {
		t.Fatal(err)
	}
	for i, id := range []string{"aa00000000000000", "ab00000000000000"} {
		if err := s.Put(&Document{ID: id, Received: time.Unix(int64(i), 0)}); err != nil {
			t.Fatal(err)
		}
	}
	for _, begin := range []string{"", "a", "b", "../aa", "*"} {
		if _, err := s.Get(begin); !errors.Is(err, ErrNoSuch) {
			t.Errorf("%q: %v", begin, err)
		}
	}
	if d, err := s.Get("ab"); err != nil || d.ID != "ab00000000000000" {
		t.Error(d, err)
	}
	if all, err := s.List(); err != nil || len(all) != 2 || all[0].ID != "ab00000000000000" {
		t.Error(all, err)
	}
	for _, id := range []string{"", "../x", "AA00000000000000"} {
		if err := s.Put(&Document{ID: id}); err == nil {
			t.Errorf("%q was kept", id)
		}
		if err := s.Remove(id); err == nil {
			t.Errorf("%q was removed", id)
		}
	}
	other, err := OpenStore(dir, filepath.Join(t.TempDir(), "identity"))
	if err == nil {
		t.Errorf("another identity opened it: %v", other)
	}
}

// Whatever an issuer calls a document is read without harm.
func FuzzContent(f *testing.F) {
	f.Add(true, "")
	f.Add(true, "eyJhbGciOiJFUzI1NiIsInR5cCI6ImRjK3NkLWp3dCJ9.e30.AAAA~")
	f.Add(false, "omppc3N1ZXJBdXRo")
	f.Fuzz(func(t *testing.T, text bool, value string) {
		format := openid4.MDoc
		if text {
			format = openid4.SDJWT
		}
		c, err := contentOf(format, value)
		if err == nil && c.Claims == nil {
			t.Error("a document without claims or error")
		}
	})
}
