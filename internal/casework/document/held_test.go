package document

import (
	"strings"
	"testing"

	"diwan/internal/gov"
)

// What a person holds is printed in words in both languages: the entries of a list one
// below the other, each with what its members say.
func TestHeld(t *testing.T) {
	m, s, f := world(t)
	text := func(fr string) gov.Text { return gov.Text{"fr": fr, "ar": s.Office["ar"]} }
	b, err := m.Held(HeldFacts{Facts: Facts{Number: f.Number, At: f.At, Office: f.Office, Title: text("Permis"), Demo: true}, From: filed, Until: answer, Code: address, Rows: []HeldRow{
		{Label: text("Nom"), Text: "EL MITAL"},
		{Label: text("Droits"), Entries: [][]HeldRow{
			{{Label: text("Catégorie"), Text: "A1"}, {Label: text("Jusqu’au"), Day: answer}},
			{{Label: text("Catégorie"), Text: "B"}, {Label: text("Remorque"), Yes: new(bool)}}}}}})
	if err != nil {
		t.Fatal(err)
	}
	said := string(tool(t, "pdftotext", b, "-layout", "-", "-"))
	lines := 0
	for line := range strings.Lines(said) {
		line = plain(line)
		if strings.Contains(line, "Catégorie A1 · Jusqu’au") || strings.Contains(line, "Catégorie B · Remorque Non") {
			lines++
			if strings.Contains(line, "A1") && !strings.Contains(line, "24 décembre 2026") {
				t.Errorf("the day is not there: %q", line)
			}
		}
	}
	if lines != 2 || strings.Count(said, "A1") != 2 {
		t.Errorf("the list is not told entry by entry:\n%s", said)
	}
}
