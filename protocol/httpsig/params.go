package httpsig

import (
	"fmt"
	"strings"
	"time"

	"github.com/dunglas/httpsfv"
)

// Params are the parameters of a signature (RFC 9421, 2.3). A zero field is left
// out. Times count whole seconds.
type Params struct {
	Created, Expires time.Time
	KeyID            string
	Alg              Algorithm
	Nonce            string
	Tag              string
}

func (p Params) add(to *httpsfv.Params) {
	if !p.Created.IsZero() {
		to.Add("created", p.Created.Unix())
	}
	if !p.Expires.IsZero() {
		to.Add("expires", p.Expires.Unix())
	}
	for _, f := range []struct{ name, value string }{
		{"keyid", p.KeyID}, {"alg", string(p.Alg)}, {"nonce", p.Nonce}, {"tag", p.Tag},
	} {
		if f.value != "" {
			to.Add(f.name, f.value)
		}
	}
}

// readParams reads the parameters that the RFC names; others are allowed, and
// signed, but mean nothing to us.
func readParams(from *httpsfv.Params) (Params, error) {
	var p Params
	var alg string
	for _, f := range []struct {
		name string
		to   *string
	}{{"keyid", &p.KeyID}, {"alg", &alg}, {"nonce", &p.Nonce}, {"tag", &p.Tag}} {
		v, ok := from.Get(f.name)
		if !ok {
			continue
		}
		if *f.to, ok = v.(string); !ok {
			return p, fmt.Errorf("%w: the parameter %s", ErrMalformed, f.name)
		}
	}
	for _, f := range []struct {
		name string
		to   *time.Time
	}{{"created", &p.Created}, {"expires", &p.Expires}} {
		v, ok := from.Get(f.name)
		if !ok {
			continue
		}
		n, ok := v.(int64)
		if !ok || n <= 0 {
			return p, fmt.Errorf("%w: the parameter %s", ErrMalformed, f.name)
		}
		*f.to = time.Unix(n, 0)
	}
	p.Alg = Algorithm(alg)
	return p, nil
}

// base is the signature base: what is signed (RFC 9421, 2.5). The identifiers and
// the last line are written from list, whose order of parameters is the signer's.
func base(m *Message, list httpsfv.InnerList, components []Component) ([]byte, error) {
	seen := make(map[Component]bool, len(components))
	var b strings.Builder
	for i, c := range components {
		if seen[c] {
			return nil, fmt.Errorf("%w: %s is covered twice", ErrMalformed, c)
		}
		seen[c] = true
		v, err := m.value(c)
		if err != nil {
			return nil, err
		}
		id, err := httpsfv.Marshal(list.Items[i])
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
		b.WriteString(id + ": " + v + "\n")
	}
	last, err := httpsfv.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	b.WriteString(`"@signature-params": ` + last)
	return []byte(b.String()), nil
}
