package sign1

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"io"
	"math/big"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"
)

func newKey(t testing.TB, c elliptic.Curve) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func certificate(t testing.TB, key crypto.Signer) *x509.Certificate {
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err == nil {
		c, err = x509.ParseCertificate(der)
	}
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// opaque stands for a key in hardware: it signs only when the hash is named.
type opaque struct{ crypto.Signer }

func (o opaque) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts == nil || opts.HashFunc() != crypto.SHA256 {
		return nil, errors.New("no hash")
	}
	return o.Signer.Sign(r, digest, opts)
}

// unusual signers return what is no signature of the key.
type unusual struct {
	crypto.Signer
	der []byte
}

func (u unusual) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return u.der, nil }

func TestSignAndVerify(t *testing.T) {
	key := newKey(t, elliptic.P256())
	cert := certificate(t, key)
	for _, chain := range [][]*x509.Certificate{{cert}, {cert, cert}} {
		b, err := Sign(opaque{key}, map[any]any{LabelType: "application/test"}, map[any]any{LabelChain: ChainValue(chain)}, []byte("hello"), false)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range [][]byte{b, append([]byte{0xd2}, b...)} {
			m, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			got, err := m.Verify(key.Public(), nil)
			if err != nil || string(got) != "hello" || string(m.Unverified()) != "hello" || m.Protected[LabelType] != "application/test" {
				t.Errorf("%q, %v, %v", got, m.Protected, err)
			}
			if c, err := m.Chain(); err != nil || len(c) != len(chain) || !c[0].Equal(cert) {
				t.Errorf("chain %v, %v", c, err)
			}
			if _, err := m.Verify(newKey(t, elliptic.P256()).Public(), nil); !errors.Is(err, ErrSignature) {
				t.Errorf("another key gives %v", err)
			}
			if _, err := m.Verify(key.Public(), []byte("hello")); !errors.Is(err, ErrForm) {
				t.Errorf("two payloads give %v", err)
			}
		}
	}
	b, err := Sign(key, nil, nil, []byte("hello"), true)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(b)
	if err != nil || bytes.Contains(b, []byte("hello")) {
		t.Fatal(err)
	}
	if _, err := m.Verify(key.Public(), []byte("hello")); err != nil {
		t.Error(err)
	}
	if _, err := m.Verify(key.Public(), []byte("hallo")); !errors.Is(err, ErrSignature) {
		t.Errorf("another payload gives %v", err)
	}
	if _, err := m.Verify(key.Public(), nil); !errors.Is(err, ErrForm) {
		t.Errorf("no payload gives %v", err)
	}
	if _, err := m.Chain(); !errors.Is(err, ErrForm) {
		t.Errorf("no chain gives %v", err)
	}
}

func TestSignRefuses(t *testing.T) {
	key := newKey(t, elliptic.P256())
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	for _, k := range []crypto.Signer{newKey(t, elliptic.P384()), ed} {
		if _, err := Sign(k, nil, nil, []byte("x"), false); !errors.Is(err, ErrKey) {
			t.Errorf("%T signs: %v", k, err)
		}
	}
	wide, _ := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).Lsh(big.NewInt(1), 300), big.NewInt(1)})
	null, _ := asn1.Marshal(struct{ R, S *big.Int }{big.NewInt(0), big.NewInt(1)})
	for _, der := range [][]byte{nil, {0x30}, wide, null} {
		if _, err := Sign(unusual{key, der}, nil, nil, []byte("x"), false); err == nil {
			t.Errorf("%x passes for a signature", der)
		}
	}
}

