package clock

import (
	"strconv"

	"diwan/internal/gov"
)

// Entry is one step of the explanation, for programs; Say puts it into words.
type Entry struct {
	// Code is stable; the message "clock.explain." + Code says it to people.
	Code string `json:"code"`
	// On is the day of the step; zero for what holds throughout.
	On gov.Date `json:"on,omitzero"`
	// Article is where the rule stands; empty when none is needed.
	Article gov.Address `json:"article,omitempty"`
	// Setting names the reading of the law that the step rests on.
	Setting string `json:"setting,omitempty"`
	// Args fill the message. Days are written year-month-day and periods in digits;
	// Say writes both as its readers do. See the kinds in say.go.
	Args map[string]string `json:"args,omitempty"`
}

// Transition is a change that time alone has made.
type Transition struct {
	On      gov.Date    `json:"on"`
	State   State       `json:"state"`
	Article gov.Address `json:"article"`
}

// log gathers the explanation and the transitions. All methods do nothing on a
// nil log, so that a sweep pays nothing for them.
type log struct {
	rules       *Rules
	entries     []Entry
	transitions []Transition
}

// add notes a step. pairs are names and values of its arguments.
func (l *log) add(code string, d day, article gov.Address, pairs ...string) {
	if l == nil {
		return
	}
	e := Entry{Code: code, On: d.date(), Article: article}
	if len(pairs) > 0 {
		e.Args = make(map[string]string, len(pairs)/2)
		for i := 0; i+1 < len(pairs); i += 2 {
			e.Args[pairs[i]] = pairs[i+1]
		}
	}
	l.entries = append(l.entries, e)
}

// until is add for a step that begins a period.
func (l *log) until(code string, d day, article gov.Address, due day) {
	if l != nil {
		l.add(code, d, article, "due", due.date().String())
	}
}

// reading is add for a step that rests on a reading of the law.
func (l *log) reading(setting int, code string, d day, article gov.Address, pairs ...string) {
	if l == nil {
		return
	}
	l.add(code, d, article, pairs...)
	l.entries[len(l.entries)-1].Setting = settingNames[setting]
}

// size and cut let the steps of an event that was not accepted be forgotten.
func (l *log) size() (entries, transitions int) {
	if l == nil {
		return 0, 0
	}
	return len(l.entries), len(l.transitions)
}

func (l *log) cut(entries, transitions int) {
	if l != nil {
		l.entries, l.transitions = l.entries[:entries], l.transitions[:transitions]
	}
}

func (l *log) transition(m *machine, d day, article gov.Address) {
	if l == nil {
		return
	}
	l.transitions = append(l.transitions, Transition{d.date(), m.state, article})
	switch m.state {
	case Escalated:
		l.reading(automaticReferral, string(m.state), d, article, "escalation_to", m.level)
	case Referred:
		l.reading(automaticReferral, string(m.state), d, article, "referral_to", m.level)
	default:
		l.add(string(m.state), d, article)
	}
}

func (l *log) began(m *machine, code, article string, d day) {
	if l == nil {
		return
	}
	l.add(code, d, l.rules.Articles[article], "days", strconv.Itoa(m.in.DeadlineDays))
	if m.state == Suspended {
		l.add("began.suspended", d, l.rules.Articles["doubt"])
	}
}

// held notes a request: it stops the count, or finds it stopped, or comes before
// it has begun.
func (l *log) held(m *machine, stood State, t EventType, article string, d day, used int) {
	if l == nil {
		return
	}
	a := l.rules.Articles[article]
	if stood == Running || stood == ExtendedState {
		l.reading(requestDayCounts, "suspended", d, a, "event", string(t), "used", strconv.Itoa(used), "left", strconv.Itoa(m.left+m.extra))
	} else {
		l.add("asked", d, a, "event", string(t))
	}
	if t == DefectNotified {
		l.add("replace", d, l.rules.Periods["replace"].Article, "due", m.last(d, m.period("replace")).date().String())
	} else {
		l.add("no_limit", d, a, "event", string(t))
	}
}

