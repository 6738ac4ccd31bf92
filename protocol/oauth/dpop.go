package oauth

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/textproto"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/protocol/jws"
)

// Names of the headers of RFC 9449.
const (
	DPoPHeader      = "DPoP"
	DPoPNonceHeader = "DPoP-Nonce"
)

const (
	dpopType = "dpop+jwt"
	// maxProof bounds a header that is read before anybody is known.
	maxProof = 16 << 10
	minID    = 8
	maxID    = 256
	maxNonce = 1024
)

// dpopClaims are the claims of a proof (RFC 9449 §4.2).
type dpopClaims struct {
	ID     string  `json:"jti"`
	Method string  `json:"htm"`
	Target string  `json:"htu"`
	Issued Date    `json:"iat,omitzero"`
	Hash   string  `json:"ath,omitempty"`
	Nonce  *string `json:"nonce,omitempty"`
}

// DPoP is a proof to make: that who sends a request holds a key.
type DPoP struct {
	Key         crypto.Signer
	Method, URL string // of the request
	Now         time.Time
	Nonce       string // that the server gave last, if any
	AccessToken string // when the request carries one
	ID          string // jti; made at random when empty
}

// Make returns the proof, the value of one [DPoPHeader].
func (p DPoP) Make() (string, error) {
	htu, err := target(p.URL)
	if err != nil {
		return "", fmt.Errorf("making a DPoP proof: %w", err)
	}
	c := dpopClaims{ID: p.ID, Method: p.Method, Target: htu, Issued: At(p.Now)}
	if c.ID == "" {
		c.ID = randomText()
	}
	if p.Nonce != "" {
		c.Nonce = &p.Nonce
	}
	if p.AccessToken != "" {
		c.Hash = tokenHash(p.AccessToken)
	}
	return jws.SignClaims(p.Key, jws.Header{Typ: dpopType, JWK: &jose.JSONWebKey{Key: p.Key.Public()}}, c)
}

func tokenHash(token string) string {
	sum := sha256.Sum256([]byte(token))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// Replays remembers what was accepted. Seen records a key and tells whether it was
// there already, as one step even among many servers; after the moment given it may
// forget. An error means that nothing is known, and refuses the request.
type Replays interface {
	Seen(ctx context.Context, key string, until time.Time) (bool, error)
}

// DPoPCheck is what a proof is checked against.
type DPoPCheck struct {
	Header http.Header // of the request
	Method string
	// URL is the address of the endpoint as the server itself knows it: what the
	// request says of its host is a stranger's word.
	URL string
	// AccessToken is the token that came with the request, whose hash the proof must
	// then have, and Thumbprint the one its key must have (cnf.jkt of the token, or
	// dpop_jkt of the authorization request). Empty at a token endpoint.
	AccessToken string
	Thumbprint  string
	Algorithms  []string // empty: ES256
	Now         time.Time
	Window      Window
	// Nonce tells whether a nonce is one of the server's that lives; nil when the
	// server gives none.
	Nonce   func(string) bool
	Replays Replays // nil: replays within the window are not found out
}

// DPoPProof is a proof that was found good.
type DPoPProof struct {
	Thumbprint string // of the key (RFC 7638): what a token is bound to
	Key        *jose.JSONWebKey
	ID         string
	Issued     time.Time
	// Nonce is the server's nonce, or "" when the server asked for none.
	Nonce string
}

// HasDPoP tells whether a request has a proof.
func HasDPoP(h http.Header) bool { return len(h[textproto.CanonicalMIMEHeaderKey(DPoPHeader)]) > 0 }

// VerifyDPoP checks the proof of a request (RFC 9449 §4.3). Its errors wrap
// [InvalidDPoPProof] or, when only the server's nonce is missing or stale,
// [UseDPoPNonce]: the answer then carries a fresh one in [DPoPNonceHeader]. An error
// that wraps neither is of the store of replays.
func VerifyDPoP(ctx context.Context, c DPoPCheck) (*DPoPProof, error) {
	text, err := single(c.Header, DPoPHeader)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", InvalidDPoPProof, err)
	}
	tok, err := jws.Parse(text, jws.Want{Types: []string{dpopType}, Algorithms: algorithms(c.Algorithms)})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", InvalidDPoPProof, err)
	}
	if tok.Header.JWK == nil {
		return nil, fmt.Errorf("%w: the header has no jwk", InvalidDPoPProof)
	}
	var claims dpopClaims
	if err := tok.Claims(tok.Header.JWK.Key, &claims); err != nil {
		return nil, fmt.Errorf("%w: %w", InvalidDPoPProof, err)
	}
	jkt, err := jws.Thumbprint(tok.Header.JWK.Key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", InvalidDPoPProof, err)
	}
	if err := c.matches(claims, jkt); err != nil {
		return nil, fmt.Errorf("%w: %w", InvalidDPoPProof, err)
	}
	proof := &DPoPProof{Thumbprint: jkt, Key: tok.Header.JWK, ID: claims.ID, Issued: claims.Issued.Time}
	if c.Nonce != nil {
		if claims.Nonce == nil || len(*claims.Nonce) > maxNonce || !c.Nonce(*claims.Nonce) {
			return nil, fmt.Errorf("%w: the nonce is missing or too old", UseDPoPNonce)
		}
		proof.Nonce = *claims.Nonce
	}
	// Last, so that only what would have been accepted takes room in the store.
	if err := once(ctx, c.Replays, "dpop", jkt, claims.ID, c.Window.End(claims.Issued.Time), InvalidDPoPProof); err != nil {
		return nil, err
	}
	return proof, nil
}

