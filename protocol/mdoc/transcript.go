package mdoc

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Transcript makes the SessionTranscript of a request that came by redirect (OpenID4VP
// 1.0 appendix B.2.6.1): the client identifier with its prefix, the nonce, the JWK
// SHA-256 thumbprint of the key that the answer is encrypted to or nil when it is not
// encrypted, and the address that the answer goes to.
func Transcript(clientID, nonce string, thumbprint []byte, responseURI string) ([]byte, error) {
	return transcript("OpenID4VPHandover", thumbprint, clientID, nonce, responseURI)
}

// TranscriptDCAPI makes the SessionTranscript of a request that came by the Digital
// Credentials API (appendix B.2.6.2): the origin without a prefix, the nonce, and the
// thumbprint as in [Transcript].
func TranscriptDCAPI(origin, nonce string, thumbprint []byte) ([]byte, error) {
	return transcript("OpenID4VPDCAPIHandover", thumbprint, origin, nonce)
}

// transcript puts the thumbprint third, where both kinds have it.
func transcript(kind string, thumbprint []byte, texts ...string) ([]byte, error) {
	var key any
	if thumbprint != nil {
		if len(thumbprint) != sha256.Size {
			return nil, errors.New("the thumbprint is not SHA-256")
		}
		key = thumbprint
	}
	info := []any{}
	for i, s := range texts {
		if s == "" || !utf8.ValidString(s) {
			return nil, errors.New("a part of the session is missing or not UTF-8")
		}
		if i == 2 {
			info = append(info, key)
		}
		info = append(info, s)
	}
	if len(info) == 2 {
		info = append(info, key)
	}
	b, err := encoder.Marshal(info)
	if err != nil {
		return nil, fmt.Errorf("making a session transcript: %w", err)
	}
	sum := sha256.Sum256(b)
	return encoder.Marshal([]any{nil, nil, []any{kind, sum[:]}})
}
