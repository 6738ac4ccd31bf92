package casework

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// MayAPI is the action of whoever lets programs of an administration in.
const MayAPI = "api.cases"

// Scopes of a token: what the program may do. The policy bounds it further, as if
// an officer with the roles beside it had asked.
const (
	ScopeRead   = "read"
	ScopeFile   = "file"
	ScopeAct    = "act"
	ScopeDecide = "decide"
	ScopeImport = "import"
)

// scopeRoles are the roles in which a program with a scope acts. To read and to
// import are bounded by the interface alone.
var scopeRoles = map[string][]gov.Role{
	ScopeRead:   {gov.RoleReceive},
	ScopeFile:   {gov.RoleCounter},
	ScopeAct:    {gov.RoleReceive, gov.RoleStudy, gov.RoleSupervise},
	ScopeDecide: {gov.RoleSign},
	ScopeImport: {gov.RoleCounter},
}

// Scopes lists what a token may be given.
func Scopes() []string { return []string{ScopeRead, ScopeFile, ScopeAct, ScopeDecide, ScopeImport} }

// Token lets a program of an administration in.
type Token struct {
	ID             string
	Administration string
	Unit           string // empty is the whole administration
	Name           string
	Scopes         []string
	By             string
	Made           time.Time
	Until          gov.Date // the last day on which it is good
	Used           gov.Date // the last day on which it was used, zero never
	Revoked        time.Time
}

// Bounds of tokens.
const (
	tokenPrefix = "diwan_"
	maxTokens   = 50 // good ones of one administration
	maxTokenAge = 366
)

var errToken = problem.New(problem.Unauthenticated, "program.token")

// actor is who a program is for the policy and in journals.
func (t *Token) actor() gov.Actor {
	a := gov.Actor{ID: "token:" + t.ID, Name: gov.Text{"": t.Name}, Administration: t.Administration, Unit: t.Unit}
	for _, s := range t.Scopes {
		for _, r := range scopeRoles[s] {
			if !slices.Contains(a.Roles, r) {
				a.Roles = append(a.Roles, r)
			}
		}
	}
	return a
}

// newSecret is what a program shows: 256 bits by chance.
func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b)
	return tokenPrefix + base64.RawURLEncoding.EncodeToString(b)
}

func tokenHash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// mayAPI asks whether an officer lets programs of their administration in.
func (w *Casework) mayAPI(ctx context.Context, by gov.Actor) error {
	if by.Administration == "" {
		return problem.New(problem.Forbidden, "forbidden")
	}
	return w.May(ctx, by, MayAPI, &Case{Administration: by.Administration, Unit: by.Unit})
}

// MakeToken gives a program of the officer's administration a token. The secret is
// returned this once and never again: what is kept does not bring it back.
func (w *Casework) MakeToken(ctx context.Context, by gov.Actor, t Token) (secret string, made Token, err error) {
	if err := w.mayAPI(ctx, by); err != nil {
		return "", t, err
	}
	t.Name = strings.TrimSpace(t.Name)
	today := w.today()
	if t.Until.IsZero() {
		t.Until = today.AddDays(maxTokenAge - 1)
	}
	switch {
	case t.Name == "" || !plain(t.Name, t.Unit):
		return "", t, problem.New(problem.Invalid, "program.token_name")
	case len(t.Scopes) == 0 || slices.ContainsFunc(t.Scopes, func(s string) bool { return scopeRoles[s] == nil }):
		return "", t, problem.New(problem.Invalid, "program.token_scopes")
	case t.Until.Before(today) || today.AddDays(maxTokenAge).Before(t.Until):
		return "", t, problem.New(problem.Invalid, "program.token_until", "days", fmt.Sprint(maxTokenAge))
	case by.Unit != "" && t.Unit != by.Unit:
		return "", t, problem.New(problem.Forbidden, "forbidden")
	}
	secret = newSecret()
	t.ID, t.Administration, t.By, t.Made = gov.NewID(), by.Administration, by.ID, w.Clock.Now()
	slices.Sort(t.Scopes)
	t.Scopes = slices.Compact(t.Scopes)
	err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM casework_token WHERE administration = $1 AND revoked_at = 0 AND until_day >= $2`, t.Administration, today.String()).Scan(&n); err != nil {
			return err
		}
		if n >= maxTokens {
			return problem.New(problem.Invalid, "program.tokens_many", "max", fmt.Sprint(maxTokens))
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO casework_token (id, administration, unit, name, scopes, hash, made_by, made_at, until_day, used_on, revoked_by, revoked_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', '', 0)`,
			t.ID, t.Administration, t.Unit, t.Name, strings.Join(t.Scopes, " "), tokenHash(secret), t.By, db.Micros(t.Made), t.Until.String())
		return err
	})
	if err != nil {
		return "", t, fmt.Errorf("making a token: %w", err)
	}
	return secret, t, nil
}

