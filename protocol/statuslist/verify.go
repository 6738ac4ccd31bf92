package statuslist

import (
	"crypto"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"strconv"
	"time"

	"diwan/protocol/jws"
	"diwan/protocol/strict"
)

// Policy is what a reader of a token asks.
type Policy struct {
	// URI is the address that the credential names, which the token must name too.
	URI string
	// Key returns the key that may sign the list of that address, or an error. The
	// header's Alg is the JOSE name for a CWT as well.
	Key func(h jws.Header, uri string) (crypto.PublicKey, error)
	Now time.Time
	// Leeway is by how much clocks may differ.
	Leeway time.Duration
	// MaxAge refuses a list issued longer ago, whatever its own dates; 0 is no bound.
	MaxAge time.Duration
	// MaxEntries bounds what is unpacked; 0 is [DefaultEntries].
	MaxEntries int
	// Algorithms that are accepted, by their JOSE names; none is ES256.
	Algorithms []string
}

// Verified is a token that was verified.
type Verified struct {
	Header         jws.Header
	URI            string
	IssuedAt       time.Time
	Expires        time.Time     // zero for none
	TTL            time.Duration // 0 for none
	AggregationURI string
	List           *List
	// Resolved is when it was had from its address: the time to live counts from then.
	Resolved time.Time

	packed Packed
}

// Verify reads a token of the form that its media type names.
func Verify(mediaType string, token []byte, p Policy) (*Verified, error) {
	kind, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		return nil, fmt.Errorf("%w: media type %.80q", ErrType, mediaType)
	}
	switch kind {
	case MediaJWT:
		return VerifyJWT(string(token), p)
	case MediaCWT:
		return VerifyCWT(token, p)
	}
	return nil, fmt.Errorf("%w: media type %.80q", ErrType, mediaType)
}

