package credential

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"net/http"
	"time"

	"diwan/internal/gov"
	"diwan/protocol/trustlist"
)

// trustLife is how long a list of issuers can be relied on offline, and trustTTL after
// how long a verifier with a network asks again.
const (
	trustLife = 7 * 24 * time.Hour
	trustTTL  = time.Hour
)

// TrustList is who may issue here: every administration that has issued, and the
// portal for the status lists.
func (s *Credentials) TrustList(ctx context.Context) (*trustlist.List, error) {
	root, err := s.authority(ctx)
	if err != nil {
		return nil, err
	}
	roots := []string{base64.StdEncoding.EncodeToString(root.Certificate.Raw)}
	now := s.Clock.Now()
	l := &trustlist.List{Operator: s.Base, IssuedAt: now.Unix(), Expires: now.Add(trustLife).Unix(), TTL: int64(trustTTL / time.Second)}
	types, err := s.issuing(ctx)
	if err != nil {
		return nil, err
	}
	l.Issuers = append(l.Issuers, trustlist.Issuer{ID: portalHolder, Name: s.names(s.Country.Portal), Types: []string{trustlist.StatusLists, trustlist.Verifiers}, Roots: roots})
	for _, office := range types.order {
		certs, err := s.certificatesOf(ctx, issuerPurpose(office))
		if err != nil {
			return nil, err
		}
		l.Issuers = append(l.Issuers, trustlist.Issuer{ID: office, Certificates: certs, Name: s.names(s.OfficeName(office)), Types: types.of[office], Roots: roots, Demonstration: s.Demonstration})
	}
	return l, nil
}

// issuers are the types that each administration issues.
type issuers struct {
	order []string
	of    map[string][]string
}

// issuing finds who issues what: those whom a published type names, and those who
// signed a document of a type that names nobody.
func (s *Credentials) issuing(ctx context.Context) (*issuers, error) {
	all, err := s.Types(ctx, s.Country.Order()[0])
	if err != nil {
		return nil, err
	}
	out := &issuers{of: map[string][]string{}}
	add := func(office string, t *Type) {
		if out.of[office] == nil {
			out.order = append(out.order, office)
		}
		for _, name := range []string{t.VCT, t.DocType} {
			if name != "" && !contains(out.of[office], name) {
				out.of[office] = append(out.of[office], name)
			}
		}
	}
	byID := map[string]*Type{}
	for _, t := range all {
		byID[t.ID] = t
		for _, office := range t.Issuers {
			add(office, t)
		}
	}
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT DISTINCT administration, type FROM credential_document WHERE number <> '' ORDER BY administration, type`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var office, kind string
		if err := rows.Scan(&office, &kind); err != nil {
			return nil, err
		}
		if t := byID[kind]; t != nil && (len(t.Issuers) == 0 || contains(t.Issuers, office)) {
			add(office, t)
		}
	}
	return out, errors.Join(rows.Err())
}

func (s *Credentials) names(t gov.Text) map[string]string {
	m := map[string]string{}
	for l, name := range t {
		m[string(l)] = name
	}
	return m
}

// trustList answers GET /trust/issuers.
func (h *issuerHTTP) trustList(w http.ResponseWriter, r *http.Request) {
	text, err := h.SignedTrustList(r.Context())
	if err != nil {
		h.resourceError(w, err)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=60")
	w.Header().Set("Content-Type", trustlist.MediaType)
	_, _ = w.Write([]byte(text))
}

// SignedTrustList is the list as it is published.
func (s *Credentials) SignedTrustList(ctx context.Context) (string, error) {
	l, err := s.TrustList(ctx)
	if err != nil {
		return "", err
	}
	by, err := s.certified(ctx, trustPurpose, s.portal(), s.Country.Portal)
	if err != nil {
		return "", err
	}
	return l.Sign(by.key, by.header())
}

// SignRegistration says that the holder of a certificate is registered as a verifier,
// until a moment. Whether it is, the caller knows.
func (s *Credentials) SignRegistration(ctx context.Context, cert *x509.Certificate, until time.Time) (string, error) {
	by, err := s.certified(ctx, trustPurpose, s.portal(), s.Country.Portal)
	if err != nil {
		return "", err
	}
	return trustlist.Register(s.Base, cert, s.Clock.Now(), until).Sign(by.key, by.header())
}

// anchor answers GET /trust/anchor. Who takes it from here believes this address; its
// fingerprint is to be compared with one that came by another way.
func (h *issuerHTTP) anchor(w http.ResponseWriter, r *http.Request) {
	der, err := h.Anchor(r.Context())
	if err != nil {
		h.resourceError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/pkix-cert")
	w.Header().Set("Content-Disposition", `attachment; filename="anchor.cer"`)
	_, _ = w.Write(der)
}

// Anchor is the certificate on which all others here rest, in DER: what a verifier is
// given once, by hand.
func (s *Credentials) Anchor(ctx context.Context) ([]byte, error) {
	root, err := s.authority(ctx)
	if err != nil {
		return nil, err
	}
	return root.Certificate.Raw, nil
}

// maxCertificates bounds how many keys of an issuer are listed: the newest ones.
const maxCertificates = 16

// certificatesOf lists the certificates of an issuer's keys, newest first, for paper
// that names its key and does not carry it.
func (s *Credentials) certificatesOf(ctx context.Context, holder string) ([]string, error) {
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT certificate FROM credential_certificate WHERE holder = $1 ORDER BY made_at DESC LIMIT $2`, holder, maxCertificates)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []string
	for rows.Next() {
		var der []byte
		if err := rows.Scan(&der); err != nil {
			return nil, err
		}
		all = append(all, base64.StdEncoding.EncodeToString(der))
	}
	return all, rows.Err()
}
