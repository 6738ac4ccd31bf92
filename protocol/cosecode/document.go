package cosecode

import (
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// Date is a day without a time, "2006-01-02".
type Date string

// Status is an entry in a Token Status List.
type Status struct {
	Idx uint64 `cbor:"idx"`
	URI string `cbor:"uri"`
}

// Document is what a code says.
type Document struct {
	Issuer       string // whom the reader's trust is about, an address in general
	Type, Number string
	// Whole seconds. IssuedAt is always set; a zero NotBefore means IssuedAt, and a
	// zero Expires that the document does not expire.
	IssuedAt, NotBefore, Expires time.Time
	// Claims by short names: string, int64 and [Date] alone.
	Claims map[string]any
	Status *Status // nil for a document that can't be revoked
}

// tagDays is a day as a number of days since 1970 (RFC 8943 §1.1).
const tagDays = 100

// The days that [Date] can write: of the years 1 to 9999.
const (
	firstDay = -719162
	lastDay  = 2932896
)

const day = 24 * time.Hour

type claims struct {
	Issuer    string  `cbor:"1,keyasint"`
	Expires   *int64  `cbor:"4,keyasint,omitempty"`
	NotBefore *int64  `cbor:"5,keyasint,omitempty"`
	IssuedAt  int64   `cbor:"6,keyasint"`
	Status    *status `cbor:"65535,keyasint,omitempty"`
	Set       set     `cbor:"-65537,keyasint"`
}

type status struct {
	List Status `cbor:"status_list"`
}

type set struct {
	Type   string         `cbor:"1,keyasint"`
	Number string         `cbor:"2,keyasint"`
	Values map[string]any `cbor:"3,keyasint"`
}

var encoder = func() cbor.EncMode {
	m, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		panic(err)
	}
	return m
}()

var decoder = func() cbor.DecMode {
	m, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		MaxNestedLevels:   6,
		MaxArrayElements:  16,
		MaxMapPairs:       maxClaims,
		IntDec:            cbor.IntDecConvertSignedOrFail,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		BignumTag:         cbor.BignumTagForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return m
}()

// payload writes the claims in their one encoding, or says what has none.
func (d *Document) payload() ([]byte, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	c := claims{Issuer: d.Issuer, IssuedAt: d.IssuedAt.Unix(), Expires: seconds(d.Expires), NotBefore: seconds(d.NotBefore),
		Set: set{d.Type, d.Number, map[string]any{}}}
	if d.Status != nil {
		c.Status = &status{*d.Status}
	}
	for n, v := range d.Claims {
		if date, ok := v.(Date); ok {
			t, err := time.Parse(time.DateOnly, string(date))
			if err != nil || t.Year() == 0 {
				return nil, fmt.Errorf("claim %q is not a date", n)
			}
			v = cbor.Tag{Number: tagDays, Content: t.Unix() / int64(day/time.Second)}
		}
		c.Set.Values[n] = v
	}
	return encoder.Marshal(c)
}

func (d *Document) check() error {
	texts := []struct {
		name, text string
		max        int
	}{{"issuer", d.Issuer, maxIssuer}, {"type", d.Type, maxName}, {"number", d.Number, maxName}}
	if d.Status != nil {
		texts = append(texts, struct {
			name, text string
			max        int
		}{"status", d.Status.URI, maxStatusIn})
	}
	for _, x := range texts {
		if x.text == "" || len(x.text) > x.max || !utf8.ValidString(x.text) {
			return fmt.Errorf("the %s has 1 to %d bytes of UTF-8", x.name, x.max)
		}
	}
	if len(d.Claims) > maxClaims {
		return fmt.Errorf("%d claims, at most %d", len(d.Claims), maxClaims)
	}
	for n, v := range d.Claims {
		if n == "" || len(n) > maxName || !utf8.ValidString(n) {
			return fmt.Errorf("a claim's name has 1 to %d bytes of UTF-8", maxName)
		}
		switch v := v.(type) {
		case int64, Date:
		case string:
			if len(v) > maxValue || !utf8.ValidString(v) {
				return fmt.Errorf("claim %q has more than %d bytes or is not UTF-8", n, maxValue)
			}
		default:
			return fmt.Errorf("claim %q is a %T", n, v)
		}
	}
	if !usable(d.IssuedAt) || !d.NotBefore.IsZero() && !usable(d.NotBefore) || !d.Expires.IsZero() && !usable(d.Expires) {
		return fmt.Errorf("a time is missing or out of range")
	}
	return nil
}

// usable keeps times within those that RFC 3339 can write, after 1970.
func usable(t time.Time) bool { return t.Unix() > 0 && t.Unix() < 253402300800 }

func seconds(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	s := t.Unix()
	return &s
}

// parsePayload reads claims that must stand in their one encoding.
func parsePayload(b []byte) (*Document, error) {
	var c claims
	if err := decoder.Unmarshal(b, &c); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	d := &Document{Issuer: c.Issuer, Type: c.Set.Type, Number: c.Set.Number, Claims: map[string]any{}, IssuedAt: instant(&c.IssuedAt),
		NotBefore: instant(c.NotBefore), Expires: instant(c.Expires)}
	if c.Status != nil {
		d.Status = &c.Status.List
	}
	for n, v := range c.Set.Values {
		if t, ok := v.(cbor.Tag); ok {
			days, ok := t.Content.(int64)
			if t.Number != tagDays || !ok || days < firstDay || days > lastDay {
				return nil, fmt.Errorf("%w: claim %q", ErrForm, n)
			}
			v = Date(time.Unix(0, 0).UTC().AddDate(0, 0, int(days)).Format(time.DateOnly))
		}
		d.Claims[n] = v
	}
	again, err := d.payload()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	if string(again) != string(b) {
		return nil, fmt.Errorf("%w: the claims are not in their one encoding", ErrForm)
	}
	return d, nil
}

func instant(s *int64) time.Time {
	if s == nil {
		return time.Time{}
	}
	return time.Unix(*s, 0).UTC()
}

func (d *Document) validAt(now time.Time, leeway time.Duration) error {
	from := d.NotBefore
	if from.IsZero() {
		from = d.IssuedAt
	}
	if now.Add(leeway).Before(from) {
		return ErrNotYet
	}
	if !d.Expires.IsZero() && !now.Add(-leeway).Before(d.Expires) {
		return ErrExpired
	}
	return nil
}
