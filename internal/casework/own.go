package casework

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"diwan/internal/casework/clock"
	"diwan/internal/casework/form"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Incoming is a case that an administration's own program brings: a new one, or
// one under way with what has happened in it so far.
type Incoming struct {
	// Own is the program's own reference. One reference is one case, however often
	// it is sent; the same with other contents is refused.
	Own       string          `json:"own_reference"`
	Unit      string          `json:"unit"`
	Procedure string          `json:"procedure"`
	Person    Whom            `json:"person"`
	Applicant gov.Text        `json:"applicant"`
	Lang      gov.Lang        `json:"lang"`
	Answers   json.RawMessage `json:"answers"`
	Missing   []string        `json:"missing"`
	// Events are those of a case under way, its filing first.
	Events []OwnEvent `json:"events"`
}

// Whom names the applicant: by the reference under which the administration knows
// them here, or by an identifier of its own, which is kept as a hash alone.
type Whom struct {
	Reference string `json:"reference"`
	Own       string `json:"own"`
}

// OwnEvent is what happened in a case before it came here.
type OwnEvent struct {
	On       gov.Date `json:"on"`
	Type     string   `json:"type"`
	Complete *bool    `json:"complete"`
	Days     int      `json:"days"`
	Ground   string   `json:"ground"`
	Items    []string `json:"items"`
	Text     string   `json:"text"`
}

// ownPerson begins the id of a person whom only a program knows. They have no
// account here: their administration tells them what happens.
const ownPerson = "own:"

// maxOwnEvents bounds what one case under way brings along.
const maxOwnEvents = 200

