package model

import (
	"diwan/internal/gov"
)

// Procedure is one administrative decision that people may ask for, with the
// seven facts that the law on simplification requires to be published: its name
// and legal references, the administrations concerned, the documents, the fees,
// the deadline, what silence means with the remedies, and when expert work or a
// public inquiry may lengthen the deadline.
type Procedure struct {
	ID   string   `json:"id"`
	Name gov.Text `json:"name"`
	// Keywords are everyday words for the same thing, for search only.
	Keywords map[gov.Lang][]string `json:"keywords,omitempty"`
	// Summary says what the decision is for, in one or two sentences.
	Summary gov.Text `json:"summary,omitempty"`
	// WhoCanAsk says who may apply, in words; Audience says it in codes of the
	// country pack, for facets.
	WhoCanAsk gov.Text `json:"who_can_ask,omitempty"`
	Audience  []string `json:"audience,omitempty"`
	Themes    []string `json:"themes,omitempty"`
	// Popular orders the most used procedures on the home page: 1 comes first,
	// 0 is not among them.
	Popular int `json:"popular,omitempty"`

	LegalBasis []LegalRef `json:"legal_basis,omitempty"` // fact 1

	// Competent is the administration that answers for the decision. Receives,
	// Studies and Delivers name the others by the part they take (fact 2).
	Competent string   `json:"competent"`
	Receives  []string `json:"receives,omitempty"`
	Studies   []string `json:"studies,omitempty"`
	Delivers  []string `json:"delivers,omitempty"`
	// Where says in words where to go when the office depends on the person
	// ("the commune of your residence").
	Where gov.Text `json:"where,omitempty"`

	Evidence []Evidence `json:"evidence,omitempty"` // fact 3
	// NoEvidence states that nothing need be brought, which is not the same as
	// a list that nobody filled in.
	NoEvidence bool     `json:"no_evidence,omitempty"`
	Filing     gov.Text `json:"filing,omitempty"` // how to file

	Fees []Fee `json:"fees,omitempty"` // fact 4
	Free bool  `json:"free,omitempty"` // nothing to pay

	Deadline  Deadline  `json:"deadline"` // fact 5
	Silence   Silence   `json:"silence"`  // fact 6
	Remedies  []Remedy  `json:"remedies,omitempty"`
	Extension Extension `json:"extension"` // fact 7

	Steps    []Step   `json:"steps,omitempty"`
	Validity gov.Text `json:"validity,omitempty"`
	// Outputs are document types of the country pack that the decision is.
	Outputs []string `json:"outputs,omitempty"`
	Related []string `json:"related,omitempty"`

	// Listed are the official lists in which the decision stands.
	Listed []Listing `json:"listed,omitempty"`
	// Sources say where the facts come from and when they were checked.
	Sources []Source `json:"sources,omitempty"`
	// Unverified names the fields (their JSON names) that nobody has checked
	// against an official text. A page shows them with that warning.
	Unverified []string `json:"unverified,omitempty"`
	// Translated names the languages whose words were translated here and await
	// a reviewer; the others are as the source prints them.
	Translated []gov.Lang `json:"translated,omitempty"`
	// Demo marks what was invented for demonstration.
	Demo bool `json:"demo,omitempty"`
}

// LegalRef points at a text or an article.
type LegalRef struct {
	Address gov.Address `json:"address"`
	Title   gov.Text    `json:"title"`
	Note    gov.Text    `json:"note,omitempty"`
}

// Who supplies a piece of evidence.
const (
	ByUser           = "user"           // the person brings it
	ByAdministration = "administration" // the administration must get it itself
)

