package oauth

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// Schemes of the Authorization header, which are the token types too.
const (
	Bearer = "Bearer"
	// DPoPScheme is the scheme and token type of RFC 9449.
	DPoPScheme = "DPoP"
)

// ErrNoToken is a request without an Authorization header. The challenge that answers
// it names no error (RFC 6750 §3.1).
var ErrNoToken = errors.New("the request has no access token")

// maxToken bounds an access token, in bytes.
const maxToken = 4096

// Authorization is the access token of a request.
type Authorization struct {
	Scheme string // [Bearer] or [DPoPScheme]
	Token  string
}

// ParseAuthorization reads the Authorization header of a request to a protected
// resource. The error is [ErrNoToken] or wraps [InvalidRequest]; a scheme that is
// neither Bearer nor DPoP counts as no token.
func ParseAuthorization(h http.Header) (Authorization, error) {
	v := h["Authorization"]
	if len(v) == 0 {
		return Authorization{}, ErrNoToken
	}
	if len(v) > 1 {
		return Authorization{}, fmt.Errorf("%w: several Authorization headers", InvalidRequest)
	}
	scheme, token, _ := strings.Cut(v[0], " ")
	token = strings.TrimLeft(token, " ")
	a := Authorization{Token: token}
	switch {
	case strings.EqualFold(scheme, Bearer):
		a.Scheme = Bearer
	case strings.EqualFold(scheme, DPoPScheme):
		a.Scheme = DPoPScheme
	default:
		return Authorization{}, ErrNoToken
	}
	if token == "" || len(token) > maxToken || !isToken(strings.TrimRight(token, "="), "-._~+/") {
		return Authorization{}, fmt.Errorf("%w: the access token is malformed", InvalidRequest)
	}
	return a, nil
}

// String returns the value of the header.
func (a Authorization) String() string { return a.Scheme + " " + a.Token }

// Denial is the value of a WWW-Authenticate header (RFC 6750 §3, RFC 9449 §7.1).
type Denial struct {
	Scheme      string
	Realm       string
	Scope       string
	Code        Code     // none when the request had no token
	Description string   // made fit by [Description]
	Algorithms  []string // of proofs, for DPoP
}

// String writes the value.
func (d Denial) String() string {
	var parts []string
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+"="+strconv.Quote(Description(value)))
		}
	}
	add("realm", d.Realm)
	add("scope", d.Scope)
	add("error", string(d.Code))
	add("error_description", d.Description)
	if d.Scheme == DPoPScheme {
		add("algs", strings.Join(algorithms(d.Algorithms), " "))
	}
	if len(parts) == 0 {
		return d.Scheme
	}
	return d.Scheme + " " + strings.Join(parts, ", ")
}

// Denied says how a protected resource answers an error of a token or its proof: the
// status and the value of WWW-Authenticate. Where the code is [UseDPoPNonce] the
// answer also needs a fresh [DPoPNonceHeader]. What wraps no code is the server's own
// failure, 500 without a challenge.
func Denied(err error, scheme string, algorithms []string) (status int, header string) {
	if errors.Is(err, ErrNoToken) {
		return http.StatusUnauthorized, Denial{Scheme: scheme, Algorithms: algorithms}.String()
	}
	r := Respond(err)
	switch r.Code {
	case ServerError, TemporarilyUnavailable:
		return r.Code.Status(), ""
	case InvalidRequest:
		status = http.StatusBadRequest
	case InsufficientScope:
		status = http.StatusForbidden
	default:
		status = http.StatusUnauthorized
	}
	return status, Denial{Scheme: scheme, Code: r.Code, Description: r.Description, Algorithms: algorithms}.String()
}

// Demand is what a server asks of the one who brings a token.
type Demand struct {
	DPoP bool // a proof of possession, not a bearer token
}

// Check tells whether a token came the way it must. A token that is bound to a key and
// comes as Bearer is refused: whoever stole it would bring it so (RFC 9449 §7.2).
func (d Demand) Check(a Authorization) error {
	if d.DPoP != (a.Scheme == DPoPScheme) {
		return fmt.Errorf("%w: the token came with the scheme %s", InvalidToken, a.Scheme)
	}
	return nil
}
