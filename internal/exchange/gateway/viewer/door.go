package viewer

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"diwan/internal/db"
)

// Lives of a code and of a session.
const (
	CodeLife    = 10 * time.Minute
	sessionLife = 12 * time.Hour
)

// maxOfficer is the length of an officer's name.
const maxOfficer = 100

const cookie = "diwan_viewer"

// door lets officers in.
type door struct {
	db  *db.DB
	now func() time.Time
}

func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// NewCode makes a sign-in code for an officer in the database of a gateway, which
// may be running. Only its hash is kept.
func NewCode(ctx context.Context, d *db.DB, officer string, now time.Time) (string, error) {
	officer = strings.TrimSpace(officer)
	if officer == "" || len(officer) > maxOfficer {
		return "", fmt.Errorf("the officer's name is missing or longer than %d bytes", maxOfficer)
	}
	if _, err := d.Migrate(ctx, []db.Migrations{Migrations()}, now); err != nil {
		return "", err
	}
	code := rand.Text()
	err := d.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO viewer_code (hash, officer, expires_at) VALUES ($1, $2, $3)`, hashOf(code), officer, db.Micros(now.Add(CodeLife)))
		return err
	})
	return code, err
}

// errCode is the same whatever is wrong with a code.
var errCode = errors.New("the code is not good, or not any more")

// enter uses a code up and returns the secret of a session.
func (d door) enter(ctx context.Context, code string) (secret, officer string, err error) {
	code = strings.ToUpper(strings.TrimSpace(code))
	now := db.Micros(d.now())
	secret = rand.Text()
	err = d.db.RunTx(ctx, func(tx *db.Tx) error {
		err := tx.QueryRowContext(ctx, `DELETE FROM viewer_code WHERE hash = $1 AND expires_at > $2 RETURNING officer`, hashOf(code), now).Scan(&officer)
		if errors.Is(err, sql.ErrNoRows) {
			return errCode
		}
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM viewer_code WHERE expires_at <= $1`, now); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM viewer_session WHERE expires_at <= $1`, now); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO viewer_session (hash, officer, expires_at) VALUES ($1, $2, $3)`, hashOf(secret), officer, db.Micros(d.now().Add(sessionLife)))
		return err
	})
	return secret, officer, err
}

// who tells which officer makes a request, "" for nobody.
func (d door) who(r *http.Request) (officer string, err error) {
	c, err := r.Cookie(cookie)
	if err != nil {
		return "", nil
	}
	err = d.db.Reader().QueryRowContext(r.Context(), `SELECT officer FROM viewer_session WHERE hash = $1 AND expires_at > $2`, hashOf(c.Value), db.Micros(d.now())).Scan(&officer)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return officer, err
}

func (d door) leave(r *http.Request) error {
	c, err := r.Cookie(cookie)
	if err != nil {
		return nil
	}
	return d.db.RunTx(r.Context(), func(tx *db.Tx) error {
		_, err := tx.ExecContext(r.Context(), `DELETE FROM viewer_session WHERE hash = $1`, hashOf(c.Value))
		return err
	})
}

func setCookie(w http.ResponseWriter, secret string, life time.Duration) {
	http.SetCookie(w, &http.Cookie{Name: cookie, Value: secret, Path: Root, MaxAge: int(life.Seconds()), HttpOnly: true, SameSite: http.SameSiteStrictMode})
}
