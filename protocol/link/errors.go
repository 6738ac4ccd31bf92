package link

import (
	"errors"
	"fmt"
)

// Errors that callers may ask for with errors.Is.
var (
	ErrFuture   = errors.New("message was created in the future")
	ErrExpired  = errors.New("message has expired")
	ErrReplayed = errors.New("message was seen before")
	// ErrUnknownKey is what Keys returns for a key that it does not know or
	// that is not valid now.
	ErrUnknownKey = errors.New("signing key is not known or not valid")
	// ErrWrongMember: the key is valid but of another member than the peer.
	ErrWrongMember = errors.New("signed by another member")
	// ErrDigest: the bytes are not those that were signed.
	ErrDigest = errors.New("bytes differ from what was signed")
	// ErrBind: a response to another request, or a chunk out of its place.
	ErrBind = errors.New("message does not continue what came before")
	// ErrTruncated: a body that ended without its last chunk.
	ErrTruncated = errors.New("body ended before its last chunk")
	// ErrProtocol: the peer does not follow the format; the connection ends.
	ErrProtocol = errors.New("peer broke the protocol")
	// ErrNotSent: nothing of the request reached the peer. It may be repeated.
	ErrNotSent = errors.New("request was not sent")
	// ErrLost: the connection ended while the request was under way. The peer
	// may have handled it or not.
	ErrLost = errors.New("connection lost while waiting for the answer")
	// ErrClosed: the client or server was closed.
	ErrClosed = errors.New("link is closed")
	// ErrOverloaded: a limit of this process; later is another matter.
	ErrOverloaded = errors.New("too much under way")
	// ErrJournal: the journal did not take the record, so nothing was handed
	// over.
	ErrJournal = errors.New("journal refused")
)

// Types of error frames that this package makes. A Handler may return others.
const (
	TypeInvalidRequest   = "invalid_request"
	TypeInvalidSignature = "invalid_signature_value"
	TypeUnknownMember    = "unknown_member"
	TypeExpired          = "expired"
	TypeReplayed         = "replayed"
	TypeInconsistent     = "inconsistent_message"
	TypeLoggingFailed    = "logging_failed"
	TypeOverloaded       = "overloaded"
	TypeShuttingDown     = "shutting_down"
	TypeInternal         = "internal_error"
	TypeIO               = "io_error"
)

// Error is a failure that one gateway reports to the other in an unsigned error
// frame. It carries a type and nothing else, so that nothing unsigned of the
// peer's reaches the caller of a service. A Handler returns one to choose the
// type.
type Error struct {
	Type string
	// Remote is set when the peer sent it.
	Remote bool
}

func (e *Error) Error() string {
	if e.Remote {
		return "link: peer reports " + e.Type
	}
	return "link: " + e.Type
}

// checkErrorType admits lower-case names only: they end in headers and logs.
func checkErrorType(b []byte) error {
	if len(b) == 0 || len(b) > MaxErrorType {
		return fmt.Errorf("%w: length of an error type", ErrProtocol)
	}
	for _, c := range b {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' && c != '.' {
			return fmt.Errorf("%w: character in an error type", ErrProtocol)
		}
	}
	return nil
}

// typeOf chooses what the peer is told about a refusal. Clock, signature and
// membership have names of their own; nothing else of ours is said.
func typeOf(err error) string {
	var e *Error
	switch {
	case errors.As(err, &e) && checkErrorType([]byte(e.Type)) == nil:
		return e.Type
	case errors.Is(err, ErrSignature):
		return TypeInvalidSignature
	case errors.Is(err, ErrUnknownKey), errors.Is(err, ErrWrongMember):
		return TypeUnknownMember
	case errors.Is(err, ErrFuture), errors.Is(err, ErrExpired):
		return TypeExpired
	case errors.Is(err, ErrReplayed):
		return TypeReplayed
	case errors.Is(err, ErrDigest), errors.Is(err, ErrBind), errors.Is(err, ErrTruncated):
		return TypeInconsistent
	case errors.Is(err, ErrEnvelope), errors.Is(err, ErrProtocol):
		return TypeInvalidRequest
	case errors.Is(err, ErrJournal):
		return TypeLoggingFailed
	case errors.Is(err, ErrOverloaded):
		return TypeOverloaded
	case errors.Is(err, ErrClosed):
		return TypeShuttingDown
	}
	return TypeInternal
}
