package oauth

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// ErrAddress is an address that the protocols don't allow.
var ErrAddress = errors.New("the address is not allowed")

// maxAddress bounds an address, in bytes.
const maxAddress = 2048

// CheckURL checks the form of an address of an endpoint: absolute, https, a host, no
// user name, no fragment. Plain http is accepted where it can't leave the machine, on
// localhost and loopback addresses ([Loopback] tells). It says nothing of whether an
// address that a stranger names may be fetched: that is for whoever opens connections.
func CheckURL(s string) error {
	_, err := parseURL(s)
	return err
}

// CheckIssuer checks the form of the identifier of an issuer or authorization server:
// as [CheckURL], and no query (RFC 8414 §2; OpenID4VCI 1.0 §12.2.1).
func CheckIssuer(s string) error {
	u, err := parseURL(s)
	if err == nil && (u.RawQuery != "" || u.ForceQuery) {
		err = fmt.Errorf("%w: an identifier has no query", ErrAddress)
	}
	return err
}

// Loopback tells whether an address is of this very machine.
func Loopback(s string) bool {
	u, err := url.Parse(s)
	return err == nil && loopback(u)
}

func loopback(u *url.URL) bool {
	h := u.Hostname()
	ip := net.ParseIP(h)
	return h == "localhost" || ip != nil && ip.IsLoopback()
}

func parseURL(s string) (*url.URL, error) {
	if len(s) > maxAddress {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrAddress, maxAddress)
	}
	for i := range len(s) {
		if s[i] <= 0x20 || s[i] >= 0x7f {
			return nil, fmt.Errorf("%w: characters other than visible ASCII", ErrAddress)
		}
	}
	u, err := url.Parse(s)
	if err != nil {
		return nil, fmt.Errorf("%w: malformed", ErrAddress)
	}
	switch {
	case u.Scheme != "https" && (u.Scheme != "http" || !loopback(u)):
		return nil, fmt.Errorf("%w: not https", ErrAddress)
	case u.Hostname() == "" || u.Opaque != "":
		return nil, fmt.Errorf("%w: no host", ErrAddress)
	case u.User != nil:
		return nil, fmt.Errorf("%w: a user name", ErrAddress)
	case u.Fragment != "" || strings.Contains(s, "#"):
		return nil, fmt.Errorf("%w: a fragment", ErrAddress)
	}
	return u, nil
}

// WellKnown returns the address of a well-known document about an identifier: the
// name goes between host and path (RFC 8414 §3.1; OpenID4VCI 1.0 §12.2.2).
//
// The document about https://example.org/tenant by the name of
// "openid-credential-issuer" lies at
// https://example.org/.well-known/openid-credential-issuer/tenant.
func WellKnown(identifier, name string) (string, error) {
	if err := CheckIssuer(identifier); err != nil {
		return "", err
	}
	scheme, rest, _ := strings.Cut(identifier, "://")
	host, path, found := strings.Cut(rest, "/")
	if found && path != "" {
		path = "/" + path
	}
	return scheme + "://" + host + "/.well-known/" + name + path, nil
}

// target normalises the address of a request for comparing (RFC 9449 §4.3): scheme
// and host in lower case, no default port, a path, escapes in upper case and none for
// unreserved characters; query and fragment don't count. Plain http passes, since a
// server behind a proxy that ends TLS decides by its own address.
func target(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || len(s) > maxAddress || u.Opaque != "" || u.User != nil || u.Hostname() == "" {
		return "", fmt.Errorf("%w: not the address of a request", ErrAddress)
	}
	scheme, host := strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch scheme {
	case "https":
		host = strings.TrimSuffix(host, ":443")
	case "http":
		host = strings.TrimSuffix(host, ":80")
	default:
		return "", fmt.Errorf("%w: not the address of a request", ErrAddress)
	}
	path := escapes(u.EscapedPath())
	if path == "" {
		path = "/"
	}
	return scheme + "://" + strings.TrimSuffix(host, ":") + path, nil
}

// escapes writes the percent escapes of a path in their one form (RFC 3986 §6.2.2).
func escapes(path string) string {
	if !strings.Contains(path, "%") {
		return path
	}
	var b strings.Builder
	for i := 0; i < len(path); i++ {
		if path[i] != '%' || i+2 >= len(path) {
			b.WriteByte(path[i])
			continue
		}
		if c, err := url.PathUnescape(path[i : i+3]); err == nil && isToken(c, "-._~") {
			b.WriteString(c)
		} else {
			b.WriteString(strings.ToUpper(path[i : i+3]))
		}
		i += 2
	}
	return b.String()
}
