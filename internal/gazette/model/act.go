package model

// Date is a day of the Gregorian calendar, as "2006-01-02"; "" is unknown. A
// year or a month alone is "2006" or "2006-01".
type Date string

// Hijri is a date of the lunar calendar as it was printed; it is stored, never
// computed.
type Hijri struct {
	Day     int    `json:"day,omitempty"`
	Month   int    `json:"month,omitempty"` // 1 to 12
	Year    int    `json:"year,omitempty"`
	Printed string `json:"printed,omitempty"`
}

// IssueRef names an issue of the gazette.
type IssueRef struct {
	Edition string `json:"edition,omitempty"` // of the country pack: "generale", "traduction"…
	Number  int    `json:"number,omitempty"`
	Bis     bool   `json:"bis,omitempty"`
	Date    Date   `json:"date,omitempty"`
	Hijri   Hijri  `json:"hijri,omitzero"`
	Page    int    `json:"page,omitempty"`
}

// Issue is one number of the gazette as found in a source.
type Issue struct {
	IssueRef
	Head    Span           `json:"head"` // its masthead and summary in the text
	Summary []SummaryEntry `json:"summary,omitempty"`
}

// SummaryEntry is one line of the table of contents that an issue prints.
type SummaryEntry struct {
	Span
	Title string `json:"title"`
	Page  int    `json:"page,omitempty"`
	// Act is the index of the act of the body that it announces, -1 when none
	// was found: then either the summary or the segmentation is wrong.
	Act int `json:"act"`
}

// Note is a footnote lifted out of the text it interrupts.
type Note struct {
	Span
	Mark string `json:"mark,omitempty"`
	Text string `json:"text"`
	// At is where its mark stands in the text, -1 when that was not found.
	At int `json:"at"`
}

// Act is one instrument: what was signed and published under one title.
type Act struct {
	Span
	Kind   string `json:"kind"`             // of the country pack: "dahir", "loi", "decret"…; "" unknown
	Number Number `json:"number"`           // zero when it has none or its digits are suspect
	Title  string `json:"title"`            // as printed, on one line
	Short  string `json:"short,omitempty"`  // the subject alone, without kind, number and dates
	Signed Date   `json:"signed,omitempty"` // date in the title
	Hijri  Hijri  `json:"hijri,omitzero"`
	// Authority is who signed: "Chef du gouvernement", as printed.
	Authority   string     `json:"authority,omitempty"`
	Publication []IssueRef `json:"publication,omitempty"` // issues it says it appeared in, the original first

	Preface       Span   `json:"preface"`           // title and what stands before the visas
	Visas         []Span `json:"visas,omitempty"`   // each "Vu…", "Après délibération…"
	Enacting      Span   `json:"enacting,omitzero"` // "Décrète :"
	Body          []Unit `json:"body"`              // books, titles, chapters, articles…
	Closing       Span   `json:"closing,omitzero"`  // place, date, signatures
	Countersigned []Span `json:"countersigned,omitempty"`
	Annexes       []Unit `json:"annexes,omitempty"`
	Notes         []Note `json:"notes,omitempty"`
	// Attached is what this act promulgates or publishes: the law of a dahir.
	Attached []Act `json:"attached,omitempty"`

	// Consolidated is set when the text is an edition that already contains later
	// changes, and says which.
	Consolidated *Consolidated `json:"consolidated,omitempty"`
	// Problems are what the segmentation could not make sense of, by code.
	Problems []Problem `json:"problems,omitempty"`
}

// Consolidated is the head of a consolidated edition.
type Consolidated struct {
	Date Date        `json:"date,omitempty"`
	By   []Amendment `json:"by,omitempty"` // the acts whose changes it contains
}

// Amendment is one line of such a head: who changed the text, and where that
// was published.
type Amendment struct {
	Span
	Kind   string   `json:"kind"`
	Number Number   `json:"number"`
	Signed Date     `json:"signed,omitempty"`
	Issue  IssueRef `json:"issue"`
}

// Problem is a doubt of the segmentation for an editor to look at.
type Problem struct {
	Code   string `json:"code"` // article_gap, article_repeated, no_number, merged_acts, summary_mismatch…
	Detail string `json:"detail,omitempty"`
	At     int    `json:"at"`
}

// UnitKind is the role of a part of an act. The values are the names of Akoma
// Ntoso's elements.
type UnitKind string

// The parts of an act, from the outermost.
const (
	Part       UnitKind = "part"
	Book       UnitKind = "book"
	TitleUnit  UnitKind = "title"
	Chapter    UnitKind = "chapter"
	Section    UnitKind = "section"
	Subsection UnitKind = "subsection"
	Article    UnitKind = "article"
	Paragraph  UnitKind = "paragraph"
	Point      UnitKind = "point"
	Annex      UnitKind = "attachment"
	Table      UnitKind = "table"
)

// Unit is a part of an act. Its span covers its number, heading, own text and
// children; Content is its own text alone.
type Unit struct {
	Span
	Head    Span     `json:"head"` // number and heading
	Kind    UnitKind `json:"kind"`
	EID     string   `json:"eid"`               // art_5, chp_2__art_5: unique in its act
	Label   string   `json:"label"`             // normalised: "5", "5bis", "1"
	Num     string   `json:"num"`               // as printed
	Heading string   `json:"heading,omitempty"` // what follows the number on its line
	Content []Span   `json:"content,omitempty"` // own text; more than one where a note or a page break interrupts
	// Quoted are passages inside quotation marks: text of another act, which
	// this one puts in.
	Quoted   []Span `json:"quoted,omitempty"`
	Repealed bool   `json:"repealed,omitempty"` // its text is only "(repealed)"
	Children []Unit `json:"children,omitempty"`
}

// Walk calls fn for each unit of the tree, parents first.
func Walk(units []Unit, fn func(*Unit)) {
	for i := range units {
		fn(&units[i])
		Walk(units[i].Children, fn)
	}
}

// Document is what was found in one source.
type Document struct {
	Issue *Issue `json:"issue,omitempty"`
	Acts  []Act  `json:"acts"`
	// Skipped are page numbers, running headers and marks of footnotes: no part
	// of any act, although they stand inside.
	Skipped []Span `json:"skipped,omitempty"`
	// Rest is what belongs to no act: opinions printed after one, headings of
	// the issue's sections.
	Rest []Span `json:"rest,omitempty"`
}
