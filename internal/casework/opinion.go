package casework

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// What an opinion says.
const (
	Favourable   = "favourable"
	Unfavourable = "unfavourable"
	Conditional  = "conditional" // favourable if the conditions in its reasons are met
)

// States of an opinion that was asked.
const (
	opinionOpen    = "open"
	opinionGiven   = "given"
	opinionDropped = "dropped" // the case ended before it was given
)

// OpinionDue is the notice that the day of an opinion comes near. It is in no
// journal: nothing happened.
const OpinionDue = "opinion_due"

// Bounds of an opinion's own period, in days. It never touches the person's: the
// law lets no administration count the time of another against the applicant.
const (
	maxOpinionDays = 60
	remindDays     = 2
	maxOpinions    = 20 // that one case asks for
)

// Opinion is what an administration, or one of its units, is asked about a case.
type Opinion struct {
	ID             string
	Administration string // whose case it is
	To             string
	Unit           string // of To; empty is the whole of it
	State          string
	Due            gov.Date
	Result         string
	AskedBy        string
	GivenBy        string
	Asked, Given   time.Time
	Case           *Case
	Question       string
	Reasons        string

	caseID             string
	askedSeq, givenSeq int64
	reminded           string
}

const opinionColumns = `id, administration, case_id, to_administration, to_unit, state, due, result, asked_seq, asked_by, asked_at, given_seq, given_by, given_at, reminded`

func scanOpinion(row interface{ Scan(...any) error }) (*Opinion, error) {
	var o Opinion
	var due string
	var asked, given int64
	if err := row.Scan(&o.ID, &o.Administration, &o.caseID, &o.To, &o.Unit, &o.State, &due, &o.Result, &o.askedSeq, &o.AskedBy, &asked,
		&o.givenSeq, &o.GivenBy, &given, &o.reminded); err != nil {
		return nil, fmt.Errorf("reading an opinion: %w", err)
	}
	o.Due, o.Asked, o.Given = dayOf(due), momentOf(asked), momentOf(given)
	return &o, nil
}

