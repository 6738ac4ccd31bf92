package upload

import (
	"context"
	"crypto/cipher"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// meta is what lies sealed beside a file's row.
type meta struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

const columns = `id, person, filer, draft, case_id, type, size, meta, sealed_key, blob, state, reason, tries, created_at`

// scan reads a row; its name stays sealed.
func scan(row interface{ Scan(...any) error }) (f File, sealed []byte, err error) {
	var created int64
	err = row.Scan(&f.ID, &f.Person, &f.Filer, &f.Draft, &f.Case, &f.Type, &f.Size, &sealed, &f.sealedKey, &f.blob, &f.State, &f.Reason, &f.tries, &created)
	if errors.Is(err, sql.ErrNoRows) {
		return f, nil, ErrNoFile
	}
	if err != nil {
		return f, nil, fmt.Errorf("reading a file's row: %w", err)
	}
	f.Created = db.Time(created)
	return f, sealed, nil
}

// name opens the name of a file. When the person was forgotten, so is the name.
func (s *Store) name(ctx context.Context, f *File, sealed []byte) error {
	a, err := s.person(ctx, f.Person)
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.open(a, sealed)
}

func (f *File) open(a cipher.AEAD, sealed []byte) error {
	b, err := a.Open(nil, nil, sealed, []byte(metaPlace(f.ID)))
	if err != nil {
		return fmt.Errorf("the name of a file: %w", errDamaged)
	}
	var m meta
	if err := json.Unmarshal(b, &m); err != nil {
		return fmt.Errorf("the name of a file: %w", err)
	}
	f.Name, f.SHA256 = m.Name, m.SHA256
	return nil
}

func (s *Store) list(ctx context.Context, where string, args ...any) ([]File, error) {
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT `+columns+` FROM upload_file WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("listing files: %w", err)
	}
	defer rows.Close()
	var out []File
	var names [][]byte
	for rows.Next() {
		f, sealed, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out, names = append(out, f), append(names, sealed)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("listing files: %w", err)
	}
	return out, s.names(ctx, out, names)
}

// names opens the names of files; most are of one person.
func (s *Store) names(ctx context.Context, files []File, sealed [][]byte) error {
	ciphers := map[string]cipher.AEAD{}
	for i := range files {
		f := &files[i]
		a, known := ciphers[f.Person]
		if !known {
			var err error
			if a, err = s.person(ctx, f.Person); err != nil && !problem.Is(err, problem.NotFound) {
				return err
			}
			ciphers[f.Person] = a
		}
		if a == nil {
			continue
		}
		if err := f.open(a, sealed[i]); err != nil {
			return err
		}
	}
	return nil
}

// maxListed bounds a list: those put aside count too.
const maxListed = 500

// OfDraft lists the files of a draft, in the order in which they came.
func (s *Store) OfDraft(ctx context.Context, draft string) ([]File, error) {
	if draft == "" || !plainID(draft) {
		return nil, nil
	}
	return s.list(ctx, `draft = $1 AND draft <> '' ORDER BY created_at, id LIMIT $2`, draft, maxListed)
}

// OfCase lists the files of a case, in the order in which they came.
func (s *Store) OfCase(ctx context.Context, caseID string) ([]File, error) {
	if caseID == "" || !plainID(caseID) {
		return nil, nil
	}
	return s.list(ctx, `case_id = $1 AND case_id <> '' ORDER BY created_at, id LIMIT $2`, caseID, maxListed)
}

// Get returns a file of an owner: of their draft, or of the case whose id they
// give, which they must have been allowed to read. The files of others do not
// exist.
func (s *Store) Get(ctx context.Context, o Owner, id string) (File, error) {
	if !plainID(id) || (o.Draft == "") == (o.Case == "") {
		return File{}, ErrNoFile
	}
	f, sealed, err := scan(s.DB.Reader().QueryRowContext(ctx, `SELECT `+columns+` FROM upload_file WHERE id = $1`, id))
	if err != nil {
		return File{}, err
	}
	if o.Case != "" && f.Case != o.Case || o.Draft != "" && (f.Draft != o.Draft || f.Filer != o.Filer) {
		return File{}, ErrNoFile
	}
	return f, s.name(ctx, &f, sealed)
}

