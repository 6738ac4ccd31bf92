package document

import (
	"bytes"
	"encoding/json"
	"image/png"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"diwan/country"
	"diwan/internal/gov"
	"diwan/internal/i18n"

	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
)

type sample struct {
	Office, Unit, Procedure, Applicant, For, Signer, Issuer, Council, Place gov.Text
	Basis, Missing, Reasons                                                 []gov.Text
	Remedies                                                                []Remedy
	Letter                                                                  string
	Months                                                                  []string
	Statements                                                              map[string]string
}

var (
	made   = time.Date(2026, 11, 23, 10, 42, 0, 0, time.UTC)
	filed  = gov.Date{Year: 2026, Month: 11, Day: 23}
	answer = gov.Date{Year: 2026, Month: 12, Day: 24}
)

const address = "https://diwan.example/v/K7QM-4XWD-9TRA"

func world(t testing.TB) (*Maker, sample, Facts) {
	t.Helper()
	pack, err := country.Load(country.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	var langs []string
	for _, l := range pack.Country.Order() {
		langs = append(langs, string(l))
	}
	words, err := i18n.Load(langs, []fs.FS{Messages()})
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("testdata/facts.json")
	if err != nil {
		t.Fatal(err)
	}
	var s sample
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	m := &Maker{Country: pack.Country, Words: words, Unreviewed: []gov.Lang{"zgh"}, Langs: []gov.Lang{"ar", "fr"}}
	return m, s, Facts{Number: "2026-4XWD-9TRA", At: made, Office: s.Office, Unit: s.Unit, Procedure: s.Procedure, Applicant: s.Applicant, For: s.For,
		Filed: filed, LegalBasis: s.Basis, Verify: address, Code: "K7QM-4XWD-9TRA", Demo: true}
}

var (
	once    sync.Once
	samples map[string][]byte
)

// all are the samples, made once.
func all(t *testing.T) map[string][]byte {
	t.Helper()
	once.Do(func() { samples = makeAll(t) })
	return samples
}

func makeAll(t *testing.T) map[string][]byte {
	t.Helper()
	m, s, f := world(t)
	tmpl, err := ParseTemplate(s.Letter, []string{"applicant", "number", "visit"})
	if err != nil {
		t.Fatal(err)
	}
	text, err := tmpl.Fill(map[string]string{"applicant": s.Applicant["ar"], "number": f.Number, "visit": "2 " + s.Months[1] + " 2026"})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for name, make := range map[string]func() ([]byte, error){
		"complete": func() ([]byte, error) {
			return m.Receipt(ReceiptFacts{Facts: f, FiledAt: made, Days: 30, Due: answer, SilenceFrom: answer.AddDays(1), SilenceApproves: true})
		},
		"incomplete": func() ([]byte, error) {
			return m.Receipt(ReceiptFacts{Facts: f, Days: 30, Missing: s.Missing, CompleteBy: answer})
		},
		"refused": func() ([]byte, error) {
			return m.Decision(DecisionFacts{Facts: f, On: answer, Reasons: s.Reasons, Remedies: s.Remedies, Signer: s.Signer})
		},
		"granted": func() ([]byte, error) {
			return m.Decision(DecisionFacts{Facts: f, Granted: true, On: answer, Signer: s.Signer})
		},
		"certificate": func() ([]byte, error) {
			return m.SilenceCertificate(CertificateFacts{Facts: f, Issuer: s.Issuer, Council: s.Council, On: answer.AddDays(20), Expired: answer, Letter: "412/2026", LetterOn: answer.AddDays(7), Place: s.Place})
		},
		"payment": func() ([]byte, error) {
			return m.PaymentReceipt(PaymentFacts{Facts: f, Payer: s.Applicant, Amount: 120050, On: answer, Order: "8f14e45fceea", Reference: "TEST-4XWD", Back: answer.AddDays(3)})
		},
		"letter": func() ([]byte, error) {
			return m.Letter(LetterFacts{Facts: f, Lang: "ar", On: answer, Subject: s.Procedure["ar"], Text: text, Signer: s.Signer})
		},
	} {
		b, err := make()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		again, err := make()
		if err != nil || !bytes.Equal(b, again) {
			t.Errorf("%s: the same facts gave other bytes (%v)", name, err)
		}
		out[name] = b
	}
	if dir := os.Getenv("DIWAN_SHOW_DOCUMENTS"); dir != "" {
		for name, b := range out {
			if err := os.WriteFile(filepath.Join(dir, name+".pdf"), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

func tool(t *testing.T, name string, pdf []byte, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s (poppler-utils) is needed in CI", name)
		}
		t.Skipf("%s (poppler-utils) is not installed", name)
	}
	c := exec.Command(path, args...)
	c.Stdin = bytes.NewReader(pdf)
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return out
}

// plain takes out what turns text around: pdftotext marks directions.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200e || r == 0x200f {
			return -1
		}
		return r
	}, strings.Join(strings.Fields(s), " "))
}

