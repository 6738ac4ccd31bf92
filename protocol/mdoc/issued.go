package mdoc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"diwan/protocol/cosecode/sign1"
)

// Document is what a document says.
type Document struct {
	DocType string
	// Elements by name space and identifier: string, int64, float64, bool, nil,
	// []byte, [Date], [time.Time], []any or map[string]any.
	Elements                                      map[string]map[string]any
	Signed, ValidFrom, ValidUntil, ExpectedUpdate time.Time // the last may be zero
	Status                                        *Status   // nil when no status list is named
	// OtherStatus is set when the document names a way of asking for its status that
	// is not a status list: the status is then unknown, not good.
	OtherStatus bool
	DeviceKey   *ecdsa.PublicKey
	Chain       []*x509.Certificate // the issuer's certificate first
}

// Issued is an IssuerSigned structure that was read.
type Issued struct {
	auth   *sign1.Message
	mso    *securityObject
	doc    Document
	spaces map[string][]element
	raw    []byte // issuerAuth as received
}

type element struct {
	raw    encoded
	id     uint64
	name   string
	digest []byte
}

// Parse reads an IssuerSigned structure, of at most [MaxBytes]. It says nothing of who
// signed it.
func Parse(b []byte) (*Issued, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrForm, len(b), MaxBytes)
	}
	var s issuerSigned
	if err := decode(b, &s); err != nil {
		return nil, err
	}
	return parseIssued(s)
}

func parseIssued(s issuerSigned) (*Issued, error) {
	in := &Issued{raw: s.IssuerAuth, spaces: map[string][]element{}}
	var err error
	if in.auth, err = sign1.Parse(s.IssuerAuth); err != nil {
		return nil, sorted(err, ErrForm)
	}
	chain, err := in.auth.Chain()
	if err != nil {
		return nil, sorted(err, ErrForm)
	}
	var payload encoded
	if err := decode(in.auth.Unverified(), &payload); err != nil {
		return nil, err
	}
	if in.mso, err = parseSecurityObject(payload.Inner); err != nil {
		return nil, err
	}
	m := in.mso
	if m.DeviceKeyInfo.DeviceKey.PublicKey == nil {
		return nil, fmt.Errorf("%w: no device key", ErrForm)
	}
	v := m.ValidityInfo
	in.doc = Document{DocType: m.DocType, Elements: map[string]map[string]any{}, Chain: chain,
		Signed: v.Signed.Time, ValidFrom: v.ValidFrom.Time, ValidUntil: v.ValidUntil.Time, DeviceKey: m.DeviceKeyInfo.DeviceKey.PublicKey}
	if v.ExpectedUpdate != nil {
		in.doc.ExpectedUpdate = v.ExpectedUpdate.Time
	}
	if in.doc.Status, in.doc.OtherStatus, err = m.status(); err != nil {
		return nil, err
	}
	for ns, items := range s.NameSpaces {
		if err := in.addNameSpace(ns, items); err != nil {
			return nil, err
		}
	}
	return in, nil
}

func (in *Issued) addNameSpace(ns string, items []encoded) error {
	if len(items) == 0 {
		return fmt.Errorf("%w: name space %q is empty", ErrForm, ns)
	}
	values := make(map[string]any, len(items))
	ids := make(map[uint64]bool, len(items))
	for _, raw := range items {
		var it item
		if err := decode(raw.Inner, &it); err != nil {
			return err
		}
		if it.DigestID == nil || len(it.Random) < saltSize || it.Identifier == "" || len(it.Value) == 0 {
			return fmt.Errorf("%w: an element is not complete", ErrForm)
		}
		if _, ok := values[it.Identifier]; ok {
			return fmt.Errorf("%w: element %q is given twice", ErrForm, it.Identifier)
		}
		if ids[*it.DigestID] {
			return fmt.Errorf("%w: digest %d is used twice", ErrForm, *it.DigestID)
		}
		ids[*it.DigestID] = true
		v, err := decodeValue(it.Value)
		if err != nil {
			return err
		}
		values[it.Identifier] = v
		h := digestAlgorithms[in.mso.DigestAlgorithm].New()
		h.Write(raw.Raw)
		in.spaces[ns] = append(in.spaces[ns], element{raw, *it.DigestID, it.Identifier, h.Sum(nil)})
	}
	in.doc.Elements[ns] = values
	return nil
}

// Unverified returns what the document says before anything of it was checked: for
// showing a holder what it has stored, and for nothing else.
func (in *Issued) Unverified() *Document {
	d := in.doc
	return &d
}

// Want is what a verifier accepts.
type Want struct {
	DocType string // empty accepts every type
	// Trust decides whether an issuer may issue this type: it checks the chain up to
	// an anchor, each certificate at the time that it means, and what they may sign.
	// The chain's first key has signed the document. Its error passes through.
	Trust func(chain []*x509.Certificate, docType string) error
	// Leeway is by how much clocks may differ.
	Leeway time.Duration
}

// Verify checks the issuer's signature, the trust in it, every element's digest, the
// type and the validity at now. It says nothing of who holds the document. A document
// that is good but for its time comes together with [ErrNotYet] or [ErrExpired],
// for being shown.
func (in *Issued) Verify(want Want, now time.Time) (*Document, error) {
	if err := in.verifyIssuer(want); err != nil {
		return nil, err
	}
	d := in.doc
	return &d, d.validAt(now, want.Leeway)
}

func (in *Issued) verifyIssuer(want Want) error {
	if want.DocType != "" && want.DocType != in.doc.DocType {
		return fmt.Errorf("%w: %q", ErrType, in.doc.DocType)
	}
	leaf := in.doc.Chain[0]
	if _, err := in.auth.Verify(leaf.PublicKey, nil); err != nil {
		return sorted(err, ErrSignature)
	}
	// ISO/IEC 18013-5 §9.3: a key is not to sign outside its certificate's time.
	if in.doc.Signed.Before(leaf.NotBefore) || in.doc.Signed.After(leaf.NotAfter) {
		return fmt.Errorf("%w: it was made outside the certificate's time", ErrSignature)
	}
	if want.Trust == nil {
		return errors.New("verifying a document: nobody decides on trust")
	}
	if err := want.Trust(in.doc.Chain, in.doc.DocType); err != nil {
		return err
	}
	for ns, list := range in.spaces {
		for _, e := range list {
			d, ok := in.mso.ValueDigests[ns][e.id]
			if !ok || !bytes.Equal(d, e.digest) {
				return fmt.Errorf("%w: %q of %q", ErrDigest, e.name, ns)
			}
		}
	}
	return nil
}

func (d *Document) validAt(now time.Time, leeway time.Duration) error {
	if now.Add(leeway).Before(d.ValidFrom) {
		return ErrNotYet
	}
	if now.Add(-leeway).After(d.ValidUntil) {
		return ErrExpired
	}
	return nil
}

// sorted puts an error about a signed message among this package's; other is for what
// is neither the form nor the algorithm. The message's own error is not wrapped, so
// that one reason alone matches.
func sorted(err, other error) error {
	switch {
	case errors.Is(err, sign1.ErrForm):
		other = ErrForm
	case errors.Is(err, sign1.ErrAlgorithm), errors.Is(err, sign1.ErrKey):
		other = ErrUnsupported
	}
	return fmt.Errorf("%w: %s", other, err.Error())
}
