package casework

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"diwan/internal/casework/clock"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Filing is an application that is handed in.
type Filing struct {
	Draft          string // that it was written in; empty for one that comes by program
	Administration string
	Unit           string
	Person         string // the applicant: whose key seals it
	By             gov.Actor
	Channel        string
	Lang           gov.Lang
	Applicant      gov.Text
	For            gov.Text
	Terms          Terms
	Answers        []byte
	Missing        []string // documents that the person must still bring
	Files          []string // uploaded, by id
	Earlier        string
	Words          string // of an appeal
	// Fetching are documents that the administration gets itself.
	Fetching []string
	// On is the day of filing when the case was begun elsewhere; zero is today.
	On gov.Date

	reference string // how the administration names the person
	keep      func(context.Context, *db.Tx) error
}

// numberTries bounds the search for a number that no case has.
const numberTries = 5

// File hands an application in. When it returns, the case is durable: its number,
// its day, what is missing and the day due will not change by themselves. The same
// draft handed in twice is one case.
func (w *Casework) File(ctx context.Context, f Filing) (*Case, error) {
	if err := w.checkFiling(&f); err != nil {
		return nil, err
	}
	if err := w.name(ctx, &f); err != nil {
		return nil, err
	}
	if err := w.sealer.Ready(ctx, f.Person); err != nil { // makes the key outside the transaction
		return nil, err
	}
	for try := 1; ; try++ {
		c, err := w.fileOnce(ctx, f)
		if !db.IsDuplicate(err) || try == numberTries {
			return c, err
		}
	}
}

func (w *Casework) checkFiling(f *Filing) error {
	switch {
	case len(f.Answers) > maxAnswers:
		return problem.New(problem.Invalid, "draft.too_large")
	case f.Administration == "" || f.Person == "":
		return problem.New(problem.Invalid, "case.incomplete_filing")
	}
	for _, name := range []*gov.Text{&f.Applicant, &f.For} {
		clean, ok := cleanNames(*name)
		if !ok {
			return problem.New(problem.Invalid, "case.name_too_long")
		}
		*name = clean
	}
	for _, m := range f.Missing {
		if _, ok := f.Terms.Document(m); !ok {
			return problem.New(problem.Invalid, "case.document_unknown", "document", m)
		}
	}
	if !f.On.IsZero() && w.today().Before(f.On) {
		return problem.New(problem.Invalid, "case.future")
	}
	return nil
}

// name finds how the administration names the person.
func (w *Casework) name(ctx context.Context, f *Filing) (err error) {
	if w.ReferenceIn != nil {
		f.reference, f.keep, err = w.ReferenceIn(ctx, f.Person, f.Administration)
		return err
	}
	f.keep = func(context.Context, *db.Tx) error { return nil }
	f.reference, err = w.Reference(ctx, f.Person, f.Administration)
	return err
}

