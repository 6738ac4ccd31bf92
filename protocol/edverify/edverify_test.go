package edverify

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"testing"

	"filippo.io/edwards25519"
)

func key(t testing.TB, public ed25519.PublicKey) *Key {
	t.Helper()
	k, err := New(public)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// same checks that both implementations say the same.
func same(t testing.TB, public ed25519.PublicKey, message, sig []byte) bool {
	t.Helper()
	want := ed25519.Verify(public, message, sig)
	k, err := New(public)
	if err != nil {
		if want {
			t.Errorf("the key %x: %v, and crypto/ed25519 accepts a signature of it", public, err)
		}
		return false
	}
	if got := k.Verify(message, sig); got != want {
		t.Errorf("key %x, message %x, signature %x: %v, and crypto/ed25519 says %v", public, message, sig, got, want)
	}
	return want
}

// The first three examples of RFC 8032, section 7.1.
func TestPublishedVectors(t *testing.T) {
	for _, v := range [][3]string{
		{"d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
			"e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"},
		{"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
			"92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"},
		{"fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
			"6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"},
	} {
		public, message, sig := unhex(t, v[0]), unhex(t, v[1]), unhex(t, v[2])
		k := key(t, public)
		if !k.Verify(message, sig) {
			t.Errorf("the signature of %q is refused", v[1])
		}
		for i := range len(sig) * 8 {
			bad := bytes.Clone(sig)
			bad[i/8] ^= 1 << (i % 8)
			if k.Verify(message, bad) {
				t.Errorf("the signature of %q with bit %d changed is accepted", v[1], i)
			}
		}
		if k.Verify(append(message, 0), sig) || k.Verify(message, sig[:63]) || k.Verify(message, append(sig, 0)) {
			t.Errorf("another message or length is accepted")
		}
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestManyKeysAndMessages(t *testing.T) {
	for i := range 30 {
		public, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		k := key(t, public)
		for n := range 30 {
			message := make([]byte, n*7+i)
			rand.Read(message)
			sig := ed25519.Sign(private, message)
			if !k.Verify(message, sig) {
				t.Fatalf("key %x, message %x: refused", public, message)
			}
			sig[(n*3+i)%64] ^= 1 << (n % 8)
			if k.Verify(message, sig) {
				t.Fatalf("key %x, message %x: a changed signature is accepted", public, message)
			}
		}
	}
}

// Points of small order, points that are written in two ways, and scalars beyond the
// order: there implementations differ from each other, and this one may not differ from
// the standard library's.
func TestEdgesAreThoseOfTheStandardLibrary(t *testing.T) {
	points := [][]byte{}
	for _, s := range []string{
		"0100000000000000000000000000000000000000000000000000000000000000", // the neutral one
		"0100000000000000000000000000000000000000000000000000000000000080", // with a sign that it has not
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // of order 2
		"0000000000000000000000000000000000000000000000000000000000000000", // of order 4
		"0000000000000000000000000000000000000000000000000000000000000080",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", // of order 8
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // 1, not reduced
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", // 0, not reduced
		"0200000000000000000000000000000000000000000000000000000000000000", // no point
	} {
		points = append(points, unhex(t, s))
	}
	scalars := [][]byte{make([]byte, 32), append([]byte{1}, make([]byte, 31)...),
		unhex(t, "ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"), // the order, less one
		unhex(t, "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010"), // the order
		bytes.Repeat([]byte{0xff}, 32)}
	accepted := 0
	for _, a := range points {
		for _, r := range points {
			for _, s := range scalars {
				for n := range 16 {
					if same(t, a, []byte{byte(n)}, append(bytes.Clone(r), s...)) {
						accepted++
					}
				}
			}
		}
	}
	if accepted == 0 {
		t.Error("none of the edges is accepted by either: the table misses the ones that matter")
	}
}

// A key with a part of small order signs what only the rule without the cofactor refuses
// or accepts: the same must happen here.
func TestMixedOrder(t *testing.T) {
	small, err := new(edwards25519.Point).SetBytes(unhex(t, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"))
	if err != nil {
		t.Fatal(err)
	}
	var seed [64]byte
	accepted := 0
	for n := range 200 {
		rand.Read(seed[:])
		a, _ := new(edwards25519.Scalar).SetUniformBytes(seed[:])
		public := new(edwards25519.Point).ScalarBaseMult(a)
		public.Add(public, small)
		// With S = 0 and R = -k·A for a guessed k, one message in eight meets the rule for
		// the part of small order; the rest is there to differ.
		rand.Read(seed[:])
		s, _ := new(edwards25519.Scalar).SetUniformBytes(seed[:])
		r := new(edwards25519.Point).ScalarBaseMult(s)
		if n%2 == 0 {
			r.Add(r, small)
		}
		if same(t, public.Bytes(), []byte{byte(n)}, append(r.Bytes(), s.Bytes()...)) {
			accepted++
		}
	}
	if accepted != 0 {
		t.Errorf("%d of 200 forged signatures are accepted by both", accepted)
	}
}

func TestDigitsAddUp(t *testing.T) {
	var seed [64]byte
	for _, width := range []int{keyWidth, baseWidth} {
		table := newTable(edwards25519.NewGeneratorPoint(), width)
		for range 50 {
			rand.Read(seed[:])
			s, _ := new(edwards25519.Scalar).SetUniformBytes(seed[:])
			sum := identity()
			table.addTo(&sum, s.Bytes(), false)
			if want := new(edwards25519.Point).ScalarBaseMult(s).Bytes(); !bytes.Equal(sum.encode(), want) {
				t.Fatalf("width %d, scalar %x: %x, want %x", width, s.Bytes(), sum.encode(), want)
			}
			table.addTo(&sum, s.Bytes(), true)
			if none := identity(); !bytes.Equal(sum.encode(), none.encode()) {
				t.Fatalf("width %d, scalar %x: taken away again, %x is left", width, s.Bytes(), sum.encode())
			}
		}
	}
}

// FuzzSame compares with the standard library on any bytes.
func FuzzSame(f *testing.F) {
	public, private, err := ed25519.GenerateKey(bytes.NewReader(make([]byte, 32)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(public), []byte("a message"), ed25519.Sign(private, []byte("a message")))
	f.Add([]byte(public), []byte("another"), ed25519.Sign(private, []byte("a message")))
	f.Add(append([]byte{1}, make([]byte, 31)...), []byte{}, append(append([]byte{1}, make([]byte, 31)...), make([]byte, 32)...))
	f.Fuzz(func(t *testing.T, public, message, sig []byte) {
		if len(public) != ed25519.PublicKeySize {
			if _, err := New(public); err == nil {
				t.Error("a key of a wrong length")
			}
			return
		}
		same(t, public, message, sig)
	})
}

func BenchmarkVerify(b *testing.B) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	message := make([]byte, 208)
	sig := ed25519.Sign(private, message)
	k := key(b, public)
	b.Run("table", func(b *testing.B) {
		for b.Loop() {
			k.Verify(message, sig)
		}
	})
	b.Run("standard", func(b *testing.B) {
		for b.Loop() {
			ed25519.Verify(public, message, sig)
		}
	})
	b.Run("making", func(b *testing.B) {
		for b.Loop() {
			New(public)
		}
	})
}
