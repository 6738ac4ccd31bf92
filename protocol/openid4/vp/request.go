package vp

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/protocol/jws"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/dcql"
	"diwan/protocol/openid4/jwe"
	"diwan/protocol/strict"
)

// Response modes.
const (
	DirectPost    = "direct_post"
	DirectPostJWT = "direct_post.jwt" // encrypted
)

// Static is the audience of a request to whatever wallet opens it (OpenID4VP 1.0 §5.8).
const Static = "https://self-issued.me/v2"

const (
	requestType  = "oauth-authz-req+jwt"
	responseType = "vp_token"
	maxText      = 1024
	minNonce     = 22 // 128 bits in base64url
	maxInfo      = 16
)

// Request asks a wallet for presentations (OpenID4VP 1.0 §5).
type Request struct {
	ClientID     string
	Mode         string // [DirectPost] or [DirectPostJWT]
	ResponseURI  string
	Nonce        string
	State        string // comes back with the answer; not a secret of the verifier
	WalletNonce  string
	Query        *dcql.Query
	Metadata     *ClientMetadata
	Transactions []string // transaction_data, each as it goes over the wire
	Info         []VerifierInfo
	Issued       time.Time
	Expires      time.Time // optional
}

// InfoJWT is the format of what is said of a verifier as a signed JWT.
const InfoJWT = "jwt"

// VerifierInfo is what others say of the verifier (§5.11).
type VerifierInfo struct {
	Format        string          `json:"format"`
	Data          json.RawMessage `json:"data"`
	CredentialIDs []string        `json:"credential_ids,omitempty"`
}

// wire are the claims of a signed request. Members that may not be there are pointers.
type wire struct {
	ClientID     string          `json:"client_id"`
	Audience     oauth.Audience  `json:"aud,omitempty"`
	ResponseType string          `json:"response_type"`
	Mode         string          `json:"response_mode"`
	ResponseURI  string          `json:"response_uri"`
	RedirectURI  *string         `json:"redirect_uri,omitempty"`
	Nonce        string          `json:"nonce"`
	State        string          `json:"state,omitempty"`
	WalletNonce  string          `json:"wallet_nonce,omitempty"`
	Scope        *string         `json:"scope,omitempty"`
	Query        json.RawMessage `json:"dcql_query,omitempty"`
	Metadata     *ClientMetadata `json:"client_metadata,omitempty"`
	Transactions *[]string       `json:"transaction_data,omitempty"`
	Info         []VerifierInfo  `json:"verifier_info,omitempty"`
	Issued       oauth.Date      `json:"iat,omitzero"`
	Expires      oauth.Date      `json:"exp,omitzero"`
}

