package seal

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"diwan/protocol/cms"
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

// parse reads the value of a seal, which has zeros after it, and checks that it signs
// the digest.
func (r *reading) parse(raw []byte) error {
	var value asn1.RawValue
	rest, err := asn1.Unmarshal(raw, &value)
	if err != nil || len(bytes.TrimRight(rest, "\x00")) > 0 {
		return fmt.Errorf("%w: its value", ErrSignature)
	}
	m, err := cms.Parse(value.FullBytes, maxChain)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if m.Content != nil {
		return fmt.Errorf("%w: it has a content of its own", ErrSignature)
	}
	r.Signer, err = m.Verify(cms.Expect{Kind: cms.OIDData, Digest: func(h crypto.Hash) []byte {
		if h != crypto.SHA256 {
			return nil
		}
		return r.Report.Digest
	}})
	switch {
	case errors.Is(err, cms.ErrContent):
		return ErrAltered
	case err != nil:
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	r.certificates, r.signature = m.Certificates, m.Signer.Signature
	unsigned, err := cms.Attributes(m.Signer.Unsigned.Bytes)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	r.stamp = unsigned[cms.OIDStampToken.String()]
	return nil
}

// answerOf wraps a token as the answer in which it came.
func answerOf(token []byte) []byte {
	b, err := asn1.Marshal(cms.StampResponse{Token: asn1.RawValue{FullBytes: token}})
	if err != nil {
		return nil // no reader takes it for an answer
	}
	return b
}

// token takes the token out of an answer.
func token(answer []byte) ([]byte, error) {
	var a cms.StampResponse
	if rest, err := asn1.Unmarshal(answer, &a); err != nil || len(rest) > 0 || len(a.Token.FullBytes) == 0 {
		return nil, errors.New("the time-stamp authority gave no stamp")
	}
	return a.Token.FullBytes, nil
}
