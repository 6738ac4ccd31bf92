package translog

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"diwan/internal/db"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Signed is a checkpoint as the log keeps it.
type Signed struct {
	Checkpoint
	// Note is the text with the log's own signature: the bytes that are stamped.
	Note     []byte
	SignedAt time.Time
	// Cosignatures are the witnesses' lines, by name.
	Cosignatures []string
	// Stamp is a time-stamp authority's answer over Note, nil until one came.
	Stamp     []byte
	StampedAt time.Time
}

// Published returns the checkpoint with all its signatures.
func (s *Signed) Published() []byte { return addLines(s.Note, s.Cosignatures) }

// Checkpoint signs the present state of the log, or returns the signed one that
// is there already. It signs nothing that contradicts what it signed last, and
// returns ErrInconsistent instead.
func (l *Log) Checkpoint(ctx context.Context, now time.Time) (*Signed, error) {
	// Most looks find nothing new; those need no turn to write.
	size, err := l.Size(ctx)
	if err != nil {
		return nil, err
	}
	last, err := l.last(ctx, l.db.Reader())
	if err != nil {
		return nil, err
	}
	if last != nil && last.Size == size {
		return l.At(ctx, size)
	}
	if l.signer == nil {
		return nil, ErrNoKey
	}
	err = l.db.RunTx(ctx, func(tx *db.Tx) error {
		var err error
		if size, err = l.size(ctx, tx); err != nil {
			return err
		}
		t := newTree(ctx, tx, l.origin)
		last, err := l.last(ctx, tx)
		if err != nil {
			return err
		}
		if last != nil {
			root, err := rootOf(t, last.Size)
			if err != nil && !errors.Is(err, errHole) {
				return err
			}
			if err != nil || root != last.Root || size < last.Size {
				return ErrInconsistent
			}
			if last.Size == size {
				return nil
			}
		}
		root, err := rootOf(t, size)
		if err != nil {
			return err
		}
		c := Checkpoint{l.origin, size, root}
		signed, err := note.Sign(&note.Note{Text: c.Text()}, l.signer)
		if err != nil {
			return fmt.Errorf("signing a checkpoint: %w", err)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO translog_checkpoint (origin, size, root, note, signed_at, stamp, stamped_at)
			VALUES ($1, $2, $3, $4, $5, $6, 0) ON CONFLICT DO NOTHING`, l.origin, size, root[:], signed, db.Micros(now), []byte{})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("making a checkpoint: %w", err)
	}
	return l.At(ctx, size)
}

func rootOf(t *tree, size int64) (tlog.Hash, error) {
	if size == 0 {
		return emptyRoot, nil
	}
	return tlog.TreeHash(size, t)
}

// last returns the largest checkpoint that was signed, nil when none was.
func (l *Log) last(ctx context.Context, q querier) (*Checkpoint, error) {
	c := Checkpoint{Origin: l.origin}
	var root []byte
	err := q.QueryRowContext(ctx, `SELECT size, root FROM translog_checkpoint WHERE origin = $1 ORDER BY size DESC LIMIT 1`, l.origin).Scan(&c.Size, &root)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil || len(root) != len(c.Root) {
		return nil, errors.Join(errors.New("reading the last checkpoint"), err)
	}
	c.Root = tlog.Hash(root)
	return &c, nil
}

// At returns the checkpoint of a size with what has come in for it.
func (l *Log) At(ctx context.Context, size int64) (*Signed, error) {
	q := l.db.Reader()
	s := &Signed{Checkpoint: Checkpoint{Origin: l.origin, Size: size}}
	var root []byte
	var signed, stamped int64
	err := q.QueryRowContext(ctx, `SELECT root, note, signed_at, stamp, stamped_at FROM translog_checkpoint WHERE origin = $1 AND size = $2`,
		l.origin, size).Scan(&root, &s.Note, &signed, &s.Stamp, &stamped)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotThere
	}
	if err != nil || len(root) != len(s.Root) {
		return nil, errors.Join(errors.New("reading a checkpoint"), err)
	}
	s.Root, s.SignedAt = tlog.Hash(root), db.Time(signed)
	if stamped != 0 {
		s.StampedAt = db.Time(stamped)
	} else {
		s.Stamp = nil
	}
	rows, err := q.QueryContext(ctx, `SELECT line FROM translog_cosignature WHERE origin = $1 AND size = $2 ORDER BY witness`, l.origin, size)
	if err != nil {
		return nil, fmt.Errorf("reading cosignatures: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return nil, err
		}
		s.Cosignatures = append(s.Cosignatures, line)
	}
	return s, rows.Err()
}

const countCosignatures = `(SELECT COUNT(*) FROM translog_cosignature s WHERE s.origin = c.origin AND s.size = c.size)`

// Latest returns the newest checkpoint that may be published, which is the newest
// with the quorum of cosignatures.
func (l *Log) Latest(ctx context.Context) (*Signed, error) {
	return l.pick(ctx, `SELECT c.size FROM translog_checkpoint c WHERE c.origin = $1 AND `+countCosignatures+` >= $2 ORDER BY c.size DESC LIMIT 1`, l.origin, l.quorum)
}

// Covering returns the best checkpoint for a proof of the entry at index: the
// earliest with quorum and stamp; else with the quorum; else with a stamp; else
// any; ErrNotThere when there is none.
func (l *Log) Covering(ctx context.Context, index int64) (*Signed, error) {
	for _, want := range []struct{ quorum, stamped int }{{l.quorum, 1}, {l.quorum, 0}, {0, 1}, {0, 0}} {
		s, err := l.pick(ctx, `SELECT c.size FROM translog_checkpoint c WHERE c.origin = $1 AND c.size > $2 AND c.stamped_at >= $3
			AND `+countCosignatures+` >= $4 ORDER BY c.size LIMIT 1`, l.origin, index, want.stamped, want.quorum)
		if !errors.Is(err, ErrNotThere) {
			return s, err
		}
	}
	return nil, ErrNotThere
}

func (l *Log) pick(ctx context.Context, query string, args ...any) (*Signed, error) {
	var size int64
	err := l.db.Reader().QueryRowContext(ctx, query, args...).Scan(&size)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNotThere
	}
	if err != nil {
		return nil, fmt.Errorf("looking for a checkpoint: %w", err)
	}
	return l.At(ctx, size)
}

// KeepStamp keeps a time stamp that the caller has verified over the checkpoint's
// Note. The first one stays.
func (l *Log) KeepStamp(ctx context.Context, size int64, answer []byte, at time.Time) error {
	return l.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE translog_checkpoint SET stamp = $3, stamped_at = $4 WHERE origin = $1 AND size = $2 AND stamped_at = 0`,
			l.origin, size, answer, db.Micros(at))
		return err
	})
}

// LastStamp returns the time of the newest stamp, zero when there is none.
func (l *Log) LastStamp(ctx context.Context) (time.Time, error) {
	var us sql.NullInt64
	err := l.db.Reader().QueryRowContext(ctx, `SELECT MAX(stamped_at) FROM translog_checkpoint WHERE origin = $1`, l.origin).Scan(&us)
	if err != nil || us.Int64 == 0 {
		return time.Time{}, err
	}
	return db.Time(us.Int64), nil
}

// Thin drops checkpoints signed before the time that have neither cosignature nor
// stamp: the proofs of entries lean on the others. The newest stays.
func (l *Log) Thin(ctx context.Context, before time.Time) error {
	return l.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM translog_checkpoint WHERE origin = $1 AND signed_at < $2 AND stamped_at = 0
			AND size < (SELECT MAX(m.size) FROM translog_checkpoint m WHERE m.origin = $1)
			AND NOT EXISTS (SELECT 1 FROM translog_cosignature s WHERE s.origin = translog_checkpoint.origin AND s.size = translog_checkpoint.size)`,
			l.origin, db.Micros(before))
		return err
	})
}
