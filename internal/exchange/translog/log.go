package translog

import (
	"context"
	"crypto"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"diwan/internal/db"

	"golang.org/x/mod/sumdb/tlog"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

// Migrations returns the tables of logs and witnesses.
func Migrations() db.Migrations { return db.Embedded("translog", migrationFiles) }

// MaxBatch is how many entries one call may append.
const MaxBatch = 4096

var (
	// ErrRange says that a size or an index is beyond the log.
	ErrRange = errors.New("the log has no such entry or size")
	// ErrNotThere says that the log does not hold an entry, or no checkpoint
	// covers it yet.
	ErrNotThere = errors.New("not in the log, or not under a checkpoint yet")
	// ErrInconsistent says that the log's own database contradicts a checkpoint
	// that was signed: it was damaged, edited or set back. Nothing is signed
	// until somebody has looked.
	ErrInconsistent = errors.New("the log contradicts a checkpoint that it signed")
)

// Log is the transparency log of one member, kept in the database that the
// member's nodes share. Its methods may run at once in several nodes.
type Log struct {
	db     *db.DB
	origin string
	signer *logSigner
	quorum int
	// turn keeps the writers of one process from losing transactions against
	// each other.
	turn sync.Mutex
}

// Options says whose log it is.
type Options struct {
	// Origin is the log's identity for all time; see the function Origin.
	Origin string
	// Key signs checkpoints (Ed25519); all nodes of a member hold the same.
	Key crypto.Signer
	// Quorum is how many cosignatures a checkpoint needs to be published and
	// preferred in proofs; 0 publishes each at once.
	Quorum int
}

// Open opens or begins the log. The database holds the tables of Migrations.
func Open(ctx context.Context, d *db.DB, o Options) (*Log, error) {
	s, err := newLogSigner(o.Origin, o.Key)
	if err != nil {
		return nil, err
	}
	err = d.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO translog_log (origin, size) VALUES ($1, 0) ON CONFLICT DO NOTHING`, o.Origin)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("opening the transparency log: %w", err)
	}
	return &Log{db: d, origin: o.Origin, signer: s, quorum: o.Quorum}, nil
}

// Origin returns the log's identity.
func (l *Log) Origin() string { return l.origin }

// Key returns the log's public key as directories hold it.
func (l *Log) Key() string { return writeKey(l.origin, kindLog, l.signer.pub) }

// Size returns how many entries the log has.
func (l *Log) Size(ctx context.Context) (int64, error) { return l.size(ctx, l.db.Reader()) }

func (l *Log) size(ctx context.Context, q querier) (n int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT size FROM translog_log WHERE origin = $1`, l.origin).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("reading the log's size: %w", err)
	}
	return n, nil
}

// Append adds entries in order and returns the index of the first. They are there
// for good when it returns nil. An entry given twice is there twice; Feed is for
// journals.
func (l *Log) Append(ctx context.Context, entries []Entry) (first int64, err error) {
	err = l.write(ctx, func(tx *db.Tx) error {
		first, err = l.append(ctx, tx, entries)
		return err
	})
	return first, err
}

