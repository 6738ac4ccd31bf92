package casework

import (
	"context"
	"slices"
	"unicode/utf8"

	"diwan/internal/casework/clock"
	"diwan/internal/casework/form"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Action is what somebody does to a case.
type Action struct {
	Type     string // of a clock.EventType or of this package
	Complete *bool
	Days     int
	Ground   string
	Items    []string
	Files    []string // ids, one for each item where both are given
	To       string
	Ref      string
	Text     string
	// Version is the case's as the actor saw it; 0 does not care.
	Version int64
}

// maxText bounds what one event says, in bytes.
const maxText = 64 << 10

// rule says who may do something, in what capacity, and what must be given.
type rule struct {
	may    string
	person bool // the applicant, or who acts for them
	office bool
	reason bool // words are required
	items  bool // documents are named, each of the published procedure
	once   bool // what is named goes to the ledger
}

// rules are all that can be done to a case. What is not in it can't be.
var rules = map[string]rule{
	string(clock.Completed):            {may: MayFile, person: true, office: true},
	string(clock.InformationRequested): {may: MayRequest, office: true, reason: true, once: true},
	string(clock.InformationReceived):  {may: MayFile, person: true, office: true},
	string(clock.DoubtRaised):          {may: MayRequest, office: true, reason: true, items: true, once: true},
	string(clock.DoubtSettled):         {may: MayRequest, office: true},
	string(clock.DefectNotified):       {may: MayRequest, office: true, reason: true, items: true, once: true},
	string(clock.DefectMended):         {may: MayFile, person: true, office: true},
	string(clock.Extended):             {may: MayExtend, office: true, reason: true},
	string(clock.Granted):              {may: MayDecide, office: true},
	string(clock.Refused):              {may: MayDecide, office: true, reason: true},
	string(clock.Withdrawn):            {may: MayWithdraw, person: true},
	string(clock.DeliveryRequested):    {may: MayAppeal, person: true},
	string(clock.Delivered):            {may: MaySign, office: true},
	string(clock.Appealed):             {may: MayAppeal, person: true, reason: true},
	string(clock.AppealAnswered):       {may: MayDecide, office: true, reason: true},
	Noted:                              {may: MayNote, office: true, reason: true},
	MessageSent:                        {may: MayMessage, person: true, office: true, reason: true},
	Assigned:                           {may: MayAssign, office: true},
	Moved:                              {may: MayAssign, office: true},
	Prepared:                           {may: MayPrepare, office: true},
	FileAdded:                          {may: MayFile, person: true, office: true},
	OpinionAsked:                       {may: MayRequest, office: true, reason: true},
	OpinionGiven:                       {may: MayOpinion, office: true, reason: true},
	AboveWrote:                         {may: MaySupervise, office: true, reason: true},
	BelowExplained:                     {may: MayNote, office: true, reason: true},
	certifiedType:                      {may: MayCertify, office: true, reason: true},
	CertificateRefused:                 {may: MayCertify, office: true, reason: true},
}

// Act does something to a case: it is checked against the policy, the law's clock
// and what was asked before, and written with everything that follows from it in
// one transaction. Two who act at once on what they both saw are not both obeyed.
func (w *Casework) Act(ctx context.Context, actor gov.Actor, number string, a Action) (*Case, error) {
	r, ok := rules[a.Type]
	if !ok {
		return nil, problem.New(problem.Invalid, "case.action_unknown", "action", a.Type)
	}
	if a.Type == string(clock.Appealed) {
		c, _, err := w.Appeal(ctx, actor, number, a)
		return c, err
	}
	if err := a.check(r); err != nil {
		return nil, err
	}
	var c *Case
	err := w.change(ctx, number, func(tx *db.Tx, found *Case, now standing) ([]Event, error) {
		c = found
		c.Separate = now.terms.TwoSign
		for _, e := range now.events {
			if e.Type == Prepared {
				c.Preparer = e.Actor
			}
		}
		var err error
		if c.Deciders, err = w.deciders(ctx, tx, c); err != nil {
			return nil, err
		}
		may := r.may
		if a.Type == Assigned && a.To == actor.ID && c.Assigned == "" {
			may = MayNote // whoever works on cases may take one that nobody has
		}
		if err := w.may(ctx, actor, may, c); err != nil {
			return nil, err
		}
		if err := a.fits(c, now, actor, r); err != nil {
			return nil, err
		}
		if err := w.aboveFits(c, now, &a, actor); err != nil {
			return nil, err
		}
		e := Event{Type: a.Type, On: w.dayIn(now.events), At: w.momentIn(now.events), Actor: actor.ID, Text: a.Text, Clear: Clear{Complete: a.Complete, Days: a.Days,
			Ground: a.ground(r), Items: a.Items, Files: a.Files, To: a.To, Ref: a.Ref, Role: roleOf(actor)}}
		if r.once {
			if err := w.ask(ctx, tx, c, a.Type, a.Items, c.Events+1); err != nil {
				return nil, err
			}
		}
		switch a.Type {
		case OpinionAsked, OpinionGiven:
			if err := w.opinion(ctx, tx, c, actor, &a, &e); err != nil {
				return nil, err
			}
		case string(clock.Granted), string(clock.Refused), string(clock.AppealAnswered):
			instead, err := w.signsFor(ctx, tx, c, now.events, actor)
			if err != nil {
				return nil, err
			}
			e.Clear.For = instead
		case string(clock.Delivered):
			if err := w.paidUp(ctx, tx, c); err != nil {
				return nil, err
			}
		case certifiedType:
			e.Clear.Ref, e.Clear.To = NewNumber(e.On.Year), c.Above
		case AboveWrote:
			e.Clear.To = c.Administration
		case Assigned:
			if err := w.delegated(ctx, tx, c, &e); err != nil {
				return nil, err
			}
			c.Assigned = e.Clear.To
		case Moved:
			c.Unit, c.Assigned = a.To, ""
		}
		return []Event{e}, nil
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// standing is where a case stands before something is done to it.
type standing struct {
	terms  *Terms
	events []Event
	clock  clock.Output
}

// change runs fn on a case as it stands today, adds the events that it returns,
// and settles the case again. fn must do everything through tx.
func (w *Casework) change(ctx context.Context, number string, fn func(tx *db.Tx, c *Case, now standing) ([]Event, error)) error {
	return w.DB.RunTx(ctx, func(tx *db.Tx) error { return w.changeIn(ctx, tx, number, fn) })
}

// changeIn is change within a transaction.
func (w *Casework) changeIn(ctx context.Context, tx *db.Tx, number string, fn func(tx *db.Tx, c *Case, now standing) ([]Event, error)) error {
	c, err := caseByNumber(ctx, tx, number)
	if err != nil {
		return err
	}
	t, err := w.termsBy(ctx, tx, c.Terms)
	if err != nil {
		return err
	}
	all, _, err := events(ctx, tx, c)
	if err != nil {
		return err
	}
	// Time goes first: a decision that comes after silence has had its effect
	// must find that written.
	out, err := w.settle(ctx, tx, c, t, all)
	if err != nil {
		return err
	}
	more, err := fn(tx, c, standing{t, all, out})
	if err != nil {
		return err
	}
	for i := range more {
		if err := w.follow(ctx, tx, c, t, all, &more[i]); err != nil {
			return err
		}
	}
	if all, _, err = events(ctx, tx, c); err != nil {
		return err
	}
	if _, err := w.settle(ctx, tx, c, t, all); err != nil {
		return err
	}
	c.Updated = w.Clock.Now()
	return updateCase(ctx, tx, c)
}

// follow writes an event, and what follows from it elsewhere.
func (w *Casework) follow(ctx context.Context, tx *db.Tx, c *Case, t *Terms, all []Event, e *Event) error {
	if err := w.appendEvent(ctx, tx, c, e); err != nil {
		return err
	}
	if err := w.notify(ctx, tx, c, *e); err != nil {
		return err
	}
	if e.Type == string(clock.Granted) && !t.Appeal {
		if err := w.decided(ctx, tx, c, t, Verdict{By: e.Actor, On: e.On}); err != nil {
			return err
		}
	}
	return w.carry(ctx, tx, c, t, all, e)
}

// check finds what is wrong with an action whatever the case.
func (a *Action) check(r rule) error {
	if len(a.Text) > maxText || !utf8.ValidString(a.Text) {
		return problem.New(problem.Invalid, "case.text_too_long")
	}
	a.Text = form.Clean(a.Text, true)
	switch {
	case !plain(a.Ground, a.To, a.Ref):
		return problem.New(problem.Invalid, "case.field")
	case r.reason && a.Text == "":
		return problem.New(problem.Invalid, "case.reasons_missing")
	case r.items && len(a.Items) == 0:
		return problem.New(problem.Invalid, "case.items_missing")
	case len(a.Items) > 100:
		return problem.New(problem.Invalid, "case.items_many")
	}
	return nil
}

// ground is what the clock sees of the reasons: the code of an extension's ground,
// or that reasons were given.
func (a *Action) ground(r rule) string {
	if a.Ground == "" && r.reason {
		return "stated"
	}
	return a.Ground
}

// fits finds what the state of the case, its terms and its history do not allow.
func (a *Action) fits(c *Case, now standing, actor gov.Actor, r rule) error {
	if a.Version != 0 && a.Version != c.Version {
		return problem.New(problem.Conflict, "case.changed", "number", c.Number)
	}
	officer := roleOf(actor) == AsOfficer
	if officer && !r.office || !officer && !r.person {
		return problem.New(problem.Forbidden, "forbidden")
	}
	if r.items || r.once {
		for _, id := range a.Items {
			if _, ok := now.terms.Document(id); !ok {
				return problem.New(problem.Invalid, "case.document_unknown", "document", id)
			}
		}
	}
	if code := now.clock.May[clock.EventType(a.Type)]; code != "" {
		return problem.New(problem.Conflict, "clock."+code)
	}
	number := lodged(now.events)
	if a.Type == string(clock.AppealAnswered) && number != "" {
		return problem.New(problem.Conflict, "case.appeal_elsewhere", "number", number)
	}
	if slices.Contains(hearings, a.Type) && slices.Contains(c.Deciders, actor.ID) ||
		a.Type == string(clock.AppealAnswered) && slices.Contains(decidersIn(now.events), actor.ID) {
		return problem.New(problem.Forbidden, "case.decided_by_you")
	}
	if a.Type == string(clock.Granted) || a.Type == string(clock.Refused) {
		return signs(now.terms, now.events, actor)
	}
	return nil
}

// hearings are what nobody does in an appeal who had a hand in what it contests.
var hearings = []string{Prepared, string(clock.Granted), string(clock.Refused)}

// signs holds the separation of duties: where the procedure wants two, who
// prepared the decision is not who takes it.
func signs(t *Terms, all []Event, actor gov.Actor) error {
	if !t.TwoSign {
		return nil
	}
	i := slices.IndexFunc(all, func(e Event) bool { return e.Type == Prepared })
	if i < 0 {
		return problem.New(problem.Conflict, "case.not_prepared")
	}
	for _, e := range all {
		if e.Type == Prepared && e.Actor == actor.ID {
			return problem.New(problem.Forbidden, "case.prepared_by_you")
		}
	}
	return nil
}
