package seal

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/exchange/pki"
	"diwan/internal/exchange/translog/stamp"
	"diwan/internal/pdf"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
)

var start = time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func document(t testing.TB) []byte {
	t.Helper()
	d := pdf.New(pdf.Meta{Title: "Récépissé", Lang: "fr", Date: start})
	d.Heading(1, "fr", "Récépissé de dépôt")
	for range 60 {
		d.Paragraph("fr", "Le dossier est complet et le délai court.", pdf.Style{})
	}
	var b bytes.Buffer
	if _, err := d.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type office struct {
	authority *Authority
	o         Options
}

func newOffice(t testing.TB) office {
	t.Helper()
	a, err := NewAuthority("Seals of a demonstration", "XX", newKey(t), start)
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	c, err := a.Issue(key.Public(), Holder{Name: "Commune of a test", ID: "town", Country: "XX"}, start)
	if err != nil {
		t.Fatal(err)
	}
	return office{a, Options{Signer: key, Chain: []*x509.Certificate{c, a.Certificate}, Name: "Commune of a test", Reason: "Récépissé (1)", Location: "Salé", At: start}}
}

func sealed(t testing.TB, o office) []byte {
	t.Helper()
	b, err := Sign(context.Background(), document(t), o.o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (o office) trust() Trust { return Trust{Roots: o.authority.Roots(), Now: start} }

func TestSealHolds(t *testing.T) {
	o, plain := newOffice(t), document(t)
	b, err := Sign(context.Background(), plain, o.o)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(b, plain) {
		t.Error("the bytes of the document changed")
	}
	r, err := Verify(b, o.trust())
	if err != nil {
		t.Fatal(err)
	}
	if r.Signer.Subject.SerialNumber != "town" || !r.Claimed.Equal(start) || !r.Stamped.IsZero() {
		t.Errorf("report %+v", r)
	}
	if _, err := Sign(context.Background(), b, o.o); !errors.Is(err, ErrSealed) {
		t.Errorf("a second seal: %v", err)
	}
}

func TestForgeriesAreFound(t *testing.T) {
	o := newOffice(t)
	good := sealed(t, o)
	for name, c := range map[string]struct {
		make func() []byte
		want error
	}{
		"no seal":           {func() []byte { return document(t) }, ErrNone},
		"a byte of a page":  {func() []byte { b := bytes.Clone(good); b[2000] ^= 1; return b }, ErrAltered},
		"a byte of its end": {func() []byte { b := bytes.Clone(good); b[len(b)-3] ^= 1; return b }, ErrAltered},
		"cut":               {func() []byte { return bytes.Clone(good[:len(good)-6]) }, ErrAltered},
		"an added page":     {func() []byte { return addPage(t, good) }, ErrGrown},
		"an added byte":     {func() []byte { return append(bytes.Clone(good), '\n') }, ErrGrown},
		"a bad signature": {func() []byte {
			b := bytes.Clone(good)
			u, s, err := covered(b)
			if err != nil {
				t.Fatal(err)
			}
			v := bytes.TrimRight(b[u:s-1], "0") // the last bytes are of the signature
			if v[len(v)-4] = '0'; bytes.Equal(b, good) {
				v[len(v)-4] = '1'
			}
			return b
		}, ErrSignature},
	} {
		if _, err := Verify(c.make(), o.trust()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := Verify(good, newOffice(t).trust()); !errors.Is(err, ErrSigner) {
		t.Errorf("a stranger's seal: %v", err)
	}
	if _, err := Verify(good, Trust{Roots: o.authority.Roots(), Now: start.Add(2 * SealLife)}); !errors.Is(err, ErrSigner) {
		t.Errorf("years after, without a stamp: %v", err)
	}
}

// A hole that shows something else than the value of the seal would let an
// attacker choose what stands in it.
func TestHoleIsTheValueAlone(t *testing.T) {
	o := newOffice(t)
	good := sealed(t, o)
	at := bytes.LastIndex(good, []byte("/ByteRange"))
	for name, text := range map[string]string{
		"from a later byte": "/ByteRange [9 ",
		"no numbers":        "/ByteRange [] ",
	} {
		b := bytes.Clone(good)
		copy(b[at:], text)
		if _, err := Verify(b, o.trust()); err == nil {
			t.Errorf("%s: believed", name)
		}
	}
	elsewhere := bytes.Replace(good, []byte("\n/Contents <"), []byte("\n/Other    <"), 1)
	if _, err := Verify(elsewhere, o.trust()); !errors.Is(err, ErrAltered) {
		t.Errorf("another entry: %v", err)
	}
}

// addPage does what a reader does that saves an altered document: an update after
// the seal, with a catalog of its own.
func addPage(t *testing.T, b []byte) []byte {
	t.Helper()
	f, err := readFile(b)
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := f.object(f.root)
	if err != nil {
		t.Fatal(err)
	}
	w := bytes.NewBuffer(bytes.Clone(b))
	at := w.Len()
	fmt.Fprintf(w, "%d 0 obj\n%s\nendobj\n", f.root, catalog)
	f.table(w, map[int]int{f.root: at})
	return w.Bytes()
}

func TestKeysThatCannotSeal(t *testing.T) {
	o := newOffice(t)
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.authority.Issue(ed.Public(), Holder{Name: "a", ID: "a", Country: ""}, start); err == nil {
		t.Error("a key that readers don't know got a certificate")
	}
	other := o.o
	other.Signer = newKey(t)
	if _, err := Sign(context.Background(), document(t), other); err == nil {
		t.Error("sealed with a key that is not that of the certificate")
	}
	late := o.o
	late.At = start.Add(SealLife + time.Hour)
	if _, err := Sign(context.Background(), document(t), late); err == nil {
		t.Error("sealed with a certificate that is over")
	}
	if _, err := OpenAuthority(o.authority.Certificate.Raw, newKey(t)); err == nil {
		t.Error("an authority opened with another key")
	}
}

func TestRSA(t *testing.T) {
	o := newOffice(t)
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := *o.o.Chain[0]
	der, err := x509.CreateCertificate(rand.Reader, &tmpl, o.authority.Certificate, k.Public(), o.authority.key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	o.o.Signer, o.o.Chain = k, []*x509.Certificate{c}
	if _, err := Verify(sealed(t, o), o.trust()); err != nil {
		t.Error(err)
	}
}

// withStamps gives the office a time-stamp authority and returns what checks it.
func withStamps(t *testing.T, o *office, d *db.DB) func(answer, data []byte) (time.Time, error) {
	t.Helper()
	root, err := pki.NewRoot("XX", newKey(t), start)
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	cert, err := root.IssueStamp(key.Public(), "stamps", start)
	if err != nil {
		t.Fatal(err)
	}
	a, err := stamp.NewAuthority(d, stamp.AuthorityOptions{Certificate: cert, Key: key, Policy: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Now: func() time.Time { return start }})
	if err != nil {
		t.Fatal(err)
	}
	o.o.Stamp = Local(a.Issue)
	roots := x509.NewCertPool()
	roots.AddCert(root.Certificate)
	return func(answer, data []byte) (time.Time, error) {
		tok, err := stamp.Verify(answer, data, stamp.Trust{Roots: roots})
		if err != nil {
			return time.Time{}, err
		}
		return tok.Time, nil
	}
}

func TestStampOutlivesTheCertificate(t *testing.T) {
	o := newOffice(t)
	check := withStamps(t, &o, dbtest.SQLite(t, []db.Migrations{stamp.Migrations()}))
	b := sealed(t, o)
	r, err := Verify(b, Trust{Roots: o.authority.Roots(), Stamp: check, Now: start.Add(2 * SealLife)})
	if err != nil || !r.Stamped.Equal(start) {
		t.Errorf("stamped %v, %v", r.Stamped, err)
	}
	foreign := func(answer, data []byte) (time.Time, error) { return time.Time{}, errors.New("not ours") }
	if _, err := Verify(b, Trust{Roots: o.authority.Roots(), Stamp: foreign, Now: start}); !errors.Is(err, ErrStamp) {
		t.Errorf("a foreign stamp: %v", err)
	}
	o.o.Stamp = func(context.Context, []byte) ([]byte, time.Time, error) { return []byte("no"), start, nil }
	if _, err := Sign(context.Background(), document(t), o.o); err == nil {
		t.Error("sealed with an answer that is no stamp")
	}
	pdfsig(t, b)
}

type signers struct{ crypto.Signer }

// Two other programs read the seal.
func TestOthersReadTheSeal(t *testing.T) {
	o := newOffice(t)
	o.o.Signer = signers{o.o.Signer} // as keys behind an interface come
	b := sealed(t, o)
	pdfsig(t, b)
	if out := pdfsigSays(t, addPage(t, b)); strings.Contains(out, "Total document signed") {
		t.Errorf("pdfsig calls an added page signed:\n%s", out)
	}
}

func TestPdfcpuReadsTheSeal(t *testing.T) {
	api.DisableConfigDir()
	o := newOffice(t)
	name := filepath.Join(t.TempDir(), "sealed.pdf")
	if err := os.WriteFile(name, sealed(t, o), 0o600); err != nil {
		t.Fatal(err)
	}
	conf := model.NewDefaultConfiguration()
	if err := api.ValidateFile(name, conf); err != nil {
		t.Error(err)
	}
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: o.authority.Certificate.Raw})
	model.CertDir = t.TempDir()
	if err := os.WriteFile(filepath.Join(model.CertDir, "root.pem"), root, 0o600); err != nil {
		t.Fatal(err)
	}
	conf = model.NewDefaultConfiguration()
	conf.Offline = true
	all, err := api.ValidateSignatures(name, true, conf)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 1 {
		t.Fatalf("%d seals", len(all))
	}
	s := all[0]
	// Offline it can't ask whether the certificate was revoked; all else holds.
	if s.DocModified != model.False || s.Reason == model.SignatureReasonSignatureForged || s.Reason == model.SignatureReasonDocModified {
		t.Errorf("pdfcpu: %v, %v, %v, altered %v", s.Status, s.Reason, s.Problems, s.DocModified)
	}
	t.Log(s.Status, s.Reason, s.Problems)
}

func pdfsigSays(t *testing.T, b []byte) string {
	t.Helper()
	tool, err := exec.LookPath("pdfsig")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("pdfsig (poppler-utils) is needed in CI")
		}
		t.Skip("pdfsig (poppler-utils) is not installed")
	}
	name := filepath.Join(t.TempDir(), "sealed.pdf")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(tool, name).CombinedOutput()
	if err != nil {
		t.Logf("pdfsig: %v", err)
	}
	return string(out)
}

func pdfsig(t *testing.T, b []byte) {
	t.Helper()
	out := pdfsigSays(t, b)
	for _, want := range []string{"Signature is Valid", "Total document signed", "ETSI.CAdES.detached", "Commune of a test"} {
		if !strings.Contains(out, want) {
			t.Errorf("pdfsig does not say %q:\n%s", want, out)
		}
	}
	altered := bytes.Clone(b)
	altered[2000] ^= 1
	if out := pdfsigSays(t, altered); strings.Contains(out, "Signature is Valid") {
		t.Errorf("pdfsig calls an altered document valid:\n%s", out)
	}
}

// What PDF/A asks of a file still holds in the update: the identifier, the marks
// of the annotation, no encryption.
func TestUpdateKeepsTheArchiveForm(t *testing.T) {
	plain := document(t)
	b := sealed(t, newOffice(t))
	before, err := readFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	after, err := readFile(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(before.trailer["ID"], after.trailer["ID"]) || after.trailer["Info"] == nil {
		t.Error("the identifier of the file is gone")
	}
	_, c, err := after.entry(after.root)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"Metadata", "OutputIntents", "Lang", "AcroForm", "Pages"} {
		if c[key] == nil {
			t.Errorf("the catalog lacks %s", key)
		}
	}
	_, field, err := after.entry(before.size + 1)
	if err != nil {
		t.Fatal(err)
	}
	if string(field["F"]) != "132" || string(field["Rect"]) != "[0 0 0 0]" {
		t.Errorf("the field is %s", field)
	}
}

func FuzzVerify(f *testing.F) {
	o := newOffice(f)
	good := sealed(f, o)
	f.Add(good[bytes.LastIndex(good, []byte("/ByteRange"))-400:]) // the end of a seal
	f.Add([]byte("%PDF-1.7\n/ByteRange [0 30 40 5]/Contents <00>"))
	f.Add([]byte("xref\n0 1\n0000000000 65535 f \ntrailer <</Root 1 0 R /Size 2>> startxref 0 %%EOF"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if r, err := Verify(b, o.trust()); err == nil && r.Signer == nil {
			t.Error("a seal of nobody holds")
		}
		_, _ = withRoom(b, &o.o, 10) // must end
	})
}
