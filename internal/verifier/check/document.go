package check

import (
	"context"
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
	"unicode/utf8"

	"diwan/protocol/cosecode"
	"diwan/protocol/mdoc"
	"diwan/protocol/sdjwt"
)

// Bounds of what is given to be checked.
const (
	MaxText = 2 << 20 // of a text
	MaxFile = 20 << 20
	maxLink = 16 << 10 // of an address with a code in its fragment
)

// Document checks a document as a text: an SD-JWT VC, an ISO document in base64url, the
// code of a printed page, or the address that such a page shows, whose host is not asked
// for anything: the code stands behind its "#".
func (k *Kit) Document(ctx context.Context, text string) Result {
	r := Result{Checked: k.o.Now()}
	// Spaces are left: they are characters of a code.
	text = strings.Trim(text, "\r\n\t\ufeff")
	if len(text) > MaxText || !utf8.ValidString(text) {
		r.add(Unreadable, nil)
		return r.settle()
	}
	if code, ok := Code(text); ok {
		return k.code(ctx, r, code)
	}
	text = strings.TrimSpace(text)
	switch {
	case strings.Contains(text, "~"):
		return k.sdjwt(ctx, r, text, nil)
	case text == "" || strings.Contains(text, "://"):
		r.add(Unreadable, nil)
		return r.settle()
	}
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	if err != nil {
		b, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
	}
	if err != nil {
		r.add(Unreadable, err)
		return r.settle()
	}
	return k.mdoc(ctx, r, b)
}

// Code finds the code of a printed page in a text: the code itself, or an address whose
// fragment carries it.
func Code(text string) (string, bool) {
	if strings.HasPrefix(text, cosecode.Prefix) {
		return text, true
	}
	low := strings.ToLower(text[:min(len(text), 8)])
	if !strings.HasPrefix(low, "https://") && !strings.HasPrefix(low, "http://") || len(text) > maxLink {
		return "", false
	}
	_, fragment, found := strings.Cut(text, "#")
	if !found {
		return "", false
	}
	// A plus sign is a character of a code: this is no query.
	code, err := url.PathUnescape(fragment)
	if err != nil || !strings.HasPrefix(code, cosecode.Prefix) {
		return "", false
	}
	return code, true
}

// Link writes the address that a printed page shows, for cameras of phones: the fragment
// never reaches the server.
func Link(base, code string) string {
	return base + "#" + strings.ReplaceAll(url.PathEscape(code), "+", "%2B")
}

// documentReason sorts the errors of the formats.
func documentReason(err error) Reason {
	for _, x := range []struct {
		reason Reason
		errs   []error
	}{
		{NotYetValid, []error{sdjwt.ErrNotYet, mdoc.ErrNotYet, cosecode.ErrNotYet}},
		{Expired, []error{sdjwt.ErrExpired, mdoc.ErrExpired, cosecode.ErrExpired}},
		{HolderNotProved, []error{sdjwt.ErrHolder, sdjwt.ErrStale, sdjwt.ErrAudience, sdjwt.ErrNonce, sdjwt.ErrTransaction, mdoc.ErrHolder}},
		{BadSignature, []error{sdjwt.ErrSignature, sdjwt.ErrDigest, mdoc.ErrSignature, mdoc.ErrDigest, cosecode.ErrSignature}},
		{Unsupported, []error{sdjwt.ErrUnsupported, sdjwt.ErrProtected, sdjwt.ErrUnlimited, mdoc.ErrUnsupported, mdoc.ErrType, cosecode.ErrUnsupported}},
	} {
		for _, e := range x.errs {
			if errors.Is(err, e) {
				return x.reason
			}
		}
	}
	return Unreadable
}
