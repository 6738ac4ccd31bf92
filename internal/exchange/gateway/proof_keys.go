package gateway

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"filippo.io/age"

	"diwan/internal/exchange/translog"
)

// Files of the keys with which a member's log and witness sign. Each is Ed25519,
// used for nothing else, and sealed to the node's identity like the link key.
const (
	logFile     = "log.ed25519.age"
	witnessFile = "witness.ed25519.age"
)

// logKey is the key of the member's transparency log. The node that holds the
// member's key holds it too; for others it is nil.
func (k *keyring) logKey() (ed25519.PrivateKey, error) {
	_, err := os.Stat(filepath.Join(k.dir, memberFile))
	return k.sealedKey(logFile, err == nil)
}

// sealedKey reads a key, and makes it when create is set. It is nil when there is
// none.
func (k *keyring) sealedKey(file string, create bool) (ed25519.PrivateKey, error) {
	path := filepath.Join(k.dir, keysFolder, file)
	key, err := k.unsealKey(path)
	if errors.Is(err, fs.ErrNotExist) {
		if !create {
			return nil, nil
		}
		key, err = k.sealNewKey(path)
	}
	if err != nil {
		return nil, fmt.Errorf("the key %s: %w", file, err)
	}
	return key, nil
}

func (k *keyring) unsealKey(path string) (ed25519.PrivateKey, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	id, err := k.identity()
	if err != nil {
		return nil, err
	}
	r, err := age.Decrypt(io.LimitReader(f, 4096), id)
	if err != nil {
		return nil, err
	}
	seed, err := io.ReadAll(r)
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, errors.Join(errors.New("it is damaged"), err)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

func (k *keyring) sealNewKey(path string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w, err := age.Encrypt(&b, k.store.Recipient())
	if err == nil {
		_, err = w.Write(key.Seed())
	}
	if err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return key, writeFile(path, b.Bytes())
}

// publishedKeys are the keys of log and witness as the directory holds them, for a
// node that makes the member's keys.
func (k *keyring) publishedKeys(member string, witness bool) (log, asWitness string, err error) {
	key, err := k.sealedKey(logFile, true)
	if err != nil {
		return "", "", err
	}
	if log, err = translog.LogKey(translog.MemberOrigin(member), key.Public().(ed25519.PublicKey)); err != nil || !witness {
		return log, "", err
	}
	if key, err = k.sealedKey(witnessFile, true); err != nil {
		return "", "", err
	}
	asWitness, err = translog.WitnessKey(translog.WitnessName(member), key.Public().(ed25519.PublicKey))
	return log, asWitness, err
}
