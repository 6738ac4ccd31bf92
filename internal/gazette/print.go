package gazette

import (
	"bytes"
	"strings"

	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/pdf"
	"diwan/internal/web"
)

// Print makes the PDF of a reading: the text in its own language, what it is a
// version of, and on each page that it is not the official edition. The words
// about the text are in the language of the page.
func Print(site *web.Site, g *Gazette, r *Reading, l gov.Lang) ([]byte, error) {
	t := site.Words.Printer(string(l))
	lang := twoLetters(r.Expression.Lang)
	title := r.Expression.Title
	if title == "" {
		title = r.Work.ID
	}
	d := pdf.New(pdf.Meta{Title: title, Author: g.portalName(), Lang: lang, Date: site.Clock.Now(), Creator: g.portalName()})
	about := t.T("law.print.not_official")
	d.PageHeader(func(pdf.PageInfo) pdf.Running {
		return pdf.Running{Lang: string(l), Start: g.portalName(), End: about, Rule: true}
	})
	d.PageFooter(func(p pdf.PageInfo) pdf.Running {
		return pdf.Running{Lang: string(l), Start: Address(r), End: itoa(p.Number) + " / " + itoa(p.Total)}
	})
	d.Heading(1, lang, title)
	d.Paragraph(string(l), printedState(site, r, l), pdf.Style{Size: 9.5, Align: pdf.Center, After: 4})
	if r.Work.Demo {
		d.Paragraph(string(l), t.T("law.warn.demo.title")+" "+t.T("law.warn.demo"), pdf.Style{Size: 9.5, Weight: pdf.Bold, Align: pdf.Center, After: 6})
	}
	d.Rule(4, 10)
	for i := range r.Expression.Pieces {
		printPiece(d, lang, &r.Expression.Pieces[i], t.T("law.article.repealed"))
	}
	var b bytes.Buffer
	_, err := d.WriteTo(&b)
	return b.Bytes(), err
}

// printedState says under the title which version this is and whether it holds.
func printedState(site *web.Site, r *Reading, l gov.Lang) string {
	t, f := site.Words.Printer(string(l)), site.Formats[l]
	state := "unknown"
	if r.Work.Status.State != model.Unknown {
		state = string(r.Work.Status.State)
	}
	out := t.T("law.state." + state)
	if day := dateOf(r.Expression.Version); !day.IsZero() {
		out = t.T("law.version_of") + " " + f.Date(day) + " · " + out
	}
	return out
}

func printPiece(d *pdf.Doc, lang string, p *model.Piece, repealed string) {
	body := pdf.Style{Align: pdf.Justify, After: 4}
	switch {
	case p.IsContainer():
		d.Heading(min(p.Depth+2, 4), lang, p.Title())
	case p.IsArticle():
		text := p.Text
		if p.Repealed && strings.TrimSpace(text) == "" {
			text = repealed
		}
		if p.Heading != "" {
			d.Heading(4, lang, p.Num+" "+p.Heading)
		} else {
			d.Heading(4, lang, p.Num)
		}
		printLines(d, lang, text, body)
		return
	case p.Kind == model.PieceNote:
		body.Size = 8.5
	default:
		if t := p.Title(); t != "" {
			d.Heading(3, lang, t)
		}
	}
	printLines(d, lang, p.Text, body)
}

func printLines(d *pdf.Doc, lang, text string, st pdf.Style) {
	var rows [][]string
	flush := func() {
		if len(rows) == 0 {
			return
		}
		widths := 0
		for _, r := range rows {
			widths = max(widths, len(r))
		}
		shares := make([]float64, widths)
		for i := range shares {
			shares[i] = 1
		}
		d.Rows(pdf.Table{Lang: lang, Widths: shares, Grid: true, Style: pdf.Style{Size: 9}}, rows)
		rows = nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if row, ok := strings.CutPrefix(line, "\t"); ok {
			rows = append(rows, strings.Split(row, "\t"))
			continue
		}
		flush()
		if strings.TrimSpace(line) != "" {
			d.Paragraph(lang, line, st)
		}
	}
	flush()
}
