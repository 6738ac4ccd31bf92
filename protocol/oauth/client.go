package oauth

import (
	"context"
	"crypto"
	"encoding/json"
	"fmt"
	"net/http"
	"net/textproto"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/protocol/jws"
	"diwan/protocol/strict"
)

// Trust finds the key with which a text must be signed, from its header and the issuer
// that it names (which may be ""). It decides who is trusted: certificates are checked
// here, against the anchors of the caller. An error refuses the text.
type Trust func(h jws.Header, issuer string) (crypto.PublicKey, error)

// ClientCheck is what the attestation of a client is checked against.
type ClientCheck struct {
	Header   http.Header
	Issuer   string // identifier of this authorization server
	ClientID string // that the request names in a parameter, if it does
	// Thumbprint is that of the key which an earlier request of the same flow was
	// authenticated with, if any: a code is redeemed by who asked for it.
	Thumbprint string
	Algorithms []string // empty: ES256
	Now        time.Time
	Window     Window        // for the proof
	MaxAge     time.Duration // of the attestation since it was issued; 0: until it ends
	Trust      Trust
	// Challenge tells whether a challenge is one of the server's that lives; nil when
	// the server gives none.
	Challenge func(string) bool
	Replays   Replays
	// DPoP is the proof of the same request, already verified: with no proof of its
	// own the attestation is then proved by it.
	DPoP *DPoPProof
}

// ChallengeResponse answers a post to the challenge endpoint, not to be stored (draft
// -07 §8).
type ChallengeResponse struct {
	Challenge string `json:"attestation_challenge"`
}

// ParseChallenge reads the answer of a challenge endpoint.
func ParseChallenge(b []byte) (string, error) {
	var r ChallengeResponse
	if err := strict.Unmarshal(b, maxAnswer, &r); err != nil {
		return "", fmt.Errorf("reading a challenge: %w", err)
	}
	if r.Challenge == "" || len(r.Challenge) > maxNonce {
		return "", fmt.Errorf("reading a challenge: it is missing or too long")
	}
	return r.Challenge, nil
}

// Client is a client that was authenticated.
type Client struct {
	ID          string
	Method      string // [AttestationMethod] or [AttestationDPoPMethod]
	Thumbprint  string // of the key of this copy
	Attestation ClientAttestation
}

// HasAttestation tells whether a request tries to authenticate by an attestation.
func HasAttestation(h http.Header) bool {
	return len(h[textproto.CanonicalMIMEHeaderKey(AttestationHeader)]) > 0 ||
		len(h[textproto.CanonicalMIMEHeaderKey(AttestationPoPHeader)]) > 0
}

// VerifyClient authenticates a client by its attestation (draft -07 §6.2 and §9, and
// the combined mode of draft -10 §7.3). Its errors wrap [InvalidClient] when there is
// no attestation or it is another client's, [UseFreshAttestation] when it is too old,
// [UseAttestationChallenge] when only the server's challenge is missing or stale (the
// answer then carries one in [AttestationChallengeHeader]), and
// [InvalidClientAttestation] for all else; one that wraps none of these is of the store
// of replays.
func VerifyClient(ctx context.Context, c ClientCheck) (*Client, error) {
	if !HasAttestation(c.Header) {
		return nil, fmt.Errorf("%w: the request has no client attestation", InvalidClient)
	}
	text, err := single(c.Header, AttestationHeader)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", InvalidClientAttestation, err)
	}
	a, err := c.attestation(text)
	if err != nil {
		return nil, err
	}
	jkt, err := jws.Thumbprint(a.Key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", InvalidClientAttestation, err)
	}
	client := &Client{ID: a.ClientID, Method: AttestationMethod, Thumbprint: jkt, Attestation: *a}
	switch {
	case c.ClientID != "" && c.ClientID != a.ClientID:
		return nil, fmt.Errorf("%w: client_id is not the one that is attested", InvalidClient)
	case c.Thumbprint != "" && !same(jkt, c.Thumbprint):
		return nil, fmt.Errorf("%w: the key is not the one that was used before", InvalidClient)
	case len(c.Header[textproto.CanonicalMIMEHeaderKey(AttestationPoPHeader)]) == 0 && c.DPoP != nil:
		client.Method = AttestationDPoPMethod
		err = c.combined(jkt)
	default:
		err = c.proved(ctx, a, jkt)
	}
	if err != nil {
		return nil, err
	}
	return client, nil
}

