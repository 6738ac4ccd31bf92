package sdjwt

import (
	"crypto"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
)

var integrityHashes = []struct {
	prefix string
	hash   crypto.Hash
}{{"sha512-", crypto.SHA512}, {"sha384-", crypto.SHA384}, {"sha256-", crypto.SHA256}}

const maxIntegrity = 1 << 10

// CheckIntegrity compares a document with integrity metadata as W3C Subresource
// Integrity writes it: hashes separated by spaces, of which those of the strongest
// function decide. Metadata without a function that is known is an error, where a
// browser would let the document pass.
func CheckIntegrity(document []byte, integrity string) error {
	if len(integrity) > maxIntegrity {
		return fmt.Errorf("%w: the integrity metadata is too large", ErrIntegrity)
	}
	for _, h := range integrityHashes {
		known := false
		for _, word := range strings.Fields(integrity) {
			value, ok := strings.CutPrefix(word, h.prefix)
			if !ok {
				continue
			}
			known = true
			value, _, _ = strings.Cut(value, "?")
			want, err := base64.StdEncoding.DecodeString(value)
			w := h.hash.New()
			w.Write(document)
			if err == nil && subtle.ConstantTimeCompare(want, w.Sum(nil)) == 1 {
				return nil
			}
		}
		if known {
			return fmt.Errorf("%w: the hash differs", ErrIntegrity)
		}
	}
	return fmt.Errorf("%w: no hash that is known", ErrIntegrity)
}

// Integrity returns the integrity metadata of a document, for vct#integrity, with
// SHA-256.
func Integrity(document []byte) string {
	w := crypto.SHA256.New()
	w.Write(document)
	return "sha256-" + base64.StdEncoding.EncodeToString(w.Sum(nil))
}
