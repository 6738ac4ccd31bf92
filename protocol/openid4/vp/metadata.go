package vp

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"diwan/protocol/oauth"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/jwe"
	"diwan/protocol/strict"
)

// ClientMetadata is what a verifier says of itself in a request (OpenID4VP 1.0 §5.1,
// §11.1).
type ClientMetadata struct {
	JWKS *jwe.Set `json:"jwks,omitempty"`
	// Enc lists content encryptions of answers; none means A128GCM.
	Enc     []string `json:"encrypted_response_enc_values_supported,omitempty"`
	Formats Formats  `json:"vp_formats_supported"`
}

// Formats lists formats of credentials, each with the algorithms of its signatures;
// those that are not known here are kept as they are.
type Formats map[string]json.RawMessage

// Algorithms of one format. Without a list any will do.
type Algorithms struct {
	SDJWT      []string `json:"sd-jwt_alg_values,omitempty"`
	KeyBinding []string `json:"kb-jwt_alg_values,omitempty"`
	IssuerAuth []int    `json:"issuerauth_alg_values,omitempty"` // COSE
	DeviceAuth []int    `json:"deviceauth_alg_values,omitempty"`
}

// DefaultFormats are those of HAIP 1.0: both formats, with ES256.
func DefaultFormats() Formats {
	return Formats{
		openid4.SDJWT: json.RawMessage(`{"sd-jwt_alg_values":["ES256"],"kb-jwt_alg_values":["ES256"]}`),
		openid4.MDoc:  json.RawMessage(`{"issuerauth_alg_values":[-7],"deviceauth_alg_values":[-7]}`),
	}
}

// Of returns the algorithms of a format, or false when it is not supported.
func (f Formats) Of(format string) (Algorithms, bool) {
	raw, ok := f[format]
	if !ok {
		return Algorithms{}, false
	}
	var a Algorithms
	if err := strict.Unmarshal(raw, 16<<10, &a); err != nil {
		return Algorithms{}, false
	}
	return a, true
}

// MetadataFor is what a verifier sends for a key made for one request, to which the
// answer is encrypted. Without a key, answers come in the clear.
func MetadataFor(k *jwe.Key) *ClientMetadata {
	m := &ClientMetadata{Formats: DefaultFormats()}
	if k != nil {
		m.JWKS = &jwe.Set{}
		m.JWKS.Keys = append(m.JWKS.Keys, k.Public())
		m.Enc = jwe.Encryptions()
	}
	return m
}

// WalletMetadata is what a wallet says of itself (§10.1).
type WalletMetadata struct {
	Issuer            string   `json:"issuer,omitempty"`
	Formats           Formats  `json:"vp_formats_supported,omitempty"`
	Prefixes          []string `json:"client_id_prefixes_supported,omitempty"`
	RequestAlgorithms []string `json:"request_object_signing_alg_values_supported,omitempty"`
	EncryptionAlg     []string `json:"authorization_encryption_alg_values_supported,omitempty"`
	EncryptionEnc     []string `json:"authorization_encryption_enc_values_supported,omitempty"`
	ResponseTypes     []string `json:"response_types_supported,omitempty"`
	ResponseModes     []string `json:"response_modes_supported,omitempty"`
}

// Fetch is what a wallet posts to get a request (§5.10).
type Fetch struct {
	Wallet *WalletMetadata // optional
	Nonce  string          // optional; comes back in the request, which so was made just now
}

// maxWalletNonce bounds what a verifier repeats.
const maxWalletNonce = 512

// Form returns the parameters to post.
func (f Fetch) Form() (url.Values, error) {
	v := url.Values{}
	if f.Nonce != "" {
		v.Set("wallet_nonce", f.Nonce)
	}
	if f.Wallet != nil {
		b, err := json.Marshal(f.Wallet)
		if err != nil {
			return nil, fmt.Errorf("writing wallet metadata: %w", err)
		}
		v.Set("wallet_metadata", string(b))
	}
	return v, nil
}

// ParseFetch reads what a wallet posted. Errors wrap [oauth.InvalidRequest].
func ParseFetch(form url.Values) (*Fetch, error) {
	f := new(Fetch)
	nonce, err := once(form, "wallet_nonce")
	if err != nil {
		return nil, err
	}
	if len(nonce) > maxWalletNonce {
		return nil, fmt.Errorf("%w: wallet_nonce is too long", oauth.InvalidRequest)
	}
	f.Nonce = nonce
	text, err := once(form, "wallet_metadata")
	if err != nil {
		return nil, err
	}
	if text == "" {
		return f, nil
	}
	f.Wallet = new(WalletMetadata)
	if err := strict.Unmarshal([]byte(text), 64<<10, f.Wallet); err != nil {
		return nil, fmt.Errorf("%w: wallet_metadata: %w", oauth.InvalidRequest, err)
	}
	return f, nil
}

// once returns the value of a parameter that may stand there once, or "".
func once(form url.Values, name string) (string, error) {
	v := form[name]
	if len(v) > 1 {
		return "", fmt.Errorf("%w: %s is given more than once", oauth.InvalidRequest, name)
	}
	if len(v) == 0 {
		return "", nil
	}
	return v[0], nil
}

// ErrWallet means that a wallet can't answer the request a verifier has for it.
var ErrWallet = errors.New("the wallet does not support the request")

// Accepts tells whether a wallet that said what it supports can answer a request: one
// of its formats, the kind of the verifier's name.
func (w WalletMetadata) Accepts(formats []string, prefix string) error {
	if w.Formats != nil && !slices.ContainsFunc(formats, func(f string) bool { _, ok := w.Formats[f]; return ok }) {
		return fmt.Errorf("%w: none of the formats", ErrWallet)
	}
	if prefix == Registered {
		prefix = "pre-registered"
	}
	if w.Prefixes != nil && !slices.Contains(w.Prefixes, prefix) {
		return fmt.Errorf("%w: the prefix of the client identifier", ErrWallet)
	}
	return nil
}