// attestation reads and checks the attestation itself.
func (c ClientCheck) attestation(text string) (*ClientAttestation, error) {
	tok, err := jws.Parse(text, jws.Want{Types: []string{attestationType}, Algorithms: algorithms(c.Algorithms)})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", InvalidClientAttestation, err)
	}
	// Whom the text names as its issuer is needed to find the key; all is read again
	// from what the signature covers.
	var claims attestationClaims
	if err := strict.Unmarshal(tok.Unverified(), maxProof, &claims); err != nil {
		return nil, fmt.Errorf("%w: %w", InvalidClientAttestation, err)
	}
	if c.Trust == nil {
		return nil, fmt.Errorf("%w: nobody is trusted to attest", InvalidClientAttestation)
	}
	key, err := c.Trust(tok.Header, claims.Issuer)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", InvalidClientAttestation, err)
	}
	if _, err := tok.Verify(key); err != nil {
		return nil, fmt.Errorf("%w: %w", InvalidClientAttestation, err)
	}
	jwk, err := publicKey(claims.Confirm.JWK)
	switch skew := c.Window.filled().Future; {
	case err != nil:
		return nil, fmt.Errorf("%w: cnf: %w", InvalidClientAttestation, err)
	case claims.Subject == "" || len(claims.Subject) > maxAddress:
		return nil, fmt.Errorf("%w: sub", InvalidClientAttestation)
	case claims.Expires.IsZero():
		return nil, fmt.Errorf("%w: exp is missing", InvalidClientAttestation)
	case claims.NotBefore.After(c.Now.Add(skew)) || claims.Issued.After(c.Now.Add(skew)):
		return nil, fmt.Errorf("%w: it is not valid yet", InvalidClientAttestation)
	case !c.Now.Before(claims.Expires.Time):
		return nil, fmt.Errorf("%w: the attestation has expired", UseFreshAttestation)
	case c.MaxAge > 0 && (claims.Issued.IsZero() || c.Now.Sub(claims.Issued.Time) > c.MaxAge):
		return nil, fmt.Errorf("%w: the attestation is too old", UseFreshAttestation)
	}
	return &ClientAttestation{
		Issuer: claims.Issuer, ClientID: claims.Subject, Issued: claims.Issued.Time, NotBefore: claims.NotBefore.Time,
		Expires: claims.Expires.Time, Key: jwk.Key, Name: claims.Name, Link: claims.Link, Status: claims.Status,
	}, nil
}

func publicKey(raw json.RawMessage) (*jose.JSONWebKey, error) {
	m, err := strict.Object(raw, maxProof)
	if err != nil {
		return nil, err
	}
	return jws.PublicKey(m)
}

// combined takes the DPoP proof for that of the attestation: its key must be the one
// attested, its nonce one of the server's.
func (c ClientCheck) combined(jkt string) error {
	if !same(c.DPoP.Thumbprint, jkt) {
		return fmt.Errorf("%w: the DPoP proof is by another key", InvalidClientAttestation)
	}
	// A nonce that DPoP asked for was checked with the proof, and is as fresh.
	if c.Challenge != nil && c.DPoP.Nonce == "" {
		return fmt.Errorf("%w: the DPoP proof has no nonce of the server", UseAttestationChallenge)
	}
	return nil
}

// proved checks the attestation's own proof of possession.
func (c ClientCheck) proved(ctx context.Context, a *ClientAttestation, jkt string) error {
	text, err := single(c.Header, AttestationPoPHeader)
	if err != nil {
		return fmt.Errorf("%w: %w", InvalidClientAttestation, err)
	}
	tok, err := jws.Parse(text, jws.Want{Types: []string{popType}, Algorithms: algorithms(c.Algorithms)})
	if err != nil {
		return fmt.Errorf("%w: proof: %w", InvalidClientAttestation, err)
	}
	var p popClaims
	if err := tok.Claims(a.Key, &p); err != nil {
		return fmt.Errorf("%w: proof: %w", InvalidClientAttestation, err)
	}
	switch {
	case p.Issuer != "" && p.Issuer != a.ClientID:
		return fmt.Errorf("%w: proof: iss is not the client that is attested", InvalidClientAttestation)
	case !p.Audience.Is(c.Issuer):
		return fmt.Errorf("%w: proof: aud is not this server", InvalidClientAttestation)
	case !goodID(p.ID):
		return fmt.Errorf("%w: proof: jti has %d to %d visible characters", InvalidClientAttestation, minID, maxID)
	case !c.Window.Holds(c.Now, p.Issued.Time):
		return fmt.Errorf("%w: proof: iat is not about now", InvalidClientAttestation)
	case p.NotBefore.After(c.Now.Add(c.Window.filled().Future)):
		return fmt.Errorf("%w: proof: it is not valid yet", InvalidClientAttestation)
	case c.Challenge != nil && (p.Challenge == nil || len(*p.Challenge) > maxNonce || !c.Challenge(*p.Challenge)):
		return fmt.Errorf("%w: the challenge is missing or too old", UseAttestationChallenge)
	}
	return once(ctx, c.Replays, "pop", jkt, p.ID, c.Window.End(p.Issued.Time), InvalidClientAttestation)
}
