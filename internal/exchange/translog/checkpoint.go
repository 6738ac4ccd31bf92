package translog

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// Bounds.
const (
	// MaxSize is how many entries a log may have. The arithmetic of trees breaks
	// down near the largest integer; no log comes near this.
	MaxSize = 1 << 48
	// MaxCheckpoint is the length in bytes of a checkpoint with all signatures.
	MaxCheckpoint = 16 << 10
	maxText       = 2 << 10
	maxKey        = 512
	maxName       = 255
)

var (
	// ErrCheckpoint says that a text is no checkpoint.
	ErrCheckpoint = errors.New("not a checkpoint")
	// ErrUnsigned says that a checkpoint lacks a signature of a trusted key.
	ErrUnsigned = errors.New("the checkpoint is not signed by a key that is trusted for it")
	// ErrKey says that a key can't be used.
	ErrKey = errors.New("not a usable key")
)

// Entry is what the log holds of a journal record: its SHA-256.
type Entry [sha256.Size]byte

// EntryOf returns the entry of a record's bytes.
func EntryOf(record []byte) Entry { return sha256.Sum256(record) }

func (e Entry) leaf() tlog.Hash { return tlog.RecordHash(e[:]) }

// Checkpoint is a state of a log.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   tlog.Hash
}

// Text writes a checkpoint as the text that is signed.
func (c Checkpoint) Text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// ParseCheckpoint reads the text of a checkpoint, without signatures. Extension
// lines are allowed, as the format does, and ignored.
func ParseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(text) > maxText || len(lines) < 4 || lines[len(lines)-1] != "" {
		return Checkpoint{}, ErrCheckpoint
	}
	for _, l := range lines[:len(lines)-1] {
		if l == "" {
			return Checkpoint{}, ErrCheckpoint
		}
	}
	size, err := parseSize(lines[1])
	if err != nil || len(lines[0]) > maxName {
		return Checkpoint{}, ErrCheckpoint
	}
	root, err := parseHash(lines[2])
	if err != nil {
		return Checkpoint{}, ErrCheckpoint
	}
	if size == 0 && root != emptyRoot {
		return Checkpoint{}, fmt.Errorf("%w: no entries, yet a root", ErrCheckpoint)
	}
	return Checkpoint{lines[0], size, root}, nil
}

// emptyRoot is the root of a tree without entries (RFC 6962 §2.1).
var emptyRoot = tlog.Hash(sha256.Sum256(nil))

// parseSize reads a number as it must be written: decimal, no leading zeros.
func parseSize(s string) (int64, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > MaxSize || strconv.FormatInt(n, 10) != s {
		return 0, fmt.Errorf("%q is not a size", s)
	}
	return n, nil
}

// parseHash reads a hash in strict base64: one text for one hash.
func parseHash(s string) (h tlog.Hash, err error) {
	b, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != len(h) || len(s) != 44 {
		return h, errors.New("not a hash in base64")
	}
	return tlog.Hash(b), nil
}

