package identity

import (
	"slices"
	"time"

	"diwan/internal/gov"
)

// The kinds of representation.
const (
	KindChild   = "child"   // a parent for their child
	KindWard    = "ward"    // a guardian for who is under guardianship
	KindFirm    = "firm"    // a manager for a firm
	KindWritten = "written" // a written mandate of one person to another
)

// declarable are the kinds that whoever acts says of themselves, or a provider
// attests. A written mandate is given by who is represented, and by nobody else.
var declarable = map[string]bool{KindChild: true, KindWard: true, KindFirm: true}

// The states of a mandate.
const (
	mandateOffered = "offered" // given, and waiting to be accepted
	mandateActive  = "active"
	mandateEnded   = "ended"
	mandateRefused = "refused"
)

// Mandate says that one person may act for another, or for a firm. Only an active
// one within its days opens anything; the days are those of the country, both
// included.
type Mandate struct {
	ID, Kind, State string
	Agent           string // the account that acts; empty while offered
	Principal       string // the account that is represented; empty for children and firms
	// Scheme and Number name a firm openly, and a child or ward by a keyed hash of
	// the number that their provider or parent gave.
	Scheme, Number string
	Name           gov.Text // of who is represented
	// Procedures bound the mandate; none means all of them.
	Procedures  []string
	From, Until gov.Date // Until may be zero: until it is ended
	// AttestedBy is the provider that vouches for it; empty means that the person
	// said so, and that an administration has to check it.
	AttestedBy string
	Created    time.Time
	EndedBy    string
}

// On reports whether the mandate holds on a day.
func (m *Mandate) On(day gov.Date) bool {
	return m.State == mandateActive && !day.Before(m.From) && (m.Until.IsZero() || !m.Until.Before(day))
}

// Subject is who a thing is done for: the person who is signed in, or somebody they
// act for.
type Subject struct {
	// ID stays the same for the same person or firm: an account, "SCHEME:NUMBER"
	// for what an attested number names, "mandate:…" for who has neither.
	ID   string
	Name gov.Text
	// Agent is the account that is signed in.
	Agent string
	// Mandate is empty when they act for themselves.
	Mandate, Kind  string
	Scheme, Number string
	Procedures     []string
	// Declared says that nobody but the agent vouches for the mandate.
	Declared bool
}

// Self reports whether somebody acts for themselves.
func (s Subject) Self() bool { return s.Mandate == "" }

// Covers reports whether the mandate reaches a procedure.
func (s Subject) Covers(procedure string) bool {
	return len(s.Procedures) == 0 || slices.Contains(s.Procedures, procedure)
}

// subject says whom a mandate stands for.
func (m *Mandate) subject() Subject {
	s := Subject{Name: m.Name, Agent: m.Agent, Mandate: m.ID, Kind: m.Kind, Scheme: m.Scheme, Number: m.Number, Procedures: m.Procedures,
		Declared: m.AttestedBy == "" && m.Kind != KindWritten}
	switch {
	case m.Principal != "":
		s.ID = m.Principal
	case m.Number != "" && m.AttestedBy != "":
		s.ID = m.Scheme + ":" + m.Number
	default: // a number that nobody checked names nobody: it would open the cases of others
		s.ID = "mandate:" + m.ID
	}
	return s
}
