package form

import (
	"encoding/json"

	"diwan/internal/gov"
)

// Doc is a form document as it is written, read and published. A published
// document never changes: a case keeps the version it began with.
type Doc struct {
	ID        string   `json:"id"`
	Version   string   `json:"version"`
	Procedure string   `json:"procedure"` // the procedure whose case it opens
	Title     gov.Text `json:"title"`
	// Languages are those in which the whole form is worded.
	Languages []gov.Lang `json:"languages"`
	// Review names the languages whose wording waits for a speaker's review; the
	// reader is told.
	Review []gov.Lang `json:"review,omitempty"`
	// Demonstration says that the form was made for a demonstration; the reader
	// is told, with Note.
	Demonstration bool     `json:"demonstration,omitempty"`
	Note          gov.Text `json:"note,omitempty"`
	// Schema is the JSON Schema 2020-12 of the answers.
	Schema json.RawMessage `json:"schema"`
	Pages  []Page          `json:"pages"`
	// Declaration is what the person declares on honour; a question of kind
	// "signature" shows it.
	Declaration gov.Text `json:"declaration,omitempty"`
}

// Page is what is asked at once: one thing.
type Page struct {
	ID    string   `json:"id"`
	Title gov.Text `json:"title"`
	Intro gov.Text `json:"intro,omitempty"`
	// When is a condition; the page is passed over while it is false.
	When string `json:"when,omitempty"`
	// Repeat makes the page's questions those of each item of a group.
	Repeat    *Repeat    `json:"repeat,omitempty"`
	Questions []Question `json:"questions"`
}

// Repeat is a group of items that are asked the same questions.
type Repeat struct {
	Name string `json:"name"` // the array in the answers
	Min  int    `json:"min,omitempty"`
	Max  int    `json:"max"`
	// Title names one item; "{n}" stands for its number.
	Title gov.Text `json:"title"`
}

// Question is one question.
type Question struct {
	// Name is where the answer stands, "land.title"; in a repeated group it is
	// counted from the item.
	Name     string   `json:"name"`
	Kind     string   `json:"kind"`
	Label    gov.Text `json:"label"`
	Hint     gov.Text `json:"hint,omitempty"`
	When     string   `json:"when,omitempty"`
	Required bool     `json:"required,omitempty"`
	Options  []Option `json:"options,omitempty"`
	// Compute is an expression; the answer is shown and can't be typed.
	Compute string `json:"compute,omitempty"`
	// Must are conditions on the answer, each with what to do when it is false.
	Must []Rule `json:"must,omitempty"`
	// Evidence is the id of the procedure's document that this answers: by a file,
	// by the route of Once, or, where the document is only information, by itself.
	Evidence string `json:"evidence,omitempty"`
	// Once says who holds the document and how it is fetched.
	Once *Once `json:"once,omitempty"`
	// Known names the fact from which the answer may be filled in beforehand.
	Known string `json:"known,omitempty"`
	// Scheme is an identifier scheme of the country that the number follows.
	Scheme string `json:"scheme,omitempty"`
	// Script is "latin", "arabic" or empty: in which script the answer is written.
	Script       string   `json:"script,omitempty"`
	Autocomplete string   `json:"autocomplete,omitempty"` // a token of HTML
	Unit         gov.Text `json:"unit,omitempty"`
	// Time bounds a date: "past" is today at the latest, "future" today at the
	// earliest.
	Time string `json:"time,omitempty"`
	// Bounds of a point: south, west, north, east, in degrees.
	Bounds []float64 `json:"bounds,omitempty"`
	// Error replaces the sentence shown when the schema refuses the answer.
	Error gov.Text `json:"error,omitempty"`
}

// Option is one answer among several.
type Option struct {
	Value string   `json:"value"`
	Label gov.Text `json:"label"`
	Hint  gov.Text `json:"hint,omitempty"`
}

// Rule is a condition that answers must meet.
type Rule struct {
	That string   `json:"that"` // an expression that must be true
	Say  gov.Text `json:"say"`  // what to do otherwise
}

// Once is the route by which a document that an administration holds is fetched
// instead of being asked for.
type Once struct {
	From    string   `json:"from"`    // the administration that holds it
	Service string   `json:"service"` // the data service at the exchange
	Fields  []string `json:"fields"`  // what is read
	Purpose gov.Text `json:"purpose"`
	Days    int      `json:"days"` // how long the consent lasts
}

// The routes of a document that can be fetched.
const (
	RouteFetch  = "fetch"  // the administration gets it, with the person's consent
	RouteBring  = "bring"  // the person brings it
	RouteWallet = "wallet" // the person presents it from the wallet
)

// Doc returns the document of the form. It shares nothing with the form.
func (f *Form) Doc() Doc {
	var d Doc
	b, err := json.Marshal(f.doc)
	if err == nil {
		err = json.Unmarshal(b, &d)
	}
	if err != nil {
		panic(err) // the document was read from JSON
	}
	return d
}

// JSON writes the document.
func (f *Form) JSON() []byte {
	b, err := json.MarshalIndent(f.doc, "", " ")
	if err != nil {
		panic(err) // the document was read from JSON
	}
	return append(b, '\n')
}
