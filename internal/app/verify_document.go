package app

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"diwan/internal/verifier/check"
	"diwan/internal/verifier/poppler"
)

// VerifyOptions say what a document is checked with.
type VerifyOptions struct {
	// Kit is a file with lists of issuers, status lists and types, for a check without a
	// network; From is the address of a portal to get it from. With both, the file is for
	// when the portal can't be reached.
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
	// Failed is why the lists could not be renewed, so that those of the file were used.
	Failed string `json:"renewal_failed,omitempty"`
}

// VerifiedAccepted is the verdict on a good document.
const VerifiedAccepted = check.Accepted

// ErrNoKit is a check without anything to check with.
var ErrNoKit = errors.New("a check needs --kit FILE, or --from https://… to get one (a portal offers it at /verify/kit)")

// VerifyDocument checks a file (a picture, a PDF file, a text) or, with no such file,
// the text itself.
func VerifyDocument(ctx context.Context, o VerifyOptions, content []byte) (*Verified, error) {
	kit, failed, err := o.kit(ctx)
	if err != nil {
		return nil, err
	}
	r, err := kit.File(ctx, content, poppler.Find())
	if err != nil && len(r.Reasons) == 0 {
		return nil, err
	}
	v := &Verified{Result: r}
	if failed != nil {
		v.Failed = failed.Error()
	}
	if len(o.Anchors) == 0 {
		v.Anchors = kit.Fingerprints()
	}
	return v, nil
}

// kit reads the newest that can be had: from the portal that is named, or else from the
// file, with why the portal's was not had.
func (o VerifyOptions) kit(ctx context.Context) (k *check.Kit, failed, err error) {
	anchors, err := anchorsIn(o.Anchors)
	if err != nil {
		return nil, nil, err
	}
	if o.From != "" {
		if k, failed = kitFrom(ctx, o.From, anchors); failed == nil || o.Kit == "" {
			return k, nil, failed
		}
	}
	if o.Kit == "" {
		return nil, nil, ErrNoKit
	}
	b, err := readBounded(o.Kit, check.MaxKit)
	if err != nil {
		return nil, failed, err
	}
	k, err = check.Import(b, check.Options{Anchors: anchors})
	return k, failed, err
}

func kitFrom(ctx context.Context, portal string, anchors []*x509.Certificate) (*check.Kit, error) {
	fetch := check.Fetcher(check.Transport(nil, true)) // whoever runs the command named the address
	b, _, err := fetch(ctx, strings.TrimSuffix(portal, "/")+"/en/verify/kit")
	if err != nil {
		return nil, err
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
