package stamp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/exchange/pki"
	"diwan/protocol/cms"

	"github.com/digitorus/timestamp"
)

var policy = asn1.ObjectIdentifier{2, 5, 29, 32, 0, 55}

type house struct {
	root *pki.Authority
	tsa  *Authority
	cert *x509.Certificate
}

func ecKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newHouse(t testing.TB, d *db.DB, key crypto.Signer, now func() time.Time) *house {
	t.Helper()
	root, err := pki.NewRoot("TEST", ecKey(t), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	cert, err := root.IssueStamp(key.Public(), "Stamps", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	tsa, err := NewAuthority(d, AuthorityOptions{Certificate: cert, Key: key, Policy: policy, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return &house{root, tsa, cert}
}

func (h *house) trust() Trust {
	p := x509.NewCertPool()
	p.AddCert(h.root.Certificate)
	return Trust{Roots: p, Policies: []asn1.ObjectIdentifier{policy}}
}

func (h *house) client(t testing.TB, handler http.Handler) *Client {
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return &Client{URL: s.URL, Trust: h.trust(), HTTP: s.Client()}
}

func sqlite(t testing.TB) *db.DB { return dbtest.SQLite(t, []db.Migrations{Migrations()}) }

func TestStamp(t *testing.T) {
	dbtest.Each(t, []db.Migrations{Migrations()}, func(t *testing.T, d *db.DB) {
		rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			t.Fatal(err)
		}
		for name, key := range map[string]crypto.Signer{"P-256": ecKey(t), "RSA": rsaKey} {
			h := newHouse(t, d, key, nil)
			data := []byte("a checkpoint")
			answer, at, err := h.client(t, h.tsa).Stamp(context.Background(), data)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			tok, err := Verify(answer, data, h.trust())
			if err != nil || !tok.Time.Equal(at) || tok.Accuracy != time.Second || !tok.Policy.Equal(policy) || !tok.Authority.Equal(h.cert) {
				t.Errorf("%s: %+v, %v", name, tok, err)
			}
			// A reader that is not ours sees the same.
			other, err := timestamp.ParseResponse(answer)
			if err != nil || !other.Time.Equal(at) || other.SerialNumber.Cmp(tok.Serial) != 0 {
				t.Errorf("%s: the other reader has %+v, %v", name, other, err)
			}
			if n, err := h.tsa.Issued(context.Background()); err != nil || n != 1 {
				t.Errorf("%s: %d noted, %v", name, n, err)
			}
			if _, err := Verify(answer, []byte("another"), h.trust()); !errors.Is(err, ErrImprint) {
				t.Errorf("%s: stamp of another: %v", name, err)
			}
		}
	})
}

// Serial numbers never come twice, whoever asks at once.
func TestSerialNumbers(t *testing.T) {
	dbtest.Each(t, []db.Migrations{Migrations()}, func(t *testing.T, d *db.DB) {
		h := newHouse(t, d, ecKey(t), nil)
		q := query(t, func(*timestamp.Request) {})
		var wg sync.WaitGroup
		var mu sync.Mutex
		seen := map[string]bool{}
		for range 4 {
			wg.Go(func() {
				for range 8 {
					b, err := h.tsa.Issue(context.Background(), q)
					if err != nil {
						t.Error(err)
						return
					}
					s, err := serialOf(b)
					mu.Lock()
					if err != nil || seen[s] {
						t.Errorf("serial %s, seen %v, %v", s, seen[s], err)
					}
					seen[s] = true
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if n, err := h.tsa.Issued(context.Background()); err != nil || n != 32 {
			t.Errorf("%d noted, %v", n, err)
		}
		if err := h.tsa.Forget(context.Background(), time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if n, _ := h.tsa.Issued(context.Background()); n != 0 {
			t.Errorf("%d left", n)
		}
	})
}

func query(t testing.TB, change func(*timestamp.Request)) []byte {
	t.Helper()
	r := &timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: cms.Digest(crypto.SHA256, []byte("x")), Certificates: true, Nonce: big.NewInt(7)}
	change(r)
	b, err := r.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestAuthorityRefuses(t *testing.T) {
	h := newHouse(t, sqlite(t), ecKey(t), nil)
	sum := sha1.Sum([]byte("x"))
	for name, c := range map[string]struct {
		query   []byte
		failure timestamp.FailureInfo
	}{
		"nothing":  {nil, timestamp.BadDataFormat},
		"trailing": {append(query(t, func(*timestamp.Request) {}), 0), timestamp.BadDataFormat},
		"long":     {bytes.Repeat([]byte{1}, MaxQuery+1), timestamp.BadDataFormat},
		"SHA-1":    {query(t, func(r *timestamp.Request) { r.HashAlgorithm, r.HashedMessage = crypto.SHA1, sum[:] }), timestamp.BadAlgorithm},
		"short":    {query(t, func(r *timestamp.Request) { r.HashedMessage = r.HashedMessage[1:] }), timestamp.BadDataFormat},
		"nonce":    {query(t, func(r *timestamp.Request) { r.Nonce = new(big.Int).Lsh(big.NewInt(1), 200) }), timestamp.BadDataFormat},
		"policy":   {query(t, func(r *timestamp.Request) { r.TSAPolicyOID = asn1.ObjectIdentifier{1, 2, 3} }), timestamp.UnacceptedPolicy},
		"extension": {query(t, func(r *timestamp.Request) {
			r.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: []byte{5, 0}}}
		}), timestamp.UnacceptedExtension},
	} {
		b, err := h.tsa.Issue(context.Background(), c.query)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, err = Verify(b, []byte("x"), h.trust())
		if r, ok := errors.AsType[*Refusal](err); !ok || r.Status != 2 || r.Failure != int(c.failure) {
			t.Errorf("%s: %v, want failure %d", name, err, c.failure)
		}
	}
	if n, _ := h.tsa.Issued(context.Background()); n != 0 {
		t.Errorf("%d stamps noted for refusals", n)
	}
}

func TestAuthorityNeedsRightKeys(t *testing.T) {
	h := newHouse(t, sqlite(t), ecKey(t), nil)
	if _, err := NewAuthority(h.tsa.db, AuthorityOptions{Certificate: h.cert, Key: ecKey(t), Policy: policy}); err == nil {
		t.Error("a foreign key was taken")
	}
	key := h.root.Key
	if _, err := NewAuthority(h.tsa.db, AuthorityOptions{Certificate: h.root.Certificate, Key: key, Policy: policy}); !errors.Is(err, ErrAuthority) {
		t.Errorf("a root as time-stamp authority: %v", err)
	}
}

func TestHTTP(t *testing.T) {
	h := newHouse(t, sqlite(t), ecKey(t), nil)
	q := query(t, func(*timestamp.Request) {})
	for _, c := range []struct {
		method, contentType string
		body                []byte
		status              int
	}{
		{http.MethodPost, queryType, q, http.StatusOK},
		{http.MethodGet, queryType, nil, http.StatusMethodNotAllowed},
		{http.MethodPost, "text/plain", q, http.StatusUnsupportedMediaType},
		{http.MethodPost, queryType, make([]byte, MaxQuery+1), http.StatusRequestEntityTooLarge},
	} {
		r := httptest.NewRequest(c.method, "/", bytes.NewReader(c.body))
		r.Header.Set("Content-Type", c.contentType)
		w := httptest.NewRecorder()
		h.tsa.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s %s with %d bytes: %d, want %d", c.method, c.contentType, len(c.body), w.Code, c.status)
		}
	}
}

// Whoever stands between, or answers for, the authority is found out.
func TestClientRefuses(t *testing.T) {
	d := sqlite(t)
	h := newHouse(t, d, ecKey(t), nil)
	other := newHouse(t, d, ecKey(t), nil)
	late := newHouse(t, d, h.tsa.o.Key, func() time.Time { return time.Now().Add(time.Hour) })
	late.root, late.tsa.o.Certificate = h.root, h.cert
	data := []byte("a checkpoint")
	old, _, err := h.client(t, h.tsa).Stamp(context.Background(), data)
	if err != nil {
		t.Fatal(err)
	}
	reply := func(b []byte) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", answerType)
			w.Write(b)
		})
	}
	for name, c := range map[string]struct {
		handler http.Handler
		want    error
	}{
		"another authority": {other.tsa, ErrAuthority},
		"replayed":          {reply(old), ErrNonce},
		"clock":             {late.tsa, ErrTime},
		"too long":          {reply(make([]byte, MaxAnswer+1)), nil},
		"empty":             {reply(nil), ErrAnswer},
		"error":             {http.NotFoundHandler(), nil},
		"other type":        {http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "hello") }), nil},
	} {
		_, _, err := h.client(t, c.handler).Stamp(context.Background(), data)
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	// A certificate of the same root that is for something else.
	key := ecKey(t)
	csr, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, key)
	if err != nil {
		t.Fatal(err)
	}
	node, err := h.root.IssueNode(csr, pki.Holder{Member: "TEST/GOV/A", Node: "n1"}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	fake := &Authority{d, AuthorityOptions{Certificate: node, Key: key, Policy: policy, Now: time.Now}, "fake"}
	if _, _, err := h.client(t, fake).Stamp(context.Background(), data); !errors.Is(err, ErrAuthority) {
		t.Errorf("a node's certificate stamps: %v", err)
	}
	if _, err := Verify(old, data, Trust{}); !errors.Is(err, ErrAuthority) {
		t.Errorf("without roots: %v", err)
	}
	strict := h.trust()
	strict.Policies = []asn1.ObjectIdentifier{{1, 2, 3}}
	if _, err := Verify(old, data, strict); !errors.Is(err, ErrAuthority) {
		t.Errorf("another policy: %v", err)
	}
}

