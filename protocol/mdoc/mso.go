package mdoc

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	_ "crypto/sha256" // the hashes of digestAlgorithms
	_ "crypto/sha512"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

const version = "1.0"

// maxStatusURI bounds the address of a status list, which every verifier fetches.
const maxStatusURI = 2048

// digestAlgorithms are those of ISO/IEC 18013-5 §9.1.2; issued documents use the
// first, which HAIP 1.0 §8 asks everybody to know.
var digestAlgorithms = map[string]crypto.Hash{"SHA-256": crypto.SHA256, "SHA-384": crypto.SHA384, "SHA-512": crypto.SHA512}

// Status is an entry in a Token Status List (draft -14 §6.3).
type Status struct {
	Idx uint64 `cbor:"idx"`
	URI string `cbor:"uri"`
}

// securityObject is the MobileSecurityObject, which the issuer signs.
type securityObject struct {
	Version         string                           `cbor:"version"`
	DigestAlgorithm string                           `cbor:"digestAlgorithm"`
	ValueDigests    map[string]map[uint64]byteString `cbor:"valueDigests"`
	DeviceKeyInfo   struct {
		DeviceKey coseKey `cbor:"deviceKey"`
	} `cbor:"deviceKeyInfo"`
	DocType      string          `cbor:"docType"`
	ValidityInfo validityInfo    `cbor:"validityInfo"`
	Status       cbor.RawMessage `cbor:"status,omitempty"`
}

type validityInfo struct {
	Signed         dateTime  `cbor:"signed"`
	ValidFrom      dateTime  `cbor:"validFrom"`
	ValidUntil     dateTime  `cbor:"validUntil"`
	ExpectedUpdate *dateTime `cbor:"expectedUpdate,omitempty"`
}

func parseSecurityObject(b []byte) (*securityObject, error) {
	m := new(securityObject)
	if err := decode(b, m); err != nil {
		return nil, err
	}
	if m.Version != version {
		return nil, fmt.Errorf("%w: version %q", ErrUnsupported, m.Version)
	}
	h, ok := digestAlgorithms[m.DigestAlgorithm]
	if !ok {
		return nil, fmt.Errorf("%w: digests by %q", ErrUnsupported, m.DigestAlgorithm)
	}
	for _, digests := range m.ValueDigests {
		for _, d := range digests {
			if len(d) != h.Size() {
				return nil, fmt.Errorf("%w: a digest of %d bytes", ErrForm, len(d))
			}
		}
	}
	v := m.ValidityInfo
	if m.DocType == "" || v.Signed.IsZero() || v.ValidFrom.IsZero() || !v.ValidUntil.After(v.ValidFrom.Time) {
		return nil, fmt.Errorf("%w: no type or no validity", ErrForm)
	}
	return m, nil
}

// status returns the status list's entry; other is true when the document names a
// mechanism that is not known here instead.
func (m *securityObject) status() (s *Status, other bool, err error) {
	if len(m.Status) == 0 {
		return nil, false, nil
	}
	var v struct {
		List *struct {
			Idx *uint64 `cbor:"idx"`
			URI string  `cbor:"uri"`
		} `cbor:"status_list"`
	}
	if m.Status[0]>>5 != 5 {
		return nil, false, fmt.Errorf("%w: status is not a map", ErrForm)
	}
	if err := decode(m.Status, &v); err != nil {
		return nil, false, err
	}
	if v.List == nil {
		return nil, true, nil
	}
	if v.List.Idx == nil || v.List.URI == "" || len(v.List.URI) > maxStatusURI {
		return nil, false, fmt.Errorf("%w: status_list needs idx and uri", ErrForm)
	}
	return &Status{*v.List.Idx, v.List.URI}, false, nil
}

// coseKey is a public P-256 key as a COSE_Key (RFC 9053 §7.1.1). It is read here and
// not by go-cose, whose reader panics on a curve that is not a number.
type coseKey struct{ *ecdsa.PublicKey }

type coseKeyFields struct {
	Kty int64           `cbor:"1,keyasint"`
	Crv int64           `cbor:"-1,keyasint"`
	X   byteString      `cbor:"-2,keyasint"`
	Y   byteString      `cbor:"-3,keyasint"`
	D   cbor.RawMessage `cbor:"-4,keyasint,omitempty"`
}

const (
	ktyEC2     = 2
	crvP256    = 1
	coordinate = 32
)

func (k *coseKey) UnmarshalCBOR(b []byte) error {
	var f coseKeyFields
	if err := decoder.Unmarshal(b, &f); err != nil {
		return err
	}
	if f.Kty != ktyEC2 || f.Crv != crvP256 || len(f.X) != coordinate || len(f.Y) != coordinate || f.D != nil {
		return fmt.Errorf("the device key is not a public P-256 key")
	}
	var err error
	k.PublicKey, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), append(append([]byte{4}, f.X...), f.Y...))
	return err
}

func (k coseKey) MarshalCBOR() ([]byte, error) {
	b, err := k.Bytes()
	if err != nil {
		return nil, err
	}
	return encoder.Marshal(coseKeyFields{Kty: ktyEC2, Crv: crvP256, X: b[1 : 1+coordinate], Y: b[1+coordinate:]})
}
