package cosecode

import (
	"bytes"
	"compress/zlib"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"diwan/protocol/cosecode/sign1"
)

const tagSign1 = 0xd2 // COSE_Sign1 (RFC 9052 §4.2)

// KeyID names the key of a certificate: the first eight bytes of the SHA-256 of its
// DER. Who knows several certificates of one name tries each.
func KeyID(c *x509.Certificate) []byte {
	sum := sha256.Sum256(c.Raw)
	return sum[:8]
}

// Encode signs a document with a P-256 key, which kid names, and returns the text of
// its code.
func Encode(key crypto.Signer, kid []byte, d *Document) (string, error) {
	if len(kid) == 0 || len(kid) > maxKeyID {
		return "", fmt.Errorf("writing a code: the key's name has 1 to %d bytes", maxKeyID)
	}
	payload, err := d.payload()
	if err != nil {
		return "", fmt.Errorf("writing a code: %w", err)
	}
	msg, err := sign1.Sign(key, map[any]any{sign1.LabelKeyID: kid, sign1.LabelType: Type}, nil, payload, false)
	if err != nil {
		return "", fmt.Errorf("writing a code: %w", err)
	}
	packed, err := pack(append([]byte{tagSign1}, msg...))
	if err != nil {
		return "", fmt.Errorf("writing a code: %w", err)
	}
	text := Prefix + EncodeBase45(packed)
	if len(text) > MaxText {
		return "", fmt.Errorf("writing a code: %d characters, at most %d", len(text), MaxText)
	}
	return text, nil
}

// Want is what a reader accepts.
type Want struct {
	// Key finds the key that an issuer signs with. It is asked before anything is
	// verified. Its error passes through.
	Key func(kid []byte, issuer string) (crypto.PublicKey, error)
	// Leeway is by how much clocks may differ.
	Leeway time.Duration
}

// Decode reads a code and checks its signature and its time. The text is taken as it
// is: space is a character of Base45. A document that is good but for its time comes
// together with [ErrNotYet] or [ErrExpired], for being shown. Its status is not
// looked at.
func Decode(text string, want Want, now time.Time) (*Document, error) {
	msg, err := parse(text)
	if err != nil {
		return nil, err
	}
	d, err := parsePayload(msg.Unverified())
	if err != nil {
		return nil, err
	}
	if want.Key == nil {
		return nil, errors.New("reading a code: nobody finds the key")
	}
	kid, _ := msg.Protected[sign1.LabelKeyID].([]byte)
	key, err := want.Key(kid, d.Issuer)
	if err != nil {
		return nil, err
	}
	if _, err := msg.Verify(key, nil); err != nil {
		return nil, sorted(err)
	}
	return d, d.validAt(now, want.Leeway)
}

// parse reads the form down to the message, whose headers must be exactly those that
// [Encode] writes.
func parse(text string) (*sign1.Message, error) {
	if len(text) > MaxText {
		return nil, fmt.Errorf("%w: %d characters, at most %d", ErrForm, len(text), MaxText)
	}
	rest, ok := strings.CutPrefix(text, Prefix)
	if !ok {
		return nil, fmt.Errorf("%w: it does not begin with %q", ErrUnsupported, Prefix)
	}
	packed, err := DecodeBase45(rest)
	if err != nil {
		return nil, err
	}
	b, err := unpack(packed)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	if len(b) == 0 || b[0] != tagSign1 {
		return nil, fmt.Errorf("%w: not a tagged COSE_Sign1", ErrForm)
	}
	msg, err := sign1.Parse(b)
	if err != nil {
		return nil, sorted(err)
	}
	if msg.Protected[sign1.LabelType] != Type {
		return nil, fmt.Errorf("%w: the headers name another type", ErrUnsupported)
	}
	kid, ok := msg.Protected[sign1.LabelKeyID].([]byte)
	if !ok || len(kid) == 0 || len(kid) > maxKeyID || len(msg.Protected) != 3 || len(msg.Unprotected) != 0 {
		return nil, fmt.Errorf("%w: headers beyond algorithm, key and type", ErrForm)
	}
	return msg, nil
}

func pack(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := zlib.NewWriterLevel(&out, zlib.BestCompression)
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Close()
	}
	return out.Bytes(), err
}

// unpack stops at a bound: a few characters of zlib can stand for megabytes.
func unpack(b []byte) ([]byte, error) {
	in := bytes.NewReader(b)
	r, err := zlib.NewReader(in)
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, maxMessage+1))
	switch {
	case err != nil:
		return nil, err
	case len(out) > maxMessage:
		return nil, fmt.Errorf("it unpacks to more than %d bytes", maxMessage)
	case in.Len() > 0:
		return nil, errors.New("more follows the packed message")
	}
	return out, nil
}

// sorted puts an error about the message among this package's, so that one reason
// alone matches.
func sorted(err error) error {
	kind := ErrSignature
	switch {
	case errors.Is(err, sign1.ErrForm):
		kind = ErrForm
	case errors.Is(err, sign1.ErrAlgorithm), errors.Is(err, sign1.ErrKey):
		kind = ErrUnsupported
	}
	return fmt.Errorf("%w: %s", kind, err.Error())
}
