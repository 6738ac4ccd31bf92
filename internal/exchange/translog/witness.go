package translog

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"diwan/internal/db"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Why a witness does not cosign.
var (
	// ErrUnknownLog says that the witness does not know the log.
	ErrUnknownLog = errors.New("the witness does not know this log")
	// ErrRequest says that a request is malformed.
	ErrRequest = errors.New("not a request to a witness")
	// ErrProof says that a proof does not show that the log only grew.
	ErrProof = errors.New("the proof does not hold: the log may have changed its past")
	// ErrFork says that a log signed two histories.
	ErrFork = errors.New("the log signed two checkpoints of one size that differ")
)

// StaleError says that the proof does not begin at what the witness saw last.
type StaleError struct {
	// Size is what the witness saw last of the log.
	Size int64
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("the witness saw the log at size %d last", e.Size)
}

// Witness cosigns the checkpoints of other members' logs. Several nodes of one
// member may run the same witness over one database.
type Witness struct {
	db    *db.DB
	key   *witnessKey
	priv  crypto.Signer
	known func(origin string) []string
	now   func() time.Time
}

// WitnessOptions says who a witness is.
type WitnessOptions struct {
	// Name tells witnesses apart, for example the member's identifier.
	Name string
	// Key is an Ed25519 key that is used for nothing else: what a witness signs
	// does not name it.
	Key crypto.Signer
	// Known returns the keys (LogKey) of the log with an origin, from the
	// directory; none for a log that is not to be witnessed.
	Known func(origin string) []string
	// Now is the clock; nil is the machine's.
	Now func() time.Time
}

