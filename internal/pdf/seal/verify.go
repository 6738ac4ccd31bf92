package seal

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Errors of a file that can be read and must not be believed.
var (
	ErrNone      = errors.New("the document has no seal")
	ErrGrown     = errors.New("something was added to the document after its seal")
	ErrAltered   = errors.New("the document was altered after its seal")
	ErrSignature = errors.New("the seal's signature does not hold")
	ErrSigner    = errors.New("the seal is not of somebody who is trusted for it")
	ErrStamp     = errors.New("the time stamp of the seal does not hold")
)

// Trust is what a verifier believes beforehand.
type Trust struct {
	// Roots are the authorities of seals.
	Roots *x509.CertPool
	// Stamp checks that an answer of RFC 3161 stamps some bytes, and returns the
	// time. Without it a seal with a time stamp is read as one without.
	Stamp func(answer, data []byte) (time.Time, error)
	// Now is the time at which a seal without a stamp is judged; the zero value is
	// the time of the machine.
	Now time.Time
}

// Report says what a good seal says.
type Report struct {
	// Signer is whose seal it is; its chain was checked at Stamped, or at the time
	// of asking when there is no stamp.
	Signer *x509.Certificate
	// Claimed is the time that the seal claims, Stamped the one that was proved;
	// each may be zero.
	Claimed, Stamped time.Time
	// Digest is the SHA-256 of what was sealed.
	Digest []byte
}

// reading is a seal that fits its document, of a signer nobody has judged.
type reading struct {
	Report
	certificates []*x509.Certificate
	signature    []byte
	stamp        []byte // token of a time stamp, or nil
}

// Verify checks the seal of a whole file. An error means that the file must not be
// believed; which one it is says why.
func Verify(pdf []byte, t Trust) (Report, error) {
	r, err := read(pdf)
	if err != nil {
		return Report{}, err
	}
	at := t.Now
	if at.IsZero() {
		at = time.Now()
	}
	if r.stamp != nil && t.Stamp != nil {
		if r.Stamped, err = t.Stamp(answerOf(r.stamp), r.signature); err != nil {
			return Report{}, fmt.Errorf("%w: %w", ErrStamp, err)
		}
		at = r.Stamped
	}
	if t.Roots == nil {
		return Report{}, ErrSigner
	}
	between := x509.NewCertPool()
	for _, c := range r.certificates {
		between.AddCert(c)
	}
	if r.Signer.KeyUsage&(x509.KeyUsageContentCommitment|x509.KeyUsageDigitalSignature) == 0 || r.Signer.IsCA {
		return Report{}, fmt.Errorf("%w: its certificate is not for seals", ErrSigner)
	}
	if _, err := r.Signer.Verify(x509.VerifyOptions{Roots: t.Roots, Intermediates: between, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		return Report{}, fmt.Errorf("%w: %w", ErrSigner, err)
	}
	return r.Report, nil
}

// read finds the last seal of a file and checks everything about it but whose it
// is.
func read(pdf []byte) (*reading, error) {
	if len(pdf) > MaxFile {
		return nil, broken("it is too long")
	}
	open, shut, err := covered(pdf)
	if err != nil {
		return nil, err
	}
	raw := make([]byte, hex.DecodedLen(shut-open-2))
	if _, err := hex.Decode(raw, pdf[open+1:shut-1]); err != nil {
		return nil, broken("the value of the seal is not hexadecimal")
	}
	h := sha256.New()
	h.Write(pdf[:open])
	h.Write(pdf[shut:])
	r := &reading{Report: Report{Digest: h.Sum(nil), Claimed: claimed(pdf, open)}}
	return r, r.parse(raw)
}

// covered returns where the value of the last seal lies, when that value is all
// that the seal leaves out of the file.
func covered(pdf []byte) (open, shut int, err error) {
	const key = "/ByteRange"
	at := bytes.LastIndex(pdf, []byte(key))
	if at < 0 {
		return 0, 0, ErrNone
	}
	at = blank(pdf, at+len(key))
	e := at
	for e < len(pdf) && e < at+80 && pdf[e] != ']' {
		e++
	}
	if e >= len(pdf) || pdf[e] != ']' || pdf[at] != '[' {
		return 0, 0, broken("the range of the seal")
	}
	var v [4]int
	words := strings.Fields(string(pdf[at+1 : e]))
	if len(words) != len(v) {
		return 0, 0, broken("the range of the seal")
	}
	for i, s := range words {
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 || n > MaxFile {
			return 0, 0, broken("the range of the seal")
		}
		v[i] = n
	}
	open, shut = v[1], v[2]
	if v[0] != 0 || shut < open+4 || shut > len(pdf) || e > open || pdf[open] != '<' || pdf[shut-1] != '>' {
		return 0, 0, fmt.Errorf("%w: the seal leaves out more than its own value", ErrAltered)
	}
	// The value must be the entry of the seal's own dictionary, right after the
	// range or later in it; a hole elsewhere could show what was not sealed.
	if !bytes.HasSuffix(bytes.TrimRight(pdf[e:open], " \r\n\t"), []byte("/Contents")) {
		return 0, 0, fmt.Errorf("%w: the seal leaves out something else than its value", ErrAltered)
	}
	switch {
	case shut+v[3] < len(pdf):
		return 0, 0, ErrGrown
	case shut+v[3] > len(pdf):
		return 0, 0, fmt.Errorf("%w: the end is missing", ErrAltered)
	}
	return open, shut, nil
}

// claimed returns the time that the seal at a place claims.
func claimed(pdf []byte, open int) time.Time {
	start := bytes.LastIndex(pdf[:open], []byte("<<"))
	e, err := end(pdf, max(start, 0), 0)
	if start < 0 || err != nil {
		return time.Time{}
	}
	d, err := dict(pdf[start:e])
	if err != nil {
		return time.Time{}
	}
	return readTime(d["M"])
}

// one reads a single DER value without anything after it.
func one(b []byte, v any, what string) error {
	rest, err := asn1.Unmarshal(b, v)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrSignature, what, err)
	}
	if len(bytes.TrimRight(rest, "\x00")) > 0 {
		return fmt.Errorf("%w: bytes after the %s", ErrSignature, what)
	}
	return nil
}

