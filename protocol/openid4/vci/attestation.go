package vci

import (
	"crypto"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/protocol/jws"
	"diwan/protocol/oauth"
	"diwan/protocol/strict"
)

const attestationType = "key-attestation+jwt"

// Levels of resistance to attack of a key's storage or of what unlocks it (OpenID4VCI
// 1.0 appendix D.2).
const (
	ResistsHigh          = "iso_18045_high"
	ResistsModerate      = "iso_18045_moderate"
	ResistsEnhancedBasic = "iso_18045_enhanced-basic"
	ResistsBasic         = "iso_18045_basic"
)

// KeyAttestation is what the maker of a wallet or of its key storage says of keys
// (appendix D.1).
type KeyAttestation struct {
	Issuer             string // optional
	Issued             time.Time
	Expires            time.Time // needed beside a proof of type jwt
	Keys               []*jose.JSONWebKey
	KeyStorage         []string
	UserAuthentication []string
	Certification      string
	Nonce              string
	Status             json.RawMessage // reference to a status list, optional
}

type attestationClaims struct {
	Issuer             string          `json:"iss,omitempty"`
	Issued             oauth.Date      `json:"iat,omitzero"`
	Expires            oauth.Date      `json:"exp,omitzero"`
	Keys               []any           `json:"attested_keys"`
	KeyStorage         []string        `json:"key_storage,omitempty"`
	UserAuthentication []string        `json:"user_authentication,omitempty"`
	Certification      string          `json:"certification,omitempty"`
	Nonce              *string         `json:"nonce,omitempty"`
	Status             json.RawMessage `json:"status,omitempty"`
}

// Sign makes the attestation. The header names the signer's key, for HAIP by x5c
// without the anchor; its type is set here.
func (a KeyAttestation) Sign(key crypto.Signer, h jws.Header) (string, error) {
	if len(a.Keys) == 0 || a.Issued.IsZero() {
		return "", fmt.Errorf("making a key attestation: it needs keys and a date")
	}
	c := attestationClaims{
		Issuer: a.Issuer, Issued: oauth.At(a.Issued), Expires: oauth.At(a.Expires), KeyStorage: a.KeyStorage,
		UserAuthentication: a.UserAuthentication, Certification: a.Certification, Status: a.Status,
	}
	if a.Nonce != "" {
		c.Nonce = &a.Nonce
	}
	for _, k := range a.Keys {
		pub := k.Public()
		c.Keys = append(c.Keys, &pub)
	}
	h.Typ = attestationType
	return jws.SignClaims(key, h, c)
}

// AttestationPolicy says which key attestations are taken.
type AttestationPolicy struct {
	Required bool // refuse keys that nobody vouches for
	Trust    oauth.Trust
	// KeyStorage and UserAuthentication list the levels of which one must be claimed;
	// empty: none must.
	KeyStorage, UserAuthentication []string
}

// attested checks the one attestation that is a proof by itself.
func (c ProofCheck) attested(list []string) ([]ProvedKey, error) {
	if len(list) != 1 {
		return nil, fmt.Errorf("%w: %d attestations, want one", InvalidProof, len(list))
	}
	if c.Attestation == nil {
		return nil, fmt.Errorf("%w: the proof type attestation is not supported", InvalidProof)
	}
	a, err := c.attestation(list[0], false)
	if err != nil {
		return nil, err
	}
	return a.proved(), nil
}

// attestation reads and checks an attestation, which beside a proof must have an end.
// With an error of [InvalidNonce] it is good but for that.
func (c ProofCheck) attestation(text string, beside bool) (*KeyAttestation, error) {
	if len(text) > maxProof {
		return nil, fmt.Errorf("%w: attestation: longer than %d bytes", InvalidProof, maxProof)
	}
	tok, err := jws.Parse(text, jws.Want{Types: []string{attestationType}, Algorithms: algorithms(c.Algorithms)})
	if err != nil {
		return nil, fmt.Errorf("%w: attestation: %w", InvalidProof, err)
	}
	var claims attestationClaims
	if err := strict.Unmarshal(tok.Unverified(), maxProof, &claims); err != nil {
		return nil, fmt.Errorf("%w: attestation: %w", InvalidProof, err)
	}
	if c.Attestation.Trust == nil {
		return nil, fmt.Errorf("%w: attestation: nobody is trusted to attest", InvalidProof)
	}
	key, err := c.Attestation.Trust(tok.Header, claims.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: attestation: %w", InvalidProof, err)
	}
	if _, err := tok.Verify(key); err != nil {
		return nil, fmt.Errorf("%w: attestation: %w", InvalidProof, err)
	}
	a, err := claims.read()
	if err != nil {
		return nil, fmt.Errorf("%w: attestation: %w", InvalidProof, err)
	}
	if err := c.Attestation.check(a, c.Now, beside); err != nil {
		return nil, fmt.Errorf("%w: attestation: %w", InvalidProof, err)
	}
	// Without an end, only when it was made tells whether it is about now.
	if a.Expires.IsZero() && !c.Window.Holds(c.Now, a.Issued) {
		return nil, fmt.Errorf("%w: attestation: iat is not about now", InvalidProof)
	}
	return a, c.fresh(claims.Nonce)
}

func (p AttestationPolicy) check(a *KeyAttestation, now time.Time, beside bool) error {
	switch {
	case a.Issued.IsZero() || a.Issued.After(now.Add(skew)):
		return fmt.Errorf("iat is missing or to come")
	case a.Expires.IsZero() && beside:
		return fmt.Errorf("exp is missing")
	case !a.Expires.IsZero() && !now.Before(a.Expires):
		return fmt.Errorf("it has expired")
	case !meets(p.KeyStorage, a.KeyStorage):
		return fmt.Errorf("key_storage is not of a level that is accepted")
	case !meets(p.UserAuthentication, a.UserAuthentication):
		return fmt.Errorf("user_authentication is not of a level that is accepted")
	}
	return nil
}

func meets(accepted, claimed []string) bool {
	return len(accepted) == 0 || slices.ContainsFunc(claimed, func(s string) bool { return slices.Contains(accepted, s) })
}

// read takes over the claims, with keys that are public, known and each there once.
func (c attestationClaims) read() (*KeyAttestation, error) {
	if len(c.Keys) == 0 || len(c.Keys) > maxBatch {
		return nil, fmt.Errorf("%d attested_keys, want 1 to %d", len(c.Keys), maxBatch)
	}
	a := &KeyAttestation{
		Issuer: c.Issuer, Issued: c.Issued.Time, Expires: c.Expires.Time, KeyStorage: c.KeyStorage,
		UserAuthentication: c.UserAuthentication, Certification: c.Certification, Status: c.Status,
	}
	if c.Nonce != nil {
		a.Nonce = *c.Nonce
	}
	for _, v := range c.Keys {
		k, err := jws.PublicKey(v)
		if err != nil {
			return nil, err
		}
		a.Keys = append(a.Keys, k)
	}
	seen := map[string]bool{}
	for _, k := range a.proved() {
		if k.Thumbprint == "" || seen[k.Thumbprint] {
			return nil, fmt.Errorf("attested_keys has a key twice")
		}
		seen[k.Thumbprint] = true
	}
	return a, nil
}

// proved returns the attested keys with what vouches for them.
func (a *KeyAttestation) proved() []ProvedKey {
	out := make([]ProvedKey, len(a.Keys))
	for i, k := range a.Keys {
		// Keys that were read have a thumbprint; one of no known kind keeps none.
		jkt, _ := jws.Thumbprint(k.Key)
		out[i] = ProvedKey{k.Key, jkt, a}
	}
	return out
}
