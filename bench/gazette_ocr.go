package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"diwan/internal/gazette/extract"
	"diwan/internal/gazette/extract/degrade"
	"diwan/internal/pdf"
)

// sheet is one page of the measurement: its picture and what stands on it.
type sheet struct {
	lang, look, file string
	picture          []byte
	text             string
}

// ocrDPI is the resolution at which pages are looked at.
const ocrDPI = 300

// gazetteOCR makes pages of our own text in both languages and in every state of
// wear, and measures how many characters come back wrong, and how many pages a
// second are read beside tesseract run by hand with as many processes as cores.
func gazetteOCR(ctx context.Context, b *bench, _ string) error {
	tools := extract.FindTools(ctx)
	if missing := tools.Packages(); len(missing) > 0 {
		return fmt.Errorf("%w: install %s", errAbsent, strings.Join(missing, " "))
	}
	sheets, err := makeSheets(ctx, b.work)
	if err != nil {
		return err
	}
	if err := errorTable(ctx, b, tools, sheets); err != nil {
		return err
	}
	return ocrRate(ctx, b, tools, sheets)
}

// makeSheets sets the passages in each language as a page, renders it and wears
// it.
func makeSheets(ctx context.Context, work string) ([]sheet, error) {
	var out []sheet
	for _, lang := range []string{"fr", "ar"} {
		passages, err := os.ReadFile(filepath.Join("internal", "gazette", "extract", "testdata", lang+".txt"))
		if err != nil {
			return nil, err
		}
		d := pdf.New(pdf.Meta{Title: "page", Lang: lang})
		for line := range strings.Lines(string(passages)) {
			d.Paragraph(lang, strings.TrimSpace(line), pdf.Style{Size: 11, Align: pdf.Justify, After: 6})
		}
		name := filepath.Join(work, "page-"+lang)
		f, err := os.Create(name + ".pdf")
		if err != nil {
			return nil, err
		}
		_, err = d.WriteTo(f)
		f.Close()
		if err != nil {
			return nil, err
		}
		if msg, err := exec.CommandContext(ctx, "pdftoppm", "-r", fmt.Sprint(ocrDPI), "-gray", "-png", "-singlefile", name+".pdf", name).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("rendering: %w: %s", err, msg)
		}
		img, err := grayPicture(name + ".png")
		if err != nil {
			return nil, err
		}
		for i, look := range degrade.Looks {
			var buf bytes.Buffer
			if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&buf, degrade.Scan(img, ocrDPI, look, uint64(7+i))); err != nil {
				return nil, err
			}
			s := sheet{lang: lang, look: look.Name, file: fmt.Sprintf("%s-%d.png", name, i), picture: buf.Bytes(), text: string(passages)}
			if err := os.WriteFile(s.file, s.picture, 0o600); err != nil {
				return nil, err
			}
			out = append(out, s)
		}
	}
	return out, nil
}

func grayPicture(name string) (*image.Gray, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		return nil, err
	}
	if g, ok := img.(*image.Gray); ok {
		return g, nil
	}
	g := image.NewGray(img.Bounds())
	for y := img.Bounds().Min.Y; y < img.Bounds().Max.Y; y++ {
		for x := img.Bounds().Min.X; x < img.Bounds().Max.X; x++ {
			g.Set(x, y, img.At(x, y))
		}
	}
	return g, nil
}

// errorTable prints the share of wrong characters by language and wear.
func errorTable(ctx context.Context, b *bench, tools extract.Tools, sheets []sheet) error {
	fmt.Println("characters read wrong, percent")
	for _, s := range sheets {
		page, err := lookAt(ctx, tools, s)
		if err != nil {
			return err
		}
		var text strings.Builder
		for _, l := range page.Lines {
			text.WriteString(l.Text + "\n")
		}
		cer := 100 * extract.CER(strings.Join(strings.Fields(s.text), " "), text.String())
		fmt.Printf("  %s  %-24s %6.2f\n", s.lang, s.look, cer)
		if s.lang == "fr" && strings.Contains(s.look, "skewed") && strings.Contains(s.look, "150") {
			b.atMost("fr_skewed_percent_wrong", cer, 2)
		}
	}
	return nil
}

func lookAt(ctx context.Context, tools extract.Tools, s sheet) (extract.Page, error) {
	source, err := extract.Open(ctx, tools, s.file, s.picture, extract.Options{Lang: s.lang})
	if err != nil {
		return extract.Page{}, err
	}
	defer source.Close()
	page, kept, err := source.Page(ctx, 1)
	if err == nil {
		_, err = jpeg.DecodeConfig(bytes.NewReader(kept))
	}
	return page, err
}

// ocrRate reads the same pages in two ways, in turns so that both meet the same
// machine, with as many at once as there are cores.
func ocrRate(ctx context.Context, b *bench, tools extract.Tools, sheets []sheet) error {
	model := map[string]string{"fr": "fra", "ar": "ara"}
	ours := func(s sheet) error {
		_, err := lookAt(ctx, tools, s)
		return err
	}
	bare := func(s sheet) error {
		cmd := exec.CommandContext(ctx, "tesseract", s.file, "-", "-l", model[s.lang], "--psm", "3", "tsv")
		cmd.Env = append(os.Environ(), "OMP_THREAD_LIMIT=1")
		_, err := cmd.Output()
		return err
	}
	var spent [2]time.Duration
	const rounds = 2
	for range rounds {
		for i, read := range []func(sheet) error{bare, ours} {
			took, err := timeAll(sheets, read)
			if err != nil {
				return err
			}
			spent[i] += took
		}
	}
	n := float64(rounds * len(sheets))
	bareRate, ourRate := n/spent[0].Seconds(), n/spent[1].Seconds()
	fmt.Printf("tesseract by hand %.2f pages/s, ours %.2f pages/s\n", bareRate, ourRate)
	b.atLeast("ocr_rate_of_tesseract", ourRate/bareRate, 0.9)
	return nil
}

// timeAll reads all pages on all cores.
func timeAll(sheets []sheet, read func(sheet) error) (time.Duration, error) {
	start := time.Now()
	next := make(chan sheet)
	errs := make(chan error, len(sheets))
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for s := range next {
				if err := read(s); err != nil {
					errs <- err
				}
			}
		})
	}
	for _, s := range sheets {
		next <- s
	}
	close(next)
	wg.Wait()
	select {
	case err := <-errs:
		return 0, err
	default:
		return time.Since(start), nil
	}
}
