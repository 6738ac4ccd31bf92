package app

import (
	"context"
	"crypto/ecdsa"
	"net/http"

	"diwan/internal/credential"
	"diwan/internal/gov"
	"diwan/internal/verifier/check"
	"diwan/internal/wallet"
)

// openWallet prepares the web wallet. It needs the pages.
func (a *App) openWallet(session, limit func(http.Handler) http.Handler) (*wallet.App, error) {
	return wallet.New(wallet.Options{Site: a.Site, Base: a.publicBase(), Client: credential.OwnClient, Devices: devices{a}, Session: session, Limit: limit,
		Read: func(ctx context.Context, b []byte) ([]string, error) { return check.Codes(ctx, b, nil) },
		Anchors: func(ctx context.Context) ([][]byte, error) {
			der, err := a.Credentials.Anchor(ctx)
			return [][]byte{der}, err
		}})
}

// devices are kept by the issuer.
type devices struct{ a *App }

// Register implements wallet.Devices.
func (d devices) Register(ctx context.Context, actor gov.Actor, name, thumbprint string) (string, error) {
	w, err := d.a.Credentials.RegisterWallet(ctx, actor, name, thumbprint)
	if err != nil {
		return "", err
	}
	return w.ID, nil
}

// Attest implements wallet.Devices.
func (d devices) Attest(ctx context.Context, id string, key *ecdsa.PublicKey, client string) (wallet.Attestation, error) {
	text, ends, err := d.a.Credentials.AttestWallet(ctx, id, key, client)
	return wallet.Attestation{Text: text, Ends: ends}, err
}

// List implements wallet.Devices.
func (d devices) List(ctx context.Context, actor gov.Actor) ([]wallet.Device, error) {
	all, err := d.a.Credentials.WalletsOf(ctx, actor.ID)
	var out []wallet.Device
	for _, w := range all {
		out = append(out, wallet.Device{ID: w.ID, Name: w.Name, Since: w.Created, Revoked: w.State != credential.Ready, Copies: w.Copies})
	}
	return out, err
}

// Revoke implements wallet.Devices.
func (d devices) Revoke(ctx context.Context, actor gov.Actor, id string) error {
	return d.a.Credentials.RevokeWallet(ctx, actor, id)
}
