package xroad

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// MaxPart is the longest part of an identifier, in bytes after decoding.
const MaxPart = 255

// ErrIdentifier is wrapped by every refusal of an identifier.
var ErrIdentifier = errors.New("not an X-Road identifier")

// ClientID names who asks or who answers: a member, or one subsystem of it.
// Parts are held decoded; a value can be compared and used as a map key.
type ClientID struct {
	Instance, Class, Member string
	Subsystem               string // empty: the member itself
}

// ServiceID names a service of a subsystem. The text of the protocol calls the
// subsystem optional; programs in use need all five parts, and so do we.
type ServiceID struct {
	Provider ClientID
	Code     string
}

// ServerID names one gateway ("security server") of a member.
type ServerID struct {
	Instance, Class, Member, Server string
}

// Party is whom a client says it represents; Class may be empty.
type Party struct {
	Class, Member string
}

// ParseClientID reads the wire form INSTANCE/CLASS/MEMBER[/SUBSYSTEM], where each
// part is percent-encoded on its own, so that %2F is a slash inside a part.
func ParseClientID(wire string) (ClientID, error) {
	p, err := parts(wire, 3, 4)
	if err != nil {
		return ClientID{}, err
	}
	id := ClientID{Instance: p[0], Class: p[1], Member: p[2]}
	if len(p) == 4 {
		id.Subsystem = p[3]
	}
	return id, nil
}

// ParseServiceID reads INSTANCE/CLASS/MEMBER/SUBSYSTEM/SERVICE.
func ParseServiceID(wire string) (ServiceID, error) {
	p, err := parts(wire, 5, 5)
	if err != nil {
		return ServiceID{}, err
	}
	return ServiceID{Provider: ClientID{p[0], p[1], p[2], p[3]}, Code: p[4]}, nil
}

// ParseServerID reads INSTANCE/CLASS/MEMBER/SERVER.
func ParseServerID(wire string) (ServerID, error) {
	p, err := parts(wire, 4, 4)
	if err != nil {
		return ServerID{}, err
	}
	return ServerID{p[0], p[1], p[2], p[3]}, nil
}

// ParseParty reads [CLASS/]MEMBER.
func ParseParty(wire string) (Party, error) {
	p, err := parts(wire, 1, 2)
	if err != nil {
		return Party{}, err
	}
	if len(p) == 1 {
		return Party{Member: p[0]}, nil
	}
	return Party{Class: p[0], Member: p[1]}, nil
}

// parts splits a wire form and decodes each part.
func parts(wire string, least, most int) ([]string, error) {
	if len(wire) > (3*MaxPart+1)*most {
		return nil, fmt.Errorf("%w: %d bytes", ErrIdentifier, len(wire))
	}
	p := strings.SplitN(wire, "/", most+1)
	if len(p) < least || len(p) > most {
		return nil, fmt.Errorf("%w: %d parts, want %d to %d", ErrIdentifier, len(p), least, most)
	}
	for i := range p {
		var err error
		if p[i], err = decodePart(p[i]); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// decodePart undoes percent-encoding once. A part that is empty, longer than
// MaxPart, not UTF-8 (an overlong form is not) or that holds a control character
// names nobody: it would break a header, a log line or a page.
func decodePart(s string) (string, error) {
	d, ok := unescape(s)
	switch {
	case !ok:
		return "", fmt.Errorf("%w: bad percent-encoding in %.80q", ErrIdentifier, s)
	case d == "":
		return "", fmt.Errorf("%w: an empty part", ErrIdentifier)
	case len(d) > MaxPart:
		return "", fmt.Errorf("%w: a part of %d bytes", ErrIdentifier, len(d))
	case !utf8.ValidString(d):
		return "", fmt.Errorf("%w: a part is not UTF-8", ErrIdentifier)
	}
	for _, r := range d {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return "", fmt.Errorf("%w: a part holds a control character", ErrIdentifier)
		}
	}
	return d, nil
}

// unescape decodes %XX; "+" stays "+", as it does in a path.
func unescape(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		hi, lo := unhex(s[i+1]), unhex(s[i+2])
		if hi > 15 || lo > 15 {
			return "", false
		}
		b = append(b, hi<<4|lo)
		i += 2
	}
	return string(b), true
}

func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 16
}