// parse reads the value of a seal and checks that it signs the digest.
func (r *reading) parse(raw []byte) error {
	var ci contentInfo
	if err := one(raw, &ci, "value"); err != nil {
		return err
	}
	var sd signedData
	if err := one(ci.Content.Bytes, &sd, "signed data"); err != nil {
		return err
	}
	if !ci.Type.Equal(oidSignedData) || !sd.Content.Type.Equal(oidData) || len(sd.Signers) != 1 {
		return fmt.Errorf("%w: it is of another kind", ErrSignature)
	}
	var err error
	if r.certificates, err = x509.ParseCertificates(sd.Certificates.Bytes); err != nil || len(r.certificates) > maxChain {
		return fmt.Errorf("%w: its certificates", ErrSignature)
	}
	s := &sd.Signers[0]
	attrs, err := attributes(s.Signed.Bytes)
	if err != nil {
		return err
	}
	var kind asn1.ObjectIdentifier
	var digest []byte
	if err := errors.Join(one(attrs[oidContentType.String()], &kind, "content type"), one(attrs[oidMessageDigest.String()], &digest, "digest")); err != nil {
		return err
	}
	if !kind.Equal(oidData) || !s.Digest.Algorithm.Equal(oidSHA256) {
		return fmt.Errorf("%w: it is of another kind", ErrSignature)
	}
	if !bytes.Equal(digest, r.Digest) {
		return ErrAltered
	}
	if err := r.signer(s, attrs[oidSigningCertV2.String()]); err != nil {
		return err
	}
	signed := bytes.Clone(s.Signed.FullBytes)
	signed[0] = 0x31 // the attributes under the tag of a set (RFC 5652 §5.4)
	method := x509.ECDSAWithSHA256
	switch {
	case s.Method.Algorithm.Equal(oidRSA):
		method = x509.SHA256WithRSA
	case !s.Method.Algorithm.Equal(oidECDSA):
		return fmt.Errorf("%w: it is of an unknown kind", ErrSignature)
	}
	if err := r.Signer.CheckSignature(method, signed, s.Signature); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	r.signature = s.Signature
	unsigned, err := attributes(s.Unsigned.Bytes)
	r.stamp = unsigned[oidStampToken.String()]
	return err
}

// attributes reads a set of attributes, each of one kind and one value.
func attributes(b []byte) (map[string][]byte, error) {
	all := map[string][]byte{}
	for len(b) > 0 {
		var a attribute
		var err error
		if b, err = asn1.Unmarshal(b, &a); err != nil {
			return nil, fmt.Errorf("%w: its attributes: %w", ErrSignature, err)
		}
		var value asn1.RawValue
		key := a.Type.String()
		if a.Values.Class != asn1.ClassUniversal || a.Values.Tag != asn1.TagSet || all[key] != nil || len(all) > 16 {
			return nil, fmt.Errorf("%w: its attribute %s", ErrSignature, key)
		}
		if err := one(a.Values.Bytes, &value, "attribute"); err != nil {
			return nil, err
		}
		all[key] = value.FullBytes
	}
	return all, nil
}

// signer finds the certificate that the signed attributes name: without that
// binding another certificate with the same key could take its place.
func (r *reading) signer(s *signerInfo, named []byte) error {
	var list signingCertificate
	if err := one(named, &list, "certificate's name"); err != nil {
		return err
	}
	var id issuerAndSerial
	if err := one(s.ID.FullBytes, &id, "signer"); err != nil {
		return err
	}
	if len(list.Certs) == 0 || list.Certs[0].Hash.Algorithm != nil && !list.Certs[0].Hash.Algorithm.Equal(oidSHA256) {
		return fmt.Errorf("%w: it names no certificate", ErrSignature)
	}
	for _, c := range r.certificates {
		sum := sha256.Sum256(c.Raw)
		if bytes.Equal(sum[:], list.Certs[0].Digest) && bytes.Equal(id.Issuer.FullBytes, c.RawIssuer) && id.Serial.Cmp(c.SerialNumber) == 0 {
			r.Signer = c
			return nil
		}
	}
	return fmt.Errorf("%w: the signer's certificate is not in it", ErrSignature)
}

// granted is the status of an answer that gives a stamp.
type granted struct{ Status int }

type stampAnswer struct {
	Status granted
	Token  asn1.RawValue
}

// answerOf wraps a token as the answer in which it came.
func answerOf(token []byte) []byte {
	b, err := asn1.Marshal(stampAnswer{Token: asn1.RawValue{FullBytes: token}})
	if err != nil {
		return nil // no reader takes it for an answer
	}
	return b
}

// token takes the token out of an answer.
func token(answer []byte) ([]byte, error) {
	var a struct {
		Status asn1.RawValue
		Token  asn1.RawValue `asn1:"optional"`
	}
	if rest, err := asn1.Unmarshal(answer, &a); err != nil || len(rest) > 0 || len(a.Token.FullBytes) == 0 {
		return nil, errors.New("the time-stamp authority gave no stamp")
	}
	return a.Token.FullBytes, nil
}
