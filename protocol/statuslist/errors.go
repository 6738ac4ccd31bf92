package statuslist

import "errors"

// Errors, wrapped with what was wrong. Whatever the error, nothing is known of the
// credential's status and it may not be taken for valid (draft -14, section 8.3).
var (
	ErrForm      = errors.New("the status list is malformed")
	ErrType      = errors.New("the token is not a status list token")
	ErrAlgorithm = errors.New("the algorithm is not allowed")
	ErrSignature = errors.New("the status list's signature is wrong")
	ErrKey       = errors.New("the status list's signer is not accepted")
	ErrSubject   = errors.New("the status list is that of another address")
	ErrExpired   = errors.New("the status list has expired")
	ErrNotYet    = errors.New("the status list was issued in the future")
	ErrStale     = errors.New("the status list is older than it may be kept")
	ErrIndex     = errors.New("the index is outside the status list")
	ErrStatus    = errors.New("the status doesn't fit in the list's entries")
	ErrBits      = errors.New("an entry has 1, 2, 4 or 8 bits")
	ErrLarge     = errors.New("the status list is too large")
	ErrReference = errors.New("the reference to a status list is malformed")
	ErrMechanism = errors.New("the status is not told by a status list")
	ErrFetch     = errors.New("the status list could not be had")
)
