package check

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"diwan/protocol/jws"
	"diwan/protocol/sdjwt"
	"diwan/protocol/trustlist"
)

// sdjwt checks an SD-JWT VC: by itself, when there is no session, and then a key binding
// that comes with it is worth nothing; else as the answer to the session's request.
func (k *Kit) sdjwt(ctx context.Context, r Result, text string, s *Session) Result {
	r.Form = FormSDJWT
	t, err := sdjwt.Parse(text, jws.Want{})
	if err != nil {
		r.add(documentReason(err), err)
		return r.settle()
	}
	// A proof for somebody else is worth nothing here, but what stands in its place must
	// be one: a text that was cut off in a disclosure is not the document.
	if s == nil && t.Bound() {
		if _, err := jws.Parse(text[strings.LastIndexByte(text, '~')+1:], jws.Want{Types: []string{sdjwt.TypeBinding}, Algorithms: []string{jws.ES256}}); err != nil {
			r.add(Unreadable, err)
			return r.settle()
		}
	}
	_ = k.Refresh(ctx) // a failure is noted, and what is at hand decides
	l, fresh := k.trust()
	if l == nil {
		r.add(StatusUnknown, ErrTrust)
		return r.settle()
	}
	r.TrustMade = time.Unix(l.IssuedAt, 0).UTC()
	if !fresh {
		r.add(StatusUnknown, trustlist.ErrStale)
	}
	p := sdjwt.Policy{Now: r.Checked, Leeway: k.o.Leeway, Limited: true, Binding: s.binding(),
		Key: func(h jws.Header, claims map[string]any) (crypto.PublicKey, error) {
			kind, _ := claims["vct"].(string)
			key, by, err := k.key(ctx, l, h.X5C, kind, madeAt(claims, r.Checked))
			if err == nil {
				r.Issuer = Issuer{by.ID, by.Name, by.Demonstration}
			}
			return key, err
		}}
	v, err := t.Verify(p)
	if errors.Is(err, sdjwt.ErrNotYet) || errors.Is(err, sdjwt.ErrExpired) {
		// What it says is still shown, as what it said.
		r.add(documentReason(err), err)
		v, err = t.Verify(within(p, t.Unverified()))
	}
	switch {
	case errors.Is(err, sdjwt.ErrIssuer):
		r.add(UntrustedIssuer, err)
		return r.settle()
	case errors.Is(err, sdjwt.ErrNonce):
		r.nonce = true
	}
	if err != nil {
		r.add(documentReason(err), err)
		if x := r.Reasons[len(r.Reasons)-1]; x != HolderNotProved {
			r.Issuer = Issuer{}
		}
		return r.settle()
	}
	r.Type, r.Holder = v.Type, v.Binding != nil
	r.Issued, r.From, r.Until = v.IssuedAt, v.NotBefore, v.Expires
	r.show(v.Claims, k.Describe(v.Type))
	r.claims, r.chain = v.Claims, v.Header.X5C
	_, told := v.Claims["status"]
	switch {
	case v.Status != nil:
		k.lookUp(ctx, &r, *v.Status)
	case told:
		r.add(StatusUnknown, errors.New("its status is told in a way that is not known here"))
	}
	return r.settle()
}

// madeAt is when a document says that it was made, or now if that lies ahead.
func madeAt(claims map[string]any, now time.Time) time.Time {
	for _, name := range []string{"iat", "nbf"} {
		if at := seconds(claims[name]); !at.IsZero() {
			return moment(at, now)
		}
	}
	return now
}

// moment is at which the certificate of an issuer must have been good for a document made
// at a time: it may have been renewed since. Issuers write the day and no more, so that
// two copies can't be told to belong together: it is the end of that day, or now.
func moment(made, now time.Time) time.Time {
	if end := made.Add(24 * time.Hour); end.Before(now) {
		return end
	}
	return now
}

func seconds(v any) time.Time {
	n, ok := v.(json.Number)
	if !ok {
		return time.Time{}
	}
	f, err := n.Float64()
	if err != nil || f <= 0 || f > 1<<37 {
		return time.Time{}
	}
	return time.Unix(int64(f), 0)
}

// within moves a policy to a moment at which the document was good, and asks no more who
// holds it.
func within(p sdjwt.Policy, claims map[string]any) sdjwt.Policy {
	p.Binding = nil
	from, until := seconds(claims["nbf"]), seconds(claims["exp"])
	switch {
	case !until.IsZero() && !p.Now.Before(until):
		p.Now = until.Add(-time.Second)
	case !from.IsZero():
		p.Now = from
	}
	return p
}
