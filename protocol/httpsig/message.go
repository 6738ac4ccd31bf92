package httpsig

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/dunglas/httpsfv"
)

// Bounds of what is read.
const (
	MaxSignatures = 8        // signatures of one message that are looked at
	MaxComponents = 64       // components that one signature covers
	MaxField      = 64 << 10 // bytes of one field, all lines together
	maxName       = 256
)

// Errors wrapped by the refusals of this package.
var (
	ErrMalformed   = errors.New("malformed signature")
	ErrComponent   = errors.New("a signed component is missing from the message")
	ErrNoSignature = errors.New("no signature")
)

// Message is a request or, when Status is not 0, a response.
type Message struct {
	Method    string
	Scheme    string // http or https
	Authority string // host and port, as in the Host field
	Target    string // the request target as it stood in the request line
	Status    int
	Header    http.Header
	Trailer   http.Header // complete once the body was read to its end
	Request   *Message    // of a response: what it answers
	// Structured tells the kind of fields for ";sf" beyond those known here.
	Structured map[string]Kind
}

// Kind is the kind of a structured field (RFC 9651).
type Kind int

const (
	Item Kind = iota + 1
	List
	Dictionary
)

var structured = map[string]Kind{
	"content-digest": Dictionary, "repr-digest": Dictionary, "want-content-digest": Dictionary, "want-repr-digest": Dictionary,
	"signature": Dictionary, "signature-input": Dictionary, "accept-signature": Dictionary, "priority": Dictionary,
	"cdn-cache-control": Dictionary, "cache-status": List, "proxy-status": List, "client-cert": Item, "client-cert-chain": List,
	"origin-agent-cluster": Item,
}

// FromRequest makes the message of a request, received by a server or about to
// be sent by a client. Header and Trailer are the request's own, so that Sign
// adds to it.
func FromRequest(r *http.Request) *Message {
	m := &Message{Method: r.Method, Scheme: "http", Authority: r.Host, Target: r.RequestURI, Header: r.Header, Trailer: r.Trailer}
	if m.Method == "" {
		m.Method = http.MethodGet
	}
	if r.RequestURI == "" && r.URL != nil { // a client's request
		m.Target, m.Scheme = r.URL.RequestURI(), r.URL.Scheme
		if m.Authority == "" {
			m.Authority = r.URL.Host
		}
	} else if r.TLS != nil {
		m.Scheme = "https"
	}
	return m
}

// FromResponse makes the message of a response to a request, which may be nil.
func FromResponse(resp *http.Response, req *http.Request) *Message {
	m := &Message{Status: resp.StatusCode, Header: resp.Header, Trailer: resp.Trailer}
	if req != nil {
		m.Request = FromRequest(req)
	}
	return m
}

// value returns what a component stands for in the message.
func (m *Message) value(c Component) (string, error) {
	if c.Req {
		if m.Status == 0 || m.Request == nil {
			return "", fmt.Errorf("%w: %s", ErrComponent, c)
		}
		of := c
		of.Req = false
		return m.Request.value(of)
	}
	var v string
	var err error
	if strings.HasPrefix(c.Name, "@") {
		v, err = m.derived(c)
	} else {
		v, err = m.field(c)
	}
	if err != nil {
		return "", err
	}
	// A line end in a value would let one component speak for another.
	for i := 0; i < len(v); i++ {
		if b := v[i]; b < ' ' && b != '\t' || b >= 0x7f {
			return "", fmt.Errorf("%w: the value of %s is not plain ASCII", ErrComponent, c)
		}
	}
	return v, nil
}

func (m *Message) derived(c Component) (string, error) {
	if c.Name == "@status" {
		if m.Status == 0 {
			return "", fmt.Errorf("%w: a request has no status", ErrComponent)
		}
		return strconv.Itoa(m.Status), nil
	}
	if m.Status != 0 {
		return "", fmt.Errorf("%w: %s is of requests", ErrComponent, c)
	}
	path, query := m.pathQuery()
	switch c.Name {
	case "@method":
		return m.Method, nil
	case "@authority":
		return m.authority()
	case "@scheme":
		return strings.ToLower(m.Scheme), nil
	case "@target-uri":
		a, err := m.authority()
		_, q, has := strings.Cut(m.Target, "?")
		if has {
			path += "?" + q
		}
		return strings.ToLower(m.Scheme) + "://" + a + path, err
	case "@request-target":
		return m.Target, nil
	case "@path":
		return path, nil
	case "@query":
		return "?" + query, nil
	case "@query-param":
		return queryParam(query, c.Param)
	}
	return "", fmt.Errorf("%w: the component %s", ErrMalformed, c)
}

// authority is in lower case and without the port that the scheme implies.
func (m *Message) authority() (string, error) {
	a := strings.ToLower(m.Authority)
	switch strings.ToLower(m.Scheme) {
	case "http":
		a = strings.TrimSuffix(a, ":80")
	case "https":
		a = strings.TrimSuffix(a, ":443")
	}
	if a == "" {
		return "", fmt.Errorf("%w: the message names no host", ErrComponent)
	}
	return a, nil
}

