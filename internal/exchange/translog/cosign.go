package translog

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrCosignature says that a line is not the cosignature of a witness over the
// checkpoint.
var ErrCosignature = errors.New("not a cosignature of this witness over this checkpoint")

const (
	// linePrefix begins each signature line of a signed note.
	linePrefix = "\u2014 "
	maxLine    = 512
	// maxTime keeps times within what calendars write.
	maxTime = 253402300799 // end of the year 9999
)

// WitnessKey writes a witness's public key as directories hold it (kind 4:
// timestamped cosignatures).
func WitnessKey(name string, pub ed25519.PublicKey) (string, error) {
	if !goodName(name) || len(pub) != ed25519.PublicKeySize {
		return "", ErrKey
	}
	return writeKey(name, kindWitness, pub), nil
}

// witnessKey verifies cosignatures.
type witnessKey struct {
	name string
	id   uint32
	pub  ed25519.PublicKey
}

func parseWitnessKey(vkey string) (*witnessKey, error) {
	name, pub, err := readKey(vkey, kindWitness)
	if err != nil {
		return nil, fmt.Errorf("witness key: %w", err)
	}
	return &witnessKey{name, keyID(name, kindWitness, pub), pub}, nil
}

// cosigned is what a witness signs (C2SP tlog-cosignature, "cosignature/v1").
func cosigned(text string, at int64) []byte {
	return fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", at, text)
}

// cosign writes the line of a cosignature over a checkpoint's text.
func (k *witnessKey) cosign(key crypto.Signer, text string, now time.Time) (string, error) {
	at := now.Unix()
	if at < 0 || at > maxTime {
		return "", errors.New("cosigning: the clock is out of bounds")
	}
	sig, err := key.Sign(nil, cosigned(text, at), crypto.Hash(0))
	if err != nil {
		return "", fmt.Errorf("cosigning: %w", err)
	}
	b := binary.BigEndian.AppendUint32(nil, k.id)
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	return linePrefix + k.name + " " + base64.StdEncoding.EncodeToString(append(b, sig...)) + "\n", nil
}

// verify checks a line and returns when the witness cosigned.
func (k *witnessKey) verify(line, text string) (time.Time, error) {
	l, err := parseLine(line)
	if err != nil || l.name != k.name || l.id != k.id {
		return time.Time{}, ErrCosignature
	}
	if !ed25519.Verify(k.pub, cosigned(text, l.at), l.sig) {
		return time.Time{}, ErrCosignature
	}
	return time.Unix(l.at, 0).UTC(), nil
}

// line is a cosignature taken apart.
type line struct {
	name string
	id   uint32
	at   int64
	sig  []byte
}

func parseLine(s string) (line, error) {
	rest, ok := strings.CutPrefix(s, linePrefix)
	rest, end := strings.CutSuffix(rest, "\n")
	name, text, _ := strings.Cut(rest, " ")
	if !ok || !end || len(s) > maxLine || !goodName(name) {
		return line{}, ErrCosignature
	}
	b, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") || len(b) != 4+8+ed25519.SignatureSize {
		return line{}, ErrCosignature
	}
	at := binary.BigEndian.Uint64(b[4:])
	if at > maxTime {
		return line{}, ErrCosignature
	}
	return line{name, binary.BigEndian.Uint32(b), int64(at), b[12:]}, nil
}

// addLines appends signature lines to a signed checkpoint.
func addLines(signed []byte, lines []string) []byte {
	b := bytes.Clone(signed)
	for _, l := range lines {
		b = append(b, l...)
	}
	return b
}
