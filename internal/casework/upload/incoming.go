package upload

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/problem"
)

// Bounds of files that come in parts.
const (
	maxIncoming  = 10             // of one sender at once
	incomingLife = 24 * time.Hour // without a new part
	incomingAll  = 2 << 30        // bytes, of all senders
)

// incoming is a file that comes in parts. Its parts lie scrambled in one file of
// the folder; how long that is says how much has come.
type incoming struct {
	s    *Store
	id   string
	o    Owner
	name string
	size int64
}

func (i *incoming) path() string { return filepath.Join(i.s.Dir, i.id+".part") }

// begin notes a file that will come in parts, and gives it an id.
func (s *Store) begin(ctx context.Context, o Owner, name string, size int64) (*incoming, error) {
	switch {
	case o.check() != nil:
		return nil, ErrNoFile
	case size <= 0:
		return nil, refuse("upload.empty")
	case size > MaxFile:
		return nil, refuse("upload.too_large", "max", fmt.Sprint(MaxFile>>20))
	}
	i := &incoming{s, newID(), o, CleanName(name), size}
	sealed, err := s.wrap(ctx, o.Person, namePlace(i.id), []byte(i.name))
	if err != nil {
		return nil, err
	}
	now := db.Micros(s.Clock.Now())
	err = s.DB.RunTx(ctx, func(tx *db.Tx) error {
		if err := room(ctx, tx, o, i.id, 1, size); err != nil {
			return err
		}
		var mine, all int64
		if err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM upload_incoming WHERE filer = $1`, o.Filer).Scan(&mine); err != nil {
			return err
		}
		if err := tx.QueryRowContext(ctx, `SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM upload_incoming`).Scan(&all); err != nil {
			return err
		}
		if mine >= maxIncoming {
			return refuse("upload.too_many", "max", fmt.Sprint(maxIncoming))
		}
		if all+size > incomingAll {
			return problem.New(problem.Unavailable, "upload.busy")
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO upload_incoming (id, person, filer, draft, case_id, name, size, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)`, i.id, o.Person, o.Filer, o.Draft, o.Case, sealed, size, now)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("beginning a file in parts: %w", err)
	}
	f, err := os.OpenFile(i.path(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("beginning a file in parts: %w", err)
	}
	return i, f.Close()
}

// arriving returns a file that comes in parts, to the one who sends it.
func (s *Store) arriving(ctx context.Context, filer, id string) (*incoming, error) {
	if !plainID(id) || strings.ContainsAny(id, `/\.`) {
		return nil, ErrNoFile
	}
	i := &incoming{s: s, id: id}
	var sealed []byte
	err := s.DB.Reader().QueryRowContext(ctx, `SELECT person, filer, draft, case_id, name, size FROM upload_incoming WHERE id = $1 AND filer = $2`, id, filer).
		Scan(&i.o.Person, &i.o.Filer, &i.o.Draft, &i.o.Case, &sealed, &i.size)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrNoFile
	}
	if err != nil {
		return nil, fmt.Errorf("reading a file in parts: %w", err)
	}
	name, err := s.unwrap(ctx, i.o.Person, namePlace(id), sealed)
	i.name = string(name)
	return i, err
}

// offset is how much has come.
func (i *incoming) offset() (int64, error) {
	st, err := os.Stat(i.path())
	if errors.Is(err, fs.ErrNotExist) {
		return 0, ErrNoFile // the folder was emptied, or is another machine's
	}
	if err != nil {
		return 0, fmt.Errorf("a file in parts: %w", err)
	}
	return st.Size(), nil
}

// write adds a part where the last one ended. What came of a part before its
// sender went away is kept.
func (i *incoming) write(ctx context.Context, at int64, r io.Reader) (int64, error) {
	have, err := i.offset()
	if err != nil {
		return 0, err
	}
	if at != have || at > i.size {
		return 0, problem.New(problem.Conflict, "upload.offset")
	}
	key, err := i.s.incomingKey(ctx, i.o.Person, i.id)
	if err != nil {
		return 0, err
	}
	f, err := os.OpenFile(i.path(), os.O_WRONLY, 0o600)
	if err != nil {
		return 0, fmt.Errorf("a file in parts: %w", err)
	}
	defer f.Close()
	if _, err := f.Seek(at, io.SeekStart); err != nil {
		return 0, fmt.Errorf("a file in parts: %w", err)
	}
	n, err := pour(f, key, at, io.LimitReader(r, i.size-at))
	if err = errors.Join(err, f.Close()); err != nil {
		return n, err
	}
	return n, i.s.touch(ctx, i.id)
}

