package httpsig

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/dunglas/httpsfv"
)

// Errors of a signature that is well formed but not accepted.
var (
	ErrPolicy = errors.New("the signature does not cover or say what is required")
	ErrTime   = errors.New("the signature is not valid now")
)

// Keys finds the key of an id. It returns an error that wraps ErrKey when there is
// none that may sign now.
type Keys interface {
	Key(ctx context.Context, keyID string, alg Algorithm) (Key, error)
}

// Policy is what a verifier requires.
type Policy struct {
	Components []Component // that must be covered, each exactly so
	Label      string      // empty: any
	Tag        string      // empty: any
	Algorithms []Algorithm // empty: all but hmac-sha256, which proves nothing to others
	// MaxAge is how long ago a signature may have been created; 0 allows any age and
	// signatures that don't say when they were.
	MaxAge time.Duration
	// MaxValidity is the longest time from created to expires; 0: any, and expires
	// may be missing.
	MaxValidity time.Duration
	Skew        time.Duration // tolerated difference of clocks
	Nonce       bool          // a nonce must be there
	InTrailer   bool          // the signature stands in the trailers
	Now         func() time.Time
}

// Verified is a signature that was found good.
type Verified struct {
	Label      string
	Params     Params
	Components []Component
	Base       []byte // what was signed: with Signature and the key, evidence
	Signature  []byte
}

// signature is one that a message claims to carry.
type signature struct {
	label      string
	list       httpsfv.InnerList
	components []Component
	params     Params
	value      []byte
}

// Verify finds a signature of the message that the policy accepts and whose key
// verifies it. Several may be there; one good one is enough. With none, the error
// is that of the first candidate.
func Verify(ctx context.Context, m *Message, keys Keys, p Policy) (*Verified, error) {
	all, err := signatures(m, p.InTrailer)
	if err != nil {
		return nil, err
	}
	first := error(ErrNoSignature)
	tried := false
	for _, s := range all {
		if p.Label != "" && s.label != p.Label || p.Tag != "" && s.params.Tag != p.Tag {
			continue
		}
		v, err := verifyOne(ctx, m, s, keys, p)
		if err == nil {
			return v, nil
		}
		if !tried {
			tried, first = true, err
		}
	}
	return nil, first
}

func verifyOne(ctx context.Context, m *Message, s signature, keys Keys, p Policy) (*Verified, error) {
	if err := p.accepts(s); err != nil {
		return nil, err
	}
	key, err := keys.Key(ctx, s.params.KeyID, s.params.Alg)
	if err != nil {
		return nil, fmt.Errorf("looking up the key %.80q: %w", s.params.KeyID, err)
	}
	if err := p.allows(s, key); err != nil {
		return nil, err
	}
	text, err := base(m, s.list, s.components)
	if err != nil {
		return nil, err
	}
	if err := key.verify(text, s.value); err != nil {
		return nil, err
	}
	return &Verified{s.label, s.params, s.components, text, s.value}, nil
}

// accepts checks what a signature covers and says, without its key.
func (p Policy) accepts(s signature) error {
	for _, c := range p.Components {
		if !slices.Contains(s.components, c) {
			return fmt.Errorf("%w: %s is not covered", ErrPolicy, c)
		}
	}
	if p.Nonce && s.params.Nonce == "" {
		return fmt.Errorf("%w: no nonce", ErrPolicy)
	}
	return p.inTime(s.params)
}

