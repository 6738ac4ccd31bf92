package vci

import (
	"crypto"
	"errors"
	"fmt"
	"time"

	"diwan/protocol/jws"
	"diwan/protocol/oauth"
	"diwan/protocol/strict"
)

const metadataType = "openidvci-issuer-metadata+jwt"

// ErrSigned is signed metadata that may not be used, wrapped with why.
var ErrSigned = errors.New("the signed metadata can't be used")

// Sign makes the signed form of the metadata, of media type application/jwt
// (OpenID4VCI 1.0 §12.2.3). The header names the signer's key, by x5c without the
// anchor for HAIP. A zero end leaves it out.
func (m *Metadata) Sign(key crypto.Signer, h jws.Header, now, end time.Time) (string, error) {
	claims, err := m.members()
	if err != nil {
		return "", fmt.Errorf("signing metadata: %w", err)
	}
	claims["sub"], claims["iat"] = m.Issuer, oauth.At(now)
	if !end.IsZero() {
		claims["exp"] = oauth.At(end)
	}
	h.Typ = metadataType
	return jws.SignClaims(key, h, claims)
}

// SignedCheck is what signed metadata is checked against.
type SignedCheck struct {
	Issuer     string   // for whom it was fetched
	Algorithms []string // empty: ES256
	Now        time.Time
	Trust      oauth.Trust
}

// OpenMetadata reads signed metadata of an issuer, by a signer that the caller trusts
// for it.
func OpenMetadata(compact string, c SignedCheck) (*Metadata, error) {
	tok, err := jws.Parse(compact, jws.Want{Types: []string{metadataType}, Algorithms: algorithms(c.Algorithms)})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSigned, err)
	}
	var claims struct {
		Party   string     `json:"iss"`
		Subject string     `json:"sub"`
		Issued  oauth.Date `json:"iat"`
		Expires oauth.Date `json:"exp"`
	}
	if err := strict.Unmarshal(tok.Unverified(), jws.MaxBytes, &claims); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSigned, err)
	}
	if c.Trust == nil {
		return nil, fmt.Errorf("%w: nobody is trusted to sign", ErrSigned)
	}
	key, err := c.Trust(tok.Header, claims.Party)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSigned, err)
	}
	b, err := tok.Verify(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSigned, err)
	}
	switch {
	case claims.Subject != c.Issuer:
		return nil, fmt.Errorf("%w: sub is another issuer", ErrSigned)
	case claims.Issued.IsZero() || claims.Issued.After(c.Now.Add(skew)):
		return nil, fmt.Errorf("%w: iat", ErrSigned)
	case !claims.Expires.IsZero() && !c.Now.Before(claims.Expires.Time):
		return nil, fmt.Errorf("%w: it has expired", ErrSigned)
	}
	return ParseMetadata(b, c.Issuer)
}

// skew is how far clocks may differ.
const skew = time.Minute

func algorithms(list []string) []string {
	if len(list) == 0 {
		return []string{jws.ES256}
	}
	return list
}
