package identity

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Why somebody is sent to a provider.
const (
	purposeSignIn  = "sign-in"
	purposeLink    = "link"    // who is signed in ties the provider to their account
	purposeConfirm = "confirm" // who is signed in signs in anew
)

// providerFlow is what is remembered while somebody is at a provider.
type providerFlow struct {
	Provider, Nonce, Verifier string
	Purpose, Root, To, Lang   string
	Account                   string // of who was signed in when it began
	Began                     int64
}

// clockDrift is how far a provider's clock may be from ours.
const clockDrift = 2 * time.Minute

// Doors are the ways in through OpenID Connect providers. The times of tokens are
// measured by the machine's clock, also where a demonstration turns its own:
// providers are machines of others.
type Doors struct {
	Accounts  *Accounts
	Sessions  *Sessions
	Providers []*Provider
	Languages []gov.Lang
	// Base returns this site's address, as the providers know it.
	Base func(*http.Request) string
}

// Provider returns a provider by its name in addresses.
func (d *Doors) Provider(id string) (*Provider, error) {
	for _, p := range d.Providers {
		if p.ID == id {
			return p, nil
		}
	}
	return nil, problem.New(problem.NotFound, "page.not_found")
}

// path is where providers send people and messages back to.
func providerPath(id, what string) string { return "/sign-in/" + id + "/" + what }

// leave begins an exchange with a provider and returns where to send the browser.
func (d *Doors) leave(r *http.Request, p *Provider, f providerFlow) (string, error) {
	found, err := p.discover(r.Context())
	if err != nil {
		return "", err
	}
	f.Provider, f.Nonce, f.Verifier, f.Began = p.ID, gov.NewID(), oauth2.GenerateVerifier(), time.Now().Unix()
	state, err := d.Accounts.openFlow(r.Context(), flowProvider, d.Sessions.binding(r.Context()), flowLife, f)
	if err != nil {
		return "", err
	}
	opts := []oauth2.AuthCodeOption{oidc.Nonce(f.Nonce), oauth2.S256ChallengeOption(f.Verifier), oauth2.SetAuthURLParam("ui_locales", f.Lang)}
	if f.Purpose == purposeConfirm {
		opts = append(opts, oauth2.SetAuthURLParam("prompt", "login"), oauth2.SetAuthURLParam("max_age", "0"))
	}
	return p.oauth(found, d.Base(r)+providerPath(p.ID, "callback")).AuthCodeURL(state, opts...), nil
}

// arrival is what came of an exchange with a provider.
type arrival struct {
	flow    providerFlow
	account Account
	sign    newSignIn
	idToken string
}

// Bounds on what a browser brings back.
const maxParameter = 4096

// arrive ends an exchange with a provider. The flow is returned, as far as it is
// known, also with an error: it says in which language to answer.
func (d *Doors) arrive(r *http.Request, p *Provider) (a arrival, err error) {
	q := r.URL.Query()
	for _, k := range []string{"state", "code", "iss", "error"} {
		if len(q[k]) > 1 || len(q.Get(k)) > maxParameter {
			return a, problem.New(problem.Invalid, "sign_in.answer")
		}
	}
	if err := d.Accounts.takeFlow(r.Context(), flowProvider, d.Sessions.binding(r.Context()), q.Get("state"), &a.flow); err != nil {
		return a, err
	}
	// Each provider has an address of its own to come back to: an answer that one
	// gives in place of another (mix-up) stops here.
	if a.flow.Provider != p.ID {
		return a, errFlow
	}
	found, err := p.discover(r.Context())
	if err != nil {
		return a, err
	}
	if iss := q.Get("iss"); iss != p.Issuer && (iss != "" || found.saysIssuer) {
		return a, problem.New(problem.Forbidden, "sign_in.issuer")
	}
	if e := q.Get("error"); e != "" {
		if e == "access_denied" {
			return a, problem.New(problem.Forbidden, "sign_in.cancelled")
		}
		return a, problem.Wrap(fmt.Errorf("the provider answered %.80q", e), problem.Unavailable, "sign_in.provider_refused")
	}
	token, claims, err := d.exchange(r, p, found, &a, q.Get("code"))
	if err != nil {
		return a, err
	}
	a.sign = newSignIn{way: wayProvider, issuer: token.Issuer, subject: token.Subject, sid: cleanLine(textAt(claims, "sid"), 200)}
	return a, d.settle(r, p, &a, claims)
}

