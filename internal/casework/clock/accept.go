package clock

import "strings"

// Codes of events that are not accepted. They are stable: programs and messages
// know them by name.
const (
	codeDuplicate       = "event.duplicate"
	codeOutOfOrder      = "event.out_of_order"
	codeBeforeFiling    = "event.before_filing"
	codeClosed          = "case.closed"
	codeFiledSecond     = "filed.second"
	codeAlreadyComplete = "completed.already"

	codeInformationSecond     = "information.second"
	codeInformationLate       = "information.late"
	codeInformationNotRunning = "information.not_running"
	codeInformationNone       = "information.none_open"

	codeDoubtSecond     = "doubt.second"
	codeDoubtLate       = "doubt.late"
	codeDoubtNoReason   = "doubt.no_reason"
	codeDoubtNotRunning = "doubt.not_running"
	codeDoubtNone       = "doubt.none_open"

	codeDefectLate       = "defect.late"
	codeDefectNoReason   = "defect.no_reason"
	codeDefectNotRunning = "defect.not_running"
	codeDefectNone       = "defect.none_open"

	codeExtensionNotListed  = "extension.not_listed"
	codeExtensionSecond     = "extension.second"
	codeExtensionReason     = "extension.reason"
	codeExtensionDays       = "extension.days"
	codeExtensionNotRunning = "extension.not_running"
	codeExtensionLate       = "extension.late"

	codeDecisionNotRunning = "decision.not_running"
	codeDecisionAlready    = "decision.already"
	codeDecisionSilence    = "decision.after_silence"
	codeDecisionLate       = "decision.late"
	codeDecisionAppealed   = "decision.appealed"
	codeRefusalNoReasons   = "refusal.no_reasons"
	codeWithdrawalDecided  = "withdrawal.decided"

	codeDeliveryNotSilence = "delivery.not_by_silence"
	codeDeliverySecond     = "delivery.second"
	codeDeliveredNothing   = "delivered.nothing"

	codeCertifiedNothing = "certified.nothing"
	codeCertifiedLevel   = "certified.not_here"
	codeAppealNothing    = "appeal.nothing"
	codeAppealSilence    = "appeal.silence_approved"
	codeAppealLate       = "appeal.late"
	codeAppealSecond     = "appeal.second"
	codeAppealOnly       = "appeal.only_answer"
	codeAnswerNothing    = "appeal_answer.nothing"
	codeAnswerSecond     = "appeal_answer.second"

	codeTooLong = "deadline.too_long"
)

// Codes lists every code that Rejected and May can hold.
func Codes() []string {
	return []string{codeDuplicate, codeOutOfOrder, codeBeforeFiling, codeClosed, codeFiledSecond, codeAlreadyComplete,
		codeInformationSecond, codeInformationLate, codeInformationNotRunning, codeInformationNone,
		codeDoubtSecond, codeDoubtLate, codeDoubtNoReason, codeDoubtNotRunning, codeDoubtNone,
		codeDefectLate, codeDefectNoReason, codeDefectNotRunning, codeDefectNone,
		codeExtensionNotListed, codeExtensionSecond, codeExtensionReason, codeExtensionDays, codeExtensionNotRunning, codeExtensionLate,
		codeDecisionNotRunning, codeDecisionAlready, codeDecisionSilence, codeDecisionLate, codeDecisionAppealed, codeRefusalNoReasons, codeWithdrawalDecided,
		codeDeliveryNotSilence, codeDeliverySecond, codeDeliveredNothing, codeCertifiedNothing, codeCertifiedLevel,
		codeAppealNothing, codeAppealSilence, codeAppealLate, codeAppealSecond, codeAppealOnly, codeAnswerNothing, codeAnswerSecond, codeTooLong}
}

// apply makes what an event does on its day, to which the machine was advanced.
// It returns "" or the code that says why the law does not allow it; then
// nothing has changed.
func (m *machine) apply(e *Event, d day) string {
	switch {
	case e.Type == Filed:
		return m.file(e, d)
	case m.state == Draft:
		return codeBeforeFiling
	case m.state.Closed():
		return codeClosed
	case m.in.Appeal && e.Type != Granted && e.Type != Refused && e.Type != Withdrawn:
		return codeAppealOnly
	}
	switch e.Type {
	case Completed:
		return m.completeFile(d)
	case InformationRequested:
		return m.askInformation(d)
	case InformationReceived:
		return m.closeRequest(e, d, &m.openInformation, codeInformationNone)
	case DoubtRaised:
		return m.doubt(e, d)
	case DoubtSettled:
		return m.closeRequest(e, d, &m.openDoubt, codeDoubtNone)
	case DefectNotified:
		return m.notifyDefect(e, d)
	case DefectMended:
		return m.mendDefect(d)
	case Extended:
		return m.extend(e, d)
	case Granted, Refused:
		return m.decide(e, d)
	case Withdrawn:
		return m.withdraw(d)
	case DeliveryRequested:
		return m.claimDelivery(d)
	case Delivered:
		return m.deliver(d)
	case Certified:
		return m.certify(d)
	case Appealed:
		return m.appeal(d)
	case AppealAnswered:
		return m.answerAppeal(e, d)
	}
	return codeBeforeFiling // types were checked when the input was read
}

