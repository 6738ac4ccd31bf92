package credential

import (
	"context"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/protocol/claimpath"
	"diwan/protocol/mdoc"
	"diwan/protocol/sdjwt"
	"diwan/protocol/statuslist"
)

// Formats of a copy that goes on paper.
const onPaper = "paper"

// copies signs one copy of a document for each key, each with a place of its own in a
// status list. Nothing is kept yet: record does that, in the transaction that the
// answer waits for.
func (s *Credentials) copies(ctx context.Context, c *checked, format string, holders []*ecdsa.PublicKey, places []place) ([]string, error) {
	if err := c.take(); err != nil {
		return nil, err
	}
	by, err := s.issuer(ctx, c.document.Administration)
	if err != nil {
		return nil, err
	}
	out := make([]string, len(holders))
	for i, pub := range holders {
		if format == MDoc {
			out[i], err = s.mdoc(c, by, pub, places[i])
		} else {
			out[i], err = s.sdjwt(c, by, pub, places[i])
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *Credentials) listURI(list string) string { return s.Base + pathStatus + list }

// sdjwt signs an SD-JWT VC. Its times are whole days, so that they don't tell copies of
// one hour apart from those of another.
func (s *Credentials) sdjwt(c *checked, by certified, holder *ecdsa.PublicKey, at place) (string, error) {
	d := c.document
	claims := map[string]any{
		"iss": s.Base, "vct": c.kind.VCT, "iat": s.morning(s.today()).Unix(), "nbf": s.morning(d.From).Unix(),
		"cnf":    map[string]any{"jwk": publicMembers(holder)},
		"status": statuslist.Reference{Index: int(at.index), URI: s.listURI(at.list)}.Claim(),
	}
	if !d.Until.IsZero() {
		claims["exp"] = s.evening(d.Until).Unix()
	}
	var hidden []claimpath.Path
	for _, k := range c.kind.Claims {
		v, ok := c.values[k.Name]
		if !ok || !k.In(SDJWT) {
			continue
		}
		if k.Kind == Image {
			v = "data:image/jpeg;base64," + v.(string)
		}
		claims[k.Name] = v
		if !k.Open {
			hidden = append(hidden, claimpath.Path{k.Name})
		}
	}
	text, err := sdjwt.Issue(by.key, sdjwt.Issuance{Claims: claims, Disclosable: hidden, Header: by.header()})
	if err != nil {
		return "", fmt.Errorf("signing a copy of a document: %w", err)
	}
	return text, nil
}

// publicMembers writes a key by its members alone: a name or a use that a wallet gave
// it would be one more thing by which its copies could be linked.
func publicMembers(k *ecdsa.PublicKey) map[string]any {
	b, err := (jose.JSONWebKey{Key: k}).MarshalJSON()
	if err != nil {
		panic(err) // the key was read from a JSON Web Key
	}
	m := map[string]any{}
	if err := json.Unmarshal(b, &m); err != nil {
		panic(err)
	}
	return m
}

// mdoc signs an ISO mdoc.
func (s *Credentials) mdoc(c *checked, by certified, holder *ecdsa.PublicKey, at place) (string, error) {
	d := c.document
	in := mdoc.Issuance{DocType: c.kind.DocType, DeviceKey: holder, Signed: s.morning(s.today()), ValidFrom: s.morning(d.From), ValidUntil: by.cert.NotAfter,
		Status: &mdoc.Status{Idx: uint64(at.index), URI: s.listURI(at.list)}, Chain: by.header().X5C}
	if !d.Until.IsZero() && s.evening(d.Until).Before(in.ValidUntil) {
		in.ValidUntil = s.evening(d.Until)
	}
	if in.Signed.Before(by.cert.NotBefore) {
		in.Signed = by.cert.NotBefore
	}
	if in.ValidFrom.Before(in.Signed) {
		in.ValidFrom = in.Signed
	}
	for _, k := range c.kind.Claims {
		v, ok := c.values[k.Name]
		if !ok || !k.In(MDoc) {
			continue
		}
		x, err := k.element(v)
		if err != nil {
			return "", err
		}
		in.Elements = append(in.Elements, mdoc.Element{NameSpace: c.kind.Namespace, Identifier: k.Name, Value: x})
	}
	b, err := mdoc.Issue(by.key, in)
	if err != nil {
		return "", fmt.Errorf("signing a copy of a document: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// element is a value as an mdoc has it.
func (k *Claim) element(v any) (any, error) {
	switch k.Kind {
	case List:
		return k.elements(v)
	case Day:
		return mdoc.Date(v.(string)), nil
	case Image:
		return base64.StdEncoding.DecodeString(v.(string))
	case Number:
		n := v.(json.Number)
		if i, err := n.Int64(); err == nil {
			return i, nil
		}
		return n.Float64()
	}
	return v, nil
}

// morning is the moment at which a local day begins, and evening that at which it ends.
func (s *Credentials) morning(d gov.Date) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, s.Country.Zone())
}

func (s *Credentials) evening(d gov.Date) time.Time { return s.morning(d.AddDays(1)).Add(-time.Second) }

// record keeps that copies of a document were issued. False says that the document is
// not valid any more, and that nothing was kept.
func (s *Credentials) record(ctx context.Context, tx *db.Tx, d *Document, format, wallet, notification string, places []place) (bool, error) {
	ends := int64(0)
	if !d.Until.IsZero() {
		ends = db.Micros(s.evening(d.Until))
	}
	for _, p := range places {
		r, err := tx.ExecContext(ctx, `INSERT INTO credential_copy (list, place, document, format, status, wallet, notification, issued_at, ends_at)
			SELECT $1, $2, id, $4, 0, $5, $6, $7, $8 FROM credential_document WHERE id = $3 AND state = $9`,
			p.list, p.index, d.ID, format, wallet, notification, db.Micros(s.Clock.Now()), ends, Ready)
		if err != nil {
			return false, fmt.Errorf("keeping that a copy was issued: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return false, err
		}
	}
	return true, nil
}
