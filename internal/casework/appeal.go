package casework

import (
	"context"
	"fmt"
	"slices"

	"diwan/internal/casework/clock"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// groundOvertaken says, of an appeal that was granted, that nobody had to hear it:
// the administration changed its decision by itself.
const groundOvertaken = "decision_changed"

// Appeal lodges an appeal against the refusal of a case, or against silence that is
// no approval: a case of its own, with its number, its receipt and its clock, before
// the administration that hears it. Both cases name each other. It is one
// transaction: there is no appeal that the contested case does not know of.
func (w *Casework) Appeal(ctx context.Context, actor gov.Actor, number string, a Action) (contested, appeal *Case, err error) {
	a.Type = string(clock.Appealed)
	r := rules[a.Type]
	if err := a.check(r); err != nil {
		return nil, nil, err
	}
	found, err := caseByNumber(ctx, w.DB.Reader(), number)
	if err != nil {
		return nil, nil, err
	}
	if err := w.may(ctx, actor, r.may, found); err != nil {
		return nil, nil, err
	}
	f, err := w.appealOf(ctx, actor, found, a.Text)
	if err != nil {
		return nil, nil, err
	}
	for try := 1; ; try++ {
		err = w.change(ctx, number, func(tx *db.Tx, c *Case, now standing) ([]Event, error) {
			contested = c
			if err := w.may(ctx, actor, r.may, c); err != nil {
				return nil, err
			}
			if err := a.fits(c, now, actor, r); err != nil {
				return nil, err
			}
			if c.Earlier != "" { // what answers an appeal is contested before the courts
				return nil, problem.New(problem.Conflict, "clock.appeal.only_answer")
			}
			if appeal, err = w.fileIn(ctx, tx, f); err != nil {
				return nil, err
			}
			if f.Administration != c.Administration {
				c.Above = f.Administration // it reads what it hears about
			}
			return []Event{{Type: a.Type, On: w.dayIn(now.events), At: w.momentIn(now.events), Actor: actor.ID, Text: a.Text,
				Clear: Clear{Ref: appeal.Number, To: f.Administration, Role: roleOf(actor)}}}, nil
		})
		if !db.IsDuplicate(err) || try == numberTries {
			break
		}
	}
	if err != nil {
		return nil, nil, err
	}
	return contested, appeal, nil
}

// appealOf is the appeal against a case as it is filed.
func (w *Casework) appealOf(ctx context.Context, actor gov.Actor, c *Case, words string) (Filing, error) {
	t, err := w.TermsOf(ctx, c)
	if err != nil {
		return Filing{}, err
	}
	content, err := w.Content(ctx, c)
	if err != nil {
		return Filing{}, err
	}
	f := Filing{Administration: w.hears(c, t), Person: c.Person, By: actor, Channel: Online, Lang: c.Lang, Applicant: content.Applicant, For: content.For,
		Terms: w.appealTerms(t), Answers: []byte("{}"), Earlier: c.Number, Words: words}
	switch {
	case actor.ID == c.Filer:
	case actor.ID == c.Person:
		f.For = nil
	case w.AccountName != nil:
		f.For = w.AccountName(ctx, actor.ID)
	}
	if err := w.checkFiling(&f); err != nil {
		return f, err
	}
	if err := w.name(ctx, &f); err != nil {
		return f, err
	}
	return f, w.sealer.Ready(ctx, f.Person)
}

// appealTerms are what an appeal begins with: the period of its answer, and the
// level by which the law says who hears it. No document is asked for.
func (w *Casework) appealTerms(t *Terms) Terms {
	return Terms{Procedure: t.Procedure, Version: t.Version, Name: t.Name, DeadlineDays: w.Rules.Periods["appeal_answer"].Days, Authority: t.Authority,
		LegalBasis: []gov.Address{w.Rules.Articles["appeal"]}, Demo: t.Demo, Appeal: true}
}

// authority is the level of the administration of a case.
func (w *Casework) authority(t *Terms) clock.Authority {
	if t.Authority == "" {
		return w.Rules.Authorities[w.Rules.Authority]
	}
	return w.Rules.Authorities[t.Authority]
}

// hears is the administration that hears an appeal: the one above where the law
// says so and there is one here, and the same otherwise, by somebody else than who
// decided.
func (w *Casework) hears(c *Case, t *Terms) string {
	if w.authority(t).AppealAbove && w.Above != nil {
		if above := w.Above(c.Administration); above != "" {
			return above
		}
	}
	return c.Administration
}

// lodged is the number of the appeal that a case's journal tells of, empty without
// one. An appeal from before appeals were cases has none.
func lodged(all []Event) (number string) {
	for i := range all {
		if all[i].Type == string(clock.Appealed) {
			number = all[i].Clear.Ref
		}
	}
	return number
}

// carry takes what happened in one of two linked cases to the other.
func (w *Casework) carry(ctx context.Context, tx *db.Tx, c *Case, t *Terms, all []Event, e *Event) error {
	switch {
	case t.Appeal && e.Clear.Ground != groundOvertaken:
		return w.tellContested(ctx, tx, c, e)
	case !t.Appeal && e.Type == string(clock.Granted):
		return w.overtake(ctx, tx, lodged(all), c.Number, e)
	}
	return nil
}

// outcomes are what the end of an appeal means for the contested case.
var outcomes = map[string]string{string(clock.Granted): clock.AppealGranted, string(clock.Refused): clock.AppealRefused, string(clock.Withdrawn): clock.AppealWithdrawn}

// tellContested writes what came of an appeal into the case that it contests. After
// a granted one that case waits for its administration to change the decision.
func (w *Casework) tellContested(ctx context.Context, tx *db.Tx, appeal *Case, e *Event) error {
	outcome := outcomes[e.Type]
	if outcome == "" {
		return nil
	}
	return w.changeIn(ctx, tx, appeal.Earlier, func(_ *db.Tx, c *Case, now standing) ([]Event, error) {
		if code := now.clock.May[clock.AppealAnswered]; code != "" {
			return nil, problem.New(problem.Conflict, "clock."+code)
		}
		return []Event{{Type: string(clock.AppealAnswered), On: w.dayIn(now.events), At: w.momentIn(now.events), Actor: e.Actor, Text: e.Text,
			Clear: Clear{Ground: outcome, Ref: appeal.Number, For: e.Clear.For, Role: e.Clear.Role}}}, nil
	})
}

// overtake ends an appeal that nobody has to hear any more, for the administration
// has granted what was asked.
func (w *Casework) overtake(ctx context.Context, tx *db.Tx, appeal, contested string, e *Event) error {
	if appeal == "" {
		return nil
	}
	return w.changeIn(ctx, tx, appeal, func(_ *db.Tx, c *Case, now standing) ([]Event, error) {
		if now.clock.May[clock.Granted] != "" {
			return nil, nil
		}
		return []Event{{Type: string(clock.Granted), On: w.dayIn(now.events), At: w.momentIn(now.events), Actor: e.Actor,
			Clear: Clear{Ground: groundOvertaken, Ref: contested, Role: e.Clear.Role}}}, nil
	})
}

// deciders are who had a hand in the decision that an appeal contests: they prepared
// it, took it, or it was taken in their place. None of them hears the appeal.
func (w *Casework) deciders(ctx context.Context, q querier, appeal *Case) ([]string, error) {
	if appeal.Earlier == "" {
		return nil, nil
	}
	c, err := caseByNumber(ctx, q, appeal.Earlier)
	if err != nil {
		return nil, fmt.Errorf("the case that an appeal contests: %w", err)
	}
	all, _, err := events(ctx, q, c)
	if err != nil {
		return nil, err
	}
	return decidersIn(all), nil
}

// decidersIn are those of a journal.
func decidersIn(all []Event) (out []string) {
	for i := range all {
		switch e := &all[i]; e.Type {
		case string(clock.Granted), string(clock.Refused), Prepared:
			for _, who := range []string{e.Actor, e.Clear.For} {
				if who != "" && !slices.Contains(out, who) {
					out = append(out, who)
				}
			}
		}
	}
	return out
}

// stepOf names what happened in a case for the story that its page tells: in an
// appeal the same events mean something else.
func stepOf(c *Case, e *Event) string {
	switch {
	case e.Type == string(clock.AppealAnswered) && slices.Contains([]string{clock.AppealGranted, clock.AppealRefused, clock.AppealWithdrawn}, e.Clear.Ground):
		return e.Clear.Ground
	case c.Earlier == "":
	case e.Clear.Ground == groundOvertaken:
		return "appeal.overtaken"
	case e.Type == string(clock.Filed), outcomes[e.Type] != "":
		return "appeal." + e.Type
	}
	return e.Type
}

// toldThere says that a person hears of an event from the appeal that it speaks of.
func toldThere(e *Event) bool {
	return e.Clear.Ref != "" && (e.Type == string(clock.Appealed) || e.Type == string(clock.AppealAnswered))
}

// Linked is another case as the page of one names it: the appeal, or what it
// contests.
type Linked struct {
	*Case
	Office   gov.Text
	Tone     string
	Icon     string
	Readable bool // by whoever looks
}

// linked lists the cases that a case is tied to: what it contests, or the appeals
// against it.
func (w *Casework) linked(ctx context.Context, c *Case, journal []Event) (against *Linked, appeals []Linked, err error) {
	see := func(number string) (Linked, error) {
		x, err := caseByNumber(ctx, w.DB.Reader(), number)
		if err != nil {
			return Linked{}, err
		}
		return Linked{x, w.OfficeName(x.Administration), tones[x.State][0], tones[x.State][1], true}, nil
	}
	if c.Earlier != "" {
		l, err := see(c.Earlier)
		return &l, nil, err
	}
	for i := range journal {
		if e := &journal[i]; e.Type == string(clock.Appealed) && e.Clear.Ref != "" {
			l, err := see(e.Clear.Ref)
			if err != nil {
				return nil, nil, err
			}
			appeals = append(appeals, l)
		}
	}
	return nil, appeals, nil
}
