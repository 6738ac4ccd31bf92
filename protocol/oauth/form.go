package oauth

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
)

// Grant types.
const (
	GrantCode          = "authorization_code"
	GrantPreAuthorized = "urn:ietf:params:oauth:grant-type:pre-authorized_code"
	GrantRefresh       = "refresh_token"
)

// Bounds on the parameters of a request.
const (
	maxParameters = 64
	maxParameter  = 4096
	maxDetails    = 16 << 10
)

// parameters takes the values of a form that may each stand there once (RFC 6749
// §3.1): given twice, two readers could each take another. Empty ones count as absent.
func parameters(form url.Values, to map[string]*string) error {
	if len(form) > maxParameters {
		return fmt.Errorf("%w: more than %d parameters", InvalidRequest, maxParameters)
	}
	for name, v := range form {
		p, known := to[name]
		if !known {
			continue
		}
		if len(v) > 1 {
			return fmt.Errorf("%w: %s is given more than once", InvalidRequest, name)
		}
		limit := maxParameter
		if name == "authorization_details" {
			limit = maxDetails
		}
		if len(v) == 1 && len(v[0]) > limit {
			return fmt.Errorf("%w: %s is longer than %d bytes", InvalidRequest, name, limit)
		}
		if len(v) == 1 {
			*p = v[0]
		}
	}
	return nil
}

func fill(form url.Values, from map[string]*string) url.Values {
	for name, p := range from {
		if *p != "" {
			form.Set(name, *p)
		}
	}
	return form
}

// AuthorizationRequest is the request for a code: what is pushed (RFC 9126) or what the
// browser brings. After a push the browser brings ClientID and RequestURI alone.
type AuthorizationRequest struct {
	ClientID, ResponseType, RedirectURI, Scope, State string
	CodeChallenge, CodeChallengeMethod                string
	RequestURI                                        string // of a pushed request
	IssuerState                                       string // of a credential offer
	DPoPThumbprint                                    string // dpop_jkt: key that the code is bound to
	Resource, Details                                 string // Details is the JSON of authorization_details
}

func (r *AuthorizationRequest) names() map[string]*string {
	return map[string]*string{
		"client_id": &r.ClientID, "response_type": &r.ResponseType, "redirect_uri": &r.RedirectURI,
		"scope": &r.Scope, "state": &r.State, "code_challenge": &r.CodeChallenge,
		"code_challenge_method": &r.CodeChallengeMethod, "request_uri": &r.RequestURI,
		"issuer_state": &r.IssuerState, "dpop_jkt": &r.DPoPThumbprint, "resource": &r.Resource,
		"authorization_details": &r.Details,
	}
}

// ReadPush reads a pushed request: a code is asked for with a proof key, and no
// request stands in for it (RFC 9126 §2.1). The error wraps the code to answer.
func ReadPush(form url.Values) (*AuthorizationRequest, error) {
	r := new(AuthorizationRequest)
	if err := parameters(form, r.names()); err != nil {
		return nil, err
	}
	switch {
	case form.Has("request_uri") || form.Has("request"):
		return nil, fmt.Errorf("%w: a pushed request is not itself by reference", InvalidRequest)
	case r.ResponseType != "code":
		return nil, fmt.Errorf("%w: response_type must be code", UnsupportedResponseType)
	case r.RedirectURI == "":
		return nil, fmt.Errorf("%w: redirect_uri is missing", InvalidRequest)
	}
	if err := CheckChallenge(r.CodeChallenge, r.CodeChallengeMethod); err != nil {
		return nil, err
	}
	return r, nil
}

// ReadAuthorization reads what a browser brings to the authorization endpoint of a
// server that takes pushed requests alone: whose it is and which.
func ReadAuthorization(query url.Values) (*AuthorizationRequest, error) {
	r := new(AuthorizationRequest)
	if err := parameters(query, r.names()); err != nil {
		return nil, err
	}
	if r.ClientID == "" || r.RequestURI == "" {
		return nil, fmt.Errorf("%w: client_id and the request_uri of a pushed request are needed", InvalidRequest)
	}
	return r, nil
}

// Form returns the parameters to send.
func (r AuthorizationRequest) Form() url.Values { return fill(url.Values{}, r.names()) }

// PushResponse answers a pushed request, with status 201 (RFC 9126 §2.2).
type PushResponse struct {
	RequestURI string `json:"request_uri"`
	ExpiresIn  int    `json:"expires_in"` // seconds
}

// requestURN is the form of the reference to a pushed request.
const requestURN = "urn:ietf:params:oauth:request_uri:"

