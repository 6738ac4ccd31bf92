package identity

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"sync"
	"time"

	"diwan/internal/audit"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations returns the tables of accounts and sessions.
func Migrations() db.Migrations { return db.Embedded("identity", migrationFiles) }

const chain = "identity"

// linkLife is how long a sign-in link may be used: long enough to reach a
// colleague's inbox, too short to be found later.
const linkLife = 15 * time.Minute

// Account is somebody who works here.
type Account struct {
	gov.Actor
	Sample   bool // belongs to the demonstration
	Disabled bool
}

// Accounts keeps accounts and their sign-in links.
type Accounts struct {
	// Demo lets sample accounts in. They have no password, so that elsewhere they
	// stay closed, also on data that a demonstration left behind.
	Demo bool

	// Vault seals what is known of people. Without one nothing of the kind is kept.
	Vault *Vault
	// Zone is where the days of mandates are counted; nil is UTC.
	Zone *time.Location

	db      *db.DB
	audit   *audit.Log
	clock   gov.Clock
	secrets sync.Map // name to value; they never change
}

// NewAccounts returns the accounts of a database.
func NewAccounts(d *db.DB, a *audit.Log, clock gov.Clock) *Accounts {
	return &Accounts{db: d, audit: a, clock: clock}
}

var loginName = regexp.MustCompile(`^[a-z0-9][a-z0-9._@-]{1,63}$`)

var roles = map[gov.Role]bool{gov.RoleEditor: true, gov.RoleCommission: true, gov.RoleSteward: true, gov.RoleExchange: true, gov.RolePerson: true,
	gov.RoleReceive: true, gov.RoleStudy: true, gov.RoleSign: true, gov.RoleSupervise: true, gov.RoleCounter: true}

// unitName is what a unit of an administration is called in accounts.
var unitName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// Put adds an account, or changes the one with the same login. The id never
// changes: the audit trail names people by it.
func (s *Accounts) Put(ctx context.Context, by gov.Actor, a Account) error {
	if !loginName.MatchString(a.Login) {
		return problem.New(problem.Invalid, "account.login", "login", a.Login)
	}
	for _, r := range a.Roles {
		if !roles[r] {
			return problem.New(problem.Invalid, "account.role", "role", string(r))
		}
	}
	if a.Unit != "" && !unitName.MatchString(a.Unit) {
		return problem.New(problem.Invalid, "account.unit", "unit", a.Unit)
	}
	name, err := json.Marshal(a.Name)
	if err != nil {
		return err
	}
	rs, err := json.Marshal(a.Roles)
	if err != nil {
		return err
	}
	return s.db.RunTx(ctx, func(tx *db.Tx) error {
		var id string
		err := tx.QueryRowContext(ctx, `INSERT INTO identity_account (id, login, name, administration, unit, roles, sample, disabled, created_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			ON CONFLICT (login) DO UPDATE SET name = excluded.name, administration = excluded.administration, unit = excluded.unit,
				roles = excluded.roles, sample = excluded.sample, disabled = excluded.disabled
			RETURNING id`,
			gov.NewID(), a.Login, string(name), a.Administration, a.Unit, string(rs), a.Sample, a.Disabled, db.Micros(s.clock.Now())).Scan(&id)
		if err != nil {
			return fmt.Errorf("writing account %s: %w", a.Login, err)
		}
		return s.audit.Append(ctx, tx, chain, by, "account.put", id, map[string]string{
			"administration": a.Administration, "unit": a.Unit, "roles": string(rs), "disabled": fmt.Sprint(a.Disabled)})
	})
}

const accountColumns = `id, login, name, administration, unit, roles, sample, disabled`

func scanAccount(row interface{ Scan(...any) error }) (Account, error) {
	var a Account
	var name, rs string
	err := row.Scan(&a.ID, &a.Login, &name, &a.Administration, &a.Unit, &rs, &a.Sample, &a.Disabled)
	if errors.Is(err, sql.ErrNoRows) {
		return a, problem.New(problem.NotFound, "account.not_found")
	}
	if err != nil {
		return a, fmt.Errorf("reading an account: %w", err)
	}
	if err := json.Unmarshal([]byte(name), &a.Name); err != nil {
		return a, err
	}
	return a, json.Unmarshal([]byte(rs), &a.Roles)
}