func TestDocumentsSayWhatTheyMust(t *testing.T) {
	_, s, f := world(t)
	want := map[string][]string{
		"complete":    {s.Statements["complete"], "Dossier déposé", "30 jours", "jeudi 24 décembre 2026", "vendredi 25 décembre 2026", "vaut acceptation", s.Months[0], s.Months[1], "11:42", "Loi n° 55-19", "Atlas Travaux"},
		"incomplete":  {s.Statements["incomplete"], "Dossier en cours de dépôt", s.Missing[0]["ar"], "Plan d’architecte signé", "Fiche de renseignements", "Étude de béton armé", "retourné"},
		"refused":     {"refus", string([]rune(s.Reasons[0]["ar"])[:14]), "Recours administratif", "Président du conseil communal", "jeudi 24 décembre 2026", "tribunal administratif"},
		"granted":     {"acceptée", "Driss Mansouri"},
		"certificate": {"Attestation de silence", "gouverneur", "412/2026", "ne dispense pas", "Oued Nakhil", s.Issuer["ar"]},
		"payment":     {"Reçu de paiement", "Montant remboursé le dimanche 27 décembre 2026", "1 200,50", "TEST-4XWD", "8f14e45fceea"},
		"letter":      {f.Number + "\u060c", s.Months[1]},
	}
	for name, b := range all(t) {
		text := plain(string(tool(t, "pdftotext", b, "-", "-")))
		for _, w := range append(want[name], f.Number, f.Code, address) {
			if !strings.Contains(text, plain(w)) {
				t.Errorf("%s does not say %q:\n%s", name, w, text)
			}
		}
		if strings.Contains(text, "[document.") {
			t.Errorf("%s lacks a message:\n%s", name, text)
		}
	}
}

// A telephone reads the code from a print at ordinary fineness.
func TestCodeIsReadFromThePage(t *testing.T) {
	for name, b := range all(t) {
		img, err := png.Decode(bytes.NewReader(tool(t, "pdftoppm", b, "-r", "110", "-f", "1", "-l", "1", "-png", "-")))
		if err != nil {
			t.Fatal(err)
		}
		bits, err := gozxing.NewBinaryBitmapFromImage(img)
		if err != nil {
			t.Fatal(err)
		}
		r, err := qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_TRY_HARDER: true})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if r.GetText() != address {
			t.Errorf("%s: the code says %q", name, r.GetText())
		}
	}
}

func TestEachLanguageIsOnePage(t *testing.T) {
	for name, b := range all(t) {
		want := 2
		if name == "letter" {
			want = 1
		}
		if n := bytes.Count(b, []byte("/Type /Page ")); n != want {
			t.Errorf("%s has %d pages, want %d", name, n, want)
		}
	}
}

func TestOtherLanguagesAreMarked(t *testing.T) {
	m, _, f := world(t)
	f.Langs = []gov.Lang{"zgh", "en"}
	b, err := m.Receipt(ReceiptFacts{Facts: f, Days: 1, Due: answer})
	if err != nil {
		t.Fatal(err)
	}
	text := plain(string(tool(t, "pdftotext", b, "-", "-")))
	for _, w := range []string{"à relire", "1 day", "Thursday 24 December 2026", "DEMONSTRATION"} {
		if !strings.Contains(text, w) {
			t.Errorf("no %q:\n%s", w, text)
		}
	}
}

