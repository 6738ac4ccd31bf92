package extract

import (
	"errors"
	"fmt"
)

// The formats that Open tells apart.
const (
	FormatPDF   = "pdf"
	FormatImage = "image"
	FormatDOCX  = "docx"
	FormatHTML  = "html"
	FormatText  = "text"
	FormatAKN   = "akn" // only told apart; Source.Raw gives its bytes back
)

// The ways a page was read.
const (
	MethodText = "text" // from the characters in the file
	MethodOCR  = "ocr"  // by looking at its picture
)

// Document is a whole file, read.
type Document struct {
	Format string
	Pages  []Page
}

// Page is one page in reading order. Places are pixels at DPI; formats without
// pages have no size and no places.
type Page struct {
	Number        int // from 1
	Width, Height int
	DPI           int
	Method        string
	Lang          string // "ar" or "fr" by what was read; "" when there is nothing to tell by
	Lines         []Line
	// Confidence is from 0 to 1, the mean over characters.
	Confidence float64
	// Disagreement is the share of characters that differ between the text
	// layer and what was seen, from 0 to 1; -1 when they were not compared.
	Disagreement float64
	// Other holds the lines of the way that was not chosen, when both exist.
	Other []Line
	// Skew is by how many degrees the page was turned to stand straight,
	// counter-clockwise. The places are those on the straightened page.
	Skew float64
}

// Line is one line of print.
type Line struct {
	Text       string
	Box        Box
	Confidence float64
	Column     int // 0 spans the page, 1 is the first to read
	Role       Role
}

// Role is what a line is for.
type Role string

// The roles. Tables of DOCX and HTML give one line for each row, its cells
// parted by tabs.
const (
	Body     Role = "body"
	Header   Role = "header"
	Footer   Role = "footer"
	Footnote Role = "footnote"
	Heading  Role = "heading"
	Row      Role = "row"
)

// Box is a place on a page; X and Y are its top left corner.
type Box struct{ X, Y, W, H int }

func (b Box) right() int  { return b.X + b.W }
func (b Box) bottom() int { return b.Y + b.H }

func (b Box) union(c Box) Box {
	if b.W == 0 && b.H == 0 {
		return c
	}
	x, y := min(b.X, c.X), min(b.Y, c.Y)
	return Box{x, y, max(b.right(), c.right()) - x, max(b.bottom(), c.bottom()) - y}
}

// Code says what went wrong, for programs and for the words of a report.
type Code string

// The codes. They do not change.
const (
	Encrypted    Code = "encrypted"      // needs a password
	Truncated    Code = "truncated"      // cut short or damaged
	TooLarge     Code = "too_large"      // over a bound of size
	TooManyPages Code = "too_many_pages" // over the bound of pages
	WrongType    Code = "wrong_type"     // not one of the formats, or not what it claims
	ToolMissing  Code = "tool_missing"   // a program is not installed
	ToolFailed   Code = "tool_failed"    // a program gave up
	Timeout      Code = "timeout"        // over the bound of time
	Empty        Code = "empty"          // nothing in it
)

// Error is why a file or a page could not be read.
type Error struct {
	Code   Code
	Detail string // for the report, in English
	Err    error  // the cause, for the log
}

func (e *Error) Error() string {
	s := string(e.Code)
	if e.Detail != "" {
		s += ": " + e.Detail
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

func fail(c Code, format string, args ...any) *Error {
	return &Error{Code: c, Detail: fmt.Sprintf(format, args...)}
}

// CodeOf returns the code of an error of this package, "" for others.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
