package identity

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Vault seals what is known of people. Each person's data lie under a key of their
// own, and that key under the vault's, which is never in the database: whoever
// reads the database learns nothing, and to forget a person it is enough to delete
// their key, in every backup that the vault's owner can still open.
type Vault struct {
	wrap  cipher.AEAD
	index []byte
}

// NewVault returns the vault of a secret of at least 32 bytes. The same secret
// opens what was sealed before; it must be kept where the database is not.
func NewVault(secret []byte) (*Vault, error) {
	if len(secret) < 32 {
		return nil, errors.New("the vault of people needs a secret of 32 bytes at least")
	}
	key, err := hkdf.Key(sha256.New, secret, nil, "diwan people: wrap", 32)
	if err != nil {
		return nil, err
	}
	index, err := hkdf.Key(sha256.New, secret, nil, "diwan people: index", 32)
	if err != nil {
		return nil, err
	}
	wrap, err := newAEAD(key)
	return &Vault{wrap, index}, err
}

func newAEAD(key []byte) (cipher.AEAD, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(b)
}

// blind returns the keyed hash under which a national number is found: the same
// for each way of typing it, and of no use without the vault's secret.
func (v *Vault) blind(number string) string {
	if number = NormalNumber(number); number == "" {
		return ""
	}
	mac := hmac.New(sha256.New, v.index)
	mac.Write([]byte(number))
	return hex.EncodeToString(mac.Sum(nil))
}

// NormalNumber writes an identifier in the one form in which it is compared:
// letters and digits alone, capitals.
func NormalNumber(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, s)
}

// Particulars are what a person's sign-in provider said of them beside the name.
type Particulars struct {
	NationalID string `json:"national_id,omitempty"`
	Birthdate  string `json:"birthdate,omitempty"` // YYYY-MM-DD
}

var errNoVault = errors.New("there is no vault to keep what is known of people")

// PersonKey returns the key of 32 bytes under which everything about a person is
// sealed, their files included; the first call makes it. After Forget there is
// none any more.
func (s *Accounts) PersonKey(ctx context.Context, account string) (key []byte, err error) {
	if s.Vault == nil {
		return nil, errNoVault
	}
	if key, err = s.personKey(ctx, s.db.Reader(), account); err != nil || key != nil {
		return key, err
	}
	err = s.db.RunTx(ctx, func(tx *db.Tx) error {
		key, err = s.makePersonKey(ctx, tx, account)
		return err
	})
	return key, err
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// personKey returns nil when the person has none yet.
func (s *Accounts) personKey(ctx context.Context, q querier, account string) ([]byte, error) {
	var wrapped []byte
	err := q.QueryRowContext(ctx, `SELECT wrapped_key FROM identity_person WHERE account = $1`, account).Scan(&wrapped)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key of a person: %w", err)
	}
	if len(wrapped) == 0 {
		return nil, problem.New(problem.NotFound, "person.forgotten")
	}
	key, err := s.Vault.wrap.Open(nil, nil, wrapped, []byte("key of "+account))
	if err != nil {
		return nil, fmt.Errorf("opening the key of a person: was the identity that seals keys replaced? %w", err)
	}
	return key, nil
}

func (s *Accounts) makePersonKey(ctx context.Context, tx *db.Tx, account string) ([]byte, error) {
	if key, err := s.personKey(ctx, tx, account); err != nil || key != nil {
		return key, err
	}
	key := make([]byte, 32)
	rand.Read(key)
	_, err := tx.ExecContext(ctx, `INSERT INTO identity_person (account, wrapped_key, sealed, national, updated_at) VALUES ($1, $2, $3, '', $4)`,
		account, s.Vault.wrap.Seal(nil, nil, key, []byte("key of "+account)), []byte{}, db.Micros(s.clock.Now()))
	if err != nil {
		return nil, fmt.Errorf("keeping the key of a person: %w", err)
	}
	return key, nil
}

// sealFor seals something about a person under their key.
func (s *Accounts) sealFor(ctx context.Context, tx *db.Tx, account, what string, v any) ([]byte, error) {
	if s.Vault == nil {
		return nil, errNoVault
	}
	key, err := s.makePersonKey(ctx, tx, account)
	if err != nil {
		return nil, err
	}
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, nil, text, []byte(what+" of "+account)), nil
}

// openFor opens what sealFor has sealed; nothing sealed leaves v as it is.
func (s *Accounts) openFor(ctx context.Context, account, what string, sealed []byte, v any) error {
	if len(sealed) == 0 {
		return nil
	}
	if s.Vault == nil {
		return errNoVault
	}
	key, err := s.personKey(ctx, s.db.Reader(), account)
	if err != nil || key == nil {
		return err
	}
	aead, err := newAEAD(key)
	if err != nil {
		return err
	}
	text, err := aead.Open(nil, nil, sealed, []byte(what+" of "+account))
	if err != nil {
		return fmt.Errorf("opening the %s of a person: %w", what, err)
	}
	return json.Unmarshal(text, v)
}