// Evidence is one thing that must be shown.
type Evidence struct {
	ID   string   `json:"id"`
	Name gov.Text `json:"name"`
	// Type is a document type of the country pack, when it is one.
	Type string `json:"type,omitempty"`
	By   string `json:"by"` // ByUser or ByAdministration
	// From is the administration that holds it, Produced the procedure by which
	// a person obtains it.
	From     string `json:"from,omitempty"`
	Produced string `json:"produced,omitempty"`
	// When says in which case it is asked; empty means always.
	When gov.Text `json:"when,omitempty"`
	Note gov.Text `json:"note,omitempty"`
	// The four demands that the law forbids. They are recorded so that a
	// procedure that makes one is refused, and so that an import can report it.
	Copies      int  `json:"copies,omitempty"` // 0 and 1 mean one
	Legalised   bool `json:"legalised,omitempty"`
	Certified   bool `json:"certified,omitempty"`
	NotPersonal bool `json:"not_personal,omitempty"`
	// Legal is the text that requires it.
	Legal gov.Address `json:"legal,omitempty"`
}

// Fee is one amount to pay. Exactly one of Amount, Min with Max, or Rule says
// how much.
type Fee struct {
	Name   gov.Text      `json:"name"`
	Amount *gov.Centimes `json:"amount,omitempty"`
	Min    *gov.Centimes `json:"min,omitempty"`
	Max    *gov.Centimes `json:"max,omitempty"`
	Rule   gov.Text      `json:"rule,omitempty"` // how it is worked out
	When   gov.Text      `json:"when,omitempty"`
}

// Deadline says how long the administration may take, in days as the law counts
// them. More than one term means that it depends on the kind of request.
type Deadline struct {
	Terms []Term `json:"terms,omitempty"`
	// Basis is the text that sets it.
	Basis gov.Address `json:"basis,omitempty"`
	// Elsewhere says which text sets it, when the number is not known here.
	Elsewhere gov.Text `json:"elsewhere,omitempty"`
}

// Term is one deadline.
type Term struct {
	Days   int      `json:"days"`
	AtOnce bool     `json:"at_once,omitempty"` // while the person waits
	When   gov.Text `json:"when,omitempty"`
}

// Max returns the longest term and whether any is known.
func (d Deadline) Max() (days int, known bool) {
	for _, t := range d.Terms {
		days, known = max(days, t.Days), true
	}
	return days, known
}

// What silence means after the deadline.
const (
	SilenceApproval = "approval" // the request is granted
	SilenceAppeal   = "appeal"   // neither yes nor no: an appeal opens
)

// Silence says what it means when no answer comes.
type Silence struct {
	Effect string      `json:"effect,omitempty"` // "" is not known
	Basis  gov.Address `json:"basis,omitempty"`
	Note   gov.Text    `json:"note,omitempty"`
}

// Remedy is a way to contest a refusal or silence.
type Remedy struct {
	Kind string   `json:"kind"` // "administrative" or "court"
	To   gov.Text `json:"to"`
	// Within is the number of days to ask, Answer the days to reply.
	Within int         `json:"within,omitempty"`
	Answer int         `json:"answer,omitempty"`
	Basis  gov.Address `json:"basis,omitempty"`
}

// Whether the deadline may be lengthened for expert work or a public inquiry.
const (
	ExtensionYes = "yes"
	ExtensionNo  = "no"
)

// Extension says whether and why the deadline may be lengthened.
type Extension struct {
	Possible string      `json:"possible,omitempty"` // "" is not known
	Why      gov.Text    `json:"why,omitempty"`
	Basis    gov.Address `json:"basis,omitempty"`
}

// Step is one stage as the person lives it.
type Step struct {
	Title gov.Text    `json:"title"`
	Text  gov.Text    `json:"text,omitempty"`
	Legal gov.Address `json:"legal,omitempty"`
}

// Listing is the row of an official list.
type Listing struct {
	List   string `json:"list"`   // id in the country pack
	Number string `json:"number"` // as cited: "57-1"
	// Name is the decision's name as that list prints it, repaired.
	Name string `json:"name,omitempty"`
	// Terms are the deadlines of that list where they differ from the
	// procedure's own: two texts that contradict each other are both shown.
	Terms []Term `json:"terms,omitempty"`
}

// Source is where facts come from.
type Source struct {
	Title   gov.Text    `json:"title"`
	Address gov.Address `json:"address,omitempty"`
	URL     string      `json:"url,omitempty"`
	Checked gov.Date    `json:"checked"`
}
