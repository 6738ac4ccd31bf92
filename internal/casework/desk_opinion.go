package casework

import (
	"net/http"
	"slices"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// opinionRow is an opinion as pages show it.
type opinionRow struct {
	*Opinion
	Name    gov.Text // of the procedure
	Whose   gov.Text // whose case it is
	Whom    gov.Text // who was asked
	Writer  gov.Text // who gave it
	Late    bool
	Left    int // days
	AskedOn gov.Date
	GivenOn gov.Date
}

func (d *Desk) opinionRow(r *http.Request, o *Opinion) (opinionRow, error) {
	t, err := d.TermsOf(r.Context(), o.Case)
	if err != nil {
		return opinionRow{}, err
	}
	row := opinionRow{Opinion: o, Name: t.Name, Whose: d.OfficeName(o.Administration), Whom: d.OfficeName(o.To), Left: daysBetween(d.today(), o.Due),
		Writer: d.AccountName(r.Context(), o.GivenBy), AskedOn: gov.DateOf(o.Asked, d.Country.Zone())}
	row.Late = o.State == opinionOpen && row.Left < 0
	if !o.Given.IsZero() {
		row.GivenOn = gov.DateOf(o.Given, d.Country.Zone())
	}
	return row, nil
}

func (d *Desk) opinionRows(r *http.Request, all []*Opinion) ([]opinionRow, error) {
	var out []opinionRow
	for _, o := range all {
		row, err := d.opinionRow(r, o)
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}

// askPanel is what the page of a case shows of opinions.
type askPanel struct {
	Opinions []opinionRow
	MayAsk   bool
	MayWrite bool // letters to the person
	Places   []Office
	Units    []string // of the same administration
	Number   string
	Today    gov.Date
	Last     gov.Date
}

// askPanel gathers it. Whoever reads a case because their own opinion was asked sees
// that one alone: others' opinions are not theirs.
func (d *Desk) askPanel(r *http.Request, c *Case) (p askPanel, err error) {
	who := d.Actor(r)
	all, err := d.OpinionsOf(r.Context(), c)
	if err != nil {
		return p, err
	}
	if who.Administration != c.Administration {
		all = slices.DeleteFunc(all, func(o *Opinion) bool { return !o.mine(who) })
	}
	if p.Opinions, err = d.opinionRows(r, all); err != nil {
		return p, err
	}
	p.MayAsk = c.Open && d.May(r.Context(), who, rules[OpinionAsked].may, c) == nil
	p.MayWrite = d.May(r.Context(), who, MayMessage, c) == nil
	p.Number, p.Today, p.Last = c.Number, d.today(), d.today().AddDays(maxOpinionDays)
	if !p.MayAsk || d.Places == nil {
		return p, nil
	}
	p.Places = slices.DeleteFunc(d.Places(), func(o Office) bool { return o.ID == c.Administration })
	colleagues, err := d.Colleagues(r, c.Administration)
	for _, a := range colleagues {
		if a.Unit != "" && a.Unit != c.Unit && !slices.Contains(p.Units, a.Unit) {
			p.Units = append(p.Units, a.Unit)
		}
	}
	slices.Sort(p.Units)
	return p, err
}

// askOpinion takes the question that the page of a case posted.
func (d *Desk) askOpinion(w http.ResponseWriter, r *http.Request) {
	if !d.posted(w, r) {
		return
	}
	a := Action{Type: OpinionAsked, To: r.PostFormValue("to"), Text: r.PostFormValue("words")}
	if by, err := gov.ParseDate(r.PostFormValue("by")); err == nil {
		a.Days = daysBetween(d.today(), by)
	}
	if c, err := d.Find(r.Context(), d.Actor(r), r.PathValue("number")); err == nil && a.To != "" && a.To[0] == '/' {
		a.To = c.Administration + a.To // a unit of the same administration
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
	to(w, r, "/office/cases/"+r.PathValue("number")+"?saved=1#opinions")
}

type opinionsData struct {
	deskPage
	Office gov.Text
	Given  bool
	Rows   []opinionRow
	Late   int
}

// opinions is what the officer's administration was asked by others.
func (d *Desk) opinions(w http.ResponseWriter, r *http.Request) {
	view := r.URL.Query().Get("view")
	data := opinionsData{deskPage: d.page(r, ""), Given: view == "given"}
	data.Office = d.OfficeName(data.Who.Administration)
	all, err := d.AskedOpinions(r.Context(), data.Who, data.Given)
	if err == nil {
		data.Rows, err = d.opinionRows(r, all)
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	for _, row := range data.Rows {
		if row.Late {
			data.Late++
		}
	}
	d.show(w, r, http.StatusOK, "opinions", d.Site.Printer(r).T("office.opinion.inbox"), asked("/office/opinions", "view", view), data)
}

type opinionData struct {
	deskPage
	opinionRow
	View  *View // of the case; nil once the opinion was given
	Words string
	Draft string // what was chosen before an error
}

func (d *Desk) opinion(w http.ResponseWriter, r *http.Request) {
	d.showOpinion(w, r, http.StatusOK, "")
}

func (d *Desk) showOpinion(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	o, err := d.AskedOpinion(r.Context(), d.Actor(r), r.PathValue("id"))
	data := opinionData{deskPage: d.page(r, wrong), Words: r.PostFormValue("words"), Draft: r.PostFormValue("result")}
	if err == nil {
		data.opinionRow, err = d.opinionRow(r, o)
	}
	if err == nil && o.State == opinionOpen && d.May(r.Context(), data.Who, MayRead, o.Case) == nil {
		data.View, err = d.view(r.Context(), d.Site, web.LangOf(r), o.Case, false)
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	d.show(w, r, status, "opinion", d.Site.Printer(r).T("office.opinion.asked"), "/office/opinions/"+o.ID, data)
}

func (d *Desk) giveOpinion(w http.ResponseWriter, r *http.Request) {
	if !d.posted(w, r) {
		return
	}
	o, err := d.AskedOpinion(r.Context(), d.Actor(r), r.PathValue("id"))
	if err == nil {
		_, err = d.Act(r.Context(), d.Actor(r), o.Case.Number, Action{Type: OpinionGiven, Ref: o.ID, Ground: r.PostFormValue("result"), Text: r.PostFormValue("words")})
	}
	if problem.Is(err, problem.NotFound) && o != nil && o.State != opinionOpen {
		err = problem.New(problem.Conflict, "case.opinion_given") // the case is closed to them with the answer
	}
	if wrong, ok := readers(d.Site, r, err); ok {
		d.showOpinion(w, r, http.StatusUnprocessableEntity, wrong)
		return
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/office/opinions/"+o.ID+"?saved=1")
}
