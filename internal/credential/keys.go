package credential

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/x509"
	"database/sql"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/keys"
	"diwan/internal/pdf/seal"
	"diwan/protocol/jws"
	"diwan/protocol/openid4/jwe"
)

// Signers gives the newest key of a purpose, and makes the first one. Older keys stay
// good for what they signed, by their certificates.
type Signers interface {
	Signer(purpose string) (*keys.Key, error)
}

// Purposes of keys that belong to the whole installation.
const (
	rootPurpose   = "credential-authority"
	statusPurpose = "credential-status"
	trustPurpose  = "credential-trust"
	portalHolder  = "portal"
)

// issuerPurpose names an administration's key by a hash: its id may be longer than
// the name of a purpose.
func issuerPurpose(administration string) string {
	sum := sha256.Sum256([]byte(administration))
	return "credential-" + hex.EncodeToString(sum[:10])
}

// oidMDoc is the extended key usage of who signs ISO mdocs (ISO/IEC 18013-5 annex B),
// and oidStatus that of who signs status lists (Token Status List §10).
var (
	oidMDoc   = asn1.ObjectIdentifier{1, 0, 18013, 5, 1, 2}
	oidStatus = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 30}
)

// certified is a key with the certificate of its holder.
type certified struct {
	key  *keys.Key
	cert *x509.Certificate
}

// issuer returns the newest key of an administration, with its certificate.
func (s *Credentials) issuer(ctx context.Context, administration string) (certified, error) {
	return s.certified(ctx, issuerPurpose(administration), seal.Holder{ID: administration, Country: s.Country.Code, Uses: []asn1.ObjectIdentifier{oidMDoc}}, s.OfficeName(administration))
}

// portal is the installation itself, as the holder of a key.
func (s *Credentials) portal() seal.Holder {
	return seal.Holder{ID: portalHolder, Country: s.Country.Code, Uses: []asn1.ObjectIdentifier{oidStatus}}
}

// header names the key of a signature by its certificate; the anchor above it is never
// sent, since nobody may trust it for being sent (HAIP 1.0 §6.1.1).
func (c certified) header() jws.Header { return jws.Header{X5C: []*x509.Certificate{c.cert}} }

// statusKey signs status lists: one for all, so that a list tells nothing of whose
// documents stand in it.
func (s *Credentials) statusKey(ctx context.Context) (certified, error) {
	return s.certified(ctx, statusPurpose, s.portal(), s.Country.Portal)
}

// renewBefore is how long before the end of its certificate a key gets another one.
const renewBefore = seal.SealLife / 6

func (s *Credentials) certified(ctx context.Context, purpose string, h seal.Holder, name gov.Text) (certified, error) {
	key, err := s.Keys.Signer(purpose)
	if err != nil {
		return certified{}, fmt.Errorf("the key of an issuer: %w", err)
	}
	now := s.Clock.Now()
	s.mu.Lock()
	c, ok := s.certs[purpose]
	s.mu.Unlock()
	if ok && c.key.ID == key.ID && now.Before(c.cert.NotAfter.Add(-renewBefore)) {
		return c, nil
	}
	root, err := s.authority(ctx)
	if err != nil {
		return certified{}, err
	}
	h.Name, _ = name.In("", s.Country.Order())
	cert, err := s.certificate(ctx, purpose, key, func() (*x509.Certificate, error) { return root.Issue(key.Public(), h, s.morning(s.today())) })
	if err != nil {
		return certified{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.certs[purpose] = certified{key, cert}
	return s.certs[purpose], nil
}

// authority is the root under which this installation issues. Certificates begin with
// their day, as documents do: a document may not be older than its issuer's certificate.
func (s *Credentials) authority(ctx context.Context) (*seal.Authority, error) {
	key, err := s.Keys.Signer(rootPurpose)
	if err != nil {
		return nil, err
	}
	cert, err := s.certificate(ctx, rootPurpose, key, func() (*x509.Certificate, error) {
		name, _ := s.Country.Portal.In("", s.Country.Order())
		a, err := seal.NewAuthority(name, s.Country.Code, key, s.morning(s.today()))
		if err != nil {
			return nil, err
		}
		return a.Certificate, nil
	})
	if err != nil {
		return nil, err
	}
	return seal.OpenAuthority(cert.Raw, key)
}

// certificate returns the certificate that is kept for a key, made when there is none
// or when it ends soon.
func (s *Credentials) certificate(ctx context.Context, holder string, key *keys.Key, make func() (*x509.Certificate, error)) (*x509.Certificate, error) {
	var der []byte
	err := s.DB.RunTx(ctx, func(tx *db.Tx) error {
		err := tx.QueryRowContext(ctx, `SELECT certificate FROM credential_certificate WHERE holder = $1 AND key_id = $2`, holder, key.ID).Scan(&der)
		if err == nil {
			c, err := x509.ParseCertificate(der)
			if err != nil || s.Clock.Now().Before(c.NotAfter.Add(-renewBefore)) {
				return err
			}
		} else if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		c, err := make()
		if err != nil {
			return err
		}
		der = c.Raw
		_, err = tx.ExecContext(ctx, `INSERT INTO credential_certificate (holder, key_id, certificate, made_at) VALUES ($1, $2, $3, $4)
			ON CONFLICT (holder, key_id) DO UPDATE SET certificate = excluded.certificate, made_at = excluded.made_at`, holder, key.ID, der, db.Micros(s.Clock.Now()))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the certificate of %s: %w", holder, err)
	}
	return x509.ParseCertificate(der)
}

// encryptionKey is the key to which wallets encrypt their requests: the same on every
// copy of the program, without being kept anywhere but as the installation's secret.
func encryptionKey(secret []byte) (*jwe.Key, error) {
	// A key is a number below the order of the curve (FIPS 186-5 A.2.2), which the
	// first try gives for all but one of 2^32 secrets.
	for n := range 8 {
		b, err := hkdf.Key(sha256.New, secret, nil, fmt.Sprintf("diwan credential: requests %d", n), 32)
		if err != nil {
			return nil, err
		}
		if k, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), b); err == nil {
			return &jwe.Key{ID: "requests-1", Private: k}, nil
		}
	}
	return nil, errors.New("the secret gives no key for requests")
}
