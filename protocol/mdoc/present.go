package mdoc

import (
	"crypto"
	"crypto/ecdsa"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"diwan/protocol/cosecode/sign1"
)

// Name is the name of an element.
type Name struct{ NameSpace, Identifier string }

type deviceResponse struct {
	Version   string          `cbor:"version"`
	Documents []document      `cbor:"documents,omitempty"`
	Errors    cbor.RawMessage `cbor:"documentErrors,omitempty"`
	Status    *uint64         `cbor:"status"`
}

type document struct {
	DocType      string          `cbor:"docType"`
	IssuerSigned issuerSigned    `cbor:"issuerSigned"`
	DeviceSigned *deviceSigned   `cbor:"deviceSigned"`
	Errors       cbor.RawMessage `cbor:"errors,omitempty"`
}

type deviceSigned struct {
	NameSpaces encoded    `cbor:"nameSpaces"`
	DeviceAuth deviceAuth `cbor:"deviceAuth"`
}

type deviceAuth struct {
	Signature cbor.RawMessage `cbor:"deviceSignature,omitempty"`
	MAC       cbor.RawMessage `cbor:"deviceMac,omitempty"`
}

// Present makes the DeviceResponse that shows the chosen elements and no other, signed
// with the device key for one session. An element that the document lacks is
// [ErrAbsent]: nothing is shown then. Choosing nothing shows the type and the issuer
// alone.
func (in *Issued) Present(chosen []Name, key crypto.Signer, transcript []byte) ([]byte, error) {
	if pub, ok := key.Public().(*ecdsa.PublicKey); !ok || !in.doc.DeviceKey.Equal(pub) {
		return nil, errors.New("presenting a document: it is bound to another key")
	}
	spaces, err := in.choose(chosen)
	if err != nil {
		return nil, err
	}
	nothing, err := encode(map[string]any{})
	if err != nil {
		return nil, fmt.Errorf("presenting a document: %w", err)
	}
	payload, err := deviceAuthentication(transcript, in.doc.DocType, nothing.Raw)
	if err != nil {
		return nil, fmt.Errorf("presenting a document: %w", err)
	}
	sig, err := sign1.Sign(key, nil, nil, payload, true)
	if err != nil {
		return nil, fmt.Errorf("presenting a document: %w", err)
	}
	return encoder.Marshal(deviceResponse{Version: version, Status: new(uint64), Documents: []document{{
		DocType:      in.doc.DocType,
		IssuerSigned: issuerSigned{spaces, in.raw},
		DeviceSigned: &deviceSigned{nothing, deviceAuth{Signature: sig}},
	}}})
}

func (in *Issued) choose(chosen []Name) (map[string][]encoded, error) {
	want := make(map[Name]bool, len(chosen))
	for _, n := range chosen {
		if _, ok := in.doc.Elements[n.NameSpace][n.Identifier]; !ok {
			return nil, fmt.Errorf("%w: %q of %q", ErrAbsent, n.Identifier, n.NameSpace)
		}
		want[n] = true
	}
	out := map[string][]encoded{}
	for ns, list := range in.spaces {
		for _, e := range list {
			if want[Name{ns, e.name}] {
				out[ns] = append(out[ns], e.raw)
			}
		}
	}
	return out, nil
}

// deviceAuthentication is DeviceAuthenticationBytes (ISO/IEC 18013-5 §9.1.3), which
// the device signs: the session, the type, and the device's own elements as they are
// in the answer.
func deviceAuthentication(transcript []byte, docType string, spaces cbor.RawMessage) ([]byte, error) {
	if err := decoder.Wellformed(transcript); err != nil || transcript[0]>>5 != 4 {
		return nil, errors.New("the session transcript is not a CBOR array")
	}
	e, err := encode([]any{"DeviceAuthentication", cbor.RawMessage(transcript), docType, spaces})
	return e.Raw, err
}
