package statuslist

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/veraison/go-cose"

	"diwan/protocol/jws"
)

// algorithms are the COSE numbers of the algorithms that can be allowed.
var algorithms = map[string]cose.Algorithm{
	jws.ES256: cose.AlgorithmES256, jws.ES384: cose.AlgorithmES384, jws.ES512: cose.AlgorithmES512,
	jws.PS256: cose.AlgorithmPS256, jws.EdDSA: cose.AlgorithmEdDSA,
}

const (
	maxChain = 6
	// The tags that say CWT and COSE_Sign1, as they are encoded.
	tagCWT   = "\xd8\x3d"
	tagSign1 = "\xd2"
)

type cwtList struct {
	Bits           uint64 `cbor:"bits"`
	List           []byte `cbor:"lst"`
	AggregationURI string `cbor:"aggregation_uri,omitempty"`
}

type cwtClaims struct {
	Subject  string   `cbor:"2,keyasint"`
	IssuedAt any      `cbor:"6,keyasint"`
	Expires  any      `cbor:"4,keyasint,omitempty"`
	TTL      *uint64  `cbor:"65534,keyasint,omitempty"`
	List     *cwtList `cbor:"65533,keyasint"`
}

// SignCWT signs the list as a CWT: a tagged COSE_Sign1 whose unprotected header
// carries the certificate chain (x5chain) or, without one, whose protected header
// carries the key's name.
func (t *Token) SignCWT(key crypto.Signer, h jws.Header) ([]byte, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	alg, err := jws.AlgorithmOf(key.Public())
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	signer, err := cose.NewSigner(algorithms[alg], key)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	claims := cwtClaims{Subject: t.URI, IssuedAt: t.IssuedAt.Unix(), List: &cwtList{uint64(t.List.Bits), t.List.Data, t.AggregationURI}} // #nosec G115 -- checked
	if !t.Expires.IsZero() {
		claims.Expires = t.Expires.Unix()
	}
	if t.TTL > 0 {
		ttl := uint64(t.TTL / time.Second)
		claims.TTL = &ttl
	}
	payload, err := encoding.Marshal(claims)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	headers := cose.Headers{
		Protected:   cose.ProtectedHeader{cose.HeaderLabelAlgorithm: algorithms[alg], cose.HeaderLabelType: MediaCWT},
		Unprotected: cose.UnprotectedHeader{},
	}
	if len(h.X5C) > 0 {
		headers.Unprotected[cose.HeaderLabelX5Chain] = chainOf(h.X5C)
	}
	if h.Kid != "" {
		headers.Protected[cose.HeaderLabelKeyID] = []byte(h.Kid)
	}
	b, err := cose.Sign1(rand.Reader, signer, headers, payload, nil)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return b, nil
}

// chainOf writes certificates as x5chain: one alone, several in an array (RFC 9360).
func chainOf(certs []*x509.Certificate) any {
	if len(certs) == 1 {
		return certs[0].Raw
	}
	out := make([]any, len(certs))
	for i, c := range certs {
		out[i] = c.Raw
	}
	return out
}

// encoding is core deterministic; decoding refuses what is given twice, has no stated
// length or is nested without need.
var (
	encoding = must(cbor.CoreDetEncOptions().EncMode())
	decoding = must(cbor.DecOptions{
		DupMapKey: cbor.DupMapKeyEnforcedAPF, IndefLength: cbor.IndefLengthForbidden, TagsMd: cbor.TagsForbidden,
		MaxNestedLevels: 8, MaxArrayElements: 64, MaxMapPairs: 64, UTF8: cbor.UTF8RejectInvalid,
	}.DecMode())
)

// must returns a mode whose options are written above.
func must[T any](mode T, err error) T {
	if err != nil {
		panic(err)
	}
	return mode
}