// exchange turns the code into a verified ID token with its claims.
func (d *Doors) exchange(r *http.Request, p *Provider, found *discovered, a *arrival, code string) (*oidc.IDToken, map[string]any, error) {
	refused := func(err error) error { return problem.Wrap(err, problem.Forbidden, "sign_in.answer") }
	if code == "" {
		return nil, nil, refused(errors.New("there is no code"))
	}
	ctx := p.context(r.Context())
	t, err := p.oauth(found, d.Base(r)+providerPath(p.ID, "callback")).Exchange(ctx, code, oauth2.VerifierOption(a.flow.Verifier))
	if err != nil {
		return nil, nil, refused(err)
	}
	raw, _ := t.Extra("id_token").(string)
	token, err := found.verifier.Verify(ctx, raw)
	if err != nil {
		return nil, nil, refused(err)
	}
	if token.Subject == "" || len(token.Subject) > 255 || subtle.ConstantTimeCompare([]byte(token.Nonce), []byte(a.flow.Nonce)) != 1 {
		return nil, nil, refused(errors.New("the token answers another question"))
	}
	if token.AccessTokenHash != "" {
		if err := token.VerifyAccessToken(t.AccessToken); err != nil {
			return nil, nil, refused(err)
		}
	}
	claims := map[string]any{}
	if err := token.Claims(&claims); err != nil {
		return nil, nil, refused(err)
	}
	if azp := textAt(claims, "azp"); (len(token.Audience) > 1 || azp != "") && azp != p.ClientID {
		return nil, nil, refused(errors.New("the token was made for somebody else"))
	}
	if p.UserInfo {
		if err := addUserInfo(ctx, found, t, token.Subject, claims); err != nil {
			return nil, nil, refused(err)
		}
	}
	a.idToken = raw
	return token, claims, nil
}

// addUserInfo adds the claims of the user info endpoint; those of the signed token
// win.
func addUserInfo(ctx context.Context, found *discovered, t *oauth2.Token, subject string, claims map[string]any) error {
	info, err := found.UserInfo(ctx, oauth2.StaticTokenSource(t))
	if err != nil {
		return err
	}
	if info.Subject != subject {
		return errors.New("the user info is about somebody else")
	}
	more := map[string]any{}
	if err := info.Claims(&more); err != nil {
		return err
	}
	for k, v := range more {
		if _, ok := claims[k]; !ok {
			claims[k] = v
		}
	}
	return nil
}

// settle finds the account that the exchange was for.
func (d *Doors) settle(r *http.Request, p *Provider, a *arrival, claims map[string]any) (err error) {
	ctx := r.Context()
	switch a.flow.Purpose {
	case purposeLink, purposeConfirm:
		v := visitOf(r)
		if v == nil || v.account.ID != a.flow.Account {
			return errFlow
		}
		a.account = v.account
		if a.flow.Purpose == purposeLink {
			return d.Accounts.tie(ctx, a.account, a.sign.issuer, a.sign.subject)
		}
		who, err := d.Accounts.bySubject(ctx, a.sign.issuer, a.sign.subject)
		if err != nil {
			return err
		}
		if who.ID != a.account.ID {
			return problem.New(problem.Forbidden, "sign_in.other_person")
		}
		at, _ := claims["auth_time"].(float64)
		if !p.Confirms || int64(at) < a.flow.Began-int64(clockDrift/time.Second) {
			return problem.New(problem.Forbidden, "sign_in.not_anew")
		}
		return nil
	}
	prof := p.Claims.read(claims, d.Languages)
	if a.flow.Root == Office { // nobody becomes an officer by signing in
		a.account, err = d.Accounts.bySubject(ctx, a.sign.issuer, a.sign.subject)
		return err
	}
	a.account, err = d.Accounts.arrive(ctx, a.sign.issuer, a.sign.subject, prof)
	return err
}

// bySubject returns the account of somebody at a provider.
func (s *Accounts) bySubject(ctx context.Context, issuer, subject string) (Account, error) {
	a, err := scanAccount(s.db.Reader().QueryRowContext(ctx, `SELECT `+accountColumns+` FROM identity_account
		WHERE id = (SELECT account FROM identity_subject WHERE issuer = $1 AND subject = $2)`, issuer, subject))
	if problem.Is(err, problem.NotFound) {
		err = problem.New(problem.Forbidden, "sign_in.unknown")
	}
	return a, err
}

// Tie says who an account is at a provider. It fails when that is another account
// already.
func (s *Accounts) Tie(ctx context.Context, login, issuer, subject string) error {
	a, err := s.ByLogin(ctx, login)
	if err != nil {
		return err
	}
	return s.tie(ctx, a, issuer, subject)
}

