package oauth

import (
	"errors"
	"fmt"
	"slices"

	"diwan/protocol/strict"
)

// MetadataName is the name of the well-known document with a server's metadata.
const MetadataName = "oauth-authorization-server"

// ErrMetadata is a document of metadata that may not be used.
var ErrMetadata = errors.New("the metadata can't be used")

// Bounds on answers that a client reads.
const (
	maxMetadata = 256 << 10
	maxAnswer   = 64 << 10
)

// Metadata describes an authorization server (RFC 8414 §2, with members of RFC 9126,
// 9207, 9396, 9449, OpenID4VCI 1.0 §12.3, the attestation draft §11.1 and the status
// list draft).
type Metadata struct {
	Issuer                string   `json:"issuer"`
	AuthorizationEndpoint string   `json:"authorization_endpoint,omitempty"`
	TokenEndpoint         string   `json:"token_endpoint"`
	PushEndpoint          string   `json:"pushed_authorization_request_endpoint,omitempty"`
	RequirePush           bool     `json:"require_pushed_authorization_requests,omitempty"`
	ChallengeEndpoint     string   `json:"challenge_endpoint,omitempty"`
	JWKS                  string   `json:"jwks_uri,omitempty"`
	Scopes                []string `json:"scopes_supported,omitempty"`
	ResponseTypes         []string `json:"response_types_supported,omitempty"`
	ResponseModes         []string `json:"response_modes_supported,omitempty"`
	GrantTypes            []string `json:"grant_types_supported,omitempty"`
	ChallengeMethods      []string `json:"code_challenge_methods_supported,omitempty"`
	AuthMethods           []string `json:"token_endpoint_auth_methods_supported,omitempty"`
	DPoPAlgorithms        []string `json:"dpop_signing_alg_values_supported,omitempty"`
	AttestationAlgorithms []string `json:"client_attestation_signing_alg_values_supported,omitempty"`
	PoPAlgorithms         []string `json:"client_attestation_pop_signing_alg_values_supported,omitempty"`
	DetailsTypes          []string `json:"authorization_details_types_supported,omitempty"`
	Locales               []string `json:"ui_locales_supported,omitempty"`
	// ResponseIssuer promises iss in the answer that the browser brings (RFC 9207).
	ResponseIssuer bool `json:"authorization_response_iss_parameter_supported,omitempty"`
	// AnonymousPreAuthorized says that a pre-authorized code may be redeemed without
	// saying by which client.
	AnonymousPreAuthorized bool   `json:"pre-authorized_grant_anonymous_access_supported,omitempty"`
	StatusListAggregation  string `json:"status_list_aggregation_endpoint,omitempty"`
	Documentation          string `json:"service_documentation,omitempty"`
}

// ParseMetadata reads the metadata that was fetched for an issuer. It must name that
// very issuer (RFC 8414 §3.3), and its endpoints must be well formed.
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

// Check tells whether the metadata is complete and its addresses are well formed.
func (m Metadata) Check() error {
	if err := CheckIssuer(m.Issuer); err != nil {
		return fmt.Errorf("%w: issuer: %w", ErrMetadata, err)
	}
	for name, a := range map[string]string{
		"authorization_endpoint": m.AuthorizationEndpoint, "token_endpoint": m.TokenEndpoint, "jwks_uri": m.JWKS,
		"pushed_authorization_request_endpoint": m.PushEndpoint, "challenge_endpoint": m.ChallengeEndpoint,
	} {
		if a == "" && name != "token_endpoint" {
			continue
		}
		if err := CheckURL(a); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrMetadata, name, err)
		}
	}
	return nil
}

// Supports tells whether the server grants tokens by a grant. Without a list it does so
// by a code (RFC 8414 §2).
func (m Metadata) Supports(grant string) bool {
	if m.GrantTypes == nil {
		return grant == GrantCode
	}
	return slices.Contains(m.GrantTypes, grant)
}

// ParseTokenResponse reads an answer with status 200 of the token endpoint.
func ParseTokenResponse(b []byte) (*TokenResponse, error) {
	r := new(TokenResponse)
	if err := strict.Unmarshal(b, maxAnswer, r); err != nil {
		return nil, fmt.Errorf("reading a token response: %w", err)
	}
	if r.AccessToken == "" || r.TokenType == "" {
		return nil, errors.New("reading a token response: it has no token")
	}
	if len(r.AccessToken) > maxToken || r.ExpiresIn < 0 {
		return nil, errors.New("reading a token response: the token is too long or never valid")
	}
	return r, nil
}

// ParsePushResponse reads an answer with status 201 of the endpoint for pushed
// requests.
func ParsePushResponse(b []byte) (*PushResponse, error) {
	r := new(PushResponse)
	if err := strict.Unmarshal(b, maxAnswer, r); err != nil {
		return nil, fmt.Errorf("reading the answer to a pushed request: %w", err)
	}
	if r.RequestURI == "" || r.ExpiresIn <= 0 {
		return nil, errors.New("reading the answer to a pushed request: it has no reference")
	}
	return r, nil
}

// ParseError reads the body of an answer that refuses. What can't be read is
// [ServerError] with no more said.
func ParseError(b []byte) ErrorResponse {
	var r ErrorResponse
	if err := strict.Unmarshal(b, maxAnswer, &r); err != nil || r.Code == "" || len(r.Code) > 128 {
		return ErrorResponse{Code: ServerError}
	}
	r.Code = Code(Description(string(r.Code)))
	r.Description = Description(r.Description)
	return r
}
