package casework

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"diwan/internal/casework/clock"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// loadRow is a colleague as the page of the team shows them.
type loadRow struct {
	Load
	Many      bool
	Delegate  gov.Text
	MayChange bool
}

type teamData struct {
	deskPage
	Office    gov.Text
	Rows      []loadRow
	Nobody    int // cases that nobody has
	MayAssign bool
	Today     gov.Date
	Typed     Absence
}

// team shows who works here, how much each has, and who is away.
func (d *Desk) team(w http.ResponseWriter, r *http.Request) { d.showTeam(w, r, http.StatusOK, "") }

func (d *Desk) showTeam(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	ctx := r.Context()
	data := teamData{deskPage: d.page(r, wrong), Today: d.today()}
	data.Office = d.OfficeName(data.Who.Administration)
	data.MayAssign = d.May(ctx, data.Who, MayAssign, &Case{Administration: data.Who.Administration, Unit: data.Who.Unit}) == nil
	loads, err := d.Loads(ctx, data.Who.Administration, data.Who.Unit)
	for _, l := range loads {
		row := loadRow{Load: l, Many: l.Open == countTo, MayChange: l.Absence != nil && (l.ID == data.Who.ID || data.MayAssign)}
		if l.Absence != nil {
			row.Delegate = d.AccountName(ctx, l.Absence.Delegate)
		}
		data.Rows = append(data.Rows, row)
	}
	if err == nil {
		data.Nobody, err = d.Count(ctx, Filter{Administration: data.Who.Administration, Unit: data.Who.Unit, Nobody: true})
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	data.Typed = typedAbsence(r)
	if data.Typed.Account == "" {
		data.Typed.Account = data.Who.ID
	}
	d.show(w, r, status, "team", d.Site.Printer(r).T("office.team"), "/office/team", data)
}

func typedAbsence(r *http.Request) Absence {
	a := Absence{Account: r.PostFormValue("who"), Delegate: r.PostFormValue("to")}
	a.From, _ = gov.ParseDate(r.PostFormValue("from"))
	a.To, _ = gov.ParseDate(r.PostFormValue("until"))
	return a
}

func (d *Desk) changeTeam(w http.ResponseWriter, r *http.Request) {
	if !d.posted(w, r) {
		return
	}
	who := d.Actor(r)
	var err error
	switch r.PostFormValue("do") {
	case "away":
		_, err = d.SetAbsence(r.Context(), who, typedAbsence(r))
	case "back":
		err = d.EndAbsence(r.Context(), who, r.PostFormValue("absence"))
	case "distribute":
		var list []Outcome
		if list, err = d.Distribute(r.Context(), who, who.Unit); err == nil {
			d.showOutcomes(w, r, list, "/office/team")
			return
		}
	default:
		err = problem.New(problem.Invalid, "case.action_unknown", "action", "")
	}
	if wrong, ok := readers(d.Site, r, err); ok {
		d.showTeam(w, r, http.StatusUnprocessableEntity, wrong)
		return
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/office/team?saved=1")
}

// outcomeRow is what became of one case of a batch, in words.
type outcomeRow struct {
	Number string
	To     gov.Text
	Wrong  string
}

type outcomesData struct {
	deskPage
	Rows []outcomeRow
	Done int
	Back string
}

// showOutcomes says of each case of a batch what became of it.
func (d *Desk) showOutcomes(w http.ResponseWriter, r *http.Request, list []Outcome, back string) {
	data := outcomesData{deskPage: d.page(r, ""), Back: back}
	for _, o := range list {
		row := outcomeRow{Number: o.Number, To: d.AccountName(r.Context(), o.To)}
		if o.Err == nil {
			data.Done++
		} else {
			row.Wrong = d.Site.Sentence(web.LangOf(r), problem.From(o.Err))
		}
		data.Rows = append(data.Rows, row)
	}
	d.show(w, r, http.StatusOK, "outcomes", d.Site.Printer(r).T("office.batch.result"), "/office/cases", data)
}

// batch does one thing to several cases, and says of each what became of it.
func (d *Desk) batch(w http.ResponseWriter, r *http.Request) {
	if !d.posted(w, r) {
		return
	}
	a := Action{Type: r.PostFormValue("do"), To: r.PostFormValue("to"), Text: r.PostFormValue("words")}
	if a.Type == "" {
		a.Type, a.To = Assigned, d.Actor(r).ID
	}
	list, err := d.Batch(r.Context(), d.Actor(r), r.PostForm["case"], a)
	if wrong, ok := readers(d.Site, r, err); ok {
		d.showInbox(w, r, http.StatusUnprocessableEntity, wrong)
		return
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	d.showOutcomes(w, r, list, "/office/cases")
}

// savedChip is a saved view as the inbox shows it.
type savedChip struct {
	SavedView
	On bool
}

// saves are an officer's saved views beside the inbox.
type saves struct {
	List       []savedChip
	Procedure  string
	States     []clock.State
	Colleagues []gov.Actor
	MayAssign  bool
}

// savesOf lists them; the one that the address names decides the filter.
func (d *Desk) savesOf(r *http.Request, f *Filter, view *string) (s saves, err error) {
	who := d.Actor(r)
	all, err := d.SavedViews(r.Context(), who.ID)
	for _, v := range all {
		on := r.URL.Query().Get("view") == v.ID
		if on {
			*f, *view = v.Of(who), v.ID
		}
		s.List = append(s.List, savedChip{v, on})
	}
	s.States = openStates
	s.MayAssign = d.May(r.Context(), who, MayAssign, &Case{Administration: who.Administration, Unit: who.Unit}) == nil
	if s.MayAssign {
		var more error
		s.Colleagues, more = d.Colleagues(r, who.Administration)
		err = errors.Join(err, more)
	}
	return s, err
}

// saveView keeps or forgets a view of the inbox.
func (d *Desk) saveView(w http.ResponseWriter, r *http.Request) {
	if !d.posted(w, r) {
		return
	}
	who := d.Actor(r)
	if id := r.PostFormValue("drop"); id != "" {
		if err := d.DropView(r.Context(), who.ID, id); err != nil {
			d.Site.Fail(w, r, err)
			return
		}
		to(w, r, "/office/cases?saved=1")
		return
	}
	s := SavedFilter{Procedure: r.PostFormValue("procedure"), State: clock.State(r.PostFormValue("state")), Who: r.PostFormValue("who"), Late: r.PostFormValue("when") == "late", Closed: r.PostFormValue("when") == "closed",
		ToChange: r.PostFormValue("when") == "to_change"}
	if s.State != "" && !slices.Contains(openStates, s.State) {
		s.State = ""
	}
	s.Soon, _ = strconv.Atoi(r.PostFormValue("when"))
	id, err := d.SaveView(r.Context(), who.ID, r.PostFormValue("name"), s)
	if wrong, ok := readers(d.Site, r, err); ok {
		d.showInbox(w, r, http.StatusUnprocessableEntity, wrong)
		return
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/office/cases?view="+id)
}

// signer names who took a decision, and in whose place when somebody was away.
func (x *Receipts) signer(r *http.Request, e Event) gov.Text {
	name := x.AccountName(r.Context(), e.Actor)
	away := x.AccountName(r.Context(), e.Clear.For)
	if away.Empty() {
		return name
	}
	out := gov.Text{}
	for _, l := range x.Country.Order() {
		a, _ := name.In(l, x.Country.Order())
		b, _ := away.In(l, x.Country.Order())
		out[l] = x.Site.Words.Printer(string(l)).T("office.absence.signed", "name", a, "for", b)
	}
	return out
}
