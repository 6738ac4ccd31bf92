package verifier

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Bounds of invitations.
const (
	inviteLife  = 3 * 24 * time.Hour
	inviteTries = 5
	maxInvites  = 50 // open ones of one verifier
	codeLength  = 12
)

// codeLetters are those of a code: 32, none of which is taken for another when it is read
// aloud or copied by hand.
const codeLetters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// Invitation is one that can still be used, without its secrets.
type Invitation struct {
	ID, Verifier, Label, MadeBy string
	Made, Ends                  time.Time
	Left                        int // tries
}

// Invited is what an officer hands over, by two different ways: who has only one of them
// can do nothing. Neither can be had again.
type Invited struct {
	Secret string // of the link
	Code   string
	Ends   time.Time
}

var errNoInvite = problem.New(problem.NotFound, "verification.invite_none")

// Invite lets one person become one of a verifier's people, once and within days. label
// says for the registry who is meant. Whether the officer may is for the caller to know.
func (s *Verifier) Invite(ctx context.Context, by gov.Actor, verifier, label string) (*Invited, error) {
	label = strings.Join(strings.Fields(label), " ")
	if label == "" || len(label) > 200 {
		return nil, problem.New(problem.Invalid, "verification.person_label")
	}
	now := s.Clock.Now()
	id, out := gov.NewID(), &Invited{Secret: newSecret(), Code: newCode(), Ends: now.Add(inviteLife)}
	err := s.DB.RunTx(ctx, func(tx *db.Tx) error {
		var open, people, standing int
		if err := tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM verifier_invitation WHERE verifier = $1 AND ends_at > $2), (SELECT COUNT(*) FROM verifier_person WHERE verifier = $1),
			(SELECT COUNT(*) FROM verifier_party WHERE id = $1 AND ended_at = 0 AND stopped_at = 0)`, verifier, db.Micros(now)).Scan(&open, &people, &standing); err != nil {
			return err
		}
		switch {
		case standing != 1:
			return problem.New(problem.Conflict, "verification.stopped")
		case open >= maxInvites || people >= maxPeople:
			return problem.New(problem.Conflict, "verification.people_many")
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO verifier_invitation (id, verifier, label, link_hash, code_mac, tries, made_by, made_at, ends_at) VALUES ($1, $2, $3, $4, $5, 0, $6, $7, $8)`,
			id, verifier, label, hashOf(out.Secret), s.seal.mac(invitePlace(id), out.Code), by.ID, db.Micros(now), db.Micros(out.Ends)); err != nil {
			return err
		}
		return s.note(ctx, tx, verifier, by, didInvite, id, nil)
	})
	if err != nil {
		return nil, fmt.Errorf("inviting a person for a verifier: %w", err)
	}
	return out, nil
}

const inviteColumns = `id, verifier, label, made_by, made_at, ends_at, tries`

