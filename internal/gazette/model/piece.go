package model

import "strings"

// PieceKind is the role of a piece of a text: a UnitKind, or one of these.
type PieceKind string

// The pieces of a text besides its units.
const (
	PiecePreface PieceKind = "preface"
	PieceVisa    PieceKind = "citation"
	PieceFormula PieceKind = "formula" // the enacting formula
	PieceClosing PieceKind = "conclusions"
	PieceNote    PieceKind = "note"
	PieceText    PieceKind = "content" // text of a body that has no articles
)

// Piece is one part of a text as it reads from a day on. A text is the list of
// its pieces in order; the tree is told by Depth, which counts the containers
// around a piece. Pages, Akoma Ntoso, PDF, search and comparison are all made
// from this list, so they can't disagree.
type Piece struct {
	Kind    PieceKind `json:"kind"`
	EID     string    `json:"eid"`
	Depth   int       `json:"depth,omitempty"`
	Label   string    `json:"label,omitempty"`
	Num     string    `json:"num,omitempty"`
	Heading string    `json:"heading,omitempty"`
	// Text is its own text, a paragraph a line, lines of the print joined. A
	// line that begins with a tab is a row of a table, its cells between tabs.
	Text     string `json:"text,omitempty"`
	Repealed bool   `json:"repealed,omitempty"`

	// From is the day from which it reads so, By the work that made it read so;
	// empty for what the text said at first.
	From Date   `json:"from,omitempty"`
	By   string `json:"by,omitempty"`

	// Where it was read: page of the source and box on its image. Confidence is
	// the reader's, 0 to 1.
	Page       int     `json:"page,omitempty"`
	Box        Box     `json:"box,omitzero"`
	Confidence float64 `json:"confidence,omitempty"`
}

// IsArticle tells a provision, the unit that is cited, searched and amended.
func (p *Piece) IsArticle() bool { return p.Kind == PieceKind(Article) }

// IsContainer tells a unit that holds others: a book, a chapter.
func (p *Piece) IsContainer() bool {
	switch UnitKind(p.Kind) {
	case Part, Book, TitleUnit, Chapter, Section, Subsection:
		return true
	}
	return false
}

// Paragraphs returns the lines of its text that are not empty.
func (p *Piece) Paragraphs() []string {
	var out []string
	for line := range strings.Lines(p.Text) {
		if strings.TrimSpace(line) != "" {
			out = append(out, strings.TrimRight(line, "\r\n"))
		}
	}
	return out
}

// Title is how a piece is named: its number and its heading.
func (p *Piece) Title() string {
	switch {
	case p.Heading == "":
		return p.Num
	case p.Num == "":
		return p.Heading
	}
	return p.Num + " – " + p.Heading
}
