package credential

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"diwan/internal/db"
	"diwan/protocol/openid4/vci"
)

// deferred answers POST /issue/deferred (OpenID4VCI 1.0 §9).
func (h *issuerHTTP) deferred(w http.ResponseWriter, r *http.Request) {
	s := h.Credentials
	var used seen
	a, err := s.access(r, pathDeferred, &used)
	if err != nil {
		h.resourceError(w, err)
		return
	}
	req, err := h.readDeferred(w, r)
	var answer *vci.CredentialResponse
	if err == nil {
		answer, err = s.resume(r.Context(), a, req.Transaction, &used)
	}
	if err != nil {
		h.resourceError(w, err)
		return
	}
	h.answer(w, answer, req.Encryption)
}

func (h *issuerHTTP) readDeferred(w http.ResponseWriter, r *http.Request) (*vci.DeferredRequest, error) {
	b, err := body(w, r)
	if err != nil {
		return nil, err
	}
	o, err := h.opener()
	if err != nil {
		return nil, err
	}
	plain, encrypted, err := o.Open(b, r.Header.Get("Content-Type"))
	if err != nil {
		return nil, err
	}
	return vci.ParseDeferred(plain, vci.RequestCheck{Encrypted: encrypted})
}

// resume issues what was deferred if it can be now.
func (s *Credentials) resume(ctx context.Context, a *access, transaction string, used *seen) (*vci.CredentialResponse, error) {
	unknown := fmt.Errorf("%w: there is no such transaction", vci.InvalidTransaction)
	var text string
	var ends int64
	err := s.DB.Reader().QueryRowContext(ctx, `SELECT body, ends_at FROM credential_deferred WHERE id = $1 AND token = $2`, transaction, a.hash).Scan(&text, &ends)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !s.Clock.Now().Before(db.Time(ends)) {
		return nil, unknown
	}
	if err != nil {
		return nil, fmt.Errorf("reading a deferred request: %w", err)
	}
	var l later
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		return nil, fmt.Errorf("reading a deferred request: %w", err)
	}
	want := &wish{Person: a.body.Person, Document: l.Document, Type: l.Type, Format: l.Format}
	for _, b := range l.Keys {
		k, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), b)
		if err != nil {
			return nil, fmt.Errorf("reading a deferred request: %w", err)
		}
		want.Keys = append(want.Keys, k)
	}
	d, err := s.wished(ctx, want)
	if err == nil && contains([]string{Prepared, Faulty, Waiting}, d.State) {
		return &vci.CredentialResponse{Transaction: transaction, Interval: deferInterval}, s.useUp(ctx, used)
	}
	// From here on it ends, well or not: a transaction answers once.
	r, err := s.DB.Writer().ExecContext(ctx, `DELETE FROM credential_deferred WHERE id = $1`, transaction)
	if err != nil {
		return nil, err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return nil, errors.Join(unknown, err)
	}
	return s.issue(ctx, a, want, used)
}

// useUp remembers the proofs of a request that writes nothing else.
func (s *Credentials) useUp(ctx context.Context, used *seen) error {
	var refused error
	err := s.joint.Do(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		refused, err = used.keep(ctx, tx)
		return errors.Join(err, refused)
	})
	if refused != nil {
		return refused
	}
	return err
}

// notification answers POST /issue/notification (OpenID4VCI 1.0 §11). Telling twice is
// telling once.
func (h *issuerHTTP) notification(w http.ResponseWriter, r *http.Request) {
	s := h.Credentials
	var used seen
	a, err := s.access(r, pathNotification, &used)
	if err != nil {
		h.resourceError(w, err)
		return
	}
	b, err := body(w, r)
	var n *vci.Notification
	if err == nil {
		n, err = vci.ParseNotification(b)
	}
	if err == nil {
		err = s.told(r.Context(), a, n, &used)
	}
	if err != nil {
		h.resourceError(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *Credentials) told(ctx context.Context, a *access, n *vci.Notification, used *seen) error {
	var refused error
	err := s.joint.Do(ctx, func(ctx context.Context, tx *db.Tx) (err error) {
		if refused, err = used.keep(ctx, tx); err != nil || refused != nil {
			return errors.Join(err, refused)
		}
		var one int
		err = tx.QueryRowContext(ctx, `SELECT 1 FROM credential_document d JOIN credential_copy c ON c.document = d.id WHERE d.person = $1 AND c.notification = $2 LIMIT 1`, a.body.Person, n.ID).Scan(&one)
		if errors.Is(err, sql.ErrNoRows) {
			refused = fmt.Errorf("%w: there is no such notification", vci.InvalidNotification)
			return refused
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO credential_told (notification, event, at) VALUES ($1, $2, $3) ON CONFLICT (notification, event) DO NOTHING`, n.ID, n.Event, db.Micros(s.Clock.Now()))
		return err
	})
	if refused != nil {
		return refused
	}
	return err
}
