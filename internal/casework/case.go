package casework

import (
	"time"

	"diwan/internal/casework/clock"
	"diwan/internal/gov"
)

// Terms are what a case begins with and keeps: the procedure and its form as they
// were published on the day of filing.
type Terms struct {
	Procedure string   `json:"procedure"`
	Version   int64    `json:"version"` // of the published procedure
	Form      string   `json:"form"`    // version of the published form; empty without one
	Name      gov.Text `json:"name"`
	// DeadlineDays, Lists and Authority are what the clock counts by.
	DeadlineDays int        `json:"deadline_days"`
	Lists        []string   `json:"lists,omitempty"`
	Authority    string     `json:"authority,omitempty"`
	Documents    []Document `json:"documents,omitempty"`
	// Fee is what is paid before the decision is delivered, 0 nothing.
	Fee gov.Centimes `json:"fee,omitempty"`
	// Output is the type of document that the decision is.
	Output string `json:"output,omitempty"`
	// TwoSign says that who prepares a decision is not who signs it.
	TwoSign bool `json:"two_sign,omitempty"`
	// Appeal says that the case is an appeal against another one, its Earlier.
	Appeal     bool          `json:"appeal,omitempty"`
	LegalBasis []gov.Address `json:"legal_basis,omitempty"`
	Demo       bool          `json:"demo,omitempty"`
}

// Document is one that the published procedure asks for; nothing else may be
// asked.
type Document struct {
	ID   string   `json:"id"`
	Name gov.Text `json:"name"`
	Type string   `json:"type,omitempty"`
	// ByAdministration says that the administration gets it itself, from From.
	ByAdministration bool   `json:"by_administration,omitempty"`
	From             string `json:"from,omitempty"`
	// Sometimes says that it is asked in some cases alone.
	Sometimes bool `json:"sometimes,omitempty"`
}

// Document returns the document with an id.
func (t *Terms) Document(id string) (Document, bool) {
	for _, d := range t.Documents {
		if d.ID == id {
			return d, true
		}
	}
	return Document{}, false
}

// Channels by which a case comes in.
const (
	Online  = "online"
	Counter = "counter" // an officer files for somebody who is present
	API     = "api"     // the administration's own software
)

// Case is one application. What the person said is in its Content, which is
// opened apart.
type Case struct {
	ID             string
	Number         string // what the receipt and the person use
	Administration string
	Unit           string
	Procedure      string
	Terms          string // digest
	Form           string
	Person         string // whose key seals the case: the applicant
	Reference      string // the administration's own pseudonym of the person
	Filer          string // the account that filed it: the applicant, who acts for them, or an officer
	Lang           gov.Lang
	Channel        string
	State          clock.State
	Open           bool
	Filed          gov.Date
	Due            gov.Date // zero when nothing is due
	ToChange       bool     // an appeal was granted and the decision stands unchanged; nothing is due then
	SilenceFrom    gov.Date
	Next           gov.Date // when time changes something; zero never
	Assigned       string
	AskedOf        []string // administrations whose opinion is open
	Earlier        string   // the number of the case that this one, an appeal, contests
	Above          string   // the administration above that the case lies before
	Duplicate      string   // fingerprint of what is asked by whom
	Events         int64
	Version        int64
	Created        time.Time
	Updated        time.Time

	// Preparer is who prepared the decision, and Separate that somebody else takes
	// it; both are known only while something is done to the case.
	Preparer string
	Separate bool
	// Deciders had a hand in what an appeal contests, while somebody works on it.
	Deciders []string
	// Refunder is who asked for a refund, while one is granted.
	Refunder string

	sealed []byte
	head   string
}

// Content is what only those see who may open the case.
type Content struct {
	Applicant gov.Text `json:"applicant"`
	For       gov.Text `json:"for,omitempty"` // who the filer acts for, when not themselves
	Answers   []byte   `json:"answers"`       // canonical JSON of the form's answers
}

// Event is one thing that happened in a case. Those with a type of the clock's
// decide its state; others are in the journal alone.
type Event struct {
	Seq   int64
	Type  string
	On    gov.Date
	At    time.Time
	Actor string // account; empty is the program, when time made it
	Clear Clear
	// Text is what was said: reasons, a message, a question. It lies sealed.
	Text string
	Hash string

	sealed []byte
}

// Clear is the part of an event that stays readable when what the person said is
// erased: it holds no words of anybody.
type Clear struct {
	Complete *bool    `json:"complete,omitempty"`
	Days     int      `json:"days,omitempty"`
	Ground   string   `json:"ground,omitempty"` // a code: of an extension, a refusal, a defect
	Items    []string `json:"items,omitempty"`  // documents or questions concerned
	Files    []string `json:"files,omitempty"`  // ids, one for each item
	State    string   `json:"state,omitempty"`  // that time brought about
	To       string   `json:"to,omitempty"`     // account, unit or administration
	Ref      string   `json:"ref,omitempty"`    // an id: of a file, an exchange, a payment, a case
	For      string   `json:"for,omitempty"`    // account that is away and in whose place the case is held or decided
	Role     string   `json:"role,omitempty"`   // of the actor: person, officer, program
	// Of a document that was presented: from where, who issued it, how it stood, and when
	// (RFC 3339) that was.
	Source   string `json:"source,omitempty"`
	Issuer   string `json:"issuer,omitempty"`
	Standing string `json:"standing,omitempty"`
	Shown    string `json:"shown,omitempty"`
}

// Types of events that are in the journal alone.
const (
	TimePassed  = "time_passed" // Clear.State says what it brought
	Assigned    = "assigned"
	Noted       = "noted"
	MessageSent = "message"
	FileAdded   = "file_added"
	Fetched     = "evidence_fetched"
	FetchFailed = "evidence_failed"
	// ShownByWallet is a document that the person presented from their wallet.
	ShownByWallet = "evidence_presented"
	OpinionAsked  = "opinion_asked"
	OpinionGiven  = "opinion_given"
	Prepared      = "decision_prepared" // and waits for the signature
	Paid          = "paid"
	Refunded      = "refunded"
	Moved         = "moved" // to another unit
)

// Roles of those who act.
const (
	AsPerson  = "person"
	AsOfficer = "officer"
	AsProgram = "program"
)
