package link

import "time"

// Bounds of the format. A peer that passes one of them has its message refused
// or its connection closed.
const (
	// MaxHead is the length of a head in bytes.
	MaxHead = 64 << 10
	// MaxInline is the length of a body that travels with its message.
	MaxInline = 1 << 20
	// MaxChunk is the length of one chunk of a longer body.
	MaxChunk = 1 << 20
	// MaxChunks bounds the chunks of one body: 64 TiB at the full size.
	MaxChunks = 1 << 26
	// MaxProof is the number of hashes between a leaf and its root; 16 levels
	// hold the 65,535 messages that a batch can count.
	MaxProof = 16
	// MaxSignature is the length of the longest signature field.
	MaxSignature = 1 + 8 + 2 + 2 + 1 + MaxProof*32 + rawSignature
	// MaxFrame is what the length field of a frame may say.
	MaxFrame = frameHeader + EnvelopeSize + 2 + MaxSignature + 4 + MaxHead + MaxInline
	// MaxGroup is the number of frames written and read together.
	MaxGroup = 256
	// MaxGroupBytes bounds the bytes of a group: a receiver holds the whole of
	// it while it verifies.
	MaxGroupBytes = 4 << 20
	// MaxErrorType is the length of the type in an error frame.
	MaxErrorType = 64
	// MaxValidity is the longest that a message may ask to be believed.
	MaxValidity = 60 * time.Second
	// MaxSkew is how far apart the clocks of two gateways may be.
	MaxSkew = 30 * time.Second
	// MaxSealDelay is how long a message waits at most for others before it is
	// signed; with few exchanges under way it waits for less.
	MaxSealDelay = time.Millisecond
	// Window is the number of chunks of one body that may be under way.
	Window = 2
)

// Protocol is the name that both sides negotiate in TLS (ALPN). Another version
// of the format has another name.
const Protocol = "diwan-link/1"

// Limits bound what a peer may hold of this process. The zero value of a field
// means its default.
type Limits struct {
	// Streams is the number of exchanges open at once on one connection. 1024.
	Streams int
	// InlineBytes bounds the heads and bodies of the requests being handled on
	// one connection. 64 MiB.
	InlineBytes int64
	// BodyStreams is the number of bodies received in chunks at once on one
	// connection; further ones wait. Each holds up to Window+1 chunks. 16.
	BodyStreams int
	// BodyIdle is how long a body may stand still, in either direction, and
	// BodyTime how long it may take as a whole. 60 s; 1 h.
	BodyIdle time.Duration
	BodyTime time.Duration
	// BodyBytes is the length of the longest body received. 64 GiB.
	BodyBytes int64
	// FrameTime is how long a peer may take to finish a frame or a group that
	// it began, and how long a write may be stuck. 60 s.
	FrameTime time.Duration
	// IdleTime closes a connection on which nothing arrives. 90 s; a client
	// pings three times as often.
	IdleTime time.Duration
	// HandshakeTime bounds a TLS handshake, and Handshakes how many a server
	// makes at once; further connections are closed. One address has a quarter
	// of them. 10 s; 64.
	HandshakeTime time.Duration
	Handshakes    int
	// Connections is the number of connections that a server keeps, and
	// PeerConnections those of one member. 4096; 16.
	Connections     int
	PeerConnections int
	// BadMessages closes a connection after so many messages whose envelope,
	// digests or signature did not hold. 16.
	BadMessages int
}

func (l Limits) withDefaults() Limits {
	or := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	orTime := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	or(&l.Streams, 1024)
	if l.InlineBytes <= 0 {
		l.InlineBytes = 64 << 20
	}
	or(&l.BodyStreams, 16)
	orTime(&l.BodyIdle, 60*time.Second)
	orTime(&l.BodyTime, time.Hour)
	if l.BodyBytes <= 0 {
		l.BodyBytes = 64 << 30
	}
	orTime(&l.FrameTime, 60*time.Second)
	orTime(&l.IdleTime, 90*time.Second)
	orTime(&l.HandshakeTime, 10*time.Second)
	or(&l.Handshakes, 64)
	or(&l.Connections, 4096)
	or(&l.PeerConnections, 16)
	or(&l.BadMessages, 16)
	return l
}
