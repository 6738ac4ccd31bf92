package mdoc

import (
	"encoding/json"
	"errors"
	"testing"
)

func seeds(f *testing.F) (*party, []byte, []byte) {
	p := newParty(f)
	issued := p.issued(f)
	in, err := Parse(issued)
	if err != nil {
		f.Fatal(err)
	}
	answer, err := in.Present([]Name{{space, "birth_date"}, {other, "points"}}, p.device, p.session.Transcript)
	if err != nil {
		f.Fatal(err)
	}
	for _, b := range [][]byte{issued, answer, {}, {0xa0}, {0xbf, 0xff}, []byte("\xa1jissuerAuth\x84\x43\xa1\x01\x26\xa0\xf6\x40")} {
		f.Add(b)
	}
	return p, issued, answer
}

// FuzzParse checks that what is read keeps within one reason, converts to JSON, and
// that nobody forges a document.
func FuzzParse(f *testing.F) {
	p, _, _ := seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := Parse(b)
		if err != nil {
			if matching(err) != 1 {
				t.Errorf("%v matches %d reasons", err, matching(err))
			}
			return
		}
		for _, list := range in.Unverified().Elements {
			for n, v := range list {
				if _, err := json.Marshal(JSON(v)); err != nil {
					t.Errorf("%q: %v", n, err)
				}
			}
		}
		doc, err := in.Verify(p.want, now)
		if err == nil && (doc.DocType != licence || !doc.Chain[0].Equal(p.cert)) {
			t.Error("a document is forged")
		}
	})
}

func FuzzParseResponse(f *testing.F) {
	p, _, answer := seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := ParseResponse(b)
		if err != nil {
			if matching(err) != 1 {
				t.Errorf("%v matches %d reasons", err, matching(err))
			}
			return
		}
		doc, err := r.Verify(p.want, p.session, now)
		if err != nil {
			return
		}
		if len(doc.Elements[space]) > 1 || doc.Elements[space]["family_name"] != nil {
			t.Errorf("%x shows more than %x", b, answer)
		}
		if _, err := r.Verify(p.want, Session{Transcript: []byte{0x80}}, now); !errors.Is(err, ErrHolder) {
			t.Errorf("an answer for another session: %v", err)
		}
	})
}

func FuzzValue(f *testing.F) {
	for _, s := range []string{"\xd9\x03\xec\x6a2026-03-01", "\xa2\x01\x61a\x61b\x82\x20\xf5", "\xc0\x742026-03-01T10:00:00Z", "\xd8\x18\x41\xa0", "\xf9\x7c\x00", "\xc1\x1a\x60\x00\x00\x00"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := decodeValue(b)
		if err != nil {
			if !errors.Is(err, ErrForm) {
				t.Error(err)
			}
			return
		}
		if _, err := json.Marshal(JSON(v)); err != nil {
			t.Errorf("%x: %v", b, err)
		}
	})
}