func (s *Store) touch(ctx context.Context, id string) error {
	return s.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE upload_incoming SET updated_at = $2 WHERE id = $1`, id, db.Micros(s.Clock.Now()))
		return err
	})
}

// finish checks and keeps a file of which all parts have come. The file has the id
// of the parts. One that is refused is forgotten.
func (i *incoming) finish(ctx context.Context) (File, error) {
	key, err := i.s.incomingKey(ctx, i.o.Person, i.id)
	if err != nil {
		return File{}, err
	}
	f, err := os.Open(i.path())
	if err != nil {
		return File{}, fmt.Errorf("a file in parts: %w", err)
	}
	defer f.Close()
	kept, err := i.s.keep(ctx, i.o, i.id, i.name, &spool{f, key, i.size})
	if err != nil && !problem.Is(err, problem.Invalid) {
		return File{}, err // nobody's fault: it can be tried again
	}
	return kept, errors.Join(err, i.drop(ctx))
}

// drop forgets what has come.
func (i *incoming) drop(ctx context.Context) error {
	err := i.s.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `DELETE FROM upload_incoming WHERE id = $1`, i.id)
		return err
	})
	if rm := os.Remove(i.path()); rm != nil && !errors.Is(rm, fs.ErrNotExist) {
		err = errors.Join(err, rm)
	}
	return err
}

// Claim returns a file that a page says it has sent in parts: the one that was
// kept, or, when the program stopped between the last part and the checks, the one
// that these checks let through now.
func (s *Store) Claim(ctx context.Context, o Owner, id string) (File, error) {
	f, err := s.Get(ctx, o, id)
	if err == nil || !problem.Is(err, problem.NotFound) {
		return f, err
	}
	i, err := s.arriving(ctx, o.Filer, id)
	if err != nil {
		return File{}, err
	}
	if i.o.Draft != o.Draft || i.o.Case != o.Case {
		return File{}, ErrNoFile
	}
	have, err := i.offset()
	if err != nil {
		return File{}, err
	}
	if have != i.size {
		return File{}, problem.New(problem.Conflict, "upload.unfinished")
	}
	return i.finish(ctx)
}

// sweepIncoming forgets parts that nobody goes on with, and what a crash has left
// in the folder.
func (s *Store) sweepIncoming(ctx context.Context) error {
	old := s.Clock.Now().Add(-incomingLife)
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT id FROM upload_incoming WHERE updated_at < $1 ORDER BY updated_at LIMIT $2`, db.Micros(old), sweepFiles)
	if err != nil {
		return fmt.Errorf("listing files in parts: %w", err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return err
		}
		ids = append(ids, id)
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, id := range ids {
		if err := (&incoming{s: s, id: id}).drop(ctx); err != nil {
			return fmt.Errorf("forgetting a file in parts: %w", err)
		}
	}
	return s.sweepFolder(time.Now().Add(-2 * incomingLife))
}

// sweepFolder removes what is in the folder and was touched by nobody for two
// days, by the clock of the machine as the folder is.
func (s *Store) sweepFolder(old time.Time) error {
	all, err := os.ReadDir(s.Dir)
	if err != nil {
		return fmt.Errorf("the folder of incoming files: %w", err)
	}
	for _, e := range all {
		info, err := e.Info()
		if err != nil || e.IsDir() || !strings.HasPrefix(e.Name(), "spool-") && !strings.HasSuffix(e.Name(), ".part") || info.ModTime().After(old) {
			continue
		}
		if err := os.Remove(filepath.Join(s.Dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("the folder of incoming files: %w", err)
		}
	}
	return nil
}
