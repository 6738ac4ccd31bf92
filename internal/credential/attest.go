package credential

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"
	"database/sql"
	"encoding/asn1"
	"errors"
	"fmt"
	"time"

	"diwan/internal/pdf/seal"
	"diwan/internal/problem"
	"diwan/protocol/jws"
	"diwan/protocol/oauth"
)

// providerPurpose is the key with which this installation vouches for its own wallet,
// and attestationLife how long it does so before it looks again: a device that was
// revoked is out after this time at the latest, and at once where it asks the issuer.
const (
	providerPurpose = "wallet-provider"
	attestationLife = time.Hour
)

// oidClient is the extended key usage of a TLS client, the nearest there is.
var oidClient = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 2}

// AttestWallet vouches for a device whose key was just proved. It refuses one that is
// revoked, and one that was registered with another key. The client is the wallet of
// this installation where it is empty, or else the one on the command line.
func (s *Credentials) AttestWallet(ctx context.Context, id string, key *ecdsa.PublicKey, client string) (text string, ends time.Time, err error) {
	if client == "" {
		client = OwnClient
	}
	if client != OwnClient && client != CommandClient {
		return "", ends, problem.New(problem.Invalid, "credential.wallet.client")
	}
	jkt, err := jws.Thumbprint(key)
	if err != nil {
		return "", ends, err
	}
	var registered, state string
	err = s.DB.Reader().QueryRowContext(ctx, `SELECT key, state FROM credential_wallet WHERE id = $1`, id).Scan(&registered, &state)
	switch {
	case errors.Is(err, sql.ErrNoRows) || err == nil && registered != jkt:
		return "", ends, problem.New(problem.NotFound, "credential.wallet.not_found")
	case err != nil:
		return "", ends, fmt.Errorf("reading a device: %w", err)
	case state != Ready:
		return "", ends, problem.New(problem.Forbidden, "credential.wallet.revoked")
	}
	by, err := s.certified(ctx, providerPurpose, seal.Holder{ID: providerPurpose, Country: s.Country.Code, Uses: []asn1.ObjectIdentifier{oidClient}}, s.Country.Portal)
	if err != nil {
		return "", ends, err
	}
	now := s.Clock.Now()
	ends = now.Add(attestationLife)
	text, err = oauth.ClientAttestation{Issuer: s.Base, ClientID: client, Issued: now, Expires: ends, Key: key}.Sign(by.key, by.header())
	return text, ends, err
}

// trustsWallet finds the key of who attests a wallet: this installation itself, or a
// provider that its operator named.
func (s *Credentials) trustsWallet(h jws.Header, issuer string) (crypto.PublicKey, error) {
	if issuer == s.Base || issuer == "" {
		if k, err := s.ownProvider(h); err == nil {
			return k, nil
		}
	}
	if s.Wallets == nil {
		return nil, errors.New("this wallet provider is not trusted")
	}
	return s.Wallets(h, issuer)
}

func (s *Credentials) ownProvider(h jws.Header) (crypto.PublicKey, error) {
	if len(h.X5C) != 1 || h.X5C[0].Subject.SerialNumber != providerPurpose {
		return nil, errors.New("not a wallet of this installation")
	}
	root, err := s.authority(context.Background())
	if err != nil {
		return nil, err
	}
	if _, err := h.X5C[0].Verify(x509.VerifyOptions{Roots: root.Roots(), CurrentTime: s.Clock.Now(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		return nil, err
	}
	return h.X5C[0].PublicKey, nil
}
