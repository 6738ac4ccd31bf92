package mdoc

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
)

// Tags of CBOR (RFC 8949 §3.4, RFC 8943).
const (
	tagTime    = 0
	tagEncoded = 24
	tagDate    = 1004
)

var encoder = func() cbor.EncMode {
	o := cbor.CoreDetEncOptions()
	o.Time, o.TimeTag = cbor.TimeRFC3339, cbor.EncTagRequired
	m, err := o.EncMode()
	if err != nil {
		panic(err)
	}
	return m
}()

// maxItems bounds every array and map.
const maxItems = 1024

var decoder = func() cbor.DecMode {
	m, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		MaxNestedLevels:   16,
		MaxArrayElements:  maxItems,
		MaxMapPairs:       maxItems,
		IntDec:            cbor.IntDecConvertSignedOrFail,
		FieldNameMatching: cbor.FieldNameMatchingCaseSensitive,
		BignumTag:         cbor.BignumTagForbidden,
	}.DecMode()
	if err != nil {
		panic(err)
	}
	return m
}()

func decode(b []byte, v any) error {
	if err := decoder.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%w: %w", ErrForm, err)
	}
	return nil
}

// byteString is a CBOR byte string. A []byte would also be filled from an array of
// numbers, a second form of the same value.
type byteString []byte

func (s *byteString) UnmarshalCBOR(b []byte) error {
	if len(b) == 0 || b[0]>>5 != 2 {
		return errors.New("not a byte string")
	}
	return decoder.Unmarshal(b, (*[]byte)(s))
}

// encoded is tag 24: CBOR within a byte string, which keeps the bytes that somebody
// digested or signed.
type encoded struct {
	Raw   []byte // the tag and the byte string, as received
	Inner []byte
}

func (e *encoded) UnmarshalCBOR(b []byte) error {
	var t cbor.RawTag
	if err := decoder.Unmarshal(b, &t); err != nil {
		return err
	}
	var s byteString
	if t.Number != tagEncoded {
		return fmt.Errorf("tag %d instead of %d", t.Number, tagEncoded)
	}
	if err := s.UnmarshalCBOR(t.Content); err != nil {
		return err
	}
	e.Raw, e.Inner = bytes.Clone(b), s
	return nil
}

func (e encoded) MarshalCBOR() ([]byte, error) { return e.Raw, nil }

// encode writes v within tag 24.
func encode(v any) (encoded, error) {
	inner, err := encoder.Marshal(v)
	if err != nil {
		return encoded{}, err
	}
	return wrap(inner)
}

func wrap(inner []byte) (encoded, error) {
	raw, err := encoder.Marshal(cbor.Tag{Number: tagEncoded, Content: inner})
	return encoded{raw, inner}, err
}

// date and time of tag 0, in UTC and whole seconds when written; fractions are read,
// since some issuers write them.
type dateTime struct{ time.Time }

func (d *dateTime) UnmarshalCBOR(b []byte) error {
	var t cbor.RawTag
	if err := decoder.Unmarshal(b, &t); err != nil {
		return err
	}
	var s string
	if t.Number != tagTime {
		return fmt.Errorf("tag %d instead of %d", t.Number, tagTime)
	}
	if err := decoder.Unmarshal(t.Content, &s); err != nil {
		return err
	}
	var err error
	d.Time, err = time.Parse(time.RFC3339, s)
	return err
}

func (d dateTime) MarshalCBOR() ([]byte, error) {
	return encoder.Marshal(d.UTC().Truncate(time.Second))
}
