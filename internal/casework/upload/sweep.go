package upload

import (
	"context"
	"errors"
	"fmt"

	"time"

	"diwan/internal/db"
	"diwan/internal/problem"
)

// Bounds of one round of the sweep.
const (
	sweepFiles  = 200
	sweepDrafts = 500
	// draftGrace leaves alone what came a moment ago: its draft may be younger.
	draftGrace = time.Hour
)

// Sweep has the scanner look at held files again, and forgets parts of files that
// nobody goes on with. Any number of copies may do it at once.
func (s *Store) Sweep(ctx context.Context) error {
	return errors.Join(s.sweepHeld(ctx), s.sweepIncoming(ctx))
}

func (s *Store) sweepHeld(ctx context.Context) error {
	if s.Scanner == nil {
		return nil
	}
	held, err := s.list(ctx, `state = 'held' AND scan_at <= $1 ORDER BY scan_at LIMIT $2`, db.Micros(s.Clock.Now()), sweepFiles)
	if err != nil {
		return err
	}
	for _, f := range held {
		goOn, err := s.again(ctx, f)
		if err != nil || !goOn {
			return err
		}
	}
	return nil
}

// again has a held file looked at. It says not to go on when the scanner is still
// away.
func (s *Store) again(ctx context.Context, f File) (goOn bool, err error) {
	release, err := s.memory.take(ctx)
	if err != nil {
		return false, err
	}
	defer release()
	r, err := s.content(ctx, &f)
	if problem.Is(err, problem.NotFound) { // the person was forgotten
		return true, s.settle(ctx, f, Quarantined, "person.forgotten")
	}
	if err != nil {
		return false, err
	}
	found, err := s.Scanner.Scan(ctx, r)
	switch {
	case errors.Is(err, errDamaged):
		return true, fmt.Errorf("the held file %s: %w", f.ID, err)
	case err != nil:
		s.Log.Warn("the scanner did not answer; the file stays held", "file", f.ID, "error", err)
		return errors.Is(err, ErrTooLong), s.later(ctx, f)
	case found != "":
		return true, s.settle(ctx, f, Quarantined, codeInfected)
	}
	return true, s.settle(ctx, f, Clean, "")
}

// later puts off the next look: a minute, then twice as long each time, up to an
// hour.
func (s *Store) later(ctx context.Context, f File) error {
	wait := min(time.Minute<<min(f.tries, 6), time.Hour)
	return s.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE upload_file SET tries = tries + 1, scan_at = $2 WHERE id = $1 AND state = 'held'`, f.ID, db.Micros(s.Clock.Now().Add(wait)))
		return err
	})
}

// settle ends the wait of a held file, once. An infected one loses its key in the
// same transaction in which its owner is told.
func (s *Store) settle(ctx context.Context, f File, to State, reason string) error {
	key, blob := f.sealedKey, f.blob
	if to == Quarantined {
		key, blob = []byte{}, ""
	}
	var done bool
	err := s.DB.RunTx(ctx, func(tx *db.Tx) error {
		done = false
		r, err := tx.ExecContext(ctx, `UPDATE upload_file SET state = $2, reason = $3, sealed_key = $4, blob = $5, updated_at = $6 WHERE id = $1 AND state = 'held'`,
			f.ID, string(to), reason, key, blob, db.Micros(s.Clock.Now()))
		if err != nil {
			return fmt.Errorf("settling a held file: %w", err)
		}
		n, err := r.RowsAffected()
		if err != nil || n == 0 {
			return err
		}
		// The draft may have become a case since the list was read.
		now, _, err := scan(tx.QueryRowContext(ctx, `SELECT `+columns+` FROM upload_file WHERE id = $1`, f.ID))
		if err != nil {
			return err
		}
		now.Name, now.SHA256 = f.Name, f.SHA256
		done = true
		if to == Quarantined && s.Tell != nil {
			return s.Tell(ctx, tx, now)
		}
		return nil
	})
	if err == nil && done && to == Quarantined {
		s.removeBlob(f.blob)
		s.Log.Warn("a held file was put aside", "file", f.ID, "reason", reason)
	}
	return err
}

// SweepDrafts forgets the files of drafts that are no more. alive returns, of some
// drafts, those that are there.
func (s *Store) SweepDrafts(ctx context.Context, alive func(ctx context.Context, drafts []string) ([]string, error)) error {
	after := ""
	for {
		drafts, err := s.drafts(ctx, after)
		if err != nil || len(drafts) == 0 {
			return err
		}
		after = drafts[len(drafts)-1]
		there, err := alive(ctx, drafts)
		if err != nil {
			return fmt.Errorf("asking which drafts there are: %w", err)
		}
		known := map[string]bool{}
		for _, d := range there {
			known[d] = true
		}
		for _, d := range drafts {
			if !known[d] {
				if err := s.forget(ctx, d); err != nil {
					return err
				}
			}
		}
	}
}

func (s *Store) drafts(ctx context.Context, after string) ([]string, error) {
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT DISTINCT draft FROM upload_file WHERE draft > $1 AND created_at < $2 ORDER BY draft LIMIT $3`,
		after, db.Micros(s.Clock.Now().Add(-draftGrace)), sweepDrafts)
	if err != nil {
		return nil, fmt.Errorf("listing drafts with files: %w", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var d string
		if err := rows.Scan(&d); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, rows.Err()
}

// forget drops all files of a draft. Which ones they are is known only when they
// are gone: a draft may become a case at the same time.
func (s *Store) forget(ctx context.Context, draft string) error {
	var blobs []string
	err := s.DB.RunTx(ctx, func(tx *db.Tx) error {
		blobs = blobs[:0]
		rows, err := tx.QueryContext(ctx, `DELETE FROM upload_file WHERE draft = $1 AND draft <> '' RETURNING blob`, draft)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var b string
			if err := rows.Scan(&b); err != nil {
				return err
			}
			blobs = append(blobs, b)
		}
		return rows.Err()
	})
	if err != nil {
		return fmt.Errorf("forgetting the files of a draft: %w", err)
	}
	for _, b := range blobs {
		s.removeBlob(b)
	}
	return nil
}
