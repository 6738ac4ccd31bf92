package clock

import (
	"embed"
	"io/fs"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/i18n"
)

//go:embed messages/*.json
var messages embed.FS

// Messages returns the words of the clock, all under "clock.".
func Messages() fs.FS {
	f, err := fs.Sub(messages, "messages")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return f
}

// Words says what the clock found in one language.
type Words struct {
	Printer *i18n.Printer
	// Date and Number write a day and a whole number as the readers do.
	Date   func(gov.Date) string
	Number func(int) string
	// Lang and Order choose among the languages of the country's own words.
	Lang  gov.Lang
	Order []gov.Lang
	// Known reports whether there is a message; nil means that there is.
	Known func(key string) bool
}

// Say puts one step of an explanation into a sentence. The article that it rests
// on follows in brackets, and the name of the reading when it is one that a
// lawyer may change.
func (w Words) Say(r *Rules, e Entry) string {
	pairs := make([]string, 0, 2*len(e.Args)+2)
	if !e.On.IsZero() {
		pairs = append(pairs, "on", w.Date(e.On))
	}
	for k, v := range e.Args {
		pairs = append(pairs, k, w.arg(r, k, v))
	}
	s := w.Printer.T("clock.explain."+e.Code, pairs...)
	if n := ArticleNumber(e.Article); n != "" {
		s += w.Printer.T("clock.article", "article", n)
	}
	if e.Setting != "" && r.Settings[e.Setting].Status == Interpretation {
		s += w.Printer.T("clock.reading", "setting", e.Setting)
	}
	return s
}

// arg writes one argument by the kind that its name tells.
func (w Words) arg(r *Rules, name, value string) string {
	above := gov.Text(nil)
	switch name {
	case "escalation_to":
		above = r.Authorities[value].EscalationTo
	case "appeal_to":
		above = r.Authorities[value].AppealTo
	case "referral_to":
		above = r.Authorities[value].ReferralTo
	case "due", "from", "to", "day":
		if d, err := gov.ParseDate(value); err == nil {
			return w.Date(d)
		}
	case "days", "used", "left":
		n := 0
		for _, c := range value {
			n = n*10 + int(c-'0')
		}
		return w.Printer.N("clock.days", n, w.Number(n))
	case "event", "timer":
		return w.name(name, value)
	case "why":
		return w.Printer.T("problem.clock." + value)
	}
	if above != nil {
		said, _ := above.In(w.Lang, w.Order)
		return said
	}
	return value
}

// name says an event or a timer; a country may have periods of its own that the
// messages do not know.
func (w Words) name(kind, value string) string {
	key := "clock." + kind + "." + value
	if w.Known != nil && !w.Known(key) {
		return value
	}
	return w.Printer.T(key)
}

// State says a state, Timer the name of a period and Rejection why an event was
// not accepted.
func (w Words) State(s State) string      { return w.Printer.T("clock.state." + string(s)) }
func (w Words) Timer(name string) string  { return w.name("timer", name) }
func (w Words) Rejection(c string) string { return w.Printer.T("problem.clock." + c) }

// ArticleNumber returns what people call an article: "16" for "…#art_16".
func ArticleNumber(a gov.Address) string {
	_, n, _ := strings.Cut(a.Article(), "_")
	return n
}