func scanInvitation(row interface{ Scan(...any) error }, more ...any) (*Invitation, error) {
	var i Invitation
	var made, ends int64
	var tries int
	err := row.Scan(append([]any{&i.ID, &i.Verifier, &i.Label, &i.MadeBy, &made, &ends, &tries}, more...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNoInvite
	}
	if err != nil {
		return nil, fmt.Errorf("reading an invitation: %w", err)
	}
	i.Made, i.Ends, i.Left = db.Time(made), db.Time(ends), max(0, inviteTries-tries)
	return &i, nil
}

// Invitations lists those of a verifier that have not ended, the latest first. One whose
// tries are used up is among them, so that the officer sees that somebody guessed.
func (s *Verifier) Invitations(ctx context.Context, verifier string) ([]Invitation, error) {
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT `+inviteColumns+` FROM verifier_invitation WHERE verifier = $1 AND ends_at > $2 ORDER BY made_at DESC, id LIMIT $3`, verifier, db.Micros(s.Clock.Now()), maxInvites)
	if err != nil {
		return nil, fmt.Errorf("listing invitations: %w", err)
	}
	defer rows.Close()
	var out []Invitation
	for rows.Next() {
		i, err := scanInvitation(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, *i)
	}
	return out, rows.Err()
}

// Uninvite takes back an invitation of a verifier.
func (s *Verifier) Uninvite(ctx context.Context, by gov.Actor, verifier, id string) error {
	return s.DB.RunTx(ctx, func(tx *db.Tx) error {
		done, err := tx.ExecContext(ctx, `DELETE FROM verifier_invitation WHERE id = $1 AND verifier = $2`, id, verifier)
		if err != nil {
			return fmt.Errorf("taking back an invitation: %w", err)
		}
		if n, err := done.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, errNoInvite)
		}
		return s.note(ctx, tx, verifier, by, didUninvite, id, nil)
	})
}

// Invitation returns the verifier to which a link invites. A link that was never made,
// was used, has ended, whose tries are used up or whose verifier is stopped is the same
// error: a stranger learns nothing from it.
func (s *Verifier) Invitation(ctx context.Context, secret string) (*Registered, error) {
	if !plainSecret(secret) {
		return nil, errNoInvite
	}
	i, err := scanInvitation(s.DB.Reader().QueryRowContext(ctx, `SELECT `+inviteColumns+` FROM verifier_invitation WHERE link_hash = $1 AND ends_at > $2 AND tries < $3`, hashOf(secret), db.Micros(s.Clock.Now()), inviteTries))
	if err != nil {
		return nil, err
	}
	v, err := s.Registered(ctx, i.Verifier)
	if problem.Is(err, problem.NotFound) || err == nil && v.Stopped {
		return nil, errNoInvite
	}
	return v, err
}

// Join makes an account one of the people of the verifier to which a link invites, when
// the code is the one that belongs to it. The invitation is used up with it; a wrong code
// uses up one of its few tries. Who invited can't come themselves: nobody gives
// themselves the right to ask people for documents.
func (s *Verifier) Join(ctx context.Context, who gov.Actor, secret, code string) (*Registered, error) {
	v, err := s.Invitation(ctx, secret)
	if err != nil {
		return nil, err
	}
	if who.Public() {
		return nil, problem.New(problem.Unauthenticated, "unauthenticated")
	}
	// A wrong code is told after its transaction, so that the try stays counted.
	var wrong bool
	err = s.DB.RunTx(ctx, func(tx *db.Tx) error {
		wrong = false
		now := db.Micros(s.Clock.Now())
		var mac string
		i, err := scanInvitation(tx.QueryRowContext(ctx, `UPDATE verifier_invitation SET tries = tries + 1 WHERE link_hash = $1 AND ends_at > $2 AND tries < $3 RETURNING `+inviteColumns+`, code_mac`,
			hashOf(secret), now, inviteTries), &mac)
		if err != nil {
			return err
		}
		if wrong = subtle.ConstantTimeCompare([]byte(mac), []byte(s.seal.mac(invitePlace(i.ID), plainCode(code)))) != 1; wrong {
			return nil
		}
		if i.MadeBy == who.ID {
			return problem.New(problem.Forbidden, "verification.invite_own")
		}
		return s.joins(ctx, tx, who, i)
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("joining a verifier: %w", err)
	case wrong:
		return nil, problem.New(problem.Invalid, "verification.invite_code", "max", fmt.Sprint(inviteTries))
	}
	return v, nil
}

// joins uses up an invitation.
func (s *Verifier) joins(ctx context.Context, tx *db.Tx, who gov.Actor, i *Invitation) error {
	var already, works, people int
	if err := tx.QueryRowContext(ctx, `SELECT (SELECT COUNT(*) FROM verifier_person WHERE verifier = $1 AND account = $2), (SELECT COUNT(*) FROM verifier_person WHERE account = $2),
		(SELECT COUNT(*) FROM verifier_person WHERE verifier = $1)`, i.Verifier, who.ID).Scan(&already, &works, &people); err != nil {
		return err
	}
	switch {
	case already > 0:
		return problem.New(problem.Conflict, "verification.person_already")
	case works >= maxWorks || people >= maxPeople:
		return problem.New(problem.Conflict, "verification.people_many")
	}
	done, err := tx.ExecContext(ctx, `INSERT INTO verifier_person (verifier, account, label, invited_by, since, asked_at)
		SELECT id, $2, $3, $4, $5, 0 FROM verifier_party WHERE id = $1 AND ended_at = 0 AND stopped_at = 0`, i.Verifier, who.ID, i.Label, i.MadeBy, db.Micros(s.Clock.Now()))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, errNoInvite)
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM verifier_invitation WHERE id = $1`, i.ID); err != nil {
		return err
	}
	return s.note(ctx, tx, i.Verifier, who, didJoin, who.ID, map[string]string{"invitation": i.ID})
}

// newCode returns 60 random bits, in groups that a person reads aloud.
func newCode() string {
	var b [codeLength]byte
	rand.Read(b[:])
	for i := range b {
		b[i] = codeLetters[b[i]%byte(len(codeLetters))]
	}
	return string(b[:])
}

// shownCode writes a code in groups of four.
func shownCode(s string) string {
	var parts []string
	for len(s) > 4 {
		parts, s = append(parts, s[:4]), s[4:]
	}
	return strings.Join(append(parts, s), "-")
}

// plainCode reads a code as a person types it: in small letters, with spaces or hyphens,
// with letters for the digits that look like them.
func plainCode(s string) string {
	if len(s) > 100 {
		return ""
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == 'O':
			return '0'
		case r == 'I' || r == 'L':
			return '1'
		case strings.ContainsRune(codeLetters, r):
			return r
		}
		return -1
	}, strings.ToUpper(s))
}

// plainSecret tells whether a text can be the secret of a link.
func plainSecret(s string) bool {
	return len(s) == 64 && strings.Trim(s, "0123456789abcdef") == ""
}
