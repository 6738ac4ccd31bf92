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

// Sessions ties browsers to accounts.
type Sessions struct {
	manager  *scs.SessionManager
	accounts *Accounts
}

// NewSessions returns the sessions of a database. secure keeps the cookie to
// TLS; it is off only on a loopback demonstration.
func NewSessions(d *db.DB, accounts *Accounts, clock gov.Clock, secure bool) *Sessions {
	m := scs.New()
	m.Store = sessionStore{d, clock}
	m.HashTokenInStore = true
	m.Lifetime = 12 * time.Hour
	m.IdleTimeout = time.Hour
	m.Cookie.Name = "diwan"
	m.Cookie.HttpOnly = true
	m.Cookie.SameSite = http.SameSiteLaxMode
	m.Cookie.Secure = secure
	m.Cookie.Persist = false
	return &Sessions{m, accounts}
}

type actorKey struct{}

// Load reads the session of the request. Routes that depend on who is asking
// stand behind it, and only they.
func (s *Sessions) Load(next http.Handler) http.Handler {
	return s.manager.LoadAndSave(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id := s.manager.GetString(r.Context(), "account"); id != "" {
			// The account is read anew each time, so that a disabled account or
			// a lost role ends at once.
			if a, err := s.accounts.ByID(r.Context(), id); err == nil && s.accounts.open(a) {
				r = r.WithContext(context.WithValue(r.Context(), actorKey{}, a.Actor))
			}
		}
		next.ServeHTTP(w, r)
	}))
}

// Actor returns who is signed in, the public when nobody is.
func Actor(r *http.Request) gov.Actor {
	a, _ := r.Context().Value(actorKey{}).(gov.Actor)
	return a
}

// signIn starts a fresh session: the token from before signing in must not be
// one that somebody else planted.
func (s *Sessions) signIn(r *http.Request, a Account) error {
	if err := s.manager.RenewToken(r.Context()); err != nil {
		return fmt.Errorf("renewing the session: %w", err)
	}
	s.manager.Put(r.Context(), "account", a.ID)
	return nil
}

func (s *Sessions) signOut(r *http.Request) error { return s.manager.Destroy(r.Context()) }

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