// ByLogin returns an account by its login.
func (s *Accounts) ByLogin(ctx context.Context, login string) (Account, error) {
	if !loginName.MatchString(login) { // not every text can be asked for: PostgreSQL refuses some
		return Account{}, problem.New(problem.NotFound, "account.not_found")
	}
	return scanAccount(s.db.Reader().QueryRowContext(ctx, `SELECT `+accountColumns+` FROM identity_account WHERE login = $1`, login))
}

// ByID returns an account by its id.
func (s *Accounts) ByID(ctx context.Context, id string) (Account, error) {
	return scanAccount(s.db.Reader().QueryRowContext(ctx, `SELECT `+accountColumns+` FROM identity_account WHERE id = $1`, id))
}

// WhoWork lists those who work at an administration, by login.
func (s *Accounts) WhoWork(ctx context.Context, administration string) ([]gov.Actor, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT `+accountColumns+` FROM identity_account WHERE administration = $1 AND administration <> '' ORDER BY login LIMIT 500`, administration)
	if err != nil {
		return nil, fmt.Errorf("listing colleagues: %w", err)
	}
	defer rows.Close()
	var out []gov.Actor
	for rows.Next() {
		a, err := scanAccount(rows)
		if err != nil {
			return nil, err
		}
		if s.open(a) {
			out = append(out, a.Actor)
		}
	}
	return out, rows.Err()
}

// List returns all accounts by login.
func (s *Accounts) List(ctx context.Context) ([]Account, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT `+accountColumns+` FROM identity_account ORDER BY login`)
	if err != nil {
		return nil, fmt.Errorf("listing accounts: %w", err)
	}
	defer rows.Close()
	var out []Account
	for rows.Next() {
		a, err := scanAccount(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	return out, rows.Err()
}

// Link makes a one-time token with which the account signs in. Only its hash is
// kept.
func (s *Accounts) Link(ctx context.Context, login string) (token string, err error) {
	a, err := s.ByLogin(ctx, login)
	if err != nil {
		return "", err
	}
	if a.Disabled {
		return "", problem.New(problem.Forbidden, "account.disabled", "login", login)
	}
	token = gov.NewID()
	err = s.db.RunTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO identity_link (token_hash, account, expires_at) VALUES ($1, $2, $3)`,
			hashToken(token), a.ID, db.Micros(s.clock.Now().Add(linkLife))); err != nil {
			return fmt.Errorf("writing a sign-in link: %w", err)
		}
		return s.audit.Append(ctx, tx, chain, gov.Actor{}, "account.link", a.ID, nil)
	})
	return token, err
}

// Redeem uses up a sign-in link and returns its account. A link works once.
func (s *Accounts) Redeem(ctx context.Context, token string) (Account, error) {
	var account string
	err := s.db.RunTx(ctx, func(tx *db.Tx) error {
		var expires int64
		err := tx.QueryRowContext(ctx, `DELETE FROM identity_link WHERE token_hash = $1 RETURNING account, expires_at`, hashToken(token)).Scan(&account, &expires)
		if errors.Is(err, sql.ErrNoRows) || (err == nil && db.Micros(s.clock.Now()) > expires) {
			account = ""
			return nil // the row stays deleted: an expired link is used up too
		}
		if err != nil {
			return fmt.Errorf("redeeming a sign-in link: %w", err)
		}
		return s.audit.Append(ctx, tx, chain, gov.Actor{ID: account}, "account.link_used", account, nil)
	})
	if err != nil {
		return Account{}, err
	}
	if account == "" {
		return Account{}, problem.New(problem.Forbidden, "link.expired")
	}
	a, err := s.ByID(ctx, account)
	if err == nil && !s.open(a) {
		err = errDisabled(a)
	}
	return a, err
}

func errDisabled(a Account) error {
	return problem.New(problem.Forbidden, "account.disabled", "login", a.Login)
}

// open reports whether somebody may work with an account.
func (s *Accounts) open(a Account) bool { return !a.Disabled && (s.Demo || !a.Sample) }

func hashToken(t string) string {
	sum := sha256.Sum256([]byte(t))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
