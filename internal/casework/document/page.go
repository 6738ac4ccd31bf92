package document

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"slices"
	"strconv"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/i18n"
	"diwan/internal/pdf"
	"diwan/internal/web"

	"github.com/boombuler/barcode/qr"
)

// page writes one language's version of a document.
type page struct {
	*pdf.Doc
	m    *Maker
	lang gov.Lang
	say  *i18n.Printer
	form web.Format
}

// size leaves the margins of a letter.
var size = pdf.PageSize{Width: pdf.A4.Width, Height: pdf.A4.Height, Top: 48, Bottom: 48, Side: 54}

// Looks.
var (
	small  = pdf.Style{Size: 8.5, After: 2}
	body   = pdf.Style{Size: 10.5, After: 5}
	strong = pdf.Style{Size: 10.5, Weight: pdf.Bold, After: 3}
	cells  = pdf.Style{Size: 10}
	item   = pdf.Style{Size: 10.5, Indent: 14, After: 3}
	notice = pdf.Style{Size: 11, Weight: pdf.Bold, Align: pdf.Center, Color: pdf.Color{R: 0x9b, G: 0x1c, B: 0x1c}}
	said   = pdf.Style{Size: 15, Weight: pdf.Bold, Align: pdf.Center, Before: 4, After: 8}
	title  = pdf.Style{Size: 17, Weight: pdf.Bold, Align: pdf.Center, Before: 6, After: 4}
)

// compose writes a document: one version in each language.
func (m *Maker) compose(f *Facts, titleKey string, write func(p *page)) ([]byte, error) {
	langs := f.Langs
	if len(langs) == 0 {
		langs = m.Langs
	}
	if len(langs) == 0 {
		langs = m.Country.Order()[:min(2, len(m.Country.Order()))]
	}
	first := m.Words.Printer(string(langs[0]))
	d := pdf.New(pdf.Meta{Title: first.T(titleKey) + " " + clean(f.Number), Lang: string(langs[0]), Date: f.At, Page: size})
	d.PageFooter(func(i pdf.PageInfo) pdf.Running {
		return pdf.Running{Lang: "fr", Center: fmt.Sprintf("%s \u00b7 %d/%d", clean(f.Number), i.Number, i.Total), Rule: true}
	})
	for i, l := range langs {
		if i > 0 {
			d.PageBreak()
		}
		p := &page{d, m, l, m.Words.Printer(string(l)), web.NewFormat(m.Country, l)}
		p.head(f, titleKey)
		write(p)
		if err := p.check(f); err != nil {
			return nil, err
		}
		p.foot(f)
	}
	var b bytes.Buffer
	if _, err := d.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("writing a document: %w", err)
	}
	return b.Bytes(), nil
}

// text returns a value in the page's language, or the nearest there is, and the
// language that it is in.
func (p *page) text(t gov.Text) (string, string) {
	s, l := t.In(p.lang, p.m.Country.Order())
	if l == "" {
		l = p.lang
	}
	return ordered(strings.TrimSpace(clean(s)), p.rightToLeft()), string(l)
}

// rightToLeft tells the direction of the page's language.
func (p *page) rightToLeft() bool {
	l, ok := p.m.Country.Language(p.lang)
	return ok && l.Dir == "rtl"
}

func (p *page) one(t gov.Text) string {
	s, _ := p.text(t)
	return strings.ReplaceAll(s, "\n", " ")
}

// paragraph writes a message.
func (p *page) paragraph(st pdf.Style, key string, pairs ...string) {
	p.Paragraph(string(p.lang), p.say.T(key, pairs...), st)
}

// value writes what somebody said, in the direction of its own language.
func (p *page) value(st pdf.Style, t gov.Text) {
	if s, l := p.text(t); s != "" {
		p.Paragraph(l, s, st)
	}
}

// days says a number of days.
func (p *page) days(n int) string { return p.say.N("document.days", n, strconv.Itoa(n)) }

