package exchange

import (
	"context"
	"crypto/x509"
	"database/sql"
	"errors"
	"slices"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/exchange/contract"
	"diwan/internal/problem"
)

// skew is how far the clock of a gateway may be from ours.
const skew = 2 * time.Minute

// Agreement is a contract as the directory keeps it.
type Agreement struct {
	Hash     string
	Contract *contract.Contract
	Signed   contract.Signed
	Created  time.Time
	Changed  int64
	State    contract.State
}

// signers tells whose certificate a thumbprint names, suspended members'
// included: what they signed stays what it is.
func (x *Exchange) signers(ctx context.Context, q querier) (contract.Signer, error) {
	type holder struct {
		member string
		cert   *x509.Certificate
	}
	byPrint := map[string]holder{}
	var broken error
	err := x.store.keys(ctx, q, ` WHERE kind = $1 AND revoked_at = 0`, []any{KeyMember}, func(k Key) {
		c, err := x509.ParseCertificate(k.DER)
		if err != nil {
			broken = err
			return
		}
		byPrint[contract.Thumbprint(c)] = holder{k.Member, c}
	})
	return func(print string) (string, *x509.Certificate, bool) {
		h, ok := byPrint[print]
		return h.member, h.cert, ok
	}, errors.Join(err, broken)
}

// Propose takes a new contract with the acceptance of the member that brings it.
func (x *Exchange) Propose(ctx context.Context, by Caller, content []byte, jws string) (hash string, err error) {
	now := x.clock.Now()
	c, err := contract.Parse(content)
	if err == nil {
		err = c.Check(now, x.settings.Instance, skew)
	}
	if err == nil {
		hash, err = contract.Hash(content)
	}
	if err != nil {
		return "", invalidContract(err)
	}
	if !slices.Contains(c.Parties(), by.Member) {
		return "", problem.New(problem.Forbidden, "contract.not_a_party")
	}
	return hash, x.run(ctx, func(tx *db.Tx) error {
		if err := x.partiesExist(ctx, tx, c); err != nil {
			return err
		}
		sig, err := x.signature(ctx, tx, by, hash, jws, contract.Accept)
		if err != nil {
			return err
		}
		revision, err := x.store.changed(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO exchange_contract (hash, iv, content, not_after, created_at, changed) VALUES ($1, $2, $3, $4, $5, $6)`,
			hash, c.IV, content, db.Micros(time.Unix(c.Validity.NotAfter, 0)), db.Micros(now), revision)
		if db.IsDuplicate(err) {
			return problem.New(problem.Conflict, "contract.exists")
		}
		if err != nil {
			return err
		}
		for _, p := range c.Parties() {
			if _, err := tx.ExecContext(ctx, `INSERT INTO exchange_contract_party (contract, member) VALUES ($1, $2)`, hash, p); err != nil {
				return err
			}
		}
		return x.putSignature(ctx, tx, by, hash, sig)
	})
}

// partiesExist refuses a contract with somebody who is not there, or over a
// service that is not offered: nobody could tell later what was meant.
func (x *Exchange) partiesExist(ctx context.Context, tx *db.Tx, c *contract.Content) error {
	view, err := x.view(ctx, tx)
	if err != nil {
		return err
	}
	for _, p := range c.Parties() {
		if view.Members[p] == nil {
			return problem.New(problem.Invalid, "contract.no_member", "member", p)
		}
	}
	for _, g := range c.Grants {
		d := &g.Data
		service, client := d.Properties.Service, d.Properties.Client
		if !view.HasService(service) {
			return problem.New(problem.Invalid, "contract.no_service", "service", service)
		}
		if !view.HasSubsystem(client) {
			return problem.New(problem.Invalid, "contract.no_client", "client", client)
		}
		if !slices.Contains(view.KeyPrints(d.Outway.PeerID), d.Outway.PublicKeyThumbprint) {
			return problem.New(problem.Invalid, "contract.thumbprint")
		}
	}
	return nil
}

// Answer takes a party's acceptance, rejection or revocation.
func (x *Exchange) Answer(ctx context.Context, by Caller, hash string, kind contract.Kind, jws string) error {
	return x.run(ctx, func(tx *db.Tx) error {
		a, err := x.agreement(ctx, tx, hash)
		if err != nil {
			return err
		}
		if !slices.Contains(a.Contract.Parties(), by.Member) {
			return errNoContract // who is no party learns nothing of it
		}
		switch state := a.Contract.State(x.clock.Now()); {
		case kind == contract.Revoke && state != contract.Live && state != contract.Waiting,
			kind != contract.Revoke && state != contract.Proposed:
			return problem.New(problem.Conflict, "contract.state", "state", string(state))
		}
		sig, err := x.signature(ctx, tx, by, hash, jws, kind)
		if err != nil {
			return err
		}
		revision, err := x.store.changed(ctx, tx)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE exchange_contract SET changed = $2 WHERE hash = $1`, hash, revision); err != nil {
			return err
		}
		return x.putSignature(ctx, tx, by, hash, sig)
	})
}

