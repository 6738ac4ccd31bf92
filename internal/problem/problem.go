// Package problem is the one vocabulary of errors. A slice says what kind of
// thing went wrong and gives a stable code; the web package turns the kind into
// an HTTP status and the code into a sentence in the reader's language. What
// caused the error is for the log alone: a person never sees internals.
package problem

import (
	"errors"
	"fmt"
	"net/http"
)

// Kind says what sort of error it is.
type Kind int

// The kinds. Anything that is not an Error counts as Internal.
const (
	Internal        Kind = iota
	Invalid              // the request is malformed or breaks a rule
	Unauthenticated      // nobody is signed in
	Forbidden            // signed in, but not allowed
	NotFound             // no such thing
	Method               // the address is there, and not for this method
	Conflict             // somebody else changed it, or its state does not allow this
	TooLarge             // over a bound of size
	TooMany              // over a bound of rate
	Unavailable          // for now; try again later
)

// Error is an error with a kind and a stable code.
type Error struct {
	Kind Kind
	// Code is stable, lower case and dotted: "procedure.not_found". The messages
	// under "problem." + Code say it to people.
	Code string
	// Args fill the placeholders of the message.
	Args map[string]string
	// Fields are the places in the input that must be mended.
	Fields []Field
	// Err is the cause, for the log.
	Err error
}

// Field is one place in the input that must be mended.
type Field struct {
	// Path is where: a form field, a JSON pointer, or "line 3, column 7".
	Path string            `json:"path"`
	Code string            `json:"code"`
	Args map[string]string `json:"args,omitempty"`
}

// Error returns the code with its cause, for logs.
func (e *Error) Error() string {
	s := e.Code
	for _, f := range e.Fields {
		s += fmt.Sprintf("; %s: %s", f.Path, f.Code)
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// New returns an error of a kind with a stable code. Args are pairs of
// placeholder and value.
func New(k Kind, code string, args ...string) *Error {
	return &Error{Kind: k, Code: code, Args: pairs(args)}
}

// Wrap returns an error of a kind that keeps its cause for the log.
func Wrap(err error, k Kind, code string, args ...string) *Error {
	return &Error{Kind: k, Code: code, Args: pairs(args), Err: err}
}

// At returns a field to mend.
func At(path, code string, args ...string) Field {
	return Field{Path: path, Code: code, Args: pairs(args)}
}

func pairs(kv []string) map[string]string {
	if len(kv) == 0 {
		return nil
	}
	m := make(map[string]string, len(kv)/2)
	for i := 0; i+1 < len(kv); i += 2 {
		m[kv[i]] = kv[i+1]
	}
	return m
}

// From returns the Error in err's chain, or one of kind Internal that hides it.
func From(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return &Error{Kind: Internal, Code: "internal", Err: err}
}

// Is reports whether err is a problem of this kind.
func Is(err error, k Kind) bool { return err != nil && From(err).Kind == k }

// Status returns the HTTP status of a kind.
func (k Kind) Status() int {
	switch k {
	case Invalid:
		return http.StatusBadRequest
	case Unauthenticated:
		return http.StatusUnauthorized
	case Forbidden:
		return http.StatusForbidden
	case NotFound:
		return http.StatusNotFound
	case Method:
		return http.StatusMethodNotAllowed
	case Conflict:
		return http.StatusConflict
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case TooMany:
		return http.StatusTooManyRequests
	case Unavailable:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