// NewNonce returns 256 random bits for a nonce, a state or a name of a transaction: 43
// characters that may stand in an address.
func NewNonce() string {
	var b [32]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Sign makes the request object, of media type [RequestType]. The chain is the
// verifier's certificate and what leads to the anchor, without it; the client
// identifier must be the one that the certificate proves.
func (r *Request) Sign(key crypto.Signer, chain []*x509.Certificate) (string, error) {
	id, err := ParseClientID(r.ClientID, []string{X509Hash, X509SANDNS})
	if err != nil {
		return "", fmt.Errorf("signing a request: %w", err)
	}
	if err := openid4.CheckChain(chain); err != nil {
		return "", fmt.Errorf("signing a request: %w", err)
	}
	if err := id.Proved(chain[0], r.ResponseURI); err != nil {
		return "", fmt.Errorf("signing a request: %w", err)
	}
	if len(r.Nonce) < minNonce || r.Issued.IsZero() {
		return "", fmt.Errorf("signing a request: it needs a date and a nonce of 128 bits or more")
	}
	w, err := r.wire()
	if err != nil {
		return "", fmt.Errorf("signing a request: %w", err)
	}
	if _, err := w.read(); err != nil {
		return "", fmt.Errorf("signing a request: %w", err)
	}
	return jws.SignClaims(key, jws.Header{Typ: requestType, X5C: chain}, w)
}

func (r *Request) wire() (*wire, error) {
	w := &wire{
		ClientID: r.ClientID, Audience: oauth.Audience{Static}, ResponseType: responseType, Mode: r.Mode,
		ResponseURI: r.ResponseURI, Nonce: r.Nonce, State: r.State, WalletNonce: r.WalletNonce,
		Metadata: r.Metadata, Info: r.Info, Issued: oauth.At(r.Issued), Expires: oauth.At(r.Expires),
	}
	if r.Transactions != nil {
		w.Transactions = &r.Transactions
	}
	var err error
	w.Query, err = json.Marshal(r.Query)
	return w, err
}

// read checks a request's members and takes them over. With an error that comes after
// the address of the answer was found good, the request is returned too, so that its
// verifier can be told.
func (w *wire) read() (*Request, error) {
	r := &Request{
		ClientID: w.ClientID, Mode: w.Mode, ResponseURI: w.ResponseURI, Nonce: w.Nonce, State: w.State,
		WalletNonce: w.WalletNonce, Metadata: w.Metadata, Info: w.Info, Issued: w.Issued.Time, Expires: w.Expires.Time,
	}
	if err := oauth.CheckURL(w.ResponseURI); err != nil {
		return nil, fmt.Errorf("%w: response_uri: %w", oauth.InvalidRequest, err)
	}
	switch {
	case w.RedirectURI != nil:
		return nil, fmt.Errorf("%w: redirect_uri beside response_uri", oauth.InvalidRequest)
	case w.Mode != DirectPost && w.Mode != DirectPostJWT:
		return nil, fmt.Errorf("%w: response_mode is not supported", oauth.InvalidRequest)
	case !urlSafe(w.State) || len(w.State) > maxText:
		return nil, fmt.Errorf("%w: state", oauth.InvalidRequest)
	case w.ResponseType != responseType:
		return r, fmt.Errorf("%w: response_type must be vp_token", oauth.UnsupportedResponseType)
	case w.Nonce == "" || !urlSafe(w.Nonce) || len(w.Nonce) > maxText:
		return r, fmt.Errorf("%w: nonce", oauth.InvalidRequest)
	case w.Scope != nil && w.Query != nil, w.Query == nil && w.Scope == nil:
		return r, fmt.Errorf("%w: want one of dcql_query and scope", oauth.InvalidRequest)
	case w.Scope != nil:
		return r, fmt.Errorf("%w: no scope stands for a query here", oauth.InvalidScope)
	}
	var err error
	if r.Query, err = dcql.Parse(w.Query); err != nil {
		return r, fmt.Errorf("%w: dcql_query: %w", oauth.InvalidRequest, err)
	}
	return r, w.rest(r)
}

func (w *wire) rest(r *Request) error {
	if w.Transactions != nil {
		r.Transactions = *w.Transactions
		if r.Transactions == nil {
			r.Transactions = []string{}
		}
		if _, err := ParseTransactions(r.Transactions, r.Query); err != nil {
			return err
		}
	}
	if len(r.Info) > maxInfo {
		return fmt.Errorf("%w: verifier_info", oauth.InvalidRequest)
	}
	// Without a proof of the holder's key the answer has no nonce: the state is then
	// all that ties it to the request (§5.3).
	unbound := slices.ContainsFunc(r.Query.Credentials, func(c dcql.Credential) bool { return !c.Bound() })
	if unbound && len(r.State) < minNonce {
		return fmt.Errorf("%w: state is needed, as a credential is asked for without its holder", oauth.InvalidRequest)
	}
	if r.Mode == DirectPostJWT {
		if _, _, err := r.encryption(); err != nil {
			return fmt.Errorf("%w: client_metadata: %w", oauth.InvalidRequest, err)
		}
	}
	return nil
}

// encryption chooses the key and algorithm to encrypt the answer with.
func (r *Request) encryption() (*jose.JSONWebKey, string, error) {
	if r.Metadata == nil || r.Metadata.JWKS == nil {
		return nil, "", fmt.Errorf("%w: the request has none", jwe.ErrKey)
	}
	k, err := r.Metadata.JWKS.Choose()
	if err != nil {
		return nil, "", err
	}
	enc, err := jwe.Select(r.Metadata.Enc)
	return k, enc, err
}

// EncryptionKey returns the key to which the answer will be encrypted, nil when it is
// to come in the clear: the session transcript of an mdoc names it.
func (r *Request) EncryptionKey() *jose.JSONWebKey {
	if r.Mode != DirectPostJWT {
		return nil
	}
	k, _, err := r.encryption()
	if err != nil {
		return nil
	}
	return k
}

// urlSafe tells whether a text has only characters that may stand anywhere in an
// address (RFC 3986 §2.3).
func urlSafe(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '.' && c != '_' && c != '~' {
			return false
		}
	}
	return true
}

// decode reads the claims of a signed request.
func decode(b []byte) (*wire, error) {
	w := new(wire)
	if err := strict.Unmarshal(b, jws.MaxBytes, w); err != nil {
		return nil, fmt.Errorf("%w: %w", oauth.InvalidRequest, err)
	}
	if string(w.Query) == "null" {
		w.Query = nil
	}
	return w, nil
}
