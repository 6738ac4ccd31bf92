package snapshot

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/cryptosigner"
)

// mediaType stands in the header of a signed index, so that no other signed text
// of the directory can be taken for one.
const mediaType = "diwan-exchange-index+jws"

var algorithms = []jose.SignatureAlgorithm{jose.ES256, jose.ES384, jose.ES512}

// Errors of an index.
var (
	ErrUntrusted = errors.New("exchange.index_untrusted")
	ErrIndex     = errors.New("exchange.index")
)

// Sign signs an index with a key on a NIST curve; the result is a compact JWS.
func Sign(x *Index, key crypto.Signer) ([]byte, error) {
	opaque := cryptosigner.Opaque(key)
	if len(opaque.Algs()) == 0 {
		return nil, fmt.Errorf("signing the index: a key of type %T can't", key.Public())
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: opaque.Algs()[0], Key: opaque}, (&jose.SignerOptions{}).WithType(mediaType))
	if err != nil {
		return nil, fmt.Errorf("signing the index: %w", err)
	}
	payload, err := json.Marshal(x)
	if err != nil {
		return nil, err
	}
	jws, err := s.Sign(payload)
	if err != nil {
		return nil, fmt.Errorf("signing the index: %w", err)
	}
	text, err := jws.CompactSerialize()
	return []byte(text), err
}

// Open checks the signature of an index against the keys (PKIX) that are
// trusted, and its form. It says nothing of time or order: that is Keeper's.
func Open(signed []byte, trusted [][]byte) (*Index, error) {
	if len(signed) > MaxIndex {
		return nil, fmt.Errorf("%w: too large", ErrIndex)
	}
	jws, err := jose.ParseSignedCompact(string(signed), algorithms)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIndex, err)
	}
	if t, _ := jws.Signatures[0].Protected.ExtraHeaders[jose.HeaderType].(string); t != mediaType {
		return nil, fmt.Errorf("%w: of type %q", ErrIndex, t)
	}
	for _, der := range trusted {
		pub, err := x509.ParsePKIXPublicKey(der)
		if err != nil {
			return nil, fmt.Errorf("%w: a trusted key: %w", ErrUntrusted, err)
		}
		payload, err := jws.Verify(pub)
		if err != nil {
			continue
		}
		return readIndex(payload)
	}
	return nil, ErrUntrusted
}

func readIndex(payload []byte) (*Index, error) {
	var x Index
	d := json.NewDecoder(bytes.NewReader(payload))
	if err := d.Decode(&x); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrIndex, err)
	}
	switch {
	case x.Version != 1:
		return nil, fmt.Errorf("%w: version %d", ErrIndex, x.Version)
	case x.Instance == "" || x.Serial <= 0 || !x.ValidUntil.After(x.IssuedAt):
		return nil, fmt.Errorf("%w: incomplete", ErrIndex)
	case len(x.Members) > maxMembers || len(x.DirectoryKeys) == 0 || len(x.DirectoryKeys) > maxKeys || len(x.Authorities) == 0 || len(x.Authorities) > maxKeys:
		return nil, fmt.Errorf("%w: members, keys or authorities", ErrIndex)
	}
	return &x, nil
}

// EncodePart returns a part's bytes and the hash that names it.
func EncodePart(m *Member) (part []byte, hash string, err error) {
	if part, err = json.Marshal(m); err != nil {
		return nil, "", err
	}
	return part, Hash(part), nil
}

// Hash names bytes: their SHA-256 in hexadecimal.
func Hash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// OpenPart reads the part of a member and checks it against the hash that the
// index gives.
func OpenPart(part []byte, id, hash string) (*Member, error) {
	if len(part) > MaxPart {
		return nil, fmt.Errorf("%w: too large", ErrPart)
	}
	if Hash(part) != hash {
		return nil, fmt.Errorf("%w: %s has other bytes than the index says", ErrPart, id)
	}
	var m Member
	if err := json.Unmarshal(part, &m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPart, err)
	}
	return &m, m.Validate(id)
}

// Fingerprint of a signed index tells two of the same serial apart.
func Fingerprint(signed []byte) string {
	sum := sha256.Sum256(signed)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
