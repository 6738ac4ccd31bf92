package mdoc

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"
)

const (
	licence = "org.iso.18013.5.1.mDL"
	space   = "org.iso.18013.5.1"
	other   = "example.1"
)

var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newKey(t testing.TB, c elliptic.Curve) *ecdsa.PrivateKey {
	k, err := ecdsa.GenerateKey(c, rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func certificate(t testing.TB, key crypto.Signer) *x509.Certificate {
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(2, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return c
}

// party is an issuer, a device and a session between the device and a verifier.
type party struct {
	issuer, device *ecdsa.PrivateKey
	cert           *x509.Certificate
	session        Session
	want           Want
}

func newParty(t testing.TB) *party {
	p := &party{issuer: newKey(t, elliptic.P256()), device: newKey(t, elliptic.P256())}
	p.cert = certificate(t, p.issuer)
	var err error
	if p.session.Transcript, err = Transcript("x509_hash:abc", "nonce", make([]byte, 32), "https://verifier.example/r"); err != nil {
		t.Fatal(err)
	}
	p.want = Want{DocType: licence, Trust: func(chain []*x509.Certificate, docType string) error {
		if !chain[0].Equal(p.cert) || docType != licence {
			return errStranger
		}
		return nil
	}}
	return p
}

func (p *party) issuance() Issuance {
	return Issuance{DocType: licence, DeviceKey: &p.device.PublicKey, Chain: []*x509.Certificate{p.cert},
		Signed: now.Add(-time.Hour), ValidUntil: now.AddDate(1, 0, 0), Status: &Status{77, "https://issuer.example/status/1"},
		Elements: []Element{
			{space, "family_name", "Benali"},
			{space, "birth_date", Date("1990-02-28")},
			{space, "issue_date", now},
			{space, "portrait", []byte{1, 2, 3}},
			{space, "age_over_18", true},
			{space, "driving_privileges", []any{map[string]any{"vehicle_category_code": "B", "issue_date": Date("2010-01-01"), "codes": nil}}},
			{other, "points", 30},
			{other, "height", 1.75},
		}}
}

func (p *party) issued(t testing.TB) []byte {
	b, err := Issue(p.issuer, p.issuance())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (p *party) parsed(t testing.TB) *Issued {
	in, err := Parse(p.issued(t))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

func TestIssueAndPresent(t *testing.T) {
	p := newParty(t)
	in := p.parsed(t)
	doc, err := in.Verify(p.want, now)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]map[string]any{
		space: {"family_name": "Benali", "birth_date": Date("1990-02-28"), "issue_date": now, "portrait": []byte{1, 2, 3}, "age_over_18": true,
			"driving_privileges": []any{map[string]any{"vehicle_category_code": "B", "issue_date": Date("2010-01-01"), "codes": nil}}},
		other: {"points": int64(30), "height": 1.75},
	}
	if !reflect.DeepEqual(doc.Elements, want) {
		t.Errorf("elements %v", doc.Elements)
	}
	if doc.Status == nil || *doc.Status != (Status{77, "https://issuer.example/status/1"}) || !doc.ValidFrom.Equal(doc.Signed) || !doc.DeviceKey.Equal(p.device.Public()) {
		t.Errorf("document %+v", doc)
	}
	shown := []Name{{space, "age_over_18"}, {space, "birth_date"}}
	b, err := in.Present(shown, p.device, p.session.Transcript)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(b, []byte("Benali")) {
		t.Error("what was not chosen is shown")
	}
	r, err := ParseResponse(b)
	if err != nil {
		t.Fatal(err)
	}
	if doc, err = r.Verify(p.want, p.session, now); err != nil {
		t.Fatal(err)
	}
	if want := map[string]map[string]any{space: {"age_over_18": true, "birth_date": Date("1990-02-28")}}; !reflect.DeepEqual(doc.Elements, want) {
		t.Errorf("shown %v", doc.Elements)
	}
	if b, err = in.Present(nil, p.device, p.session.Transcript); err != nil {
		t.Fatal(err)
	}
	if r, err = ParseResponse(b); err == nil {
		doc, err = r.Verify(p.want, p.session, now)
	}
	if err != nil || len(doc.Elements) != 0 {
		t.Errorf("showing nothing: %v, %v", doc, err)
	}
}

// TestUnlinkable issues the same twice: nothing that a verifier sees of one element is
// the same.
func TestUnlinkable(t *testing.T) {
	p := newParty(t)
	seen := map[string]bool{}
	orders := map[uint64]bool{}
	for range 40 {
		in := p.parsed(t)
		for _, list := range in.spaces {
			for _, e := range list {
				var it item
				if err := decode(e.raw.Inner, &it); err != nil {
					t.Fatal(err)
				}
				if seen[string(it.Random)] || seen[string(e.digest)] {
					t.Fatal("a salt or a digest comes twice")
				}
				seen[string(it.Random)], seen[string(e.digest)] = true, true
				if e.name == "family_name" {
					orders[e.id] = true
				}
			}
		}
	}
	if len(orders) < 3 {
		t.Errorf("the first element has the digests %v in 40 documents", orders)
	}
}

func TestPresentRefuses(t *testing.T) {
	p := newParty(t)
	in := p.parsed(t)
	if _, err := in.Present([]Name{{space, "family_name"}, {space, "sex"}}, p.device, p.session.Transcript); !errors.Is(err, ErrAbsent) {
		t.Errorf("an absent element gives %v", err)
	}
	if _, err := in.Present(nil, newKey(t, elliptic.P256()), p.session.Transcript); err == nil {
		t.Error("another key presents")
	}
	for _, s := range []string{"", "\x83", "\xa0", "\x80\x80"} {
		if _, err := in.Present(nil, p.device, []byte(s)); err == nil {
			t.Errorf("the transcript %x is taken", s)
		}
	}
}

func TestTranscriptRefuses(t *testing.T) {
	sum := make([]byte, 32)
	if _, err := Transcript("a", "b", sum[:31], "c"); err == nil {
		t.Error("a short thumbprint")
	}
	if _, err := Transcript("a", "", sum, "c"); err == nil {
		t.Error("no nonce")
	}
	if _, err := TranscriptDCAPI("\xff", "n", nil); err == nil {
		t.Error("an origin that is not UTF-8")
	}
	a, _ := Transcript("a", "b", nil, "c")
	b, _ := Transcript("a", "b", sum, "c")
	if bytes.Equal(a, b) {
		t.Error("the thumbprint is not bound")
	}
}

func TestIssueRefuses(t *testing.T) {
	p := newParty(t)
	cases := map[string]func(*Issuance){
		"no type":            func(in *Issuance) { in.DocType = "" },
		"no device key":      func(in *Issuance) { in.DeviceKey = nil },
		"another curve":      func(in *Issuance) { in.DeviceKey = &newKey(t, elliptic.P384()).PublicKey },
		"no elements":        func(in *Issuance) { in.Elements = nil },
		"too many elements":  func(in *Issuance) { in.Elements = make([]Element, maxItems+1) },
		"twice":              func(in *Issuance) { in.Elements = append(in.Elements, in.Elements[0]) },
		"no name":            func(in *Issuance) { in.Elements[0].Identifier = "" },
		"not a date":         func(in *Issuance) { in.Elements[0].Value = Date("2026-02-30") },
		"not UTF-8":          func(in *Issuance) { in.Elements[0].Value = "\xff" },
		"not finite":         func(in *Issuance) { in.Elements[0].Value = math.Inf(1) },
		"a struct":           func(in *Issuance) { in.Elements[0].Value = struct{}{} },
		"no time":            func(in *Issuance) { in.Elements[0].Value = []any{time.Time{}} },
		"large number":       func(in *Issuance) { in.Elements[0].Value = uint64(math.MaxUint64) },
		"no chain":           func(in *Issuance) { in.Chain = nil },
		"other certificate":  func(in *Issuance) { in.Chain = []*x509.Certificate{certificate(t, p.device)} },
		"valid for nothing":  func(in *Issuance) { in.ValidUntil = in.Signed.Add(time.Millisecond) },
		"valid before":       func(in *Issuance) { in.ValidFrom = in.Signed.Add(-time.Hour) },
		"status without URI": func(in *Issuance) { in.Status = &Status{Idx: 1} },
		"no randomness":      func(in *Issuance) { in.Random = strings.NewReader("short") },
		"too large":          func(in *Issuance) { in.Elements[0].Value = make([]byte, MaxBytes) },
		"too deep": func(in *Issuance) {
			v := any(1)
			for range 20 {
				v = []any{v}
			}
			in.Elements[0].Value = v
		},
	}
	for name, change := range cases {
		in := p.issuance()
		change(&in)
		if _, err := Issue(p.issuer, in); err == nil {
			t.Errorf("%s: issued", name)
		}
	}
}
