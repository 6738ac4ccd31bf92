package clock

import "diwan/internal/gov"

// State is where a case stands in the law.
type State string

// The states.
const (
	Draft            State = "draft"
	FiledIncomplete  State = "filed_incomplete"
	Running          State = "running"
	Suspended        State = "suspended"
	ExtendedState    State = "extended" // running, on an extended period
	GrantedState     State = "granted"
	RefusedState     State = "refused"
	SilenceApproved  State = "approved_by_silence"
	LapsedAppealable State = "lapsed_appealable"
	Returned         State = "returned" // the file went back unstudied; not a refusal
	WithdrawnState   State = "withdrawn"
	DeliveredState   State = "delivered"
	DeliveryClaimed  State = "delivery_claimed"
	Escalated        State = "escalated"
	AppealedState    State = "appealed"
	Referred         State = "referred"
)

// States lists all states in the order in which a case may meet them.
func States() []State {
	return []State{Draft, FiledIncomplete, Running, Suspended, ExtendedState, GrantedState, RefusedState, SilenceApproved,
		LapsedAppealable, Returned, WithdrawnState, DeliveredState, DeliveryClaimed, Escalated, AppealedState, Referred}
}

// Closed reports whether nothing can happen any more under this law.
func (s State) Closed() bool { return s == Returned || s == WithdrawnState || s == DeliveredState }

// Pending reports whether the administration still owes an answer in time.
func (s State) Pending() bool { return s == Running || s == Suspended || s == ExtendedState }

// machine folds the events of one case. It moves forward only: advance makes
// what time does up to a day, apply what an event does on that day.
type machine struct {
	rules *Rules
	in    *Input
	sw    switches
	cal   calendar
	level string // of the administration that delivers the decision
	auth  Authority
	// approves and extends say what the lists of the decision allow.
	approves, extends bool
	// complete is what a filing that does not say so is taken for.
	complete bool
	log      *log // nil when nobody wants to know why

	state State
	// contested is the state against which an appeal was lodged.
	contested State
	filed     day
	// start is the day from which the rest of the period counts, began the day on
	// which the whole of it did; left is what is left of the announced days, half
	// what is left of their first half.
	start, began day
	left, half   int
	extra        int // days of the extension
	stopped      day // the day on which the count was suspended

	due, first day // the last day, and what it was before an extension
	// until holds the last day of the other periods.
	completeUntil, deliveryUntil, escalationUntil, appealUntil, answerUntil, referralUntil day

	extended, informed, doubted, appealUsed, answered, upheld bool
	openInformation, openDoubt                                bool
	defects                                                   []day // the last days to mend what is open
}

// newMachine prepares the case. The input was checked.
func newMachine(r *Rules, in *Input) machine {
	m := machine{rules: r, in: in, sw: r.sw, cal: r.cal, state: Draft, filed: never, start: never, began: never, stopped: never,
		due: never, first: never, completeUntil: never, deliveryUntil: never, escalationUntil: never, appealUntil: never,
		answerUntil: never, referralUntil: never}
	m.level = in.Authority
	if m.level == "" {
		m.level = r.Authority
	}
	m.auth = r.Authorities[m.level]
	for _, l := range in.Lists {
		list := r.Lists[l]
		m.approves, m.extends = m.approves || list.Approves, m.extends || list.Extends
	}
	if in.Holidays != nil {
		m.cal.holidays = make(map[day]bool, len(in.Holidays))
		for _, h := range in.Holidays {
			m.cal.holidays[dayOf(h)] = true
		}
	}
	m.complete = true
	asOf := dayOf(in.AsOf)
	for i := range in.Events {
		if in.Events[i].Type == Completed && dayOf(in.Events[i].On) <= asOf {
			m.complete = false
		}
	}
	return m
}

func (m *machine) period(name string) int { return m.rules.Periods[name].Days }

// begin starts the period of the law: the file is complete.
func (m *machine) begin(d day) {
	n := m.in.DeadlineDays
	m.start, m.began, m.left, m.half = d, d, n, n/2
	if m.sw[halfRoundUp] {
		m.half = (n + 1) / 2
	}
	m.completeUntil = never
	if m.openDoubt {
		m.state, m.stopped = Suspended, d
		return
	}
	m.run()
}

