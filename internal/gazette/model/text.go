package model

import "sort"

// Lang is a language of the law by its three-letter code, as Akoma Ntoso writes
// it: ara, fra, zgh, eng.
type Lang string

// Span is a piece of a text: bytes from Start up to End, not included.
type Span struct {
	Start int `json:"start"`
	End   int `json:"end"`
}

// Len returns the number of bytes.
func (s Span) Len() int { return s.End - s.Start }

// Contains tells whether a byte lies in the span.
func (s Span) Contains(at int) bool { return s.Start <= at && at < s.End }

// Box is a place on a page image, in pixels from the upper left corner.
type Box struct {
	X int `json:"x"`
	Y int `json:"y"`
	W int `json:"w"`
	H int `json:"h"`
}

// Union returns the smallest box around both; an empty one counts for nothing.
func (b Box) Union(o Box) Box {
	switch {
	case b.W == 0 || b.H == 0:
		return o
	case o.W == 0 || o.H == 0:
		return b
	}
	x, y := min(b.X, o.X), min(b.Y, o.Y)
	return Box{x, y, max(b.X+b.W, o.X+o.W) - x, max(b.Y+b.H, o.Y+o.H) - y}
}

// Line is one line of a text with its place on the page it was read from. Page
// is 0 where the source has no pages.
type Line struct {
	Span
	Page       int
	Box        Box
	Confidence float64 // 0 to 1; 1 where characters were in the file
}

// Text is the repaired text of one source, with its lines in reading order.
type Text struct {
	Body  string
	Lang  Lang // the language most of it is written in
	Lines []Line
	// Suspect says that the digits of this source can't be trusted: no number
	// and no date read from it may be used unchecked.
	Suspect bool
}

// LinesOf returns the lines that a span touches.
func (t *Text) LinesOf(s Span) []Line {
	from := sort.Search(len(t.Lines), func(i int) bool { return t.Lines[i].End > s.Start })
	to := sort.Search(len(t.Lines), func(i int) bool { return t.Lines[i].Start >= s.End })
	if from >= to {
		return nil
	}
	return t.Lines[from:to]
}

// Of returns the text of a span; a span outside the text is cut to it.
func (t *Text) Of(s Span) string {
	start := min(max(s.Start, 0), len(t.Body))
	return t.Body[start:min(max(s.End, start), len(t.Body))]
}
