package xroad

import (
	"bytes"
	"errors"
	"fmt"
	"net/textproto"
	"strconv"
	"strings"
)

// Bounds of a head. A longer one is refused at the edge and by the other side.
const (
	MaxHead   = 64 << 10 // bytes
	MaxFields = 256      // lines of header
)

// ErrHead is wrapped by every refusal of the head of another gateway's message.
var ErrHead = errors.New("not a message head")

// methods are the verbs of the protocol.
var methods = map[string]bool{
	"DELETE": true, "GET": true, "HEAD": true, "OPTIONS": true, "PATCH": true, "POST": true, "PUT": true, "TRACE": true,
}

// ValidMethod tells whether the protocol knows a method.
func ValidMethod(m string) bool { return methods[m] }

// RequestHead is the head of a request: what was signed, taken apart without
// loss.
type RequestHead struct {
	Method string
	Target string // raw path with its query
	Fields []Field
}

// AppendRequestHead writes the head of a request: the method, the raw target,
// one line name:value for each field, then x-road-request-id and, when the
// client sent no X-Road-Id, x-road-id with the id made for it. Every line ends in
// CR LF and there is no empty line. fields come from FilterRequest. The bytes are
// to be sent as they are: nobody can build them again from an HTTP header.
func AppendRequestHead(dst []byte, method, target string, fields []Field, requestID, generatedID string) ([]byte, error) {
	if !ValidMethod(method) {
		return nil, consumerError(InvalidRequest, "the protocol does not know this method")
	}
	start := len(dst)
	dst = append(append(dst, method...), '\r', '\n')
	dst = append(append(dst, target...), '\r', '\n')
	for _, f := range fields {
		dst = appendField(dst, f.Name, f.Value)
	}
	dst = appendField(dst, "x-road-request-id", requestID)
	if generatedID != "" {
		dst = appendField(dst, "x-road-id", generatedID)
	}
	if len(dst)-start > MaxHead {
		return nil, consumerError(InvalidRequest, fmt.Sprintf("the head of the request is longer than %d bytes", MaxHead))
	}
	return dst, nil
}

func appendField(dst []byte, name, value string) []byte {
	dst = append(append(dst, name...), ':')
	return append(append(dst, value...), '\r', '\n')
}

// ParseRequestHead reads a head that another gateway sent. It holds that gateway
// to the rules: one X-Road-Client, one id, one request id, and no line that a
// gateway must not pass on, since those lines go to the provider's service as
// they are and could make it see two requests in one.
func ParseRequestHead(b []byte) (RequestHead, error) {
	lines, err := headLines(b)
	if err != nil {
		return RequestHead{}, err
	}
	h := RequestHead{Method: lines.next(), Target: lines.next()}
	if !ValidMethod(h.Method) {
		return RequestHead{}, fmt.Errorf("%w: the method %.20q", ErrHead, h.Method)
	}
	if len(h.Target) > MaxTarget || !strings.HasPrefix(h.Target, "/") || badTargetByte(h.Target) >= 0 {
		return RequestHead{}, fmt.Errorf("%w: the target", ErrHead)
	}
	var seen [3]int
	h.Fields, err = lines.fields(func(name string) error {
		switch {
		case skipped[name] || disguised(name) || name == HeaderRequestHash:
			return fmt.Errorf("%w: the header %s must not pass a gateway", ErrHead, name)
		case name == HeaderClient:
			seen[0]++
		case name == HeaderID:
			seen[1]++
		case name == HeaderRequestID:
			seen[2]++
		}
		return nil
	})
	if err != nil {
		return RequestHead{}, err
	}
	if seen != [3]int{1, 1, 1} {
		return RequestHead{}, fmt.Errorf("%w: %d clients, %d ids and %d request ids, want one of each", ErrHead, seen[0], seen[1], seen[2])
	}
	return h, nil
}

// Get returns the last value of a field, whatever the case of its name.
func (h RequestHead) Get(name string) string { return lastOf(h.Fields, name) }

// Headers reads the protocol's headers of the head.
func (h RequestHead) Headers() (Headers, error) { return readHeaders(h.Get) }

// RequestID is the id that the consumer's gateway made for the request.
func (h RequestHead) RequestID() string { return h.Get(HeaderRequestID) }

func lastOf(fields []Field, name string) string {
	for i := len(fields) - 1; i >= 0; i-- {
		if strings.EqualFold(fields[i].Name, name) {
			return fields[i].Value
		}
	}
	return ""
}

// ResponseHead is the head of a response.
type ResponseHead struct {
	Status int
	Fields []Field
}

// Stamp is what the provider's gateway says of the request in its answer.
type Stamp struct {
	Client      ClientID
	Service     ServiceID
	ID          string
	RequestID   string
	RequestHash string // see RequestHash
}

