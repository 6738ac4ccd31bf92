package casework

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"diwan/internal/casework/clock"
	"diwan/internal/casework/form"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/keys"
	"diwan/internal/problem"
)

// Procedures tells what the published catalogue says of a procedure: the terms
// under which a case of it begins today, and the administrations to which one may
// apply.
type Procedures interface {
	Terms(ctx context.Context, procedure string) (Terms, error)
	Offices(ctx context.Context, procedure string) ([]Office, error)
	// Published is what the law lets a form of the procedure ask.
	Published(ctx context.Context, procedure string) (form.Published, error)
}

// Office is an administration that takes applications.
type Office struct {
	ID   string
	Name gov.Text
}

// Options are what a Casework is made of.
type Options struct {
	DB         *db.DB
	Clock      gov.Clock
	Country    *gov.Country
	Rules      clock.Rules
	Banned     form.Banned
	Procedures Procedures
	Keys       keys.Persons
	// Reference names a person for one administration.
	Reference func(ctx context.Context, person, administration string) (string, error)
	// ReferenceIn does the same and leaves what must be remembered to the
	// transaction that files; nil where Reference is enough.
	ReferenceIn func(ctx context.Context, person, administration string) (ref string, keep func(context.Context, *db.Tx) error, err error)
	// Retention says what must be kept when a person wants to be forgotten.
	Retention Retention
	// Complaints are the periods of complaints.
	Complaints ComplaintRules
	// Resolve finds whom a reference names, for programs of the administration that
	// has it; nil where they bring no cases.
	Resolve func(ctx context.Context, by gov.Actor, administration, reference string) (person string, err error)
	// Places are those below the regions, for addresses.
	Places []form.Place
	// May is the policy: nil when the actor may do the action to the case, and
	// the reason otherwise.
	May func(ctx context.Context, actor gov.Actor, action string, c *Case) error
	// OfficeName says the name of an administration.
	OfficeName func(id string) gov.Text
	// FieldLabel says what a field of a data service means to people.
	FieldLabel func(service, field string) gov.Text
	// AccountName says the name of an account, empty of none.
	AccountName func(ctx context.Context, id string) gov.Text
	// Above is the administration above another, by which appeals are heard and the
	// silence of those below is certified where the law says so; empty where there is
	// none, nil where there never is.
	Above func(administration string) string
	// IsOffice tells whether there is an administration, or a place of one, with an
	// id; nil takes any.
	IsOffice func(id string) bool
	// Workers lists who works at an administration; nil tells nobody.
	Workers func(ctx context.Context, administration string) ([]gov.Actor, error)
	// Fetcher reaches other administrations; nil where there is no exchange.
	Fetcher Fetcher
	// Unfetched tells of the documents that no data service gives, by what forms call
	// their service; nil knows of none.
	Unfetched func(service string) bool
	// Presenter asks people's wallets; nil where there are none.
	Presenter Presenter
	// Payments takes what people pay; nil where nothing can be paid here.
	Payments PaymentProvider
	// Files keeps what is uploaded; nil where nothing is.
	Files Files
	// Decided hears of every case that is granted, in the transaction that grants it;
	// nil tells nobody.
	Decided func(ctx context.Context, tx *db.Tx, c *Case, t *Terms, v Verdict) error
	Log     *slog.Logger
}

// Casework keeps all cases of an installation.
type Casework struct {
	Options
	sealer *keys.Sealer
	joint  *db.Together
	hooks  sync.Map // whether programs of an administration are told what happens

	online       atomic.Pointer[map[string]string] // version of the published form by procedure
	formsChanged atomic.Int64

	current atomic.Pointer[clock.Rules] // with the holidays as they are edited
	closed  map[gov.Date]gov.Text       // those holidays, under mu

	mu    sync.Mutex
	terms map[string]*Terms     // by digest; they never change
	forms map[string]*form.Form // as they were published
}

// New returns the casework of a database.
func New(o Options) *Casework {
	return &Casework{Options: o, sealer: keys.NewSealer(o.Keys, o.Clock), joint: db.NewTogether(o.DB), terms: map[string]*Terms{}, forms: map[string]*form.Form{}}
}

// today is the local day.
func (w *Casework) today() gov.Date { return gov.DateOf(w.Clock.Now(), w.Country.Zone()) }

// keptTerms bounds the terms at hand.
const keptTerms = 5000

// TermsOf returns what a case began with.
func (w *Casework) TermsOf(ctx context.Context, c *Case) (*Terms, error) {
	return w.termsBy(ctx, w.DB.Reader(), c.Terms)
}

