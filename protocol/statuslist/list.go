package statuslist

import (
	"fmt"
	"strconv"
)

// Value is the status of one credential.
type Value uint8

// Statuses of the registry (draft -14, section 7.1).
const (
	Valid     Value = 0
	Invalid   Value = 1 // revoked, for good
	Suspended Value = 2 // for a time
	// ApplicationSpecific is the one of these, with 0x0C to 0x0F, that fits in two
	// bits. What it says is agreed between those who use it.
	ApplicationSpecific Value = 3
)

// String returns the registered name, or the number.
func (v Value) String() string {
	switch {
	case v == Valid:
		return "VALID"
	case v == Invalid:
		return "INVALID"
	case v == Suspended:
		return "SUSPENDED"
	case v == ApplicationSpecific || v >= 0x0C && v <= 0x0F:
		return "APPLICATION_SPECIFIC_" + strconv.Itoa(int(v))
	}
	return "UNREGISTERED_" + strconv.Itoa(int(v))
}

// List holds the statuses of many credentials, packed from the least significant bit
// of each byte (section 4.1). It is not safe for one that writes beside others.
type List struct {
	bits int
	data []byte
}

// New returns a list of so many entries of 1, 2, 4 or 8 bits, all [Valid]. The number
// of entries is rounded up to fill the last byte.
func New(entries, bits int) (*List, error) {
	if err := checkBits(bits); err != nil {
		return nil, err
	}
	if entries < 1 || entries > MaxEntries {
		return nil, fmt.Errorf("%w: %d entries, want 1 to %d", ErrLarge, entries, MaxEntries)
	}
	return &List{bits, make([]byte, size(entries, bits))}, nil
}

// FromBytes returns the list that the bytes are, which it keeps.
func FromBytes(data []byte, bits int) (*List, error) {
	if err := checkBits(bits); err != nil {
		return nil, err
	}
	if len(data) == 0 || len(data) > size(MaxEntries, bits) {
		return nil, fmt.Errorf("%w: %d bytes", ErrLarge, len(data))
	}
	return &List{bits, data}, nil
}

func checkBits(bits int) error {
	if bits != 1 && bits != 2 && bits != 4 && bits != 8 {
		return fmt.Errorf("%w: not %d", ErrBits, bits)
	}
	return nil
}

// size returns how many bytes hold so many entries.
func size(entries, bits int) int { return (entries*bits + 7) / 8 }

// Bits returns how many bits an entry has.
func (l *List) Bits() int { return l.bits }

// Len returns how many entries there are.
func (l *List) Len() int { return len(l.data) * 8 / l.bits }

// Bytes returns the packed entries, which belong to the list.
func (l *List) Bytes() []byte { return l.data }

// Get returns the status at an index.
func (l *List) Get(i int) (Value, error) {
	if i < 0 || i >= l.Len() {
		return 0, fmt.Errorf("%w: %d of %d", ErrIndex, i, l.Len())
	}
	bit := i * l.bits
	return Value(l.data[bit/8] >> (bit % 8) & l.mask()), nil
}

// Set changes the status at an index.
func (l *List) Set(i int, v Value) error {
	if i < 0 || i >= l.Len() {
		return fmt.Errorf("%w: %d of %d", ErrIndex, i, l.Len())
	}
	if byte(v) > l.mask() {
		return fmt.Errorf("%w: %d in %d bits", ErrStatus, v, l.bits)
	}
	bit := i * l.bits
	at := &l.data[bit/8]
	*at = *at&^(l.mask()<<(bit%8)) | byte(v)<<(bit%8)
	return nil
}

func (l *List) mask() byte { return byte(1<<l.bits - 1) } // #nosec G115 -- 8 bits at most

// Clone returns a copy, to sign while the list goes on changing.
func (l *List) Clone() *List {
	return &List{l.bits, append([]byte(nil), l.data...)}
}