// Feed adds the entries of a journal's records from, from+1, … in one transaction
// with how far the journal was fed: those that were fed before are left out, so a
// caller that does not know whether its last call went through repeats it. It
// returns the index of the first entry it added and how many it added. A gap
// between what was fed and from is an error, since a record that is left out can't
// be told from one that was removed; records that do not belong in the log, such
// as those about the journal itself, are fed like all others.
func (l *Log) Feed(ctx context.Context, source string, from uint64, entries []Entry) (first int64, added int, err error) {
	if source == "" || len(source) > maxName || from == 0 || from > MaxSize {
		return 0, 0, fmt.Errorf("feeding the log: source or number out of bounds")
	}
	err = l.write(ctx, func(tx *db.Tx) error {
		fed, err := l.fed(ctx, tx, source)
		if err != nil {
			return err
		}
		if fed > 0 && from > fed+1 {
			return fmt.Errorf("feeding the log from %s: record %d comes after %d", source, from, fed)
		}
		left := entries
		if fed >= from {
			left = entries[min(uint64(len(entries)), fed+1-from):]
		}
		if added = len(left); added == 0 {
			return nil
		}
		if first, err = l.append(ctx, tx, left); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO translog_source (origin, source, seq) VALUES ($1, $2, $3)
			ON CONFLICT (origin, source) DO UPDATE SET seq = excluded.seq`, l.origin, source, int64(from)+int64(len(entries))-1)
		return err
	})
	return first, added, err
}

// Fed returns the number of the last record of a journal that was fed, 0 when
// none was.
func (l *Log) Fed(ctx context.Context, source string) (uint64, error) {
	return l.fed(ctx, l.db.Reader(), source)
}

func (l *Log) fed(ctx context.Context, q querier, source string) (uint64, error) {
	var seq int64
	err := q.QueryRowContext(ctx, `SELECT seq FROM translog_source WHERE origin = $1 AND source = $2`, l.origin, source).Scan(&seq)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("reading how far the log was fed: %w", err)
	}
	return uint64(seq), nil
}

// write runs a transaction that appends. The row of the log is written first: on
// PostgreSQL the others wait for it, and then begin anew with what they find.
func (l *Log) write(ctx context.Context, fn func(tx *db.Tx) error) error {
	l.turn.Lock()
	defer l.turn.Unlock()
	return l.db.RunTx(ctx, func(tx *db.Tx) error {
		if _, err := tx.ExecContext(ctx, `UPDATE translog_log SET size = size WHERE origin = $1`, l.origin); err != nil {
			return fmt.Errorf("taking the log's turn: %w", err)
		}
		return fn(tx)
	})
}

func (l *Log) append(ctx context.Context, tx *db.Tx, entries []Entry) (int64, error) {
	if len(entries) > MaxBatch {
		return 0, fmt.Errorf("appending %d entries at once: at most %d", len(entries), MaxBatch)
	}
	var size int64
	err := tx.QueryRowContext(ctx, `UPDATE translog_log SET size = size + $2 WHERE origin = $1 RETURNING size`, l.origin, len(entries)).Scan(&size)
	if err != nil {
		return 0, fmt.Errorf("appending to the log: %w", err)
	}
	if size > MaxSize {
		return 0, ErrRange
	}
	first := size - int64(len(entries))
	if err := newTree(ctx, tx, l.origin).grow(tx, first, entries); err != nil {
		return 0, err
	}
	at := first
	for part := range slices.Chunk(entries, 256) {
		if err := l.insert(ctx, tx, at, part); err != nil {
			return 0, err
		}
		at += int64(len(part))
	}
	return first, nil
}

// insert writes entries in one statement.
func (l *Log) insert(ctx context.Context, tx *db.Tx, at int64, entries []Entry) error {
	var b strings.Builder
	b.WriteString(`INSERT INTO translog_entry (origin, idx, entry) VALUES `)
	args := make([]any, 0, 1+2*len(entries))
	args = append(args, l.origin)
	for i, e := range entries {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "($1, $%d, $%d)", 2*i+2, 2*i+3)
		args = append(args, at+int64(i), e[:])
	}
	if _, err := tx.ExecContext(ctx, b.String(), args...); err != nil {
		return fmt.Errorf("appending to the log: %w", err)
	}
	return nil
}

// Index returns the place of an entry, the first when it is there more than once.
func (l *Log) Index(ctx context.Context, e Entry) (index int64, ok bool, err error) {
	var n sql.NullInt64
	err = l.db.Reader().QueryRowContext(ctx, `SELECT MIN(idx) FROM translog_entry WHERE origin = $1 AND entry = $2`, l.origin, e[:]).Scan(&n)
	if err != nil {
		return 0, false, fmt.Errorf("looking for an entry: %w", err)
	}
	return n.Int64, n.Valid, nil
}

// InclusionProof proves that the tree of size entries holds the one at index.
func (l *Log) InclusionProof(ctx context.Context, index, size int64) (tlog.RecordProof, error) {
	if err := l.within(ctx, size); err != nil {
		return nil, err
	}
	if index < 0 || index >= size {
		return nil, ErrRange
	}
	return tlog.ProveRecord(size, index, newTree(ctx, l.db.Reader(), l.origin))
}

// ConsistencyProof proves that the tree of size next begins with that of size
// old; it is empty when old is 0 or the same.
func (l *Log) ConsistencyProof(ctx context.Context, old, next int64) (tlog.TreeProof, error) {
	if err := l.within(ctx, next); err != nil {
		return nil, err
	}
	if old < 0 || old > next {
		return nil, ErrRange
	}
	if old == 0 || old == next {
		return nil, nil
	}
	return tlog.ProveTree(next, old, newTree(ctx, l.db.Reader(), l.origin))
}

func (l *Log) within(ctx context.Context, size int64) error {
	n, err := l.Size(ctx)
	if err == nil && (size < 0 || size > n) {
		err = ErrRange
	}
	return err
}

// entries reads [from, from+n).
func (l *Log) entries(ctx context.Context, from int64, n int) ([]Entry, error) {
	rows, err := l.db.Reader().QueryContext(ctx, `SELECT entry FROM translog_entry WHERE origin = $1 AND idx >= $2 AND idx < $3 ORDER BY idx`,
		l.origin, from, from+int64(n))
	if err != nil {
		return nil, fmt.Errorf("reading entries: %w", err)
	}
	defer rows.Close()
	var list []Entry
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil || len(b) != len(Entry{}) {
			return nil, errors.Join(errHole, err)
		}
		list = append(list, Entry(b))
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if len(list) != n {
		return nil, errHole
	}
	return list, nil
}
