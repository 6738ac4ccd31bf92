package identity

import (
	"context"
	"net/http"
	"net/url"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// endSession is what is remembered for who goes to sign out at a provider too.
type endSession struct{ Provider, Hint, Lang string }

// leaveForGood returns the address at which somebody signs out at the provider as
// well (RP-Initiated Logout), or nothing when it has none.
func (d *Doors) leaveForGood(r *http.Request, p *Provider, e endSession) (string, error) {
	found, err := p.discover(r.Context())
	if err != nil || found.endSession == "" {
		return "", err
	}
	u, err := url.Parse(found.endSession)
	if err != nil {
		return "", err
	}
	q := u.Query()
	q.Set("client_id", p.ClientID)
	q.Set("post_logout_redirect_uri", d.Base(r)+providerPath(p.ID, "signed-out"))
	q.Set("state", e.Lang)
	if e.Hint != "" {
		q.Set("id_token_hint", e.Hint)
	}
	u.RawQuery = q.Encode()
	return u.String(), nil
}

// frontChannel ends the sessions that the provider names by issuer and session
// (OpenID Connect Front-Channel Logout). The cookie does not travel in another
// site's frame, so that the session's own number, which only the provider and we
// know, is what counts.
func (d *Doors) frontChannel(r *http.Request, p *Provider) error {
	iss, sid := r.URL.Query().Get("iss"), r.URL.Query().Get("sid")
	if iss != p.Issuer || sid == "" || len(sid) > maxParameter {
		return problem.New(problem.Invalid, "sign_in.logout")
	}
	_, err := d.Accounts.endOfProvider(r.Context(), iss, sid, "")
	return err
}

// logoutAge is how old a logout token may be.
const logoutAge = 5 * time.Minute

// backChannel ends the sessions that a logout token names (OpenID Connect
// Back-Channel Logout, section 2.6). A token works once.
func (d *Doors) backChannel(r *http.Request, p *Provider) error {
	refused := func(err error) error { return problem.Wrap(err, problem.Invalid, "sign_in.logout") }
	raw := r.PostFormValue("logout_token")
	if raw == "" || len(raw) > 16<<10 {
		return refused(nil)
	}
	found, err := p.discover(r.Context())
	if err != nil {
		return err
	}
	token, err := found.verifier.VerifyLogout(p.context(r.Context()), raw)
	if err != nil {
		return refused(err)
	}
	if age := time.Since(token.IssuedAt); token.TokenID == "" || age > logoutAge || age < -clockDrift {
		return refused(nil)
	}
	if token.Subject == "" && token.SessionID == "" {
		return refused(nil)
	}
	if err := d.Accounts.useLogout(r.Context(), p.Issuer, token.TokenID); err != nil {
		return err
	}
	_, err = d.Accounts.endOfProvider(r.Context(), p.Issuer, token.SessionID, token.Subject)
	return err
}

// useLogout refuses a logout token that was used before.
func (s *Accounts) useLogout(ctx context.Context, issuer, jti string) error {
	return s.db.RunTx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `INSERT INTO identity_logout (issuer, jti, expires_at) VALUES ($1, $2, $3) ON CONFLICT (issuer, jti) DO NOTHING`,
			issuer, hashToken(jti), db.Micros(s.clock.Now().Add(4*logoutAge)))
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 1 {
			return err
		}
		return problem.New(problem.Invalid, "sign_in.logout")
	})
}

// endOfProvider ends the sessions of one issuer: those of a session there, or all
// of a subject.
func (s *Accounts) endOfProvider(ctx context.Context, issuer, sid, subject string) (int, error) {
	if sid == "" {
		return s.end(ctx, operatorOf(issuer), endedByProvider, `issuer = $3 AND subject = $4 AND subject <> ''`, issuer, subject)
	}
	return s.end(ctx, operatorOf(issuer), endedByProvider, `issuer = $3 AND sid = $4 AND sid <> '' AND ($5 = '' OR subject = $5)`, issuer, sid, subject)
}

// operatorOf names a provider in the audit trail.
func operatorOf(issuer string) gov.Actor { return gov.Actor{ID: "provider:" + issuer} }
