package tracing

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
)

// Header is the name of the field that carries a Context (W3C Trace Context), and
// StateHeader that of what tracing systems add for themselves.
const (
	Header      = "Traceparent"
	StateHeader = "Tracestate"
)

// Flags of a context. Others are not passed on: what they will mean is not known.
const (
	flagSampled = 1
	flagRandom  = 2
)

// Context is a place in a trace. The zero Context is no place.
type Context struct {
	Trace [16]byte
	Span  [8]byte
	Flags byte
}

// Valid tells whether c is a place in a trace.
func (c Context) Valid() bool { return c.Trace != [16]byte{} && c.Span != [8]byte{} }

// Sampled tells whether the trace is recorded.
func (c Context) Sampled() bool { return c.Flags&flagSampled != 0 }

// lenV0 is the length of a traceparent of version 00.
const lenV0 = 55

// Parse reads a traceparent. What is malformed is not ok, and then the trace begins
// anew (W3C Trace Context, 3.2.2). Of a version to come the known beginning is read.
func Parse(s string) (c Context, ok bool) {
	if len(s) < lenV0 || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return Context{}, false
	}
	var version, flags [1]byte
	if !unhex(version[:], s[:2]) || version[0] == 0xff || !unhex(c.Trace[:], s[3:35]) || !unhex(c.Span[:], s[36:52]) || !unhex(flags[:], s[53:55]) {
		return Context{}, false
	}
	if len(s) > lenV0 && (version[0] == 0 || s[lenV0] != '-') {
		return Context{}, false
	}
	c.Flags = flags[0] & (flagSampled | flagRandom)
	if !c.Valid() {
		return Context{}, false
	}
	return c, true
}

// unhex reads lower-case hexadecimal: the standard allows no other.
func unhex(to []byte, s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	_, err := hex.Decode(to, []byte(s))
	return err == nil
}

// String is c as a traceparent of version 00.
func (c Context) String() string {
	b := make([]byte, 0, lenV0)
	b = append(hex.AppendEncode(append(b, "00-"...), c.Trace[:]), '-')
	b = append(hex.AppendEncode(b, c.Span[:]), '-')
	return string(hex.AppendEncode(b, []byte{c.Flags}))
}

// newSpanID returns an identifier that is not zero. It need not be secret.
func newSpanID() (id [8]byte) {
	for id == [8]byte{} {
		binary.BigEndian.PutUint64(id[:], rand.Uint64())
	}
	return id
}

func newTraceID() (id [16]byte) {
	a, b := newSpanID(), newSpanID()
	copy(id[:8], a[:])
	copy(id[8:], b[:])
	return id
}
