package sign1

import (
	"crypto/x509"
	"fmt"
)

// maxChain bounds the certificates of a message: each costs parsing before anybody
// is trusted.
const maxChain = 6

// Chain reads the certificates that the message carries (RFC 9360 §2), the signer's
// first. That they are there makes nobody trust them. A message without any is
// [ErrForm].
func (m *Message) Chain() ([]*x509.Certificate, error) {
	v, ok := m.Unprotected[LabelChain]
	if !ok {
		v = m.Protected[LabelChain]
	}
	list, ok := v.([]any)
	if one, is := v.([]byte); is {
		list, ok = []any{one}, true
	}
	if !ok || len(list) == 0 || len(list) > maxChain {
		return nil, fmt.Errorf("%w: x5chain has 1 to %d certificates", ErrForm, maxChain)
	}
	chain := make([]*x509.Certificate, len(list))
	for i, c := range list {
		der, _ := c.([]byte)
		var err error
		if chain[i], err = x509.ParseCertificate(der); err != nil {
			return nil, fmt.Errorf("%w: x5chain: %w", ErrForm, err)
		}
	}
	return chain, nil
}

// ChainValue writes certificates as the value of x5chain: one as it is, several in
// an array.
func ChainValue(certs []*x509.Certificate) any {
	if len(certs) == 1 {
		return certs[0].Raw
	}
	list := make([]any, len(certs))
	for i, c := range certs {
		list[i] = c.Raw
	}
	return list
}
