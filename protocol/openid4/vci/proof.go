package vci

import (
	"crypto"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/protocol/jws"
	"diwan/protocol/oauth"
)

const (
	proofType  = "openid4vci-proof+jwt"
	maxProof   = 64 << 10
	maxNonce   = 1024
	headerName = "key_attestation"
)

// Proof is a proof to make: that a wallet holds the key which a credential is to be
// bound to (OpenID4VCI 1.0 appendix F.1).
type Proof struct {
	Key      crypto.Signer
	Issuer   string // credential issuer identifier
	ClientID string // empty when the token was got anonymously
	Nonce    string // c_nonce; empty when the issuer has no nonce endpoint
	Now      time.Time
	// Attestation is a key attestation that has this key among others, or empty.
	Attestation string
}

type proofClaims struct {
	Issuer   *string    `json:"iss,omitempty"`
	Audience any        `json:"aud"`
	Issued   oauth.Date `json:"iat,omitzero"`
	Nonce    *string    `json:"nonce,omitempty"`
}

// Sign makes the proof.
func (p Proof) Sign() (string, error) {
	h := jws.Header{Typ: proofType, JWK: &jose.JSONWebKey{Key: p.Key.Public()}}
	if p.Attestation != "" {
		h.More = map[string]any{headerName: p.Attestation}
	}
	c := proofClaims{Audience: p.Issuer, Issued: oauth.At(p.Now)}
	if p.ClientID != "" {
		c.Issuer = &p.ClientID
	}
	if p.Nonce != "" {
		c.Nonce = &p.Nonce
	}
	return jws.SignClaims(p.Key, h, c)
}

// ProofCheck is what the proofs of a request are checked against.
type ProofCheck struct {
	Issuer string // credential issuer identifier
	// ClientID is the client that got the token; empty when it was got anonymously,
	// and proofs may then name none.
	ClientID   string
	Algorithms []string // of proofs and attestations; empty: ES256
	Now        time.Time
	Window     oauth.Window
	// Nonce tells whether a nonce is one of the issuer's that lives; nil when it has
	// no nonce endpoint.
	Nonce func(string) bool
	// Key finds the key of a proof whose header names it by kid or carries a
	// certificate; nil refuses these. An attested key is found without it.
	Key func(h jws.Header) (crypto.PublicKey, error)
	// Attestation says whose word on keys is taken; nil: nobody's, and what is said
	// is not looked at.
	Attestation *AttestationPolicy
	// BatchSize is the most keys that credentials are issued for; 0 means one.
	BatchSize int
}

// ProvedKey is a key to bind a credential to.
type ProvedKey struct {
	Key        crypto.PublicKey
	Thumbprint string // RFC 7638
	// Attestation is what vouches for the key, or nil.
	Attestation *KeyAttestation
}

// Verify checks all proofs of a request and returns the keys to bind credentials to,
// each once, in the order given: those that signed, and those that were attested with
// them. Errors wrap [InvalidProof], or [InvalidNonce] when a proof is good but for a
// nonce that is stale or foreign.
func (c ProofCheck) Verify(p Proofs) ([]ProvedKey, error) {
	if len(p.Values) == 0 || len(p.Values) > max(1, c.BatchSize) {
		return nil, fmt.Errorf("%w: %d proofs, want 1 to %d", InvalidProof, len(p.Values), max(1, c.BatchSize))
	}
	var keys []ProvedKey
	var err error
	switch p.Type {
	case ProofJWT:
		keys, err = c.signed(p.Values)
	case ProofAttestation:
		keys, err = c.attested(p.Values)
	default:
		err = fmt.Errorf("%w: the proof type %.80q is not supported", InvalidProof, p.Type)
	}
	if err != nil {
		return nil, err
	}
	if len(keys) > max(1, c.BatchSize) {
		return nil, fmt.Errorf("%w: %d keys, at most %d", InvalidProof, len(keys), max(1, c.BatchSize))
	}
	return keys, nil
}

// signed checks proofs of type jwt. A key that signed two of them is refused: each copy
// is to have its own, so that verifiers can't tell that they belong together.
func (c ProofCheck) signed(list []string) ([]ProvedKey, error) {
	var keys []ProvedKey
	var stale error
	for i, text := range list {
		k, err := c.one(text)
		if err != nil && oauth.CodeOf(err) != InvalidNonce {
			return nil, fmt.Errorf("proof %d: %w", i, err)
		}
		if err != nil {
			stale = err
			continue
		}
		if slices.ContainsFunc(keys, k.same) {
			return nil, fmt.Errorf("%w: a key stands twice", InvalidProof)
		}
		keys = append(keys, *k)
	}
	if stale != nil {
		return nil, stale
	}
	for _, k := range slices.Clone(keys) {
		if k.Attestation == nil {
			continue
		}
		for _, other := range k.Attestation.proved() {
			if !slices.ContainsFunc(keys, other.same) {
				keys = append(keys, other)
			}
		}
	}
	return keys, nil
}

