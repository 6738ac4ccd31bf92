package statuslist

import (
	"crypto"
	"encoding/base64"
	"fmt"
	"time"

	"diwan/protocol/jws"
)

// Types of the two forms of a token; with "application/" before, their media types.
const (
	TypeJWT  = "statuslist+jwt"
	TypeCWT  = "statuslist+cwt"
	MediaJWT = "application/" + TypeJWT
	MediaCWT = "application/" + TypeCWT
)

// MaxBytes bounds a token of either form. A list of 2^20 entries of two bits takes half a
// megabyte as a JWT when its statuses are as mixed as can be.
const MaxBytes = 4 << 20

// Token is a status list to sign (draft -14, section 5).
type Token struct {
	URI      string // the address at which it is published and that credentials carry
	IssuedAt time.Time
	Expires  time.Time     // zero for none, which is not recommended
	TTL      time.Duration // how long it may be kept, in whole seconds; 0 for none
	List     Packed
	// AggregationURI is where all lists of the issuer are named, empty for none.
	AggregationURI string
}

func (t *Token) check() error {
	if err := (Reference{URI: t.URI}).Valid(); err != nil {
		return err
	}
	if t.IssuedAt.IsZero() || t.TTL < 0 || t.TTL%time.Second != 0 || !t.Expires.IsZero() && !t.Expires.After(t.IssuedAt) {
		return fmt.Errorf("%w: the dates of the token", ErrForm)
	}
	return checkBits(t.List.Bits)
}

// SignJWT signs the list as a JWT. The header's type is set here; Kid or X5C name the
// key.
func (t *Token) SignJWT(key crypto.Signer, h jws.Header) (string, error) {
	if err := t.check(); err != nil {
		return "", err
	}
	list := map[string]any{"bits": t.List.Bits, "lst": base64.RawURLEncoding.EncodeToString(t.List.Data)}
	if t.AggregationURI != "" {
		list["aggregation_uri"] = t.AggregationURI
	}
	claims := map[string]any{"sub": t.URI, "iat": t.IssuedAt.Unix(), "status_list": list}
	if !t.Expires.IsZero() {
		claims["exp"] = t.Expires.Unix()
	}
	if t.TTL > 0 {
		claims["ttl"] = int64(t.TTL / time.Second)
	}
	h.Typ = TypeJWT
	s, err := jws.SignClaims(key, h, claims)
	if err != nil {
		return "", err
	}
	if len(s) > MaxBytes {
		return "", fmt.Errorf("%w: a JWT of %d bytes, at most %d", ErrLarge, len(s), MaxBytes)
	}
	return s, nil
}
