package link

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"sync/atomic"

	"diwan/protocol/edverify"
)

// Algorithm is a signature algorithm of the format. Others are refused.
type Algorithm byte

const (
	// Ed25519 is pure Ed25519 (RFC 8032).
	Ed25519 Algorithm = 1
	// ECDSAP256 is ECDSA on P-256 over SHA-256, written as r and s of 32 bytes
	// each.
	ECDSAP256 Algorithm = 2
)

// rawSignature is the length of a signature of either algorithm.
const rawSignature = 64

// PublicKey is a key that messages are verified with. It does not change.
type PublicKey struct {
	member string
	id     KeyID
	alg    Algorithm
	ed     ed25519.PublicKey
	ec     *ecdsa.PublicKey
	// print is the whole SHA-256 of the key. The cache of verified roots holds
	// it, so that nothing verified under one key counts for another.
	print [32]byte

	checks atomic.Uint32 // of signatures, since the key has no table
	table  atomic.Pointer[edverify.Key]
}

// NewPublicKey makes a key of a member from an ed25519.PublicKey or an
// *ecdsa.PublicKey on P-256. The member is any name that the caller compares.
func NewPublicKey(pub crypto.PublicKey, member string) (*PublicKey, error) {
	k := &PublicKey{member: member}
	switch p := pub.(type) {
	case ed25519.PublicKey:
		if len(p) != ed25519.PublicKeySize {
			return nil, errors.New("link: Ed25519 key of a wrong length")
		}
		k.alg, k.ed = Ed25519, bytes.Clone(p)
	case *ecdsa.PublicKey:
		if p.Curve != elliptic.P256() {
			return nil, errors.New("link: ECDSA keys must be on P-256")
		}
		k.alg, k.ec = ECDSAP256, p
	default:
		return nil, fmt.Errorf("link: keys of type %T are not known", pub)
	}
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, fmt.Errorf("link: encoding a public key: %w", err)
	}
	k.print = sha256.Sum256(der)
	copy(k.id[:], k.print[:])
	return k, nil
}

// ID is the name of the key in envelopes.
func (k *PublicKey) ID() KeyID { return k.id }

// Alg is the algorithm of the key; a message must name the same.
func (k *PublicKey) Alg() Algorithm { return k.alg }

// Member is whose key this is.
func (k *PublicKey) Member() string { return k.member }

func (k *PublicKey) verify(msg, sig []byte) bool {
	if len(sig) != rawSignature {
		return false
	}
	if k.alg == Ed25519 {
		if t := k.multiples(); t != nil {
			return t.Verify(msg, sig)
		}
		return ed25519.Verify(k.ed, msg, sig)
	}
	h := sha256.Sum256(msg)
	var der [derMax]byte
	return ecdsa.VerifyASN1(k.ec, h[:], appendDER(der[:0], sig))
}

// Signer signs messages of one member. The private key may live elsewhere: all
// that is asked of it is [crypto.Signer].
type Signer struct {
	pub *PublicKey
	key crypto.Signer
}

// NewSigner makes a signer of a member from a key of a known algorithm.
func NewSigner(key crypto.Signer, member string) (*Signer, error) {
	pub, err := NewPublicKey(key.Public(), member)
	if err != nil {
		return nil, err
	}
	return &Signer{pub: pub, key: key}, nil
}

// Public is the key that verifies what s signs.
func (s *Signer) Public() *PublicKey { return s.pub }

func (s *Signer) appendRaw(dst, msg []byte) ([]byte, error) {
	if s.pub.alg == Ed25519 {
		sig, err := s.key.Sign(rand.Reader, msg, crypto.Hash(0))
		if err == nil && len(sig) != rawSignature {
			err = errors.New("signature of a wrong length")
		}
		if err != nil {
			return nil, fmt.Errorf("link: signing: %w", err)
		}
		return append(dst, sig...), nil
	}
	h := sha256.Sum256(msg)
	der, err := s.key.Sign(rand.Reader, h[:], crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("link: signing: %w", err)
	}
	return appendRawFromDER(dst, der)
}

// derMax is the longest DER form of two integers of 32 bytes.
const derMax = 2 + 2*(2+33)

func appendDER(dst, raw []byte) []byte {
	one := func(dst, n []byte) []byte {
		for len(n) > 1 && n[0] == 0 {
			n = n[1:]
		}
		if n[0]&0x80 != 0 {
			return append(append(dst, 2, byte(len(n)+1), 0), n...)
		}
		return append(append(dst, 2, byte(len(n))), n...)
	}
	start := len(dst)
	dst = append(dst, 0x30, 0)
	dst = one(one(dst, raw[:32]), raw[32:])
	dst[start+1] = byte(len(dst) - start - 2)
	return dst
}

func appendRawFromDER(dst, der []byte) ([]byte, error) {
	bad := errors.New("link: the signer's ECDSA signature is not DER")
	if len(der) < 8 || der[0] != 0x30 || int(der[1]) != len(der)-2 {
		return nil, bad
	}
	rest := der[2:]
	for range 2 {
		if len(rest) < 2 || rest[0] != 2 || rest[1] == 0 || int(rest[1]) > len(rest)-2 {
			return nil, bad
		}
		n := rest[2 : 2+rest[1]]
		rest = rest[2+rest[1]:]
		for len(n) > 1 && n[0] == 0 {
			n = n[1:]
		}
		if len(n) > 32 {
			return nil, bad
		}
		var full [32]byte
		copy(full[32-len(n):], n)
		dst = append(dst, full[:]...)
	}
	if len(rest) != 0 {
		return nil, bad
	}
	return dst, nil
}
