// Package audit keeps who did what, and when, so that nobody can quietly change
// it afterwards. Entries are written in the transaction of the act itself: an
// act without its entry, or an entry without its act, cannot happen.
//
// Each slice has a chain. The hash of an entry covers the hash before it, so
// that a changed, removed or inserted entry breaks every hash after it; Verify
// finds the first. Someone who can rewrite the whole database can rewrite the
// whole chain: against that, the head must be kept elsewhere. Leaf is the seam
// for it: it is the leaf hash of RFC 6962, so that the same entries can go into
// a transparency log with signed checkpoints without being written differently.
//
// Entries name people by the ids of their accounts and never hold the contents
// of documents or identity numbers.
package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/gowebpki/jcs"

	"diwan/internal/db"
	"diwan/internal/gov"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations returns the tables of the audit trail.
func Migrations() db.Migrations { return db.Embedded("audit", migrations) }

// Entry is one act.
type Entry struct {
	Chain   string            `json:"chain"`
	Seq     int64             `json:"seq"` // from 1, without gaps
	At      int64             `json:"at"`  // microseconds since 1970, UTC
	Actor   string            `json:"actor"`
	Action  string            `json:"action"`  // "procedure.publish"
	Subject string            `json:"subject"` // the thing's id
	Detail  map[string]string `json:"detail"`
	Hash    []byte            `json:"-"`
}

// Log writes and checks the audit trail.
type Log struct {
	db    *db.DB
	clock gov.Clock
}

// New returns the audit trail of a database.
func New(d *db.DB, clock gov.Clock) *Log { return &Log{d, clock} }

// Append writes an act at the end of its chain, in the caller's transaction.
func (l *Log) Append(ctx context.Context, tx *db.Tx, chain string, actor gov.Actor, action, subject string, detail map[string]string) error {
	e := Entry{Chain: chain, Seq: 1, At: db.Micros(l.clock.Now()), Actor: actor.ID, Action: action, Subject: subject, Detail: detail}
	prev, err := head(ctx, tx, chain)
	if err != nil {
		return err
	}
	if prev != nil {
		e.Seq = prev.Seq + 1
		e.Hash = prev.Hash
	}
	text, err := e.canonical()
	if err != nil {
		return err
	}
	e.Hash = link(e.Hash, Leaf(text))
	d, err := json.Marshal(e.Detail)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO audit_entry (chain, seq, at, actor, action, subject, detail, hash)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`, e.Chain, e.Seq, e.At, e.Actor, e.Action, e.Subject, string(d), e.Hash); err != nil {
		return fmt.Errorf("writing the audit entry: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO audit_head (chain, seq, hash) VALUES ($1, $2, $3)
		ON CONFLICT (chain) DO UPDATE SET seq = excluded.seq, hash = excluded.hash`, e.Chain, e.Seq, e.Hash); err != nil {
		return fmt.Errorf("moving the head of the audit chain: %w", err)
	}
	return nil
}

func head(ctx context.Context, tx *db.Tx, chain string) (*Entry, error) {
	var e Entry
	err := tx.QueryRowContext(ctx, `SELECT seq, hash FROM audit_head WHERE chain = $1`, chain).Scan(&e.Seq, &e.Hash)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the head of the audit chain: %w", err)
	}
	return &e, nil
}

// canonical writes the entry in the one form that is hashed: JSON canonicalised
// by RFC 8785.
func (e Entry) canonical() ([]byte, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	return jcs.Transform(b)
}

// Leaf returns the leaf hash of RFC 6962, section 2.1, of an entry's text.
func Leaf(text []byte) [32]byte { return sha256.Sum256(append([]byte{0}, text...)) }

// link chains a leaf to what came before. The prefix keeps it from ever being
// mistaken for a leaf (0) or a node (1) of a Merkle tree.
func link(prev []byte, leaf [32]byte) []byte {
	h := sha256.New()
	h.Write([]byte{2})
	h.Write(prev)
	h.Write(leaf[:])
	return h.Sum(nil)
}

