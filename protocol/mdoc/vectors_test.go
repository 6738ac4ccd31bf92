package mdoc

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"diwan/internal/beside"
	"diwan/protocol/cosecode/sign1"
	"diwan/protocol/jws"
)

// vectors reads a file of published examples beside the checkout, or skips the test.
func vectors(t testing.TB, name string, v any) {
	t.Helper()
	dir, err := beside.Find("vectors")
	if err != nil {
		t.Skip("the published examples are absent: ", err)
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err == nil {
		err = json.Unmarshal(b, v)
	}
	if err != nil {
		t.Fatal(err)
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

type publishedCase struct {
	Name, Format string
	CBOR         string    `json:"cbor_base64url"`
	Trusted      []string  `json:"trusted_certificates_pem"`
	Time         time.Time `json:"verification_time"`
	DocType      string    `json:"doc_type"`
	Request      struct {
		ClientID    string `json:"client_id"`
		Nonce       string
		ResponseURI string `json:"response_uri"`
		Thumbprint  string `json:"jwk_thumbprint_hex"`
	}
	Computed struct {
		Elements   map[string]map[string]any
		Transcript string `json:"session_transcript_hex"`
		Auth       string `json:"device_authentication_bytes_hex"`
		MSO        struct {
			ValidityInfo map[string]time.Time
			DigestCounts map[string]int `json:"digest_counts"`
		}
	}
}

func published(t testing.TB) []publishedCase {
	var file struct{ Cases []publishedCase }
	vectors(t, "mdoc/device-responses.json", &file)
	return file.Cases
}

func (c publishedCase) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(c.CBOR)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

var errStranger = errors.New("the issuer is a stranger")

// trusting accepts a chain whose first certificate is one of those in text or is
// signed by one of them.
func trusting(t testing.TB, text []string, at time.Time) func([]*x509.Certificate, string) error {
	var anchors []*x509.Certificate
	for _, s := range text {
		block, _ := pem.Decode([]byte(s))
		if block == nil {
			t.Fatal("no PEM")
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		anchors = append(anchors, c)
	}
	return func(chain []*x509.Certificate, _ string) error {
		leaf := chain[0]
		for _, a := range anchors {
			signed := a.CheckSignature(leaf.SignatureAlgorithm, leaf.RawTBSCertificate, leaf.Signature) == nil
			if (a.Equal(leaf) || signed) && !at.Before(leaf.NotBefore) && !at.After(leaf.NotAfter) {
				return nil
			}
		}
		return errStranger
	}
}

// sameAs compares an element with what the file of examples says of it.
func sameAs(want, got any) bool {
	if m, ok := want.(map[string]any); ok {
		if sum, ok := m["sha256"]; ok {
			b, _ := got.([]byte)
			s := sha256.Sum256(b)
			return hex.EncodeToString(s[:]) == sum
		}
		if m["tag"] != nil {
			return got == Date(m["value"].(string))
		}
		g, ok := got.(map[string]any)
		for n := range m {
			ok = ok && sameAs(m[n], g[n])
		}
		return ok && len(g) == len(m)
	}
	if l, ok := want.([]any); ok {
		g, ok := got.([]any)
		ok = ok && len(g) == len(l)
		for i := range l {
			ok = ok && sameAs(l[i], g[i])
		}
		return ok
	}
	return reflect.DeepEqual(want, got)
}

func compareElements(t *testing.T, want, got map[string]map[string]any) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("name spaces %v, want %v", got, want)
	}
	for ns := range want {
		if len(want[ns]) != len(got[ns]) {
			t.Errorf("%s: %d elements, want %d", ns, len(got[ns]), len(want[ns]))
		}
		for n := range want[ns] {
			if !sameAs(want[ns][n], got[ns][n]) {
				t.Errorf("%s is %v, want %v", n, got[ns][n], want[ns][n])
			}
		}
	}
}

// TestPublished verifies the answers of wallets and issuers that others wrote, and
// each once more with one thing wrong.
func TestPublished(t *testing.T) {
	for _, c := range published(t) {
		t.Run(c.Name, func(t *testing.T) {
			want := Want{DocType: c.DocType, Trust: trusting(t, c.Trusted, c.Time)}
			session := Session{Transcript: unhex(t, c.Computed.Transcript)}
			verify := func(w Want, s Session, now time.Time) (*Document, error) {
				if c.Format == "IssuerSigned" {
					in, err := Parse(c.bytes(t))
					if err != nil {
						t.Fatal(err)
					}
					return in.Verify(w, now)
				}
				r, err := ParseResponse(c.bytes(t))
				if err != nil {
					t.Fatal(err)
				}
				if c.DocType != r.DocType() {
					t.Errorf("the type is %q", r.DocType())
				}
				return r.Verify(w, s, now)
			}
			doc, err := verify(want, session, c.Time)
			if err != nil {
				t.Fatal(err)
			}
			compareElements(t, c.Computed.Elements, doc.Elements)
			v := c.Computed.MSO.ValidityInfo
			if !doc.Signed.Equal(v["signed"]) || !doc.ValidFrom.Equal(v["validFrom"]) || !doc.ValidUntil.Equal(v["validUntil"]) || !doc.ExpectedUpdate.Equal(v["expectedUpdate"]) {
				t.Errorf("validity %v", doc)
			}
			if doc.Status != nil || doc.OtherStatus {
				t.Error("a status")
			}
			if _, err := verify(Want{DocType: "x", Trust: want.Trust}, session, c.Time); !errors.Is(err, ErrType) {
				t.Errorf("another type gives %v", err)
			}
			if _, err := verify(Want{}, session, c.Time); err == nil {
				t.Error("nobody decided on trust")
			}
			if _, err := verify(Want{Trust: trusting(t, nil, c.Time)}, session, c.Time); !errors.Is(err, errStranger) {
				t.Errorf("a stranger gives %v", err)
			}
			if d, err := verify(want, session, doc.ValidUntil.Add(time.Second)); !errors.Is(err, ErrExpired) || d == nil {
				t.Errorf("after its time: %v", err)
			}
			if d, err := verify(want, session, doc.ValidFrom.Add(-time.Second)); !errors.Is(err, ErrNotYet) || d == nil {
				t.Errorf("before its time: %v", err)
			}
			if c.Format == "IssuerSigned" {
				return
			}
			other, _ := Transcript("a", "b", nil, "c")
			if _, err := verify(want, Session{Transcript: other}, c.Time); !errors.Is(err, ErrHolder) {
				t.Errorf("another session gives %v", err)
			}
		})
	}
}

// TestPublishedDeviceAuthentication rebuilds what the devices signed.
func TestPublishedDeviceAuthentication(t *testing.T) {
	for _, c := range published(t) {
		if c.Format == "IssuerSigned" {
			continue
		}
		got, err := deviceAuthentication(unhex(t, c.Computed.Transcript), c.DocType, []byte{0xd8, 0x18, 0x41, 0xa0})
		if err != nil || !bytes.Equal(got, unhex(t, c.Computed.Auth)) {
			t.Errorf("%s: %x, %v", c.Name, got, err)
		}
		if c.Name == "paradym-eudi-pid" {
			got, err := Transcript(c.Request.ClientID, c.Request.Nonce, unhex(t, c.Request.Thumbprint), c.Request.ResponseURI)
			if err != nil || hex.EncodeToString(got) != c.Computed.Transcript {
				t.Errorf("transcript %x, %v", got, err)
			}
		}
	}
}

// TestPublishedTranscripts is OpenID4VP 1.0 appendix B.2.6.
func TestPublishedTranscripts(t *testing.T) {
	var file struct {
		Thumbprint struct {
			JWK map[string]any
			Sum string `json:"sha256_hex"`
		} `json:"jwk_thumbprint"`
		Redirect struct {
			ClientID    string `json:"client_id"`
			Nonce       string
			ResponseURI string `json:"response_uri"`
			Transcript  string `json:"session_transcript_hex"`
		} `json:"mdoc_redirect"`
		DCAPI struct {
			Origin, Nonce string
			Transcript    string `json:"session_transcript_hex"`
		} `json:"mdoc_dc_api"`
	}
	vectors(t, "oid4vp/inline-vectors.json", &file)
	key, err := jws.PublicKey(file.Thumbprint.JWK)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil || hex.EncodeToString(sum) != file.Thumbprint.Sum {
		t.Fatalf("thumbprint %x, %v", sum, err)
	}
	r := file.Redirect
	if got, err := Transcript(r.ClientID, r.Nonce, sum, r.ResponseURI); err != nil || hex.EncodeToString(got) != r.Transcript {
		t.Errorf("redirect: %x, %v", got, err)
	}
	d := file.DCAPI
	if got, err := TranscriptDCAPI(d.Origin, d.Nonce, sum); err != nil || hex.EncodeToString(got) != d.Transcript {
		t.Errorf("API: %x, %v", got, err)
	}
}

// readerKey is the ephemeral reader key of ISO/IEC 18013-5 annex D.
const readerKey = "de3b4b9e5f72dd9b58406ae3091434da48a6f9fd010d88fcb0958e2cebec947c"

type annexD struct {
	Response struct {
		Hex      string
		Expected struct {
			Elements map[string]map[string]any
		}
	} `json:"device_response"`
	Transcript struct{ Hex string } `json:"session_transcript_bytes"`
	Auth       struct{ Hex string } `json:"device_authentication_bytes"`
	MAC        struct {
		Key string `json:"e_mac_key_hex"`
	} `json:"device_mac"`
	Parts map[string]string
}

// TestAnnexD verifies the answer of annex D, whose device proves itself by a MAC.
func TestAnnexD(t *testing.T) {
	var d annexD
	vectors(t, "mdoc/iso18013-5-annex-d.json", &d)
	var transcript encoded
	if err := decode(unhex(t, d.Transcript.Hex), &transcript); err != nil {
		t.Fatal(err)
	}
	r, err := ParseResponse(unhex(t, d.Response.Hex))
	if err != nil {
		t.Fatal(err)
	}
	payload, err := deviceAuthentication(transcript.Inner, r.DocType(), r.spaces.Raw)
	if err != nil || hex.EncodeToString(payload) != d.Auth.Hex {
		t.Errorf("device authentication %x, %v", payload, err)
	}
	if !r.mac.holds(unhex(t, d.MAC.Key), payload) {
		t.Error("the MAC does not hold")
	}
	reader, err := ecdh.P256().NewPrivateKey(unhex(t, readerKey))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
	want := Want{Trust: func([]*x509.Certificate, string) error { return nil }}
	doc, err := r.Verify(want, Session{transcript.Inner, reader}, now)
	if err != nil {
		t.Fatal(err)
	}
	compareElements(t, d.Response.Expected.Elements, doc.Elements)
	if _, err := r.Verify(want, Session{Transcript: transcript.Inner}, now); !errors.Is(err, ErrUnsupported) {
		t.Errorf("without a reader key: %v", err)
	}
	other, _ := Transcript("a", "b", nil, "c")
	if _, err := r.Verify(want, Session{other, reader}, now); !errors.Is(err, ErrHolder) {
		t.Errorf("another session gives %v", err)
	}
	if _, err := r.Verify(want, Session{transcript.Inner, reader}, now.AddDate(5, 0, 0)); !errors.Is(err, ErrExpired) {
		t.Errorf("today it gives %v", err)
	}
}

// TestAnnexDParts decodes every part; those that this package writes are written
// again to the same bytes.
func TestAnnexDParts(t *testing.T) {
	var d annexD
	vectors(t, "mdoc/iso18013-5-annex-d.json", &d)
	parts := map[string][]byte{}
	for n, h := range d.Parts {
		parts[n] = unhex(t, h)
		var v any
		if err := decode(parts[n], &v); err != nil {
			t.Errorf("%s: %v", n, err)
		}
	}
	m, err := parseSecurityObject(parts["mobile-security-object"])
	if err != nil {
		t.Fatal(err)
	}
	signed := time.Date(2020, 10, 1, 13, 30, 2, 0, time.UTC)
	if v := m.ValidityInfo; !v.Signed.Equal(signed) || !v.ValidFrom.Equal(signed) || !v.ValidUntil.Equal(signed.AddDate(1, 0, 0)) {
		t.Errorf("validity %v", v)
	}
	// Annex D writes members in the order of the standard's text, this package in the
	// order of RFC 8949 §4.2: the same length and the same values.
	for n, v := range map[string]any{"value-digests": m.ValueDigests, "validity-info": m.ValidityInfo} {
		b, err := encoder.Marshal(v)
		var got, want any
		if err == nil {
			err = errors.Join(cbor.Unmarshal(b, &got), cbor.Unmarshal(parts[n], &want))
		}
		if err != nil || len(b) != len(parts[n]) || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %x, %v", n, b, err)
		}
	}
	msg, err := sign1.Parse(parts["issuer-auth"])
	if err != nil {
		t.Fatal(err)
	}
	chain, err := msg.Chain()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := msg.Verify(chain[0].PublicKey, nil); err != nil {
		t.Error(err)
	}
	if mac, err := parseMAC(parts["device-mac"]); err != nil || len(mac.tag) != sha256.Size {
		t.Error(err)
	}
	var key coseKey
	if err := decode(parts["e-device-key"], &key); err != nil {
		t.Fatal(err)
	}
	if b, err := encoder.Marshal(key); err != nil || !bytes.Equal(b, parts["e-device-key"]) {
		t.Errorf("device key %x, %v", b, err)
	}
}
