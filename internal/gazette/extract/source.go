package extract

import (
	"context"
	"sync"
)

// Source is one open file. Page may be called from several goroutines at once:
// an importer reads as many pages side by side as there are cores, and saves
// each when it is done.
type Source struct {
	name    string
	format  string
	raw     []byte
	tools   Tools
	options Options
	pages   int
	read    func(ctx context.Context, n int) (Page, []byte, error)
	close   func() error

	mu    sync.Mutex
	found string // the language of the pages read so far
}

// Open looks at the bytes of a file and gets it ready to be read page by page.
// name is for reports only; the type is told by the content. Close it after
// use. Errors carry an *Error.
func Open(ctx context.Context, tools Tools, name string, data []byte, o Options) (*Source, error) {
	o = o.filled()
	s := &Source{name: name, raw: data, tools: tools, options: o, close: func() error { return nil }}
	if int64(len(data)) > o.MaxBytes {
		return nil, fail(TooLarge, "%d bytes", len(data))
	}
	kind, err := sniff(data)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "pdf":
		s.format, err = FormatPDF, s.openPDF(ctx)
	case "png", "jpeg", "tiff", "webp":
		s.format, err = FormatImage, s.openPicture(kind)
	case "akn":
		s.format, s.pages = FormatAKN, 0
	case "docx":
		s.format, err = FormatDOCX, s.openLines(readDOCX)
	case "html":
		s.format, err = FormatHTML, s.openLines(readHTML)
	default:
		s.format, err = FormatText, s.openLines(readText)
	}
	if err != nil {
		_ = s.close()
		return nil, err
	}
	return s, nil
}

// Name is the name given to Open.
func (s *Source) Name() string { return s.name }

// Format says what the file is.
func (s *Source) Format() string { return s.format }

// Pages says how many pages Page will give. Akoma Ntoso has none: read Raw.
func (s *Source) Pages() int { return s.pages }

// Raw returns the bytes of the file; they must not be changed.
func (s *Source) Raw() []byte { return s.raw }

// Close takes away what reading put on disk.
func (s *Source) Close() error { return s.close() }

// Page reads page n, from 1, and gives the picture of it that is to be kept
// (JPEG, gray), or nil for formats without pictures. An error is about this
// page alone: the others can still be read.
func (s *Source) Page(ctx context.Context, n int) (Page, []byte, error) {
	if n < 1 || n > s.pages {
		return Page{}, nil, fail(Empty, "there is no page %d", n)
	}
	return s.read(ctx, n)
}

// ReadAll reads every page, one after the other, and marks running heads.
func (s *Source) ReadAll(ctx context.Context) (Document, error) {
	d := Document{Format: s.format}
	for n := 1; n <= s.pages; n++ {
		p, _, err := s.Page(ctx, n)
		if err != nil {
			return d, err
		}
		d.Pages = append(d.Pages, p)
	}
	MarkRunning(d.Pages)
	return d, nil
}

// lang is the language to try first: the one ordered, or the one found before.
func (s *Source) lang() string {
	if s.options.Lang != "" {
		return s.options.Lang
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.found
}

func (s *Source) remember(lang string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.found = lang
}

// openLines opens a format that has lines but no pages: its lines are cut into
// pages so that each can be saved by itself.
func (s *Source) openLines(read func([]byte, Options) ([]Line, error)) error {
	lines, err := read(s.raw, s.options)
	if err != nil {
		return err
	}
	if len(lines) == 0 {
		return fail(Empty, "no text in it")
	}
	per := s.options.LinesOnPage
	s.pages = (len(lines) + per - 1) / per
	if s.pages > s.options.MaxPages {
		return fail(TooManyPages, "%d lines", len(lines))
	}
	s.read = func(_ context.Context, n int) (Page, []byte, error) {
		part := lines[(n-1)*per : min(n*per, len(lines))]
		return Page{Number: n, Method: MethodText, Lang: langOf(part), Lines: part, Confidence: confidenceOf(part), Disagreement: -1}, nil, nil
	}
	return nil
}
