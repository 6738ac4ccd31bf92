package holder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"

	"filippo.io/age"
)

// Bounds of a backup.
const (
	maxBackup     = 256 << 20
	minPassphrase = 12 // characters
	maxWork       = 20 // as a power of two, so that a file can't keep a machine busy for ever
)

// backupVersion is that of the form of backups.
const backupVersion = 1

type backup struct {
	Version   int         `json:"version"`
	Made      time.Time   `json:"made"`
	Documents []*Document `json:"documents"`
}

// Export writes all documents with their keys, encrypted with a passphrase (age, scrypt).
// Whoever has both is the holder.
func (w *Wallet) Export(to io.Writer, passphrase string) error {
	if utf8.RuneCountInString(passphrase) < minPassphrase {
		return fmt.Errorf("the passphrase has fewer than %d characters", minPassphrase)
	}
	all, err := w.Store.List()
	if err != nil {
		return err
	}
	r, err := age.NewScryptRecipient(passphrase)
	if err != nil {
		return fmt.Errorf("making a backup: %w", err)
	}
	sealed, err := age.Encrypt(to, r)
	if err != nil {
		return fmt.Errorf("making a backup: %w", err)
	}
	err = json.NewEncoder(sealed).Encode(backup{backupVersion, w.now().UTC().Truncate(time.Second), all})
	if err = errors.Join(err, sealed.Close()); err != nil {
		return fmt.Errorf("making a backup: %w", err)
	}
	return nil
}

// Import takes over the documents of a backup that this wallet does not have, and returns
// how many and when the backup was made. A backup that was changed is refused whole.
func (w *Wallet) Import(from io.Reader, passphrase string) (n int, made time.Time, err error) {
	id, err := age.NewScryptIdentity(passphrase)
	if err != nil {
		return 0, made, fmt.Errorf("%w: %w", ErrBackup, err)
	}
	id.SetMaxWorkFactor(maxWork)
	r, err := age.Decrypt(io.LimitReader(from, maxBackup), id)
	if err != nil {
		return 0, made, fmt.Errorf("%w: %w", ErrBackup, err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return 0, made, fmt.Errorf("%w: %w", ErrBackup, err)
	}
	var b backup
	if err := json.Unmarshal(text, &b); err != nil {
		return 0, made, fmt.Errorf("%w: %w", ErrBackup, err)
	}
	if b.Version != backupVersion {
		return 0, made, fmt.Errorf("%w: it is of version %d, this program reads %d", ErrBackup, b.Version, backupVersion)
	}
	for _, d := range b.Documents {
		if d == nil || !documentID.MatchString(d.ID) {
			return n, b.Made, fmt.Errorf("%w: a document has no name", ErrBackup)
		}
		if _, err := w.Store.Get(d.ID); err == nil {
			continue
		} else if !errors.Is(err, ErrNoSuch) {
			return n, b.Made, err
		}
		if err := w.Store.Put(d); err != nil {
			return n, b.Made, err
		}
		n++
	}
	return n, b.Made, nil
}