const particulars = "particulars"

// putParticulars seals what is known of a person. Without a vault nothing is kept,
// rather than kept in clear.
func (s *Accounts) putParticulars(ctx context.Context, tx *db.Tx, account string, p Particulars) error {
	if s.Vault == nil {
		return nil
	}
	sealed, err := s.sealFor(ctx, tx, account, particulars, p)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE identity_person SET sealed = $2, national = $3, updated_at = $4 WHERE account = $1`,
		account, sealed, s.Vault.blind(p.NationalID), db.Micros(s.clock.Now())); err != nil {
		return fmt.Errorf("sealing what is known of a person: %w", err)
	}
	return nil
}

// ParticularsOf opens what is known of a person. Who asks and why goes to the
// audit trail, the person themselves excepted.
func (s *Accounts) ParticularsOf(ctx context.Context, by gov.Actor, account, why string) (p Particulars, err error) {
	if by.ID != account {
		if err := s.note(ctx, by, "person.opened", account, map[string]string{"why": why}); err != nil {
			return p, err
		}
	}
	var sealed []byte
	err = s.db.Reader().QueryRowContext(ctx, `SELECT sealed FROM identity_person WHERE account = $1`, account).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return p, nil
	}
	if err != nil {
		return p, fmt.Errorf("reading what is known of a person: %w", err)
	}
	return p, s.openFor(ctx, account, particulars, sealed, &p)
}

// FindByNumber returns the accounts of the person with a national number. Each
// search goes to the audit trail with its reason; the number does not.
func (s *Accounts) FindByNumber(ctx context.Context, by gov.Actor, number, why string) ([]string, error) {
	if s.Vault == nil {
		return nil, errNoVault
	}
	h := s.Vault.blind(number)
	if h == "" {
		return nil, nil
	}
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT account FROM identity_person WHERE national = $1 AND national <> '' ORDER BY account`, h)
	if err != nil {
		return nil, fmt.Errorf("finding a person: %w", err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var a string
		if err := rows.Scan(&a); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return out, s.note(ctx, by, "person.searched", strings.Join(out, " "), map[string]string{"why": why})
}

// Forget deletes the key of a person and who they are at their providers: what was
// sealed stays unreadable, and the account can't be entered any more. What the law
// makes an administration keep of its cases is for the slice that keeps it.
func (s *Accounts) Forget(ctx context.Context, by gov.Actor, account, why string) error {
	return s.db.RunTx(ctx, func(tx *db.Tx) error {
		now := db.Micros(s.clock.Now())
		for _, q := range []string{
			`UPDATE identity_account SET disabled = TRUE, name = '{}' WHERE id = $1`,
			`DELETE FROM identity_subject WHERE account = $1`,
			`DELETE FROM identity_passkey WHERE account = $1`,
			`DELETE FROM identity_preference WHERE account = $1`,
			`DELETE FROM identity_reference WHERE account = $1`,
			`DELETE FROM identity_sign_in WHERE account = $1`,
			`DELETE FROM identity_mandate WHERE agent = $1 AND principal = ''`,
		} {
			if _, err := tx.ExecContext(ctx, q, account); err != nil {
				return fmt.Errorf("forgetting a person: %w", err)
			}
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO identity_person (account, wrapped_key, sealed, national, updated_at) VALUES ($1, $2, $2, '', $3)
			ON CONFLICT (account) DO UPDATE SET wrapped_key = excluded.wrapped_key, sealed = excluded.sealed, national = '', updated_at = excluded.updated_at`,
			account, []byte{}, now); err != nil {
			return fmt.Errorf("forgetting a person: %w", err)
		}
		if _, err := tx.ExecContext(ctx, `UPDATE identity_mandate SET state = $2, name = '{}', number = '', ended_at = $3, ended_by = $4
			WHERE (agent = $1 OR principal = $1) AND state <> $2`, account, mandateEnded, now, by.ID); err != nil {
			return fmt.Errorf("ending the mandates of a person: %w", err)
		}
		return s.audit.Append(ctx, tx, chain, by, "person.forgotten", account, map[string]string{"why": why})
	})
}

// note writes to the audit trail what reads, and changes nothing else.
func (s *Accounts) note(ctx context.Context, by gov.Actor, action, subject string, detail map[string]string) error {
	return s.db.RunTx(ctx, func(tx *db.Tx) error { return s.audit.Append(ctx, tx, chain, by, action, subject, detail) })
}
