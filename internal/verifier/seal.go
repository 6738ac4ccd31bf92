package verifier

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// sealer seals what lies in the database for a short time: a stolen copy of it tells
// nothing without the installation's secret.
type sealer struct {
	gcm cipher.AEAD
	key []byte // of mac
}

func newSealer(secret []byte) (*sealer, error) {
	if len(secret) < 32 {
		return nil, errors.New("the verifier's secret has fewer than 32 bytes")
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "diwan verifier: requests", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, err
	}
	mac, err := hkdf.Key(sha256.New, secret, nil, "diwan verifier: codes", 32)
	return &sealer{gcm, mac}, err
}

// mac is what is kept of a code that people type, for one place: it has too few random
// bits for a plain hash, from which a stolen database would give it.
func (s *sealer) mac(place, code string) string {
	m := hmac.New(sha256.New, s.key)
	m.Write([]byte(place + "\x00" + code))
	return hex.EncodeToString(m.Sum(nil))
}

// seal encrypts for one place: moved to another it does not open.
func (s *sealer) seal(place string, plain []byte) []byte {
	return s.gcm.Seal(nil, nil, plain, []byte(place))
}

func (s *sealer) open(place string, sealed []byte) ([]byte, error) {
	b, err := s.gcm.Open(nil, nil, sealed, []byte(place))
	if err != nil {
		return nil, fmt.Errorf("opening what was sealed for %s: %w", place, err)
	}
	return b, nil
}

func keyPlace(id string) string    { return "key " + id }
func resultPlace(id string) string { return "result " + id }
func invitePlace(id string) string { return "invitation " + id }

// hashOf is what is kept of a secret. Secrets have 256 random bits: a plain hash
// suffices.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// newSecret returns 256 random bits as text.
func newSecret() string {
	var b [32]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
