package holder

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"fmt"

	"diwan/protocol/jws"
	"diwan/protocol/mdoc"
	"diwan/protocol/openid4"
	"diwan/protocol/openid4/vci"
	"diwan/protocol/sdjwt"
)

func encode(v any) ([]byte, error) { return json.Marshal(v) }

// check checks copies that came for keys and puts them into the document. Each must be
// of the type that was asked for and bound to a key that has no other copy.
func (t *trust) check(d *Document, list []vci.Credential, keys []held) error {
	open := map[string]held{}
	for _, k := range keys {
		name, err := jws.Thumbprint(k.key.Public())
		if err != nil {
			return err
		}
		open[name] = k
	}
	if len(list) == 0 {
		return fmt.Errorf("%w: there is none", ErrReceived)
	}
	d.Copies = nil
	for _, c := range list {
		bound, chain, err := t.verify(d, c.Value)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrReceived, err)
		}
		name, err := jws.Thumbprint(bound)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrReceived, err)
		}
		k, ok := open[name]
		if !ok {
			return fmt.Errorf("%w: it is bound to a key that is not this wallet's, or to one twice", ErrReceived)
		}
		delete(open, name)
		d.Copies, d.IssuedBy = append(d.Copies, Copy{Value: c.Value, Key: k.pkcs8}), chain[0].Subject.CommonName
	}
	return nil
}

// verify checks one copy and returns the key that it is bound to, with the issuer's
// certificates.
func (t *trust) verify(d *Document, value string) (crypto.PublicKey, []*x509.Certificate, error) {
	switch d.Format {
	case openid4.SDJWT:
		return t.verifySDJWT(d, value)
	case openid4.MDoc:
		return t.verifyMDoc(d, value)
	}
	return nil, nil, fmt.Errorf("the format %q", d.Format)
}

func (t *trust) verifySDJWT(d *Document, value string) (crypto.PublicKey, []*x509.Certificate, error) {
	tok, err := sdjwt.Parse(value, jws.Want{})
	if err != nil {
		return nil, nil, err
	}
	v, err := tok.Verify(sdjwt.Policy{Now: t.now, Leeway: leeway, Issued: true, Limited: true, Key: func(h jws.Header, _ map[string]any) (crypto.PublicKey, error) { return t.signer(h.X5C, d.Type) }})
	switch {
	case err != nil:
		return nil, nil, err
	case v.Type != d.Type:
		return nil, nil, fmt.Errorf("it is of the type %q", v.Type)
	case v.Holder == nil:
		return nil, nil, fmt.Errorf("it is bound to no key")
	}
	return v.Holder.Key, v.Header.X5C, nil
}

func (t *trust) verifyMDoc(d *Document, value string) (crypto.PublicKey, []*x509.Certificate, error) {
	in, err := parseMDoc(value)
	if err != nil {
		return nil, nil, err
	}
	doc, err := in.Verify(mdoc.Want{DocType: d.Type, Leeway: leeway, Trust: func(chain []*x509.Certificate, kind string) error {
		_, err := t.signer(chain, kind)
		return err
	}}, t.now)
	if err != nil {
		return nil, nil, err
	}
	return doc.DeviceKey, doc.Chain, nil
}
