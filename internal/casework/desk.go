package casework

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"diwan/internal/casework/clock"
	"diwan/internal/casework/form"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// Desk is where officers work on cases. All its pages stand behind a sign-in, and
// each sees the cases of the officer's own administration alone.
type Desk struct {
	*Casework
	Site  *web.Site
	Actor func(*http.Request) gov.Actor
	// Fresh tells whether the officer has confirmed who they are lately, as a
	// decision wants it; Confirm is where they do it before they come back to a path.
	Fresh   func(r *http.Request) bool
	Confirm func(path string) string
	// Documents are those that a decision made; nil where decisions make none.
	Documents func(ctx context.Context, number string) ([]Made, error)
	// CheckHook judges an address at which a program wants to be told.
	CheckHook func(address string) error
	// MayHolidays tells who edits the table of holidays.
	MayHolidays func(gov.Actor) bool
	// Colleagues lists who works at an administration.
	Colleagues func(r *http.Request, administration string) ([]gov.Actor, error)
	// Places lists the administrations, and their places, that can be asked for an
	// opinion; nil lists none.
	Places func() []Office
}

// MayWork tells who works at this desk.
func MayWork(a gov.Actor) bool {
	return a.Administration != "" && slices.ContainsFunc([]gov.Role{gov.RoleReceive, gov.RoleStudy, gov.RoleSign, gov.RoleSupervise, gov.RoleCounter}, a.Has)
}

// Register adds the pages to the mux of the office.
func (d *Desk) Register(mux *http.ServeMux) {
	for pattern, handler := range map[string]http.HandlerFunc{
		"GET /office/cases":                               d.inbox,
		"POST /office/cases":                              d.batch,
		"GET /office/cases/find":                          d.find,
		"GET /office/holidays":                            d.holidaysPage,
		"POST /office/holidays":                           d.setHoliday,
		"GET /office/cases/{number}":                      d.caseOf,
		"POST /office/cases/{number}":                     d.act,
		"GET /office/cases/{number}/what":                 d.foreseen,
		"GET /office/cases/{number}/files/{file}":         d.serveFile(d.Site, d.Actor),
		"GET /office/cases/{number}/files/{file}/preview": d.previewFile(d.Site, d.Actor),
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if !MayWork(d.Actor(r)) {
				d.Site.Fail(w, r, problem.New(problem.Forbidden, "forbidden"))
				return
			}
			handler(w, r)
		})
	}
	d.registerMore(mux)
	d.registerPrograms(mux)
	d.registerAfter(mux)
}

func (d *Desk) show(w http.ResponseWriter, r *http.Request, status int, template, title, path string, data any) {
	d.Site.Show(w, r, status, web.Page{Template: "casework/" + template, Title: title, Path: path, Hidden: true, Data: data})
}

// soonDays is what an officer has to look at this week.
const soonDays = 7

// riskDays is from when a day that comes is a high risk.
const riskDays = 3

// views are the filters of the inbox that have a name of their own.
var views = []struct {
	id   string
	make func(a gov.Actor) Filter
}{
	{"all", func(gov.Actor) Filter { return Filter{} }},
	{"risk", func(gov.Actor) Filter { return Filter{Soon: riskDays} }},
	{"to_change", func(gov.Actor) Filter { return Filter{ToChange: true} }},
	{"week", func(gov.Actor) Filter { return Filter{Soon: soonDays} }},
	{"stopped", func(gov.Actor) Filter { return Filter{State: clock.Suspended} }},
	{"mine", func(a gov.Actor) Filter { return Filter{Assigned: a.ID} }},
	{"nobody", func(gov.Actor) Filter { return Filter{Nobody: true} }},
	{"closed", func(gov.Actor) Filter { return Filter{Closed: true} }},
}

type viewChip struct {
	ID    string
	Count int
	Many  bool
	On    bool
}

type inboxData struct {
	Who     gov.Actor
	Office  gov.Text
	View    string
	Views   []viewChip
	Rows    []caseRow
	Next    string
	Risk    int
	Soonest *caseRow
	Saved   bool
	Error   string
	Query   string
	Saves   saves
	Above   int // cases that lie before this administration as the one above
}

func (d *Desk) inbox(w http.ResponseWriter, r *http.Request) { d.showInbox(w, r, http.StatusOK, "") }

func (d *Desk) showInbox(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	who, q := d.Actor(r), r.URL.Query()
	data := inboxData{Who: who, Office: d.OfficeName(who.Administration), View: "all", Saved: q.Get("saved") == "1", Error: wrong}
	filter := Filter{}
	for _, v := range views {
		f := v.make(who)
		f.Administration, f.Unit = who.Administration, who.Unit
		chip := viewChip{ID: v.id, On: q.Get("view") == v.id || v.id == "all" && q.Get("view") == ""}
		if chip.On {
			data.View, filter = v.id, f
		}
		if v.id != "closed" {
			n, err := d.Count(r.Context(), f)
			if err != nil {
				d.Site.Fail(w, r, err)
				return
			}
			chip.Count, chip.Many = n, n == countTo
			if v.id == "risk" {
				data.Risk = n
			}
		}
		data.Views = append(data.Views, chip)
	}
	if filter.Administration == "" { // a view that does not exist
		filter.Administration, filter.Unit = who.Administration, who.Unit
	}
	var err error
	if data.Saves, err = d.savesOf(r, &filter, &data.View); err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	if q.Get("procedure") != "" {
		filter.Procedure, data.Saves.Procedure = q.Get("procedure"), q.Get("procedure")
	}
	filter.Page = q.Get("page")
	list, next, err := d.Inbox(r.Context(), filter)
	for _, c := range list {
		var row caseRow
		if row, err = d.officeRow(r, c); err != nil {
			break
		}
		data.Rows = append(data.Rows, row)
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	data.Next = next
	if d.maySupervise(r) == nil {
		above, err := d.BeforeAbove(r.Context(), who.Administration, false)
		if err != nil {
			d.Site.Fail(w, r, err)
			return
		}
		data.Above = len(above)
	}
	if data.Risk > 0 && len(data.Rows) > 0 && data.Rows[0].Risk == "high" {
		data.Soonest = &data.Rows[0]
	}
	d.show(w, r, status, "inbox", d.Site.Printer(r).T("casework.inbox"), inboxPath(r), data)
}

// inboxPath is the address of what is listed, for the same in another language.
func inboxPath(r *http.Request) string {
	if r.Method != http.MethodGet || r.URL.RawQuery == "" || r.URL.Path != "/office/cases" {
		return "/office/cases"
	}
	return "/office/cases?" + r.URL.RawQuery
}

// officeRow is a case as an inbox shows it.
func (d *Desk) officeRow(r *http.Request, c *Case) (caseRow, error) {
	row, err := d.row(r, c)
	if err != nil {
		return row, err
	}
	content, err := d.Content(r.Context(), c)
	if err != nil && !problem.Is(err, problem.NotFound) {
		return row, err
	}
	row.Who = content.Applicant
	row.Agent = d.AccountName(r.Context(), c.Assigned)
	switch {
	case c.ToChange && c.Open:
		row.Risk = "high"
	case c.State == clock.Suspended || c.State == clock.FiledIncomplete:
		row.Risk = "stopped"
	case c.Due.IsZero() || !c.Open:
		row.Risk = ""
	case row.DaysLeft <= riskDays:
		row.Risk = "high"
	case row.DaysLeft <= soonDays:
		row.Risk = "medium"
	default:
		row.Risk = "low"
	}
	return row, nil
}

// find opens the case whose number was typed.
func (d *Desk) find(w http.ResponseWriter, r *http.Request) {
	q := strings.TrimSpace(r.URL.Query().Get("q"))
	if q == "" { // nothing was looked for
		to(w, r, "/office/cases")
		return
	}
	c, err := d.Find(r.Context(), d.Actor(r), q)
	if problem.Is(err, problem.NotFound) {
		d.showInbox(w, r, http.StatusNotFound, d.Site.Printer(r).T("casework.find.none"))
		return
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/office/cases/"+c.Number)
}

// maxBatch bounds what one batch does.
const maxBatch = 100

// Made is a document that a decision made, and the page at which officers look after it.
type Made struct {
	Path string
	Name gov.Text
}

// officeCase is a case as the officer sees it.
type officeCase struct {
	*View
	Who        gov.Actor
	Agent      gov.Text
	Answers    *form.Summary // nil when nothing was answered here
	Proofs     []evidenceView
	Earlier    []caseRow
	Twins      []caseRow
	Colleagues []gov.Actor
	Can        []deskAction
	Cannot     []deskAction
	Error      string
	Saved      bool
	Grounds    []string
	Brought    []Document
	Days       int // that an extension may last at most
	Fresh      bool
	Confirm    string // where the officer confirms who they are before deciding
	Advice     askPanel
	Money      payPanel
	Officer    bool
	Made       []Made
	Does       string // what begins the names of what can be done
	Typed      typed
}

// deskAction is something that can, or can't now, be done to a case.
type deskAction struct {
	Kind string
	Why  string // code, when it can't
}

// deskOrder is the order in which a page offers what can be done.
var deskOrder = []string{string(clock.Completed), Prepared, string(clock.Granted), string(clock.Refused), string(clock.InformationRequested), string(clock.DoubtRaised),
	string(clock.DoubtSettled), string(clock.DefectNotified), string(clock.Extended), string(clock.Delivered), string(clock.AppealAnswered), BelowExplained, Assigned, Moved, Noted}

func (d *Desk) caseOf(w http.ResponseWriter, r *http.Request) { d.showCase(w, r, http.StatusOK, "") }

func (d *Desk) showCase(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	ctx, who := r.Context(), d.Actor(r)
	c, err := d.Find(ctx, who, r.PathValue("number"))
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	data := officeCase{Who: who, Error: wrong, Typed: typedIn(r), Saved: r.URL.Query().Get("saved") == "1", Agent: d.AccountName(ctx, c.Assigned)}
	if data.View, err = d.view(ctx, d.Site, web.LangOf(r), c, who.Administration == c.Administration); err == nil {
		data.View.Root = "/office"
		err = d.fillCase(r, &data, c)
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	title, _ := data.Terms.Name.In(web.LangOf(r), d.Country.Order())
	d.show(w, r, status, "office-case", c.Number+" · "+title, "/office/cases/"+c.Number, data)
}

func (d *Desk) fillCase(r *http.Request, data *officeCase, c *Case) (err error) {
	ctx := r.Context()
	d.readable(r, data.View)
	if data.Does = "casework.do."; c.Earlier != "" {
		data.Does = "casework.appeal.do."
	}
	if data.Answers, err = d.answersOf(r, data.View); err != nil {
		return err
	}
	if d.Documents != nil && data.Who.Administration == c.Administration { // others read the case, and not its documents
		if data.Made, err = d.Documents(ctx, c.Number); err != nil {
			return err
		}
	}
	proofs, err := d.EvidenceOfCase(ctx, c.Number)
	if err != nil {
		return err
	}
	for _, e := range proofs {
		p := d.evidenceView(e)
		p.Document, _ = data.Terms.Document(e.Document)
		data.Proofs = append(data.Proofs, p)
	}
	if data.Earlier, err = d.rowsOf(r, d.EarlierOf, c); err != nil {
		return err
	}
	if data.Twins, err = d.rowsOf(r, d.Twins, c); err != nil {
		return err
	}
	if data.Colleagues, err = d.Colleagues(r, c.Administration); err != nil {
		return err
	}
	if data.Advice, err = d.askPanel(r, c); err != nil {
		return err
	}
	data.Officer = true
	if data.Money, err = d.payPanel(ctx, data.Who, c); err != nil {
		return err
	}
	for g := range d.Rules.ExtensionReasons {
		data.Grounds = append(data.Grounds, g)
	}
	slices.Sort(data.Grounds)
	data.Fresh, data.Confirm = d.Fresh(r), d.Confirm("/office/cases/"+c.Number)
	data.Days = d.Rules.Periods["processing"].Days
	for _, doc := range data.Terms.Documents {
		if !doc.ByAdministration {
			data.Brought = append(data.Brought, doc)
		}
	}
	if c.Deciders, err = d.deciders(ctx, d.DB.Reader(), c); err != nil {
		return err
	}
	for _, kind := range deskOrder {
		if kind == string(clock.AppealAnswered) && len(data.Appeals) > 0 {
			continue // it is answered on its own page
		}
		if !rules[kind].office || d.May(ctx, data.Who, rules[kind].may, c) != nil {
			continue
		}
		if code := data.Out.May[clockType(kind)]; code != "" {
			if c.Earlier != "" && kind != string(clock.Granted) && kind != string(clock.Refused) {
				continue // nothing else is ever done to an appeal
			}
			data.Cannot = append(data.Cannot, deskAction{kind, code})
			continue
		}
		if kind == BelowExplained && !(data.Asks && c.Administration == data.Who.Administration) {
			continue
		}
		if clockTypes[kind] || data.Pending || kind == Noted || kind == Assigned || kind == BelowExplained {
			data.Can = append(data.Can, deskAction{Kind: kind})
		}
	}
	return nil
}

func (d *Desk) act(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		d.Site.Fail(w, r, tooLarge(err))
		return
	}
	a := Action{Type: r.PostFormValue("do"), Text: r.PostFormValue("words"), Items: r.PostForm["item"], Ground: r.PostFormValue("ground"), To: r.PostFormValue("to")}
	if rule, ok := rules[a.Type]; !ok || !rule.office {
		a.Type = ""
	}
	a.Days, _ = strconv.Atoi(r.PostFormValue("days"))
	a.Version, _ = strconv.ParseInt(r.PostFormValue("version"), 10, 64)
	if a.Type == string(clock.Completed) {
		complete := true
		a.Complete = &complete
	}
	if decides[a.Type] && !d.Fresh(r) {
		d.showCase(w, r, http.StatusUnprocessableEntity, d.Site.Printer(r).T("casework.confirm"))
		return
	}
	_, err := d.Act(r.Context(), d.Actor(r), r.PathValue("number"), a)
	if wrong, ok := readers(d.Site, r, err); ok {
		d.showCase(w, r, http.StatusUnprocessableEntity, wrong)
		return
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/office/cases/"+r.PathValue("number")+"?saved=1")
}

// decides are actions that want a second factor.
var decides = map[string]bool{certifiedType: true, CertificateRefused: true, string(clock.Granted): true, string(clock.Refused): true, string(clock.AppealAnswered): true}

type foreseenData struct {
	Who    gov.Actor
	Number string
	Until  gov.Date
	List   []Foreseen
}

// foreseen shows what happens to a case if nobody acts.
func (d *Desk) foreseen(w http.ResponseWriter, r *http.Request) {
	c, err := d.Find(r.Context(), d.Actor(r), r.PathValue("number"))
	data := foreseenData{Who: d.Actor(r), Until: d.today().AddDays(180)}
	if until, perr := gov.ParseDate(r.URL.Query().Get("until")); perr == nil {
		data.Until = until
	}
	if err == nil {
		data.Number = c.Number
		data.List, err = d.Foresee(r.Context(), c, data.Until)
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	d.show(w, r, http.StatusOK, "foreseen", d.Site.Printer(r).T("casework.foreseen"), "/office/cases/"+c.Number+"/what", data)
}
