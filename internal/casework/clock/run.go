package clock

import (
	"fmt"
	"slices"

	"diwan/internal/gov"
)

// Output is what the clock says about a case on the day that was asked for. A
// zero date means that there is no such day now.
type Output struct {
	State State
	// Due is the last day on which the answer is in time; none while the count is
	// suspended.
	Due gov.Date
	// SilenceFrom is the day on which, at midnight, silence has its effect: approval
	// for listed decisions, the opening of the appeal for others. None once the
	// application was decided in time.
	SilenceFrom gov.Date
	// HalfUntil is the last day on which information, originals or a better document
	// may be asked for.
	HalfUntil gov.Date
	// Left is what is left of the period, in days, while the count is suspended.
	Left int
	// ToChange says that an appeal was granted and the decision stands unchanged: the
	// administration changes it. The law gives no day for that.
	ToChange bool
	// Timers are the periods that run on this day, the most urgent first; Overdue
	// are those that ran out without changing the state.
	Timers, Overdue []Timer
	// FetchNotice is the last day to tell the person that a document could not be
	// had from another administration. The clock does not know whether one is
	// being fetched.
	FetchNotice gov.Date
	// Transitions are the changes that time alone has made.
	Transitions []Transition
	// Rejected are the events that the law does not allow.
	Rejected []Rejection
	// Next is the first day after this one on which a deadline falls or time
	// changes the state; Change is the first on which time changes the state.
	Next, Change gov.Date
	// May tells for each type of event whether it could happen on this day: "" or
	// the code that says why not. Reasons, days and grounds that the law wants are
	// taken as given.
	May map[EventType]string
	// Explain says why, step by step.
	Explain []Entry
}

// Timer is a period that runs, by its name in the rules.
type Timer struct {
	Name string   `json:"name"`
	Due  gov.Date `json:"due"`
}

// Rejection is an event that was not accepted.
type Rejection struct {
	// Event is its type and Index its place in the input, from 0; a deadline that
	// the law does not allow has the name of the field, and -1.
	Event string   `json:"event"`
	Index int      `json:"index"`
	On    gov.Date `json:"on,omitzero"`
	Code  string   `json:"code"`
}

// TooLongError says that the announced deadline is longer than the law allows.
type TooLongError struct {
	Days, Max int
	Article   gov.Address
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("deadline_days is %d: the law allows at most %d for this decision (%s)", e.Days, e.Max, codeTooLong)
}

// Run tells where a case stands on the day in.AsOf. It fails only on an input
// that can't be asked about; of a *TooLongError the output still lists the
// rejection. It takes a few microseconds; a sweep that needs only days uses Look.
func Run(r Rules, in Input) (Output, error) {
	l := log{rules: &r}
	m, later, rejected, err := fold(&r, &in, &l)
	if err != nil {
		return refusedInput(err), err
	}
	asOf := dayOf(in.AsOf)
	l.conclude(&m, asOf, later)
	o := Output{State: m.state, Due: m.due.date(), HalfUntil: m.halfUntil().date(), ToChange: m.toChange(), Timers: m.timers(asOf), Overdue: m.overdue(asOf),
		Transitions: l.transitions, Rejected: rejected, Change: m.next().date(), May: m.may(asOf), Explain: l.entries}
	if m.state.Pending() || silent(l.transitions) {
		o.SilenceFrom = m.silence().date()
	}
	if m.state == Suspended {
		o.Left = m.left + m.extra
	}
	if m.state == FiledIncomplete || m.state.Pending() {
		o.FetchNotice = m.last(m.filed, m.period("fetch_failed")).date()
	}
	o.Next = earliest(asOf, m.next(), o.Timers)
	return o, nil
}

// Brief is what a sweep needs.
type Brief struct {
	State State
	Due   gov.Date
	// Change is the first day on which time alone changes the state, ToChange that a
	// decision is to be changed; see Output.
	Change   gov.Date
	ToChange bool
}

// Look is Run without the reasons: it allocates nothing in the plain cases, so
// that a sweep over a million cases takes seconds.
func Look(r *Rules, in *Input) (Brief, error) {
	m, _, _, err := fold(r, in, nil)
	if err != nil {
		return Brief{}, err
	}
	return Brief{m.state, m.due.date(), m.next().date(), m.toChange()}, nil
}

// toChange is answered by the decision that follows, or by whoever takes the
// application back: both leave the states of an appeal.
func (m *machine) toChange() bool {
	return m.upheld && (m.state == AppealedState || m.state == Referred)
}

