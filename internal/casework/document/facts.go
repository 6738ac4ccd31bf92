package document

import (
	"strings"
	"time"
	"unicode"

	"diwan/internal/gov"
)

// Facts are what every document of a case says.
type Facts struct {
	Number string    // of the case
	At     time.Time // when the document was made; it goes into its metadata
	// Langs overrides the languages of the Maker.
	Langs     []gov.Lang
	Office    gov.Text // the administration
	Unit      gov.Text // may be empty
	Procedure gov.Text // the decision that is asked for
	Applicant gov.Text
	For       gov.Text // on whose behalf the applicant acts; may be empty
	Filed     gov.Date
	// LegalBasis are the texts that the document rests on, as they are cited.
	LegalBasis []gov.Text
	// Verify is the address of the page that tells whether the document is genuine,
	// Code what one types there.
	Verify, Code string
	// Title stands in the place of the kind of document, for one that has a name of its
	// own.
	Title gov.Text
	// Contested is the number of the case that an appeal contests; empty when the case
	// is none.
	Contested string
	// Demo marks what was made for a demonstration.
	Demo bool
}

// ReceiptFacts are what a receipt says.
type ReceiptFacts struct {
	Facts
	FiledAt time.Time // the hour is shown when it is not zero
	// Missing is the whole list of what a file lacks; none means that the file is
	// complete.
	Missing []gov.Text
	// CompleteBy is the last day to bring what is missing.
	CompleteBy gov.Date
	// Days is the announced period, 0 for what is done at once, Due the last day of the answer, SilenceFrom the
	// first day on which silence has its effect. Due and SilenceFrom are zero while
	// the file is not complete.
	Days             int
	Due, SilenceFrom gov.Date
	// SilenceApproves says that silence means yes; otherwise it opens an appeal.
	SilenceApproves bool
}

// Remedy is a way to contest a decision.
type Remedy struct {
	Name  gov.Text // which remedy it is
	To    gov.Text // before whom; may be empty
	Until gov.Date // its last day; zero when it has none
}

// DecisionFacts are what a decision says.
type DecisionFacts struct {
	Facts
	Granted bool
	On      gov.Date
	// Reasons are the reasons of a refusal or the conditions of what is granted, as
	// they were written.
	Reasons  []gov.Text
	Remedies []Remedy
	Signer   gov.Text // who decided, with their function; may be empty
}

// CertificateFacts are what a certificate of silence says.
type CertificateFacts struct {
	Facts
	Issuer  gov.Text // the authority above
	Council gov.Text // whose silence it was
	On      gov.Date
	Expired gov.Date // the last day of the period
	// Letter is the reference of the letter that asked the president to explain, and
	// LetterOn its day; without one none is spoken of.
	Letter   string
	LetterOn gov.Date
	// Answered says that the president answered the letter.
	Answered bool
	// Ref is the number of the certificate, and Reasons what it says besides; empty
	// where there is none.
	Ref     string
	Reasons gov.Text
	Signer  gov.Text
	Place   gov.Text // where it is issued; may be empty
}

// clean takes out of a value what could move or hide the text around it: control
// characters, marks of direction, and anything past a bound.
func clean(s string) string {
	const longest = 4000
	out := make([]rune, 0, min(len(s), longest))
	for _, r := range s {
		switch {
		case r == '\n':
		case unicode.IsSpace(r):
			r = ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == 0xfeff, r == unicode.ReplacementChar,
			r >= 0x2028 && r <= 0x2029, unicode.Is(unicode.Co, r), unicode.Is(unicode.Cs, r):
			continue
		}
		if len(out) == longest {
			break
		}
		out = append(out, r)
	}
	return string(out)
}

// leftToRight is the mark of that direction.
const leftToRight = "\u200e"

// code is a number or a reference that reads from left to right wherever it
// stands: a mark before it keeps the parts of "2026-4XWD" in their order in
// right-to-left text.
func code(s string) string {
	if s = strings.ReplaceAll(clean(s), "\n", " "); s == "" {
		return ""
	}
	return leftToRight + s
}