// matches checks that a proof is for this request, now, and by the right key.
func (c DPoPCheck) matches(claims dpopClaims, jkt string) error {
	here, err := target(c.URL)
	if err != nil {
		return err
	}
	there, err := target(claims.Target)
	switch {
	case err != nil || there != here:
		return fmt.Errorf("htu is not the address of the request")
	case claims.Method != c.Method:
		return fmt.Errorf("htm is not the method of the request")
	case !goodID(claims.ID):
		return fmt.Errorf("jti has %d to %d visible characters", minID, maxID)
	case !c.Window.Holds(c.Now, claims.Issued.Time):
		return fmt.Errorf("iat is not about now")
	case c.AccessToken != "" && !same(claims.Hash, tokenHash(c.AccessToken)):
		return fmt.Errorf("ath is not the hash of the access token")
	case c.Thumbprint != "" && !same(jkt, c.Thumbprint):
		return fmt.Errorf("the key is not the one that was announced")
	}
	return nil
}

// once records what was accepted. The key of the record is made from the signer's key
// too, so that nobody can use up the identifiers of others.
func once(ctx context.Context, r Replays, kind, jkt, id string, until time.Time, code Code) error {
	if r == nil {
		return nil
	}
	sum := sha256.Sum256([]byte(jkt + "." + id))
	seen, err := r.Seen(ctx, kind+":"+base64.RawURLEncoding.EncodeToString(sum[:]), until)
	if err != nil {
		return fmt.Errorf("looking for a replay: %w", err)
	}
	if seen {
		return fmt.Errorf("%w: it was used before", code)
	}
	return nil
}

// single returns the value of a header that must be there exactly once.
func single(h http.Header, name string) (string, error) {
	v := h[textproto.CanonicalMIMEHeaderKey(name)]
	if len(v) != 1 {
		return "", fmt.Errorf("%d headers %s, want one", len(v), name)
	}
	if len(v[0]) > maxProof {
		return "", fmt.Errorf("the header %s is longer than %d bytes", name, maxProof)
	}
	return v[0], nil
}

func algorithms(list []string) []string {
	if len(list) == 0 {
		return []string{jws.ES256}
	}
	return list
}

func goodID(s string) bool {
	for i := range len(s) {
		if s[i] <= 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return len(s) >= minID && len(s) <= maxID
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
