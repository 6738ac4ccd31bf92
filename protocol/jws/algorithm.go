package jws

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// Algorithms that can be allowed. HAIP 1.0 §7 asks every party for ES256; the others
// are for peers that a deployment names. None is symmetric, none is PKCS #1 v1.5.
const (
	ES256 = string(jose.ES256)
	ES384 = string(jose.ES384)
	ES512 = string(jose.ES512)
	PS256 = string(jose.PS256)
	PS384 = string(jose.PS384)
	PS512 = string(jose.PS512)
	EdDSA = string(jose.EdDSA)
)

var curves = map[string]string{ES256: "P-256", ES384: "P-384", ES512: "P-521"}

// minRSA is the smallest RSA key that is accepted, in bits.
const minRSA = 2048

// fits tells whether a public key may be used with an algorithm: the curve of an
// elliptic key is part of the algorithm's name (RFC 7518 §3.4).
func fits(alg string, key crypto.PublicKey) error {
	ok := false
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		ok = curves[alg] != "" && k.Curve.Params().Name == curves[alg]
	case *rsa.PublicKey:
		ok = (alg == PS256 || alg == PS384 || alg == PS512) && k.N.BitLen() >= minRSA
	case ed25519.PublicKey:
		ok = alg == EdDSA
	}
	if !ok {
		return fmt.Errorf("%w: %s with a key of type %T", ErrKey, alg, key)
	}
	return nil
}

// AlgorithmOf returns the algorithm with which a key signs, or an error for a key
// that can't be used here.
func AlgorithmOf(key crypto.PublicKey) (string, error) {
	for _, alg := range []string{ES256, ES384, ES512, EdDSA, PS256} {
		if fits(alg, key) == nil {
			return alg, nil
		}
	}
	return "", fmt.Errorf("%w: no algorithm for a key of type %T", ErrKey, key)
}