// put writes a new file's row, within the bounds of its owner. A row that is there
// already is left as it is.
func (s *Store) put(ctx context.Context, f *File) error {
	text, err := json.Marshal(meta{f.Name, f.SHA256})
	if err != nil {
		return err
	}
	sealed, err := s.wrap(ctx, f.Person, metaPlace(f.ID), text)
	if err != nil {
		return err
	}
	f.Created = s.Clock.Now().Truncate(time.Microsecond)
	scanAt := int64(0)
	if f.State == Held {
		scanAt = db.Micros(f.Created)
	}
	return s.DB.RunTx(ctx, func(tx *db.Tx) error {
		if f.State != Quarantined {
			if err := room(ctx, tx, f.Owner, f.ID, 1, f.Size); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO upload_file (id, person, filer, draft, case_id, type, size, meta, sealed_key, blob, state, reason, tries, scan_at, created_at, updated_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 0, $13, $14, $14) ON CONFLICT (id) DO NOTHING`,
			f.ID, f.Person, f.Filer, f.Draft, f.Case, f.Type, f.Size, sealed, f.sealedKey, f.blob, string(f.State), f.Reason, scanAt, db.Micros(f.Created))
		if err != nil {
			return fmt.Errorf("keeping a file: %w", err)
		}
		_, err = tx.ExecContext(ctx, `DELETE FROM upload_incoming WHERE id = $1`, f.ID)
		return err
	})
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// room checks that an owner may have some files and bytes more. Those of one that
// is on its way in count as if they were there; itself does not.
func room(ctx context.Context, q querier, o Owner, id string, files int, size int64) error {
	check := func(where, who string, most int, total int64) error {
		var n, sum int64
		err := q.QueryRowContext(ctx, `SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM (
			SELECT id, size FROM upload_file WHERE `+where+` AND state <> 'quarantined'
			UNION ALL SELECT id, size FROM upload_incoming WHERE `+where+`) AS f WHERE id <> $2`, who, id).Scan(&n, &sum)
		if err != nil {
			return fmt.Errorf("counting files: %w", err)
		}
		if n+int64(files) > int64(most) {
			return refuse("upload.too_many", "max", fmt.Sprint(most))
		}
		if sum+size > total {
			return refuse("upload.too_much", "max", fmt.Sprint(total>>20))
		}
		return nil
	}
	if o.Case != "" {
		return check(`case_id = $1 AND case_id <> ''`, o.Case, MaxFiles, MaxTotal)
	}
	if err := check(`draft = $1 AND draft <> ''`, o.Draft, MaxFiles, MaxTotal); err != nil {
		return err
	}
	return check(`filer = $1 AND draft <> ''`, o.Filer, maxWaiting, waitingTotal)
}

// Take makes the files of a draft those of the case that it became, in the
// transaction that files it.
func (s *Store) Take(ctx context.Context, tx *db.Tx, draft, caseID string) error {
	if draft == "" || caseID == "" {
		return errors.New("taking files: a draft and a case are needed")
	}
	for _, table := range []string{"upload_file", "upload_incoming"} {
		if _, err := tx.ExecContext(ctx, `UPDATE `+table+` SET case_id = $2, draft = '', updated_at = $3 WHERE draft = $1 AND draft <> ''`, draft, caseID, db.Micros(s.Clock.Now())); err != nil {
			return fmt.Errorf("taking the files of a draft: %w", err)
		}
	}
	return nil
}

// Drop forgets a file of a draft. What a case has is part of it and stays.
func (s *Store) Drop(ctx context.Context, o Owner, id string) error {
	f, err := s.Get(ctx, o, id)
	if err != nil {
		return err
	}
	if f.Draft == "" {
		return problem.New(problem.Conflict, "upload.filed")
	}
	err = s.DB.RunTx(ctx, func(tx *db.Tx) error {
		r, err := tx.ExecContext(ctx, `DELETE FROM upload_file WHERE id = $1 AND draft = $2`, id, f.Draft)
		if err != nil {
			return fmt.Errorf("dropping a file: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, ErrNoFile)
		}
		return nil
	})
	if err == nil {
		s.removeBlob(f.blob)
	}
	return err
}

// remover is a store of blobs that can also let go of one. Without it the bytes of
// a dropped file stay, and nobody has their key.
type remover interface{ Remove(key string) error }

func (s *Store) removeBlob(key string) {
	r, ok := s.Blobs.(remover)
	if !ok || key == "" {
		return
	}
	if err := r.Remove(key); err != nil {
		s.Log.Warn("removing a blob", "error", err)
	}
}

// newID returns the id of a file.
func newID() string { return gov.NewID() }
