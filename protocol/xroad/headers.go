package xroad

import (
	"fmt"
	"net/textproto"
	"slices"
	"strings"
	"unicode/utf8"
)

// The names of the protocol's headers, in canonical form.
const (
	HeaderClient           = "X-Road-Client"
	HeaderService          = "X-Road-Service"
	HeaderID               = "X-Road-Id"
	HeaderUserID           = "X-Road-Userid"
	HeaderIssue            = "X-Road-Issue"
	HeaderSecurityServer   = "X-Road-Security-Server"
	HeaderRepresentedParty = "X-Road-Represented-Party"
	HeaderRequestID        = "X-Road-Request-Id"
	HeaderRequestHash      = "X-Road-Request-Hash"
)

// Field is one line of a header, in its place and spelling.
type Field struct {
	Name, Value string
}

// skipped never pass a gateway, in either direction: they speak of one
// connection, or name the host on the other side.
var skipped = map[string]bool{
	"Transfer-Encoding": true, "Keep-Alive": true, "Proxy-Authenticate": true, "Proxy-Authorization": true,
	"Te": true, "Trailer": true, "Upgrade": true, "Connection": true, "User-Agent": true, "Host": true,
	"Content-Length": true, "Server": true, "Expect": true,
}

// single are the headers that a gateway itself acts on. Of several the last one
// counts and only that one is passed on, so that no program further on can take
// another for the caller.
var single = map[string]bool{
	HeaderClient: true, HeaderID: true, HeaderUserID: true, HeaderIssue: true, HeaderSecurityServer: true,
	HeaderRepresentedParty: true,
}

// ours are the headers of a response that the provider's gateway sets and whose
// values from the service are dropped. X-Road-Error is among them: it alone
// tells a client that the exchange failed, so no service may say it.
var ours = map[string]bool{
	HeaderClient: true, HeaderService: true, HeaderID: true, HeaderRequestID: true, HeaderRequestHash: true, ErrorHeader: true,
}

// Skipped tells whether a header never passes a gateway.
func Skipped(name string) bool { return skipped[textproto.CanonicalMIMEHeaderKey(name)] }

// disguised tells whether a header is one of the protocol's, or one that never
// passes a gateway, in another spelling. Programs that hand headers on as variables
// (CGI and what came of it: WSGI, PHP) make "_" of whatever is not a letter or a
// digit, so that such a program would read X_Road_Client as the X-Road-Client that
// was checked.
func disguised(canonical string) bool {
	spelt := []byte(canonical)
	for i, c := range spelt {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9') {
			spelt[i] = '-'
		}
	}
	name := textproto.CanonicalMIMEHeaderKey(string(spelt))
	return name != canonical && (skipped[name] || ours[name] || single[name])
}

// droppedFromRequest tells what of a client's header is not passed on.
func droppedFromRequest(canonical string) bool {
	return skipped[canonical] || canonical == HeaderRequestID || canonical == HeaderRequestHash
}

// Headers are the protocol's headers of a request.
type Headers struct {
	Client           ClientID
	ID               string // empty: the gateway makes one
	UserID, Issue    string
	SecurityServer   ServerID // zero: none asked for
	RepresentedParty Party    // zero: none
}

// MaxID is the longest X-Road-Id, X-Road-UserId or X-Road-Issue, in bytes.
const MaxID = 1024

// ReadHeaders reads the protocol's headers of a client's request, as net/http
// holds them. Failures are of type *Error.
func ReadHeaders(h map[string][]string) (Headers, error) {
	last := func(name string) string {
		v := h[name]
		if len(v) == 0 {
			return ""
		}
		return strings.Trim(v[len(v)-1], " \t")
	}
	return readHeaders(last)
}

func readHeaders(get func(string) string) (Headers, error) {
	var out Headers
	var err error
	client := get(HeaderClient)
	if client == "" {
		return out, consumerError(InvalidClientIdentifier, "the header X-Road-Client is missing")
	}
	if out.Client, err = ParseClientID(client); err != nil {
		return out, consumerError(InvalidClientIdentifier, "the header X-Road-Client: "+err.Error())
	}
	for _, f := range []struct {
		name string
		to   *string
	}{{HeaderID, &out.ID}, {HeaderUserID, &out.UserID}, {HeaderIssue, &out.Issue}} {
		v := get(f.name)
		if len(v) > MaxID || checkValue(v) != nil || !utf8.ValidString(v) {
			return out, consumerError(InvalidRequest, fmt.Sprintf("the header %s is not plain text of at most %d bytes", f.name, MaxID))
		}
		*f.to = v
	}
	if v := get(HeaderSecurityServer); v != "" {
		if out.SecurityServer, err = ParseServerID(v); err != nil {
			return out, consumerError(InvalidRequest, "the header X-Road-Security-Server: "+err.Error())
		}
	}
	if v := get(HeaderRepresentedParty); v != "" {
		if out.RepresentedParty, err = ParseParty(v); err != nil {
			return out, consumerError(InvalidRequest, "the header X-Road-Represented-Party: "+err.Error())
		}
	}
	return out, nil
}

// FilterRequest returns what of a client's header is passed on: canonical names,
// sorted; values of one name in arrival order. It refuses what could be read as
// two lines, or as another header, somewhere on the way. Failures are of type *Error.
func FilterRequest(h map[string][]string) ([]Field, error) {
	out := make([]Field, 0, len(h)+2)
	for raw, values := range h {
		name := textproto.CanonicalMIMEHeaderKey(raw)
		if droppedFromRequest(name) {
			continue
		}
		if !validName(name) {
			return nil, consumerError(InvalidRequest, "a header name holds a character that has no place there")
		}
		if disguised(name) {
			return nil, consumerError(InvalidRequest, "the header "+name+" could be taken for another")
		}
		if single[name] && len(values) > 1 {
			values = values[len(values)-1:]
		}
		for _, v := range values {
			v = strings.Trim(v, " \t")
			if err := checkValue(v); err != nil {
				return nil, consumerError(InvalidRequest, "the header "+name+" "+err.Error())
			}
			out = append(out, Field{name, v})
		}
		if len(out) > MaxFields {
			return nil, consumerError(InvalidRequest, fmt.Sprintf("more than %d header lines", MaxFields))
		}
	}
	slices.SortStableFunc(out, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}

// FilterResponse returns what of the service's header is passed on, in arrival
// order: without the lines of one connection, without the protocol's own, however
// spelt, and with at most one Date.
func FilterResponse(fields []Field) []Field {
	out := make([]Field, 0, len(fields)+6)
	date := false
	for _, f := range fields {
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		if skipped[name] || ours[name] || disguised(name) || name == "Date" && date {
			continue
		}
		date = date || name == "Date"
		out = append(out, Field{name, f.Value})
	}
	return out
}

// validName tells whether a name is a token (RFC 9110, 5.6.2).
func validName(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for i := 0; i < len(s); i++ {
		if !tokenByte[s[i]] {
			return false
		}
	}
	return true
}

var tokenByte = byteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~")

// maxName bounds a header name.
const maxName = 256

// checkValue refuses control characters other than tab: CR, LF and NUL end or
// split lines in some program or other.
func checkValue(s string) error {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return fmt.Errorf("holds the control character %#02x", c)
		}
	}
	return nil
}