func opinions(ctx context.Context, q querier, where string, args ...any) ([]*Opinion, error) {
	rows, err := q.QueryContext(ctx, `SELECT `+opinionColumns+` FROM casework_opinion WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("listing opinions: %w", err)
	}
	defer rows.Close()
	var out []*Opinion
	for rows.Next() {
		o, err := scanOpinion(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, rows.Err()
}

// opinion does what an action about an opinion does to the case and to the list of
// opinions, in the action's own transaction. e is the event that will be written.
func (w *Casework) opinion(ctx context.Context, tx *db.Tx, c *Case, actor gov.Actor, a *Action, e *Event) error {
	if !c.Open {
		return problem.New(problem.Conflict, "case.opinion_closed")
	}
	all, err := opinions(ctx, tx, `administration = $1 AND case_id = $2 ORDER BY asked_at, id`, c.Administration, c.ID)
	if err != nil {
		return err
	}
	if a.Type == OpinionGiven {
		all, err = w.giveOpinion(ctx, tx, c, actor, a, e, all)
	} else {
		all, err = w.askOpinion(ctx, tx, c, a, e, all)
	}
	if err != nil {
		return err
	}
	c.AskedOf = askedOf(all)
	return nil
}

// askedOf are the administrations whose opinion is open, each once.
func askedOf(all []*Opinion) []string {
	var out []string
	for _, o := range all {
		if o.State == opinionOpen && !slices.Contains(out, o.To) {
			out = append(out, o.To)
		}
	}
	return out
}

func (w *Casework) askOpinion(ctx context.Context, tx *db.Tx, c *Case, a *Action, e *Event, all []*Opinion) ([]*Opinion, error) {
	to, unit := splitPlace(a.To)
	switch {
	case !isPlace(to) || unit != "" && !isPlace(unit) || w.IsOffice != nil && !w.IsOffice(to):
		return nil, problem.New(problem.Invalid, "case.opinion_whom")
	case to == c.Administration && (unit == "" || unit == c.Unit):
		return nil, problem.New(problem.Invalid, "case.opinion_self")
	case a.Days < 1 || a.Days > maxOpinionDays:
		return nil, problem.New(problem.Invalid, "case.opinion_days", "days", fmt.Sprint(maxOpinionDays))
	case len(all) >= maxOpinions:
		return nil, problem.New(problem.Invalid, "case.opinion_many", "max", fmt.Sprint(maxOpinions))
	}
	for _, o := range all {
		if o.State == opinionOpen && o.To == to && o.Unit == unit {
			return nil, problem.New(problem.Conflict, "case.opinion_open")
		}
	}
	o := &Opinion{ID: gov.NewID(), Administration: c.Administration, caseID: c.ID, To: to, Unit: unit, State: opinionOpen, Due: e.On.AddDays(a.Days),
		askedSeq: c.Events + 1, AskedBy: e.Actor, Asked: e.At}
	e.Clear.Ref = o.ID
	_, err := tx.ExecContext(ctx, `INSERT INTO casework_opinion (`+opinionColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, '', $8, $9, $10, 0, '', 0, '')`,
		o.ID, o.Administration, o.caseID, o.To, o.Unit, o.State, o.Due.String(), o.askedSeq, o.AskedBy, db.Micros(o.Asked))
	if err != nil {
		return nil, fmt.Errorf("asking for an opinion: %w", err)
	}
	return append(all, o), w.tellAsked(ctx, tx, c, o, OpinionAsked)
}

func (w *Casework) giveOpinion(ctx context.Context, tx *db.Tx, c *Case, actor gov.Actor, a *Action, e *Event, all []*Opinion) ([]*Opinion, error) {
	if a.Ground != Favourable && a.Ground != Unfavourable && a.Ground != Conditional {
		return nil, problem.New(problem.Invalid, "case.opinion_result")
	}
	i := slices.IndexFunc(all, func(o *Opinion) bool { return o.ID == a.Ref && o.mine(actor) })
	if i < 0 {
		return nil, problem.New(problem.NotFound, "case.opinion_not_found")
	}
	o := all[i]
	if o.State != opinionOpen {
		return nil, problem.New(problem.Conflict, "case.opinion_given")
	}
	o.State, o.Result, o.givenSeq, o.GivenBy, o.Given = opinionGiven, a.Ground, c.Events+1, actor.ID, e.At
	e.Clear.To = o.To
	_, err := tx.ExecContext(ctx, `UPDATE casework_opinion SET state = $2, result = $3, given_seq = $4, given_by = $5, given_at = $6 WHERE id = $1`,
		o.ID, o.State, o.Result, o.givenSeq, o.GivenBy, db.Micros(o.Given))
	if err != nil {
		return nil, fmt.Errorf("giving an opinion: %w", err)
	}
	return all, nil
}

// dropOpinions ends the opinions of a case that has ended: nobody reads the case
// for them any longer.
func (w *Casework) dropOpinions(ctx context.Context, tx *db.Tx, c *Case) error {
	c.AskedOf = nil
	_, err := tx.ExecContext(ctx, `UPDATE casework_opinion SET state = $3 WHERE administration = $1 AND case_id = $2 AND state = $4`,
		c.Administration, c.ID, opinionDropped, opinionOpen)
	if err != nil {
		return fmt.Errorf("ending the opinions of a case: %w", err)
	}
	return nil
}

// mine tells whether somebody works where the opinion was asked.
func (o *Opinion) mine(a gov.Actor) bool {
	return a.Administration != "" && a.Administration == o.To && (o.Unit == "" || a.Unit == "" || a.Unit == o.Unit)
}

// tellAsked writes a notice to those who study cases where an opinion was asked.
func (w *Casework) tellAsked(ctx context.Context, tx *db.Tx, c *Case, o *Opinion, kind string) error {
	if w.Workers == nil {
		return nil
	}
	all, err := w.Workers(ctx, o.To)
	if err != nil {
		return err
	}
	for _, a := range all {
		if !a.Has(gov.RoleStudy) || !o.mine(a) {
			continue
		}
		if err := w.putNotice(ctx, tx, c, a.ID, kind, c.Events+1); err != nil {
			return err
		}
	}
	return nil
}

// putNotice writes that an account is to be told of something.
func (w *Casework) putNotice(ctx context.Context, tx *db.Tx, c *Case, account, kind string, seq int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO casework_notice (id, administration, case_id, seq, to_account, kind, made_at, sent_at, tries) VALUES ($1, $2, $3, $4, $5, $6, $7, 0, 0)`,
		gov.NewID(), c.Administration, c.ID, seq, account, kind, db.Micros(w.Clock.Now()))
	if err != nil {
		return fmt.Errorf("writing who is to be told: %w", err)
	}
	return nil
}

// OpinionsOf lists the opinions that a case asked for, the first first, with what
// was asked and answered. The policy is the caller's.
func (w *Casework) OpinionsOf(ctx context.Context, c *Case) ([]*Opinion, error) {
	all, err := opinions(ctx, w.DB.Reader(), `administration = $1 AND case_id = $2 ORDER BY asked_at, id`, c.Administration, c.ID)
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		o.Case = c
		if err := w.openOpinion(ctx, o); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// openOpinion reads the words of an opinion from the case's journal. After an
// erasure there are none.
func (w *Casework) openOpinion(ctx context.Context, o *Opinion) (err error) {
	if o.Question, err = w.eventText(ctx, o.Case, o.askedSeq); err == nil && o.givenSeq > 0 {
		o.Reasons, err = w.eventText(ctx, o.Case, o.givenSeq)
	}
	return err
}

func (w *Casework) eventText(ctx context.Context, c *Case, seq int64) (string, error) {
	var sealed []byte
	err := w.DB.Reader().QueryRowContext(ctx, `SELECT sealed FROM casework_event WHERE administration = $1 AND case_id = $2 AND seq = $3`,
		c.Administration, c.ID, seq).Scan(&sealed)
	if err != nil {
		return "", fmt.Errorf("reading what an opinion says: %w", err)
	}
	b, err := w.sealer.Open(ctx, c.Person, eventPlace(c.ID, seq), sealed)
	if problem.Is(err, problem.NotFound) {
		return "", nil
	}
	return string(b), err
}

// opinionPage bounds the list of opinions of an administration.
const opinionPage = 200

// AskedOpinions lists what somebody's administration was asked, those due first at
// the top; with given the answered ones, the latest first.
func (w *Casework) AskedOpinions(ctx context.Context, actor gov.Actor, given bool) ([]*Opinion, error) {
	if actor.Administration == "" || !actor.Has(gov.RoleStudy) {
		return nil, nil
	}
	state, order := opinionOpen, "due, id"
	if given {
		state, order = opinionGiven, "given_at DESC, id"
	}
	all, err := opinions(ctx, w.DB.Reader(), `to_administration = $1 AND state = $2 ORDER BY `+order+fmt.Sprintf(" LIMIT %d", opinionPage), actor.Administration, state)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(o *Opinion) bool { return !o.mine(actor) })
	for _, o := range all {
		if o.Case, err = caseByID(ctx, w.DB.Reader(), o.Administration, o.caseID); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// AskedOpinion returns one opinion, for somebody whose administration was asked.
func (w *Casework) AskedOpinion(ctx context.Context, actor gov.Actor, id string) (*Opinion, error) {
	none := problem.New(problem.NotFound, "case.opinion_not_found")
	if !isID(id) || !actor.Has(gov.RoleStudy) {
		return nil, none
	}
	all, err := opinions(ctx, w.DB.Reader(), `id = $1`, id)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 || !all[0].mine(actor) {
		return nil, none
	}
	o := all[0]
	if o.Case, err = caseByID(ctx, w.DB.Reader(), o.Administration, o.caseID); err != nil {
		return nil, err
	}
	return o, w.openOpinion(ctx, o)
}

// RemindOpinions tells those who owe an opinion that its day comes, once, and both
// sides once when it has passed. It may run on several copies at once.
func (w *Casework) RemindOpinions(ctx context.Context) error {
	today := w.today()
	list, err := opinions(ctx, w.DB.Reader(), `state = $1 AND due <= $2 AND reminded <> 'late' ORDER BY due, id LIMIT 1000`, opinionOpen, today.AddDays(remindDays).String())
	if err != nil {
		return err
	}
	var failed error
	for _, o := range list {
		stage := "soon"
		if o.Due.Before(today) {
			stage = "late"
		}
		if o.reminded == stage {
			continue
		}
		failed = errors.Join(failed, w.DB.RunTx(ctx, func(tx *db.Tx) error { return w.remindOpinion(ctx, tx, o, stage) }))
	}
	return failed
}

func (w *Casework) remindOpinion(ctx context.Context, tx *db.Tx, o *Opinion, stage string) error {
	r, err := tx.ExecContext(ctx, `UPDATE casework_opinion SET reminded = $3 WHERE id = $1 AND reminded = $2 AND state = $4`, o.ID, o.reminded, stage, opinionOpen)
	if err != nil {
		return fmt.Errorf("reminding of an opinion: %w", err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return err // another copy of the program was faster
	}
	c, err := caseByID(ctx, tx, o.Administration, o.caseID)
	if err != nil {
		return err
	}
	if stage == "late" && c.Assigned != "" {
		if err := w.putNotice(ctx, tx, c, c.Assigned, OpinionDue, o.askedSeq); err != nil {
			return err
		}
	}
	return w.tellAsked(ctx, tx, c, o, OpinionDue)
}