func (p Policy) inTime(s Params) error {
	now := time.Now()
	if p.Now != nil {
		now = p.Now()
	}
	if s.Created.IsZero() && (p.MaxAge > 0 || p.MaxValidity > 0) || s.Expires.IsZero() && p.MaxValidity > 0 {
		return fmt.Errorf("%w: it does not say from when to when it is valid", ErrPolicy)
	}
	switch {
	case !s.Created.IsZero() && s.Created.After(now.Add(p.Skew)):
		return fmt.Errorf("%w: created in the future", ErrTime)
	case p.MaxAge > 0 && s.Created.Before(now.Add(-p.MaxAge-p.Skew)):
		return fmt.Errorf("%w: created too long ago", ErrTime)
	case !s.Expires.IsZero() && !s.Expires.After(now.Add(-p.Skew)):
		return fmt.Errorf("%w: expired", ErrTime)
	case p.MaxValidity > 0 && (s.Expires.Before(s.Created) || s.Expires.Sub(s.Created) > p.MaxValidity):
		return fmt.Errorf("%w: valid for longer than allowed", ErrTime)
	}
	return nil
}

// allows checks the algorithm: the key's own, which the message may only repeat.
func (p Policy) allows(s signature, k Key) error {
	if s.params.Alg != "" && s.params.Alg != k.Alg {
		return fmt.Errorf("%w: the message says %q", ErrKey, string(s.params.Alg))
	}
	if len(p.Algorithms) > 0 && !slices.Contains(p.Algorithms, k.Alg) || len(p.Algorithms) == 0 && k.Alg == HMACSHA256 {
		return fmt.Errorf("%w: the algorithm %s is not allowed", ErrPolicy, k.Alg)
	}
	return nil
}

// signatures reads what the message claims. A label without its other half, or
// one malformed signature, spoils all: a message is not half right.
func signatures(m *Message, inTrailer bool) ([]signature, error) {
	from := m.Header
	if inTrailer {
		from = m.Trailer
	}
	inputs, values := from.Values(HeaderInput), from.Values(HeaderSignature)
	if len(inputs) == 0 || len(values) == 0 {
		return nil, ErrNoSignature
	}
	if size(inputs) > MaxField || size(values) > MaxField {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrMalformed, MaxField)
	}
	in, err := httpsfv.UnmarshalDictionary(inputs)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, HeaderInput, err)
	}
	out, err := httpsfv.UnmarshalDictionary(values)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrMalformed, HeaderSignature, err)
	}
	labels := in.Names()
	if len(labels) > MaxSignatures || len(labels) != len(out.Names()) {
		return nil, fmt.Errorf("%w: %d inputs, %d signatures", ErrMalformed, len(labels), len(out.Names()))
	}
	all := make([]signature, 0, len(labels))
	for _, label := range labels {
		input, _ := in.Get(label)
		value, _ := out.Get(label)
		s, err := readSignature(label, input, value)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

func readSignature(label string, input, value httpsfv.Member) (signature, error) {
	s := signature{label: label}
	list, ok := input.(httpsfv.InnerList)
	if !ok || len(list.Items) > MaxComponents {
		return s, fmt.Errorf("%w: the input of %q", ErrMalformed, label)
	}
	item, ok := value.(httpsfv.Item)
	if !ok {
		return s, fmt.Errorf("%w: %q has no signature", ErrMalformed, label)
	}
	if s.value, ok = item.Value.([]byte); !ok {
		return s, fmt.Errorf("%w: the signature %q is no bytes", ErrMalformed, label)
	}
	for _, i := range list.Items {
		c, err := readComponent(i)
		if err != nil {
			return s, err
		}
		s.components = append(s.components, c)
	}
	s.list = list
	var err error
	s.params, err = readParams(list.Params)
	return s, err
}

func size(lines []string) (n int) {
	for _, l := range lines {
		n += len(l)
	}
	return n
}

// VerifyRequest is Verify for a request that a server received.
func VerifyRequest(r *http.Request, keys Keys, p Policy) (*Verified, error) {
	return Verify(r.Context(), FromRequest(r), keys, p)
}

// VerifyResponse is Verify for a response to req.
func VerifyResponse(ctx context.Context, resp *http.Response, req *http.Request, keys Keys, p Policy) (*Verified, error) {
	return Verify(ctx, FromResponse(resp, req), keys, p)
}
