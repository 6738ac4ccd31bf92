package seal

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/digitorus/timestamp"
)

// Stamper gets the time stamp of some bytes: an answer of RFC 3161 in DER, and the
// time in it.
type Stamper func(ctx context.Context, data []byte) (answer []byte, at time.Time, err error)

// Options say whose seal it is.
type Options struct {
	// Signer signs, on a NIST curve or with RSA.
	Signer crypto.Signer
	// Chain begins with the certificate of Signer and leads towards a root.
	Chain []*x509.Certificate
	// Name, Reason and Location are shown by readers; each may be empty. They prove
	// nothing: the certificate does.
	Name, Reason, Location string
	// At is the time that the seal claims.
	At time.Time
	// Stamp proves that time (level B-T); nil leaves it a claim (level B-B).
	Stamp Stamper
}

const (
	maxChain  = 8
	stampRoom = 12 << 10
)

func (o *Options) check() error {
	if o.Signer == nil || len(o.Chain) == 0 || len(o.Chain) > maxChain {
		return errors.New("a seal needs a key and its certificate")
	}
	pub, ok := o.Signer.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok || !pub.Equal(o.Chain[0].PublicKey) {
		return errors.New("the key of the seal is not that of its certificate")
	}
	if o.At.Before(o.Chain[0].NotBefore) || o.At.After(o.Chain[0].NotAfter) {
		return fmt.Errorf("the certificate of the seal is good from %s to %s only", o.Chain[0].NotBefore.Format(time.DateOnly), o.Chain[0].NotAfter.Format(time.DateOnly))
	}
	_, err := methodOf(o.Chain[0].PublicKey)
	return err
}

// Sign returns the file with a seal: the bytes of the file, then those of the
// seal.
func Sign(ctx context.Context, pdf []byte, o Options) ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("sealing a document: %w", err)
	}
	room := 2048
	for _, c := range o.Chain {
		room += len(c.Raw)
	}
	var stamp func([]byte) ([]byte, error)
	if o.Stamp != nil {
		room += stampRoom
		stamp = func(signature []byte) ([]byte, error) {
			answer, _, err := o.Stamp(ctx, signature)
			if err != nil {
				return nil, err
			}
			return token(answer)
		}
	}
	u, err := withRoom(pdf, &o, room)
	if err != nil {
		return nil, fmt.Errorf("sealing a document: %w", err)
	}
	value, err := o.cms(u.digest(), stamp)
	if err != nil {
		return nil, fmt.Errorf("sealing a document: %w", err)
	}
	if len(value) > room {
		return nil, fmt.Errorf("sealing a document: the seal has %d bytes, for which there is no room", len(value))
	}
	hex.Encode(u.b[u.open+1:], value)
	if _, err := read(u.b); err != nil {
		return nil, fmt.Errorf("the seal that was made does not hold: %w", err)
	}
	return u.b, nil
}

// digest is what the seal is over: all bytes but those of its value.
func (u *update) digest() []byte {
	h := sha256.New()
	h.Write(u.b[:u.open])
	h.Write(u.b[u.shut:])
	return h.Sum(nil)
}

// Local makes a Stamper of an authority of time stamps in the same program, which
// answers a request in DER with an answer in DER.
func Local(issue func(ctx context.Context, query []byte) ([]byte, error)) Stamper {
	return func(ctx context.Context, data []byte) ([]byte, time.Time, error) {
		nonce, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
		if err != nil {
			return nil, time.Time{}, err
		}
		sum := sha256.Sum256(data)
		q := timestamp.Request{HashAlgorithm: crypto.SHA256, HashedMessage: sum[:], Certificates: true, Nonce: nonce}
		der, err := q.Marshal()
		if err != nil {
			return nil, time.Time{}, err
		}
		answer, err := issue(ctx, der)
		if err != nil {
			return nil, time.Time{}, err
		}
		r, err := timestamp.ParseResponse(answer)
		if err != nil {
			return nil, time.Time{}, fmt.Errorf("the answer of the time-stamp authority: %w", err)
		}
		return answer, r.Time, nil
	}
}