func TestWhatMustBeSaidIsNotLeftOut(t *testing.T) {
	m, s, f := world(t)
	bare := f
	bare.Office = nil
	for name, make := range map[string]func() ([]byte, error){
		"a receipt without an office":    func() ([]byte, error) { return m.Receipt(ReceiptFacts{Facts: bare, Days: 30, Due: answer}) },
		"a receipt of a negative period": func() ([]byte, error) { return m.Receipt(ReceiptFacts{Facts: f, Days: -1, Due: answer}) },
		"a receipt without a day":        func() ([]byte, error) { return m.Receipt(ReceiptFacts{Facts: f, Days: 30}) },
		"a refusal without reasons":      func() ([]byte, error) { return m.Decision(DecisionFacts{Facts: f, On: answer}) },
		"a refusal with an empty reason": func() ([]byte, error) {
			return m.Decision(DecisionFacts{Facts: f, On: answer, Reasons: []gov.Text{{"fr": " "}}})
		},
		"a certificate without a day": func() ([]byte, error) {
			return m.SilenceCertificate(CertificateFacts{Facts: f, Issuer: s.Issuer, Council: s.Council, On: answer})
		},
	} {
		if b, err := make(); err == nil {
			t.Errorf("%s was made (%d bytes)", name, len(b))
		}
	}
}

// What people type stays in its place.
func TestHostileNames(t *testing.T) {
	m, _, f := world(t)
	f.Applicant = gov.Text{"fr": "Ali \u202eTNEDISERP\u202c {number}\x00\u2066 \ufeff" + strings.Repeat("long ", 3000)}
	b, err := m.Receipt(ReceiptFacts{Facts: f, Days: 30, Due: answer})
	if err != nil {
		t.Fatal(err)
	}
	text := string(tool(t, "pdftotext", b, "-", "-"))
	if !strings.Contains(plain(text), "TNEDISERP {number}") {
		t.Errorf("the name is not as it was typed:\n%.400s", text)
	}
	if n := bytes.Count(b, []byte("/Type /Page ")); n > 6 {
		t.Errorf("a long name made %d pages", n)
	}
}

func TestTemplates(t *testing.T) {
	known := []string{"name", "case.number"}
	for src, ok := range map[string]bool{
		"Bonjour {{name}}, {{ case.number }}.": true,
		"no field":                             true,
		"{{unknown}}":                          false,
		"{{name":                               false,
		"name}}":                               false,
		"{{}}":                                 false,
		"{{Name}}":                             false,
		"{{name | html}}":                      false,
		"{{{{name}}}}":                         false,
		strings.Repeat("x", MaxTemplate+1):     false,
		strings.Repeat("{{name}}", 101):        false,
	} {
		if _, err := ParseTemplate(src, known); (err == nil) != ok {
			t.Errorf("%.40q: %v", src, err)
		}
	}
	tmpl, err := ParseTemplate("{{name}}: {{case.number}}", known)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tmpl.Fill(map[string]string{"name": "a"}); err == nil {
		t.Error("filled without a value")
	}
	got, err := tmpl.Fill(map[string]string{"name": "x\n\n{{case.number}}\u202e", "case.number": "7"})
	if err != nil || got != "x  {{case.number}}: 7" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestCalendar(t *testing.T) {
	b, err := ICS(
		Entry{ID: "1@diwan.example", Made: made, From: made, To: made.Add(time.Hour), Summary: "Rendez-vous; salle 2, étage 1\nA", Place: strings.Repeat("é", 60), Remind: time.Hour},
		Entry{ID: "2@diwan.example", Made: made, Day: answer, Summary: "Dernier jour"})
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range []string{"DTSTART:20261123T104200Z\r\n", `SUMMARY:Rendez-vous\; salle 2\, étage 1\nA`, "DTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20261225\r\n", "TRIGGER:-PT60M"} {
		if !strings.Contains(string(b), w) {
			t.Errorf("no %q:\n%s", w, b)
		}
	}
	for _, l := range strings.Split(string(b), "\r\n") {
		if len(l) > 75 || strings.Contains(l, "\n") {
			t.Errorf("line of %d bytes: %q", len(l), l)
		}
	}
	if !strings.Contains(strings.ReplaceAll(string(b), "\r\n ", ""), strings.Repeat("é", 60)) {
		t.Error("folding changed the text")
	}
	if _, err := ICS(Entry{ID: "1", Made: made, Summary: "x"}); err == nil {
		t.Error("an entry without a time")
	}
}

func TestMessagesAreComplete(t *testing.T) {
	m, _, _ := world(t)
	for _, f := range m.Words.Check() {
		t.Error(f)
	}
}

func FuzzTemplate(f *testing.F) {
	f.Add("a {{name}} b")
	f.Fuzz(func(t *testing.T, src string) {
		tmpl, err := ParseTemplate(src, []string{"name"})
		if err != nil {
			return
		}
		if s, err := tmpl.Fill(map[string]string{"name": "v"}); err != nil || strings.Count(s, "v") < len(tmpl.fields) {
			t.Errorf("%q, %v", s, err)
		}
	})
}