func (m *machine) file(e *Event, d day) string {
	if m.state != Draft {
		return codeFiledSecond
	}
	m.filed = d
	if m.in.Appeal {
		m.lodge(d)
		return ""
	}
	complete := m.complete
	if e.Complete != nil {
		complete = *e.Complete
	}
	if complete {
		m.begin(d)
		m.log.began(m, "filed.complete", "filing", d)
		return ""
	}
	m.state, m.completeUntil = FiledIncomplete, m.last(d, m.period("complete"))
	m.log.until("filed.incomplete", d, m.rules.Articles["filing"], m.completeUntil)
	return ""
}

func (m *machine) completeFile(d day) string {
	if m.state != FiledIncomplete {
		return codeAlreadyComplete
	}
	m.begin(d)
	m.log.began(m, "completed", "processing", d)
	return ""
}

// askable says whether a request that suspends may be made on d, given the codes
// for a period that does not run and for a half that has passed.
func (m *machine) askable(d day, notRunning, late string) string {
	switch {
	case m.state == LapsedAppealable:
		return late
	case !m.state.Pending():
		return notRunning
	case !m.inHalf(d):
		return late
	}
	return ""
}

func (m *machine) askInformation(d day) string {
	code := m.askable(d, codeInformationNotRunning, codeInformationLate)
	if m.informed && m.state.Pending() {
		code = codeInformationSecond
	}
	if code != "" {
		return code
	}
	m.informed, m.openInformation = true, true
	m.hold(InformationRequested, "information", d)
	return ""
}

// doubt may also be raised at filing, before the file is complete: the period
// then begins suspended.
func (m *machine) doubt(e *Event, d day) string {
	code := ""
	if m.state != FiledIncomplete {
		code = m.askable(d, codeDoubtNotRunning, codeDoubtLate)
	}
	switch {
	case m.doubted && (code == "" || code == codeDoubtLate):
		return codeDoubtSecond
	case code != "":
		return code
	case strings.TrimSpace(e.Reason) == "":
		return codeDoubtNoReason
	}
	m.doubted, m.openDoubt = true, true
	m.hold(DoubtRaised, "doubt", d)
	return ""
}

func (m *machine) notifyDefect(e *Event, d day) string {
	if code := m.askable(d, codeDefectNotRunning, codeDefectLate); code != "" {
		return code
	}
	if strings.TrimSpace(e.Reason) == "" {
		return codeDefectNoReason
	}
	m.hold(DefectNotified, "defect", d)
	// A fresh slice: a trial of what may happen must not write into this one.
	m.defects = append(m.defects[:len(m.defects):len(m.defects)], m.last(d, m.period("replace")))
	return ""
}

// hold suspends the count for a request and notes it.
func (m *machine) hold(t EventType, article string, d day) {
	stood := m.state
	used := m.suspend(d)
	m.log.held(m, stood, t, article, d, used)
}

func (m *machine) closeRequest(e *Event, d day, open *bool, none string) string {
	if !*open {
		return none
	}
	*open = false
	m.released(e.Type, d)
	return ""
}

// mendDefect closes the defect that was notified first.
func (m *machine) mendDefect(d day) string {
	if len(m.defects) == 0 {
		return codeDefectNone
	}
	m.defects = m.defects[1:]
	m.released(DefectMended, d)
	return ""
}

// released goes on with the count when this was the last open request.
func (m *machine) released(t EventType, d day) {
	m.log.released(m, t, d, m.resume(d))
}

func (m *machine) extend(e *Event, d day) string {
	switch {
	case m.state == LapsedAppealable || m.state == SilenceApproved:
		return codeExtensionLate
	case !m.state.Pending():
		return codeExtensionNotRunning
	case !m.extends:
		return codeExtensionNotListed
	case m.extended:
		return codeExtensionSecond
	case m.rules.ground(e.Reason) == "":
		return codeExtensionReason
	case e.Days <= 0:
		return codeExtensionDays
	}
	m.extended, m.extra = true, e.Days
	if m.state == Running {
		m.run()
	}
	m.log.extension(m, e, d)
	return ""
}