func (l *log) released(m *machine, t EventType, d day, resumed bool) {
	if l == nil {
		return
	}
	if resumed {
		l.reading(completionDayCounts, "resumed", d, l.rules.Articles["information"], "event", string(t), "left", strconv.Itoa(m.left+m.extra))
	} else {
		l.add("closed_one", d, "", "event", string(t))
	}
}

func (l *log) extension(m *machine, e *Event, d day) {
	if l == nil {
		return
	}
	l.add("extended", d, m.rules.Articles["extension"], "days", strconv.Itoa(e.Days), "reason", e.Reason)
}

func (l *log) decision(m *machine, e *Event, d day, late bool) {
	if l == nil {
		return
	}
	if e.Type == Granted {
		l.add("granted", d, "")
	} else {
		l.add("refused", d, m.rules.Articles["reasons"], "reason", e.Reason)
	}
	if late {
		l.reading(lateDecision, "late", d, m.rules.Articles["processing"], "due", m.due.date().String())
	}
}

func (l *log) appealed(m *machine, d day) {
	if l != nil {
		l.add("appealed", d, m.rules.Articles["appeal"], "appeal_to", m.level, "due", m.answerUntil.date().String())
	}
}

func (l *log) rejected(e *Event, code string) {
	if l == nil {
		return
	}
	l.add("rejected", dayOf(e.On), "", "event", string(e.Type), "why", code)
}

// conclude explains the dates that hold in the end.
func (l *log) conclude(m *machine, asOf day, later int) {
	if l == nil {
		return
	}
	switch {
	case m.state == Draft:
		l.add("draft", never, "")
	case m.due != never:
		l.dates(m)
	}
	if m.state.Pending() {
		if h := m.halfUntil(); h != never {
			l.reading(halfFixed, "half", never, l.rules.Articles["half"], "day", h.date().String())
		}
	}
	if d := m.appealUntil; d != never && (m.state == RefusedState || m.state == LapsedAppealable) {
		code := "appeal"
		if asOf > d {
			code = "appeal_over"
		}
		l.add(code, never, l.rules.Articles["appeal"], "due", d.date().String())
	}
	for _, t := range m.overdue(asOf) {
		l.add("overdue", never, l.rules.Periods[t.Name].Article, "timer", t.Name, "due", t.Due.String())
	}
	if later > 0 {
		l.add("later", asOf, "", "count", strconv.Itoa(later))
	}
}

// dates says how the last day was counted and what follows from silence.
func (l *log) dates(m *machine) {
	left := m.left
	if m.extended && !m.sw[extensionFromLast] {
		left += m.extra
	}
	bare := m.bare(m.start, left)
	switch {
	case left == 0:
	case m.sw[fullPeriods]:
		l.reading(fullPeriods, "counted", never, l.rules.Articles["full_periods"], "from", (m.start + 1).date().String(), "to", (bare - 1).date().String(), "due", bare.date().String())
	default:
		l.reading(fullPeriods, "counted_bare", never, l.rules.Articles["full_periods"], "from", (m.start + 1).date().String(), "to", bare.date().String())
	}
	switch {
	case m.extended && m.sw[extensionFromLast]:
		l.reading(extensionFromLast, "extension_from_last", never, l.rules.Articles["extension"], "days", strconv.Itoa(m.extra), "due", m.due.date().String())
	case bare != m.due && left > 0:
		l.reading(roll, "rolled", never, l.rules.Articles["full_periods"], "day", bare.date().String(), "due", m.due.date().String())
	}
	if !m.state.Pending() {
		return
	}
	l.add("due", never, l.rules.Articles["processing"], "due", m.due.date().String())
	from := m.silence().date().String()
	if m.approves {
		l.add("silence.approves", never, l.rules.Articles["silence"], "from", from)
	} else {
		l.add("silence.appeal", never, l.rules.Articles["appeal"], "from", from)
	}
}
