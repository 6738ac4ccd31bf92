package httpsig

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/dunglas/httpsfv"
)

// HeaderDigest is the field of RFC 9530.
const HeaderDigest = "Content-Digest"

// ErrDigest says that a body is not the one that its Content-Digest speaks of,
// or that there is no digest of an algorithm that proves anything.
var ErrDigest = errors.New("the body does not fit its Content-Digest")

// DigestAlgorithm is a name of the registry of RFC 9530, 7.2. The others of that
// registry are broken: they are ignored.
type DigestAlgorithm string

const (
	SHA256 DigestAlgorithm = "sha-256"
	SHA512 DigestAlgorithm = "sha-512"
)

func (a DigestAlgorithm) new() hash.Hash {
	switch a {
	case SHA256:
		return sha256.New()
	case SHA512:
		return sha512.New()
	}
	return nil
}

// FormatDigest is the value of Content-Digest for a digest already computed.
func FormatDigest(a DigestAlgorithm, sum []byte) string {
	d := httpsfv.NewDictionary()
	d.Add(string(a), httpsfv.NewItem(sum))
	text, _ := httpsfv.Marshal(d) // a token and bytes always marshal
	return text
}

// ContentDigest is the value of Content-Digest for a body.
func ContentDigest(a DigestAlgorithm, body []byte) (string, error) {
	h := a.new()
	if h == nil {
		return "", fmt.Errorf("%w: the algorithm %q", ErrDigest, string(a))
	}
	h.Write(body)
	return FormatDigest(a, h.Sum(nil)), nil
}

// ParseDigest reads the lines of a Content-Digest: the digests of the algorithms
// that we know. None is an error.
func ParseDigest(lines []string) (map[DigestAlgorithm][]byte, error) {
	if size(lines) > MaxField {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrDigest, MaxField)
	}
	d, err := httpsfv.UnmarshalDictionary(lines)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDigest, err)
	}
	out := map[DigestAlgorithm][]byte{}
	for _, name := range d.Names() {
		h := DigestAlgorithm(name).new()
		if h == nil {
			continue
		}
		v, _ := d.Get(name)
		item, _ := v.(httpsfv.Item)
		sum, ok := item.Value.([]byte)
		if !ok || len(sum) != h.Size() {
			return nil, fmt.Errorf("%w: the digest %s is none", ErrDigest, name)
		}
		out[DigestAlgorithm(name)] = sum
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: none of sha-256, sha-512", ErrDigest)
	}
	return out, nil
}

// CheckDigest checks a whole body against the lines of its Content-Digest. Every
// digest that we know must fit.
func CheckDigest(lines []string, body []byte) error {
	want, err := ParseDigest(lines)
	if err != nil {
		return err
	}
	for a, sum := range want {
		h := a.new()
		h.Write(body)
		if subtle.ConstantTimeCompare(h.Sum(nil), sum) != 1 {
			return fmt.Errorf("%w: %s", ErrDigest, a)
		}
	}
	return nil
}

// Digester reads a body and computes its digest on the way, for a digest sent in
// the trailers.
type Digester struct {
	r    io.Reader
	alg  DigestAlgorithm
	hash hash.Hash
}

// NewDigester reads from r. The algorithm must be one of the constants.
func NewDigester(r io.Reader, a DigestAlgorithm) (*Digester, error) {
	h := a.new()
	if h == nil {
		return nil, fmt.Errorf("%w: the algorithm %q", ErrDigest, string(a))
	}
	return &Digester{r, a, h}, nil
}

func (d *Digester) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	d.hash.Write(p[:n])
	return n, err
}

// Sum is the digest of what was read so far.
func (d *Digester) Sum() []byte { return d.hash.Sum(nil) }

// Value is the Content-Digest of what was read so far.
func (d *Digester) Value() string { return FormatDigest(d.alg, d.Sum()) }

// Verifier returns a reader of body that ends in ErrDigest instead of io.EOF
// when the body is not the one announced. Bytes come out before they are known
// to be good: whoever passes them on must be able to abort.
func Verifier(body io.Reader, lines []string) (io.Reader, error) {
	want, err := ParseDigest(lines)
	if err != nil {
		return nil, err
	}
	v := &verifier{r: body, want: want, hashes: map[DigestAlgorithm]hash.Hash{}}
	for a := range want {
		v.hashes[a] = a.new()
	}
	return v, nil
}

type verifier struct {
	r      io.Reader
	want   map[DigestAlgorithm][]byte
	hashes map[DigestAlgorithm]hash.Hash
	err    error
}

func (v *verifier) Read(p []byte) (int, error) {
	if v.err != nil {
		return 0, v.err
	}
	n, err := v.r.Read(p)
	for _, h := range v.hashes {
		h.Write(p[:n])
	}
	if err == io.EOF {
		for a, h := range v.hashes {
			if subtle.ConstantTimeCompare(h.Sum(nil), v.want[a]) != 1 {
				err = fmt.Errorf("%w: %s", ErrDigest, a)
				break
			}
		}
	}
	v.err = err
	return n, err
}
