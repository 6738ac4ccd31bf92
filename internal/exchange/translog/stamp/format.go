package stamp

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"
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

var (
	oidSignedData    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidStampInfo     = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}
	oidContentType   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}
	oidMessageDigest = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidSigningCert   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 12}
	oidSigningCertV2 = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 47}
	oidExtKeyUsage   = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidSHA256        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidSHA384        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}
	oidSHA512        = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}
	oidRSA           = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}
	oidEd25519       = asn1.ObjectIdentifier{1, 3, 101, 112}
	signatureMethods = []signatureMethod{
		{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}, x509.ECDSAWithSHA256, crypto.SHA256},
		{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}, x509.ECDSAWithSHA384, crypto.SHA384},
		{asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 4}, x509.ECDSAWithSHA512, crypto.SHA512},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}, x509.SHA256WithRSA, crypto.SHA256},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 12}, x509.SHA384WithRSA, crypto.SHA384},
		{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 13}, x509.SHA512WithRSA, crypto.SHA512},
		{oidRSA, x509.SHA256WithRSA, crypto.SHA256},
		{oidRSA, x509.SHA384WithRSA, crypto.SHA384},
		{oidRSA, x509.SHA512WithRSA, crypto.SHA512},
		{oidEd25519, x509.PureEd25519, crypto.SHA512},
	}
)

// signatureMethod is one way to sign that is accepted; SHA-1 is not among them.
type signatureMethod struct {
	oid    asn1.ObjectIdentifier
	method x509.SignatureAlgorithm
	digest crypto.Hash
}

// hashOf returns the hash of an identifier, 0 for those that are not accepted.
func hashOf(oid asn1.ObjectIdentifier) crypto.Hash {
	switch {
	case oid.Equal(oidSHA256):
		return crypto.SHA256
	case oid.Equal(oidSHA384):
		return crypto.SHA384
	case oid.Equal(oidSHA512):
		return crypto.SHA512
	}
	return 0
}

func digest(h crypto.Hash, b []byte) []byte {
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}

// The structures of RFC 3161 §2.4.2 and RFC 5652 §5, as far as stamps use them.
type (
	response struct {
		Status statusInfo
		Token  asn1.RawValue `asn1:"optional"`
	}
	statusInfo struct {
		Status  int
		Text    []asn1.RawValue `asn1:"optional"`
		Failure asn1.BitString  `asn1:"optional"`
	}
	contentInfo struct {
		Type    asn1.ObjectIdentifier
		Content asn1.RawValue `asn1:"explicit,tag:0"`
	}
	signedData struct {
		Version      int
		Digests      []pkix.AlgorithmIdentifier `asn1:"set"`
		Content      encapsulated
		Certificates asn1.RawValue `asn1:"optional,tag:0"`
		CRLs         asn1.RawValue `asn1:"optional,tag:1"`
		Signers      []signerInfo  `asn1:"set"`
	}
	encapsulated struct {
		Type    asn1.ObjectIdentifier
		Content []byte `asn1:"explicit,tag:0"`
	}
	signerInfo struct {
		Version   int
		ID        asn1.RawValue
		Digest    pkix.AlgorithmIdentifier
		Signed    asn1.RawValue `asn1:"tag:0"`
		Method    pkix.AlgorithmIdentifier
		Signature []byte
		Unsigned  asn1.RawValue `asn1:"optional,tag:1"`
	}
	attribute struct {
		Type   asn1.ObjectIdentifier
		Values asn1.RawValue
	}
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
	signingCertificate struct {
		Certs    []asn1.RawValue
		Policies asn1.RawValue `asn1:"optional"`
	}
	certIDV2 struct {
		Hash   pkix.AlgorithmIdentifier `asn1:"optional"`
		Digest []byte
		Issuer asn1.RawValue `asn1:"optional"`
	}
)

// answer is a stamp taken apart, of which nothing is believed yet.
type answer struct {
	info         stampInfo
	infoDER      []byte
	hash         crypto.Hash // of the imprint
	certificates []*x509.Certificate
	signer       signerInfo
}

// one reads a single DER value without anything after it.
func one(b []byte, v any, what string) error {
	rest, err := asn1.Unmarshal(b, v)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrAnswer, what, err)
	}
	if len(rest) > 0 {
		return fmt.Errorf("%w: bytes after the %s", ErrAnswer, what)
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
	var r response
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
	var ci contentInfo
	if err := one(r.Token.FullBytes, &ci, "token"); err != nil {
		return nil, err
	}
	var sd signedData
	if err := one(ci.Content.Bytes, &sd, "signed data"); err != nil {
		return nil, err
	}
	if !ci.Type.Equal(oidSignedData) || !sd.Content.Type.Equal(oidStampInfo) {
		return nil, fmt.Errorf("%w: it signs something else", ErrAnswer)
	}
	if len(sd.Signers) != 1 {
		return nil, fmt.Errorf("%w: %d signers, want one", ErrAnswer, len(sd.Signers))
	}
	a := &answer{infoDER: sd.Content.Content, signer: sd.Signers[0]}
	var err error
	if a.certificates, err = x509.ParseCertificates(sd.Certificates.Bytes); err != nil {
		return nil, fmt.Errorf("%w: certificates: %w", ErrAnswer, err)
	}
	if n := len(a.certificates); n == 0 || n > maxCertificates {
		return nil, fmt.Errorf("%w: %d certificates", ErrAnswer, n)
	}
	return a, a.readInfo()
}

func (a *answer) readInfo() error {
	if err := one(a.infoDER, &a.info, "stamp's content"); err != nil {
		return err
	}
	i := &a.info
	a.hash = hashOf(i.Imprint.Hash.Algorithm)
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

// attributes reads the signed attributes, each of one kind and one value.
func (a *answer) attributes() (map[string][]byte, error) {
	all := map[string][]byte{}
	for rest := a.signer.Signed.Bytes; len(rest) > 0; {
		var at attribute
		var err error
		if rest, err = asn1.Unmarshal(rest, &at); err != nil {
			return nil, fmt.Errorf("%w: signed attributes: %w", ErrAnswer, err)
		}
		key := at.Type.String()
		var value asn1.RawValue
		if at.Values.Class != asn1.ClassUniversal || at.Values.Tag != asn1.TagSet || all[key] != nil {
			return nil, fmt.Errorf("%w: signed attribute %s", ErrAnswer, key)
		}
		if err := one(at.Values.Bytes, &value, "signed attribute"); err != nil {
			return nil, err
		}
		all[key] = value.FullBytes
	}
	return all, nil
}

// signedBytes is what the signature is over: the attributes under the tag of a
// set (RFC 5652 §5.4).
func (a *answer) signedBytes() []byte {
	b := bytes.Clone(a.signer.Signed.FullBytes)
	b[0] = 0x31
	return b
}