// run lets the count go on and sets the last day.
func (m *machine) run() {
	m.state = Running
	if m.extended {
		m.state = ExtendedState
	}
	m.first = m.last(m.start, m.left)
	if m.in.DeadlineDays == 0 && m.start == m.began {
		m.first = m.start // decided at once: there is no period
	}
	m.due = m.first
	switch {
	case !m.extended:
	case m.sw[extensionFromLast]:
		m.due = m.roll(m.first + day(m.extra))
	default:
		m.due = m.last(m.start, m.left+m.extra)
	}
}

// suspend stops the count on the day of a request, unless it stands already, and
// returns the days used since it last began.
func (m *machine) suspend(d day) int {
	if m.state != Running && m.state != ExtendedState {
		return 0
	}
	used := int(d - m.start)
	if !m.sw[requestDayCounts] {
		used--
	}
	used = min(max(used, 0), m.left)
	m.left -= used
	m.half -= used
	m.stopped, m.state = d, Suspended
	m.due, m.first = never, never
	return used
}

// resume goes on with the rest of the days when no request is open any more.
func (m *machine) resume(d day) bool {
	if m.state != Suspended || m.openInformation || m.openDoubt || len(m.defects) > 0 {
		return false
	}
	m.start, m.stopped = d, never
	if m.sw[completionDayCounts] && d > m.began {
		m.start--
	}
	m.run()
	return true
}

// halfUntil returns the last day of the first half of the period, never while
// that is not known.
func (m *machine) halfUntil() day {
	switch {
	case m.began == never:
		return never
	case m.sw[halfFixed]:
		n := m.in.DeadlineDays
		if m.sw[halfRoundUp] {
			n++
		}
		return m.began + day(n/2)
	case m.state == Suspended:
		return never
	}
	return m.start + day(max(m.half, 0))
}

// inHalf reports whether a request may still be made on d. While the count
// stands, a half that moves with it can't pass.
func (m *machine) inHalf(d day) bool {
	h := m.halfUntil()
	return h == never || d <= h
}

// silence returns the day from which silence has its effect.
func (m *machine) silence() day {
	d := m.due
	if m.approves && m.extended && !m.sw[silenceFromExtended] {
		d = m.first
	}
	if d == never {
		return never
	}
	return d + 1
}

// next returns the day on which time alone will change the state.
func (m *machine) next() day {
	d := never
	switch m.state {
	case FiledIncomplete:
		d = m.completeUntil
	case Suspended:
		for _, x := range m.defects {
			if d == never || x < d {
				d = x
			}
		}
	case Running, ExtendedState:
		return m.silence()
	case DeliveryClaimed:
		d = m.deliveryUntil
	case AppealedState:
		if !m.answered && m.auth.Referral != "" && m.sw[automaticReferral] {
			d = m.answerUntil
		}
	}
	if d == never {
		return never
	}
	return d + 1
}

// advance makes what time alone does up to and including a day.
func (m *machine) advance(to day) {
	for {
		d := m.next()
		if d == never || d > to {
			return
		}
		m.fire(d)
	}
}

// fire makes the one change that time brings on a day.
func (m *machine) fire(d day) {
	var article gov.Address
	switch m.state {
	case FiledIncomplete:
		article = m.rules.Periods["complete"].Article
		m.state, m.completeUntil = Returned, never
	case Suspended:
		article = m.rules.Periods["replace"].Article
		m.state = Returned
	case Running, ExtendedState:
		article = m.lapse()
	case DeliveryClaimed:
		article = m.rules.Articles["escalation"]
		m.state = Escalated
		if m.sw[automaticReferral] {
			m.escalationUntil = m.last(d, m.period(m.auth.Escalation))
		}
	case AppealedState:
		article = m.refer(d)
	}
	m.log.transition(m, d, article)
}

// lapse is the end of the period without an answer.
func (m *machine) lapse() gov.Address {
	if m.approves {
		m.state = SilenceApproved
		return m.rules.Articles["silence"]
	}
	m.state = LapsedAppealable
	from := m.due
	if m.sw[appealFromSilence] {
		from++
	}
	m.appealUntil = m.last(from, m.period("appeal"))
	return m.rules.Articles["appeal"]
}

// refer brings an appeal that nobody answered before the next authority.
func (m *machine) refer(d day) gov.Address {
	m.state = Referred
	m.referralUntil = m.last(d, m.period(m.auth.Referral))
	return m.rules.Articles["referral"]
}