// AppendResponseHead writes the head of a response: the status, one line for
// each field that FilterResponse left, then the five lines of the stamp. date, in
// the form of HTTP, is added when the service sent none.
func AppendResponseHead(dst []byte, status int, fields []Field, s Stamp, date string) ([]byte, error) {
	if status < 200 || status > 599 {
		return nil, NewError(AtProvider, ServiceFailed, fmt.Sprintf("the service answered with the status %d", status))
	}
	start := len(dst)
	dst = append(strconv.AppendInt(dst, int64(status), 10), '\r', '\n')
	dated := false
	for _, f := range fields {
		if !validName(f.Name) || checkValue(f.Value) != nil || f.Value != strings.Trim(f.Value, " \t") {
			return nil, NewError(AtProvider, ServiceFailed, "the service sent a header that is none")
		}
		dated = dated || f.Name == "Date"
		dst = appendField(dst, f.Name, f.Value)
	}
	if !dated && date != "" {
		dst = appendField(dst, "Date", date)
	}
	dst = appendField(dst, HeaderClient, s.Client.Encoded())
	dst = appendField(dst, HeaderService, s.Service.Encoded())
	dst = appendField(dst, HeaderID, s.ID)
	dst = appendField(dst, HeaderRequestID, s.RequestID)
	dst = appendField(dst, HeaderRequestHash, s.RequestHash)
	if len(dst)-start > MaxHead || len(fields)+6 > MaxFields {
		return nil, NewError(AtProvider, ServiceFailed, "the header of the service's answer is too long")
	}
	return dst, nil
}

// ParseResponseHead reads the head of another gateway's answer, held to the
// rules: each line of the stamp once, one Date at most, nothing that must not
// pass a gateway.
func ParseResponseHead(b []byte) (ResponseHead, error) {
	lines, err := headLines(b)
	if err != nil {
		return ResponseHead{}, err
	}
	s := lines.next()
	status, err := strconv.Atoi(s)
	if err != nil || len(s) != 3 || status < 200 || status > 599 {
		return ResponseHead{}, fmt.Errorf("%w: the status %.20q", ErrHead, s)
	}
	count := map[string]int{}
	fields, err := lines.fields(func(name string) error {
		if skipped[name] || disguised(name) || name == ErrorHeader {
			return fmt.Errorf("%w: the header %s must not pass a gateway", ErrHead, name)
		}
		if ours[name] || name == "Date" {
			count[name]++
		}
		return nil
	})
	if err != nil {
		return ResponseHead{}, err
	}
	for _, name := range []string{HeaderClient, HeaderService, HeaderID, HeaderRequestID, HeaderRequestHash} {
		if count[name] != 1 {
			return ResponseHead{}, fmt.Errorf("%w: %d lines %s", ErrHead, count[name], name)
		}
	}
	if count["Date"] > 1 {
		return ResponseHead{}, fmt.Errorf("%w: %d dates", ErrHead, count["Date"])
	}
	return ResponseHead{status, fields}, nil
}

// Get returns the last value of a field.
func (h ResponseHead) Get(name string) string { return lastOf(h.Fields, name) }

// Check compares the stamp of an answer with the request that it claims to
// answer. Any difference is inconsistent_response: an answer to something else.
func (h ResponseHead) Check(want Stamp) error {
	for _, c := range []struct{ name, want string }{
		{HeaderClient, want.Client.Encoded()}, {HeaderService, want.Service.Encoded()}, {HeaderID, want.ID},
		{HeaderRequestID, want.RequestID}, {HeaderRequestHash, want.RequestHash},
	} {
		if h.Get(c.name) != c.want {
			return consumerError(InconsistentResponse, "the answer's "+c.name+" is not the request's")
		}
	}
	return nil
}

// headReader walks the lines of a head, which it holds as one string.
type headReader struct{ rest string }

func headLines(b []byte) (*headReader, error) {
	if len(b) > MaxHead {
		return nil, fmt.Errorf("%w: %d bytes", ErrHead, len(b))
	}
	if !bytes.HasSuffix(b, []byte("\r\n")) {
		return nil, fmt.Errorf("%w: it does not end a line", ErrHead)
	}
	return &headReader{string(b)}, nil
}

func (r *headReader) next() string {
	line, rest, _ := strings.Cut(r.rest, "\r\n")
	r.rest = rest
	return line
}

// fields reads the remaining lines; look sees each canonical name. A line that
// continues the one before, an empty line and a CR or LF within a line are
// refused, because their name or value is.
func (r *headReader) fields(look func(string) error) ([]Field, error) {
	out := make([]Field, 0, min(strings.Count(r.rest, "\n"), MaxFields+2))
	for len(r.rest) > 0 {
		name, value, ok := strings.Cut(r.next(), ":")
		if !ok || !validName(name) || checkValue(value) != nil || value != strings.Trim(value, " \t") {
			return nil, fmt.Errorf("%w: the header line %d", ErrHead, len(out)+1)
		}
		if len(out) == MaxFields+2 {
			return nil, fmt.Errorf("%w: more than %d header lines", ErrHead, MaxFields)
		}
		if err := look(textproto.CanonicalMIMEHeaderKey(name)); err != nil {
			return nil, err
		}
		out = append(out, Field{name, value})
	}
	return out, nil
}
