package gateway

import (
	"bytes"
	"testing"
)

func FuzzReadHTTPNote(f *testing.F) {
	n := httpNote{sent: true, id: [16]byte{1}, signature: []byte("sig"), base: []byte("\"diwan-head\": :R0VU:\n\"@signature-params\": ();nonce=\"n\"")}
	f.Add(n.append(nil))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		n, err := readHTTPNote(b)
		if err != nil {
			return
		}
		if !bytes.Equal(n.append(nil), b) {
			t.Error("a record that was read is written otherwise")
		}
		n.nonce()
	})
}

func FuzzReadEvent(f *testing.F) {
	f.Add([]byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t","subject":"x","data":{"a":1}}`))
	f.Add([]byte(`{"specversion":"1.0","id":1}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := readEvent(b)
		if err == nil && (e.ID == "" || e.Source == "" || e.Type == "" || len(e.Subject) > maxEventText) {
			t.Errorf("%q was taken as %+v", b, e)
		}
	})
}

func FuzzParseUUID(f *testing.F) {
	f.Add("7b1f6a0e-3c4d-4e5f-8a9b-0c1d2e3f4a5b")
	f.Add("7B1F6A0E3C4D4E5F8A9B0C1D2E3F4A5B")
	f.Fuzz(func(t *testing.T, s string) {
		if id, ok := parseUUID(s); ok && uuid(id) != s {
			t.Errorf("%q became %s", s, uuid(id))
		}
	})
}
