// Package edverify checks many Ed25519 signatures (RFC 8032) of one key in less than half
// the time that a single check takes: multiples of the key are worked out once, and a
// check then only adds them up.
//
// It accepts exactly what crypto/ed25519 accepts, which the tests compare. Keys, messages
// and signatures are public; nothing here takes a constant time, and nothing secret may be
// given to it.
package edverify

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha512"
	"errors"
	"sync"

	"filippo.io/edwards25519"
	"filippo.io/edwards25519/field"
)

// Key checks signatures of one public key. It does not change and is for many
// goroutines; it holds about 100 KB.
type Key struct {
	public [ed25519.PublicKeySize]byte
	table  *table
}

// Widths of the digits that scalars are taken apart into: the base point's table is made
// once, a key's for each key.
const (
	baseWidth = 6
	keyWidth  = 5
)

var base = sync.OnceValue(func() *table { return newTable(edwards25519.NewGeneratorPoint(), baseWidth) })

// New works out the multiples of a key. The error says that the bytes are no key: then
// crypto/ed25519 accepts no signature of it either.
func New(public ed25519.PublicKey) (*Key, error) {
	if len(public) != ed25519.PublicKeySize {
		return nil, errors.New("edverify: a key of a wrong length")
	}
	p, err := new(edwards25519.Point).SetBytes(public)
	if err != nil {
		return nil, errors.New("edverify: the key is not a point of the curve")
	}
	return &Key{public: [ed25519.PublicKeySize]byte(public), table: newTable(p, keyWidth)}, nil
}

// Verify reports whether sig is the key's signature of message (RFC 8032, section 5.1.7,
// without the cofactor): whether R = S·B - k·A, with k = SHA-512(R, A, message).
func (k *Key) Verify(message, sig []byte) bool {
	if len(sig) != ed25519.SignatureSize {
		return false
	}
	s, err := new(edwards25519.Scalar).SetCanonicalBytes(sig[32:])
	if err != nil {
		return false
	}
	h := sha512.New()
	h.Write(sig[:32])
	h.Write(k.public[:])
	h.Write(message)
	var digest [sha512.Size]byte
	c, err := new(edwards25519.Scalar).SetUniformBytes(h.Sum(digest[:0]))
	if err != nil {
		return false
	}
	sum := identity()
	base().addTo(&sum, s.Bytes(), false)
	k.table.addTo(&sum, c.Bytes(), true)
	return bytes.Equal(sum.encode(), sig[:32])
}

// point is a point of the curve in extended coordinates (RFC 8032, section 5.1.4).
type point struct{ x, y, z, t field.Element }

func identity() point {
	var p point
	p.y.One()
	p.z.One()
	return p
}

// add adds a multiple from a table to p, or takes it away.
func (p *point) add(q *multiple, minus bool) {
	var up, down, cross, twice, e, f, g, h field.Element
	up.Add(&p.y, &p.x)
	down.Subtract(&p.y, &p.x)
	cross.Multiply(&p.t, &q.cross)
	twice.Add(&p.z, &p.z)
	if minus {
		up.Multiply(&up, &q.less)
		down.Multiply(&down, &q.more)
		f.Add(&twice, &cross)
		g.Subtract(&twice, &cross)
	} else {
		up.Multiply(&up, &q.more)
		down.Multiply(&down, &q.less)
		f.Subtract(&twice, &cross)
		g.Add(&twice, &cross)
	}
	e.Subtract(&up, &down)
	h.Add(&up, &down)
	p.x.Multiply(&e, &f)
	p.y.Multiply(&g, &h)
	p.t.Multiply(&e, &h)
	p.z.Multiply(&f, &g)
}

// encode gives the 32 bytes of a point (RFC 8032, section 5.1.2).
func (p *point) encode() []byte {
	var inverse, x, y field.Element
	inverse.Invert(&p.z)
	x.Multiply(&p.x, &inverse)
	y.Multiply(&p.y, &inverse)
	b := y.Bytes()
	b[31] |= byte(x.IsNegative() << 7)
	return b
}
