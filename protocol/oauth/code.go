package oauth

import (
	"errors"
	"net/http"
	"strings"
)

// Code is an error as a protocol names it on the wire. It is itself an error, so that
// errors.Is(err, oauth.InvalidGrant) asks for what a peer will be told.
type Code string

// Codes of RFC 6749 §4.1.2.1 and §5.2, RFC 6750 §3.1, RFC 9449 §5 and §8, RFC 9396 §5,
// and of attestation-based client authentication §5.2.
const (
	InvalidRequest              Code = "invalid_request"
	InvalidClient               Code = "invalid_client"
	InvalidGrant                Code = "invalid_grant"
	UnauthorizedClient          Code = "unauthorized_client"
	UnsupportedGrantType        Code = "unsupported_grant_type"
	UnsupportedResponseType     Code = "unsupported_response_type"
	InvalidScope                Code = "invalid_scope"
	AccessDenied                Code = "access_denied"
	ServerError                 Code = "server_error"
	TemporarilyUnavailable      Code = "temporarily_unavailable"
	InvalidToken                Code = "invalid_token"
	InsufficientScope           Code = "insufficient_scope"
	InvalidDPoPProof            Code = "invalid_dpop_proof"
	UseDPoPNonce                Code = "use_dpop_nonce"
	InvalidAuthorizationDetails Code = "invalid_authorization_details"
	InvalidClientAttestation    Code = "invalid_client_attestation"
	UseAttestationChallenge     Code = "use_attestation_challenge"
	UseFreshAttestation         Code = "use_fresh_attestation"
)

// Error makes a code an error.
func (c Code) Error() string { return string(c) }

// Status returns the HTTP status with which an authorization server answers a code in
// a JSON body. A resource server answers 401 to what concerns a token or its proof of
// possession; see [Denied].
func (c Code) Status() int {
	switch c {
	case InvalidClient, InvalidClientAttestation, InvalidToken:
		return http.StatusUnauthorized
	case InsufficientScope:
		return http.StatusForbidden
	case ServerError:
		return http.StatusInternalServerError
	case TemporarilyUnavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusBadRequest
}

// CodeOf returns the code that an error wraps, or "".
func CodeOf(err error) Code {
	var c Code
	if errors.As(err, &c) {
		return c
	}
	return ""
}

// ErrorResponse is the JSON body of an error (RFC 6749 §5.2).
type ErrorResponse struct {
	Code        Code   `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// Error makes an answer that was read an error of its code.
func (r ErrorResponse) Error() string {
	if r.Description == "" {
		return string(r.Code)
	}
	return string(r.Code) + ": " + r.Description
}

// Unwrap returns the code.
func (r ErrorResponse) Unwrap() error { return r.Code }

// Respond makes the answer to an error. What wraps no code answers [ServerError]
// without words: it is about the server, and none of the client's business.
func Respond(err error) ErrorResponse {
	var r ErrorResponse
	if errors.As(err, &r) {
		return ErrorResponse{r.Code, Description(r.Description)}
	}
	c := CodeOf(err)
	if c == "" {
		return ErrorResponse{Code: ServerError}
	}
	return ErrorResponse{c, Description(strings.TrimPrefix(strings.TrimPrefix(err.Error(), string(c)), ": "))}
}

// maxDescription bounds what an error repeats of what a stranger sent.
const maxDescription = 200

// Description makes a text fit for error_description: printable ASCII without the
// quotation mark and the backslash (RFC 6749 §5.2), of bounded length.
func Description(s string) string {
	b := make([]byte, 0, min(len(s), maxDescription))
	for _, r := range s {
		if len(b) == maxDescription {
			break
		}
		switch {
		case r == '"':
			b = append(b, '\'')
		case r < 0x20 || r > 0x7e || r == '\\':
			b = append(b, '?')
		default:
			b = append(b, byte(r))
		}
	}
	return string(b)
}
