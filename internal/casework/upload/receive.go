package upload

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"diwan/internal/problem"
)

// Receive takes one file. An error of kind Invalid says, by its code, what the
// person can do; the file is not kept then. A file that is held or unscanned is
// taken: its State says so.
func (s *Store) Receive(ctx context.Context, o Owner, name string, r io.Reader) (File, error) {
	if err := o.check(); err != nil {
		return File{}, err
	}
	if err := room(ctx, s.DB.Reader(), o, "", 1, 0); err != nil {
		return File{}, err
	}
	sp, err := s.spool(r)
	if err != nil {
		return File{}, err
	}
	defer sp.Close()
	return s.keep(ctx, o, newID(), name, sp)
}

// keep checks a file that is there whole, seals it and writes it down.
func (s *Store) keep(ctx context.Context, o Owner, id, name string, sp *spool) (File, error) {
	release, err := s.memory.take(ctx)
	if err != nil {
		return File{}, err
	}
	defer release()
	b, err := sp.bytes()
	if err != nil {
		return File{}, err
	}
	f := File{ID: id, Owner: o, Name: CleanName(name), Size: int64(len(b))}
	mediaType, fitting, kept, err := s.examine(ctx, name, b)
	if err != nil {
		return File{}, s.setAside(ctx, &f, err)
	}
	sum := sha256.Sum256(kept)
	f.Name, f.Type, f.Size, f.SHA256 = fitting, mediaType, int64(len(kept)), hex.EncodeToString(sum[:])
	if f.State, err = s.ask(ctx, kept); err != nil {
		return File{}, s.setAside(ctx, &f, err)
	}
	if err := s.hide(ctx, &f, kept); err != nil {
		return File{}, err
	}
	if err := s.put(ctx, &f); err != nil {
		s.removeBlob(f.blob)
		return File{}, err
	}
	return f, nil
}

// hide seals the content under a new key and puts it into the store of blobs.
func (s *Store) hide(ctx context.Context, f *File, content []byte) error {
	key := randomKey()
	sealed, err := seal(key, f.ID, content)
	if err != nil {
		return err
	}
	if f.sealedKey, err = s.wrap(ctx, f.Person, keyPlace(f.ID), key); err != nil {
		return err
	}
	if f.blob, err = s.Blobs.Put(sealed); err != nil {
		return fmt.Errorf("keeping the content of a file: %w", err)
	}
	return nil
}

// setAside notes that a file came which could have harmed somebody, without its
// content, and returns why it was refused.
func (s *Store) setAside(ctx context.Context, f *File, why error) error {
	if !aside(why) {
		return why
	}
	f.State, f.Reason, f.sealedKey, f.blob = Quarantined, problem.From(why).Code, []byte{}, ""
	if err := s.put(ctx, f); err != nil {
		return errors.Join(why, err)
	}
	s.Log.Warn("a file was put aside", "file", f.ID, "reason", f.Reason)
	return why
}

// breather is how long the scanner is left alone after it did not answer: each
// file would wait for it otherwise.
const breather = 15 * time.Second

// ask has the scanner look at a content. Only a virus is an error.
func (s *Store) ask(ctx context.Context, content []byte) (State, error) {
	if s.Scanner == nil {
		return Unscanned, nil
	}
	s.mu.Lock()
	down := time.Now().Before(s.downTill)
	s.mu.Unlock()
	if down {
		return Held, nil
	}
	found, err := s.Scanner.Scan(ctx, bytes.NewReader(content))
	switch {
	case err != nil:
		s.Log.Warn("the scanner did not answer; the file is held", "error", err)
		if !errors.Is(err, ErrTooLong) && ctx.Err() == nil {
			s.mu.Lock()
			s.downTill = time.Now().Add(breather)
			s.mu.Unlock()
		}
		return Held, nil
	case found != "":
		return Quarantined, refuse(codeInfected)
	}
	return Clean, nil
}

// spool is a file that came in and was not checked yet: scrambled, on a disk, and
// without a name.
type spool struct {
	f    *os.File
	key  []byte
	size int64
}

// spool reads all of a content, within the bound of a file.
func (s *Store) spool(r io.Reader) (*spool, error) {
	f, err := os.CreateTemp(s.Dir, "spool-")
	if err != nil {
		return nil, fmt.Errorf("receiving a file: %w", err)
	}
	// Without a name it is gone when the program is; where that can't be, Close
	// removes it.
	_ = os.Remove(f.Name())
	sp := &spool{f: f, key: randomKey()}
	if sp.size, err = pour(f, sp.key, 0, io.LimitReader(r, MaxFile+1)); err == nil && sp.size > MaxFile {
		err = refuse("upload.too_large", "max", fmt.Sprint(MaxFile>>20))
	}
	if err != nil {
		sp.Close()
		return nil, err
	}
	return sp, nil
}

// pour writes a content scrambled, as it stands from an offset on.
func pour(w io.Writer, key []byte, offset int64, r io.Reader) (int64, error) {
	c, err := scrambler(key, offset)
	if err != nil {
		return 0, err
	}
	buf := make([]byte, 32<<10)
	var n int64
	for {
		k, err := r.Read(buf)
		c.XORKeyStream(buf[:k], buf[:k])
		if _, werr := w.Write(buf[:k]); werr != nil {
			return n, fmt.Errorf("receiving a file: %w", werr)
		}
		n += int64(k)
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
	}
}

// bytes returns the content.
func (sp *spool) bytes() ([]byte, error) {
	b := make([]byte, sp.size)
	if _, err := sp.f.ReadAt(b, 0); err != nil && !(errors.Is(err, io.EOF) && sp.size == 0) {
		return nil, fmt.Errorf("receiving a file: %w", err)
	}
	c, err := scrambler(sp.key, 0)
	if err != nil {
		return nil, err
	}
	c.XORKeyStream(b, b)
	return b, nil
}

// Close lets go of the spool and of what is on the disk.
func (sp *spool) Close() {
	_ = sp.f.Close()
	_ = os.Remove(sp.f.Name())
}
