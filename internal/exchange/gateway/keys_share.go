package gateway

import (
	"bytes"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"diwan/internal/exchange/translog"
	"diwan/internal/gov"
)

// The key of a member's transparency log is made by its first node. Where there are
// several nodes each of them should sign checkpoints, so that none waits for another:
// the first one seals the key to the others. The member's own key, which signs
// contracts, stays where it was made.

// sharedKeys is what travels from one node of a member to another.
type sharedKeys struct {
	Member string `json:"member"`
	Log    []byte `json:"log"` // seed of an Ed25519 key
}

// maxShared bounds what is read.
const maxShared = 16 << 10

// ErrShared says that what was given holds no keys for this node.
var ErrShared = errors.New("these are no keys for this node")

// KeysRecipient is to whom keys for this node are sealed (age1…). It is no secret.
func KeysRecipient(cfg Config, clock gov.Clock) (string, error) {
	k, err := openKeys(cfg.Data, clock, false)
	if err != nil {
		return "", err
	}
	id, err := k.identity()
	if err != nil {
		return "", err
	}
	return id.Recipient().String(), nil
}

// ShareKeys seals what another node of the same member needs to sign the member's log,
// as text.
func ShareKeys(cfg Config, recipient string, clock gov.Clock) ([]byte, error) {
	to, err := age.ParseX25519Recipient(strings.TrimSpace(recipient))
	if err != nil {
		return nil, errors.New("the other node is named by what `diwan gateway keys recipient` prints there, which begins with age1")
	}
	k, err := openKeys(cfg.Data, clock, false)
	if err != nil {
		return nil, err
	}
	key, err := k.logKey()
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, errors.New("this node does not hold the key of the member's log; the first one does")
	}
	return sharedKeys{cfg.Member, key.Seed()}.seal(to)
}

func (s sharedKeys) seal(to age.Recipient) ([]byte, error) {
	var out bytes.Buffer
	text := armor.NewWriter(&out)
	w, err := age.Encrypt(text, to)
	if err == nil {
		err = json.NewEncoder(w).Encode(s)
	}
	if err == nil {
		err = errors.Join(w.Close(), text.Close())
	}
	return out.Bytes(), err
}

// TakeKeys keeps the keys that another node has sealed to this one. They hold from the
// next start of the gateway on.
func TakeKeys(cfg Config, sealed io.Reader, clock gov.Clock) error {
	k, err := openKeys(cfg.Data, clock, false)
	if err != nil {
		return err
	}
	id, err := k.identity()
	if err != nil {
		return err
	}
	var in sharedKeys
	r, err := age.Decrypt(armor.NewReader(io.LimitReader(sealed, maxShared)), id)
	if err == nil {
		err = json.NewDecoder(io.LimitReader(r, maxShared)).Decode(&in)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrShared, err)
	}
	if in.Member != cfg.Member || len(in.Log) != ed25519.SeedSize {
		return fmt.Errorf("%w: they are of %.100q", ErrShared, in.Member)
	}
	key := ed25519.NewKeyFromSeed(in.Log)
	if err := k.sameLog(cfg, key, clock); err != nil {
		return err
	}
	have, err := k.sealedKey(logFile, false)
	switch {
	case err != nil:
		return err
	case have != nil && !have.Equal(key):
		return fmt.Errorf("%w: another key of the log is here", ErrShared)
	case have != nil:
		return nil
	}
	var b bytes.Buffer
	w, err := age.Encrypt(&b, k.store.Recipient())
	if err == nil {
		_, err = w.Write(key.Seed())
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(k.dir, keysFolder, logFile), b.Bytes())
}

// sameLog holds a key to the one that the directory, as this node has it, names for the
// member's log: with another one it would sign what nobody believes.
func (k *keyring) sameLog(cfg Config, key ed25519.PrivateKey, clock gov.Clock) error {
	o, err := OpenOffice(cfg, clock)
	if err != nil {
		return err
	}
	v := o.keeper.View()
	if v == nil || v.Members[cfg.Member] == nil || v.Members[cfg.Member].Log == "" {
		return nil
	}
	name, err := translog.LogKey(translog.MemberOrigin(cfg.Member), key.Public().(ed25519.PublicKey))
	if err == nil && name != v.Members[cfg.Member].Log {
		err = fmt.Errorf("%w: the directory names another key for the log of %s", ErrShared, cfg.Member)
	}
	return err
}
