package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/alexedwards/scs/v2"

	"diwan/internal/db"
	"diwan/internal/gov"
)

// How long a session lasts at most, and without being used.
const (
	sessionLife = 12 * time.Hour
	sessionIdle = time.Hour
)

// touchEvery is how exactly the last use of a session is known.
const touchEvery = 5 * time.Minute

// Sessions ties browsers to accounts.
type Sessions struct {
	manager  *scs.SessionManager
	accounts *Accounts
	clock    gov.Clock
}

// NewSessions returns the sessions of a database. secure keeps the cookie to
// TLS; it is off only on a loopback demonstration.
func NewSessions(d *db.DB, accounts *Accounts, clock gov.Clock, secure bool) *Sessions {
	m := scs.New()
	m.Store = sessionStore{d, clock}
	m.HashTokenInStore = true
	m.Lifetime = sessionLife
	m.IdleTimeout = sessionIdle
	m.Cookie.Name = "diwan"
	if secure { // no other host of the same domain can set a cookie of this name
		m.Cookie.Name = "__Host-diwan"
	}
	m.Cookie.HttpOnly = true
	m.Cookie.SameSite = http.SameSiteLaxMode
	m.Cookie.Secure = secure
	m.Cookie.Persist = false
	return &Sessions{m, accounts, clock}
}

// What a session holds.
const (
	keySignIn  = "sign_in" // the id of the sign-in
	keyBinding = "binding" // what ties exchanges to this browser
	keyHint    = "hint"    // the provider's own token, to sign out there
	keyActing  = "acting"  // the mandate in use
)

// visit is what is known of who asks.
type visit struct {
	account Account
	signIn  SignIn
	acting  *Mandate
	lapsed  bool // they were acting for somebody, and may not any more
}

type visitKey struct{}

func visitOf(r *http.Request) *visit {
	v, _ := r.Context().Value(visitKey{}).(*visit)
	return v
}

// Load reads the session of the request. Routes that depend on who is asking
// stand behind it, and only they.
func (s *Sessions) Load(next http.Handler) http.Handler {
	return s.manager.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if v := s.read(r.Context()); v != nil {
			r = r.WithContext(context.WithValue(r.Context(), visitKey{}, v))
		}
		next.ServeHTTP(w, r)
	}))
}

// read returns who asks, nil for the public. Account, roles and mandate are read
// anew each time, so that what was taken away ends at once.
func (s *Sessions) read(ctx context.Context) *visit {
	id := s.manager.GetString(ctx, keySignIn)
	if id == "" {
		return nil
	}
	a, in, err := s.accounts.present(ctx, id)
	if err != nil {
		return nil // also when the database does not answer: nobody is let in by a fault
	}
	now := s.clock.Now()
	if !s.accounts.open(a) || !in.Live(now) {
		s.manager.Remove(ctx, keySignIn)
		s.manager.Remove(ctx, keyActing)
		return nil
	}
	v := &visit{account: a, signIn: in}
	if m := s.manager.GetString(ctx, keyActing); m != "" {
		if v.acting = s.accounts.usable(ctx, m, a.ID); v.acting == nil {
			v.lapsed = true
		}
	}
	if now.Sub(in.Seen) > touchEvery {
		s.accounts.touch(ctx, id) // of no account to the page if it fails
	}
	return v
}

// Actor returns who is signed in, the public when nobody is.
func Actor(r *http.Request) gov.Actor {
	if v := visitOf(r); v != nil {
		return v.account.Actor
	}
	return gov.Actor{}
}

// Fresh reports whether the person has shown a second factor in this session
// within maxAge. A decision asks for it; whoever is not fresh goes to
// Pages.Confirm.
func (s *Sessions) Fresh(r *http.Request, maxAge time.Duration) bool {
	v := visitOf(r)
	if v == nil || v.signIn.Confirmed.IsZero() {
		return false
	}
	age := s.clock.Now().Sub(v.signIn.Confirmed)
	return age >= 0 && age <= maxAge
}

