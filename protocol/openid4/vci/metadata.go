package vci

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"diwan/protocol/claimpath"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/jwe"
	"diwan/protocol/strict"
)

// MetadataName is the name of the well-known document with an issuer's metadata; see
// [oauth.WellKnown] for its address.
const MetadataName = "openid-credential-issuer"

// Bounds on metadata.
const (
	maxMetadata       = 1 << 20
	maxConfigurations = 1024
	maxLanguages      = 64
	maxClaims         = 512
)

// ErrMetadata is metadata that may not be used, wrapped with why.
var ErrMetadata = errors.New("the issuer's metadata can't be used")

// Metadata describes an issuer (OpenID4VCI 1.0 §12.2.4).
type Metadata struct {
	Issuer               string                   `json:"credential_issuer"`
	AuthorizationServers []string                 `json:"authorization_servers,omitempty"`
	CredentialEndpoint   string                   `json:"credential_endpoint"`
	NonceEndpoint        string                   `json:"nonce_endpoint,omitempty"`
	DeferredEndpoint     string                   `json:"deferred_credential_endpoint,omitempty"`
	NotificationEndpoint string                   `json:"notification_endpoint,omitempty"`
	RequestEncryption    *RequestEncryption       `json:"credential_request_encryption,omitempty"`
	ResponseEncryption   *ResponseEncryption      `json:"credential_response_encryption,omitempty"`
	Batch                *Batch                   `json:"batch_credential_issuance,omitempty"`
	Display              []Display                `json:"display,omitempty"`
	Configurations       map[string]Configuration `json:"credential_configurations_supported"`
}

// RequestEncryption says how requests may, or must, be encrypted.
type RequestEncryption struct {
	JWKS     jwe.Set  `json:"jwks"`
	Enc      []string `json:"enc_values_supported"`
	Zip      []string `json:"zip_values_supported,omitempty"`
	Required bool     `json:"encryption_required"`
}

// ResponseEncryption says how responses can be encrypted, or must be.
type ResponseEncryption struct {
	Alg      []string `json:"alg_values_supported"`
	Enc      []string `json:"enc_values_supported"`
	Zip      []string `json:"zip_values_supported,omitempty"`
	Required bool     `json:"encryption_required"`
}

// Batch says how many keys one request may bring, so how many copies it gets.
type Batch struct {
	Size int `json:"batch_size"` // 2 or more
}

// Display is how an issuer or a credential is shown in one language.
type Display struct {
	Name            string `json:"name,omitempty"`
	Locale          string `json:"locale,omitempty"` // BCP 47
	Description     string `json:"description,omitempty"`
	Logo            *Image `json:"logo,omitempty"`
	BackgroundImage *Image `json:"background_image,omitempty"`
	BackgroundColor string `json:"background_color,omitempty"`
	TextColor       string `json:"text_color,omitempty"`
}

// Image is a picture by its address.
type Image struct {
	URI string `json:"uri"`
	Alt string `json:"alt_text,omitempty"`
}

// Configuration describes a credential that can be had.
type Configuration struct {
	Format string `json:"format"`
	Scope  string `json:"scope,omitempty"`
	// Algorithms are names of JOSE as strings, or for mdoc numbers of COSE.
	Algorithms     []any                `json:"credential_signing_alg_values_supported,omitempty"`
	BindingMethods []string             `json:"cryptographic_binding_methods_supported,omitempty"`
	ProofTypes     map[string]ProofType `json:"proof_types_supported,omitempty"`
	Details        *Details             `json:"credential_metadata,omitempty"`
	VCT            string               `json:"vct,omitempty"`     // of dc+sd-jwt
	Doctype        string               `json:"doctype,omitempty"` // of mso_mdoc
}

// Ways in which credentials name the key they are bound to.
const (
	BindJWK  = "jwk"
	BindCOSE = "cose_key"
)

// ProofType says how a proof of a key is made.
type ProofType struct {
	Algorithms   []string             `json:"proof_signing_alg_values_supported"`
	Attestations *RequiredAttestation `json:"key_attestations_required,omitempty"`
}

// RequiredAttestation says that keys must be attested, and which levels will do: any of
// each list.
type RequiredAttestation struct {
	KeyStorage         []string `json:"key_storage,omitempty"`
	UserAuthentication []string `json:"user_authentication,omitempty"`
}

// Details is what a wallet shows of a credential.
type Details struct {
	Display []Display `json:"display,omitempty"`
	Claims  []Claim   `json:"claims,omitempty"`
}

// Claim describes a claim (OpenID4VCI 1.0 appendix B.2).
type Claim struct {
	Path      claimpath.Path `json:"path"`
	Mandatory bool           `json:"mandatory,omitempty"`
	Display   []Label        `json:"display,omitempty"`
}

// Label is a name in one language.
type Label struct {
	Name   string `json:"name,omitempty"`
	Locale string `json:"locale,omitempty"`
}

// ParseMetadata reads the metadata that was fetched for an issuer, whose identifier it
// must have, byte for byte.
func ParseMetadata(b []byte, issuer string) (*Metadata, error) {
	m := new(Metadata)
	if err := strict.Unmarshal(b, maxMetadata, m); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMetadata, err)
	}
	if m.Issuer != issuer {
		return nil, fmt.Errorf("%w: it is about another issuer", ErrMetadata)
	}
	if err := m.Check(); err != nil {
		return nil, err
	}
	return m, nil
}

