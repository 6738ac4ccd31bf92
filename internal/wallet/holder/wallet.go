package holder

import (
	"crypto/x509"
	"errors"
	"net/http"
	"time"
)

// Errors, wrapped with what was wrong. What an issuer or a verifier answered is found
// by [oauth.CodeOf].
var (
	ErrAddress   = errors.New("the address may not be reached")
	ErrAnswer    = errors.New("the answer can't be used")
	ErrTxCode    = errors.New("the offer needs a code that came by another way")
	ErrOffer     = errors.New("the offer has nothing for this wallet")
	ErrReceived  = errors.New("the document that came is not acceptable")
	ErrUntrusted = errors.New("nobody who is trusted vouches for it")
	ErrNoSuch    = errors.New("there is no such document")
	ErrWaiting   = errors.New("the issuer has not issued it yet")
	ErrInvalid   = errors.New("the document is not valid now and is not shown")
	ErrNothing   = errors.New("nothing in this wallet answers what is asked")
	ErrBackup    = errors.New("the backup can't be read: it is damaged, or the passphrase is another")
)

// Wallet receives, keeps and shows documents. It may be used by several at once, but two
// at the same document don't see each other's changes.
type Wallet struct {
	Store *Store
	// HTTP is [NewClient] when nil. Whatever it says, redirects are not followed.
	HTTP *http.Client
	// Now is the clock, nil for the computer's.
	Now func() time.Time
	// Anchors are the certificates under which lists of issuers and the certificates of
	// verifiers are believed. Without any, only their form is checked.
	Anchors []*x509.Certificate
	// ClientID names this wallet where a person consents at the issuer.
	ClientID string
}

// leeway is by how much clocks may differ.
const leeway = time.Minute

func (w *Wallet) now() time.Time {
	if w.Now != nil {
		return w.Now()
	}
	return time.Now()
}
