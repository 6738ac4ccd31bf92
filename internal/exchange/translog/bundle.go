package translog

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/tlog"
)

// BundleFormat is the name and version of the format.
const BundleFormat = "diwan-exchange-proof-1"

// MaxBundle is the length in bytes of a bundle.
const MaxBundle = 8 << 20

// ErrBundle says that bytes are no bundle.
var ErrBundle = errors.New("not a proof of an exchange")

// Bundle proves that a journal record is in a member's log. It is JSON; bytes and
// hashes are standard base64.
type Bundle struct {
	Format string `json:"format"`
	// Record is the journal's record; its SHA-256 is the entry.
	Record []byte `json:"record"`
	// Index is the place of the entry, Inclusion the hashes from its leaf up to
	// the checkpoint's root (RFC 6962 §2.1.1).
	Index     int64    `json:"index"`
	Inclusion [][]byte `json:"inclusion"`
	// Checkpoint is the signed note of the log, with the log's signature alone:
	// the bytes that Stamp is over. Cosignatures are the lines of witnesses.
	Checkpoint   string   `json:"checkpoint"`
	Cosignatures []string `json:"cosignatures,omitempty"`
	// Stamp is the whole answer of a time-stamp authority (RFC 3161, DER), so that
	// "openssl ts -verify" reads it from a file.
	Stamp []byte `json:"stamp,omitempty"`
}

// Prove makes the bundle of a record. ErrNotThere means that the log does not hold
// its entry, or that no checkpoint covers it yet.
func (l *Log) Prove(ctx context.Context, record []byte) (*Bundle, error) {
	index, ok, err := l.Index(ctx, EntryOf(record))
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, ErrNotThere
	}
	s, err := l.Covering(ctx, index)
	if err != nil {
		return nil, err
	}
	proof, err := l.InclusionProof(ctx, index, s.Size)
	if err != nil {
		return nil, fmt.Errorf("proving an entry: %w", err)
	}
	b := &Bundle{Format: BundleFormat, Record: record, Index: index, Inclusion: make([][]byte, 0, len(proof)),
		Checkpoint: string(s.Note), Cosignatures: s.Cosignatures, Stamp: s.Stamp}
	for _, h := range proof {
		b.Inclusion = append(b.Inclusion, bytes.Clone(h[:]))
	}
	return b, nil
}

// ParseBundle reads a bundle; nothing in it is verified.
func ParseBundle(data []byte) (*Bundle, error) {
	if len(data) > MaxBundle {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrBundle, MaxBundle)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var b Bundle
	if err := d.Decode(&b); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBundle, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: something follows it", ErrBundle)
	}
	return &b, nil
}

// proof reads the hashes.
func (b *Bundle) proof() (tlog.RecordProof, error) {
	if len(b.Inclusion) > maxProof {
		return nil, fmt.Errorf("%d hashes in the proof", len(b.Inclusion))
	}
	p := make(tlog.RecordProof, 0, len(b.Inclusion))
	for _, h := range b.Inclusion {
		if len(h) != tlog.HashSize {
			return nil, errors.New("a hash of another length")
		}
		p = append(p, tlog.Hash(h))
	}
	return p, nil
}

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
