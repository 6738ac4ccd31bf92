package credential

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Statuses of a copy in its list (Token Status List §7).
const (
	statusValid     = 0
	statusRevoked   = 1
	statusSuspended = 2
)

// statusBits of an entry: a licence can be suspended.
const statusBits = 2

// maxReason bounds why a document was revoked, in characters.
const maxReason = 500

// changes are what an officer, or the holder, does to a document that was signed.
var changes = map[string]struct {
	from   []string
	to     string
	status int
}{
	Revoked:   {[]string{Ready, Suspended}, Revoked, statusRevoked},
	Suspended: {[]string{Ready}, Suspended, statusSuspended},
	Ready:     {[]string{Suspended}, Ready, statusValid},
}

// Change revokes or suspends a document or gives it back, with a reason that its
// holder reads. Every copy that was issued of it changes in the same transaction; it
// reaches verifiers within StatusLife.
func (s *Credentials) Change(ctx context.Context, actor gov.Actor, id, to, reason string) (*Document, error) {
	d, err := s.Find(ctx, actor, MayRevoke, id)
	if err != nil {
		return nil, err
	}
	how, ok := changes[to]
	reason = strings.TrimSpace(reason)
	switch {
	case !ok:
		return nil, problem.New(problem.Invalid, "credential.change")
	case reason == "":
		return nil, problem.New(problem.Invalid, "credential.reason")
	case utf8.RuneCountInString(reason) > maxReason || !wordsFit(reason):
		return nil, problem.New(problem.Invalid, "credential.reason_form", "most", strconv.Itoa(maxReason))
	}
	err = s.DB.RunTx(ctx, func(tx *db.Tx) error {
		var moved error
		for _, from := range how.from {
			if moved = s.move(ctx, tx, d, from, to); moved == nil {
				break
			}
		}
		if moved != nil {
			return moved
		}
		if err := s.setStatus(ctx, tx, `document = $1`, d.ID, how.status); err != nil {
			return err
		}
		if err := s.note(ctx, tx, d.ID, to, actor.ID, reason); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, auditChain, actor, "credential."+to, d.ID, map[string]string{"type": d.Type})
	})
	if err != nil {
		return nil, err
	}
	d.State = to
	return d, nil
}

// setStatus changes the status of the copies that a condition names. A revoked copy
// stays revoked.
func (s *Credentials) setStatus(ctx context.Context, tx *db.Tx, where, arg string, status int) error {
	rows, err := tx.QueryContext(ctx, `SELECT DISTINCT list FROM credential_copy WHERE `+where, arg)
	if err != nil {
		return err
	}
	var lists []string
	for rows.Next() {
		var l string
		if err := rows.Scan(&l); err != nil {
			rows.Close()
			return err
		}
		lists = append(lists, l)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE credential_copy SET status = $2 WHERE `+where+` AND status <> $3`, arg, status, statusRevoked); err != nil {
		return err
	}
	for _, l := range lists {
		if _, err := tx.ExecContext(ctx, `UPDATE credential_list SET changes = changes + 1 WHERE id = $1`, l); err != nil {
			return err
		}
	}
	return nil
}
