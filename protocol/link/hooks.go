package link

import (
	"context"
	"crypto/tls"
	"log/slog"
	"time"
)

// Keys knows the keys of members. It is asked for every message, so it answers
// from memory.
type Keys interface {
	// Key returns the key of this name if it may sign at this time, else an
	// error that is ErrUnknownKey.
	Key(id KeyID, now time.Time) (*PublicKey, error)
}

// Record is one message as the journal keeps it: with the public key, a proof
// of what was sent.
type Record struct {
	Envelope  *Envelope
	Signature []byte
	Head      []byte
	// Sent says that this side made it.
	Sent bool
}

// Journal keeps records durably and in order.
type Journal interface {
	// Append takes the records, in order and all or none, and returns the
	// sequence number of the last. It has copied them when it returns; they are
	// not yet durable. An error means that the messages must not go on.
	Append(records []Record) (seq uint64, err error)
	// Wait returns when every record up to seq is durable, or with an error
	// when that cannot be promised.
	Wait(ctx context.Context, seq uint64) error
}

// Replay remembers requests. ReplayWindow is one.
type Replay interface {
	// Admit returns nil once for a request of a key, and ErrReplayed (or
	// another reason to refuse) for every other time. It is called after the
	// signature was verified.
	Admit(e *Envelope, now time.Time) error
}

// Handler answers requests at the provider.
type Handler interface {
	// ServeLink answers one request, which is durable in the journal by then.
	// The context ends when the consumer cancels or the connection does.
	// Returning an *Error chooses the type that the consumer is told; any other
	// error is told as an internal one. The request's Stream ends with the call.
	ServeLink(ctx context.Context, r *Request) (*Reply, error)
}

// HandlerFunc is a function as a Handler.
type HandlerFunc func(ctx context.Context, r *Request) (*Reply, error)

func (f HandlerFunc) ServeLink(ctx context.Context, r *Request) (*Reply, error) { return f(ctx, r) }

// Request is a request that arrived, was verified, and is durable.
type Request struct {
	Envelope  *Envelope
	Signature []byte
	// Key signed it; Key.Member is who asks, the same that TLS proved.
	Key  *PublicKey
	Head []byte
	// Body is the whole body, when Stream is nil.
	Body []byte
	// Stream is the body of a request whose envelope is Streamed.
	Stream *Body
	// Seq is a number of the journal at or after the request's record.
	Seq uint64
}

// Reply is what a Handler answers. Its slices must not change afterwards.
type Reply struct {
	Status int // 100 to 999
	Head   []byte
	Body   []byte // at most MaxInline
	// Stream is a body of any length instead of Body. It is closed when it was
	// sent or given up, if it is an io.Closer.
	Stream Source
}

// Call is a request to be sent. Its slices must not change afterwards, even
// when Do returned early.
type Call struct {
	// ID names the exchange; zero means a random one.
	ID   RequestID
	Head []byte
	Body []byte // at most MaxInline
	// Stream is a body of any length instead of Body. It may be read until Do
	// has returned an error or the response's body is closed.
	Stream Source
	// Valid is how long the provider may accept the request; 30 s when zero.
	Valid time.Duration
}

// Source is where the bytes of a body come from.
type Source interface {
	Read(p []byte) (int, error)
}

// Response is a verified answer; it and its request are durable.
type Response struct {
	Envelope  *Envelope
	Signature []byte
	Key       *PublicKey
	Status    int
	Head      []byte
	Body      []byte
	// Stream is the body of a response whose envelope is Streamed. The caller
	// closes it.
	Stream *Body
	// Request is the envelope that the response is bound to.
	Request *Envelope
	// Seq is a number of the journal at or after the response's record.
	Seq uint64
}

// Config is what both sides need.
type Config struct {
	Signer  *Signer
	Keys    Keys
	Journal Journal
	// Verifier may be shared by all clients and servers of a process.
	Verifier *Verifier
	Limits   Limits
	// PerMessage signs every message alone.
	PerMessage bool
	// Valid is the validity of this side's responses; 30 s when zero.
	Valid time.Duration
	// Now is the clock; time.Now when nil.
	Now func() time.Time
	Log *slog.Logger
	// Peer says which member TLS has proved; an error ends the handshake.
	Peer func(tls.ConnectionState) (member string, err error)
}

const defaultValid = 30 * time.Second

func (c *Config) prepare() {
	c.Limits = c.Limits.withDefaults()
	if c.Verifier == nil {
		c.Verifier = NewVerifier()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Valid <= 0 || c.Valid > MaxValidity {
		c.Valid = defaultValid
	}
}

// linkTLS is the TLS of the format whatever the caller's configuration says:
// version 1.3 and the protocol's name; no resumption, so that each connection
// shows its certificate; full records, because small ones cost a system call
// each.
func linkTLS(c *tls.Config) *tls.Config {
	if c == nil {
		c = new(tls.Config)
	}
	c = c.Clone()
	c.MinVersion, c.MaxVersion = tls.VersionTLS13, 0
	c.NextProtos = []string{Protocol}
	c.SessionTicketsDisabled = true
	c.ClientSessionCache = nil
	c.DynamicRecordSizingDisabled = true
	return c
}