// signIn starts a fresh session: the token from before signing in must not be
// one that somebody else planted, and nothing of who was here before stays.
func (s *Sessions) signIn(r *http.Request, a Account, n newSignIn) error {
	if !s.accounts.open(a) {
		return errDisabled(a)
	}
	ctx := r.Context()
	if before := visitOf(r); before != nil {
		if _, err := s.accounts.end(ctx, before.account.Actor, endedReplaced, `id = $3`, before.signIn.ID); err != nil {
			return err
		}
	}
	n.agent = shortAgent(r.UserAgent())
	id, err := s.accounts.begin(ctx, a, n)
	if err != nil {
		return err
	}
	if err := s.renew(ctx); err != nil {
		return err
	}
	s.manager.Put(ctx, keySignIn, id)
	return nil
}

// renew empties the session and gives it another token.
func (s *Sessions) renew(ctx context.Context) error {
	if err := s.manager.Clear(ctx); err != nil {
		return fmt.Errorf("emptying the session: %w", err)
	}
	if err := s.manager.RenewToken(ctx); err != nil {
		return fmt.Errorf("renewing the session: %w", err)
	}
	return nil
}

// confirmed notes a second factor, and gives the session another token: one that
// was stolen before does not become worth more.
func (s *Sessions) confirmed(r *http.Request, way string) error {
	v := visitOf(r)
	if v == nil {
		return errSignedOut
	}
	if err := s.accounts.confirm(r.Context(), v.account.Actor, v.signIn.ID, way); err != nil {
		return err
	}
	if err := s.manager.RenewToken(r.Context()); err != nil {
		return fmt.Errorf("renewing the session: %w", err)
	}
	return nil
}

func (s *Sessions) signOut(r *http.Request) error {
	if v := visitOf(r); v != nil {
		if _, err := s.accounts.end(r.Context(), v.account.Actor, endedHere, `id = $3`, v.signIn.ID); err != nil {
			return err
		}
	}
	return s.manager.Destroy(r.Context())
}

// Binding names this browser's session for what is tied to it. It says nothing of the
// session's secret, and no other session has the same.
func (s *Sessions) Binding(r *http.Request) string { return s.binding(r.Context()) }

// binding returns what ties exchanges to this browser's session.
func (s *Sessions) binding(ctx context.Context) string {
	b := s.manager.GetString(ctx, keyBinding)
	if b == "" {
		b = gov.NewID()
		s.manager.Put(ctx, keyBinding, b)
	}
	return b
}

// sessionStore keeps sessions in the database.
type sessionStore struct {
	db    *db.DB
	clock gov.Clock
}

// FindCtx returns the data of a session that has not expired.
func (s sessionStore) FindCtx(ctx context.Context, token string) ([]byte, bool, error) {
	var b []byte
	err := s.db.Reader().QueryRowContext(ctx, `SELECT data FROM identity_session WHERE token_hash = $1 AND expires_at > $2`,
		token, db.Micros(s.clock.Now())).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return b, err == nil, err
}

// CommitCtx keeps a session, and forgets those that have expired. The library
// counts expiry by the machine's clock; it is kept by ours, or nobody could sign
// in where ours runs ahead, as it may in a demonstration.
func (s sessionStore) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	expiry = s.clock.Now().Add(time.Until(expiry))
	return s.db.RunTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM identity_session WHERE expires_at < $1`, db.Micros(s.clock.Now())); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO identity_session (token_hash, data, expires_at) VALUES ($1, $2, $3)
			ON CONFLICT (token_hash) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at`, token, b, db.Micros(expiry))
		return err
	})
}

// DeleteCtx ends a session.
func (s sessionStore) DeleteCtx(ctx context.Context, token string) error {
	return s.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM identity_session WHERE token_hash = $1`, token)
		return err
	})
}

// Find, Commit and Delete serve the library's older interface.
func (s sessionStore) Find(token string) ([]byte, bool, error) {
	return s.FindCtx(context.Background(), token)
}

// Commit keeps a session.
func (s sessionStore) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

// Delete ends a session.
func (s sessionStore) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }
