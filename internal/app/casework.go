package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"time"

	"diwan/country"
	"diwan/internal/casework"
	"diwan/internal/casework/form"
	"diwan/internal/catalogue"
	"diwan/internal/catalogue/model"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/identity"
	"diwan/internal/identity/policy"
	"diwan/internal/jobs"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// Files of a country pack that casework reads.
const (
	caseworkFile = "casework.json"
	bansFile     = "forms/rules/bans.json"
	formFiles    = "forms/*.json"
)

// caseworkPlan says how casework reads a country's catalogue.
type caseworkPlan struct {
	// Authorities maps kinds of administrations to the levels of the clock.
	Authorities map[string]string `json:"authorities"`
	// TwoSignatures are the procedures whose decisions are prepared by one and
	// signed by another.
	TwoSignatures []string `json:"two_signatures"`
	// Above maps administrations, and kinds of them, to the administration above, by
	// whose place in the same region theirs are supervised.
	Above map[string]string `json:"above"`
	// Sources are data services by which documents are fetched, and documents that
	// wallets show.
	Sources map[string]evidenceSource `json:"sources"`
}

// placesFile names what lies below the regions.
const placesFile = "places.json"

// places reads what lies below the regions of the country, none where that is not
// described. A place that lies nowhere is a fault of the pack.
func (a *App) places() ([]form.Place, error) {
	var out []form.Place
	err := country.Decode(a.pack.Files, placesFile, &out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	known := map[string]bool{}
	for _, r := range a.Country.Regions {
		known[r.ID] = true
	}
	for _, p := range out {
		if p.Level == "province" && !known[p.Within] {
			return nil, fmt.Errorf("%s: %s lies in %q, which is no region", placesFile, p.ID, p.Within)
		}
	}
	return out, err
}

// openCasework opens the casework, if the country describes its clock.
func (a *App) openCasework(ctx context.Context) error {
	rules, err := ClockRules(a.pack)
	if errors.Is(err, ErrNoClock) {
		return nil
	}
	if err != nil {
		return err
	}
	var plan caseworkPlan
	if err := country.Decode(a.pack.Files, caseworkFile, &plan); err != nil {
		return err
	}
	var banned form.Banned
	if err := country.Decode(a.pack.Files, bansFile, &banned); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	catalogued := catalogued{a, plan}
	files, err := a.openCaseFiles()
	if err != nil {
		return err
	}
	a.caseFiles = files
	places, err := a.places()
	if err != nil {
		return err
	}
	payments, err := a.paymentProvider()
	if err != nil {
		return err
	}
	around, err := caseworkAround(a.pack)
	if err != nil {
		return err
	}
	a.presents = presenter{a, plan.Sources}
	a.Casework = casework.New(casework.Options{
		DB: a.DB, Clock: a.clock, Country: a.Country, Rules: rules.In(a.Country.Calendar()), Banned: banned, Procedures: catalogued, Keys: a.Accounts,
		Reference: func(ctx context.Context, person, administration string) (string, error) {
			return a.Accounts.Reference(ctx, person, "administration:"+administration)
		},
		ReferenceIn: func(ctx context.Context, person, administration string) (string, func(context.Context, *db.Tx) error, error) {
			return a.Accounts.ReferenceIn(ctx, person, "administration:"+administration)
		},
		Above:      catalogued.above,
		Places:     places,
		FieldLabel: plan.fieldLabel,
		Resolve:    a.resolveReference,
		Retention:  around.Retention, Complaints: around.Complaints,
		May: a.mayCase, OfficeName: catalogued.name, AccountName: a.accountName, IsOffice: catalogued.isOffice, Workers: a.Accounts.WhoWork, Payments: payments, Fetcher: a.fetcher(plan.Sources), Unfetched: plan.unfetched, Presenter: a.presents, Files: files, Decided: a.caseDecided, Log: a.log,
	})
	return nil
}

// loadForms publishes the country's forms for procedures that have none yet.
func (a *App) loadForms(ctx context.Context) error {
	if a.Casework == nil {
		return nil
	}
	if _, err := a.Casework.LoadHolidays(ctx); err != nil {
		return err
	}
	if err := a.Casework.LoadForms(ctx); err != nil {
		return err
	}
	names, err := fs.Glob(a.pack.Files, formFiles)
	if err != nil {
		return err
	}
	for _, n := range names {
		b, err := fs.ReadFile(a.pack.Files, n)
		if err != nil {
			return err
		}
		f, err := form.Parse(b)
		if err != nil {
			return fmt.Errorf("%s: %w", n, err)
		}
		switch _, err := a.Casework.Form(ctx, f.Doc().Procedure, f.Doc().Version); {
		case err == nil:
			continue
		case !problem.Is(err, problem.NotFound):
			return err
		}
		if found, err := a.Casework.PublishForm(ctx, gov.Actor{}, b); err != nil {
			return fmt.Errorf("publishing %s: %w %v", n, err, form.Stops(found))
		}
	}
	return nil
}

// asking is who asks the policy: a person for themselves, or for whom they act in this
// session.
func asking(ctx context.Context, actor gov.Actor) policy.Actor {
	who := policy.Actor{Actor: actor}
	if actor.Has(gov.RolePerson) {
		who.For = actor.ID
		if s := identity.ActingIn(ctx); s.ID != "" {
			who.For, who.Procedures = s.ID, s.Procedures
		}
	}
	return who
}

// mayCase asks the policy about a case. Who somebody acts for stands in their
// session.
func (a *App) mayCase(ctx context.Context, actor gov.Actor, action string, c *casework.Case) error {
	if actor.ID == "" {
		return problem.New(problem.Unauthenticated, "unauthenticated")
	}
	ok, why := policy.May(asking(ctx, actor), policy.Action(action), policy.Resource{Kind: policy.Case, ID: c.ID, Administration: c.Administration, Unit: c.Unit,
		Applicant: c.Person, Representative: c.Filer, Asked: c.AskedOf, Above: c.Above, Deciders: c.Deciders, Procedure: c.Procedure, Preparer: c.Preparer, Refunder: c.Refunder, Separate: c.Separate})
	if !ok {
		return problem.New(problem.Forbidden, "forbidden", "rule", why)
	}
	return nil
}

func (a *App) accountName(ctx context.Context, id string) gov.Text {
	if id == "" {
		return nil
	}
	acc, err := a.Accounts.ByID(ctx, id)
	if err != nil {
		return nil
	}
	return acc.Name
}

// catalogued tells casework what the published catalogue says.
type catalogued struct {
	a    *App
	plan caseworkPlan
}

func (c catalogued) entry(id string) (*catalogue.Entry, error) {
	e := c.a.Catalogue.Snapshot().Procedure(id)
	if e == nil {
		return nil, problem.New(problem.NotFound, "procedure.not_found")
	}
	return e, nil
}

// Terms implements casework.Procedures.
func (c catalogued) Terms(_ context.Context, id string) (casework.Terms, error) {
	e, err := c.entry(id)
	if err != nil {
		return casework.Terms{}, err
	}
	p := e.Procedure
	t := casework.Terms{Procedure: p.ID, Version: int64(e.Version), Name: p.Name, Authority: c.level(p.Competent), Lists: c.lists(p),
		TwoSign: slices.Contains(c.plan.TwoSignatures, p.ID), Demo: p.Demo}
	days, known := p.Deadline.Max()
	if most, _ := c.a.Casework.Rules.MaxDays(t.Lists); !known || days > most {
		days = most // what is not announced is at most what the law allows
	}
	t.DeadlineDays = days
	for _, d := range p.Evidence {
		t.Documents = append(t.Documents, casework.Document{ID: d.ID, Name: d.Name, Type: d.Type, ByAdministration: d.By == model.ByAdministration, From: d.From, Sometimes: !d.When.Empty()})
	}
	for _, f := range p.Fees {
		if f.Amount != nil && f.When.Empty() {
			t.Fee += *f.Amount
		}
	}
	if len(p.Outputs) > 0 {
		t.Output = p.Outputs[0]
	}
	for _, l := range p.LegalBasis {
		t.LegalBasis = append(t.LegalBasis, l.Address)
	}
	return t, nil
}

// lists names the clock's lists in which a decision stands, by what standing in an
// official list means.
func (c catalogued) lists(p *model.Procedure) []string {
	effects := map[string]string{"deadline": "investment", "extension": "extension", "silence": "silence"}
	var out []string
	add := func(l string) {
		if _, ok := c.a.Casework.Rules.Lists[l]; ok && !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	for _, l := range p.Listed {
		if list, ok := c.a.Country.List(l.List); ok {
			add(effects[list.Effect])
		}
	}
	if p.Silence.Effect == model.SilenceApproval {
		add("silence")
	}
	if p.Extension.Possible == model.ExtensionYes {
		add("extension")
	}
	return out
}

// level is the level of an administration for the clock.
func (c catalogued) level(id string) string {
	if adm := c.a.Catalogue.Snapshot().Administration(id); adm != nil {
		return c.plan.Authorities[adm.Kind]
	}
	return ""
}

// Offices implements casework.Procedures: the places at which the competent
// administration receives people, itself when it has none.
func (c catalogued) Offices(_ context.Context, id string) ([]casework.Office, error) {
	e, err := c.entry(id)
	if err != nil {
		return nil, err
	}
	adm := c.a.Catalogue.Snapshot().Administration(e.Competent)
	if adm == nil {
		return nil, nil
	}
	var out []casework.Office
	for _, o := range adm.Offices {
		out = append(out, casework.Office{ID: o.ID, Name: o.Name})
	}
	if len(out) == 0 {
		out = append(out, casework.Office{ID: adm.ID, Name: adm.Name})
	}
	return out, nil
}

// Published implements casework.Procedures.
func (c catalogued) Published(_ context.Context, id string) (form.Published, error) {
	e, err := c.entry(id)
	if err != nil {
		return form.Published{}, err
	}
	out := form.Published{Procedure: id, ApplicationTypes: []string{"form"}}
	for _, d := range e.Procedure.Evidence {
		out.Documents = append(out.Documents, form.Required{ID: d.ID, Name: d.Name, Type: d.Type, ByAdministration: d.By == model.ByAdministration, From: d.From,
			Copies: d.Copies, Legalised: d.Legalised, Certified: d.Certified, NotPersonal: d.NotPersonal})
	}
	return out, nil
}

// name is the name of an administration or of one of its places.
func (c catalogued) name(id string) gov.Text {
	s := c.a.Catalogue.Snapshot()
	if adm := s.Administration(id); adm != nil {
		return adm.Name
	}
	for _, adm := range s.Administrations {
		for _, o := range adm.Offices {
			if o.ID == id {
				return o.Name
			}
		}
	}
	return gov.Text{"": id}
}

// registerCaseworkSpace mounts the person's side.
func (a *App) registerCaseworkSpace(mux *http.ServeMux, sessions *identity.Sessions) {
	m := &casework.Mine{Casework: a.Casework, Site: a.Site, Actor: identity.Actor, Acting: func(r *http.Request) casework.Subject {
		s := identity.Acting(r)
		return casework.Subject{ID: s.ID, Name: s.Name, For: s.Mandate != "", Procedures: s.Procedures}
	}, Known: a.knownOf, Base: a.visitedURL, MayData: a.mayData, Close: a.closeAccount}
	a.bindPresenting(m, sessions)
	m.Register(mux)
	a.receipts().RegisterOwn(mux, identity.Me)
}

// knownOf are the facts about a person that forms need not ask again.
func (a *App) knownOf(ctx context.Context, r *http.Request, s casework.Subject) map[string]any {
	who := identity.Actor(r)
	facts, err := a.Casework.KnownOf(ctx, s.ID)
	if err != nil {
		a.log.WarnContext(ctx, "what is known of a person could not be read", "error", err)
		facts = map[string]any{}
	}
	if s.ID != who.ID {
		return facts
	}
	p, err := a.Accounts.ParticularsOf(ctx, who, who.ID, "form")
	if err == nil && p.Birthdate != "" {
		facts["born"] = p.Birthdate
	}
	person := map[string]any{}
	if p.NationalID != "" {
		person["identity"] = p.NationalID
	}
	if _, said := facts["person"]; len(person) > 0 && !said {
		facts["person"] = person
	}
	return facts
}

// freshFor is how long a second factor counts for decisions.
const freshFor = 15 * time.Minute

// registerCaseworkOffice mounts the officers' desk.
func (a *App) registerCaseworkOffice(mux *http.ServeMux, sessions *identity.Sessions) {
	if a.Casework == nil {
		return
	}
	d := &casework.Desk{Casework: a.Casework, Site: a.Site, Actor: identity.Actor, Places: catalogued{a: a}.places,
		MayHolidays: func(x gov.Actor) bool {
			ok, _ := policy.May(policy.Actor{Actor: x}, policy.HolidayEdit, policy.Resource{Kind: policy.Calendar, ID: "holidays", Administration: x.Administration})
			return ok
		},
		Fresh:   func(r *http.Request) bool { return sessions.Fresh(r, freshFor) },
		Confirm: func(path string) string { return identity.Office + "/confirm?" + url.Values{"to": {path}}.Encode() },
		Colleagues: func(r *http.Request, administration string) ([]gov.Actor, error) {
			all, err := a.Accounts.WhoWork(r.Context(), administration)
			if err != nil {
				return nil, err
			}
			return slices.DeleteFunc(all, func(x gov.Actor) bool { return !casework.MayWork(x) }), nil
		}}
	d.CheckHook, d.Documents = a.checkHook, a.madeOf
	d.Register(mux)
	a.registerCounter(mux, d, sessions)
	a.receipts().RegisterOwn(mux, identity.Office)
}

// receipts are the pages of receipts.
func (a *App) receipts() *casework.Receipts {
	return &casework.Receipts{Casework: a.Casework, Site: a.Site, Actor: identity.Actor, Paper: a.paper}
}

// sweepCasesArgs orders what time alone does to cases.
type sweepCasesArgs struct{}

// Kind names the job.
func (sweepCasesArgs) Kind() string { return "casework_sweep" }

// sweepInterval is how soon after midnight a transition is made.
const sweepInterval = 5 * time.Minute

// registerCaseworkJobs adds the sweep to the queue.
func (a *App) registerCaseworkJobs(r *jobs.Registry) {
	if a.Casework == nil {
		return
	}
	jobs.Handle(r, func(ctx context.Context, _ sweepCasesArgs) error {
		_, err := a.Casework.Sweep(ctx)
		return errors.Join(err, a.Casework.Tidy(ctx), a.Casework.Chores(ctx), a.Casework.LoadForms(ctx), a.Casework.FollowHolidays(ctx), a.caseFiles.sweep(ctx))
	})
	a.registerCaseEvents(r)
	jobs.Every(r, sweepInterval, func() jobs.Args { return sweepCasesArgs{} })
	jobs.Handle(r, func(ctx context.Context, _ sendNoticesArgs) error { return a.sendNotices(ctx) })
	jobs.Every(r, noticeInterval, func() jobs.Args { return sendNoticesArgs{} })
}

// toCases leads officers who work on cases to them when they come in.
func (a *App) toCases(desk http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == identity.Office+"/" && a.Casework != nil && casework.MayWork(identity.Actor(r)) {
			http.Redirect(w, r, "/"+string(web.LangOf(r))+"/office/cases", http.StatusSeeOther)
			return
		}
		desk.ServeHTTP(w, r)
	})
}