func (k ProvedKey) same(o ProvedKey) bool { return k.Thumbprint == o.Thumbprint }

// one checks one proof.
func (c ProofCheck) one(text string) (*ProvedKey, error) {
	if len(text) > maxProof {
		return nil, fmt.Errorf("%w: longer than %d bytes", InvalidProof, maxProof)
	}
	tok, err := jws.Parse(text, jws.Want{Types: []string{proofType}, Algorithms: algorithms(c.Algorithms)})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", InvalidProof, err)
	}
	// A chain may carry its key's name elsewhere, but not in a proof (appendix F.1).
	if tok.Header.Kid != "" && tok.Header.X5C != nil {
		return nil, fmt.Errorf("%w: the header names its key more than once", InvalidProof)
	}
	a, stale, err := c.vouched(tok.Header)
	if err != nil {
		return nil, err
	}
	key, err := c.keyOf(tok.Header, a)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", InvalidProof, err)
	}
	var claims proofClaims
	if err := tok.Claims(key, &claims); err != nil {
		return nil, fmt.Errorf("%w: %w", InvalidProof, err)
	}
	jkt, err := jws.Thumbprint(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", InvalidProof, err)
	}
	k := &ProvedKey{Key: key, Thumbprint: jkt, Attestation: a}
	if a != nil && !slices.ContainsFunc(a.proved(), k.same) {
		return nil, fmt.Errorf("%w: the key is not one of those attested", InvalidProof)
	}
	if err := c.claims(claims); err != nil {
		return nil, err
	}
	if stale != nil {
		return nil, stale
	}
	return k, nil
}

// vouched reads the attestation in a proof's header. A nonce of it that is stale is
// told apart, to be answered only when nothing worse is wrong.
func (c ProofCheck) vouched(h jws.Header) (a *KeyAttestation, stale, err error) {
	v, there := h.More[headerName]
	switch {
	case c.Attestation == nil:
		return nil, nil, nil
	case !there && c.Attestation.Required:
		return nil, nil, fmt.Errorf("%w: the key must be attested", InvalidProof)
	case !there:
		return nil, nil, nil
	}
	text, ok := v.(string)
	if !ok {
		return nil, nil, fmt.Errorf("%w: %s is not a text", InvalidProof, headerName)
	}
	a, err = c.attestation(text, true)
	if err != nil && oauth.CodeOf(err) == InvalidNonce {
		return a, err, nil
	}
	return a, nil, err
}

// keyOf finds the key of a proof: in its header, among those attested with it, or with
// the caller.
func (c ProofCheck) keyOf(h jws.Header, a *KeyAttestation) (crypto.PublicKey, error) {
	if h.JWK != nil {
		return h.JWK.Key, nil
	}
	if h.Kid != "" && a != nil {
		for _, k := range a.Keys {
			if k.KeyID == h.Kid {
				return k.Key, nil
			}
		}
	}
	if c.Key == nil || h.Kid == "" && h.X5C == nil {
		return nil, fmt.Errorf("the header has no key that is known")
	}
	return c.Key(h)
}

// claims checks for whom, by whom and when a proof was made, its nonce last.
func (c ProofCheck) claims(p proofClaims) error {
	switch {
	case p.Audience != c.Issuer:
		return fmt.Errorf("%w: aud is not this issuer", InvalidProof)
	case p.Issuer != nil && c.ClientID == "":
		return fmt.Errorf("%w: iss in a proof for a token that was got anonymously", InvalidProof)
	case p.Issuer != nil && *p.Issuer != c.ClientID:
		return fmt.Errorf("%w: iss is not the client that got the token", InvalidProof)
	case !c.Window.Holds(c.Now, p.Issued.Time):
		return fmt.Errorf("%w: iat is not about now", InvalidProof)
	}
	return c.fresh(p.Nonce)
}

// fresh checks a nonce: a missing one is a fault of the proof, a stale one tells the
// wallet to fetch another.
func (c ProofCheck) fresh(nonce *string) error {
	switch {
	case c.Nonce == nil:
		return nil
	case nonce == nil || *nonce == "":
		return fmt.Errorf("%w: nonce is missing", InvalidProof)
	case len(*nonce) > maxNonce || !c.Nonce(*nonce):
		return fmt.Errorf("%w: the nonce is not one that lives", InvalidNonce)
	}
	return nil
}