// Every byte of an answer that matters is bound: whatever bit is turned, the
// answer either fails or still says the same.
func TestEveryBit(t *testing.T) {
	h := newHouse(t, sqlite(t), ecKey(t), nil)
	data := []byte("a checkpoint")
	answer, at, err := h.client(t, h.tsa).Stamp(context.Background(), data)
	if err != nil {
		t.Fatal(err)
	}
	good := 0
	for i := range answer {
		bad := bytes.Clone(answer)
		bad[i] ^= 1 << (i % 8)
		tok, err := Verify(bad, data, h.trust())
		if err == nil {
			good++
			if !tok.Time.Equal(at) || !tok.Authority.Equal(h.cert) {
				t.Errorf("byte %d turned: time %s", i, tok.Time)
			}
		}
	}
	// What is not signed: versions, the status, lists of digests.
	if good > 40 {
		t.Errorf("%d of %d turned bytes went unnoticed", good, len(answer))
	}
	for n := range answer {
		if _, err := Verify(answer[:n], data, h.trust()); err == nil {
			t.Errorf("cut to %d bytes it is accepted", n)
		}
	}
}

// OpenSSL accepts what our authority gives, and refuses what it should.
func TestOpenSSL(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("openssl is not installed: in CI our time stamps must be checked by another program")
		}
		t.Skip("openssl is not installed: our time stamps were not checked by another program")
	}
	h := newHouse(t, sqlite(t), ecKey(t), nil)
	dir := t.TempDir()
	data, ca := filepath.Join(dir, "checkpoint"), filepath.Join(dir, "ca.pem")
	write := func(name string, b []byte) {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(data, []byte("a checkpoint"))
	write(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: h.root.Certificate.Raw}))
	answer, _, err := h.client(t, h.tsa).Stamp(context.Background(), []byte("a checkpoint"))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "answer.tsr")
	write(file, answer)
	if out, err := exec.Command(openssl, "ts", "-verify", "-data", data, "-in", file, "-CAfile", ca).CombinedOutput(); err != nil {
		t.Errorf("openssl refuses our stamp: %v\n%s", err, out)
	}
	// OpenSSL asks, we answer.
	ask := filepath.Join(dir, "ask.tsq")
	if out, err := exec.Command(openssl, "ts", "-query", "-data", data, "-sha512", "-cert", "-out", ask).CombinedOutput(); err != nil {
		t.Fatalf("openssl ts -query: %v\n%s", err, out)
	}
	q, err := os.ReadFile(ask)
	if err != nil {
		t.Fatal(err)
	}
	if answer, err = h.tsa.Issue(context.Background(), q); err != nil {
		t.Fatal(err)
	}
	write(file, answer)
	if out, err := exec.Command(openssl, "ts", "-verify", "-queryfile", ask, "-in", file, "-CAfile", ca).CombinedOutput(); err != nil {
		t.Errorf("openssl refuses our answer to its request: %v\n%s", err, out)
	}
	if _, err := Verify(answer, []byte("a checkpoint"), h.trust()); err != nil {
		t.Errorf("we refuse what openssl accepts: %v", err)
	}
	write(data, []byte("another"))
	if out, err := exec.Command(openssl, "ts", "-verify", "-data", data, "-in", file, "-CAfile", ca).CombinedOutput(); err == nil {
		t.Errorf("openssl accepts the stamp for other bytes\n%s", out)
	}
}
