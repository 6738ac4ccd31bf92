package verifier

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/protocol/openid4/dcql"
	"diwan/protocol/openid4/jwe"
)

var errNoRequest = problem.New(problem.NotFound, "verification.not_found")

// maxID bounds an identifier that comes from outside.
const maxID = 64

type querier interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}

// load reads a request. One whose time is over without an answer is Expired, whatever
// the row still says.
func (s *Verifier) load(ctx context.Context, q querier, id string) (*Request, error) {
	if id == "" || len(id) > maxID {
		return nil, errNoRequest
	}
	r := &Request{}
	var query, reasons string
	var created, ends, answered, gone int64
	err := q.QueryRowContext(ctx, `SELECT id, verifier, template, query, keep, minutes, flow, return_uri, client_id, nonce, sealed_key, secret_hash, session_hash, code_hash, state, reasons, wallet_error,
		sealed_result, created_at, ends_at, answered_at, gone_at, holder, asked_by FROM verifier_request WHERE id = $1`, id).Scan(&r.ID, &r.Verifier, &r.Template, &query, &r.Keep, &r.Minutes, &r.Flow, &r.Return,
		&r.ClientID, &r.nonce, &r.sealedKey, &r.secretHash, &r.session, &r.codeHash, &r.State, &reasons, &r.WalletError, &r.sealedResult, &created, &ends, &answered, &gone, &r.Holder, &r.AskedBy)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNoRequest
	}
	if err != nil {
		return nil, fmt.Errorf("reading a request: %w", err)
	}
	if r.Query, err = dcql.Parse([]byte(query)); err != nil {
		return nil, fmt.Errorf("reading a request: %w", err)
	}
	if err := json.Unmarshal([]byte(reasons), &r.Reasons); err != nil {
		return nil, fmt.Errorf("reading a request: %w", err)
	}
	r.Created, r.Ends, r.Gone = db.Time(created), db.Time(ends), db.Time(gone)
	if answered != 0 {
		r.Answered = db.Time(answered)
	}
	now := s.Clock.Now()
	if !now.Before(r.Gone) {
		return nil, errNoRequest
	}
	if r.open() && !now.Before(r.Ends) {
		r.State = Expired
	}
	return r, nil
}

// open tells whether an answer can still settle the request.
func (r *Request) open() bool { return r.State == Waiting || r.State == Fetched }

// key opens the key to which the answer is encrypted.
func (s *Verifier) key(r *Request) (*jwe.Key, error) {
	b, err := s.seal.open(keyPlace(r.ID), r.sealedKey)
	if err != nil {
		return nil, err
	}
	return jwe.ParseKey(b)
}

// fetched notes that a wallet has got the request.
func (s *Verifier) fetched(ctx context.Context, r *Request) error {
	if r.State != Waiting {
		return nil
	}
	return s.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE verifier_request SET state = $2 WHERE id = $1 AND state = $3`, r.ID, Fetched, Waiting)
		return err
	})
}

var errAnswered = errors.New("the request has been answered, or has ended")

// settle ends a request with its one answer. Who comes second, also at the same moment,
// gets errAnswered.
func (s *Verifier) settle(ctx context.Context, r *Request, o *outcome, code string) error {
	reasons, err := json.Marshal(o.reasons)
	if err != nil {
		return err
	}
	result, err := json.Marshal(o.shown)
	if err != nil {
		return err
	}
	now := s.Clock.Now()
	keep := unread
	if r.Keep != KeepNothing {
		keep = max(keep, time.Duration(r.Minutes)*time.Minute)
	}
	codeHash := ""
	if code != "" {
		codeHash = hashOf(code)
	}
	return s.DB.RunTx(ctx, func(tx *db.Tx) error {
		done, err := tx.ExecContext(ctx, `UPDATE verifier_request SET state = $2, reasons = $3, wallet_error = $4, sealed_result = $5, sealed_key = $6, code_hash = $7, answered_at = $8, gone_at = $9
			WHERE id = $1 AND state IN ($10, $11) AND ends_at > $8`,
			r.ID, o.state, string(reasons), o.wallet, s.seal.seal(resultPlace(r.ID), result), []byte{}, codeHash, db.Micros(now), db.Micros(now.Add(keep)), Waiting, Fetched)
		if err != nil {
			return fmt.Errorf("settling a request: %w", err)
		}
		n, err := done.RowsAffected()
		if err == nil && n == 0 {
			err = errAnswered
		}
		if err != nil {
			return err
		}
		return s.note(ctx, tx, r.Verifier, gov.Actor{}, didEnd, r.ID, map[string]string{"state": o.state})
	})
}

// tell gives the result of a settled request, and lets go of what the purpose does not
// allow to be kept beyond the telling.
func (s *Verifier) tell(ctx context.Context, id string) (*Request, []Shown, error) {
	var r *Request
	var shown []Shown
	err := s.DB.RunTx(ctx, func(tx *db.Tx) error {
		var err error
		if r, err = s.load(ctx, tx, id); err != nil {
			return err
		}
		shown = nil
		if len(r.sealedResult) == 0 {
			return nil
		}
		b, err := s.seal.open(resultPlace(id), r.sealedResult)
		if err != nil {
			return err
		}
		// Numbers stay as the issuer wrote them.
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		if err := d.Decode(&shown); err != nil {
			return err
		}
		// The outcome stays for a while in any case, so that a page that is loaded again
		// does not look like a fault.
		if r.Keep != KeepClaims {
			_, err = tx.ExecContext(ctx, `UPDATE verifier_request SET sealed_result = $2 WHERE id = $1`, id, []byte{})
		}
		return err
	})
	return r, shown, err
}

// Sweep forgets the requests and the invitations whose time is over. It is a job, of every minute or so.
func (s *Verifier) Sweep(ctx context.Context) error {
	return s.DB.RunTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `DELETE FROM verifier_request WHERE gone_at <= $1`, db.Micros(s.Clock.Now())); err != nil {
			return fmt.Errorf("sweeping requests: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM verifier_invitation WHERE ends_at <= $1`, db.Micros(s.Clock.Now())); err != nil {
			return fmt.Errorf("sweeping invitations: %w", err)
		}
		return nil
	})
}
