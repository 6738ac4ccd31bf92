// Package sign1 makes and checks COSE_Sign1 messages (RFC 9052 §4.2) with the one
// algorithm that HAIP 1.0 §7 asks of every party: ECDSA with P-256 and SHA-256. The
// structure and what is signed are go-cose's; this package adds what that library
// leaves to its caller: a curve that fits the algorithm, an algorithm that stands
// among the signed headers, no critical header that nobody reads, signatures by any
// [crypto.Signer] and certificate chains (RFC 9360).
package sign1

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"

	"github.com/veraison/go-cose"
)

// Algorithms that are accepted: two numbers for the same computation. ES256 leaves
// the curve open, which is why it is checked here; ESP256 (RFC 9864) names it.
const (
	ES256  int64 = -7
	ESP256 int64 = -9
)

// Labels of header parameters (RFC 9052 §3.1, RFC 9596, RFC 9360).
const (
	LabelCritical int64 = 2
	LabelKeyID    int64 = 4
	LabelType     int64 = 16
	LabelChain    int64 = 33
)

// Errors that reading returns, wrapped with what was wrong.
var (
	ErrForm      = errors.New("the message is malformed")
	ErrAlgorithm = errors.New("the algorithm is not allowed")
	ErrKey       = errors.New("the key can't be used")
	ErrSignature = errors.New("the signature is wrong")
)

const size = 32 // bytes of a coordinate and of each half of a signature

// Message is a message that was read. Nothing in it is to be believed before
// [Message.Verify].
type Message struct {
	Protected   map[any]any // signed headers; integer labels are int64
	Unprotected map[any]any
	msg         cose.Sign1Message
	alg         cose.Algorithm
}

// Parse reads a COSE_Sign1, with its CBOR tag 18 or without. The caller bounds the
// length of b.
func Parse(b []byte) (*Message, error) {
	m := new(Message)
	read := (*cose.UntaggedSign1Message)(&m.msg).UnmarshalCBOR
	if len(b) > 0 && b[0] == 0xd2 {
		read = m.msg.UnmarshalCBOR
	}
	if err := read(b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	m.Protected, m.Unprotected = m.msg.Headers.Protected, m.msg.Headers.Unprotected
	for l := range m.Unprotected {
		if _, ok := m.Protected[l]; ok {
			return nil, fmt.Errorf("%w: header %v is given twice", ErrForm, l)
		}
	}
	if _, ok := m.Protected[LabelCritical]; ok {
		return nil, fmt.Errorf("%w: a critical header", ErrForm)
	}
	alg, err := m.msg.Headers.Protected.Algorithm()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAlgorithm, err)
	}
	if a := int64(alg); a != ES256 && a != ESP256 {
		return nil, fmt.Errorf("%w: %d", ErrAlgorithm, a)
	}
	m.alg = alg
	return m, nil
}

// Unverified returns the payload before the signature was checked, nil when it is
// detached: to find out whose key to check it with, and for nothing else.
func (m *Message) Unverified() []byte { return m.msg.Payload }

// Verify checks the signature with a key that the caller trusts and returns what was
// signed. The payload is either in the message or given as detached, never both.
func (m *Message) Verify(key crypto.PublicKey, detached []byte) ([]byte, error) {
	pub, err := p256(key)
	if err != nil {
		return nil, err
	}
	if (detached == nil) == (m.msg.Payload == nil) {
		return nil, fmt.Errorf("%w: the payload is given not at all or twice", ErrForm)
	}
	msg := m.msg
	if detached != nil {
		msg.Payload = detached
	}
	if err := msg.Verify(nil, verifier{pub, m.alg}); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return msg.Payload, nil
}

// Sign makes a message without its tag. The algorithm is added to the protected
// headers. A detached payload is signed and left out of the message.
func Sign(key crypto.Signer, protected, unprotected map[any]any, payload []byte, detached bool) ([]byte, error) {
	pub, err := p256(key.Public())
	if err != nil {
		return nil, err
	}
	h := cose.ProtectedHeader{}
	maps.Copy(h, protected)
	h.SetAlgorithm(cose.Algorithm(ES256))
	msg := cose.UntaggedSign1Message{Headers: cose.Headers{Protected: h, Unprotected: unprotected}, Payload: payload}
	if err := msg.Sign(rand.Reader, nil, signer{key, pub}); err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	if detached {
		msg.Payload = nil
	}
	b, err := msg.MarshalCBOR()
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return b, nil
}

func p256(key crypto.PublicKey) (*ecdsa.PublicKey, error) {
	pub, ok := key.(*ecdsa.PublicKey)
	if !ok || pub == nil || pub.Curve != elliptic.P256() {
		return nil, fmt.Errorf("%w: %T is not a P-256 key", ErrKey, key)
	}
	return pub, nil
}

type verifier struct {
	key *ecdsa.PublicKey
	alg cose.Algorithm
}

func (v verifier) Algorithm() cose.Algorithm { return v.alg }

func (v verifier) Verify(content, sig []byte) error {
	if len(sig) != 2*size {
		return cose.ErrVerification
	}
	sum := sha256.Sum256(content)
	if !ecdsa.Verify(v.key, sum[:], new(big.Int).SetBytes(sig[:size]), new(big.Int).SetBytes(sig[size:])) {
		return cose.ErrVerification
	}
	return nil
}

// signer names the hash to the key: go-cose's own names none, and signers of hardware
// tokens look at it.
type signer struct {
	key crypto.Signer
	pub *ecdsa.PublicKey
}

func (s signer) Algorithm() cose.Algorithm { return cose.AlgorithmES256 }

func (s signer) Sign(rand io.Reader, content []byte) ([]byte, error) {
	sum := sha256.Sum256(content)
	der, err := s.key.Sign(rand, sum[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	var v struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &v); err != nil || len(rest) > 0 {
		return nil, errors.New("the signer returned no ECDSA signature")
	}
	if v.R.Sign() <= 0 || v.S.Sign() <= 0 || v.R.BitLen() > 8*size || v.S.BitLen() > 8*size {
		return nil, errors.New("the signer returned an ECDSA signature of another curve")
	}
	sig := make([]byte, 2*size)
	v.R.FillBytes(sig[:size])
	v.S.FillBytes(sig[size:])
	return sig, nil
}
