package check

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"time"

	"diwan/protocol/cosecode"
	"diwan/protocol/statuslist"
	"diwan/protocol/trustlist"
)

// errStranger means that nobody is known by the name of a code's key.
var errStranger = errors.New("the key of the code is of nobody known")

// code checks the code of a printed page. Its issuer is named by the subject of the
// certificate, as in the list of issuers, or by the operator of the list, who then
// vouches that the certificate is of whom it names.
func (k *Kit) code(ctx context.Context, r Result, text string) Result {
	r.Form = FormCode
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
	var leaf *x509.Certificate
	want := cosecode.Want{Leeway: k.o.Leeway, Key: func(kid []byte, issuer string) (crypto.PublicKey, error) {
		if leaf = k.certificate(ctx, kid, issuer, l.Operator); leaf == nil {
			return nil, errStranger
		}
		return leaf.PublicKey, nil
	}}
	d, err := cosecode.Decode(text, want, r.Checked)
	switch {
	case errors.Is(err, errStranger):
		r.add(UntrustedIssuer, err)
	case err != nil:
		r.add(documentReason(err), err)
	}
	if d == nil {
		return r.settle()
	}
	by, err := k.issuer(ctx, l, []*x509.Certificate{leaf}, d.Type, moment(d.IssuedAt, r.Checked))
	if err != nil {
		r.add(UntrustedIssuer, err)
		return r.settle()
	}
	r.Issuer, r.Type, r.Number = Issuer{by.ID, by.Name, by.Demonstration}, d.Type, d.Number
	r.Issued, r.From, r.Until = d.IssuedAt, d.NotBefore, d.Expires
	claims := map[string]any{}
	for n, v := range d.Claims {
		if day, ok := v.(cosecode.Date); ok {
			v = string(day)
		}
		claims[n] = v
	}
	r.show(claims, k.Describe(d.Type))
	switch {
	case d.Status != nil && d.Status.Idx < statuslist.MaxEntries:
		k.lookUp(ctx, &r, statuslist.Reference{Index: int(d.Status.Idx), URI: d.Status.URI}) // #nosec G115 -- bounded by the condition
	case d.Status != nil:
		r.add(StatusUnknown, statuslist.ErrReference)
	case d.Expires.IsZero():
		r.add(Unsupported, errors.New("it has neither an end nor a status"))
	}
	return r.settle()
}

// certificate finds the certificate of a code's key, which the list of issuers has: a code
// has no room for it. An unknown one may be new: then the list is asked for anew, as seldom
// as ever.
func (k *Kit) certificate(ctx context.Context, kid []byte, issuer, operator string) *x509.Certificate {
	find := func() *x509.Certificate {
		k.mu.Lock()
		defer k.mu.Unlock()
		c := k.certs[hex.EncodeToString(kid)]
		if c == nil || c.Subject.SerialNumber != issuer && issuer != operator {
			return nil
		}
		return c
	}
	if c := find(); c != nil {
		return c
	}
	if err := k.refresh(ctx, true); err != nil {
		return nil
	}
	return find()
}