// appendPart writes a part as one segment of a path (RFC 3986, pchar).
func appendPart(b []byte, s string) []byte {
	const upper = "0123456789ABCDEF"
	for i := 0; i < len(s); i++ {
		if c := s[i]; segmentByte[c] {
			b = append(b, c)
		} else {
			b = append(b, '%', upper[c>>4], upper[c&15])
		}
	}
	return b
}

var segmentByte = byteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@")

func byteSet(s string) (set [256]bool) {
	for i := 0; i < len(s); i++ {
		set[s[i]] = true
	}
	return set
}

func encode(p ...string) string {
	b := make([]byte, 0, 64)
	for i, s := range p {
		if i > 0 {
			b = append(b, '/')
		}
		b = appendPart(b, s)
	}
	return string(b)
}

func (c ClientID) list() []string {
	if c.Subsystem == "" {
		return []string{c.Instance, c.Class, c.Member}
	}
	return []string{c.Instance, c.Class, c.Member, c.Subsystem}
}

// Encoded is the wire form, safe in a header and in a target.
func (c ClientID) Encoded() string { return encode(c.list()...) }

// String is the form for people; a slash inside a part makes it ambiguous.
func (c ClientID) String() string { return strings.Join(c.list(), "/") }

// IsZero tells whether nobody is named.
func (c ClientID) IsZero() bool { return c == ClientID{} }

// MemberID is the member without its subsystem.
func (c ClientID) MemberID() ClientID { c.Subsystem = ""; return c }

// Registrable tells why an identifier may not be registered:
// parts of letters, digits and the symbols of PR-REST 4.8 only.
func (c ClientID) Registrable() error { return registrable(c.list()...) }

// Unusual tells whether a part holds characters that can no longer be
// registered. Such identifiers exist in old data: accept them and warn.
func (c ClientID) Unusual() bool { return c.Registrable() != nil }

// Encoded is the wire form.
func (s ServiceID) Encoded() string { return encode(append(s.Provider.list(), s.Code)...) }

// String is the form for people.
func (s ServiceID) String() string { return s.Provider.String() + "/" + s.Code }

// Registrable tells why a service may not be registered under this name. The
// codes of metaservices are reserved.
func (s ServiceID) Registrable() error {
	if s.Provider.Subsystem == "" {
		return fmt.Errorf("%w: a service needs a subsystem", ErrIdentifier)
	}
	if IsMetaservice(s.Code) {
		return fmt.Errorf("%w: %s is reserved", ErrIdentifier, s.Code)
	}
	return registrable(append(s.Provider.list(), s.Code)...)
}

// Unusual is ClientID.Unusual for all five parts.
func (s ServiceID) Unusual() bool { return registrable(append(s.Provider.list(), s.Code)...) != nil }

// Encoded is the wire form.
func (s ServerID) Encoded() string { return encode(s.Instance, s.Class, s.Member, s.Server) }

// String is the form for people.
func (s ServerID) String() string {
	return strings.Join([]string{s.Instance, s.Class, s.Member, s.Server}, "/")
}

// Registrable tells why a gateway may not be registered under this name.
func (s ServerID) Registrable() error {
	return registrable(s.Instance, s.Class, s.Member, s.Server)
}

// Encoded is the wire form.
func (p Party) Encoded() string {
	if p.Class == "" {
		return encode(p.Member)
	}
	return encode(p.Class, p.Member)
}

var registrableByte = byteSet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'()+,-.=?")

// registrable holds PR-REST 4.8: letters, digits and '()+,-.=? only. The parts
// "." and ".." are refused besides: programs on the way would take them for
// steps of a path.
func registrable(parts ...string) error {
	for _, p := range parts {
		switch {
		case p == "":
			return fmt.Errorf("%w: an empty part", ErrIdentifier)
		case p == "." || p == "..":
			return fmt.Errorf("%w: the part %q is a step of a path", ErrIdentifier, p)
		case len(p) > MaxPart:
			return fmt.Errorf("%w: a part of %d bytes", ErrIdentifier, len(p))
		}
		for i := 0; i < len(p); i++ {
			if !registrableByte[p[i]] {
				return fmt.Errorf("%w: the part %.80q holds a character that can't be registered", ErrIdentifier, p)
			}
		}
	}
	return nil
}
