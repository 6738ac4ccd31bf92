package link

import (
	"bufio"
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"io"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

func testSigner(t testing.TB, alg Algorithm) *Signer {
	t.Helper()
	var key crypto.Signer = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, 32))
	if alg == ECDSAP256 {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		key = k
	}
	s, err := NewSigner(key, "member")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func testEnvelope(s *Signer, n int) *Envelope {
	f := Fields{Kind: KindRequest, Alg: s.pub.alg, Key: s.pub.id, Created: noon, Valid: time.Second, ID: RequestID{byte(n), byte(n >> 8), 1},
		Head: sha512.Sum512([]byte{byte(n)}), Body: EmptyDigest}
	return f.Make()
}

func TestEnvelopeRoundTrip(t *testing.T) {
	f := Fields{Kind: KindResponse, Alg: ECDSAP256, Flags: 0, Key: KeyID{1, 2}, Created: noon.Add(7 * time.Millisecond), Valid: 30 * time.Second,
		Status: 404, ID: NewRequestID(), Head: sha512.Sum512([]byte("h")), Body: sha512.Sum512([]byte("b")), Bind: [32]byte{9}}
	e := f.Make()
	if err := e.Check(); err != nil {
		t.Fatal(err)
	}
	got := e.Fields()
	if !got.Created.Equal(f.Created) {
		t.Errorf("created %s", got.Created)
	}
	got.Created = f.Created
	if got != f {
		t.Errorf("got %+v", got)
	}
}

