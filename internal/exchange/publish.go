package exchange

import (
	"context"
	"crypto/x509"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"diwan/internal/db"
	"diwan/internal/exchange/snapshot"
	"diwan/internal/problem"
)

// published is an index that was signed.
type published struct {
	serial, revision int64
	signed           []byte
	issued           time.Time
	print            string
	checked          time.Time // when it was last held against the database
}

// Times of the directory.
const (
	// freshFor is how old an index grows before it is signed anew without a change,
	// so that gateways see that the directory lives.
	freshFor = time.Hour
	// lookAgain is how long a copy of the program answers from memory when it has
	// changed nothing itself. A change that another copy made is seen by gateways
	// after this and their own interval.
	lookAgain = time.Second
	// keptIndexes are kept to show what was said when.
	keptIndexes = 2000
)

// Index returns the signed index that is true now, and its fingerprint.
func (x *Exchange) Index(ctx context.Context) (signed []byte, print string, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	now := x.clock.Now()
	stale := x.stale.Swap(false)
	if p := x.index; p != nil && !stale && now.Sub(p.checked) < lookAgain && now.Sub(p.issued) < freshFor && !now.Before(p.checked) {
		return p.signed, p.print, nil
	}
	p, err := x.publish(ctx, now)
	if err != nil {
		return nil, "", err
	}
	p.checked, p.print = now, snapshot.Fingerprint(p.signed)
	x.index = p
	return p.signed, p.print, nil
}

// publish returns the newest index, signing a new one when something changed. Of
// several copies of the program that try at once one wins; the others read what
// it wrote.
func (x *Exchange) publish(ctx context.Context, now time.Time) (*published, error) {
	for range 5 {
		last, err := x.lastIndex(ctx, x.store.db.Reader())
		if err != nil {
			return nil, err
		}
		revision, err := x.store.revision(ctx, x.store.db.Reader())
		if err != nil {
			return nil, err
		}
		if last != nil && last.revision == revision && now.Sub(last.issued) < freshFor {
			return last, nil
		}
		p, err := x.sign(ctx, last, now)
		if err == nil || !db.IsDuplicate(err) {
			return p, err
		}
	}
	return nil, problem.New(problem.Unavailable, "exchange.directory_busy")
}

func (x *Exchange) lastIndex(ctx context.Context, q querier) (*published, error) {
	var p published
	var issued int64
	err := q.QueryRowContext(ctx, `SELECT serial, revision, signed, issued_at FROM exchange_index ORDER BY serial DESC LIMIT 1`).Scan(&p.serial, &p.revision, &p.signed, &issued)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	p.issued = db.Time(issued)
	return &p, err
}

// sign makes the next index from what the database holds.
func (x *Exchange) sign(ctx context.Context, last *published, now time.Time) (*published, error) {
	p := &published{serial: 1, issued: now}
	if last != nil {
		p.serial = last.serial + 1
	}
	err := x.store.db.RunTx(ctx, func(tx *db.Tx) (err error) {
		if p.revision, err = x.store.revision(ctx, tx); err != nil {
			return err
		}
		index, err := x.assemble(ctx, tx, now)
		if err != nil {
			return err
		}
		index.Serial = p.serial
		if p.signed, err = snapshot.Sign(index, x.signer); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM exchange_index WHERE serial < $1`, p.serial-keptIndexes); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO exchange_index (serial, revision, signed, issued_at) VALUES ($1, $2, $3, $4)`, p.serial, p.revision, p.signed, db.Micros(now))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("signing the directory: %w", err)
	}
	return p, nil
}

func (x *Exchange) assemble(ctx context.Context, tx *db.Tx, now time.Time) (*snapshot.Index, error) {
	members, err := x.store.allMembers(ctx, tx)
	if err != nil {
		return nil, err
	}
	authorities, keys, err := x.trust()
	if err != nil {
		return nil, err
	}
	index := &snapshot.Index{Version: 1, Instance: x.settings.Instance, IssuedAt: now.UTC(), ValidUntil: now.UTC().Add(time.Duration(x.settings.ValidHours) * time.Hour),
		Authorities: authorities, DirectoryKeys: keys, Members: make(map[string]string, len(members))}
	for _, m := range members {
		for _, k := range m.Keys {
			if !k.Revoked.IsZero() {
				index.Revoked = append(index.Revoked, snapshot.Revocation{SHA256: k.SHA256, At: k.Revoked})
			}
		}
		if !m.Suspended.IsZero() {
			continue
		}
		body, hash, err := snapshot.EncodePart(m.part(now))
		if err != nil {
			return nil, err
		}
		index.Members[m.ID] = hash
		_, err = tx.ExecContext(ctx, `INSERT INTO exchange_part (sha256, member, body, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (sha256) DO NOTHING`, hash, m.ID, body, db.Micros(now))
		if err != nil {
			return nil, err
		}
	}
	err = x.store.keys(ctx, tx, ` WHERE kind = $1`, []any{stampKind}, func(k Key) {
		if k.Revoked.IsZero() {
			index.StampAuthorities = append(index.StampAuthorities, k.DER)
		}
	})
	return index, err
}

// stampKind marks certificates of time-stamp authorities among the keys.
const stampKind = "stamp"

// errNoPart says that the directory has nothing under a hash.
var errNoPart = problem.New(problem.NotFound, "exchange.not_found")

// Part returns the bytes of a member's part.
func (x *Exchange) Part(ctx context.Context, hash string) ([]byte, error) {
	return x.body(ctx, `SELECT body FROM exchange_part WHERE sha256 = $1`, hash)
}

// Description returns an OpenAPI file.
func (x *Exchange) Description(ctx context.Context, hash string) ([]byte, error) {
	return x.body(ctx, `SELECT body FROM exchange_description WHERE sha256 = $1`, hash)
}

func (x *Exchange) body(ctx context.Context, query, hash string) (b []byte, err error) {
	err = x.store.db.Reader().QueryRowContext(ctx, query, hash).Scan(&b)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNoPart
	}
	return b, err
}

// view is the directory as a gateway sees it, for pages and for checking
// contracts.
func (x *Exchange) view(ctx context.Context, q querier) (*snapshot.View, error) {
	members, err := x.store.allMembers(ctx, q)
	if err != nil {
		return nil, err
	}
	authorities, _, err := x.trust()
	if err != nil {
		return nil, err
	}
	parts := make(map[string]*snapshot.Member, len(members))
	now := x.clock.Now()
	for _, m := range members {
		if m.Suspended.IsZero() {
			parts[m.ID] = m.part(now)
		}
	}
	return snapshot.NewView(&snapshot.Index{Authorities: authorities}, parts)
}

// StampAuthority issues the certificate of a time-stamp authority and tells
// gateways to believe it.
func (x *Exchange) StampAuthority(ctx context.Context, pub any, name string) (*x509.Certificate, error) {
	c, err := x.authority.IssueStamp(pub, name, x.clock.Now())
	if err != nil {
		return nil, err
	}
	return c, x.change(ctx, systemActor, "exchange.stamp.added", name, nil, func(tx *db.Tx) error {
		return x.store.putKey(ctx, tx, Key{SHA256: snapshot.Hash(c.Raw), Kind: stampKind, DER: c.Raw, NotBefore: c.NotBefore, NotAfter: c.NotAfter})
	})
}
