package casework

import (
	"context"
	"slices"

	"diwan/internal/casework/clock"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// What passes between the administration above and the one below. All of it stands
// in the case's journal, and the person reads it.
const (
	AboveWrote         = "above_wrote"         // asks for explanations, or invites to decide
	BelowExplained     = "below_explained"     // the answer
	CertificateRefused = "certificate_refused" // with reasons
)

// certifiedType is the event that the clock knows.
const certifiedType = string(clock.Certified)

// aboveFits finds why something can't pass between the two administrations now. A
// certificate comes after a letter that asks the one below to explain its silence,
// once, and not after it was refused.
func (w *Casework) aboveFits(c *Case, now standing, a *Action, actor gov.Actor) error {
	has := func(kind string) bool {
		return slices.ContainsFunc(now.events, func(e Event) bool { return e.Type == kind })
	}
	above := actor.Administration == c.Above && c.Above != ""
	lies := now.clock.State == clock.Escalated || now.clock.State == clock.Referred
	switch a.Type {
	case AboveWrote:
		switch {
		case !above:
			return problem.New(problem.Forbidden, "forbidden")
		case !lies:
			return problem.New(problem.Conflict, "case.not_above")
		case has(AboveWrote):
			return problem.New(problem.Conflict, "case.above_wrote")
		case has(CertificateRefused):
			return problem.New(problem.Conflict, "case.certificate_refused")
		}
	case BelowExplained:
		switch {
		case actor.Administration != c.Administration:
			return problem.New(problem.Forbidden, "forbidden")
		case !has(AboveWrote) || !lies:
			return problem.New(problem.Conflict, "case.above_silent")
		case has(BelowExplained):
			return problem.New(problem.Conflict, "case.below_explained")
		}
	case certifiedType, CertificateRefused:
		switch {
		case !above:
			return problem.New(problem.Forbidden, "forbidden")
		case now.clock.State != clock.Escalated || !w.authority(now.terms).Certifies:
			return problem.New(problem.Conflict, "case.not_above")
		case has(CertificateRefused):
			return problem.New(problem.Conflict, "case.certificate_refused")
		case a.Type == certifiedType && !has(AboveWrote):
			return problem.New(problem.Conflict, "case.above_not_written")
		}
	}
	return nil
}

// aboveDue is what the administration above still owes in a case.
const (
	oweLetter      = "letter"      // it has not written to the one below
	oweAnswer      = "answer"      // it waits for the explanation, and may go on without
	oweCertificate = "certificate" // explained
	oweNothing     = "nothing"
)

// owes tells what comes next of the administration above.
func (w *Casework) owes(c *Case, t *Terms, all []Event) string {
	wrote, explained := false, false
	for i := range all {
		switch all[i].Type {
		case AboveWrote:
			wrote = true
		case BelowExplained:
			explained = true
		case CertificateRefused, certifiedType:
			return oweNothing
		}
	}
	certifies := c.State == clock.Escalated && w.authority(t).Certifies
	switch {
	case !wrote && (c.State == clock.Escalated || c.State == clock.Referred):
		return oweLetter
	case certifies && explained:
		return oweCertificate
	case certifies:
		return oweAnswer
	}
	return oweNothing
}

// abovePage bounds what one page of that desk lists.
const abovePage = 100

// BeforeAbove lists the cases that lie before an administration as the one above,
// those due first, or those that it has done with, the latest first.
func (w *Casework) BeforeAbove(ctx context.Context, administration string, done bool) ([]*Case, error) {
	where := `above = $1 AND above <> '' AND open ORDER BY due, id LIMIT $2`
	if done {
		where = `above = $1 AND above <> '' AND NOT open ORDER BY updated_at DESC, id DESC LIMIT $2`
	}
	return cases(ctx, w.DB.Reader(), `SELECT `+caseColumns+` FROM casework_case WHERE `+where, administration, abovePage)
}

// certificateIn finds the certificate of a journal: nil without one.
func certificateIn(journal []Event) *Event {
	for i := range journal {
		if journal[i].Type == certifiedType {
			return &journal[i]
		}
	}
	return nil
}
