package mdoc

import (
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"diwan/protocol/cosecode/sign1"
)

// forge builds an issued document around a security object and items that were
// changed, and signs it properly.
func (p *party) forge(t *testing.T, change func(*securityObject, map[string][]encoded)) issuerSigned {
	t.Helper()
	in := p.issuance()
	m, err := newSecurityObject(in)
	if err != nil {
		t.Fatal(err)
	}
	spaces, err := m.addElements(in.Elements, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(m, spaces)
	}
	payload, err := encode(m)
	if err != nil {
		t.Fatal(err)
	}
	auth, err := sign1.Sign(p.issuer, nil, map[any]any{sign1.LabelChain: sign1.ChainValue(in.Chain)}, payload.Raw, false)
	if err != nil {
		t.Fatal(err)
	}
	return issuerSigned{spaces, auth}
}

func reencode(t *testing.T, e encoded, change func(*item)) encoded {
	t.Helper()
	var it item
	if err := decode(e.Inner, &it); err != nil {
		t.Fatal(err)
	}
	change(&it)
	e, err := encode(it)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestForged checks that documents wrong in one thing are refused for that reason.
func TestForged(t *testing.T) {
	p := newParty(t)
	change := func(f func(*item)) func(*securityObject, map[string][]encoded) {
		return func(_ *securityObject, s map[string][]encoded) { s[space][0] = reencode(t, s[space][0], f) }
	}
	zero := uint64(0)
	cases := []struct {
		name   string
		change func(*securityObject, map[string][]encoded)
		want   error
	}{
		{"nothing", nil, nil},
		{"value", change(func(i *item) { i.Value = []byte{0x61, 'x'} }), ErrDigest},
		{"name", change(func(i *item) { i.Identifier = "given_name" }), ErrDigest},
		{"salt", change(func(i *item) { i.Random[0] ^= 1 }), ErrDigest},
		{"salt too short", change(func(i *item) { i.Random = i.Random[1:] }), ErrForm},
		{"no digest number", change(func(i *item) { i.DigestID = nil }), ErrForm},
		{"digest not signed", change(func(i *item) { n := uint64(500); i.DigestID = &n }), ErrDigest},
		{"no value", func(_ *securityObject, s map[string][]encoded) {
			s[space][0], _ = encode(map[string]any{"digestID": 0, "random": make([]byte, saltSize), "elementIdentifier": "family_name"})
		}, ErrForm},
		{"value of rubbish", change(func(i *item) { i.Value = []byte{0xd9, 0x03, 0xec, 0x61, 'x'} }), ErrForm},
		{"element twice", func(_ *securityObject, s map[string][]encoded) {
			s[space][1] = reencode(t, s[space][1], func(i *item) { i.Identifier = "family_name" })
		}, ErrForm},
		{"digest twice", func(_ *securityObject, s map[string][]encoded) {
			for i := range s[space] {
				s[space][i] = reencode(t, s[space][i], func(it *item) { it.DigestID = &zero })
			}
		}, ErrForm},
		{"same item twice", func(_ *securityObject, s map[string][]encoded) { s[space] = append(s[space], s[space][0]) }, ErrForm},
		{"element of another space", func(_ *securityObject, s map[string][]encoded) { s[other] = s[space][:1] }, ErrDigest},
		{"space not signed", func(_ *securityObject, s map[string][]encoded) { s["new"] = s[other]; delete(s, other) }, ErrDigest},
		{"empty space", func(_ *securityObject, s map[string][]encoded) { s[other] = []encoded{} }, ErrForm},
		{"version", func(m *securityObject, _ map[string][]encoded) { m.Version = "2.0" }, ErrUnsupported},
		{"weak digests", func(m *securityObject, _ map[string][]encoded) { m.DigestAlgorithm = "SHA-1" }, ErrUnsupported},
		{"other digests", func(m *securityObject, _ map[string][]encoded) { m.DigestAlgorithm = "SHA-512" }, ErrForm},
		{"another type", func(m *securityObject, _ map[string][]encoded) { m.DocType = "x" }, ErrType},
		{"no type", func(m *securityObject, _ map[string][]encoded) { m.DocType = "" }, ErrForm},
		{"validity upside down", func(m *securityObject, _ map[string][]encoded) { m.ValidityInfo.ValidUntil = m.ValidityInfo.Signed }, ErrForm},
		{"expired", func(m *securityObject, _ map[string][]encoded) {
			m.ValidityInfo.ValidUntil.Time = now.Add(-time.Minute)
		}, ErrExpired},
		{"not yet valid", func(m *securityObject, _ map[string][]encoded) { m.ValidityInfo.ValidFrom.Time = now.Add(time.Minute) }, ErrNotYet},
		{"signed outside the certificate", func(m *securityObject, _ map[string][]encoded) { m.ValidityInfo.Signed.Time = now.AddDate(-3, 0, 0) }, ErrSignature},
		{"status is a list", func(m *securityObject, _ map[string][]encoded) { m.Status = []byte{0x80} }, ErrForm},
		{"status without number", func(m *securityObject, _ map[string][]encoded) {
			m.Status, _ = encoder.Marshal(map[string]any{"status_list": map[string]any{"uri": "https://a.example"}})
		}, ErrForm},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b, err := encoder.Marshal(p.forge(t, c.change))
			if err != nil {
				t.Fatal(err)
			}
			in, err := Parse(b)
			if err == nil {
				_, err = in.Verify(p.want, now)
			}
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if n := matching(err); c.want != nil && n != 1 {
				t.Errorf("%v matches %d reasons", err, n)
			}
		})
	}
	leeway := p.want
	leeway.Leeway = 2 * time.Minute
	for _, c := range cases {
		if c.want != ErrExpired && c.want != ErrNotYet {
			continue
		}
		b, _ := encoder.Marshal(p.forge(t, c.change))
		in, err := Parse(b)
		if err == nil {
			_, err = in.Verify(leeway, now)
		}
		if err != nil {
			t.Errorf("%s within the leeway: %v", c.name, err)
		}
	}
}

func matching(err error) (n int) {
	for _, e := range []error{ErrForm, ErrUnsupported, ErrType, ErrSignature, ErrDigest, ErrHolder, ErrNotYet, ErrExpired, ErrAbsent} {
		if errors.Is(err, e) {
			n++
		}
	}
	return n
}

func TestOtherStatus(t *testing.T) {
	p := newParty(t)
	b, err := encoder.Marshal(p.forge(t, func(m *securityObject, _ map[string][]encoded) {
		m.Status, _ = encoder.Marshal(map[string]any{"identifier_list": map[string]any{"id": []byte{1}}})
	}))
	if err != nil {
		t.Fatal(err)
	}
	in, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if d := in.Unverified(); d.Status != nil || !d.OtherStatus {
		t.Errorf("status %v, other %v", d.Status, d.OtherStatus)
	}
}