const tokenColumns = `id, administration, unit, name, scopes, made_by, made_at, until_day, used_on, revoked_at`

func scanToken(row interface{ Scan(...any) error }) (*Token, error) {
	var t Token
	var scopes, until, used string
	var made, revoked int64
	if err := row.Scan(&t.ID, &t.Administration, &t.Unit, &t.Name, &scopes, &t.By, &made, &until, &used, &revoked); err != nil {
		return nil, err
	}
	t.Scopes, t.Made, t.Until, t.Used, t.Revoked = strings.Fields(scopes), db.Time(made), dayOf(until), dayOf(used), momentOf(revoked)
	return &t, nil
}

// Tokens lists those of the officer's administration, the latest first.
func (w *Casework) Tokens(ctx context.Context, by gov.Actor) ([]*Token, error) {
	if err := w.mayAPI(ctx, by); err != nil {
		return nil, err
	}
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT `+tokenColumns+` FROM casework_token WHERE administration = $1 AND ($2 = '' OR unit = $2) ORDER BY made_at DESC, id LIMIT 200`, by.Administration, by.Unit)
	if err != nil {
		return nil, fmt.Errorf("listing tokens: %w", err)
	}
	defer rows.Close()
	var out []*Token
	for rows.Next() {
		t, err := scanToken(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

// RevokeToken shuts a program out, from its next request on.
func (w *Casework) RevokeToken(ctx context.Context, by gov.Actor, id string) error {
	if err := w.mayAPI(ctx, by); err != nil {
		return err
	}
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE casework_token SET revoked_at = $3, revoked_by = $4 WHERE id = $1 AND administration = $2 AND ($5 = '' OR unit = $5) AND revoked_at = 0`,
			id, by.Administration, db.Micros(w.Clock.Now()), by.ID, by.Unit)
		if err != nil {
			return fmt.Errorf("revoking a token: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, problem.New(problem.NotFound, "program.token_none"))
		}
		return nil
	})
}

// Bearer returns the token whose secret a program sent, when it is good today. A
// wrong one is refused with the same words as one that was revoked.
func (w *Casework) Bearer(ctx context.Context, secret string) (*Token, error) {
	if !strings.HasPrefix(secret, tokenPrefix) || len(secret) > 100 {
		return nil, errToken
	}
	t, err := scanToken(w.DB.Reader().QueryRowContext(ctx, `SELECT `+tokenColumns+` FROM casework_token WHERE hash = $1`, tokenHash(secret)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errToken
	}
	if err != nil {
		return nil, fmt.Errorf("reading a token: %w", err)
	}
	today := w.today()
	if !t.Revoked.IsZero() || t.Until.Before(today) {
		return nil, errToken
	}
	if t.Used != today {
		err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
			_, err := tx.ExecContext(ctx, `UPDATE casework_token SET used_on = $2 WHERE id = $1`, t.ID, today.String())
			return err
		})
	}
	return t, err
}