// NewWitness returns a witness over a database with the tables of Migrations. A
// witness whose database is lost or set back must get a new key: the old one
// could cosign a second history.
func NewWitness(d *db.DB, o WitnessOptions) (*Witness, error) {
	pub, ok := o.Key.Public().(ed25519.PublicKey)
	if !ok || !goodName(o.Name) || o.Known == nil {
		return nil, fmt.Errorf("witness: %w", ErrKey)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Witness{d, &witnessKey{o.Name, keyID(o.Name, kindWitness, pub), pub}, o.Key, o.Known, o.Now}, nil
}

// Key returns the witness's public key as directories hold it.
func (w *Witness) Key() string { return writeKey(w.key.name, kindWitness, w.key.pub) }

// AddCheckpoint checks a signed checkpoint against what was seen last of its log,
// keeps it, and returns the line of a cosignature. old is the size that the proof
// begins at; when it is not what the witness saw last, the error is a
// *StaleError. The errors ErrCheckpoint, ErrUnknownLog, ErrUnsigned, ErrRequest,
// ErrProof and ErrFork say what is wrong with the request.
func (w *Witness) AddCheckpoint(ctx context.Context, old int64, proof tlog.TreeProof, signed []byte) (string, error) {
	c, text, err := w.open(signed)
	if err != nil {
		return "", err
	}
	if old < 0 || old > c.Size {
		return "", fmt.Errorf("%w: a proof from %d to %d", ErrRequest, old, c.Size)
	}
	var fork error
	err = w.db.RunTx(ctx, func(tx *db.Tx) error {
		fork = nil
		err := w.step(ctx, tx, old, proof, c, signed)
		if err == ErrFork {
			// What proves the fork is kept, so this transaction counts.
			fork, err = err, nil
		}
		return err
	})
	if err == nil {
		err = fork
	}
	if err != nil {
		return "", err
	}
	return w.key.cosign(w.priv, text, w.now())
}

// open checks the signature with the keys that the directory has for the log.
func (w *Witness) open(signed []byte) (Checkpoint, string, error) {
	c, err := unsigned(signed)
	if err != nil {
		return Checkpoint{}, "", err
	}
	var keys []note.Verifier
	for _, s := range w.known(c.Origin) {
		k, err := ParseLogKey(s)
		if err != nil {
			return Checkpoint{}, "", fmt.Errorf("key of the log %s: %w", c.Origin, err)
		}
		keys = append(keys, k)
	}
	if len(keys) == 0 {
		return Checkpoint{}, "", ErrUnknownLog
	}
	c, text, err := OpenCheckpoint(signed, keys...)
	if err != nil {
		return Checkpoint{}, "", err
	}
	return c, text, nil
}

// step is the part that must not happen twice at once: the comparison with what
// was seen and the keeping of the new.
func (w *Witness) step(ctx context.Context, tx *db.Tx, old int64, proof tlog.TreeProof, c Checkpoint, signed []byte) error {
	seen, kept, err := w.seen(ctx, tx, c.Origin)
	if err != nil {
		return err
	}
	// A log that shows two roots for one size is caught whatever the request
	// claims to begin at.
	if kept != nil && seen.Size == c.Size && seen.Root != c.Root {
		if err := w.keepFork(ctx, tx, c, kept, signed); err != nil {
			return err
		}
		return ErrFork
	}
	if seen.Size != old {
		return &StaleError{seen.Size}
	}
	if err := consistent(proof, seen, c); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO translog_seen (witness, origin, size, root, note, seen_at) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (witness, origin) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note, seen_at = excluded.seen_at`,
		w.key.name, c.Origin, c.Size, c.Root[:], signed, db.Micros(w.now()))
	if err != nil {
		return fmt.Errorf("keeping what was seen: %w", err)
	}
	return nil
}

// consistent checks that next continues old.
func consistent(proof tlog.TreeProof, old, next Checkpoint) error {
	switch {
	case old.Size == 0 || old.Size == next.Size:
		if len(proof) != 0 || old.Size == next.Size && old.Root != next.Root {
			return ErrProof
		}
		return nil
	case old.Size > next.Size || len(proof) > maxProof:
		return ErrProof
	}
	if err := tlog.CheckTree(proof, next.Size, next.Root, old.Size, old.Root); err != nil {
		return ErrProof
	}
	return nil
}

func (w *Witness) seen(ctx context.Context, q querier, origin string) (Checkpoint, []byte, error) {
	s := Checkpoint{Origin: origin, Root: emptyRoot}
	var root, kept []byte
	err := q.QueryRowContext(ctx, `SELECT size, root, note FROM translog_seen WHERE witness = $1 AND origin = $2`, w.key.name, origin).Scan(&s.Size, &root, &kept)
	if errors.Is(err, sql.ErrNoRows) {
		return s, nil, nil
	}
	if err != nil || len(root) != len(s.Root) {
		return s, nil, errors.Join(errors.New("reading what was seen"), err)
	}
	s.Root = tlog.Hash(root)
	return s, kept, nil
}

// Seen returns what the witness saw last of a log; a size of 0 is nothing.
func (w *Witness) Seen(ctx context.Context, origin string) (Checkpoint, error) {
	s, _, err := w.seen(ctx, w.db.Reader(), origin)
	return s, err
}

func (w *Witness) keepFork(ctx context.Context, tx *db.Tx, c Checkpoint, kept, offered []byte) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO translog_fork (witness, origin, size, kept, offered, offered_at)
		VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`, w.key.name, c.Origin, c.Size, kept, offered, db.Micros(w.now()))
	return err
}

// Fork is the proof that a log lied: two checkpoints of one size, both signed by
// it, with two roots.
type Fork struct {
	Origin        string
	Size          int64
	Kept, Offered []byte
	At            time.Time
}

// Forks returns the forks that the witness was shown, the newest first, up to
// 1,000.
func (w *Witness) Forks(ctx context.Context) ([]Fork, error) {
	rows, err := w.db.Reader().QueryContext(ctx, `SELECT origin, size, kept, offered, offered_at FROM translog_fork WHERE witness = $1
		ORDER BY offered_at DESC, origin LIMIT 1000`, w.key.name)
	if err != nil {
		return nil, fmt.Errorf("reading forks: %w", err)
	}
	defer rows.Close()
	var list []Fork
	for rows.Next() {
		var f Fork
		var at int64
		if err := rows.Scan(&f.Origin, &f.Size, &f.Kept, &f.Offered, &at); err != nil {
			return nil, err
		}
		f.At = db.Time(at)
		list = append(list, f)
	}
	return list, rows.Err()
}