func (w *Casework) fileOnce(ctx context.Context, f Filing) (c *Case, err error) {
	err = w.joint.Do(ctx, func(ctx context.Context, tx *db.Tx) error {
		c, err = w.fileIn(ctx, tx, f)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !w.has(c.Terms) {
		w.TermsOf(ctx, c) // at hand for the next; whoever needs them reads them again
	}
	return c, nil
}

func (w *Casework) fileIn(ctx context.Context, tx *db.Tx, f Filing) (*Case, error) {
	if f.Draft != "" {
		filed, err := w.closeDraft(ctx, tx, f.Draft, f.By.ID)
		if err != nil {
			return nil, err
		}
		if filed != "" {
			return caseByNumber(ctx, tx, filed)
		}
	}
	digest, err := w.putTerms(ctx, tx, &f.Terms)
	if err != nil {
		return nil, err
	}
	if err := f.keep(ctx, tx); err != nil {
		return nil, err
	}
	c, err := w.newCase(ctx, f, digest)
	if err != nil {
		return nil, err
	}
	complete := len(f.Missing) == 0
	first := Event{Type: string(clock.Filed), On: c.Filed, At: c.Created, Actor: f.By.ID, Text: f.Words,
		Clear: Clear{Complete: &complete, Items: f.Missing, Role: roleOf(f.By)}}
	if err := w.appendEvent(ctx, tx, c, &first); err != nil {
		return nil, err
	}
	if _, err := w.settle(ctx, tx, c, &f.Terms, []Event{first}); err != nil {
		return nil, err
	}
	if err := w.takeEvidence(ctx, tx, c, f.Draft); err != nil {
		return nil, err
	}
	if err := insertCase(ctx, tx, c); err != nil {
		return nil, err
	}
	if err := w.ask(ctx, tx, c, string(clock.Filed), f.Missing, first.Seq); err != nil {
		return nil, err
	}
	if err := w.takeFiles(ctx, tx, c, f); err != nil {
		return nil, err
	}
	if f.Draft != "" {
		if _, err := tx.ExecContext(ctx, `UPDATE casework_draft SET filed = $2, sealed = $3 WHERE id = $1`, f.Draft, c.Number, []byte{}); err != nil {
			return nil, fmt.Errorf("closing a draft: %w", err)
		}
	}
	return c, w.notify(ctx, tx, c, first)
}

// newCase makes the case of a filing, with what the person said sealed.
func (w *Casework) newCase(ctx context.Context, f Filing, digest string) (*Case, error) {
	now := w.Clock.Now()
	on := f.On
	if on.IsZero() {
		on = w.today()
	}
	c := &Case{ID: gov.NewID(), Number: NewNumber(on.Year), Administration: f.Administration, Unit: f.Unit, Procedure: f.Terms.Procedure,
		Terms: digest, Form: f.Terms.Form, Person: f.Person, Reference: f.reference, Filer: f.By.ID, Lang: f.Lang, Channel: f.Channel, Filed: on,
		Earlier: f.Earlier, Version: 1, Duplicate: fingerprint(f.reference, f.Terms.Procedure, f.Answers), Created: now, Updated: now}
	if f.Terms.Appeal {
		c.Duplicate = "" // appeals have no answers to compare
	}
	c.head = firstHash(c.Administration, c.ID, c.Number)
	content, err := json.Marshal(Content{f.Applicant, f.For, f.Answers})
	if err != nil {
		return nil, err
	}
	if c.sealed, err = w.sealer.Seal(ctx, c.Person, contentPlace(c.ID), content); err != nil {
		return nil, err
	}
	return c, nil
}

// closeDraft finds out whether a draft was filed already. On PostgreSQL the two
// transactions that both find it open can't both commit.
func (w *Casework) closeDraft(ctx context.Context, tx *db.Tx, id, filer string) (filed string, err error) {
	var owner string
	err = tx.QueryRowContext(ctx, `SELECT filer, filed FROM casework_draft WHERE id = $1`, id).Scan(&owner, &filed)
	if err != nil || owner != filer {
		return "", errors.Join(errNoDraft, nil)
	}
	return filed, nil
}

// roleOf says in which capacity somebody acts.
func roleOf(a gov.Actor) string {
	switch {
	case a.ID == "":
		return AsProgram
	case a.Administration != "" || a.Works():
		return AsOfficer
	}
	return AsPerson
}

// fingerprint is the same for two applications of one person that ask for the
// same, whatever the spacing and the case of the letters.
func fingerprint(reference, procedure string, answers []byte) string {
	plain := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, string(answers))
	return hashOf("duplicate", reference, procedure, plain)[:32]
}

// ask writes to the ledger what a person is asked for. What was asked once in a
// case is never asked again (the right not to be asked twice).
func (w *Casework) ask(ctx context.Context, tx *db.Tx, c *Case, kind string, items []string, seq int64) error {
	for _, item := range items {
		r, err := tx.ExecContext(ctx, `INSERT INTO casework_asked (administration, case_id, item, seq) VALUES ($1, $2, $3, $4)
			ON CONFLICT (administration, case_id, item) DO NOTHING`, c.Administration, c.ID, kind+":"+item, seq)
		if err != nil {
			return fmt.Errorf("writing what was asked: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, problem.New(problem.Conflict, "case.asked_already", "document", item))
		}
	}
	return nil
}

// openStates are those in which somebody still has to act.
var openStates = []clock.State{clock.FiledIncomplete, clock.Running, clock.Suspended, clock.ExtendedState,
	clock.DeliveryClaimed, clock.Escalated, clock.AppealedState, clock.Referred}

// settle brings a case to where its events and the day put it, and writes to its
// journal what time has made and was not written yet.
func (w *Casework) settle(ctx context.Context, tx *db.Tx, c *Case, t *Terms, all []Event) (clock.Output, error) {
	out, err := clock.Run(*w.law(), input(t, all, w.dayIn(all)))
	if err != nil {
		return out, fmt.Errorf("the clock of case %s: %w", c.Number, err)
	}
	if len(out.Rejected) > 0 {
		r := out.Rejected[len(out.Rejected)-1]
		return out, problem.New(problem.Conflict, "clock."+r.Code)
	}
	for _, tr := range out.Transitions {
		written := slices.ContainsFunc(all, func(e Event) bool {
			return e.Type == TimePassed && e.Clear.State == string(tr.State)
		})
		if written {
			continue
		}
		e := Event{Type: TimePassed, On: tr.On, At: w.momentIn(all), Clear: Clear{State: string(tr.State), Role: AsProgram}}
		if err := w.appendEvent(ctx, tx, c, &e); err != nil {
			return out, err
		}
		if tr.State == clock.Referred && !t.Appeal && lodged(all) != "" {
			continue // the appeal's own journal tells the person
		}
		if err := w.notify(ctx, tx, c, e); err != nil {
			return out, err
		}
		if tr.State == clock.SilenceApproved {
			if err := w.decided(ctx, tx, c, t, Verdict{On: tr.On, Silent: true}); err != nil {
				return out, err
			}
		}
	}
	w.bringAbove(c, t, all, out.State)
	c.State, c.Due, c.SilenceFrom, c.Next, c.ToChange = out.State, out.Due, out.SilenceFrom, out.Change, out.ToChange
	c.Open = slices.Contains(openStates, out.State)
	if !c.Open && len(c.AskedOf) > 0 {
		if err := w.dropOpinions(ctx, tx, c); err != nil {
			return out, err
		}
	}
	if !out.State.Pending() || c.Due.IsZero() {
		// Before and after the decision other periods run, each with its day.
		c.Due = gov.Date{}
		if len(out.Timers) > 0 && !c.ToChange {
			c.Due = out.Timers[0].Due
		}
	}
	return out, nil
}
