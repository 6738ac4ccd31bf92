package holder

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
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

// What a process that was killed leaves behind is not taken for a document, and a
// document that is damaged is not taken for whole.
func TestTornFiles(t *testing.T) {
	dir := t.TempDir()
	s, err := OpenStore(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	const id = "aa00000000000000"
	if err := s.Put(&Document{ID: id, Received: time.Unix(1, 0)}); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(s.file(id))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, ".new-123"), whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err = OpenStore(dir, ""); err != nil {
		t.Fatal(err)
	}
	if all, err := s.List(); err != nil || len(all) != 1 || all[0].ID != id {
		t.Errorf("beside a half-written file: %v, %v", all, err)
	}
	for n := range whole {
		if err := os.WriteFile(s.file(id), whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if d, err := s.Get(id); err == nil {
			t.Fatalf("cut to %d of %d bytes it is read as %+v", n, len(whole), d)
		}
	}
	if err := os.WriteFile(s.file("bb00000000000000"), whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if d, err := s.Get("bb"); err == nil {
		t.Errorf("under another's name it is read as %+v", d)
	}
	if err := os.WriteFile(filepath.Join(dir, "wallet.identity"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStore(dir, ""); err == nil {
		t.Error("an identity that was cut off is taken")
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
