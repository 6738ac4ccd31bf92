package exchange

import (
	"context"
	"crypto"
	"crypto/x509"
	"time"

	"diwan/internal/exchange/snapshot"
)

// stampRenewal is how long before its end a time-stamp certificate is replaced:
// what it stamped stays good, but it must not stamp up to its last day.
const stampRenewal = 60 * 24 * time.Hour

// StampCertificate returns the certificate under which a key gives time stamps: the
// one that was issued before, or, when there is none or its end is near, a new one
// of which gateways are told.
func (x *Exchange) StampCertificate(ctx context.Context, pub crypto.PublicKey, name string) (*x509.Certificate, error) {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, err
	}
	now := x.clock.Now()
	var found *x509.Certificate
	err = x.store.keys(ctx, x.store.db.Reader(), ` WHERE kind = $1`, []any{stampKind}, func(k Key) {
		c, err := x509.ParseCertificate(k.DER)
		if err == nil && k.Revoked.IsZero() && snapshot.Hash(c.RawSubjectPublicKeyInfo) == snapshot.Hash(der) && now.Add(stampRenewal).Before(c.NotAfter) {
			found = c
		}
	})
	if err != nil || found != nil {
		return found, err
	}
	return x.StampAuthority(ctx, pub, name)
}
