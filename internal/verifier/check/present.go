package check

import (
	"context"
	"encoding/base64"
	"errors"
	"time"

	"diwan/protocol/mdoc"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/dcql"
	"diwan/protocol/sdjwt"
)

// Session is the request that a presentation must answer (OpenID4VP 1.0).
type Session struct {
	ClientID    string // with its prefix
	Nonce       string
	ResponseURI string
	Thumbprint  []byte // of the key that the answer is encrypted to, nil for none
}

func (s *Session) binding() *sdjwt.Binding {
	if s == nil {
		return nil
	}
	return &sdjwt.Binding{Audience: s.ClientID, Nonce: s.Nonce}
}

// ErrNonce means that a presentation was made for another request: the whole answer is
// then to be rejected.
var ErrNonce = errors.New("the presentation is for another request")

// Presentation checks one presentation of a wallet's answer, as vp_token carries it:
// whoever sent it must prove to hold it, for this very request. Where it is accepted it
// returns what the query is compared with. The error is [ErrNonce].
//
// An ISO document names its request only as a whole; one for another nonce can't be told
// from one by another holder, and is refused as such.
func (k *Kit) Presentation(ctx context.Context, format, text string, s Session) (Result, dcql.Held, error) {
	r := Result{Checked: k.o.Now(), Form: format}
	held := dcql.Held{Format: format}
	switch format {
	case openid4.SDJWT:
		r = k.sdjwt(ctx, r, text, &s)
	case openid4.MDoc:
		r = k.response(ctx, r, text, s)
	default:
		r.add(Unsupported, nil)
		return r.settle(), held, nil
	}
	if r.nonce {
		return r, held, ErrNonce
	}
	if r.State != Accepted || !r.Holder {
		return r, held, nil
	}
	held.Types, held.Claims, held.Bound = []string{r.Type}, r.claims, true
	held.AuthorityKeys = openid4.AuthorityKeys(r.chain)
	return r, held, nil
}

func (k *Kit) response(ctx context.Context, r Result, text string, s Session) Result {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil {
		r.add(Unreadable, err)
		return r.settle()
	}
	in, err := mdoc.ParseResponse(b)
	if err != nil {
		r.add(documentReason(err), err)
		return r.settle()
	}
	transcript, err := mdoc.Transcript(s.ClientID, s.Nonce, s.Thumbprint, s.ResponseURI)
	if err != nil {
		r.add(Unreadable, err)
		return r.settle()
	}
	r = k.iso(ctx, r, func(w mdoc.Want, now time.Time) (*mdoc.Document, error) {
		return in.Verify(w, mdoc.Session{Transcript: transcript}, now)
	})
	r.Holder = r.State == Accepted
	return r
}
