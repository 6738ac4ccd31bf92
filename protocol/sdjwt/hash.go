package sdjwt

import (
	"crypto"
	_ "crypto/sha256" // the hashes that Hash names
	_ "crypto/sha512"
	"encoding/base64"
	"fmt"
	"slices"
)

// Names of hash functions, from the IANA registry of named information hash
// algorithms, that are accepted in _sd_alg. The truncated and the older ones of that
// registry are not.
const (
	SHA256 = "sha-256"
	SHA384 = "sha-384"
	SHA512 = "sha-512"
)

var hashes = map[string]crypto.Hash{SHA256: crypto.SHA256, SHA384: crypto.SHA384, SHA512: crypto.SHA512}

// protected are the claims that may not be disclosed selectively, sub-claims included
// (SD-JWT VC, section 3.2.2.2; aka_vcts since its draft -18).
var protected = []string{"iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"}

func isProtected(name any) bool {
	s, ok := name.(string)
	return ok && slices.Contains(protected, s)
}

func hashOf(name string) (crypto.Hash, error) {
	if name == "" {
		return crypto.SHA256, nil
	}
	h, ok := hashes[name]
	if !ok {
		return 0, fmt.Errorf("%w: hash %.40q", ErrUnsupported, name)
	}
	return h, nil
}

// digest hashes the characters of a text, not what they encode.
func digest(h crypto.Hash, text string) string {
	w := h.New()
	w.Write([]byte(text))
	return base64.RawURLEncoding.EncodeToString(w.Sum(nil))
}
