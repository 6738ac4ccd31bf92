package document

import (
	"strings"

	"diwan/internal/gov"
	"diwan/internal/pdf"
)

// HeldFacts are what the paper form of a document says that a person holds.
type HeldFacts struct {
	Facts
	Rows  []HeldRow
	From  gov.Date
	Until gov.Date // zero without an end
	// Code is drawn large: an address with the whole document in its fragment, signed.
	Code string
}

// HeldRow is one thing that the document says, under the name that its type gives it.
type HeldRow struct {
	Label gov.Text
	Text  string
	Day   gov.Date // instead of Text
	// Yes stands for a statement that is true or not; nil for anything else.
	Yes *bool
	// Entries are those of a list instead of Text, each with what its members say.
	Entries [][]HeldRow
}

// codeSide is the side of the large code, in points: each of its modules is then two
// thirds of a millimetre, which a phone reads off a photocopy.
const codeSide = 226

// Held makes the paper form of a document that a person holds.
func (m *Maker) Held(f HeldFacts) ([]byte, error) {
	if f.Number == "" || f.Office.Empty() || f.Title.Empty() || f.Code == "" || len(f.Rows) == 0 {
		return nil, errUnsaid
	}
	img, err := square(f.Code)
	if err != nil {
		return nil, err
	}
	return m.compose(&f.Facts, "document.held", func(p *page) {
		rows := [][2]string{{"document.held.number", code(f.Number)}, {"document.held.from", p.form.Date(f.From)}}
		if !f.Until.IsZero() {
			rows = append(rows, [2]string{"document.held.until", p.form.Date(f.Until)})
		}
		p.held(f.Rows)
		p.table(rows)
		p.Image(img, codeSide, pdf.Center, 8, 2)
		p.paragraph(pdf.Style{Size: 9, Align: pdf.Center}, "document.held.code")
	})
}

// held writes what the document says. A value in another script than the page's keeps
// its own direction.
func (p *page) held(rows []HeldRow) {
	var out [][]string
	for _, r := range rows {
		out = append(out, []string{p.one(r.Label), p.heldValue(r)})
	}
	p.Rows(pdf.Table{Lang: string(p.lang), Widths: []float64{1, 2}, Grid: true, Style: cells}, out)
	p.Space(8)
}

// heldValue writes a value; the entries of a list stand one below the other.
func (p *page) heldValue(r HeldRow) string {
	switch {
	case len(r.Entries) > 0:
		var lines []string
		for _, entry := range r.Entries {
			var parts []string
			for _, m := range entry {
				parts = append(parts, p.one(m.Label)+" "+p.heldValue(m))
			}
			lines = append(lines, strings.Join(parts, " · "))
		}
		return strings.Join(lines, "\n")
	case r.Yes != nil && *r.Yes:
		return p.say.T("document.held.yes")
	case r.Yes != nil:
		return p.say.T("document.held.no")
	case !r.Day.IsZero():
		return p.form.Date(r.Day)
	}
	return strings.ReplaceAll(clean(r.Text), "\n", " ")
}
