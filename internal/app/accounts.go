package app

import (
	"context"
	"fmt"
	"log/slog"

	"diwan/internal/audit"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/identity"
)

// OpenAccounts opens the database alone, beside a portal that may be running on
// it, for the commands that manage accounts.
func OpenAccounts(ctx context.Context, c Config, log *slog.Logger, clock gov.Clock) (*App, error) {
	a := &App{Config: c, log: log, clock: clock}
	pack, err := LoadCountry(c.Country)
	if err != nil {
		return nil, err
	}
	a.Country = pack.Country
	if a.DB, err = db.Open(ctx, c.Database); err != nil {
		return nil, err
	}
	a.closers = append(a.closers, a.DB.Close)
	if err := Migrate(ctx, a.DB, log, clock); err != nil {
		a.Close()
		return nil, err
	}
	a.Audit = audit.New(a.DB, clock)
	a.Accounts = identity.NewAccounts(a.DB, a.Audit, clock)
	return a, nil
}

// AddAccount adds an account, or changes the roles of one.
func (a *App) AddAccount(ctx context.Context, login, name, administration string, roles []string) error {
	if name == "" {
		name = login
	}
	acc := identity.Account{Actor: gov.Actor{Login: login, Administration: administration, Name: gov.Text{}}}
	for _, l := range a.Country.Order() {
		acc.Name[l] = name
	}
	for _, r := range roles {
		acc.Roles = append(acc.Roles, gov.Role(r))
	}
	return a.Accounts.Put(ctx, operator, acc)
}

// DisableAccount ends an account's sessions and refuses its links.
func (a *App) DisableAccount(ctx context.Context, login string) error {
	acc, err := a.Accounts.ByLogin(ctx, login)
	if err != nil {
		return err
	}
	acc.Disabled = true
	return a.Accounts.Put(ctx, operator, acc)
}

// SignInLink makes a sign-in link that works once.
func (a *App) SignInLink(ctx context.Context, login string) (string, error) {
	token, err := a.Accounts.Link(ctx, login)
	if err != nil {
		return "", err
	}
	base := a.Config.PublicURL
	if base == "" {
		base = "http://" + a.Config.Listen
	}
	return fmt.Sprintf("%s/%s/office/sign-in/%s", base, a.Country.Languages[0].Code, token), nil
}
