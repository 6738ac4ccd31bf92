package mdoc

import (
	"crypto"
	"crypto/ecdh"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"diwan/protocol/cosecode/sign1"
)

// TestAnswers checks that answers wrong in one thing are refused for that reason.
func TestAnswers(t *testing.T) {
	p := newParty(t)
	good := func() deviceResponse {
		in := p.parsed(t)
		b, err := in.Present([]Name{{space, "family_name"}}, p.device, p.session.Transcript)
		if err != nil {
			t.Fatal(err)
		}
		var v deviceResponse
		if err := decode(b, &v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	sign := func(key crypto.Signer, docType string, spaces encoded, detached bool) cbor.RawMessage {
		payload, err := deviceAuthentication(p.session.Transcript, docType, spaces.Raw)
		if err != nil {
			t.Fatal(err)
		}
		sig, err := sign1.Sign(key, nil, nil, payload, detached)
		if err != nil {
			t.Fatal(err)
		}
		return sig
	}
	one, err := encode(map[string]any{space: map[string]any{"family_name": "Alaoui"}})
	if err != nil {
		t.Fatal(err)
	}
	status := uint64(10)
	cases := []struct {
		name   string
		change func(*deviceResponse)
		want   error
	}{
		{"nothing", func(*deviceResponse) {}, nil},
		{"version", func(v *deviceResponse) { v.Version = "2.0" }, ErrUnsupported},
		{"status", func(v *deviceResponse) { v.Status = &status }, ErrForm},
		{"no status", func(v *deviceResponse) { v.Status = nil }, ErrForm},
		{"no document", func(v *deviceResponse) { v.Documents = nil }, ErrForm},
		{"two documents", func(v *deviceResponse) { v.Documents = append(v.Documents, v.Documents[0]) }, ErrForm},
		{"type outside", func(v *deviceResponse) { v.Documents[0].DocType = "x" }, ErrType},
		{"no device part", func(v *deviceResponse) { v.Documents[0].DeviceSigned = nil }, ErrHolder},
		{"no proof", func(v *deviceResponse) { v.Documents[0].DeviceSigned.DeviceAuth = deviceAuth{} }, ErrForm},
		{"two proofs", func(v *deviceResponse) {
			a := &v.Documents[0].DeviceSigned.DeviceAuth
			a.MAC = a.Signature
		}, ErrForm},
		{"the issuer's own signature as proof", func(v *deviceResponse) {
			v.Documents[0].DeviceSigned.DeviceAuth.Signature = v.Documents[0].IssuerSigned.IssuerAuth
		}, ErrForm},
		{"another device", func(v *deviceResponse) {
			s := v.Documents[0].DeviceSigned
			s.DeviceAuth.Signature = sign(newKey(t, elliptic.P256()), licence, s.NameSpaces, true)
		}, ErrHolder},
		{"signed for another type", func(v *deviceResponse) {
			s := v.Documents[0].DeviceSigned
			s.DeviceAuth.Signature = sign(p.device, "x", s.NameSpaces, true)
		}, ErrHolder},
		{"payload not detached", func(v *deviceResponse) {
			s := v.Documents[0].DeviceSigned
			s.DeviceAuth.Signature = sign(p.device, licence, s.NameSpaces, false)
		}, ErrForm},
		{"elements of the device", func(v *deviceResponse) {
			s := v.Documents[0].DeviceSigned
			s.NameSpaces = one
			s.DeviceAuth.Signature = sign(p.device, licence, one, true)
		}, ErrForm},
		{"another's document", func(v *deviceResponse) {
			q := newParty(t)
			q.issuer, q.cert = p.issuer, p.cert
			v.Documents[0].IssuerSigned = q.forge(t, nil)
		}, ErrHolder},
		{"added element", func(v *deviceResponse) {
			s := p.parsed(t).spaces[space][1]
			v.Documents[0].IssuerSigned.NameSpaces[space] = append(v.Documents[0].IssuerSigned.NameSpaces[space], s.raw)
		}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			v := good()
			c.change(&v)
			b, err := encoder.Marshal(v)
			if err != nil {
				t.Fatal(err)
			}
			r, err := ParseResponse(b)
			if err == nil {
				_, err = r.Verify(p.want, p.session, now)
			}
			if c.name == "added element" {
				// Its digest number is by chance that of the element shown.
				if !errors.Is(err, ErrDigest) && !errors.Is(err, ErrForm) {
					t.Errorf("got %v", err)
				}
				return
			}
			if !errors.Is(err, c.want) || c.want != nil && matching(err) != 1 {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// TestDeviceMAC makes the proof that annex D shows, for a document of our own.
func TestDeviceMAC(t *testing.T) {
	p := newParty(t)
	reader, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	device, _ := p.device.ECDH()
	secret, err := device.ECDH(reader.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	session, _ := wrap(p.session.Transcript)
	salt := sha256.Sum256(session.Raw)
	key, err := hkdf.Key(sha256.New, secret, salt[:], "EMacKey", 32)
	if err != nil {
		t.Fatal(err)
	}
	none, _ := encode(map[string]any{})
	payload, err := deviceAuthentication(p.session.Transcript, licence, none.Raw)
	if err != nil {
		t.Fatal(err)
	}
	made := func(alg int64, payloadInside any) []byte {
		protected, _ := encoder.Marshal(map[int64]int64{1: alg})
		b, _ := encoder.Marshal([]any{"MAC0", protected, []byte{}, payload})
		h := hmac.New(sha256.New, key)
		h.Write(b)
		m, _ := encoder.Marshal([]any{protected, map[int64]any{}, payloadInside, h.Sum(nil)})
		b, err := encoder.Marshal(deviceResponse{Version: version, Status: new(uint64), Documents: []document{{
			DocType: licence, IssuerSigned: p.forge(t, nil), DeviceSigned: &deviceSigned{none, deviceAuth{MAC: m}}}}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	r, err := ParseResponse(made(algorithmHMAC, nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Verify(p.want, Session{p.session.Transcript, reader}, now); err != nil {
		t.Error(err)
	}
	if _, err := r.Verify(p.want, p.session, now); !errors.Is(err, ErrUnsupported) {
		t.Errorf("without a reader key: %v", err)
	}
	stranger, _ := ecdh.P256().GenerateKey(rand.Reader)
	if _, err := r.Verify(p.want, Session{p.session.Transcript, stranger}, now); !errors.Is(err, ErrHolder) {
		t.Errorf("another reader key: %v", err)
	}
	if _, err := ParseResponse(made(4, nil)); !errors.Is(err, ErrUnsupported) {
		t.Errorf("a shorter MAC gives %v", err)
	}
	if _, err := ParseResponse(made(algorithmHMAC, payload)); !errors.Is(err, ErrForm) {
		t.Errorf("a payload inside gives %v", err)
	}
}
