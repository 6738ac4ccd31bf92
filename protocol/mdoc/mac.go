package mdoc

import (
	"crypto/ecdsa"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// algorithmHMAC is HMAC 256/256 (RFC 9053 §3.1), the one MAC of ISO/IEC 18013-5.
const algorithmHMAC = 5

// mac is a COSE_Mac0 (RFC 9052 §6.2) whose payload is detached.
type mac struct {
	protected []byte
	tag       []byte
}

func parseMAC(b []byte) (*mac, error) {
	var m struct {
		_           struct{} `cbor:",toarray"`
		Protected   byteString
		Unprotected map[int64]cbor.RawMessage
		Payload     cbor.RawMessage
		Tag         byteString
	}
	if err := decode(b, &m); err != nil {
		return nil, err
	}
	var h map[int64]cbor.RawMessage
	if err := decode(m.Protected, &h); err != nil {
		return nil, err
	}
	var alg int64
	if err := decode(h[1], &alg); err != nil {
		return nil, err
	}
	if alg != algorithmHMAC || len(h) != 1 {
		return nil, fmt.Errorf("%w: a MAC by %d", ErrUnsupported, alg)
	}
	if len(m.Payload) != 1 || m.Payload[0] != 0xf6 {
		return nil, fmt.Errorf("%w: the MAC's payload is not detached", ErrForm)
	}
	return &mac{m.Protected, m.Tag}, nil
}

// verify checks the MAC with the key that reader and device share (ISO/IEC 18013-5
// §9.1.3.5).
func (m *mac) verify(s Session, device *ecdsa.PublicKey, payload []byte) error {
	if s.Reader == nil {
		return fmt.Errorf("%w: the device proves itself by a MAC", ErrUnsupported)
	}
	pub, err := device.ECDH()
	if err != nil {
		return fmt.Errorf("%w: %s", ErrHolder, err.Error())
	}
	secret, err := s.Reader.ECDH(pub)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrHolder, err.Error())
	}
	session, err := wrap(s.Transcript)
	if err != nil {
		return fmt.Errorf("verifying a MAC: %w", err)
	}
	salt := sha256.Sum256(session.Raw)
	key, err := hkdf.Key(sha256.New, secret, salt[:], "EMacKey", sha256.Size)
	if err != nil {
		return fmt.Errorf("verifying a MAC: %w", err)
	}
	if !m.holds(key, payload) {
		return fmt.Errorf("%w: the MAC is wrong", ErrHolder)
	}
	return nil
}

func (m *mac) holds(key, payload []byte) bool {
	b, err := encoder.Marshal([]any{"MAC0", m.protected, []byte{}, payload})
	if err != nil {
		return false
	}
	h := hmac.New(sha256.New, key)
	h.Write(b)
	return hmac.Equal(h.Sum(nil), m.tag)
}