// History returns the entries about one thing, oldest first, at most limit.
func (l *Log) History(ctx context.Context, chain, subject string, limit int) ([]Entry, error) {
	return l.read(ctx, `SELECT chain, seq, at, actor, action, subject, detail, hash FROM audit_entry
		WHERE chain = $1 AND subject = $2 ORDER BY seq DESC LIMIT $3`, chain, subject, limit)
}

// Recent returns the last entries of a chain, newest first, before seq (0: all).
func (l *Log) Recent(ctx context.Context, chain string, before int64, limit int) ([]Entry, error) {
	if before <= 0 {
		before = 1 << 62
	}
	return l.read(ctx, `SELECT chain, seq, at, actor, action, subject, detail, hash FROM audit_entry
		WHERE chain = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3`, chain, before, limit)
}

func (l *Log) read(ctx context.Context, query string, args ...any) ([]Entry, error) {
	rows, err := l.db.Reader().QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("reading the audit trail: %w", err)
	}
	defer rows.Close()
	var out []Entry
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

func scan(rows *sql.Rows) (Entry, error) {
	var e Entry
	var detail string
	if err := rows.Scan(&e.Chain, &e.Seq, &e.At, &e.Actor, &e.Action, &e.Subject, &detail, &e.Hash); err != nil {
		return e, fmt.Errorf("reading an audit entry: %w", err)
	}
	if err := json.Unmarshal([]byte(detail), &e.Detail); err != nil {
		return e, fmt.Errorf("audit entry %s/%d: %w", e.Chain, e.Seq, err)
	}
	return e, nil
}

// Broken says where a chain does not hold.
type Broken struct {
	Chain string
	Seq   int64
	Why   string
}

// Error says it in one line.
func (b *Broken) Error() string {
	return fmt.Sprintf("audit chain %s is broken at entry %d: %s", b.Chain, b.Seq, b.Why)
}

// Verify recomputes every chain and returns how many entries hold, and a
// *Broken error for the first that does not.
func (l *Log) Verify(ctx context.Context) (n int64, err error) {
	rows, err := l.db.Reader().QueryContext(ctx, `SELECT chain, seq, at, actor, action, subject, detail, hash FROM audit_entry ORDER BY chain, seq`)
	if err != nil {
		return 0, fmt.Errorf("reading the audit trail: %w", err)
	}
	defer rows.Close()
	var prev Entry
	heads := map[string]Entry{}
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return n, err
		}
		if e.Chain != prev.Chain {
			prev = Entry{Chain: e.Chain}
		}
		if err := e.follows(prev); err != nil {
			return n, err
		}
		n++
		prev = e
		heads[e.Chain] = e
	}
	if err := rows.Err(); err != nil {
		return n, err
	}
	return n, l.verifyHeads(ctx, heads)
}

func (e Entry) follows(prev Entry) error {
	if e.Seq != prev.Seq+1 {
		return &Broken{e.Chain, prev.Seq + 1, "it is missing"}
	}
	text, err := e.canonical()
	if err != nil {
		return err
	}
	if !bytes.Equal(e.Hash, link(prev.Hash, Leaf(text))) {
		return &Broken{e.Chain, e.Seq, "its contents were changed"}
	}
	return nil
}

// verifyHeads notices entries that were cut off at the end, and a chain whose
// head was taken away so that the cut would not show.
func (l *Log) verifyHeads(ctx context.Context, last map[string]Entry) error {
	rows, err := l.db.Reader().QueryContext(ctx, `SELECT chain, seq, hash FROM audit_head`)
	if err != nil {
		return fmt.Errorf("reading the heads of the audit chains: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var h Entry
		if err := rows.Scan(&h.Chain, &h.Seq, &h.Hash); err != nil {
			return err
		}
		if e := last[h.Chain]; e.Seq != h.Seq || !bytes.Equal(e.Hash, h.Hash) {
			return &Broken{h.Chain, e.Seq + 1, "entries at the end are missing"}
		}
		delete(last, h.Chain)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if headless := slices.Sorted(maps.Keys(last)); len(headless) > 0 {
		return &Broken{headless[0], last[headless[0]].Seq + 1, "its head is missing"}
	}
	return nil
}