// NewRequestURI returns a fresh reference to a pushed request, which can't be guessed
// (RFC 9126 §7.1).
func NewRequestURI() string { return requestURN + randomText() }

// AuthorizationResponse is what the browser brings back to the client.
type AuthorizationResponse struct {
	Code, State string
	// Issuer tells which server answers, so that a client that talks with several
	// doesn't bring the code of one to another (RFC 9207).
	Issuer string
	Err    ErrorResponse // instead of a code
}

// URL adds the answer to the query of the client's address.
func (r AuthorizationResponse) URL(redirect string) (string, error) {
	u, err := url.Parse(redirect)
	if err != nil || u.Scheme == "" || strings.Contains(redirect, "#") {
		return "", fmt.Errorf("%w: redirect_uri", ErrAddress)
	}
	q := u.Query()
	description := Description(r.Err.Description)
	fill(q, map[string]*string{"code": &r.Code, "state": &r.State, "iss": &r.Issuer,
		"error": (*string)(&r.Err.Code), "error_description": &description})
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// ReadAuthorizationResponse reads what came back to the client, which must be of the
// state and server that it asked.
func ReadAuthorizationResponse(query url.Values, state, issuer string) (string, error) {
	var r AuthorizationResponse
	var got, description, code string
	err := parameters(query, map[string]*string{"code": &r.Code, "state": &got, "iss": &r.Issuer, "error": &code, "error_description": &description})
	switch {
	case err != nil:
		return "", err
	case !same(got, state):
		return "", fmt.Errorf("%w: the state is another", InvalidRequest)
	case r.Issuer != issuer:
		return "", fmt.Errorf("%w: another server answers", InvalidRequest)
	case code != "":
		return "", ErrorResponse{Code(code), Description(description)}
	case r.Code == "":
		return "", fmt.Errorf("%w: there is no code", InvalidRequest)
	}
	return r.Code, nil
}

// TokenRequest is the form posted to the token endpoint.
type TokenRequest struct {
	GrantType, ClientID, Scope, Resource string
	Details                              string // JSON of authorization_details
	Code, CodeVerifier, RedirectURI      string // of GrantCode
	PreAuthorizedCode, TxCode            string // of GrantPreAuthorized
	RefreshToken                         string // of GrantRefresh
}

func (r *TokenRequest) names() map[string]*string {
	return map[string]*string{
		"grant_type": &r.GrantType, "client_id": &r.ClientID, "scope": &r.Scope, "resource": &r.Resource,
		"authorization_details": &r.Details, "code": &r.Code, "code_verifier": &r.CodeVerifier,
		"redirect_uri": &r.RedirectURI, "pre-authorized_code": &r.PreAuthorizedCode, "tx_code": &r.TxCode,
		"refresh_token": &r.RefreshToken,
	}
}

// ReadToken reads a request for a token and checks that it has what its grant needs.
// Unknown parameters are ignored. The error wraps the code to answer.
func ReadToken(form url.Values) (*TokenRequest, error) {
	r := new(TokenRequest)
	if err := parameters(form, r.names()); err != nil {
		return nil, err
	}
	missing := ""
	switch r.GrantType {
	case GrantCode:
		if r.Code == "" {
			missing = "code"
		} else if r.CodeVerifier == "" {
			missing = "code_verifier"
		}
	case GrantPreAuthorized:
		if r.PreAuthorizedCode == "" {
			missing = "pre-authorized_code"
		}
	case GrantRefresh:
		if r.RefreshToken == "" {
			missing = "refresh_token"
		}
	case "":
		missing = "grant_type"
	default:
		return nil, fmt.Errorf("%w: the grant is not supported", UnsupportedGrantType)
	}
	if missing != "" {
		return nil, fmt.Errorf("%w: %s is missing", InvalidRequest, missing)
	}
	if r.TxCode != "" && r.GrantType != GrantPreAuthorized {
		return nil, fmt.Errorf("%w: tx_code is only for a pre-authorized code", InvalidRequest)
	}
	return r, nil
}

// Form returns the parameters to send.
func (r TokenRequest) Form() url.Values { return fill(url.Values{}, r.names()) }

// TokenResponse answers with a token. The answer is not to be stored (Cache-Control:
// no-store).
type TokenResponse struct {
	AccessToken  string          `json:"access_token"`
	TokenType    string          `json:"token_type"`           // [DPoPScheme] or [Bearer]
	ExpiresIn    int             `json:"expires_in,omitempty"` // seconds
	RefreshToken string          `json:"refresh_token,omitempty"`
	Scope        string          `json:"scope,omitempty"`
	Details      json.RawMessage `json:"authorization_details,omitempty"`
}