func (x *Exchange) signature(ctx context.Context, tx *db.Tx, by Caller, hash, jws string, kind contract.Kind) (*contract.Signature, error) {
	who, err := x.signers(ctx, tx)
	if err != nil {
		return nil, err
	}
	sig, err := contract.ReadSignature(jws, hash, who)
	if err != nil {
		return nil, invalidContract(err)
	}
	if sig.Member != by.Member || sig.Kind != kind {
		return nil, problem.New(problem.Invalid, "contract.signature_mismatch")
	}
	if sig.SignedAt.After(x.clock.Now().Add(skew)) {
		return nil, problem.New(problem.Invalid, "contract.signed_in_future")
	}
	return sig, nil
}

func (x *Exchange) putSignature(ctx context.Context, tx *db.Tx, by Caller, hash string, s *contract.Signature) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO exchange_signature (contract, member, kind, signed_at, jws) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (contract, member, kind) DO NOTHING`,
		hash, s.Member, string(s.Kind), db.Micros(s.SignedAt), s.JWS)
	if err != nil {
		return err
	}
	return x.audit.Append(ctx, tx, chain, by.actor(), "exchange.contract."+string(s.Kind), hash, nil)
}

// invalidContract says what is wrong with a contract under the code of its own
// package.
func invalidContract(err error) error {
	var field *contract.FieldError
	if errors.As(err, &field) {
		return &problem.Error{Kind: problem.Invalid, Code: field.Code, Fields: []problem.Field{problem.At(field.Field, field.Code)}, Err: err}
	}
	for _, known := range []error{contract.ErrTooLarge, contract.ErrNotIJSON, contract.ErrUnknown, contract.ErrMismatch, contract.ErrCertificate, contract.ErrSignature} {
		if errors.Is(err, known) {
			return problem.Wrap(err, problem.Invalid, known.Error())
		}
	}
	return err
}

var errNoContract = problem.New(problem.NotFound, "contract.not_found")

// Agreement returns one contract.
func (x *Exchange) Agreement(ctx context.Context, hash string) (*Agreement, error) {
	return x.agreement(ctx, x.store.db.Reader(), hash)
}

func (x *Exchange) agreement(ctx context.Context, q querier, hash string) (*Agreement, error) {
	list, err := x.agreements(ctx, q, `WHERE c.hash = $1`, hash)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errNoContract
	}
	return list[0], nil
}

// Agreements lists contracts, those that changed last first: of one member, or of
// all when member is "".
func (x *Exchange) Agreements(ctx context.Context, member string, limit, offset int) ([]*Agreement, error) {
	if member == "" {
		return x.agreements(ctx, x.store.db.Reader(), `ORDER BY c.changed DESC, c.hash LIMIT $1 OFFSET $2`, limit, offset)
	}
	return x.agreements(ctx, x.store.db.Reader(), `WHERE c.hash IN (SELECT contract FROM exchange_contract_party WHERE member = $1) ORDER BY c.changed DESC, c.hash LIMIT $2 OFFSET $3`, member, limit, offset)
}

// ChangedSince lists a member's contracts that changed after a revision, oldest
// change first.
func (x *Exchange) ChangedSince(ctx context.Context, member string, revision int64, limit int) ([]*Agreement, error) {
	return x.agreements(ctx, x.store.db.Reader(), `WHERE c.changed > $2 AND c.hash IN (SELECT contract FROM exchange_contract_party WHERE member = $1) ORDER BY c.changed, c.hash LIMIT $3`, member, revision, limit)
}

func (x *Exchange) agreements(ctx context.Context, q querier, where string, args ...any) ([]*Agreement, error) {
	var list []*Agreement
	err := each(ctx, q, func(r *sql.Rows) error {
		var a Agreement
		var created int64
		if err := r.Scan(&a.Hash, &a.Signed.Content, &created, &a.Changed); err != nil {
			return err
		}
		a.Created = db.Time(created)
		list = append(list, &a)
		return nil
	}, `SELECT c.hash, c.content, c.created_at, c.changed FROM exchange_contract c `+where, args...)
	if err != nil {
		return nil, err
	}
	who, err := x.signers(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, a := range list {
		err := each(ctx, q, func(r *sql.Rows) error {
			var jws string
			err := r.Scan(&jws)
			a.Signed.Signatures = append(a.Signed.Signatures, jws)
			return err
		}, `SELECT jws FROM exchange_signature WHERE contract = $1 ORDER BY signed_at, member, kind`, a.Hash)
		if err != nil {
			return nil, err
		}
		if a.Contract, err = contract.Open(a.Signed, who); err != nil {
			return nil, err
		}
		a.State = a.Contract.State(x.clock.Now())
	}
	return list, nil
}

// endsSoon is when people are told that a contract or certificate is about to end.
const endsSoon = 30 * 24 * time.Hour

// EndsSoon tells whether a live contract is about to end.
func (a *Agreement) EndsSoon(now time.Time) bool {
	return a.State == contract.Live && time.Unix(a.Contract.Validity.NotAfter, 0).Sub(now) < endsSoon
}

// memberOf is the member part of a client or service identifier.
func memberOf(id string) string {
	parts := strings.SplitN(id, "/", 4)
	return strings.Join(parts[:min(3, len(parts))], "/")
}
