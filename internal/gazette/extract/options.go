package extract

import "time"

// Mode says when pages of PDF files are looked at.
type Mode int

// The modes.
const (
	OCRPoor   Mode = iota // when the text layer is missing or poor, or says Arabic and tesseract is there
	OCRAlways             // every page, to compare
	OCRNever              // text layers only
)

// Options bounds and guides the reading of one file. The zero value is good.
type Options struct {
	OCR  Mode
	Lang string // "ar", "fr" or "" to find out page by page

	MaxBytes    int64         // of the file; 0 is 512 MiB
	MaxPages    int           // 0 is 5,000
	MaxPixels   int           // of one picture; 0 is 60 million
	MaxSide     int           // pixels of its longer side; 0 is 20,000
	MaxText     int           // bytes of text in all of a DOCX, HTML or text file; 0 is 64 MiB
	MaxMemory   int64         // bytes each program may take; 0 is 1.5 GiB
	PageTimeout time.Duration // for each program on each page; 0 is 2 minutes
	LinesOnPage int           // at which formats without pages are cut into pages; 0 is 400
}

func (o Options) filled() Options {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 512 << 20
	}
	if o.MaxPages <= 0 {
		o.MaxPages = 5000
	}
	if o.MaxPixels <= 0 {
		o.MaxPixels = 60e6
	}
	if o.MaxSide <= 0 {
		o.MaxSide = 20000
	}
	if o.MaxText <= 0 {
		o.MaxText = 64 << 20
	}
	if o.MaxMemory <= 0 {
		o.MaxMemory = 1536 << 20
	}
	if o.PageTimeout <= 0 {
		o.PageTimeout = 2 * time.Minute
	}
	if o.LinesOnPage <= 0 {
		o.LinesOnPage = 400
	}
	return o
}
