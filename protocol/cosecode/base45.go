package cosecode

import (
	"fmt"
	"strings"
)

const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

const base = len(alphabet)

// digits gives the value of each character, 255 for one outside the alphabet.
var digits = func() (t [256]byte) {
	for i := range t {
		t[i] = 255
	}
	for i := range len(alphabet) {
		t[alphabet[i]] = byte(i)
	}
	return t
}()

// EncodeBase45 writes bytes in Base45 (RFC 9285 §4): two in three characters, a last
// one in two.
func EncodeBase45(b []byte) string {
	var s strings.Builder
	s.Grow((len(b)*3 + 1) / 2)
	for ; len(b) >= 2; b = b[2:] {
		n := int(b[0])<<8 | int(b[1])
		s.WriteByte(alphabet[n%base])
		s.WriteByte(alphabet[n/base%base])
		s.WriteByte(alphabet[n/base/base])
	}
	if len(b) == 1 {
		s.WriteByte(alphabet[int(b[0])%base])
		s.WriteByte(alphabet[int(b[0])/base])
	}
	return s.String()
}

// DecodeBase45 reads Base45. Characters outside the alphabet, lengths that no bytes
// have and groups beyond what their bytes hold are [ErrForm] (RFC 9285 §6).
func DecodeBase45(s string) ([]byte, error) {
	if len(s)%3 == 1 {
		return nil, fmt.Errorf("%w: %d characters of Base45", ErrForm, len(s))
	}
	out := make([]byte, 0, len(s)/3*2+1)
	for ; len(s) > 0; s = s[min(3, len(s)):] {
		n, scale := 0, 1
		for i := range min(3, len(s)) {
			d := digits[s[i]]
			if d == 255 {
				return nil, fmt.Errorf("%w: a character outside Base45", ErrForm)
			}
			n += int(d) * scale
			scale *= base
		}
		switch {
		case len(s) == 2 && n < 1<<8:
			out = append(out, byte(n))
		case len(s) > 2 && n < 1<<16:
			out = append(out, byte(n>>8), byte(n))
		default:
			return nil, fmt.Errorf("%w: a group beyond its bytes", ErrForm)
		}
	}
	return out, nil
}