func (w *Casework) termsBy(ctx context.Context, q querier, digest string) (*Terms, error) {
	w.mu.Lock()
	t := w.terms[digest]
	w.mu.Unlock()
	if t != nil {
		return t, nil
	}
	var body string
	if err := q.QueryRowContext(ctx, `SELECT body FROM casework_terms WHERE digest = $1`, digest).Scan(&body); err != nil {
		return nil, fmt.Errorf("reading the terms of a case: %w", err)
	}
	t = &Terms{}
	if err := json.Unmarshal([]byte(body), t); err != nil {
		return nil, fmt.Errorf("the terms %s: %w", digest, err)
	}
	w.keep(digest, t)
	return t, nil
}

// has tells that terms are at hand, and so were read from where they are kept.
func (w *Casework) has(digest string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.terms[digest] != nil
}

func (w *Casework) keep(digest string, t *Terms) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.terms) >= keptTerms {
		clear(w.terms)
	}
	w.terms[digest] = t
}

// input is a case as the clock sees it.
func input(t *Terms, all []Event, asOf gov.Date) clock.Input {
	in := clock.Input{DeadlineDays: t.DeadlineDays, Lists: t.Lists, Authority: t.Authority, Appeal: t.Appeal, AsOf: asOf}
	for i := range all {
		if e := &all[i]; clockTypes[e.Type] {
			in.Events = append(in.Events, clock.Event{On: e.On, Type: clock.EventType(e.Type), Complete: e.Clear.Complete, Days: e.Clear.Days, Reason: e.Clear.Ground})
		}
	}
	return in
}

var clockTypes = func() map[string]bool {
	m := map[string]bool{}
	for _, t := range clock.EventTypes() {
		m[string(t)] = true
	}
	return m
}()

// may asks the policy. A case that somebody may not read does not exist for them.
func (w *Casework) may(ctx context.Context, actor gov.Actor, action string, c *Case) error {
	err := w.May(ctx, actor, action, c)
	if err == nil || action == MayRead {
		return err
	}
	if w.May(ctx, actor, MayRead, c) != nil {
		return errNoCase
	}
	return err
}

// Actions that the policy decides on.
const (
	MayRead     = "case.read"
	MayFile     = "case.file"
	MayDraft    = "case.draft"
	MayMessage  = "case.message"
	MayAssign   = "case.assign"
	MayRequest  = "case.request"
	MayPrepare  = "case.prepare"
	MaySign     = "case.sign"
	MayDecide   = "case.decide"
	MayExtend   = "case.extend"
	MayOpinion  = "case.opinion"
	MayNote     = "case.note"
	MayExport   = "case.export"
	MayWithdraw = "case.withdraw"
	MayAppeal   = "case.appeal"
	// What the administration above does: it writes to the one below, and certifies
	// its silence.
	MaySupervise = "case.supervise"
	MayCertify   = "case.certify"
)

// Find returns the case with a number, for somebody who may read it.
func (w *Casework) Find(ctx context.Context, actor gov.Actor, number string) (*Case, error) {
	n, ok := ReadNumber(number)
	if !ok {
		return nil, errNoCase
	}
	c, err := caseByNumber(ctx, w.DB.Reader(), n)
	if err != nil {
		return nil, err
	}
	if err := w.May(ctx, actor, MayRead, c); err != nil {
		if problem.Is(err, problem.Unauthenticated) {
			return nil, err
		}
		return nil, errNoCase
	}
	return c, nil
}

// Content opens what the person said.
func (w *Casework) Content(ctx context.Context, c *Case) (Content, error) {
	var out Content
	b, err := w.sealer.Open(ctx, c.Person, contentPlace(c.ID), c.sealed)
	if err != nil || len(b) == 0 {
		return out, err
	}
	return out, json.Unmarshal(b, &out)
}

// Journal returns the events of a case with their texts, its chain checked. After
// an erasure the texts are empty.
func (w *Casework) Journal(ctx context.Context, c *Case) ([]Event, error) {
	all, clears, err := events(ctx, w.DB.Reader(), c)
	if err != nil {
		return nil, err
	}
	if err := verify(c, all, clears); err != nil {
		return nil, err
	}
	for i := range all {
		if isErased(all[i].sealed) {
			continue
		}
		b, err := w.sealer.Open(ctx, c.Person, eventPlace(c.ID, all[i].Seq), all[i].sealed)
		if err != nil && !problem.Is(err, problem.NotFound) {
			return nil, err
		}
		all[i].Text = string(b)
	}
	return all, nil
}

// Stand says where a case stands on a day, and why: from its events and its terms
// alone.
func (w *Casework) Stand(ctx context.Context, c *Case, asOf gov.Date) (clock.Output, error) {
	t, err := w.TermsOf(ctx, c)
	if err != nil {
		return clock.Output{}, err
	}
	all, _, err := events(ctx, w.DB.Reader(), c)
	if err != nil {
		return clock.Output{}, err
	}
	return clock.Run(*w.law(), input(t, all, asOf))
}
