package exchange

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"diwan/internal/audit"
	"diwan/internal/db"
	"diwan/internal/exchange/pki"
	"diwan/internal/exchange/snapshot"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/protocol/xroad"
)

// chain is the audit chain of the exchange.
const chain = "exchange"

// Exchange is the slice.
type Exchange struct {
	settings  Settings
	store     store
	audit     *audit.Log
	clock     gov.Clock
	log       *slog.Logger
	authority *pki.Authority
	signer    crypto.Signer // of the directory

	LawNamed LawNamer // nil where no law is known by name

	mu    sync.Mutex // of making an index
	index *published
	stale atomic.Bool // this copy of the program has made a change since
}

// Keys are those that the exchange signs with; both are on a NIST curve.
type Keys struct {
	Authority crypto.Signer
	Directory crypto.Signer
}

// New returns the slice. The authority's certificate is made when the database
// holds none: it must stay the same for as long as certificates of it are used.
func New(ctx context.Context, d *db.DB, a *audit.Log, clock gov.Clock, settings Settings, keys Keys, log *slog.Logger) (*Exchange, error) {
	x := &Exchange{settings: settings, store: store{d}, audit: a, clock: clock, log: log, signer: keys.Directory}
	cert, err := x.root(ctx, keys.Authority)
	if err != nil {
		return nil, fmt.Errorf("opening the exchange's authority: %w", err)
	}
	x.authority = &pki.Authority{Certificate: cert, Key: keys.Authority}
	return x, nil
}

// rootKind marks the authority's own certificate among the keys.
const rootKind = "root"

func (x *Exchange) root(ctx context.Context, key crypto.Signer) (*x509.Certificate, error) {
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	var cert *x509.Certificate
	err = x.store.db.RunTx(ctx, func(tx *db.Tx) error {
		cert = nil
		if err := x.store.keys(ctx, tx, ` WHERE kind = $1`, []any{rootKind}, func(k Key) {
			if c, err := x509.ParseCertificate(k.DER); err == nil && slices.Equal(c.RawSubjectPublicKeyInfo, pub) {
				cert = c
			}
		}); err != nil || cert != nil {
			return err
		}
		a, err := pki.NewRoot(x.settings.Instance, key, x.clock.Now())
		if err != nil {
			return err
		}
		cert = a.Certificate
		return x.store.putKey(ctx, tx, Key{SHA256: snapshot.Hash(cert.Raw), Kind: rootKind, DER: cert.Raw, NotBefore: cert.NotBefore, NotAfter: cert.NotAfter})
	})
	return cert, err
}

// Settings returns what the country says of its exchange.
func (x *Exchange) Settings() Settings { return x.settings }

// Members lists every member.
func (x *Exchange) Members(ctx context.Context) ([]*Member, error) {
	return x.store.allMembers(ctx, x.store.db.Reader())
}

// Member returns one member with all that belongs to it.
func (x *Exchange) Member(ctx context.Context, id string) (*Member, error) {
	return x.store.member(ctx, x.store.db.Reader(), id)
}

var codeForm = regexp.MustCompile(`^[A-Za-z0-9'()+,.=?-]{1,64}$`)

// AddMember lets an administration take part. The class must be one of the
// country's.
func (x *Exchange) AddMember(ctx context.Context, by gov.Actor, m Member) error {
	id, err := xroad.ParseClientID(m.ID)
	var wrong []problem.Field
	switch {
	case err != nil || id.Subsystem != "" || id.Registrable() != nil || id.Instance != x.settings.Instance:
		wrong = append(wrong, problem.At("id", "exchange.member_id"))
	case !slices.ContainsFunc(x.settings.Classes, func(c MemberClass) bool { return c.Code == id.Class }):
		wrong = append(wrong, problem.At("class", "exchange.member_class"))
	}
	if strings.TrimSpace(firstOf(m.Name)) == "" {
		wrong = append(wrong, problem.At("name", "exchange.name"))
	}
	if len(wrong) > 0 {
		return &problem.Error{Kind: problem.Invalid, Code: "exchange.member_invalid", Fields: wrong}
	}
	return x.change(ctx, by, "exchange.member.added", m.ID, nil, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO exchange_member (id, administration, name, contact, log_key, witness_key, suspended, created_at)
			VALUES ($1, $2, $3, $4, '', '', 0, $5)`, m.ID, m.Administration, jsonOf(m.Name), m.Contact, db.Micros(x.clock.Now()))
		if db.IsDuplicate(err) {
			return problem.New(problem.Conflict, "exchange.member_exists")
		}
		return err
	})
}

// Suspend takes a member out of the directory, or lets it back in: with the next
// directory nobody answers it and nobody asks it.
func (x *Exchange) Suspend(ctx context.Context, by gov.Actor, id, reason string, out bool) error {
	action, at := "exchange.member.readmitted", int64(0)
	if out {
		action, at = "exchange.member.suspended", db.Micros(x.clock.Now())
		if strings.TrimSpace(reason) == "" {
			return problem.New(problem.Invalid, "exchange.reason_missing")
		}
	}
	return x.change(ctx, by, action, id, map[string]string{"reason": reason}, func(tx *db.Tx) error {
		return one(tx.ExecContext(ctx, `UPDATE exchange_member SET suspended = $2 WHERE id = $1`, id, at))
	})
}

// Revoke ends the trust in a key or certificate at once.
func (x *Exchange) Revoke(ctx context.Context, by gov.Actor, sha256, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return problem.New(problem.Invalid, "exchange.reason_missing")
	}
	return x.change(ctx, by, "exchange.key.revoked", sha256, map[string]string{"reason": reason}, func(tx *db.Tx) error {
		return one(tx.ExecContext(ctx, `UPDATE exchange_key SET revoked_at = $2, reason = $3 WHERE sha256 = $1 AND revoked_at = 0 AND kind <> $4`,
			sha256, db.Micros(x.clock.Now()), reason, rootKind))
	})
}

// one makes a change of no row an error.
func one(r interface{ RowsAffected() (int64, error) }, err error) error {
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(problem.New(problem.NotFound, "exchange.not_found"), err)
	}
	return nil
}

// change is one change of what gateways must know, with its audit entry.
func (x *Exchange) change(ctx context.Context, by gov.Actor, action, subject string, detail map[string]string, do func(*db.Tx) error) error {
	return x.run(ctx, func(tx *db.Tx) error {
		if err := do(tx); err != nil {
			return err
		}
		if _, err := x.store.changed(ctx, tx); err != nil {
			return err
		}
		return x.audit.Append(ctx, tx, chain, by, action, subject, detail)
	})
}

// run runs a transaction after which the directory may be another.
func (x *Exchange) run(ctx context.Context, do func(*db.Tx) error) error {
	defer x.stale.Store(true)
	return x.store.db.RunTx(ctx, do)
}

func firstOf(t gov.Text) string {
	for _, s := range t {
		if s != "" {
			return s
		}
	}
	return ""
}

// expired tells whether a moment has passed.
func expired(at, now time.Time) bool { return !now.Before(at) }
