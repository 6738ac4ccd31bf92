package httpsig

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
)

// Algorithm is a name of the registry of RFC 9421, 6.2.
type Algorithm string

const (
	Ed25519     Algorithm = "ed25519"
	ECDSAP256   Algorithm = "ecdsa-p256-sha256"
	RSAPSS      Algorithm = "rsa-pss-sha512"
	RSAv15      Algorithm = "rsa-v1_5-sha256" // verified only: new signatures use rsa-pss-sha512
	HMACSHA256  Algorithm = "hmac-sha256"
	minRSABits            = 2048
	minHMACSize           = 16
)

// Errors of keys and signatures.
var (
	ErrKey       = errors.New("the key does not fit")
	ErrSignature = errors.New("the signature does not verify")
)

// Signer makes signatures with one key. Key may live in a hardware module; for
// hmac-sha256, Secret is used instead.
type Signer struct {
	KeyID  string
	Alg    Algorithm
	Key    crypto.Signer
	Secret []byte
}

// Key verifies signatures. Its algorithm is fixed where the key is known: a
// message can't choose another.
type Key struct {
	Alg    Algorithm
	Public crypto.PublicKey
	Secret []byte
}

func (s Signer) sign(base []byte) ([]byte, error) {
	if s.Alg == HMACSHA256 {
		if len(s.Secret) < minHMACSize {
			return nil, fmt.Errorf("%w: a secret of %d bytes", ErrKey, len(s.Secret))
		}
		return mac(s.Secret, base), nil
	}
	if s.Key == nil {
		return nil, fmt.Errorf("%w: none given", ErrKey)
	}
	if s.Alg == RSAv15 {
		return nil, fmt.Errorf("%w: %s is for verifying only", ErrKey, s.Alg)
	}
	if err := fits(s.Alg, s.Key.Public()); err != nil {
		return nil, err
	}
	switch s.Alg {
	case Ed25519:
		return s.Key.Sign(rand.Reader, base, crypto.Hash(0))
	case RSAPSS:
		sum := sha512.Sum512(base)
		return s.Key.Sign(rand.Reader, sum[:], &rsa.PSSOptions{SaltLength: sha512.Size, Hash: crypto.SHA512})
	}
	sum := sha256.Sum256(base)
	der, err := s.Key.Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return fromDER(der)
}

// verify tells whether sig is the key's signature of base.
func (k Key) verify(base, sig []byte) error {
	if k.Alg == HMACSHA256 {
		if len(k.Secret) < minHMACSize {
			return fmt.Errorf("%w: a secret of %d bytes", ErrKey, len(k.Secret))
		}
		if !hmac.Equal(mac(k.Secret, base), sig) {
			return ErrSignature
		}
		return nil
	}
	if err := fits(k.Alg, k.Public); err != nil {
		return err
	}
	ok := false
	switch k.Alg {
	case Ed25519:
		ok = ed25519.Verify(k.Public.(ed25519.PublicKey), base, sig)
	case ECDSAP256:
		sum := sha256.Sum256(base)
		if len(sig) == 64 {
			r, s := new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])
			ok = ecdsa.Verify(k.Public.(*ecdsa.PublicKey), sum[:], r, s)
		}
	case RSAPSS:
		sum := sha512.Sum512(base)
		opts := &rsa.PSSOptions{SaltLength: sha512.Size, Hash: crypto.SHA512}
		ok = rsa.VerifyPSS(k.Public.(*rsa.PublicKey), crypto.SHA512, sum[:], sig, opts) == nil
	case RSAv15:
		sum := sha256.Sum256(base)
		ok = rsa.VerifyPKCS1v15(k.Public.(*rsa.PublicKey), crypto.SHA256, sum[:], sig) == nil
	}
	if !ok {
		return ErrSignature
	}
	return nil
}

// fits tells whether a public key is of the algorithm and strong enough.
func fits(alg Algorithm, public crypto.PublicKey) error {
	ok := false
	switch k := public.(type) {
	case ed25519.PublicKey:
		ok = alg == Ed25519 && len(k) == ed25519.PublicKeySize
	case *ecdsa.PublicKey:
		ok = alg == ECDSAP256 && k.Curve == elliptic.P256()
	case *rsa.PublicKey:
		ok = (alg == RSAPSS || alg == RSAv15) && k.N.BitLen() >= minRSABits
	}
	if !ok {
		return fmt.Errorf("%w: %T for %q", ErrKey, public, string(alg))
	}
	return nil
}

func mac(secret, base []byte) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write(base)
	return h.Sum(nil)
}

// fromDER turns an ECDSA signature into r ‖ s, 32 bytes each.
func fromDER(der []byte) ([]byte, error) {
	var v struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &v)
	if err != nil || len(rest) > 0 || v.R.Sign() <= 0 || v.S.Sign() <= 0 || v.R.BitLen() > 256 || v.S.BitLen() > 256 {
		return nil, fmt.Errorf("%w: the signer's answer is no P-256 signature", ErrKey)
	}
	out := make([]byte, 64)
	v.R.FillBytes(out[:32])
	v.S.FillBytes(out[32:])
	return out, nil
}
