package stamp

import (
	"crypto"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"

	"diwan/protocol/cms"
)

// Bounds on what comes from outside, in bytes.
const (
	// MaxAnswer is the length of an authority's answer with its certificates.
	MaxAnswer = 64 << 10
	// MaxQuery is the length of a request.
	MaxQuery        = 4 << 10
	maxCertificates = 8
	maxSerial       = 20 // RFC 3161 §2.4.2: up to 160 bits
)

// ErrAnswer says that an answer is not a time stamp as RFC 3161 writes it.
var ErrAnswer = errors.New("not a time stamp")

// oidExtKeyUsage is the extension that says what a certificate is for.
var oidExtKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 37}

// The content of a stamp (RFC 3161, section 2.4.2).
type (
	stampInfo struct {
		Version  int
		Policy   asn1.ObjectIdentifier
		Imprint  imprint
		Serial   *big.Int
		Time     time.Time        `asn1:"generalized"`
		Accuracy accuracy         `asn1:"optional"`
		Ordering bool             `asn1:"optional,default:false"`
		Nonce    *big.Int         `asn1:"optional"`
		TSA      asn1.RawValue    `asn1:"tag:0,optional"`
		Extra    []pkix.Extension `asn1:"tag:1,optional"`
	}
	imprint struct {
		Hash   pkix.AlgorithmIdentifier
		Digest []byte
	}
	accuracy struct {
		Seconds      int64 `asn1:"optional"`
		Milliseconds int64 `asn1:"tag:0,optional"`
		Microseconds int64 `asn1:"tag:1,optional"`
	}
)

// answer is a stamp taken apart, of which nothing is believed yet.
type answer struct {
	info    stampInfo
	hash    crypto.Hash // of the imprint
	message *cms.Message
}

// one reads a single DER value without anything after it.
func one(b []byte, v any, what string) error {
	if err := cms.One(b, v, what); err != nil {
		return fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	return nil
}

// Refusal is an authority's answer without a stamp.
type Refusal struct {
	// Status is the PKIStatus, Failure the first bit set of PKIFailureInfo, -1
	// when none is.
	Status, Failure int
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("the time-stamp authority refused: status %d, failure %d", r.Status, r.Failure)
}

// parse takes an answer apart. It returns a *Refusal when the authority gave no
// stamp.
func parse(b []byte) (*answer, error) {
	if len(b) > MaxAnswer {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrAnswer, MaxAnswer)
	}
	var r cms.StampResponse
	if err := one(b, &r, "answer"); err != nil {
		return nil, err
	}
	if r.Status.Status != 0 && r.Status.Status != 1 {
		f := -1
		for i := range min(r.Status.Failure.BitLength, 64) {
			if r.Status.Failure.At(i) == 1 {
				f = i
				break
			}
		}
		return nil, &Refusal{r.Status.Status, f}
	}
	a, err := open(r.Token.FullBytes)
	if err == nil && len(a.message.Certificates) == 0 {
		err = fmt.Errorf("%w: it has no certificate", ErrAnswer)
	}
	if err != nil {
		return nil, err
	}
	return a, a.check()
}

// open takes a token apart.
func open(token []byte) (*answer, error) {
	m, err := cms.Parse(token, maxCertificates)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	if !m.Kind.Equal(cms.OIDStampInfo) {
		return nil, fmt.Errorf("%w: it signs something else", ErrAnswer)
	}
	a := &answer{message: m}
	return a, one(m.Content, &a.info, "stamp's content")
}

// check holds the content of a stamp to its bounds.
func (a *answer) check() error {
	i := &a.info
	a.hash = cms.HashOf(i.Imprint.Hash.Algorithm)
	switch {
	case i.Version != 1:
		return fmt.Errorf("%w: version %d", ErrAnswer, i.Version)
	case a.hash == 0 || len(i.Imprint.Digest) != a.hash.Size():
		return fmt.Errorf("%w: imprint of an unknown kind", ErrAnswer)
	case i.Serial.Sign() < 0 || i.Serial.BitLen() > 8*maxSerial:
		return fmt.Errorf("%w: serial number out of bounds", ErrAnswer)
	case i.Time.Year() < 1970 || i.Time.Year() > 9999:
		return fmt.Errorf("%w: time out of bounds", ErrAnswer)
	case i.Accuracy.Seconds < 0 || i.Accuracy.Seconds > 1<<20 || i.Accuracy.Milliseconds < 0 || i.Accuracy.Milliseconds > 999 ||
		i.Accuracy.Microseconds < 0 || i.Accuracy.Microseconds > 999:
		return fmt.Errorf("%w: accuracy out of bounds", ErrAnswer)
	}
	for _, e := range i.Extra {
		if e.Critical {
			return fmt.Errorf("%w: a critical extension that is not known", ErrAnswer)
		}
	}
	return nil
}
