package app

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"

	"diwan/internal/verifier/check"
	"diwan/internal/verifier/poppler"
)

// VerifyOptions say what a document is checked with.
type VerifyOptions struct {
	// Kit is a file with lists of issuers, status lists and types, for a check without a
	// network; From is the address of a portal to get it from.
	Kit, From string
	// Anchors are files of certificates that are believed; without one those of the kit
	// are, and the answer names them.
	Anchors []string
}

// Verified is what was found, and by whose word.
type Verified struct {
	check.Result
	// Anchors are the fingerprints of the certificates that everything rests on, when
	// they came with the kit itself.
	Anchors []string `json:"anchors,omitempty"`
}

// VerifiedAccepted is the verdict on a good document.
const VerifiedAccepted = check.Accepted

// ErrNoKit is a check without anything to check with.
var ErrNoKit = errors.New("a check needs --kit FILE, or --from https://… to get one (a portal offers it at /verify/kit)")

// VerifyDocument checks a file (a picture, a PDF file, a text) or, with no such file,
// the text itself.
func VerifyDocument(ctx context.Context, o VerifyOptions, content []byte) (*Verified, error) {
	kit, err := o.kit(ctx)
	if err != nil {
		return nil, err
	}
	r, err := kit.File(ctx, content, poppler.Find())
	if err != nil && len(r.Reasons) == 0 {
		return nil, err
	}
	v := &Verified{Result: r}
	if len(o.Anchors) == 0 {
		v.Anchors = kit.Fingerprints()
	}
	return v, nil
}

func (o VerifyOptions) kit(ctx context.Context) (*check.Kit, error) {
	anchors, err := anchorsIn(o.Anchors)
	if err != nil {
		return nil, err
	}
	var b []byte
	switch {
	case o.Kit != "":
		if b, err = os.ReadFile(o.Kit); err != nil {
			return nil, err
		}
	case o.From != "":
		fetch := check.Fetcher(check.Transport(nil, true)) // whoever runs the command named the address
		if b, _, err = fetch(ctx, strings.TrimSuffix(o.From, "/")+"/en/verify/kit"); err != nil {
			return nil, err
		}
	default:
		return nil, ErrNoKit
	}
	return check.Import(b, check.Options{Anchors: anchors})
}

// DocumentText tells whether an argument is a document itself and not a file's name.
func DocumentText(s string) bool {
	_, code := check.Code(s)
	return code || strings.Contains(s, "~")
}

// anchorsIn reads files of certificates, in PEM or DER.
func anchorsIn(names []string) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	for _, n := range names {
		b, err := readBounded(n, maxAnchorFile)
		if err != nil {
			return nil, fmt.Errorf("reading an anchor: %w", err)
		}
		some, err := certificatesIn(b)
		if err != nil {
			return nil, fmt.Errorf("reading the anchor %s: %w", n, err)
		}
		out = append(out, some...)
	}
	return out, nil
}
