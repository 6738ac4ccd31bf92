package model

// Work is a text of law in the abstract: what all its languages and versions
// have in common.
type Work struct {
	ID     string `json:"work"` // address by the naming convention
	Kind   string `json:"kind"`
	Number Number `json:"number,omitempty"`
	// Titles are the titles by language, as printed, without kind and number where
	// the print allows it.
	Titles    map[Lang]string `json:"titles"`
	Signed    Date            `json:"signed,omitempty"`
	Hijri     Hijri           `json:"hijri,omitzero"`
	Authority string          `json:"authority,omitempty"`
	Subject   string          `json:"subject,omitempty"` // id of a subject of the index
	// Suspect says that its number and dates come from a source whose digits can't
	// be trusted, and nobody has confirmed them.
	Suspect bool   `json:"suspect,omitempty"`
	Status  Status `json:"status"`
	// Cited counts the works that name it.
	Cited int `json:"cited"`
	// Demo marks what was invented for the demonstration.
	Demo bool `json:"demo,omitempty"`
}

// Status is the state of a work with its reasons: what was found, where, and
// since when it holds. A state without reasons is Unknown.
type Status struct {
	State   State    `json:"state"`
	Since   Date     `json:"since,omitempty"`
	By      string   `json:"by,omitempty"` // the work that made it so
	Reasons []Reason `json:"reasons,omitempty"`
}

// Reason is one fact that a state rests on.
type Reason struct {
	Code string `json:"code"` // repealed_by, amended_by, repeal_mark, consolidated_edition, entry_into_force…
	Work string `json:"work,omitempty"`
	EID  string `json:"eid,omitempty"` // the place in that work
	Date Date   `json:"date,omitempty"`
	Text string `json:"text,omitempty"` // words of the source, when they are the reason
}

// Form says what kind of text an expression is.
type Form string

// The forms of a text.
const (
	OriginalForm     Form = "original"     // as it was published; later changes are applied to it here
	ConsolidatedForm Form = "consolidated" // an edition that already holds later changes
)

// Expression is one language's text of a work from one source, as it reads on
// one day.
type Expression struct {
	ID      string `json:"id"`
	Work    string `json:"work"`
	Lang    Lang   `json:"lang"`
	Form    Form   `json:"form"`
	Version Date   `json:"version,omitempty"` // the day from which it reads so
	Until   Date   `json:"until,omitempty"`   // the day from which it reads otherwise
	Title   string `json:"title"`
	Short   string `json:"short,omitempty"`

	Publication  []IssueRef    `json:"publication,omitempty"`
	Consolidated *Consolidated `json:"consolidated,omitempty"`
	Problems     []Problem     `json:"problems,omitempty"`
	Source       string        `json:"source,omitempty"`
	Pieces       []Piece       `json:"pieces"`
}

// Link is a citation that was looked up: the place in a piece, and the work it
// names if the gazette holds it.
type Link struct {
	Citation
	EID    string `json:"eid"`              // the piece it stands in; its span counts in that piece's text
	From   string `json:"from"`             // the citing work
	To     string `json:"to,omitempty"`     // the cited work; "" when it is not held or not certain
	ToEID  string `json:"to_eid,omitempty"` // the place in it
	Active bool   `json:"active,omitempty"` // an operation was read from it
}
