package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"diwan/internal/audit"
	"diwan/internal/catalogue"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/identity"
)

// OpenAccounts opens the database alone, beside a portal that may be running on
// it, for the commands that manage accounts. It makes no new installation: a
// misspelt data folder must not answer that the account was added.
func OpenAccounts(ctx context.Context, c Config, log *slog.Logger, clock gov.Clock) (*App, error) {
	a := &App{Config: c, log: log, clock: clock}
	pack, err := LoadCountry(c.Country)
	if err != nil {
		return nil, err
	}
	a.Country = pack.Country
	if err := c.databaseExists(); err != nil {
		return nil, err
	}
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
	a.Catalogue = catalogue.New(a.DB, a.Audit, clock, a.Country, log)
	return a, nil
}

// databaseExists keeps commands that work on an installation from making an empty
// one where the name of the data folder was misspelt. A server says for itself
// that it has no such database.
func (c Config) databaseExists() error {
	path, lite := strings.CutPrefix(c.Database, "sqlite:")
	if !lite {
		return nil
	}
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("there is no database at %s: name the data folder with --data, or make one with `diwan migrate`", path)
	}
	return nil
}

// AddAccount adds an account, or changes the roles of one. The administration
// must be one of the catalogue: an editor of a misspelt one could do nothing.
func (a *App) AddAccount(ctx context.Context, login, name, administration, unit string, roles []string) error {
	if name == "" {
		name = login
	}
	if unit != "" && administration == "" {
		return fmt.Errorf("a unit belongs to an administration: name it with --administration")
	}
	if administration != "" {
		if err := a.Catalogue.Refresh(ctx); err != nil {
			return err
		}
		if a.Catalogue.Snapshot().Administration(administration) == nil {
			return fmt.Errorf("the catalogue has no administration %q; its page's address ends with its id", administration)
		}
	}
	acc := identity.Account{Actor: gov.Actor{Login: login, Administration: administration, Unit: unit, Name: gov.Text{}}}
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