// fold runs the machine over the events up to the day asked for. It returns how
// many came later, and those that were not accepted.
func fold(r *Rules, in *Input, l *log) (m machine, later int, rejected []Rejection, err error) {
	if in.AsOf.IsZero() {
		return m, 0, nil, fmt.Errorf("the day on which the question is asked is missing")
	}
	if len(in.Events) > MaxEvents {
		return m, 0, nil, fmt.Errorf("there are %d events, more than %d", len(in.Events), MaxEvents)
	}
	if in.DeadlineDays < 0 {
		return m, 0, nil, fmt.Errorf("the deadline is negative: %d days", in.DeadlineDays)
	}
	if most, article := r.MaxDays(in.Lists); in.DeadlineDays > most {
		return m, 0, nil, &TooLongError{in.DeadlineDays, most, article}
	}
	if len(in.Settings) > 0 {
		with, err := r.With(in.Settings)
		if err != nil {
			return m, 0, nil, err
		}
		r = &with
	}
	m = newMachine(r, in)
	m.log = l
	asOf, latest := dayOf(in.AsOf), never
	var accepted bits
	for i := range in.Events {
		e := &in.Events[i]
		d := dayOf(e.On)
		if d > asOf {
			later++
			continue
		}
		code := ""
		switch {
		case d == never:
			return m, 0, nil, fmt.Errorf("event %d has no day", i)
		case repeated(in.Events, i, &accepted):
			code = codeDuplicate
		case d < latest && m.state == Draft:
			code = codeBeforeFiling
		case d < latest:
			code = codeOutOfOrder
		default:
			code = m.try(e, d)
		}
		if code != "" {
			rejected = append(rejected, Rejection{string(e.Type), i, e.On, code})
			l.rejected(e, code)
			continue
		}
		latest = d
		accepted.set(i)
	}
	m.advance(asOf)
	return m, later, rejected, nil
}

// try makes an event on a day, and what time does up to then. When the event is
// not accepted time stays where it was too: an event that may come after it in
// the list, with an earlier day, is not out of order for its sake.
func (m *machine) try(e *Event, d day) string {
	if n := m.next(); n == never || n > d {
		return m.apply(e, d)
	}
	before := *m
	entries, transitions := m.log.size()
	m.advance(d)
	code := m.apply(e, d)
	if code != "" {
		*m = before
		m.log.cut(entries, transitions)
	}
	return code
}

// bits remembers which events were accepted.
type bits [MaxEvents / 64]uint64

func (b *bits) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b *bits) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }

// repeated reports whether the same event was accepted before.
func repeated(events []Event, i int, accepted *bits) bool {
	e := &events[i]
	for j := range i {
		o := &events[j]
		if o.Type == e.Type && o.On == e.On && o.Days == e.Days && o.Reason == e.Reason && same(o.Complete, e.Complete) && accepted.has(j) {
			return true
		}
	}
	return false
}

func same(a, b *bool) bool { return a == b || a != nil && b != nil && *a == *b }

// silent reports whether silence had its effect, so that its day stays of
// interest.
func silent(ts []Transition) bool {
	return slices.ContainsFunc(ts, func(t Transition) bool { return t.State == SilenceApproved || t.State == LapsedAppealable })
}

// timers lists the periods that run on a day.
func (m *machine) timers(asOf day) []Timer {
	return m.periods(func(d day) bool { return d >= asOf })
}

// overdue lists those that ran out and left the state as it was. That an appeal
// can no longer be made is nobody's lateness.
func (m *machine) overdue(asOf day) []Timer {
	if m.state == RefusedState || m.state == LapsedAppealable {
		return nil
	}
	return m.periods(func(d day) bool { return d < asOf })
}

func (m *machine) periods(want func(day) bool) (ts []Timer) {
	add := func(name string, d day) {
		if d != never && want(d) {
			ts = append(ts, Timer{name, d.date()})
		}
	}
	switch m.state {
	case FiledIncomplete:
		add("complete", m.completeUntil)
	case Suspended:
		for _, d := range m.defects {
			add("replace", d)
		}
	case Running, ExtendedState:
		add("processing", m.due)
	case RefusedState, LapsedAppealable:
		add("appeal", m.appealUntil)
	case DeliveryClaimed:
		add("delivery", m.deliveryUntil)
	case Escalated:
		add(m.auth.Escalation, m.escalationUntil)
	case AppealedState:
		if !m.answered {
			add("appeal_answer", m.answerUntil)
		}
	case Referred:
		if !m.answered {
			add(m.auth.Referral, m.referralUntil)
		}
	}
	slices.SortStableFunc(ts, func(a, b Timer) int { return int(dayOf(a.Due) - dayOf(b.Due)) })
	return ts
}

// may tries each type of event on a copy.
func (m *machine) may(asOf day) map[EventType]string {
	may := make(map[EventType]string, len(EventTypes()))
	complete, ground := true, ""
	for _, words := range m.rules.ExtensionReasons {
		ground = words[0]
		break
	}
	for _, t := range EventTypes() {
		trial := *m
		trial.log = nil
		e := Event{Type: t, Complete: &complete, Days: 1, Reason: "-"}
		if t == Extended {
			e.Reason = ground
		}
		may[t] = trial.apply(&e, asOf)
	}
	return may
}

// earliest returns the first day after asOf among a change and some timers.
func earliest(asOf, change day, timers []Timer) gov.Date {
	best := change
	for _, t := range timers {
		if d := dayOf(t.Due); d > asOf && (best == never || d < best) {
			best = d
		}
	}
	return best.date()
}

// refusedInput is the output for a deadline that the law does not allow: nothing
// runs.
func refusedInput(err error) Output {
	o := Output{State: Draft}
	if _, ok := err.(*TooLongError); ok {
		o.Rejected = []Rejection{{Event: "deadline_days", Index: -1, Code: codeTooLong}}
	}
	return o
}