func (s *Accounts) tie(ctx context.Context, a Account, issuer, subject string) error {
	return s.db.RunTx(ctx, func(tx *db.Tx) error {
		var owner string
		err := tx.QueryRowContext(ctx, `SELECT account FROM identity_subject WHERE issuer = $1 AND subject = $2`, issuer, subject).Scan(&owner)
		switch {
		case err == nil && owner == a.ID:
			return nil
		case err == nil:
			return problem.New(problem.Conflict, "sign_in.taken")
		case !errors.Is(err, sql.ErrNoRows):
			return err
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO identity_subject (issuer, subject, account, created_at) VALUES ($1, $2, $3, $4)`,
			issuer, subject, a.ID, db.Micros(s.clock.Now())); err != nil {
			return fmt.Errorf("tying an account to a provider: %w", err)
		}
		return s.audit.Append(ctx, tx, chain, a.Actor, "account.tied", a.ID, map[string]string{"issuer": issuer})
	})
}

// arrive returns the account of a person at a provider, and makes one the first
// time. Name, particulars and whom the person represents are as the provider says
// now.
func (s *Accounts) arrive(ctx context.Context, issuer, subject string, p profile) (Account, error) {
	a, err := s.arriveOnce(ctx, issuer, subject, p)
	if db.IsDuplicate(err) { // they signed in twice at once, and the other one made the account
		return s.arriveOnce(ctx, issuer, subject, p)
	}
	return a, err
}

func (s *Accounts) arriveOnce(ctx context.Context, issuer, subject string, p profile) (a Account, err error) {
	err = s.db.RunTx(ctx, func(tx *db.Tx) error {
		a, err = scanAccount(tx.QueryRowContext(ctx, `SELECT `+accountColumns+` FROM identity_account
			WHERE id = (SELECT account FROM identity_subject WHERE issuer = $1 AND subject = $2)`, issuer, subject))
		switch {
		case problem.Is(err, problem.NotFound):
			a = Account{Actor: gov.Actor{ID: gov.NewID(), Name: p.Name, Roles: []gov.Role{gov.RolePerson}}}
			a.Login = "p." + a.ID[:16]
			err = s.insertPerson(ctx, tx, a, issuer, subject)
		case err == nil && !a.Has(gov.RolePerson):
			return nil // an officer's account is as the operator made it, and will not be let in
		case err == nil && !p.Name.Empty():
			a.Name = p.Name
			err = renameAccount(ctx, tx, a)
		}
		if err != nil {
			return err
		}
		if p.Particulars != (Particulars{}) {
			if err := s.putParticulars(ctx, tx, a.ID, p.Particulars); err != nil {
				return err
			}
		}
		if !p.said {
			return nil
		}
		return s.attest(ctx, tx, a, issuer, p.Represents)
	})
	return a, err
}

func (s *Accounts) insertPerson(ctx context.Context, tx *db.Tx, a Account, issuer, subject string) error {
	name, err := json.Marshal(a.Name)
	if err != nil {
		return err
	}
	roles, err := json.Marshal(a.Roles)
	if err != nil {
		return err
	}
	now := db.Micros(s.clock.Now())
	if _, err := tx.ExecContext(ctx, `INSERT INTO identity_account (id, login, name, administration, unit, roles, sample, disabled, created_at)
		VALUES ($1, $2, $3, '', '', $4, FALSE, FALSE, $5)`, a.ID, a.Login, string(name), string(roles), now); err != nil {
		return fmt.Errorf("making the account of a person: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO identity_subject (issuer, subject, account, created_at) VALUES ($1, $2, $3, $4)`, issuer, subject, a.ID, now); err != nil {
		return fmt.Errorf("tying an account to a provider: %w", err)
	}
	return s.audit.Append(ctx, tx, chain, a.Actor, "account.made", a.ID, map[string]string{"issuer": issuer})
}

func renameAccount(ctx context.Context, tx *db.Tx, a Account) error {
	name, err := json.Marshal(a.Name)
	if err == nil {
		_, err = tx.ExecContext(ctx, `UPDATE identity_account SET name = $2 WHERE id = $1`, a.ID, string(name))
	}
	return err
}

// SafeReturn returns where to go after signing in: an address of this part of the
// site, without its language. Anything else, and every way of writing another
// host, becomes the front page of the part.
func SafeReturn(root, to string) string {
	home := root + "/"
	if len(to) > 1000 || !strings.HasPrefix(to, home) || strings.ContainsAny(to, "\\\r\n\t\x00") {
		return home
	}
	u, err := url.Parse(to)
	if err != nil || u.Host != "" || u.Scheme != "" || u.User != nil || u.Opaque != "" || strings.Contains(u.Path, "//") ||
		slices.Contains(strings.Split(u.Path, "/"), "..") || strings.HasPrefix(u.Path, home+"sign-in") || u.Path == home+"sign-out" {
		return home
	}
	return u.RequestURI()
}
