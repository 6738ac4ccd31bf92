package sdjwt

import (
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"diwan/protocol/claimpath"
	"diwan/protocol/jws"
	"diwan/protocol/strict"
)

// Bounds on what is read.
const (
	MaxBytes       = 256 << 10
	MaxDisclosures = 512
	MaxDepth       = strict.MaxDepth // of the claims after all disclosures are put in
)

// TypeVC is the type of an SD-JWT VC (media type application/dc+sd-jwt).
const TypeVC = "dc+sd-jwt"

// Disclosure is a value that its issuer hid behind a digest, and where it stands.
type Disclosure struct {
	Encoded string         // as in the token
	Salt    string         //
	Name    string         // of an object's member; empty for an array's element
	Element bool           // it is an array's element
	Path    claimpath.Path // within the claims of this token, without null
	Value   any            // with the disclosures below it put in
	Parent  int            // the disclosure within which this one lies, or -1
	digest  string
	raw     any
	placed  bool
}

// Token is an SD-JWT, with or without a key binding, whose form was checked.
type Token struct {
	Header      jws.Header
	Disclosures []Disclosure // in the order of the token

	issuer  string // the JWS
	signed  *jws.Token
	hash    crypto.Hash
	claims  map[string]any
	binding string // the KB-JWT, or empty
}

// Parse reads the compact form of an SD-JWT or SD-JWT+KB. An empty Want allows what
// HAIP 1.0 asks for: the type dc+sd-jwt and ES256.
func Parse(compact string, want jws.Want) (*Token, error) {
	if len(compact) > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrForm, len(compact), MaxBytes)
	}
	if n := strings.Count(compact, "~"); n == 0 || n > MaxDisclosures+1 {
		return nil, fmt.Errorf("%w: %d tildes, want 1 to %d", ErrForm, n, MaxDisclosures+1)
	}
	parts := strings.Split(compact, "~")
	t := &Token{issuer: parts[0], binding: parts[len(parts)-1]}
	var err error
	if t.signed, err = jws.Parse(t.issuer, defaults(want, TypeVC)); err != nil {
		return nil, formError(err)
	}
	t.Header = t.signed.Header
	payload, err := strict.Object(t.signed.Unverified(), MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	if t.hash, err = hashClaim(payload); err != nil {
		return nil, err
	}
	t.Disclosures = make([]Disclosure, len(parts)-2)
	for i, p := range parts[1 : len(parts)-1] {
		if t.Disclosures[i], err = readDisclosure(p, t.hash); err != nil {
			return nil, err
		}
	}
	return t, t.process(payload)
}

func defaults(want jws.Want, typ string) jws.Want {
	if len(want.Types) == 0 {
		want.Types = []string{typ}
	}
	if len(want.Algorithms) == 0 {
		want.Algorithms = []string{jws.ES256}
	}
	return want
}

func formError(err error) error {
	if errors.Is(err, jws.ErrType) || errors.Is(err, jws.ErrAlgorithm) {
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return fmt.Errorf("%w: %w", ErrForm, err)
}

func hashClaim(payload map[string]any) (crypto.Hash, error) {
	v, ok := payload["_sd_alg"]
	if !ok {
		return hashOf("")
	}
	name, ok := v.(string)
	if !ok || name == "" {
		return 0, fmt.Errorf("%w: _sd_alg is not a name", ErrForm)
	}
	return hashOf(name)
}

// readDisclosure reads [salt, name, value] or [salt, value] (RFC 9901, section 4.2).
func readDisclosure(encoded string, h crypto.Hash) (d Disclosure, err error) {
	// Strictly: a disclosure that was matched by its characters is read from them
	// alone.
	b, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil {
		return d, fmt.Errorf("%w: a disclosure: %w", ErrForm, err)
	}
	v, err := strict.Value(b, MaxBytes)
	if err != nil {
		return d, fmt.Errorf("%w: a disclosure: %w", ErrForm, err)
	}
	list, _ := v.([]any)
	if len(list) != 2 && len(list) != 3 {
		return d, fmt.Errorf("%w: a disclosure is not an array of 2 or 3 elements", ErrForm)
	}
	d = Disclosure{Encoded: encoded, Element: len(list) == 2, Parent: -1, raw: list[len(list)-1], digest: digest(h, encoded)}
	ok := true
	if d.Salt, ok = list[0].(string); !ok {
		return d, fmt.Errorf("%w: a disclosure's salt is not a text", ErrForm)
	}
	if !d.Element {
		if d.Name, ok = list[1].(string); !ok {
			return d, fmt.Errorf("%w: a disclosure's name is not a text", ErrForm)
		}
	}
	return d, nil
}

// Unverified returns the claims with the disclosures put in. Nobody has checked who
// signed them; for a holder's own view of what was verified on receipt, and to find
// out whose key to verify with.
func (t *Token) Unverified() map[string]any { return t.claims }

// Bound tells whether a key binding came with the token, whatever it is worth.
func (t *Token) Bound() bool { return t.binding != "" }

// String returns the token as it was read.
func (t *Token) String() string { return t.sd() + t.binding }

// sd returns the part over which a key binding hashes: up to the last tilde, included.
func (t *Token) sd() string {
	var b strings.Builder
	b.WriteString(t.issuer)
	b.WriteByte('~')
	for i := range t.Disclosures {
		b.WriteString(t.Disclosures[i].Encoded)
		b.WriteByte('~')
	}
	return b.String()
}