// readCWT checks the form and the signature of a CWT.
func readCWT(b []byte, p Policy) (*Verified, error) {
	b = bytes.TrimPrefix(b, []byte(tagCWT))
	m := cose.NewSign1Message()
	read := m.UnmarshalCBOR
	if !bytes.HasPrefix(b, []byte(tagSign1)) {
		read = (*cose.UntaggedSign1Message)(m).UnmarshalCBOR
	}
	if err := read(b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	h, err := cwtHeader(m, p.Algorithms)
	if err != nil {
		return nil, err
	}
	key, err := p.Key(h, p.URI)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if alg, err := jws.AlgorithmOf(key); err != nil || alg != h.Alg {
		return nil, fmt.Errorf("%w: the key is not one for %s", ErrSignature, h.Alg)
	}
	verifier, err := cose.NewVerifier(algorithms[h.Alg], key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if err := m.Verify(nil, verifier); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	var c cwtClaims
	if err := decoding.Unmarshal(m.Payload, &c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	return c.verified(h)
}

// cwtHeader reads what the header says in the terms of a JWT's.
func cwtHeader(m *cose.Sign1Message, allowed []string) (h jws.Header, err error) {
	typ, _ := m.Headers.Protected[cose.HeaderLabelType].(string)
	if !strings.EqualFold(typ, MediaCWT) {
		return h, fmt.Errorf("%w: %.60q", ErrType, typ)
	}
	if critical, err := m.Headers.Protected.Critical(); err != nil || len(critical) > 0 {
		return h, fmt.Errorf("%w: critical headers", ErrForm)
	}
	number, err := m.Headers.Protected.Algorithm()
	if err != nil {
		return h, fmt.Errorf("%w: %w", ErrAlgorithm, err)
	}
	h.Typ = TypeCWT
	for name, n := range algorithms {
		if n == number && slices.Contains(allowed, name) {
			h.Alg = name
		}
	}
	if h.Alg == "" {
		return h, fmt.Errorf("%w: %d", ErrAlgorithm, number)
	}
	if kid, ok := either(m, cose.HeaderLabelKeyID).([]byte); ok {
		h.Kid = string(kid)
	}
	h.X5C, err = readChain(either(m, cose.HeaderLabelX5Chain))
	return h, err
}

func either(m *cose.Sign1Message, label int64) any {
	if v, ok := m.Headers.Protected[label]; ok {
		return v
	}
	return m.Headers.Unprotected[label]
}

func readChain(v any) ([]*x509.Certificate, error) {
	list, ok := v.([]any)
	if !ok && v != nil {
		list = []any{v}
	}
	if len(list) > maxChain {
		return nil, fmt.Errorf("%w: x5chain has at most %d certificates", ErrForm, maxChain)
	}
	var chain []*x509.Certificate
	for _, c := range list {
		der, _ := c.([]byte)
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("%w: x5chain: %w", ErrForm, err)
		}
		chain = append(chain, cert)
	}
	return chain, nil
}

func (c *cwtClaims) verified(h jws.Header) (*Verified, error) {
	if c.List == nil || c.List.Bits > 8 {
		return nil, fmt.Errorf("%w: no status list", ErrForm)
	}
	v := &Verified{Header: h, URI: c.Subject, AggregationURI: c.List.AggregationURI}
	v.packed = Packed{int(c.List.Bits), c.List.List} // #nosec G115 -- bounded above
	var err error
	if v.IssuedAt, err = cborDate(c.IssuedAt); err != nil {
		return nil, err
	}
	if c.Expires != nil {
		if v.Expires, err = cborDate(c.Expires); err != nil {
			return nil, err
		}
	}
	if c.TTL != nil {
		if v.TTL, err = seconds(float64(*c.TTL)); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func cborDate(v any) (time.Time, error) {
	switch n := v.(type) {
	case uint64:
		return dateOf(float64(n))
	case float64:
		return dateOf(n)
	}
	return time.Time{}, fmt.Errorf("%w: a date is absent or not a number", ErrForm)
}
