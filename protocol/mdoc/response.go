package mdoc

import (
	"crypto/ecdh"
	"errors"
	"fmt"
	"time"

	"diwan/protocol/cosecode/sign1"
)

// Response is a DeviceResponse that was read.
type Response struct {
	issued *Issued
	spaces encoded // the device's own elements, none
	auth   *sign1.Message
	mac    *mac
}

// ParseResponse reads a DeviceResponse, of at most [MaxBytes], with one document. It
// says nothing of who signed it or who sent it.
func ParseResponse(b []byte) (*Response, error) {
	if len(b) > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrForm, len(b), MaxBytes)
	}
	var v deviceResponse
	if err := decode(b, &v); err != nil {
		return nil, err
	}
	switch {
	case v.Version != version:
		return nil, fmt.Errorf("%w: version %q", ErrUnsupported, v.Version)
	case v.Status == nil || *v.Status != 0:
		return nil, fmt.Errorf("%w: the device reports an error", ErrForm)
	case len(v.Documents) != 1:
		return nil, fmt.Errorf("%w: %d documents instead of one", ErrForm, len(v.Documents))
	}
	return parseDocument(v.Documents[0])
}

func parseDocument(d document) (*Response, error) {
	in, err := parseIssued(d.IssuerSigned)
	if err != nil {
		return nil, err
	}
	if d.DocType != in.doc.DocType {
		return nil, fmt.Errorf("%w: %q was asked for by %q", ErrType, in.doc.DocType, d.DocType)
	}
	if d.DeviceSigned == nil {
		return nil, fmt.Errorf("%w: nothing is signed by a device", ErrHolder)
	}
	r := &Response{issued: in, spaces: d.DeviceSigned.NameSpaces}
	var own map[string]any
	if err := decode(r.spaces.Inner, &own); err != nil {
		return nil, err
	}
	if own == nil || len(own) > 0 {
		return nil, fmt.Errorf("%w: the device signs elements of its own", ErrForm)
	}
	a := d.DeviceSigned.DeviceAuth
	switch {
	case (a.Signature == nil) == (a.MAC == nil):
		return nil, fmt.Errorf("%w: not one proof of the device", ErrForm)
	case a.MAC != nil:
		r.mac, err = parseMAC(a.MAC)
		return r, err
	}
	if r.auth, err = sign1.Parse(a.Signature); err != nil {
		return nil, sorted(err, ErrForm)
	}
	return r, nil
}

// DocType returns the type of the document, not verified.
func (r *Response) DocType() string { return r.issued.doc.DocType }

// Session is the request that an answer must be for.
type Session struct {
	// Transcript is the CBOR of SessionTranscript, of [Transcript] or [TranscriptDCAPI].
	Transcript []byte
	// Reader is the verifier's ephemeral key of the session, when the device proves
	// itself by a MAC; nil refuses such a proof, which OpenID4VP has no use for.
	Reader *ecdh.PrivateKey
}

// Verify checks what [Issued.Verify] checks and that the holder of the device key
// made this answer for this session. A document that is good but for its time comes
// together with [ErrNotYet] or [ErrExpired].
func (r *Response) Verify(want Want, session Session, now time.Time) (*Document, error) {
	if err := r.issued.verifyIssuer(want); err != nil {
		return nil, err
	}
	if err := r.verifyHolder(session); err != nil {
		return nil, err
	}
	d := r.issued.doc
	return &d, d.validAt(now, want.Leeway)
}

func (r *Response) verifyHolder(s Session) error {
	payload, err := deviceAuthentication(s.Transcript, r.issued.doc.DocType, r.spaces.Raw)
	if err != nil {
		return fmt.Errorf("verifying an answer: %w", err)
	}
	if r.mac != nil {
		return r.mac.verify(s, r.issued.doc.DeviceKey, payload)
	}
	_, err = r.auth.Verify(r.issued.doc.DeviceKey, payload)
	if errors.Is(err, sign1.ErrSignature) {
		return fmt.Errorf("%w: %s", ErrHolder, err.Error())
	}
	if err != nil {
		return sorted(err, ErrHolder)
	}
	return nil
}
