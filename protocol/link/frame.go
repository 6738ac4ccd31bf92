package link

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

// Types of frames. Those up to FrameChunk carry an envelope and a signature.
const (
	FrameRequest  byte = 1
	FrameResponse byte = 2
	FrameChunk    byte = 3
	FrameError    byte = 4 // payload: error type
	FrameCancel   byte = 5 // no payload
	FrameWindow   byte = 6 // payload: number of further chunks, u32
	FramePing     byte = 7 // payload: eight bytes to send back
	FramePong     byte = 8 // payload: the eight bytes
	FrameGoAway   byte = 9 // no payload: open no further exchange here
)

// frameMore is the bit of a frame's type that says that the next frame belongs
// to the same group.
const frameMore = 0x80

// frameHeader is type and stream, counted by the length field before them.
const frameHeader = 1 + 4

// Frame is a frame taken apart. Its slices and its envelope lie in one buffer
// that nobody else uses.
type Frame struct {
	Type   byte
	More   bool
	Stream uint32
	// Of a request, a response or a chunk:
	Envelope  *Envelope
	Signature []byte
	Head      []byte
	Body      []byte
	// Of the others:
	Payload []byte
}

// signedOverhead is what a signed frame holds beside signature, head and body.
const signedOverhead = frameHeader + EnvelopeSize + 2 + 4

func (f *Frame) size() int {
	return 4 + signedOverhead + len(f.Signature) + len(f.Head) + len(f.Body)
}

// AppendFrame appends a frame as it travels.
func AppendFrame(dst []byte, f *Frame) []byte {
	dst = appendFrameHead(dst, f, len(f.Body))
	return append(dst, f.Body...)
}

// appendFrameHead appends all of a frame but its body, for which it reserves
// bodyLen in the length.
func appendFrameHead(dst []byte, f *Frame, bodyLen int) []byte {
	if f.Envelope == nil {
		dst = binary.BigEndian.AppendUint32(dst, uint32(frameHeader+len(f.Payload)))
		dst = append(dst, f.Type)
		dst = binary.BigEndian.AppendUint32(dst, f.Stream)
		return append(dst, f.Payload...)
	}
	t := f.Type
	if f.More {
		t |= frameMore
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(signedOverhead+len(f.Signature)+len(f.Head)+bodyLen))
	dst = append(dst, t)
	dst = binary.BigEndian.AppendUint32(dst, f.Stream)
	dst = append(dst, f.Envelope[:]...)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(f.Signature)))
	dst = append(dst, f.Signature...)
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(f.Head)))
	return append(dst, f.Head...)
}

// ParseFrame takes apart the bytes that follow a length field. It checks form
// and bounds, not envelopes' meaning and not signatures. The frame's slices are
// those of b.
func ParseFrame(b []byte) (Frame, error) {
	bad := func(what string) (Frame, error) { return Frame{}, fmt.Errorf("%w: %s", ErrProtocol, what) }
	if len(b) < frameHeader || len(b) > MaxFrame {
		return bad("length of a frame")
	}
	f := Frame{Type: b[0] &^ frameMore, More: b[0]&frameMore != 0, Stream: binary.BigEndian.Uint32(b[1:])}
	rest := b[frameHeader:]
	if f.Type == 0 || f.Type > FrameChunk {
		return parseControl(f, rest)
	}
	if f.Stream == 0 || len(rest) < EnvelopeSize+2+4 || f.Type == FrameChunk && f.More {
		return bad("signed frame")
	}
	f.Envelope, rest = (*Envelope)(rest), rest[EnvelopeSize:]
	if f.Envelope[offKind] != f.Type {
		return bad("frame and envelope are of different kinds")
	}
	n := int(binary.BigEndian.Uint16(rest))
	rest = rest[2:]
	if n > MaxSignature || n+4 > len(rest) {
		return bad("length of a signature")
	}
	f.Signature, rest = rest[:n:n], rest[n:]
	h := binary.BigEndian.Uint32(rest)
	rest = rest[4:]
	if h > MaxHead || int(h) > len(rest) || f.Type == FrameChunk && h != 0 {
		return bad("length of a head")
	}
	f.Head, f.Body = rest[:h:h], rest[h:]
	if len(f.Body) > MaxInline || f.Envelope.Streamed() && f.Type != FrameChunk && len(f.Body) != 0 {
		return bad("length of a body")
	}
	return f, nil
}

func parseControl(f Frame, payload []byte) (Frame, error) {
	bad := func(what string) (Frame, error) { return Frame{}, fmt.Errorf("%w: %s", ErrProtocol, what) }
	want, stream := 0, true
	switch f.Type {
	case FrameError:
		if err := checkErrorType(payload); err != nil {
			return Frame{}, err
		}
		want = len(payload)
	case FrameWindow:
		want = 4
	case FramePing, FramePong:
		want, stream = 8, false
	case FrameGoAway:
		stream = false
	case FrameCancel:
	default:
		return bad("type of a frame")
	}
	if f.More || len(payload) != want || stream != (f.Stream != 0) {
		return bad("control frame")
	}
	if f.Type == FrameWindow {
		if n := binary.BigEndian.Uint32(payload); n == 0 || n > Window {
			return bad("number of chunks granted")
		}
	}
	f.Payload = payload
	return f, nil
}

// ReadFrame reads one frame. The buffer is made for the length that the peer
// announced, at most MaxFrame.
func ReadFrame(r *bufio.Reader) (Frame, error) {
	head, err := r.Peek(4)
	if err != nil {
		return Frame{}, err
	}
	n := binary.BigEndian.Uint32(head)
	if n < frameHeader || n > MaxFrame {
		return Frame{}, fmt.Errorf("%w: length of a frame", ErrProtocol)
	}
	r.Discard(4)
	b := make([]byte, n)
	if _, err := io.ReadFull(r, b); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return Frame{}, err
	}
	return ParseFrame(b)
}