// Check tells whether the metadata follows the rules.
func (m *Metadata) Check() error {
	if err := oauth.CheckIssuer(m.Issuer); err != nil {
		return fmt.Errorf("%w: credential_issuer: %w", ErrMetadata, err)
	}
	if err := oauth.CheckURL(m.CredentialEndpoint); err != nil {
		return fmt.Errorf("%w: credential_endpoint: %w", ErrMetadata, err)
	}
	for _, a := range []string{m.NonceEndpoint, m.DeferredEndpoint, m.NotificationEndpoint} {
		if a == "" {
			continue
		}
		if err := oauth.CheckURL(a); err != nil {
			return fmt.Errorf("%w: an endpoint: %w", ErrMetadata, err)
		}
	}
	if m.AuthorizationServers != nil && (len(m.AuthorizationServers) == 0 || len(m.AuthorizationServers) > maxLanguages) {
		return fmt.Errorf("%w: authorization_servers", ErrMetadata)
	}
	for _, a := range m.AuthorizationServers {
		if err := oauth.CheckIssuer(a); err != nil {
			return fmt.Errorf("%w: authorization_servers: %w", ErrMetadata, err)
		}
	}
	if m.Batch != nil && m.Batch.Size < 2 {
		return fmt.Errorf("%w: batch_size is less than 2", ErrMetadata)
	}
	if err := m.checkEncryption(); err != nil {
		return err
	}
	if err := checkDisplay(m.Display, false); err != nil {
		return err
	}
	if m.Configurations == nil || len(m.Configurations) > maxConfigurations {
		return fmt.Errorf("%w: credential_configurations_supported", ErrMetadata)
	}
	for id, c := range m.Configurations {
		if err := c.check(); err != nil {
			return fmt.Errorf("configuration %.80q: %w", id, err)
		}
	}
	return nil
}

func (m *Metadata) checkEncryption() error {
	if e := m.RequestEncryption; e != nil {
		if len(e.Enc) == 0 || len(e.JWKS.Keys) == 0 && e.Required {
			return fmt.Errorf("%w: credential_request_encryption", ErrMetadata)
		}
		for _, k := range e.JWKS.Keys {
			if k.KeyID == "" {
				return fmt.Errorf("%w: credential_request_encryption: a key without kid", ErrMetadata)
			}
		}
	}
	if e := m.ResponseEncryption; e != nil && (len(e.Alg) == 0 || len(e.Enc) == 0) {
		return fmt.Errorf("%w: credential_response_encryption", ErrMetadata)
	}
	return nil
}

// checkDisplay checks that each language stands once.
func checkDisplay(list []Display, named bool) error {
	if len(list) > maxLanguages {
		return fmt.Errorf("%w: display has more than %d languages", ErrMetadata, maxLanguages)
	}
	seen := map[string]bool{}
	for _, d := range list {
		l := strings.ToLower(d.Locale)
		if seen[l] || named && d.Name == "" {
			return fmt.Errorf("%w: display: a language twice, or without a name", ErrMetadata)
		}
		seen[l] = true
		for _, i := range []*Image{d.Logo, d.BackgroundImage} {
			if i != nil && i.URI == "" {
				return fmt.Errorf("%w: display: a picture without an address", ErrMetadata)
			}
		}
	}
	return nil
}

func (c Configuration) check() error {
	switch {
	case c.Format == "":
		return fmt.Errorf("%w: format is missing", ErrMetadata)
	case c.Format == openid4.SDJWT && c.VCT == "":
		return fmt.Errorf("%w: vct is missing", ErrMetadata)
	case c.Format == openid4.MDoc && c.Doctype == "":
		return fmt.Errorf("%w: doctype is missing", ErrMetadata)
	case len(c.ProofTypes) > 0 && len(c.BindingMethods) == 0:
		return fmt.Errorf("%w: proofs without a binding method", ErrMetadata)
	}
	for name, p := range c.ProofTypes {
		if len(p.Algorithms) == 0 {
			return fmt.Errorf("%w: proof type %.80q without algorithms", ErrMetadata, name)
		}
	}
	if c.Details == nil {
		return nil
	}
	if len(c.Details.Claims) > maxClaims {
		return fmt.Errorf("%w: more than %d claims", ErrMetadata, maxClaims)
	}
	for _, claim := range c.Details.Claims {
		if err := claim.Path.Valid(); err != nil {
			return fmt.Errorf("%w: claims: %w", ErrMetadata, err)
		}
		if len(claim.Display) > maxLanguages {
			return fmt.Errorf("%w: a claim has more than %d languages", ErrMetadata, maxLanguages)
		}
	}
	return checkDisplay(c.Details.Display, true)
}

// Bound tells whether the credential is bound to a key, so that requests need a proof.
func (c Configuration) Bound() bool { return len(c.ProofTypes) > 0 }

// BatchSize returns how many keys a request may bring.
func (m *Metadata) BatchSize() int {
	if m.Batch == nil {
		return 1
	}
	return m.Batch.Size
}

// Server returns the authorization server to use. A hint of an offer chooses among
// several, and may not name any other (OpenID4VCI 1.0 §4.1.1, §12.2.4).
func (m *Metadata) Server(hint string) (string, error) {
	switch {
	case len(m.AuthorizationServers) == 0 && hint == "":
		return m.Issuer, nil
	case hint == "":
		return m.AuthorizationServers[0], nil
	case slices.Contains(m.AuthorizationServers, hint):
		return hint, nil
	}
	return "", fmt.Errorf("%w: the offer names an authorization server that the issuer doesn't", ErrMetadata)
}

// members returns the metadata as top-level claims.
func (m *Metadata) members() (map[string]any, error) {
	b, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return strict.Object(b, maxMetadata)
}
