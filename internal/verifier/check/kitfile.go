package check

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"diwan/protocol/sdjwt"
	"diwan/protocol/statuslist"
	"diwan/protocol/strict"
)

// MaxKit bounds the file of a kit.
const MaxKit = 96 << 20

const kitFormat = "diwan-verification-kit-1"

// ErrKit is a file that is no kit.
var ErrKit = errors.New("the file is not a kit for checking documents")

type kitFile struct {
	Format   string            `json:"format"`
	Operator string            `json:"operator"`
	Anchors  []string          `json:"anchors"`
	Trust    string            `json:"trust"`
	Types    []json.RawMessage `json:"types"`
	Status   json.RawMessage   `json:"status"`
}

// Export writes the kit into one file, for use without a network.
func (k *Kit) Export() ([]byte, error) {
	lists, err := k.status.Export()
	if err != nil {
		return nil, err
	}
	f := kitFile{Format: kitFormat, Operator: k.o.Operator, Anchors: []string{}, Status: lists, Types: []json.RawMessage{}}
	for _, a := range k.o.Anchors {
		f.Anchors = append(f.Anchors, base64.StdEncoding.EncodeToString(a.Raw))
	}
	k.mu.Lock()
	f.Trust = k.token
	for _, t := range k.types {
		b, err := json.Marshal(t)
		if err != nil {
			k.mu.Unlock()
			return nil, fmt.Errorf("exporting a kit: %w", err)
		}
		f.Types = append(f.Types, b)
	}
	k.mu.Unlock()
	b, err := json.Marshal(f)
	if err == nil && len(b) > MaxKit {
		err = fmt.Errorf("%d bytes, at most %d", len(b), MaxKit)
	}
	if err != nil {
		return nil, fmt.Errorf("exporting a kit: %w", err)
	}
	return b, nil
}

// Import reads what [Kit.Export] wrote and checks every signature anew. With Anchors in
// the options the file must lead to one of them; without, its own are believed, and the
// caller shows whose they are by [Kit.Fingerprints]. Status lists that have ended are
// left out.
func Import(b []byte, o Options) (*Kit, error) {
	var f kitFile
	if err := strict.Unmarshal(b, MaxKit, &f); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKit, err)
	}
	if f.Format != kitFormat || len(f.Types) > maxTypes {
		return nil, fmt.Errorf("%w: another format", ErrKit)
	}
	if len(o.Anchors) == 0 {
		for _, s := range f.Anchors[:min(len(f.Anchors), 8)] {
			der, err := base64.StdEncoding.DecodeString(s)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrKit, err)
			}
			c, err := x509.ParseCertificate(der)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrKit, err)
			}
			o.Anchors = append(o.Anchors, c)
		}
	}
	if o.Operator == "" {
		o.Operator = f.Operator
	}
	k := New(o)
	if err := k.SetTrust(f.Trust); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKit, err)
	}
	var types []*sdjwt.TypeMetadata
	for _, raw := range f.Types {
		if t, err := sdjwt.ParseType(raw); err == nil {
			types = append(types, t)
		}
	}
	k.SetTypes(types)
	if _, err := k.status.Import(f.Status, k.o.Now()); errors.Is(err, statuslist.ErrForm) || errors.Is(err, statuslist.ErrLarge) {
		return nil, fmt.Errorf("%w: %w", ErrKit, err)
	}
	return k, nil
}

// Fingerprints are the SHA-256 of the anchors, in groups of four digits, to be compared
// with what the state publishes.
func (k *Kit) Fingerprints() []string {
	var out []string
	for _, a := range k.o.Anchors {
		sum := sha256.Sum256(a.Raw)
		h := hex.EncodeToString(sum[:])
		var b strings.Builder
		for i := 0; i < len(h); i += 4 {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(h[i : i+4])
		}
		out = append(out, b.String())
	}
	return out
}
