// Command generate prints the demonstration's gazette: every text of issues/ to a
// file of pdf/. It needs pdftoppm for the issue that looks scanned. Run it in the
// folder internal/app/demogazette after a text was changed.
package main

import (
	"bytes"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"time"
	"unicode/utf8"

	"diwan/internal/app/demogazette"
	"diwan/internal/gazette/extract/degrade"
	"diwan/internal/pdf"
)

func main() {
	for _, e := range demogazette.Editions {
		if err := generate(e); err != nil {
			fmt.Fprintln(os.Stderr, e.Name+":", err)
			os.Exit(1)
		}
	}
}

func generate(e demogazette.Edition) error {
	text, err := os.ReadFile(filepath.Join("issues", e.Name+".txt"))
	if err != nil {
		return err
	}
	file, err := print(e.Lang, string(text))
	if err != nil {
		return err
	}
	if e.Scanned {
		if file, err = scan(e.Lang, file); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join("pdf", e.Name+".pdf"), file, 0o644)
}

// written is a day for the metadata of the files, so that the same texts give
// the same bytes.
var written = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// The blocks of a text before its acts, parted by empty lines.
const (
	headLine = iota
	nameLine
	editionLine
	noteLine
	summaryTitle
	summaryBlock
	sectionTitle
	firstAct
)

// print sets a text in the gazette's look: masthead and summary over the whole
// width, acts in two columns, a running head on every page but the first.
func print(lang, text string) ([]byte, error) {
	blocks := blocksOf(text)
	if len(blocks) <= firstAct {
		return nil, fmt.Errorf("the text is too short for an issue")
	}
	line := func(i int) string { return strings.Join(blocks[i], " ") }
	d := pdf.New(pdf.Meta{Title: line(nameLine) + ", " + line(headLine), Lang: lang, Date: written, Creator: "Diwan"})
	d.PageHeader(func(p pdf.PageInfo) pdf.Running {
		if p.Number == 1 {
			return pdf.Running{}
		}
		return pdf.Running{Lang: lang, Start: line(headLine), End: line(nameLine), Rule: true}
	})
	d.PageFooter(func(p pdf.PageInfo) pdf.Running {
		return pdf.Running{Lang: lang, Center: fmt.Sprintf("- %d -", p.Number)}
	})
	d.Paragraph(lang, line(headLine), pdf.Style{Size: 10, Align: pdf.Center})
	d.Rule(4, 10)
	d.Paragraph(lang, line(nameLine), pdf.Style{Size: 26, Weight: pdf.Bold, Align: pdf.Center, After: 6})
	d.Paragraph(lang, line(editionLine), pdf.Style{Size: 13, Align: pdf.Center, After: 8})
	d.Paragraph(lang, line(noteLine), pdf.Style{Size: 10, Weight: pdf.Bold, Align: pdf.Center})
	d.Rule(10, 10)
	d.Paragraph(lang, line(summaryTitle), pdf.Style{Size: 12, Weight: pdf.Bold, Align: pdf.Center, After: 6})
	for i, entry := range blocks[summaryBlock] {
		st := pdf.Style{Size: 9.5, After: 3}
		if i == 0 {
			st.Weight, st.Align = pdf.Bold, pdf.Center
		}
		d.Paragraph(lang, entry, st)
	}
	d.Rule(8, 10)
	d.Paragraph(lang, line(sectionTitle), pdf.Style{Size: 14, Weight: pdf.Bold, Align: pdf.Center, After: 8})
	d.Columns(2, 22)
	for _, b := range blocks[firstAct:] {
		block(d, lang, b)
	}
	var out bytes.Buffer
	_, err := d.WriteTo(&out)
	return out.Bytes(), err
}

func blocksOf(text string) [][]string {
	var out [][]string
	var now []string
	for line := range strings.Lines(text + "\n\n") {
		if line = strings.TrimSpace(line); line != "" {
			now = append(now, line)
		} else if len(now) > 0 {
			out, now = append(out, now), nil
		}
	}
	return out
}

// longHead is the length above which the first line of a block is the title of
// an act, below it that of an article.
const longHead = 46

// block sets one block: the heading of a chapter, an article under its number, or
// an act's title with what stands between it and its first article.
func block(d *pdf.Doc, lang string, lines []string) {
	if strings.Trim(strings.Join(lines, ""), "* ") == "" { // stars between two acts
		d.Space(14)
		return
	}
	title := pdf.Style{Size: 10, Align: pdf.Center, Before: 8, After: 4, KeepNext: true}
	all := true
	for _, l := range lines {
		all = all && utf8.RuneCountInString(l) < longHead && !strings.HasSuffix(l, ".")
	}
	for i, l := range lines {
		switch {
		case all, i == 0 && utf8.RuneCountInString(l) >= longHead:
			d.Paragraph(lang, l, title)
			title.Before = 0
		case i == 0:
			d.Paragraph(lang, l, pdf.Style{Size: 10.5, Weight: pdf.Bold, Align: pdf.Center, Before: 4, After: 2, KeepNext: true})
		default:
			d.Paragraph(lang, l, pdf.Style{Align: pdf.Justify, After: 3})
		}
	}
}

// The scanner of the demonstration: the page lies a little askew, the print is
// a little pale, and there is dust on the glass.
var look = degrade.Look{DPI: 200, Skew: 0.7, Blur: 0.2, Noise: 2.5, Speckle: 0.00003, Light: 0.04, Fade: 0.05}

const (
	renderDPI = 400
	quality   = 45
)

// scan turns a file into pictures of its pages, as a scanner would.
func scan(lang string, file []byte) ([]byte, error) {
	dir, err := os.MkdirTemp("", "diwan-scan-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("pdftoppm", "-r", fmt.Sprint(renderDPI), "-gray", "-", filepath.Join(dir, "page"))
	cmd.Stdin, cmd.Stderr = bytes.NewReader(file), os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("pdftoppm: %w", err)
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.pgm"))
	if err != nil {
		return nil, err
	}
	sort.Strings(names)
	d := pdf.New(pdf.Meta{Title: "Scan", Lang: lang, Date: written, Creator: "Diwan"})
	for i, name := range names {
		img, err := readPGM(name)
		if err != nil {
			return nil, err
		}
		if err := d.Scan(degrade.Scan(img, renderDPI, look, uint64(i+1)), float64(look.DPI), quality); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	_, err = d.WriteTo(&out)
	return out.Bytes(), err
}

// readPGM reads the gray pictures that pdftoppm writes.
func readPGM(name string) (*image.Gray, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	var w, h, depth int
	if n, err := fmt.Fscanf(bytes.NewReader(b), "P5\n%d %d\n%d\n", &w, &h, &depth); n != 3 {
		return nil, fmt.Errorf("%s is no gray picture: %w", name, err)
	}
	if depth != 255 || len(b) < w*h {
		return nil, fmt.Errorf("%s is no gray picture of 8 bits", name)
	}
	return &image.Gray{Pix: b[len(b)-w*h:], Stride: w, Rect: image.Rect(0, 0, w, h)}, nil
}
