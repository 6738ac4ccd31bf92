package statuslist

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"slices"
)

// level is the compression. The draft recommends the best, 9, which takes half a second
// for 2^20 entries of which one in twenty is set, time during which a revocation waits;
// this one takes a sixth of that and makes the list a tenth larger at most.
const level = 7

// DefaultEntries is how many entries a reader unpacks when it doesn't say.
const DefaultEntries = 1 << 22

// Packed is a compressed list: the members bits and lst of a token.
type Packed struct {
	Bits int
	Data []byte
}

// Packer compresses lists and keeps its buffers for the next. Its zero value is ready;
// one is not used by two at once.
type Packer struct {
	w   *zlib.Writer
	out bytes.Buffer
}

// Pack compresses a list (DEFLATE with the ZLIB format, section 4.1). The result
// is the caller's.
func (p *Packer) Pack(l *List) (Packed, error) {
	p.out.Reset()
	if p.w == nil {
		w, err := zlib.NewWriterLevel(&p.out, level)
		if err != nil {
			return Packed{}, fmt.Errorf("packing: %w", err)
		}
		p.w = w
	} else {
		p.w.Reset(&p.out)
	}
	if _, err := p.w.Write(l.data); err != nil {
		return Packed{}, fmt.Errorf("packing: %w", err)
	}
	if err := p.w.Close(); err != nil {
		return Packed{}, fmt.Errorf("packing: %w", err)
	}
	return Packed{l.bits, slices.Clone(p.out.Bytes())}, nil
}

// Pack compresses a list once; see [Packer].
func (l *List) Pack() (Packed, error) { return new(Packer).Pack(l) }

// Unpack decompresses a list of at most maxEntries (0 is [DefaultEntries]). It stops as
// soon as the limit is passed, however much more a small input would unfold to.
func (p Packed) Unpack(maxEntries int) (*List, error) {
	if err := checkBits(p.Bits); err != nil {
		return nil, err
	}
	if maxEntries <= 0 {
		maxEntries = DefaultEntries
	}
	limit := size(min(maxEntries, MaxEntries), p.Bits)
	in := bytes.NewReader(p.Data)
	z, err := zlib.NewReader(in)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	var out bytes.Buffer
	n, err := io.Copy(&out, io.LimitReader(z, int64(limit)+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForm, err)
	}
	if n > int64(limit) {
		return nil, fmt.Errorf("%w: more than %d entries", ErrLarge, maxEntries)
	}
	if in.Len() > 0 {
		return nil, fmt.Errorf("%w: more follows the compressed list", ErrForm)
	}
	if n == 0 {
		return nil, fmt.Errorf("%w: no entries", ErrForm)
	}
	return FromBytes(out.Bytes(), p.Bits)
}
