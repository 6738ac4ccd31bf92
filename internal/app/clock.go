package app

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"diwan/country"
	"diwan/internal/casework/clock"
	"diwan/internal/gov"
	"diwan/internal/i18n"
	"diwan/internal/web"
)

// clockFile is the file of a country pack that holds the rules of the clock.
const clockFile = "clock.json"

// ErrNoClock says that a country pack has no rules for the statutory clock: then
// no application can be opened.
var ErrNoClock = errors.New("this country pack has no rules of the clock: it has no " + clockFile)

// ErrNoLanguage says that a country does not speak a language that was asked for.
var ErrNoLanguage = errors.New("no such language")

// ClockRules reads the statutory clock of a country, in the country's calendar.
func ClockRules(pack *country.Pack) (clock.Rules, error) {
	var r clock.Rules
	switch err := country.Decode(pack.Files, clockFile, &r); {
	case errors.Is(err, fs.ErrNotExist):
		return r, ErrNoClock
	case err != nil:
		return r, err
	}
	if err := r.Init(); err != nil {
		return r, fmt.Errorf("country pack: %s: %w", clockFile, err)
	}
	return r.In(pack.Country.Calendar()), nil
}

// ClockWords returns the words of the clock in a language of the country.
func ClockWords(c *gov.Country, words *i18n.Catalog, lang gov.Lang) clock.Words {
	f := web.NewFormat(c, lang)
	return clock.Words{Printer: words.Printer(string(lang)), Date: f.Date, Number: f.Number, Lang: lang, Order: c.Order(),
		Known: func(key string) bool { return words.Has(string(lang), key) }}
}

// ClockAnswer is what `diwan clock` prints: the fields that other programs rely
// on, then what only the curious need. A date that there is not is null.
type ClockAnswer struct {
	State       clock.State       `json:"state"`
	Due         *gov.Date         `json:"due"`
	SilenceFrom *gov.Date         `json:"silence_from"`
	HalfUntil   *gov.Date         `json:"half_until"`
	Timers      []clock.Timer     `json:"timers"`
	Rejected    []clock.Rejection `json:"rejected"`
	Explain     []string          `json:"explain"`

	Left        int                        `json:"left,omitempty"`
	Overdue     []clock.Timer              `json:"overdue"`
	Transitions []clock.Transition         `json:"transitions"`
	Next        *gov.Date                  `json:"next"`
	Change      *gov.Date                  `json:"change"`
	FetchNotice *gov.Date                  `json:"fetch_notice"`
	May         map[clock.EventType]string `json:"may,omitempty"`
	Steps       []clock.Entry              `json:"steps"`

	words clock.Words
}

// Clock runs the statutory clock of a country pack, the built-in one when dir is
// empty, over one case as JSON. Holidays are those of the case alone. It needs no
// database and does not look at the time. When the announced deadline is longer
// than the law allows, both an answer that says so and an error are returned.
func Clock(dir, lang string, in io.Reader) (*ClockAnswer, error) {
	pack, err := LoadCountry(dir)
	if err != nil {
		return nil, err
	}
	order := pack.Country.Order()
	if !slices.Contains(order, gov.Lang(lang)) {
		return nil, fmt.Errorf("%w as %q", ErrNoLanguage, lang)
	}
	rules, err := ClockRules(pack)
	if err != nil {
		return nil, err
	}
	catalog, err := i18n.Load([]string{lang}, []fs.FS{clock.Messages()})
	if err != nil {
		return nil, err
	}
	c, err := clock.Read(in, rules)
	if err != nil {
		return nil, err
	}
	if c.Holidays == nil {
		c.Holidays = []gov.Date{}
	}
	out, err := clock.Run(rules, c)
	if _, refused := errors.AsType[*clock.TooLongError](err); err != nil && !refused {
		return nil, err
	}
	return clockAnswer(out, rules, ClockWords(pack.Country, catalog, gov.Lang(lang))), err
}

func clockAnswer(o clock.Output, rules clock.Rules, w clock.Words) *ClockAnswer {
	a := &ClockAnswer{State: o.State, Due: known(o.Due), SilenceFrom: known(o.SilenceFrom), HalfUntil: known(o.HalfUntil),
		Timers: some(o.Timers), Rejected: some(o.Rejected), Explain: []string{}, Left: o.Left, Overdue: some(o.Overdue),
		Transitions: some(o.Transitions), Next: known(o.Next), Change: known(o.Change), FetchNotice: known(o.FetchNotice),
		May: o.May, Steps: some(o.Explain), words: w}
	for _, e := range o.Explain {
		a.Explain = append(a.Explain, w.Say(&rules, e))
	}
	return a
}

// known returns nil for a day that there is not.
func known(d gov.Date) *gov.Date {
	if d.IsZero() {
		return nil
	}
	return &d
}

// some keeps an empty list from being written as null.
func some[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// Print writes the answer for a person to read.
func (a *ClockAnswer) Print(w io.Writer) error {
	var b strings.Builder
	p := a.words.Printer
	line := func(label, value string) { fmt.Fprintf(&b, "%s: %s\n", p.T("clock.label."+label), value) }
	line("state", a.words.State(a.State))
	for _, d := range []struct {
		label string
		day   *gov.Date
	}{{"due", a.Due}, {"silence_from", a.SilenceFrom}, {"half_until", a.HalfUntil}, {"next", a.Next}} {
		if d.day != nil {
			line(d.label, a.words.Date(*d.day))
		}
	}
	if a.Left > 0 {
		line("left", p.N("clock.days", a.Left, a.words.Number(a.Left)))
	}
	a.printTimers(&b, "timers", a.Timers)
	a.printTimers(&b, "overdue", a.Overdue)
	if len(a.Rejected) > 0 {
		fmt.Fprintf(&b, "%s:\n", p.T("clock.label.rejected"))
		for _, r := range a.Rejected {
			fmt.Fprintf(&b, "  %s %s (%s): %s\n", r.On, r.Event, r.Code, a.words.Rejection(r.Code))
		}
	}
	if len(a.Explain) > 0 {
		fmt.Fprintf(&b, "%s:\n", p.T("clock.label.why"))
		for _, s := range a.Explain {
			fmt.Fprintf(&b, "  %s\n", s)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (a *ClockAnswer) printTimers(b *strings.Builder, label string, ts []clock.Timer) {
	if len(ts) == 0 {
		return
	}
	fmt.Fprintf(b, "%s:\n", a.words.Printer.T("clock.label."+label))
	for _, t := range ts {
		fmt.Fprintf(b, "  %s: %s\n", a.words.Timer(t.Name), a.words.Date(t.Due))
	}
}
