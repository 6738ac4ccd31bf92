package check

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"github.com/fxamacker/cbor/v2"

	"diwan/protocol/mdoc"
	"diwan/protocol/statuslist"
	"diwan/protocol/trustlist"
)

// mdoc checks an ISO document by itself: as it is issued, or as a device showed it, of
// which only what the issuer signed is looked at.
func (k *Kit) mdoc(ctx context.Context, r Result, b []byte) Result {
	in, err := mdoc.Parse(b)
	if err != nil {
		if inner, ok := issuerSigned(b); ok {
			in, err = mdoc.Parse(inner)
		}
	}
	if err != nil {
		r.Form = FormMDoc
		r.add(documentReason(err), err)
		return r.settle()
	}
	return k.iso(ctx, r, in.Verify)
}

// issuerSigned takes what the issuer signed out of a DeviceResponse of one document.
func issuerSigned(b []byte) ([]byte, bool) {
	if len(b) > mdoc.MaxBytes {
		return nil, false
	}
	var response struct {
		Documents []struct {
			IssuerSigned cbor.RawMessage `cbor:"issuerSigned"`
		} `cbor:"documents"`
	}
	if err := cbor.Unmarshal(b, &response); err != nil || len(response.Documents) != 1 {
		return nil, false
	}
	return response.Documents[0].IssuerSigned, true
}

// iso checks what verify reads against the list of issuers.
func (k *Kit) iso(ctx context.Context, r Result, verify func(mdoc.Want, time.Time) (*mdoc.Document, error)) Result {
	r.Form = FormMDoc
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
	var by Issuer
	d, err := verify(mdoc.Want{Leeway: k.o.Leeway, Trust: func(chain []*x509.Certificate, kind string) error {
		x, err := k.issuer(ctx, l, chain, kind, r.Checked)
		if err == nil {
			by = Issuer{x.ID, x.Name, x.Demonstration}
		}
		return err
	}}, r.Checked)
	switch {
	case errors.Is(err, trustlist.ErrUntrusted):
		r.add(UntrustedIssuer, err)
	case err != nil:
		r.add(documentReason(err), err)
	}
	if d == nil {
		return r.settle()
	}
	r.Issuer, r.Type = by, d.DocType
	r.Issued, r.From, r.Until = d.Signed, d.ValidFrom, d.ValidUntil
	r.claims, r.chain = plain(d.Elements), d.Chain
	r.show(r.claims, k.Describe(d.DocType))
	switch {
	case d.Status != nil && d.Status.Idx < statuslist.MaxEntries:
		k.lookUp(ctx, &r, statuslist.Reference{Index: int(d.Status.Idx), URI: d.Status.URI}) // #nosec G115 -- bounded by the condition
	case d.Status != nil, d.OtherStatus:
		r.add(StatusUnknown, statuslist.ErrReference)
	}
	return r.settle()
}

// plain writes elements as JSON has them, with which a query compares.
func plain(elements map[string]map[string]any) map[string]any {
	out := map[string]any{}
	for space, list := range elements {
		m := map[string]any{}
		for name, v := range list {
			m[name] = mdoc.JSON(v)
		}
		out[space] = m
	}
	return out
}
