package gateway

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"diwan/internal/gov"
	"diwan/internal/keys"
)

// Purposes of the keys in the store.
const (
	tlsPurpose    = "exchange-tls"
	memberPurpose = "exchange-member"
)

// Files in the data folder.
const (
	identityFile   = "seal.txt"
	keysFolder     = "keys"
	linkFile       = "link.ed25519.age"
	tlsFile        = "tls.pem"
	memberFile     = "member.pem"
	trustedFile    = "directory-keys.json"
	journalFolder  = "journal"
	directoryCache = "directory"
)

// keyring holds the keys of one node: the TLS key and the member's own in the
// program's key store, the link key, which must be Ed25519, in a file that is
// sealed to the same identity. No private key lies in the clear.
type keyring struct {
	dir   string
	store *keys.Store
	link  ed25519.PrivateKey
}

// openKeys opens the keys of a data folder and makes those that are missing
// when make is set.
func openKeys(dir string, clock gov.Clock, create bool) (*keyring, error) {
	if _, err := os.Stat(filepath.Join(dir, identityFile)); err != nil && !create {
		return nil, fmt.Errorf("this node has no keys; has it joined? %w", err)
	}
	store, err := keys.Open(filepath.Join(dir, keysFolder), filepath.Join(dir, identityFile), clock)
	if err != nil {
		return nil, err
	}
	k := &keyring{dir: dir, store: store}
	k.link, err = k.readLink()
	if errors.Is(err, fs.ErrNotExist) && create {
		k.link, err = k.makeLink()
	}
	if err != nil {
		return nil, fmt.Errorf("the link key: %w", err)
	}
	return k, nil
}

func (k *keyring) linkPath() string { return filepath.Join(k.dir, keysFolder, linkFile) }

func (k *keyring) readLink() (ed25519.PrivateKey, error) {
	f, err := os.Open(k.linkPath())
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

// identity opens what is sealed to this node.
func (k *keyring) identity() (*age.X25519Identity, error) {
	text, err := os.ReadFile(filepath.Join(k.dir, identityFile))
	if err != nil {
		return nil, err
	}
	id, err := age.ParseX25519Identity(strings.TrimSpace(string(text)))
	if err != nil {
		return nil, errors.New("the identity that seals it is malformed")
	}
	return id, nil
}

func (k *keyring) makeLink() (ed25519.PrivateKey, error) {
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
	return key, writeFile(k.linkPath(), b.Bytes())
}

// linkPKIX is the public link key as the directory knows it.
func (k *keyring) linkPKIX() ([]byte, error) { return x509.MarshalPKIXPublicKey(k.link.Public()) }

// holder finds the private key of a certificate.
func (k *keyring) holder(c *x509.Certificate, purpose string) (crypto.Signer, error) {
	pub, ok := c.PublicKey.(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("the certificate's key is a %T", c.PublicKey)
	}
	for _, key := range k.store.List() {
		if key.Purpose == purpose && pub.Equal(key.Public()) {
			return key, nil
		}
	}
	return nil, errors.New("no key here fits the certificate")
}

// tlsCertificate is the node's certificate with its key.
func (k *keyring) tlsCertificate() (*tls.Certificate, error) {
	c, err := readCertificate(filepath.Join(k.dir, tlsFile))
	if err != nil {
		return nil, fmt.Errorf("the node's certificate: %w", err)
	}
	key, err := k.holder(c, tlsPurpose)
	if err != nil {
		return nil, fmt.Errorf("the node's certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: key, Leaf: c}, nil
}

// errNoMemberKey says that this node does not sign contracts: the member's key
// lies with the node that joined first.
var errNoMemberKey = errors.New("this node does not hold the member's key, with which contracts are signed")

// memberKey is the member's own key and certificate.
func (k *keyring) memberKey() (crypto.Signer, *x509.Certificate, error) {
	c, err := readCertificate(filepath.Join(k.dir, memberFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, errNoMemberKey
	}
	if err != nil {
		return nil, nil, fmt.Errorf("the member's certificate: %w", err)
	}
	key, err := k.holder(c, memberPurpose)
	return key, c, err
}

func readCertificate(name string) (*x509.Certificate, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(b)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, fmt.Errorf("%s is not a certificate in PEM", filepath.Base(name))
	}
	return x509.ParseCertificate(block.Bytes)
}

func writeCertificate(name string, der []byte) error {
	return writeFile(name, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// trustedKeys are the directory's keys (PKIX) that the owner was given.
func (k *keyring) trustedKeys() ([][]byte, error) {
	b, err := os.ReadFile(filepath.Join(k.dir, trustedFile))
	if err != nil {
		return nil, fmt.Errorf("the directory's keys: %w", err)
	}
	var list [][]byte
	if err := json.Unmarshal(b, &list); err != nil || len(list) == 0 {
		return nil, errors.Join(errors.New("the directory's keys are damaged"), err)
	}
	return list, nil
}

func (k *keyring) writeTrusted(list [][]byte) error {
	b, err := json.Marshal(list)
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(k.dir, trustedFile), b)
}

// writeFile puts a file in place as a whole: after a crash the old or the new
// one is there.
func writeFile(name string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".new-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
