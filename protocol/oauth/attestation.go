package oauth

import (
	"crypto"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/protocol/jws"
)

// Names of the headers of attestation-based client authentication, and the methods of
// authentication as metadata lists them.
const (
	AttestationHeader          = "OAuth-Client-Attestation"
	AttestationPoPHeader       = "OAuth-Client-Attestation-PoP"
	AttestationChallengeHeader = "OAuth-Client-Attestation-Challenge"

	AttestationMethod     = "attest_jwt_client_auth"
	AttestationDPoPMethod = "attest_jwt_client_auth_dpop"
)

const (
	attestationType = "oauth-client-attestation+jwt"
	popType         = "oauth-client-attestation-pop+jwt"
)

// ClientAttestation is what the maker of a client says of one installed copy: that it
// is genuine and holds a key (draft -07 §5.1; OpenID4VCI 1.0 appendix E).
type ClientAttestation struct {
	// Issuer is the maker. It is always written; one that is missing is accepted,
	// since draft -08 dropped it.
	Issuer string
	// ClientID is that of the product. The same for all copies, so that servers can't
	// tell one holder from another by it.
	ClientID  string
	Issued    time.Time // optional
	NotBefore time.Time // optional
	Expires   time.Time
	Key       crypto.PublicKey // of the copy
	Name      string           // wallet_name, optional
	Link      string           // wallet_link, optional
	Status    json.RawMessage  // reference to a status list, optional
}

type attestationClaims struct {
	Issuer    string          `json:"iss,omitempty"`
	Subject   string          `json:"sub"`
	Issued    Date            `json:"iat,omitzero"`
	NotBefore Date            `json:"nbf,omitzero"`
	Expires   Date            `json:"exp,omitzero"`
	Confirm   confirmation    `json:"cnf"`
	Name      string          `json:"wallet_name,omitempty"`
	Link      string          `json:"wallet_link,omitempty"`
	Status    json.RawMessage `json:"status,omitempty"`
}

type confirmation struct {
	JWK json.RawMessage `json:"jwk"`
}

// Sign makes the attestation. The header names the maker's key, by x5c without the
// anchor (HAIP 1.0 §4.4.1) or by kid; its type is set here.
func (a ClientAttestation) Sign(key crypto.Signer, h jws.Header) (string, error) {
	if a.ClientID == "" || a.Expires.IsZero() {
		return "", fmt.Errorf("making a client attestation: it needs a client and an end")
	}
	jwk, err := (&jose.JSONWebKey{Key: a.Key}).MarshalJSON()
	if err != nil {
		return "", fmt.Errorf("making a client attestation: %w", err)
	}
	h.Typ = attestationType
	return jws.SignClaims(key, h, attestationClaims{
		Issuer: a.Issuer, Subject: a.ClientID, Issued: At(a.Issued), NotBefore: At(a.NotBefore), Expires: At(a.Expires),
		Confirm: confirmation{jwk}, Name: a.Name, Link: a.Link, Status: a.Status,
	})
}

// ClientPoP proves to one server that a client holds the key of its attestation
// (draft -07 §5.2).
type ClientPoP struct {
	ClientID  string
	Audience  string // issuer identifier of the authorization server
	Now       time.Time
	Challenge string // that the server gave last, if any
	ID        string // jti; made at random when empty
}

type popClaims struct {
	Issuer    string   `json:"iss,omitempty"`
	Audience  Audience `json:"aud"`
	ID        string   `json:"jti"`
	Issued    Date     `json:"iat,omitzero"`
	NotBefore Date     `json:"nbf,omitzero"`
	Challenge *string  `json:"challenge,omitempty"`
}

// Sign makes the proof with the key that the attestation names.
func (p ClientPoP) Sign(key crypto.Signer) (string, error) {
	c := popClaims{Issuer: p.ClientID, Audience: Audience{p.Audience}, ID: p.ID, Issued: At(p.Now)}
	if c.ID == "" {
		c.ID = randomText()
	}
	if p.Challenge != "" {
		c.Challenge = &p.Challenge
	}
	return jws.SignClaims(key, jws.Header{Typ: popType}, c)
}

// Audience is the aud of a signed text: one value, written as a string, or several
// (RFC 7519 §4.1.3).
type Audience []string

// MarshalJSON writes one value as a string.
func (a Audience) MarshalJSON() ([]byte, error) {
	if len(a) == 1 {
		return json.Marshal(a[0])
	}
	return json.Marshal([]string(a))
}

// UnmarshalJSON reads a string or an array of them.
func (a *Audience) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*a = Audience{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(a))
}

// Is tells whether the audience is exactly this one: a text meant for several could be
// carried from one to another.
func (a Audience) Is(who string) bool { return len(a) == 1 && a[0] == who }