// Bring files what a program brings, or takes over a case under way, under the
// rules that hold for everybody: the published procedure and form, the clock. The
// answer says whether the case was there already.
func (w *Casework) Bring(ctx context.Context, t *Token, in Incoming) (c *Case, there bool, err error) {
	if !plain(in.Own, in.Unit, in.Procedure) || in.Own == "" {
		return nil, false, problem.New(problem.Invalid, "program.own_reference")
	}
	whole, err := json.Marshal(in)
	if err != nil {
		return nil, false, problem.Wrap(err, problem.Invalid, "program.json")
	}
	digest := hashOf("own", string(whole))
	if number, err := w.brought(ctx, w.DB.Reader(), t.Administration, in.Own, digest); err != nil || number != "" {
		return w.there(ctx, number, err)
	}
	f, err := w.filingOf(ctx, t, &in)
	if err != nil {
		return nil, false, err
	}
	if err := errors.Join(w.checkFiling(&f), w.May(ctx, f.By, MayFile, &Case{Administration: f.Administration, Unit: f.Unit, Person: f.Person, Procedure: in.Procedure})); err != nil {
		return nil, false, err
	}
	if err := w.name(ctx, &f); err != nil {
		return nil, false, err
	}
	if err := w.sealer.Ready(ctx, f.Person); err != nil {
		return nil, false, err
	}
	err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
		number, err := w.brought(ctx, tx, t.Administration, in.Own, digest)
		if err != nil {
			return err
		}
		if there = number != ""; there {
			c, err = caseByNumber(ctx, tx, number)
			return err
		}
		if len(in.Events) == 0 {
			c, err = w.fileIn(ctx, tx, f)
		} else {
			c, err = w.takeOver(ctx, tx, f, in.Events)
		}
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO casework_own (administration, reference, number, digest) VALUES ($1, $2, $3, $4)`, t.Administration, in.Own, c.Number, digest)
		return err
	})
	if err != nil {
		return nil, false, err
	}
	return c, there, nil
}

// brought finds the case of a program's reference, empty when there is none.
func (w *Casework) brought(ctx context.Context, q querier, administration, own, digest string) (number string, err error) {
	var had string
	err = q.QueryRowContext(ctx, `SELECT number, digest FROM casework_own WHERE administration = $1 AND reference = $2`, administration, own).Scan(&number, &had)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return "", nil
	case err != nil:
		return "", fmt.Errorf("reading the reference of a program: %w", err)
	case had != digest:
		return "", problem.New(problem.Conflict, "program.own_other", "number", number)
	}
	return number, nil
}

func (w *Casework) there(ctx context.Context, number string, err error) (*Case, bool, error) {
	if err != nil {
		return nil, false, err
	}
	c, err := caseByNumber(ctx, w.DB.Reader(), number)
	return c, true, err
}

// filingOf makes a filing of what a program brings.
func (w *Casework) filingOf(ctx context.Context, t *Token, in *Incoming) (f Filing, err error) {
	offices, err := w.Procedures.Offices(ctx, in.Procedure)
	if err != nil {
		return f, err
	}
	if !slices.ContainsFunc(offices, func(o Office) bool { return o.ID == t.Administration }) {
		return f, problem.New(problem.Forbidden, "program.procedure_other")
	}
	if t.Unit != "" && in.Unit != t.Unit {
		return f, problem.New(problem.Forbidden, "forbidden")
	}
	if !slices.Contains(w.Country.Order(), in.Lang) {
		return f, problem.New(problem.Invalid, "program.lang")
	}
	if len(in.Applicant) == 0 {
		return f, problem.New(problem.Invalid, "program.applicant")
	}
	f = Filing{Administration: t.Administration, Unit: in.Unit, By: t.actor(), Channel: API, Lang: in.Lang, Applicant: in.Applicant, Missing: in.Missing, Answers: in.Answers}
	if f.Terms, err = w.Procedures.Terms(ctx, in.Procedure); err != nil {
		return f, err
	}
	if f.Person, err = w.whom(ctx, t, in.Person); err != nil {
		return f, err
	}
	return f, w.checkAnswers(ctx, &f, len(in.Events) > 0)
}

// whom finds the person that a program means.
func (w *Casework) whom(ctx context.Context, t *Token, p Whom) (string, error) {
	switch {
	case (p.Reference == "") == (p.Own == "") || !plain(p.Reference, p.Own):
		return "", problem.New(problem.Invalid, "program.person")
	case p.Own != "":
		return ownPerson + hashOf("person of a program", t.Administration, p.Own)[:32], nil
	}
	if w.Resolve == nil {
		return "", problem.New(problem.NotFound, "program.person_unknown")
	}
	person, err := w.Resolve(ctx, t.actor(), t.Administration, p.Reference)
	if problem.Is(err, problem.NotFound) {
		return "", problem.New(problem.NotFound, "program.person_unknown")
	}
	return person, err
}

// checkAnswers holds the answers of a new case against the published form, as the
// pages do. A case under way began under a form that may not be known here.
func (w *Casework) checkAnswers(ctx context.Context, f *Filing, underWay bool) error {
	if len(f.Answers) == 0 {
		f.Answers = []byte("{}")
	}
	if len(f.Answers) > maxAnswers {
		return problem.New(problem.Invalid, "draft.too_large")
	}
	answers, err := form.Decode(f.Answers)
	if err != nil {
		return problem.Wrap(err, problem.Invalid, "program.answers")
	}
	made, err := w.Form(ctx, f.Terms.Procedure, "")
	if underWay || problem.Is(err, problem.NotFound) {
		f.Answers, err = answers.JSON()
		return err
	}
	if err != nil {
		return err
	}
	f.Terms.Form = made.Doc().Version
	if wrong := form.Blocking(made.Check(answers, form.World{Country: w.Country, Places: w.Places, Today: w.today(), Lang: f.Lang})); len(wrong) > 0 {
		p := problem.New(problem.Invalid, "program.answers")
		for _, x := range wrong {
			p.Fields = append(p.Fields, problem.Field{Path: "answers." + x.Path, Code: x.Code, Args: x.Args})
		}
		return p
	}
	for _, piece := range made.Pieces(answers) {
		// A program can't hand on what a wallet shows: it proves its holder to the portal alone.
		if (piece.Missing || piece.Route == form.RouteWallet) && !slices.Contains(f.Missing, piece.Evidence) {
			f.Missing = append(f.Missing, piece.Evidence)
		}
	}
	f.Answers, err = made.Document(answers)
	return err
}

// takeOver writes a case under way with its events, in their order, and lets the
// clock judge them: one that the law does not allow refuses the whole. What time
// brought about in between stands after them, each with its own day.
func (w *Casework) takeOver(ctx context.Context, tx *db.Tx, f Filing, list []OwnEvent) (*Case, error) {
	if len(list) > maxOwnEvents || list[0].Type != string(clock.Filed) || list[0].On.IsZero() {
		return nil, problem.New(problem.Invalid, "program.events")
	}
	f.On = list[0].On
	if w.today().Before(f.On) {
		return nil, problem.New(problem.Invalid, "case.future")
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
	var all []Event
	for i, x := range list {
		e, err := w.ownEvent(ctx, tx, c, f, x, i)
		if err != nil {
			return nil, err
		}
		all = append(all, e)
	}
	if err := w.lawful(c, &f.Terms, all); err != nil {
		return nil, err
	}
	if _, err := w.settle(ctx, tx, c, &f.Terms, all); err != nil {
		return nil, err
	}
	if err := insertCase(ctx, tx, c); err != nil {
		return nil, err
	}
	return c, nil
}

// ownEvent writes one event of a case under way.
func (w *Casework) ownEvent(ctx context.Context, tx *db.Tx, c *Case, f Filing, x OwnEvent, i int) (Event, error) {
	at := "events." + strconv.Itoa(i)
	a := Action{Text: x.Text, Items: x.Items, Ground: x.Ground}
	r, known := rules[x.Type]
	if x.Type != string(clock.Filed) && (!known || !clockTypes[x.Type] || x.Type == certifiedType) { // another administration certifies
		return Event{}, atPlace("case.action_unknown", at, "action", x.Type)
	}
	if err := a.check(r); err != nil {
		p := problem.From(err)
		return Event{}, atPlace(p.Code, at)
	}
	if w.today().Before(x.On) {
		return Event{}, atPlace("case.future", at)
	}
	for _, id := range x.Items {
		if _, ok := f.Terms.Document(id); !ok {
			return Event{}, atPlace("case.document_unknown", at, "document", id)
		}
	}
	if i == 0 {
		complete := len(f.Missing) == 0
		if x.Complete == nil {
			x.Complete = &complete
		}
		a.Items = f.Missing
	}
	e := Event{Type: x.Type, On: x.On, At: w.Clock.Now(), Actor: f.By.ID, Text: a.Text, Clear: Clear{Complete: x.Complete, Days: x.Days, Ground: a.ground(r), Items: a.Items, Role: AsOfficer}}
	if err := w.appendEvent(ctx, tx, c, &e); err != nil {
		return e, err
	}
	if r.once || i == 0 {
		if err := w.ask(ctx, tx, c, x.Type, a.Items, e.Seq); err != nil {
			return e, err
		}
	}
	return e, w.outward(ctx, tx, c, &e)
}

// atPlace is a problem with one place in the input.
func atPlace(code, path string, args ...string) error {
	p := problem.New(problem.Invalid, code, args...)
	p.Fields = []problem.Field{problem.At(path, code, args...)}
	return p
}

// lawful names every event that the law's clock does not accept.
func (w *Casework) lawful(c *Case, t *Terms, all []Event) error {
	out, err := clock.Run(w.Rules, input(t, all, w.today()))
	if err != nil {
		return problem.Wrap(err, problem.Invalid, "program.events")
	}
	if len(out.Rejected) == 0 {
		return nil
	}
	p := problem.New(problem.Conflict, "clock."+out.Rejected[0].Code)
	for _, r := range out.Rejected {
		p.Fields = append(p.Fields, problem.At("events."+strconv.Itoa(r.Index), "clock."+r.Code))
	}
	return p
}