// head writes who it comes from and what it is.
func (p *page) head(f *Facts, titleKey string) {
	l := string(p.lang)
	if f.Demo {
		p.paragraph(notice, "document.demo")
		p.Rule(2, 6)
	}
	country, _ := p.text(p.m.Country.Name)
	p.Paragraph(l, country, pdf.Style{Size: 11, Weight: pdf.Bold})
	p.value(pdf.Style{Size: 11, After: 1}, f.Office)
	p.value(small, f.Unit)
	if heading := p.say.T(titleKey); titleKey != letterTitle { // a letter has its subject
		if !f.Title.Empty() {
			heading = p.one(f.Title)
		}
		p.HeadingStyle(1, l, heading, title)
	} else {
		p.Rule(4, 10)
	}
	if slices.Contains(p.m.Unreviewed, p.lang) {
		p.paragraph(small, "document.review")
	}
}

// table writes facts with their names; those without a value are left out.
func (p *page) table(rows [][2]string) {
	var out [][]string
	for _, r := range rows {
		if r[1] != "" {
			out = append(out, []string{p.say.T(r[0]), strings.ReplaceAll(r[1], "\n", " ")})
		}
	}
	p.Rows(pdf.Table{Lang: string(p.lang), Widths: []float64{1, 2}, Grid: true, Style: cells}, out)
	p.Space(8)
}

// about are the facts with which every document begins.
func (p *page) about(f *Facts) [][2]string {
	return [][2]string{
		{"document.number", code(f.Number)},
		{"document.contested", code(f.Contested)},
		{"document.procedure", p.one(f.Procedure)},
		{"document.applicant", p.one(f.Applicant)},
		{"document.for", p.one(f.For)},
		{"document.filed", p.form.Date(f.Filed)},
	}
}

// list writes numbered items.
func (p *page) list(items []gov.Text) {
	for i, t := range items {
		s, l := p.text(t)
		p.Paragraph(l, strconv.Itoa(i+1)+". "+s, item)
	}
}

// basis writes the texts that a document rests on.
func (p *page) basis(f *Facts) {
	if len(f.LegalBasis) == 0 {
		return
	}
	var all []string
	for _, t := range f.LegalBasis {
		if s := p.one(t); s != "" {
			all = append(all, s)
		}
	}
	p.paragraph(small, "document.basis", "texts", strings.Join(all, p.say.T("document.and")))
}

// check writes how to find out whether the document is genuine.
func (p *page) check(f *Facts) error {
	if f.Verify == "" {
		return nil
	}
	img, err := square(f.Verify)
	if err != nil {
		return err
	}
	p.Image(img, 92, pdf.Center, 8, 2)
	p.paragraph(pdf.Style{Size: 8.5, Align: pdf.Center}, "document.verify")
	p.Paragraph("fr", clean(f.Verify), pdf.Style{Size: 8.5, Align: pdf.Center})
	if f.Code != "" {
		p.paragraph(pdf.Style{Size: 10, Weight: pdf.Bold, Align: pdf.Center, After: 4}, "document.code", "code", code(f.Code))
	}
	return nil
}

// foot says that the document is sealed.
func (p *page) foot(f *Facts) {
	p.paragraph(pdf.Style{Size: 8.5, Align: pdf.Center}, "document.sealed", "office", p.one(f.Office))
}

// dot is how many pixels a module of a QR code has: enough that scaling on screen
// and in print leaves its edges sharp.
const dot = 6

// square draws a QR code, black on white with the quiet zone of ISO/IEC 18004
// around it.
func square(text string) (image.Image, error) {
	c, err := qr.Encode(text, qr.M, qr.Auto)
	if err != nil {
		return nil, fmt.Errorf("drawing a QR code: %w", err)
	}
	const quiet = 4
	b := c.Bounds()
	side := (b.Dx() + 2*quiet) * dot
	img := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			mx, my := x/dot-quiet, y/dot-quiet
			v := color.Gray{Y: 255}
			if mx >= 0 && my >= 0 && mx < b.Dx() && my < b.Dy() {
				v = color.GrayModel.Convert(c.At(b.Min.X+mx, b.Min.Y+my)).(color.Gray)
			}
			img.SetGray(x, y, v)
		}
	}
	return img, nil
}
