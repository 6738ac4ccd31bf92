package identity

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// The ways to sign in.
const (
	wayLink     = "link"
	waySample   = "sample"
	wayProvider = "provider"
	wayPasskey  = "passkey"
)

// How a session ended.
const (
	endedHere       = "here"      // signed out
	endedElsewhere  = "elsewhere" // from another session of the same account
	endedByProvider = "provider"  // the sign-in provider said so
	endedReplaced   = "replaced"  // signed in again in the same browser
)

// historyKept is how long sign-ins stay in the history: long enough to notice that
// somebody else was there, no longer.
const historyKept = 180 * 24 * time.Hour

// SignIn is one sign-in of an account: a session while it lasts, history after.
type SignIn struct {
	ID, Account, Way string
	Issuer           string // of the provider, empty for other ways
	Started, Seen    time.Time
	Confirmed        time.Time // when a second factor was shown last; zero never
	Ended            time.Time
	EndedBy          string
	Agent            string // what the browser calls itself, shortened
}

// Live reports whether the session can still be used.
func (s SignIn) Live(now time.Time) bool {
	return s.Ended.IsZero() && now.Before(s.Started.Add(sessionLife)) && now.Before(s.Seen.Add(sessionIdle))
}

// newSignIn is what a sign-in begins with.
type newSignIn struct {
	way, issuer, sid, subject, agent string
	confirmed                        bool
}

// begin records a sign-in, with its entry in the audit trail.
func (s *Accounts) begin(ctx context.Context, a Account, n newSignIn) (string, error) {
	id, now := gov.NewID(), db.Micros(s.clock.Now())
	confirmed := int64(0)
	if n.confirmed {
		confirmed = now
	}
	err := s.db.RunTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `INSERT INTO identity_sign_in (id, account, way, issuer, sid, subject, started_at, seen_at, confirmed_at, ended_at, ended_by, agent)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, 0, '', $9)`, id, a.ID, n.way, n.issuer, n.sid, n.subject, now, confirmed, n.agent); err != nil {
			return fmt.Errorf("writing a sign-in: %w", err)
		}
		return s.audit.Append(ctx, tx, chain, a.Actor, "account.sign_in", a.ID, map[string]string{"by": n.way})
	})
	return id, err
}

const signInColumns = `s.id, s.account, s.way, s.issuer, s.started_at, s.seen_at, s.confirmed_at, s.ended_at, s.ended_by, s.agent`

func signInTargets(s *SignIn, times *[4]int64) []any {
	return []any{&s.ID, &s.Account, &s.Way, &s.Issuer, &times[0], &times[1], &times[2], &times[3], &s.EndedBy, &s.Agent}
}

func (s *SignIn) setTimes(t [4]int64) {
	for i, at := range []*time.Time{&s.Started, &s.Seen, &s.Confirmed, &s.Ended} {
		if t[i] != 0 {
			*at = db.Time(t[i])
		}
	}
}

// present returns the account and the sign-in of a session, in one reading: it is
// done on every page behind a sign-in.
func (s *Accounts) present(ctx context.Context, signIn string) (a Account, v SignIn, err error) {
	var times [4]int64
	row := s.db.Reader().QueryRowContext(ctx, `SELECT a.id, a.login, a.name, a.administration, a.unit, a.roles, a.sample, a.disabled, `+signInColumns+`
		FROM identity_sign_in s JOIN identity_account a ON a.id = s.account WHERE s.id = $1`, signIn)
	a, err = scanAccount(withMore{row, signInTargets(&v, &times)})
	v.setTimes(times)
	return a, v, err
}

// withMore scans further columns after those that somebody else asks for.
type withMore struct {
	row  *sql.Row
	more []any
}

// Scan reads the row.
func (w withMore) Scan(into ...any) error { return w.row.Scan(append(into, w.more...)...) }

// touch notes that a session was used, at most every few minutes.
func (s *Accounts) touch(ctx context.Context, id string) error {
	return s.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE identity_sign_in SET seen_at = $2 WHERE id = $1 AND ended_at = 0`, id, db.Micros(s.clock.Now()))
		return err
	})
}

// confirm notes that the person has shown a second factor in a session.
func (s *Accounts) confirm(ctx context.Context, a gov.Actor, signIn, way string) error {
	return s.db.RunTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE identity_sign_in SET confirmed_at = $2 WHERE id = $1 AND ended_at = 0`, signIn, db.Micros(s.clock.Now())); err != nil {
			return fmt.Errorf("noting a confirmation: %w", err)
		}
		return s.audit.Append(ctx, tx, chain, a, "account.confirmed", a.ID, map[string]string{"by": way})
	})
}

// History returns the sign-ins of an account, newest first, at most limit.
func (s *Accounts) History(ctx context.Context, account string, limit int) ([]SignIn, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT `+signInColumns+` FROM identity_sign_in s WHERE s.account = $1 ORDER BY s.started_at DESC, s.id LIMIT $2`, account, limit)
	if err != nil {
		return nil, fmt.Errorf("reading sign-ins: %w", err)
	}
	defer rows.Close()
	var out []SignIn
	for rows.Next() {
		var v SignIn
		var times [4]int64
		if err := rows.Scan(signInTargets(&v, &times)...); err != nil {
			return nil, err
		}
		v.setTimes(times)
		out = append(out, v)
	}
	return out, rows.Err()
}

// End ends one session of an account; somebody else's is not found.
func (s *Accounts) End(ctx context.Context, by gov.Actor, account, signIn, how string) error {
	n, err := s.end(ctx, by, how, `id = $3 AND account = $4`, signIn, account)
	if err == nil && n == 0 {
		err = problem.New(problem.NotFound, "session.not_found")
	}
	return err
}

// EndAll ends every session of an account but the one named, which may be empty.
func (s *Accounts) EndAll(ctx context.Context, by gov.Actor, account, except, how string) (int, error) {
	return s.end(ctx, by, how, `account = $3 AND id <> $4`, account, except)
}

// end ends the sessions that a condition names, and says how many.
func (s *Accounts) end(ctx context.Context, by gov.Actor, how, where string, args ...any) (n int, err error) {
	err = s.db.RunTx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE identity_sign_in SET ended_at = $1, ended_by = $2 WHERE ended_at = 0 AND `+where,
			append([]any{db.Micros(s.clock.Now()), how}, args...)...)
		if err != nil {
			return fmt.Errorf("ending sessions: %w", err)
		}
		k, err := res.RowsAffected()
		if n = int(k); err != nil || n == 0 {
			return err
		}
		return s.audit.Append(ctx, tx, chain, by, "account.sign_out", by.ID, map[string]string{"by": how, "sessions": fmt.Sprint(n)})
	})
	return n, err
}

// shortAgent keeps of a browser's own name what helps to recognise it.
func shortAgent(s string) string { return cleanLine(s, 200) }

// cleanLine makes one line of what came from outside: without control characters
// and those that turn the direction of reading around, and not too long.
func cleanLine(s string, most int) string {
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case r == '\uFFFD' || r == 0x061C || r >= 0x200B && r <= 0x200F && r != 0x200C && r != 0x200D, r >= 0x202A && r <= 0x202E, r >= 0x2066 && r <= 0x2069, r == 0xFEFF:
			return -1
		case r < ' ' || r >= 0x7F && r < 0xA0:
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, ""))), " ")
	if r := []rune(s); len(r) > most {
		s = strings.TrimSpace(string(r[:most]))
	}
	return s
}

// errSignedOut says that a session is over.
var errSignedOut = errors.New("the session is over")
