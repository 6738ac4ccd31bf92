package xroad

import (
	"fmt"
	"strings"
)

// MaxTarget is the longest request target that is read, in bytes.
const MaxTarget = 16 << 10

// Target is the target of a request at the edge, taken apart without changing a
// byte of what is passed on.
type Target struct {
	Path        string // raw, from "/r1/" on
	Query       string // raw, without "?"
	HasQuery    bool   // tells "?" with nothing after it from no query
	Service     ServiceID
	ServicePath string // raw rest of the path: empty, or begins with "/"
}

// Root is what lies outside "/r1/" at the edge.
type Root int

const (
	RootNone         Root = iota // nothing that the protocol knows
	RootMessage                  // /r1/…
	RootListClients              // /listClients
	RootVerification             // /verificationconf
)

// Classify tells what a raw request target asks for. It must be given what stood
// in the request line, never a decoded path.
func Classify(requestURI string) Root {
	path, _, _ := strings.Cut(origin(requestURI), "?")
	switch {
	case path == "/listClients":
		return RootListClients
	case path == "/verificationconf":
		return RootVerification
	case path == "/r1" || strings.HasPrefix(path, "/r1/"):
		return RootMessage
	}
	return RootNone
}

// RawQuery returns the query of a raw request target, undecoded.
func RawQuery(requestURI string) string {
	_, q, _ := strings.Cut(origin(requestURI), "?")
	return q
}

// origin reduces the absolute form of a target (RFC 9112, 3.2.2), which a server
// must accept, to the origin form.
func origin(uri string) string {
	for _, scheme := range []string{"http://", "https://"} {
		if len(uri) < len(scheme) || !strings.EqualFold(uri[:len(scheme)], scheme) {
			continue
		}
		rest := uri[len(scheme):]
		i := strings.IndexAny(rest, "/?#")
		switch {
		case i < 0:
			return "/"
		case rest[i] == '/':
			return rest[i:]
		}
		return "/" + rest[i:]
	}
	return uri
}

// ParseTarget reads the target of a message from the raw request line (in
// net/http: Request.RequestURI). A failure is an *Error of the consumer's
// gateway: programs in use answer 500 here, whatever the text says (400).
func ParseTarget(requestURI string) (Target, error) {
	uri := origin(requestURI)
	if len(uri) > MaxTarget {
		return Target{}, consumerError(InvalidRequest, fmt.Sprintf("the request target is longer than %d bytes", MaxTarget))
	}
	if i := badTargetByte(uri); i >= 0 {
		return Target{}, consumerError(InvalidRequest, "the request target holds a character that has no place there")
	}
	var t Target
	t.Path, t.Query, t.HasQuery = strings.Cut(uri, "?")
	version, rest, ok := strings.Cut(strings.TrimPrefix(t.Path, "/"), "/")
	if !strings.HasPrefix(t.Path, "/") || version != "r1" {
		return Target{}, consumerError(InvalidProtocolVersion, "the path does not begin with /r1/")
	}
	if !ok {
		return Target{}, consumerError(InvalidRequest, "the path names no service")
	}
	end, n := len(rest), 0
	for i := 0; i < len(rest); i++ {
		if rest[i] == '/' {
			if n++; n == 5 {
				end = i
				break
			}
		}
	}
	id, err := ParseServiceID(rest[:end])
	if err != nil {
		return Target{}, consumerError(InvalidRequest, "the path does not name a service by five parts: "+err.Error())
	}
	t.Service, t.ServicePath = id, rest[end:]
	return t, nil
}

// badTargetByte finds what may not stand in a request line, or -1. Bytes of raw
// UTF-8 pass: clients send them and the provider decides.
func badTargetByte(s string) int {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c == 0x7f || c == '#' {
			return i
		}
	}
	return -1
}

// Raw is the target as it goes into the head.
func (t Target) Raw() string {
	if !t.HasQuery {
		return t.Path
	}
	return t.Path + "?" + t.Query
}

// Upstream is the target for the provider's service, whose address has the path
// base: both are joined with one slash, nothing else is touched.
func (t Target) Upstream(base string) string {
	p := t.ServicePath
	if strings.HasSuffix(base, "/") && strings.HasPrefix(p, "/") {
		p = p[1:]
	}
	p = base + p
	if p == "" {
		p = "/"
	}
	if t.HasQuery {
		p += "?" + t.Query
	}
	return p
}

// QueryParam returns the last value of a parameter in a raw query. Only "&"
// separates: a ";" belongs to the value. With fold, the name's case is ignored.
func QueryParam(rawQuery, name string, fold bool) (value string, found bool) {
	for pair := range strings.SplitSeq(rawQuery, "&") {
		k, v, _ := strings.Cut(pair, "=")
		k, ok := unescape(strings.ReplaceAll(k, "+", " "))
		if !ok || k != name && !(fold && strings.EqualFold(k, name)) {
			continue
		}
		if v, ok = unescape(strings.ReplaceAll(v, "+", " ")); ok {
			value, found = v, true
		}
	}
	return value, found
}