// decide takes the decision itself. While an appeal is open a favourable
// decision may still be given; a refusal would be the answer to the appeal.
func (m *machine) decide(e *Event, d day) string {
	switch m.state {
	case FiledIncomplete:
		return codeDecisionNotRunning
	case GrantedState, RefusedState:
		return codeDecisionAlready
	case SilenceApproved, DeliveryClaimed, Escalated:
		return codeDecisionSilence
	case LapsedAppealable:
		if !m.sw[lateDecision] {
			return codeDecisionLate
		}
	case AppealedState, Referred:
		if e.Type == Refused && !m.in.Appeal {
			return codeDecisionAppealed
		}
	}
	if e.Type == Refused && strings.TrimSpace(e.Reason) == "" {
		return codeRefusalNoReasons
	}
	late := m.state == LapsedAppealable
	m.openInformation, m.openDoubt, m.defects = false, false, nil // a decision leaves no question open
	if e.Type == Granted {
		m.state, m.appealUntil = GrantedState, never
	} else if m.state, m.appealUntil = RefusedState, m.last(d, m.period("appeal")); m.in.Appeal {
		m.appealUntil = never // this was the appeal
	}
	m.log.decision(m, e, d, late)
	return ""
}

func (m *machine) withdraw(d day) string {
	open := m.in.Appeal && (m.state == AppealedState || m.state == Referred)
	if !open && !m.state.Pending() && m.state != FiledIncomplete && m.state != LapsedAppealable {
		return codeWithdrawalDecided
	}
	m.state, m.due, m.first, m.appealUntil = WithdrawnState, never, never, never
	m.log.add("withdrawn", d, "")
	return ""
}

// claimDelivery asks for the decision that silence has given. When the authority
// above must be addressed by the person, a second claim does that.
func (m *machine) claimDelivery(d day) string {
	switch m.state {
	case SilenceApproved:
		m.state, m.deliveryUntil = DeliveryClaimed, m.last(d, m.period("delivery"))
		m.log.until("delivery_claimed", d, m.rules.Articles["delivery"], m.deliveryUntil)
		return ""
	case Escalated:
		if m.escalationUntil == never {
			m.escalationUntil = m.last(d, m.period(m.auth.Escalation))
			m.log.until("escalation_claimed", d, m.rules.Articles["escalation"], m.escalationUntil)
			return ""
		}
		return codeDeliverySecond
	case DeliveryClaimed:
		return codeDeliverySecond
	}
	return codeDeliveryNotSilence
}

func (m *machine) deliver(d day) string {
	switch m.state {
	case GrantedState, SilenceApproved, DeliveryClaimed, Escalated:
		m.state = DeliveredState
		m.log.add("delivered", d, "")
		return ""
	}
	return codeDeliveredNothing
}

// certify is the certificate by which the authority above states that silence was
// approval. It stands in the place of the decision that was not delivered.
func (m *machine) certify(d day) string {
	switch {
	case m.state != Escalated:
		return codeCertifiedNothing
	case !m.auth.Certifies:
		return codeCertifiedLevel
	}
	m.state = DeliveredState
	m.log.add("certified", d, m.rules.Articles["escalation"])
	return ""
}

// appeal goes against a refusal or against silence that is no approval.
func (m *machine) appeal(d day) string {
	switch m.state {
	case SilenceApproved, DeliveryClaimed, Escalated:
		return codeAppealSilence
	case AppealedState:
		// The person may bring an appeal without answer before the next authority.
		if !m.answered && m.auth.Referral != "" && !m.sw[automaticReferral] && d > m.answerUntil {
			article := m.refer(d)
			m.log.transition(m, d, article)
			return ""
		}
		return codeAppealSecond
	case Referred:
		return codeAppealSecond
	case RefusedState, LapsedAppealable:
	default:
		return codeAppealNothing
	}
	switch {
	case m.appealUsed:
		return codeAppealSecond
	case d > m.appealUntil:
		return codeAppealLate
	}
	m.contested = m.state
	m.lodge(d)
	return ""
}

// lodge begins the period in which an appeal is answered.
func (m *machine) lodge(d day) {
	m.appealUsed = true
	m.state, m.answerUntil = AppealedState, m.last(d, m.period("appeal_answer"))
	m.log.appealed(m, d)
}

// answerAppeal notes what came of an appeal. One that was granted leaves the
// decision to be changed by whoever took it; after another the matter stands as it
// did, and can't be appealed again.
func (m *machine) answerAppeal(e *Event, d day) string {
	switch {
	case m.state != AppealedState && m.state != Referred:
		return codeAnswerNothing
	case m.answered:
		return codeAnswerSecond
	}
	m.answered = true
	switch e.Reason {
	case AppealGranted:
		m.upheld = true
	case AppealRefused:
		m.state, m.appealUntil = RefusedState, never
	case AppealWithdrawn:
		m.state, m.appealUntil = m.contested, never
	}
	m.log.add("appeal_answered", d, m.rules.Articles["appeal"])
	return ""
}