// pathQuery takes the target apart without decoding it.
func (m *Message) pathQuery() (path, query string) {
	t := m.Target
	if !strings.HasPrefix(t, "/") {
		if u, err := url.Parse(t); err == nil && u.Host != "" {
			t = u.RequestURI()
		}
	}
	path, query, _ = strings.Cut(t, "?")
	if path == "" {
		path = "/"
	}
	return path, query
}

// queryParam is the value of a parameter, decoded and encoded anew (RFC 9421,
// 2.2.8). One that occurs twice can't be named.
func queryParam(query, name string) (string, error) {
	found, value := 0, ""
	for pair := range strings.SplitSeq(query, "&") {
		k, v, _ := strings.Cut(pair, "=")
		if formEncode(formDecode(k)) == name && pair != "" {
			found++
			value = formEncode(formDecode(v))
		}
	}
	if found != 1 {
		return "", fmt.Errorf("%w: the query has the parameter %q %d times", ErrComponent, name, found)
	}
	return value, nil
}

// formDecode decodes as browsers do: what is no escape stays as it is.
func formDecode(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b = append(b, ' ')
		case s[i] == '%' && i+2 < len(s):
			if n, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b = append(b, byte(n))
				i += 2
				continue
			}
			b = append(b, '%')
		default:
			b = append(b, s[i])
		}
	}
	return string(b)
}

func formEncode(s string) string {
	const upper = "0123456789ABCDEF"
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("*-._", c) >= 0 {
			b = append(b, c)
		} else {
			b = append(b, '%', upper[c>>4], upper[c&15])
		}
	}
	return string(b)
}

// field is the value of a field, its lines joined (RFC 9421, 2.1).
func (m *Message) field(c Component) (string, error) {
	from := m.Header
	if c.TR {
		from = m.Trailer
	}
	lines := from.Values(c.Name)
	if len(lines) == 0 && c.Name == "host" && m.Status == 0 && m.Authority != "" && !c.TR {
		lines = []string{m.Authority} // net/http keeps Host outside the header
	}
	if len(lines) == 0 {
		return "", fmt.Errorf("%w: the field %s", ErrComponent, c)
	}
	size := 0
	clean := make([]string, len(lines))
	for i, l := range lines {
		if size += len(l); size > MaxField {
			return "", fmt.Errorf("%w: the field %s is longer than %d bytes", ErrMalformed, c, MaxField)
		}
		clean[i] = strings.Trim(unfold(l), " \t")
	}
	switch {
	case c.BS:
		for i, l := range clean {
			clean[i] = ":" + base64.StdEncoding.EncodeToString([]byte(l)) + ":"
		}
	case c.Key != "":
		return member(clean, c)
	case c.SF:
		return m.reserialise(clean, c)
	}
	return strings.Join(clean, ", "), nil
}

// unfold makes one line of a value that was folded over several.
func unfold(s string) string {
	if !strings.Contains(s, "\n") {
		return s
	}
	parts := strings.Split(s, "\n")
	for i, p := range parts {
		if i > 0 {
			if trimmed := strings.TrimLeft(p, " \t"); trimmed != p {
				parts[i] = " " + trimmed
				parts[i-1] = strings.TrimRight(parts[i-1], " \t\r")
				continue
			}
			return s // no fold: refused as a control character
		}
	}
	return strings.Join(parts, "")
}

func member(lines []string, c Component) (string, error) {
	d, err := httpsfv.UnmarshalDictionary(lines)
	if err != nil {
		return "", fmt.Errorf("%w: the field %s: %w", ErrMalformed, c, err)
	}
	v, ok := d.Get(c.Key)
	if !ok {
		return "", fmt.Errorf("%w: %s", ErrComponent, c)
	}
	return marshalMember(v)
}

func marshalMember(v httpsfv.Member) (string, error) {
	switch v := v.(type) {
	case httpsfv.Item:
		return httpsfv.Marshal(v)
	case httpsfv.InnerList:
		return httpsfv.Marshal(v)
	}
	return "", fmt.Errorf("%w: a member of an unknown kind", ErrMalformed)
}

func (m *Message) reserialise(lines []string, c Component) (string, error) {
	kind, ok := m.Structured[c.Name]
	if !ok {
		kind = structured[c.Name]
	}
	var v httpsfv.StructuredFieldValue
	var err error
	switch kind {
	case Item:
		v, err = httpsfv.UnmarshalItem(lines)
	case List:
		v, err = httpsfv.UnmarshalList(lines)
	case Dictionary:
		v, err = httpsfv.UnmarshalDictionary(lines)
	default:
		return "", fmt.Errorf("%w: the field %s is not known as structured", ErrMalformed, c)
	}
	if err != nil {
		return "", fmt.Errorf("%w: the field %s: %w", ErrMalformed, c, err)
	}
	return httpsfv.Marshal(v)
}
