package model

// Relation says what one text does to another. The values are stable: they
// stand in addresses, exports and saved searches.
type Relation string

// The relations, from the weakest.
const (
	Cites       Relation = "cites"
	Basis       Relation = "basis" // "Vu…": the text rests on it
	Applies     Relation = "applies"
	Promulgates Relation = "promulgates"
	Extends     Relation = "extends"
	Completes   Relation = "completes"
	Amends      Relation = "amends"
	Replaces    Relation = "replaces"
	Repeals     Relation = "repeals"
)

// Relations lists them for validation and facets.
var Relations = []Relation{Cites, Basis, Applies, Promulgates, Extends, Completes, Amends, Replaces, Repeals}

// Target is a text, or a place in one, as a citation names it.
type Target struct {
	Kind   string `json:"kind"` // of the country pack
	Number Number `json:"number,omitempty"`
	Date   Date   `json:"date,omitempty"`
	// Self: the citing text itself ("the present law").
	Self bool `json:"self,omitempty"`
	// Articles are the places named: "5", "5bis"; a range stands as its ends
	// with ".." between: "5..9".
	Articles  []string `json:"articles,omitempty"`
	Paragraph string   `json:"paragraph,omitempty"` // "1" is the first
	Point     string   `json:"point,omitempty"`
	Issue     IssueRef `json:"issue,omitzero"` // "B.O. n° … du …" beside the citation
}

// Citation is one mention of a text.
type Citation struct {
	Span
	Relation Relation `json:"relation"`
	// Aside: it only tells how another text that is named came to be ("promulgated
	// by…", "as amended by…").
	Aside  bool   `json:"aside,omitempty"`
	Target Target `json:"target"`
	// Unit is the eId of the unit it stands in; "" in preface and visas.
	Unit    string `json:"unit,omitempty"`
	Printed string `json:"printed"`
}
