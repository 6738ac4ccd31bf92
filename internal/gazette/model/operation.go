package model

// Action is what an amending clause orders. The values are the types of Akoma
// Ntoso's textual modifications where it has one.
type Action string

// The actions.
const (
	Substitute  Action = "substitution" // the unit reads as follows from now on
	Insert      Action = "insertion"    // a new unit after another
	Append      Action = "append"       // added at the end of a unit, or of the act
	Delete      Action = "repeal"       // the unit is gone
	ReplaceText Action = "replacement"  // words replaced by words
	DeleteText  Action = "deletion"     // words struck out
	InsertText  Action = "join"         // words put in after words
	Renumber    Action = "renumbering"
	RepealAct   Action = "repeal-act"
	SuspendAct  Action = "suspension"
)

// Operation is one change of another text, as an amending clause orders it.
// Whatever it can't say for certain stays empty and Manual says why: an
// operation that is not certain is listed for an editor, never applied.
type Operation struct {
	Span             // the clause in the amending text
	Unit      string `json:"unit,omitempty"` // eId of the amending article
	Action    Action `json:"action"`
	Target    Target `json:"target"`
	Article   string `json:"article,omitempty"`   // label of the article concerned: "5"
	Paragraph string `json:"paragraph,omitempty"` // "2": its second paragraph; "last"
	Label     string `json:"label,omitempty"`     // label of the new unit: "5bis"
	Old       string `json:"old,omitempty"`       // words concerned
	New       string `json:"new,omitempty"`       // text put in
	Effective Date   `json:"effective,omitempty"` // when the clause says so itself
	Manual    string `json:"manual,omitempty"`    // code of why it can't be applied mechanically
}

// State is what is known about whether a text holds. Unknown is the zero
// value on purpose: nothing is "in force" by default.
type State string

// The states of a text or of an article at a date.
const (
	Unknown   State = ""
	InForce   State = "in_force"
	Amended   State = "amended" // in force, with changes
	NotYet    State = "not_yet"
	Repealed  State = "repealed"
	Suspended State = "suspended"
)
