package statuslist

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"diwan/protocol/jws"
)

// TestAlgorithmsCWT accepts or refuses each algorithm of COSE on purpose.
func TestAlgorithmsCWT(t *testing.T) {
	ec := func(c elliptic.Curve) crypto.Signer {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	all := []string{jws.ES256, jws.ES384, jws.ES512, jws.PS256, jws.PS384, jws.PS512, jws.EdDSA, "RS256", "HS256", "none", ""}
	p256 := ec(elliptic.P256())
	for _, c := range []struct {
		alg  cose.Algorithm
		key  crypto.Signer
		name string // as which it is accepted, empty when never
	}{
		{cose.AlgorithmES256, p256, jws.ES256},
		{cose.AlgorithmES384, ec(elliptic.P384()), jws.ES384},
		{cose.AlgorithmES512, ec(elliptic.P521()), jws.ES512},
		{cose.AlgorithmEdDSA, ed, jws.EdDSA},
		{cose.AlgorithmPS256, rsaKey, jws.PS256},
		{cose.AlgorithmPS384, rsaKey, ""},
		{cose.AlgorithmPS512, rsaKey, ""},
		{cose.AlgorithmRS256, nil, ""},
		{cose.AlgorithmRS384, nil, ""},
		{cose.AlgorithmRS512, nil, ""},
		{cose.AlgorithmReserved, nil, ""},
		{5, nil, ""},                               // HMAC with SHA-256
		{cose.AlgorithmES384, p256, "other curve"}, // the curve is part of the name
	} {
		m := cose.NewSign1Message()
		m.Headers.Protected[cose.HeaderLabelType] = MediaCWT
		m.Headers.Protected.SetAlgorithm(c.alg)
		list := token(t).List
		if m.Payload, err = cbor.Marshal(map[int]any{2: uri, 6: now.Unix(), 65533: map[string]any{"bits": list.Bits, "lst": list.Data}}); err != nil {
			t.Fatal(err)
		}
		m.Signature = make([]byte, 64)
		key := c.key
		if key == nil {
			key = p256
		} else {
			signer, err := cose.NewSigner(c.alg, key)
			if err != nil {
				t.Fatal(err)
			}
			m.Signature = nil
			if err := m.Sign(rand.Reader, nil, signer); err != nil {
				t.Fatal(err)
			}
		}
		b, err := m.MarshalCBOR()
		if err != nil {
			t.Fatal(err)
		}
		_, err = VerifyCWT(b, Policy{URI: uri, Key: signedBy(key), Now: now, Algorithms: all})
		switch c.name {
		case "":
			if !errors.Is(err, ErrAlgorithm) {
				t.Errorf("%s: %v", c.alg, err)
			}
		case "other curve":
			if !errors.Is(err, ErrSignature) {
				t.Errorf("%s with a key of another curve: %v", c.alg, err)
			}
		default:
			if err != nil {
				t.Errorf("%s: %v", c.alg, err)
			}
			if _, err := VerifyCWT(b, Policy{URI: uri, Key: signedBy(key), Now: now, Algorithms: []string{"none"}}); !errors.Is(err, ErrAlgorithm) {
				t.Errorf("%s, not allowed: %v", c.alg, err)
			}
		}
	}
}
