package translog

import (
	"context"
	"errors"
	"fmt"

	"diwan/internal/db"
)

// ErrNoKey says that this node does not hold the log's key: it feeds the log and
// reads it, and another node of the member signs checkpoints.
var ErrNoKey = errors.New("this node does not hold the key of the log")

// Attach returns the log of a database without its key, for reading and feeding.
// Checkpoint returns ErrNoKey unless there is nothing new.
func Attach(d *db.DB, origin string, quorum int) *Log {
	return &Log{db: d, origin: origin, quorum: quorum}
}

// Begin makes the log's row when there is none, so that a node without the key can
// feed it.
func (l *Log) Begin(ctx context.Context) error {
	return l.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO translog_log (origin, size) VALUES ($1, 0) ON CONFLICT DO NOTHING`, l.origin)
		return err
	})
}

// Entries reads n entries from an index on.
func (l *Log) Entries(ctx context.Context, from int64, n int) ([]Entry, error) {
	if from < 0 || n < 0 || n > MaxBatch {
		return nil, ErrRange
	}
	return l.entries(ctx, from, n)
}

// Sources tells how far each journal was fed, by its name.
func (l *Log) Sources(ctx context.Context) (map[string]uint64, error) {
	rows, err := l.db.Reader().QueryContext(ctx, `SELECT source, seq FROM translog_source WHERE origin = $1`, l.origin)
	if err != nil {
		return nil, fmt.Errorf("reading how far the log was fed: %w", err)
	}
	defer rows.Close()
	out := map[string]uint64{}
	for rows.Next() {
		var name string
		var seq int64
		if err := rows.Scan(&name, &seq); err != nil {
			return nil, err
		}
		out[name] = uint64(seq)
	}
	return out, rows.Err()
}

// sizes lists the sizes of the checkpoints that are kept, in order.
func (l *Log) sizes(ctx context.Context) ([]int64, error) {
	rows, err := l.db.Reader().QueryContext(ctx, `SELECT size FROM translog_checkpoint WHERE origin = $1 ORDER BY size`, l.origin)
	if err != nil {
		return nil, fmt.Errorf("reading checkpoints: %w", err)
	}
	defer rows.Close()
	var out []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, rows.Err()
}

// Seen returns the signed checkpoints of a log that the witnesses of a database
// saw last: what another member knows of the log, whatever its own member says.
func Seen(ctx context.Context, d *db.DB, origin string) ([][]byte, error) {
	rows, err := d.Reader().QueryContext(ctx, `SELECT note FROM translog_seen WHERE origin = $1`, origin)
	if err != nil {
		return nil, fmt.Errorf("reading what was seen of a log: %w", err)
	}
	defer rows.Close()
	var out [][]byte
	for rows.Next() {
		var note []byte
		if err := rows.Scan(&note); err != nil {
			return nil, err
		}
		out = append(out, note)
	}
	return out, rows.Err()
}

// ThinCovered drops checkpoints without a stamp below the largest one that has
// both a stamp and the quorum: proofs lean on that one.
func (l *Log) ThinCovered(ctx context.Context) error {
	return l.db.RunTx(ctx, func(tx *db.Tx) error {
		var top int64
		err := tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(c.size), 0) FROM translog_checkpoint c WHERE c.origin = $1 AND c.stamped_at > 0 AND `+countCosignatures+` >= $2`,
			l.origin, l.quorum).Scan(&top)
		if err != nil {
			return fmt.Errorf("thinning checkpoints: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `DELETE FROM translog_cosignature WHERE origin = $1 AND size < $2 AND EXISTS
			(SELECT 1 FROM translog_checkpoint c WHERE c.origin = translog_cosignature.origin AND c.size = translog_cosignature.size AND c.stamped_at = 0)`, l.origin, top); err != nil {
			return fmt.Errorf("thinning checkpoints: %w", err)
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM translog_checkpoint WHERE origin = $1 AND size < $2 AND stamped_at = 0`, l.origin, top)
		return err
	})
}
