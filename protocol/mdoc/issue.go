package mdoc

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"diwan/protocol/cosecode/sign1"
)

// saltSize is the least that ISO/IEC 18013-5 §9.1.2 allows, 128 bits: who knows a
// digest and guesses the value can't confirm the guess.
const saltSize = 16

// Element is an element to be issued. The value is a string, bool, number, []byte,
// [Date], [time.Time] (written in UTC and whole seconds), []any or map[string]any.
type Element struct {
	NameSpace, Identifier string
	Value                 any
}

// Issuance says what is issued.
type Issuance struct {
	DocType   string
	Elements  []Element        // in the order in which a holder sees them
	DeviceKey *ecdsa.PublicKey // P-256, the holder's
	// Whole seconds. A zero ValidFrom means Signed; a zero ExpectedUpdate is left out.
	// Documents issued together are told apart by exact times: round them.
	Signed, ValidFrom, ValidUntil, ExpectedUpdate time.Time
	Status                                        *Status // nil for a document that can't be revoked
	// Chain is the issuer's certificate and those above it, without the trust anchor.
	Chain []*x509.Certificate
	// Random is crypto/rand.Reader when nil; tests give their own.
	Random io.Reader
}

// issuerSigned is the structure of the same name.
type issuerSigned struct {
	NameSpaces map[string][]encoded `cbor:"nameSpaces,omitempty"`
	IssuerAuth cbor.RawMessage      `cbor:"issuerAuth"`
}

type item struct {
	DigestID   *uint64         `cbor:"digestID"`
	Random     byteString      `cbor:"random"`
	Identifier string          `cbor:"elementIdentifier"`
	Value      cbor.RawMessage `cbor:"elementValue"`
}

// Issue signs a document with the key of the chain's first certificate, P-256, and
// returns the CBOR of IssuerSigned. Every element has its own salt, and the numbers
// of the digests are shuffled: what is not shown can't be told from its place.
func Issue(key crypto.Signer, in Issuance) ([]byte, error) {
	b, err := issue(key, in)
	if err != nil {
		return nil, fmt.Errorf("issuing a document: %w", err)
	}
	return b, nil
}

func issue(key crypto.Signer, in Issuance) ([]byte, error) {
	m, err := newSecurityObject(in)
	if err != nil {
		return nil, err
	}
	if len(in.Chain) == 0 {
		return nil, errors.New("no certificate")
	}
	if pub, ok := in.Chain[0].PublicKey.(*ecdsa.PublicKey); !ok || !pub.Equal(key.Public()) {
		return nil, errors.New("the certificate is of another key")
	}
	random := in.Random
	if random == nil {
		random = rand.Reader
	}
	out := issuerSigned{}
	if out.NameSpaces, err = m.addElements(in.Elements, random); err != nil {
		return nil, err
	}
	payload, err := encode(m)
	if err != nil {
		return nil, err
	}
	out.IssuerAuth, err = sign1.Sign(key, nil, map[any]any{sign1.LabelChain: sign1.ChainValue(in.Chain)}, payload.Raw, false)
	if err != nil {
		return nil, err
	}
	b, err := encoder.Marshal(out)
	if err == nil && len(b) > MaxBytes {
		err = fmt.Errorf("%d bytes, at most %d", len(b), MaxBytes)
	}
	return b, err
}

func newSecurityObject(in Issuance) (*securityObject, error) {
	if in.ValidFrom.IsZero() {
		in.ValidFrom = in.Signed
	}
	for _, t := range []*time.Time{&in.Signed, &in.ValidFrom, &in.ValidUntil} {
		*t = t.Truncate(time.Second)
	}
	switch {
	case in.DocType == "" || !utf8.ValidString(in.DocType):
		return nil, errors.New("no document type")
	case in.DeviceKey == nil || in.DeviceKey.Curve != elliptic.P256():
		return nil, errors.New("the device key is not a P-256 key")
	case in.Signed.IsZero() || in.ValidFrom.Before(in.Signed) || !in.ValidUntil.After(in.ValidFrom):
		return nil, errors.New("the validity does not follow the signing")
	}
	m := &securityObject{Version: version, DigestAlgorithm: "SHA-256", DocType: in.DocType,
		ValidityInfo: validityInfo{Signed: dateTime{in.Signed}, ValidFrom: dateTime{in.ValidFrom}, ValidUntil: dateTime{in.ValidUntil}}}
	m.DeviceKeyInfo.DeviceKey = coseKey{in.DeviceKey}
	if !in.ExpectedUpdate.IsZero() {
		m.ValidityInfo.ExpectedUpdate = &dateTime{in.ExpectedUpdate}
	}
	if s := in.Status; s != nil {
		if s.URI == "" || len(s.URI) > maxStatusURI || !utf8.ValidString(s.URI) {
			return nil, errors.New("the status has no usable address")
		}
		b, err := encoder.Marshal(map[string]any{"status_list": s})
		if err != nil {
			return nil, err
		}
		m.Status = b
	}
	return m, nil
}

// addElements salts the elements and enters their digests.
func (m *securityObject) addElements(list []Element, random io.Reader) (map[string][]encoded, error) {
	if len(list) == 0 || len(list) > maxItems {
		return nil, fmt.Errorf("%d elements, 1 to %d", len(list), maxItems)
	}
	count := map[string]int{}
	for _, e := range list {
		count[e.NameSpace]++
	}
	ids := map[string][]uint64{}
	m.ValueDigests = map[string]map[uint64]byteString{}
	for _, e := range list {
		if ids[e.NameSpace] != nil {
			continue
		}
		var err error
		if ids[e.NameSpace], err = shuffled(count[e.NameSpace], random); err != nil {
			return nil, err
		}
		m.ValueDigests[e.NameSpace] = map[uint64]byteString{}
	}
	out := map[string][]encoded{}
	seen := map[[2]string]bool{}
	for _, e := range list {
		name := [2]string{e.NameSpace, e.Identifier}
		if e.NameSpace == "" || e.Identifier == "" || !utf8.ValidString(e.NameSpace+e.Identifier) || seen[name] {
			return nil, fmt.Errorf("element %q of %q has no name or comes twice", e.Identifier, e.NameSpace)
		}
		seen[name] = true
		raw, err := newItem(e, ids[e.NameSpace][len(out[e.NameSpace])], random)
		if err != nil {
			return nil, fmt.Errorf("element %q: %w", e.Identifier, err)
		}
		sum := sha256.Sum256(raw.Raw)
		m.ValueDigests[e.NameSpace][ids[e.NameSpace][len(out[e.NameSpace])]] = bytes.Clone(sum[:])
		out[e.NameSpace] = append(out[e.NameSpace], raw)
	}
	return out, nil
}

func newItem(e Element, id uint64, random io.Reader) (encoded, error) {
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(random, salt); err != nil {
		return encoded{}, err
	}
	v, err := encodable(e.Value, 0)
	if err != nil {
		return encoded{}, err
	}
	value, err := encoder.Marshal(v)
	if err != nil {
		return encoded{}, err
	}
	return encode(item{&id, salt, e.Identifier, value})
}

// shuffled returns the numbers below n in an order that can't be foreseen. The bias of
// the remainder is below n/2^64.
func shuffled(n int, random io.Reader) ([]uint64, error) {
	out := make([]uint64, n)
	b := make([]byte, 8*n)
	if _, err := io.ReadFull(random, b); err != nil {
		return nil, err
	}
	for i := range out {
		j := binary.BigEndian.Uint64(b[8*i:]) % uint64(i+1)
		out[i] = out[j]
		out[j] = uint64(i)
	}
	return out, nil
}