// OpenCheckpoint reads a signed checkpoint and checks that one of the keys signed
// it. Signatures of other keys are ignored, as the format wants. It returns the
// text that was signed too.
func OpenCheckpoint(signed []byte, keys ...note.Verifier) (Checkpoint, string, error) {
	if len(signed) > MaxCheckpoint {
		return Checkpoint{}, "", fmt.Errorf("%w: longer than %d bytes", ErrCheckpoint, MaxCheckpoint)
	}
	n, err := note.Open(signed, note.VerifierList(keys...))
	if err != nil {
		if _, unsigned := errors.AsType[*note.UnverifiedNoteError](err); unsigned {
			return Checkpoint{}, "", ErrUnsigned
		}
		if _, wrong := errors.AsType[*note.InvalidSignatureError](err); wrong {
			return Checkpoint{}, "", ErrUnsigned
		}
		return Checkpoint{}, "", fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	c, err := ParseCheckpoint(n.Text)
	return c, n.Text, err
}

// unsigned reads a checkpoint of which no signature was checked.
func unsigned(signed []byte) (Checkpoint, error) {
	text, _, ok := bytes.Cut(signed, []byte("\n\n"))
	if !ok || len(signed) > MaxCheckpoint {
		return Checkpoint{}, ErrCheckpoint
	}
	return ParseCheckpoint(string(text) + "\n")
}

// The kinds of keys of the signed-note format that are used here.
const (
	kindLog     = 1 // Ed25519
	kindWitness = 4 // Ed25519, timestamped cosignature
)

func keyID(name string, kind byte, pub ed25519.PublicKey) uint32 {
	h := sha256.New()
	h.Write([]byte(name + "\n"))
	h.Write([]byte{kind})
	h.Write(pub)
	return binary.BigEndian.Uint32(h.Sum(nil))
}

func writeKey(name string, kind byte, pub ed25519.PublicKey) string {
	return fmt.Sprintf("%s+%08x+%s", name, keyID(name, kind, pub), base64.StdEncoding.EncodeToString(append([]byte{kind}, pub...)))
}

func goodName(name string) bool {
	return name != "" && len(name) <= maxName && !strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r == '+' || r == 0x7f || r > 0x7e
	})
}

// readKey reads a verifier key "NAME+ID+KEY" of one kind.
func readKey(vkey string, kind byte) (name string, pub ed25519.PublicKey, err error) {
	name, rest, _ := strings.Cut(vkey, "+")
	id, text, _ := strings.Cut(rest, "+")
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || len(vkey) > maxKey || !goodName(name) || len(b) != 1+ed25519.PublicKeySize || b[0] != kind {
		return "", nil, ErrKey
	}
	pub = b[1:]
	if fmt.Sprintf("%08x", keyID(name, kind, pub)) != id {
		return "", nil, fmt.Errorf("%w: its number is not that of the key", ErrKey)
	}
	return name, pub, nil
}

// Origin writes the identity of a member's log from the parts of the member's
// identifier. Characters that the format forbids are percent-encoded, so that two
// members never share an origin.
func Origin(parts ...string) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteByte('/')
		}
		for _, c := range []byte(p) {
			if c <= ' ' || c == '+' || c == '%' || c == '/' || c > 0x7e {
				fmt.Fprintf(&b, "%%%02X", c)
			} else {
				b.WriteByte(c)
			}
		}
	}
	return b.String()
}

// LogKey writes a log's public key as directories hold it (a signed note's
// verifier key).
func LogKey(origin string, pub ed25519.PublicKey) (string, error) {
	if !goodName(origin) || len(pub) != ed25519.PublicKeySize {
		return "", ErrKey
	}
	return writeKey(origin, kindLog, pub), nil
}

// logKey verifies signatures of a log.
type logKey struct {
	name string
	id   uint32
	pub  ed25519.PublicKey
}

func (k *logKey) Name() string                { return k.name }
func (k *logKey) KeyHash() uint32             { return k.id }
func (k *logKey) Verify(msg, sig []byte) bool { return ed25519.Verify(k.pub, msg, sig) }

// ParseLogKey reads what LogKey writes.
func ParseLogKey(vkey string) (note.Verifier, error) {
	name, pub, err := readKey(vkey, kindLog)
	if err != nil {
		return nil, fmt.Errorf("log key: %w", err)
	}
	return &logKey{name, keyID(name, kindLog, pub), pub}, nil
}

// logSigner signs checkpoints.
type logSigner struct {
	logKey
	key crypto.Signer
}

func (s *logSigner) Sign(msg []byte) ([]byte, error) { return s.key.Sign(nil, msg, crypto.Hash(0)) }

func newLogSigner(origin string, key crypto.Signer) (*logSigner, error) {
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok || !goodName(origin) {
		return nil, fmt.Errorf("signer of the log: %w", ErrKey)
	}
	return &logSigner{logKey{origin, keyID(origin, kindLog, pub), pub}, key}, nil
}
