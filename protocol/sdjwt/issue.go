package sdjwt

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
	"diwan/protocol/strict"
)

const (
	saltBytes = 16 // RFC 9901, section 9.3: 128 bits at least
	maxDecoys = 64
)

// Issuance is a token to issue.
type Issuance struct {
	// Claims are all the claims, of any type that JSON can write; they are not
	// changed.
	Claims map[string]any
	// Disclosable names what is hidden unless the holder shows it: members of objects
	// and elements of arrays, null for all elements. One may lie within another; then
	// the inner one can only be shown with the outer. A path that selects nothing is
	// an error, unless Optional.
	Disclosable []claimpath.Path
	Optional    bool // paths that select nothing in these claims are passed over
	// Decoys is how many digests without a disclosure are added to each object and
	// array that has one with, so that the number of claims isn't told.
	Decoys int
	Hash   string     // of the digests; empty is sha-256, and then not written
	Header jws.Header // Typ is dc+sd-jwt when empty
	// Random gives salts and decoys; nil is crypto/rand. Only a test sets it: who can
	// guess a salt can guess the value.
	Random io.Reader
}

// Issue returns the signed token with all its disclosures. Claims that may not be
// hidden, names that the format keeps to itself, and a certificate chain that doesn't
// begin with the key's certificate or holds a self-signed one are refused.
func Issue(key crypto.Signer, i Issuance) (string, error) {
	if i.Header.Typ == "" {
		i.Header.Typ = TypeVC
	}
	if err := i.check(key); err != nil {
		return "", err
	}
	claims, err := plain(i.Claims, 0)
	if err != nil {
		return "", err
	}
	tree, err := i.marks(claims)
	if err != nil {
		return "", err
	}
	h, err := hashOf(i.Hash)
	if err != nil {
		return "", err
	}
	w := &hider{hash: h, decoys: i.Decoys, random: i.Random}
	if w.random == nil {
		w.random = rand.Reader
	}
	payload := claims.(map[string]any)
	if err := w.object(payload, tree); err != nil {
		return "", err
	}
	if i.Hash != "" {
		payload["_sd_alg"] = i.Hash
	}
	signed, err := jws.SignClaims(key, i.Header, payload)
	if err != nil {
		return "", err
	}
	out := signed + "~" + w.disclosures.String()
	if len(out) > MaxBytes || w.count > MaxDisclosures {
		return "", fmt.Errorf("%w: %d bytes with %d disclosures", ErrClaims, len(out), w.count)
	}
	return out, nil
}

func (i *Issuance) check(key crypto.Signer) error {
	if i.Decoys < 0 || i.Decoys > maxDecoys {
		return fmt.Errorf("%w: %d decoys, at most %d", ErrClaims, i.Decoys, maxDecoys)
	}
	if vct, _ := i.Claims["vct"].(string); strings.EqualFold(i.Header.Typ, TypeVC) && vct == "" {
		return fmt.Errorf("%w: vct is absent", ErrClaims)
	}
	for n, c := range i.Header.X5C {
		if bytes.Equal(c.RawIssuer, c.RawSubject) {
			return fmt.Errorf("%w: certificate %d is self-signed", ErrClaims, n)
		}
		if n == 0 && !sameKey(c, key.Public()) {
			return fmt.Errorf("%w: the certificate is of another key", ErrClaims)
		}
	}
	return nil
}

func sameKey(c *x509.Certificate, key crypto.PublicKey) bool {
	k, ok := c.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	return ok && k.Equal(key)
}

// plain copies a value into maps, slices and scalars, and refuses the names that the
// format keeps to itself: a value from outside could else look like a digest.
func plain(v any, depth int) (any, error) {
	if depth >= MaxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrClaims, MaxDepth)
	}
	switch v := v.(type) {
	case nil, bool, string, json.Number, int, int64, float64:
		return v, nil
	case map[string]any:
		out := make(map[string]any, len(v)+1)
		for name, m := range v {
			if name == "_sd" || name == "..." || name == "_sd_alg" {
				return nil, fmt.Errorf("%w: the name %q", ErrClaims, name)
			}
			var err error
			if out[name], err = plain(m, depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			var err error
			if out[i], err = plain(e, depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrClaims, err)
	}
	read, err := strict.Value(b, MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrClaims, err)
	}
	return plain(read, depth)
}

// mark says what is hidden at and below a place.
type mark struct {
	hide  bool
	below map[any]*mark
}

func (i *Issuance) marks(claims any) (*mark, error) {
	root := &mark{}
	for _, p := range i.Disclosable {
		if err := p.Valid(); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrClaims, err)
		}
		if isProtected(p[0]) {
			return nil, fmt.Errorf("%w: %s", ErrProtected, p)
		}
		found, err := p.Locate(claims)
		if err != nil && (!i.Optional || !errors.Is(err, claimpath.ErrEmpty)) {
			return nil, fmt.Errorf("%w: %w", ErrClaims, err)
		}
		for _, m := range found {
			at := root
			for _, c := range m.Path {
				if at.below == nil {
					at.below = map[any]*mark{}
				}
				if at.below[c] == nil {
					at.below[c] = &mark{}
				}
				at = at.below[c]
			}
			at.hide = true
		}
	}
	return root, nil
}