func TestEnvelopeCheck(t *testing.T) {
	s := testSigner(t, Ed25519)
	for name, change := range map[string]func(*Envelope){
		"magic":             func(e *Envelope) { e[0] = 'X' },
		"version":           func(e *Envelope) { e[3] = 2 },
		"kind":              func(e *Envelope) { e[offKind] = 9 },
		"algorithm":         func(e *Envelope) { e[offAlg] = 3 },
		"reserved":          func(e *Envelope) { e[offZero] = 1 },
		"flag":              func(e *Envelope) { e[offFlags] = 2 },
		"streamed digest":   func(e *Envelope) { e[offFlags] = FlagStream },
		"no validity":       func(e *Envelope) { copy(e[offValid:], []byte{0, 0, 0, 0}) },
		"long validity":     func(e *Envelope) { copy(e[offValid:], []byte{0, 1, 0, 0}) },
		"time":              func(e *Envelope) { e[offCreated] = 0x80 },
		"status of request": func(e *Envelope) { e[offStatus+3] = 200 },
		"bind of request":   func(e *Envelope) { e[offBind] = 1 },
	} {
		e := testEnvelope(s, 1)
		change(e)
		if err := e.Check(); !errors.Is(err, ErrEnvelope) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTime(t *testing.T) {
	e := testEnvelope(testSigner(t, Ed25519), 1) // valid for a second
	for after, want := range map[time.Duration]error{
		-MaxSkew - time.Millisecond: ErrFuture, -MaxSkew: nil, 0: nil,
		time.Second + MaxSkew: nil, time.Second + MaxSkew + time.Millisecond: ErrExpired,
	} {
		if err := e.CheckTime(noon.Add(after)); !errors.Is(err, want) {
			t.Errorf("%s after: %v, want %v", after, err, want)
		}
	}
}

// batchOf signs n envelopes together and returns them with their fields.
func batchOf(t testing.TB, s *Signer, n int) ([]*Envelope, [][]byte) {
	t.Helper()
	var envs []*Envelope
	for i := range n {
		envs = append(envs, testEnvelope(s, i))
	}
	var b Batch
	if err := b.Sign(s, noon.UnixMilli(), envs); err != nil {
		t.Fatal(err)
	}
	var fields [][]byte
	for i := range n {
		fields = append(fields, b.Append(nil, i))
	}
	return envs, fields
}

func TestBatchesHold(t *testing.T) {
	for _, alg := range []Algorithm{Ed25519, ECDSAP256} {
		s, v := testSigner(t, alg), NewVerifier()
		for n := 1; n <= 33; n++ {
			envs, fields := batchOf(t, s, n)
			for i := range envs {
				if len(fields[i]) > MaxSignature {
					t.Errorf("a field of %d bytes", len(fields[i]))
				}
				if err := v.Verify(envs[i], fields[i], s.pub); err != nil {
					t.Errorf("message %d of %d: %v", i, n, err)
				}
				if j := (i + 1) % n; j != i && v.Verify(envs[i], fields[j], s.pub) == nil {
					t.Errorf("message %d of %d holds with another's proof", i, n)
				}
			}
		}
	}
}

// Every single bit of envelope and signature field matters.
func TestEveryBitMatters(t *testing.T) {
	s := testSigner(t, Ed25519)
	v := NewVerifier()
	flip := func(name string, e *Envelope, field []byte, step, from int) {
		if err := v.Verify(e, field, s.pub); err != nil {
			t.Fatalf("%s does not hold: %v", name, err)
		}
		for bit := from; bit < 8*(EnvelopeSize+len(field)); bit += step {
			e2, f2 := *e, bytes.Clone(field)
			if at := bit / 8; at < EnvelopeSize {
				e2[at] ^= 1 << (bit % 8)
			} else {
				f2[at-EnvelopeSize] ^= 1 << (bit % 8)
			}
			if v.Verify(&e2, f2, s.pub) == nil {
				t.Errorf("%s: bit %d does not matter", name, bit)
			}
		}
	}
	e := testEnvelope(s, 1)
	single, err := AppendSingle(nil, s, e)
	if err != nil {
		t.Fatal(err)
	}
	flip("alone", e, single, 1, 0)
	for n := 1; n <= 33; n++ {
		step := 11 // all of them for a few sizes, a sample for the others
		if n == 1 || n == 7 || n == 33 {
			step = 1
		}
		envs, fields := batchOf(t, s, n)
		i := (5 * n / 7) % n
		flip("in a batch", envs[i], fields[i], step, n%step)
	}
}

func TestMalformedSignatures(t *testing.T) {
	s, v := testSigner(t, Ed25519), NewVerifier()
	envs, fields := batchOf(t, s, 5)
	for name, f := range map[string][]byte{
		"empty": nil, "form 3": append([]byte{3}, make([]byte, 64)...), "short": {1, 2, 3}, "long": make([]byte, MaxSignature+1),
		"longer proof":  append(append(bytes.Clone(fields[0][:13]), 4), append(make([]byte, 32), fields[0][14:]...)...),
		"shorter proof": append(append(bytes.Clone(fields[0][:13]), 2), fields[0][14+32:]...),
		"trailing":      append(bytes.Clone(fields[0]), 0),
	} {
		if err := v.Verify(envs[0], f, s.pub); !errors.Is(err, ErrSignature) {
			t.Errorf("%s: %v", name, err)
		}
	}
	old := testEnvelope(s, 9)
	var b Batch
	if err := b.Sign(s, noon.Add(time.Hour).UnixMilli(), []*Envelope{old}); err != nil {
		t.Fatal(err)
	}
	if err := v.Verify(old, b.Append(nil, 0), s.pub); !errors.Is(err, ErrSignature) {
		t.Errorf("batch of another time: %v", err)
	}
	other := testSigner(t, ECDSAP256)
	if err := v.Verify(envs[0], fields[0], other.pub); !errors.Is(err, ErrSignature) {
		t.Errorf("another key: %v", err)
	}
}

func TestVerifierForgets(t *testing.T) {
	s, v := testSigner(t, Ed25519), NewVerifier()
	v.capacity = 4
	for n := range 30 {
		e := testEnvelope(s, n)
		var b Batch
		if err := b.Sign(s, noon.UnixMilli(), []*Envelope{e}); err != nil {
			t.Fatal(err)
		}
		if err := v.Verify(e, b.Append(nil, 0), s.pub); err != nil {
			t.Fatal(err)
		}
		if len(v.young)+len(v.old) > 8 {
			t.Fatalf("%d roots are kept", len(v.young)+len(v.old))
		}
	}
}

func TestFrames(t *testing.T) {
	s := testSigner(t, Ed25519)
	e := testEnvelope(s, 1)
	frames := []Frame{
		{Type: FrameRequest, More: true, Stream: 1, Envelope: e, Signature: []byte{1, 2}, Head: []byte("head"), Body: []byte("body")},
		{Type: FrameRequest, Stream: 3, Envelope: e, Signature: []byte{1}},
		{Type: FrameError, Stream: 3, Payload: []byte(TypeOverloaded)},
		{Type: FrameCancel, Stream: 4, Payload: []byte{}},
		{Type: FrameWindow, Stream: 4, Payload: []byte{0, 0, 0, 2}},
		{Type: FramePing, Payload: make([]byte, 8)},
		{Type: FrameGoAway, Payload: []byte{}},
	}
	var b []byte
	for i := range frames {
		b = AppendFrame(b, &frames[i])
	}
	r := bufio.NewReader(bytes.NewReader(b))
	for i, want := range frames {
		f, err := ReadFrame(r)
		if err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
		if f.Type != want.Type || f.More != want.More || f.Stream != want.Stream || !bytes.Equal(f.Head, want.Head) ||
			!bytes.Equal(f.Body, want.Body) || !bytes.Equal(f.Signature, want.Signature) || !bytes.Equal(f.Payload, want.Payload) {
			t.Errorf("frame %d: %+v", i, f)
		}
	}
	if _, err := ReadFrame(r); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
	if _, err := ReadFrame(bufio.NewReader(bytes.NewReader(b[:100]))); err != io.ErrUnexpectedEOF {
		t.Errorf("truncated: %v", err)
	}
	for name, bad := range map[string][]byte{
		"nothing": {}, "unknown type": {17, 0, 0, 0, 0}, "more on a control frame": {0x80 | FramePing, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8},
		"error text": append([]byte{FrameError, 0, 0, 0, 1}, "Not <b>here</b>"...), "window of 9": {FrameWindow, 0, 0, 0, 1, 0, 0, 0, 9},
		"cancel of nothing": {FrameCancel, 0, 0, 0, 0}, "request without envelope": {FrameRequest, 0, 0, 0, 1, 1},
	} {
		if _, err := ParseFrame(bad); !errors.Is(err, ErrProtocol) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := ReadFrame(bufio.NewReader(bytes.NewReader([]byte{0xff, 0xff, 0xff, 0xff, 1}))); !errors.Is(err, ErrProtocol) {
		t.Errorf("a frame of 4 GiB: %v", err)
	}
}

func TestReplayWindow(t *testing.T) {
	s := testSigner(t, Ed25519)
	w := NewReplayWindow(noon, 3, nil)
	at := func(n int, created time.Time) *Envelope {
		f := testEnvelope(s, n).Fields()
		f.Created, f.Valid = created, 10*time.Second
		return f.Make()
	}
	if err := w.Admit(at(1, noon.Add(MaxSkew-time.Second)), noon); !errors.Is(err, ErrReplayed) {
		t.Errorf("created when an earlier process may have accepted it: %v", err)
	}
	w.Restored()
	now := noon.Add(time.Minute)
	for _, c := range []struct {
		name string
		e    *Envelope
		want error
	}{
		{"new", at(1, now), nil}, {"again", at(1, now), ErrReplayed}, {"another", at(2, now), nil},
		{"future", at(3, now.Add(MaxSkew+time.Second)), ErrFuture}, {"expired", at(3, now.Add(-time.Minute)), ErrExpired},
		{"third", at(3, now), nil}, {"full", at(4, now), ErrOverloaded},
	} {
		if err := w.Admit(c.e, now); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	// As long as a message can be believed, it is remembered.
	for late := now; late.Before(now.Add(10*time.Second + MaxSkew)); late = late.Add(7 * time.Second) {
		if err := w.Admit(at(2, now), late); !errors.Is(err, ErrReplayed) {
			t.Errorf("%s later: %v", late.Sub(now), err)
		}
	}
	later := now.Add(2 * memory)
	if err := w.Admit(at(4, later), later); err != nil {
		t.Errorf("after the window: %v", err)
	}
	if k := w.keys[s.pub.id]; k.n != 1 {
		t.Errorf("%d identifiers are kept", k.n)
	}

	asked := 0
	w = NewReplayWindow(now, 0, func(_ KeyID, id RequestID) (bool, error) { asked++; return id[0] == 1, nil })
	if err := w.Admit(at(1, now), now); !errors.Is(err, ErrReplayed) {
		t.Errorf("the log has it: %v", err)
	}
	if err := w.Admit(at(2, now), now); err != nil {
		t.Errorf("the log has it not: %v", err)
	}
	later = now.Add(time.Minute)
	if err := w.Admit(at(3, later), later); err != nil || asked != 2 {
		t.Errorf("long after the start: %v, the log was asked %d times", err, asked)
	}
}

func FuzzEnvelope(f *testing.F) {
	f.Add(testEnvelope(testSigner(f, Ed25519), 1)[:])
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < EnvelopeSize {
			return
		}
		e := Envelope(b[:EnvelopeSize])
		if e.Check() != nil {
			return
		}
		fields := e.Fields()
		if *fields.Make() != e {
			t.Errorf("%x is not what its fields make", e)
		}
		_ = e.CheckTime(noon)
	})
}

func FuzzSignature(f *testing.F) {
	s := testSigner(f, Ed25519)
	envs, fields := batchOf(f, s, 3)
	for _, b := range fields {
		f.Add(b)
	}
	single, _ := AppendSingle(nil, s, envs[0])
	f.Add(single)
	v := NewVerifier()
	f.Fuzz(func(t *testing.T, b []byte) {
		if v.Verify(envs[0], b, s.pub) == nil && !bytes.Equal(b, fields[0]) && !bytes.Equal(b, single) {
			t.Errorf("%x holds", b)
		}
	})
}

func FuzzFrame(f *testing.F) {
	e := testEnvelope(testSigner(f, Ed25519), 1)
	f.Add(AppendFrame(nil, &Frame{Type: FrameRequest, Stream: 1, Envelope: e, Signature: []byte{1}, Head: []byte("h"), Body: []byte("b")})[4:])
	f.Add(AppendFrame(nil, &Frame{Type: FrameError, Stream: 1, Payload: []byte("io_error")})[4:])
	f.Add(AppendFrame(nil, &Frame{Type: FrameWindow, Stream: 1, Payload: []byte{0, 0, 0, 1}})[4:])
	f.Fuzz(func(t *testing.T, b []byte) {
		fr, err := ParseFrame(b)
		if err != nil {
			return
		}
		if again := AppendFrame(nil, &fr)[4:]; !bytes.Equal(again, b) {
			t.Errorf("%x is written as %x", b, again)
		}
	})
}

func FuzzDER(f *testing.F) {
	f.Add([]byte{0x30, 6, 2, 1, 1, 2, 1, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		raw, err := appendRawFromDER(nil, b)
		if err == nil && len(raw) != rawSignature {
			t.Errorf("%d bytes", len(raw))
		}
	})
}
