package document

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"diwan/internal/gov"
)

// What people wrote into an Arabic letter, a decision or a receipt keeps the order of
// its numbers: as drawn, read from left to right, "2026-123" is no "123-2026".
// pdftotext writes what stands between right-to-left letters in the order in which it
// is drawn.
func TestNumbersKeepTheirOrder(t *testing.T) {
	var s struct {
		Subject, Text, Reason string
		Must                  []string
	}
	b, err := os.ReadFile("testdata/numbers.json")
	if err == nil {
		err = json.Unmarshal(b, &s)
	}
	if err != nil {
		t.Fatal(err)
	}
	m, x, f := world(t)
	letter, err := m.Letter(LetterFacts{Facts: f, Lang: "ar", On: answer, Subject: s.Subject, Text: s.Text, Signer: x.Signer})
	if err != nil {
		t.Fatal(err)
	}
	said := plain(string(tool(t, "pdftotext", letter, "-layout", "-", "-")))
	for _, want := range s.Must {
		if !strings.Contains(said, want) {
			t.Errorf("the letter does not say %q\n%s", want, said)
		}
	}
	f.Langs = []gov.Lang{"ar"}
	f.Procedure, f.Applicant = gov.Text{"ar": s.Reason}, gov.Text{"ar": s.Reason}
	decision, err := m.Decision(DecisionFacts{Facts: f, On: answer, Reasons: []gov.Text{{"ar": s.Reason}}})
	if err != nil {
		t.Fatal(err)
	}
	said = plain(string(tool(t, "pdftotext", decision, "-layout", "-", "-")))
	for _, want := range []string{"2025-77", "12-3"} {
		if n := strings.Count(said, want); n < 4 { // procedure, applicant, the sentence, the reason
			t.Errorf("the decision says %q %d times\n%s", want, n, said)
		}
	}
}
