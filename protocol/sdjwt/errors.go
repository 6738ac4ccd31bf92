package sdjwt

import "errors"

// Errors, wrapped with what was wrong. They are distinct: of a refused token exactly
// one holds, so that a verifier can tell people why.
var (
	ErrForm        = errors.New("the token is malformed")
	ErrUnsupported = errors.New("the type, algorithm or hash is not supported")
	ErrDigest      = errors.New("disclosures and digests don't agree")
	ErrProtected   = errors.New("a claim that may not be hidden is")
	ErrIssuer      = errors.New("the issuer is not accepted")
	ErrSignature   = errors.New("the issuer's signature is wrong")
	ErrNotYet      = errors.New("the credential is not yet valid")
	ErrExpired     = errors.New("the credential has expired")
	ErrUnlimited   = errors.New("the credential has neither an end nor a status")
	ErrHolder      = errors.New("the holder is not proved")
	ErrStale       = errors.New("the holder's proof was not made now")
	ErrAudience    = errors.New("the holder's proof is for another")
	ErrNonce       = errors.New("the holder's proof is for another request")
	ErrTransaction = errors.New("the holder's proof doesn't agree to the transaction")
	ErrBound       = errors.New("a presentation was given where a credential belongs")
	ErrClaims      = errors.New("the claims can't be issued")
	ErrPath        = errors.New("the path selects nothing that can be shown")
	ErrMetadata    = errors.New("the type's description is malformed")
	ErrIntegrity   = errors.New("the type's description is not the one that was meant")
	ErrRules       = errors.New("the credential breaks the rules of its type")
)
