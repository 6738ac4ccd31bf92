package model

// State is where a version of a procedure stands.
type State string

// The states of a version. Listed is the state of versions that come from an
// official list: the list is published law, so its facts may be shown, while the
// administration's own sheet is still missing.
const (
	Draft     State = "draft"     // being prepared by an administration
	Review    State = "review"    // before the commission
	Published State = "published" // shown to the public, never changed again
	Withdrawn State = "withdrawn" // no longer offered
	Listed    State = "listed"    // known from an official list
)

// States lists all states in the order of a procedure's life.
var States = []State{Listed, Draft, Review, Published, Withdrawn}

// moves are the changes of state that exist.
var moves = map[State][]State{
	Draft:     {Review, Withdrawn},
	Review:    {Published, Draft},
	Published: {Withdrawn},
	Listed:    {Withdrawn},
}

// May reports whether a version may go from one state to another.
func (s State) May(to State) bool {
	for _, m := range moves[s] {
		if m == to {
			return true
		}
	}
	return false
}

// Public reports whether versions in this state are shown to everybody.
func (s State) Public() bool { return s == Published || s == Listed }