// VerifyJWT checks a token in JWT form: signature, type, address, dates, then unpacks
// the list within the policy's bound.
func VerifyJWT(token string, p Policy) (*Verified, error) {
	if len(p.Algorithms) == 0 {
		p.Algorithms = []string{jws.ES256}
	}
	parsed, err := jws.Parse(token, jws.Want{Types: []string{TypeJWT}, Algorithms: p.Algorithms, MaxBytes: MaxBytes})
	switch {
	case errors.Is(err, jws.ErrType):
		return nil, fmt.Errorf("%w: %w", ErrType, err)
	case errors.Is(err, jws.ErrAlgorithm):
		return nil, fmt.Errorf("%w: %w", ErrAlgorithm, err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	key, err := p.Key(parsed.Header, p.URI)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	payload, err := parsed.Verify(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	claims, err := strict.Object(payload, MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	v, err := readClaims(claims, parsed.Header)
	if err != nil {
		return nil, err
	}
	return v.finish(p)
}

// VerifyCWT is [VerifyJWT] for the CWT form.
func VerifyCWT(token []byte, p Policy) (*Verified, error) {
	if len(token) > MaxBytes {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrLarge, len(token), MaxBytes)
	}
	if len(p.Algorithms) == 0 {
		p.Algorithms = []string{jws.ES256}
	}
	v, err := readCWT(token, p)
	if err != nil {
		return nil, err
	}
	return v.finish(p)
}

// finish checks what both forms say and unpacks the list last, of a token that nothing
// else speaks against.
func (v *Verified) finish(p Policy) (*Verified, error) {
	if v.URI != p.URI || v.URI == "" {
		return nil, fmt.Errorf("%w: %.200q, not %.200q", ErrSubject, v.URI, p.URI)
	}
	if v.IssuedAt.After(p.Now.Add(p.Leeway)) {
		return nil, fmt.Errorf("%w: %s", ErrNotYet, v.IssuedAt.Format(time.RFC3339))
	}
	if v.expired(p.Now.Add(-p.Leeway)) {
		return nil, fmt.Errorf("%w: on %s", ErrExpired, v.Expires.Format(time.RFC3339))
	}
	if p.MaxAge > 0 && p.Now.Sub(v.IssuedAt) > p.MaxAge {
		return nil, fmt.Errorf("%w: issued on %s", ErrStale, v.IssuedAt.Format(time.RFC3339))
	}
	var err error
	if v.List, err = v.packed.Unpack(p.MaxEntries); err != nil {
		return nil, err
	}
	v.packed, v.Resolved = Packed{}, p.Now
	return v, nil
}

func (v *Verified) expired(now time.Time) bool {
	return !v.Expires.IsZero() && !now.Before(v.Expires)
}

// Status returns the status of a credential that names this list.
func (v *Verified) Status(r Reference) (Value, error) {
	if r.URI != v.URI {
		return 0, fmt.Errorf("%w: %.200q, not %.200q", ErrSubject, v.URI, r.URI)
	}
	return v.List.Get(r.Index)
}

// DefaultTTL is how long a list without a time to live is kept before the next is
// asked for.
const DefaultTTL = time.Hour

// FreshUntil returns until when the list may be used without asking for the next: its
// time to live after it was had, but not past its end. What HTTP said of caching plays
// no part (section 8.2).
func (v *Verified) FreshUntil() time.Time {
	ttl := v.TTL
	if ttl == 0 {
		ttl = DefaultTTL
	}
	until := v.Resolved.Add(ttl)
	if !v.Expires.IsZero() && v.Expires.Before(until) {
		return v.Expires
	}
	return until
}

// Fresh tells whether the list may be used at that time without asking for the next.
func (v *Verified) Fresh(now time.Time) bool { return now.Before(v.FreshUntil()) }

// Covers tells whether the list speaks of that time: for one asked for a time past, it
// must, or it is refused (section 8.4).
func (v *Verified) Covers(t time.Time) bool {
	return !t.Before(v.IssuedAt) && !v.expired(t)
}

func readClaims(claims map[string]any, h jws.Header) (*Verified, error) {
	v := &Verified{Header: h}
	v.URI, _ = claims["sub"].(string)
	list, ok := claims["status_list"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%w: no status list", ErrForm)
	}
	lst, _ := list["lst"].(string)
	data, err := base64.RawURLEncoding.Strict().DecodeString(lst)
	if err != nil {
		return nil, fmt.Errorf("%w: lst: %w", ErrForm, err)
	}
	bits, ok := index(list["bits"])
	if !ok {
		return nil, fmt.Errorf("%w: bits", ErrForm)
	}
	v.packed = Packed{bits, data}
	if v.AggregationURI, err = optionalText(list, "aggregation_uri"); err != nil {
		return nil, err
	}
	return v, v.readDates(claims)
}

func (v *Verified) readDates(claims map[string]any) error {
	n, err := number(claims, "iat")
	if err != nil {
		return err
	}
	if v.IssuedAt, err = dateOf(n); err != nil {
		return err
	}
	if _, ok := claims["exp"]; ok {
		if n, err = number(claims, "exp"); err != nil {
			return err
		}
		if v.Expires, err = dateOf(n); err != nil {
			return err
		}
	}
	if _, ok := claims["ttl"]; ok {
		if n, err = number(claims, "ttl"); err != nil {
			return err
		}
		v.TTL, err = seconds(n)
	}
	return err
}

func optionalText(m map[string]any, name string) (string, error) {
	v, ok := m[name]
	if !ok {
		return "", nil
	}
	s, ok := v.(string)
	if !ok || len(s) > maxURI {
		return "", fmt.Errorf("%w: %s", ErrForm, name)
	}
	return s, nil
}

func number(claims map[string]any, name string) (float64, error) {
	n, ok := claims[name].(json.Number)
	if !ok {
		return 0, fmt.Errorf("%w: %s is absent or not a number", ErrForm, name)
	}
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil {
		return 0, fmt.Errorf("%w: %s: %w", ErrForm, name, err)
	}
	return f, nil
}

const (
	maxDate = 253402300799 // the end of the year 9999, in seconds
	maxTTL  = 10 * 366 * 24 * 3600
)

func dateOf(n float64) (time.Time, error) {
	if !(n >= 0 && n <= maxDate) {
		return time.Time{}, fmt.Errorf("%w: a date", ErrForm)
	}
	return time.Unix(int64(n), 0).UTC(), nil
}

// seconds reads a time to live, which must be positive (section 5.1).
func seconds(n float64) (time.Duration, error) {
	if !(n > 0 && n <= maxTTL) {
		return 0, fmt.Errorf("%w: ttl", ErrForm)
	}
	return time.Duration(n * float64(time.Second)), nil
}