// TestAlgorithms goes through every algorithm that go-cose knows: each is accepted or
// refused on purpose. Those that it can make are made by it.
func TestAlgorithms(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	p256 := newKey(t, elliptic.P256())
	made := map[cose.Algorithm]crypto.Signer{
		cose.AlgorithmPS256: rsaKey, cose.AlgorithmPS384: rsaKey, cose.AlgorithmPS512: rsaKey,
		cose.AlgorithmES256: p256, cose.AlgorithmES384: newKey(t, elliptic.P384()), cose.AlgorithmES512: newKey(t, elliptic.P521()),
		cose.AlgorithmEdDSA: ed,
	}
	for alg, key := range made {
		s, err := cose.NewSigner(alg, key)
		if err != nil {
			t.Fatal(err)
		}
		b, err := cose.Sign1(rand.Reader, s, cose.Headers{}, []byte("x"), nil)
		if err != nil {
			t.Fatal(err)
		}
		m, err := Parse(b)
		if alg != cose.AlgorithmES256 {
			if !errors.Is(err, ErrAlgorithm) {
				t.Errorf("%v gives %v", alg, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Verify(key.Public(), nil); err != nil {
			t.Error(err)
		}
		for _, k := range []crypto.PublicKey{rsaKey.Public(), ed.Public(), newKey(t, elliptic.P384()).Public(), nil, (*ecdsa.PublicKey)(nil)} {
			if _, err := m.Verify(k, nil); !errors.Is(err, ErrKey) {
				t.Errorf("a key of type %T gives %v", k, err)
			}
		}
	}
	// By number: the rest of go-cose's, and some that other libraries accept.
	for _, alg := range []int64{0, 1, 4, 5, 6, 7, -6, -8, -19, -35, -36, -37, -38, -39, -47, -51, -52, -257, -258, -259, -65535} {
		if _, err := Parse(message(t, map[any]any{1: alg}, map[any]any{})); !errors.Is(err, ErrAlgorithm) {
			t.Errorf("%d gives %v", alg, err)
		}
	}
	b, err := signed(p256, map[any]any{1: ESP256})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := m.Verify(p256.Public(), nil); err != nil {
		t.Errorf("ESP256: %v", err)
	}
}

// signed signs with any header.
func signed(key *ecdsa.PrivateKey, protected map[any]any) ([]byte, error) {
	h, err := cbor.Marshal(protected)
	if err != nil {
		return nil, err
	}
	b, err := cbor.Marshal([]any{"Signature1", h, []byte{}, []byte("x")})
	if err != nil {
		return nil, err
	}
	sig, err := signer{key, &key.PublicKey}.Sign(rand.Reader, b)
	if err != nil {
		return nil, err
	}
	return cbor.Marshal([]any{h, map[any]any{}, []byte("x"), sig})
}

func message(t *testing.T, protected, unprotected map[any]any) []byte {
	h, err := cbor.Marshal(protected)
	if err != nil {
		t.Fatal(err)
	}
	b, err := cbor.Marshal([]any{h, unprotected, []byte("x"), make([]byte, 64)})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRefused(t *testing.T) {
	many := make([]any, maxChain+1)
	for i := range many {
		many[i] = []byte{0x30}
	}
	cases := []struct {
		name string
		b    []byte
		want error
	}{
		{"empty", nil, ErrForm},
		{"not an array", []byte{0xa0}, ErrForm},
		{"another tag", append([]byte{0xd1}, message(t, map[any]any{1: -7}, nil)...), ErrForm},
		{"no algorithm", message(t, map[any]any{4: []byte{1}}, map[any]any{}), ErrAlgorithm},
		{"algorithm by name", message(t, map[any]any{1: "ES256"}, map[any]any{}), ErrAlgorithm},
		{"algorithm not signed", message(t, map[any]any{}, map[any]any{1: -7}), ErrAlgorithm},
		{"header twice", message(t, map[any]any{1: -7}, map[any]any{1: -7}), ErrForm},
		{"critical", message(t, map[any]any{1: -7, 2: []any{1}}, map[any]any{}), ErrForm},
		{"no headers", message(t, map[any]any{1: -7}, nil), ErrForm},
	}
	for _, c := range cases {
		if _, err := Parse(c.b); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	for name, v := range map[string]any{"rubbish": []byte{0x30}, "text": "x", "none": []any{}, "many": many} {
		m, err := Parse(message(t, map[any]any{1: -7}, map[any]any{33: v}))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Chain(); !errors.Is(err, ErrForm) {
			t.Errorf("a chain of %s gives %v", name, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	key := newKey(f, elliptic.P256())
	good, err := Sign(key, map[any]any{LabelKeyID: []byte{1}}, map[any]any{LabelChain: certificate(f, key).Raw}, []byte("x"), false)
	if err != nil {
		f.Fatal(err)
	}
	for _, b := range [][]byte{good, {}, {0x84}, {0xd2, 0x84, 0x40, 0xa0, 0xf6, 0x40}, []byte("\x84\x43\xa1\x01\x26\xa1\x07\x83\x40\xa0\x41\x00\x41x\x41\x00")} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		if err != nil {
			if !errors.Is(err, ErrForm) && !errors.Is(err, ErrAlgorithm) {
				t.Error(err)
			}
			return
		}
		if _, err := m.Chain(); err != nil && !errors.Is(err, ErrForm) {
			t.Error(err)
		}
		if got, err := m.Verify(key.Public(), nil); err == nil && string(got) != "x" {
			t.Errorf("%x counts as signed", b)
		}
	})
}
