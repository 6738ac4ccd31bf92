package extract

import (
	"context"
	"os/exec"
	"slices"
	"strings"
)

// Tools are the programs found on this machine; an empty path is a program
// that is not there.
type Tools struct {
	Tesseract, PDFToPPM, PDFToText, PDFInfo string
	// Langs are the languages tesseract has data for.
	Langs []string
}

// Missing is one thing to install.
type Missing struct{ Program, Package string }

// FindTools looks for the programs on PATH and asks tesseract for its
// languages.
func FindTools(ctx context.Context) Tools {
	find := func(name string) string {
		p, err := exec.LookPath(name)
		if err != nil {
			return ""
		}
		return p
	}
	t := Tools{Tesseract: find("tesseract"), PDFToPPM: find("pdftoppm"), PDFToText: find("pdftotext"), PDFInfo: find("pdfinfo")}
	if t.Tesseract != "" {
		out, err := command{path: t.Tesseract, args: []string{"--list-langs"}, most: 1 << 16}.run(ctx, Options{}.filled())
		if err == nil {
			t.Langs = strings.Fields(string(out))
		}
	}
	return t
}

// Missing says which programs and data are not there, and the Debian packages
// that bring them. Without them text, HTML and DOCX are still read.
func (t Tools) Missing() []Missing {
	var out []Missing
	add := func(ok bool, program, pkg string) {
		if !ok {
			out = append(out, Missing{program, pkg})
		}
	}
	add(t.PDFInfo != "", "pdfinfo", "poppler-utils")
	add(t.PDFToText != "", "pdftotext", "poppler-utils")
	add(t.PDFToPPM != "", "pdftoppm", "poppler-utils")
	add(t.Tesseract != "", "tesseract", "tesseract-ocr")
	add(slices.Contains(t.Langs, "ara"), "tesseract (ara)", "tesseract-ocr-ara")
	add(slices.Contains(t.Langs, "fra"), "tesseract (fra)", "tesseract-ocr-fra")
	return out
}

// Packages returns the Debian packages of Missing, each once.
func (t Tools) Packages() []string {
	var out []string
	for _, m := range t.Missing() {
		if !slices.Contains(out, m.Package) {
			out = append(out, m.Package)
		}
	}
	return out
}

// CanOCR says whether pages can be looked at in at least one language.
func (t Tools) CanOCR() bool {
	return t.Tesseract != "" && (slices.Contains(t.Langs, "ara") || slices.Contains(t.Langs, "fra"))
}

// canPDF says whether PDF files can be read at all.
func (t Tools) canPDF() bool { return t.PDFInfo != "" && t.PDFToPPM != "" && t.PDFToText != "" }

func (t Tools) need(program string) error {
	var list []string
	for _, m := range t.Missing() {
		if program == "" || strings.HasPrefix(m.Program, program) || strings.HasPrefix(m.Program, "pdf") && program == "pdf" {
			if !slices.Contains(list, m.Package) {
				list = append(list, m.Package)
			}
		}
	}
	return fail(ToolMissing, "install %s", strings.Join(list, " "))
}
