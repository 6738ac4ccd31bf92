package casework

import (
	"net/http"
	"slices"
	"strings"

	"diwan/internal/casework/clock"
	"diwan/internal/gov"
	"diwan/internal/web"
)

// aboveRow is a case in the list of the administration above.
type aboveRow struct {
	caseRow
	Owes string
}

type aboveData struct {
	deskPage
	Office gov.Text
	Done   bool
	Rows   []aboveRow
	Late   int
}

// maySupervise lets those in whose administration is the one above of a case, or
// could be.
func (d *Desk) maySupervise(r *http.Request) error {
	who := d.Actor(r)
	return d.May(r.Context(), who, MaySupervise, &Case{Above: who.Administration})
}

// aboveList is what lies before the officer's administration as the one above.
func (d *Desk) aboveList(w http.ResponseWriter, r *http.Request) {
	view := r.URL.Query().Get("view")
	data := aboveData{deskPage: d.page(r, ""), Done: view == "done"}
	data.Office = d.OfficeName(data.Who.Administration)
	err := d.maySupervise(r)
	var list []*Case
	if err == nil {
		list, err = d.BeforeAbove(r.Context(), data.Who.Administration, data.Done)
	}
	for _, c := range list {
		var row aboveRow
		if row, err = d.aboveRow(r, c); err != nil {
			break
		}
		if row.Late && c.Open {
			data.Late++
		}
		data.Rows = append(data.Rows, row)
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	d.show(w, r, http.StatusOK, "above", d.Site.Printer(r).T("casework.above"), asked("/office/above", "view", view), data)
}

func (d *Desk) aboveRow(r *http.Request, c *Case) (row aboveRow, err error) {
	if row.caseRow, err = d.officeRow(r, c); err != nil {
		return row, err
	}
	t, err := d.TermsOf(r.Context(), c)
	if err != nil {
		return row, err
	}
	all, _, err := events(r.Context(), d.DB.Reader(), c)
	row.Owes = d.owes(c, t, all)
	return row, err
}

// proved are the lines of a journal that prove a silence, and what was done about it.
var proved = []string{string(clock.Filed), "filed_incomplete", "appeal.filed", string(clock.Completed), "time." + string(clock.SilenceApproved), string(clock.DeliveryRequested),
	"time." + string(clock.Escalated), "time." + string(clock.Referred), AboveWrote, BelowExplained, certifiedType, CertificateRefused, string(clock.Delivered)}

// aboveCase is a case as the administration above sees it: what the journal proves.
type aboveCase struct {
	*View
	deskPage
	Owes    string
	Proof   []Step
	May     map[string]bool
	Fresh   bool
	Confirm string
	Words   string
	To      gov.Text // by the law's words, who it is
}

func (d *Desk) aboveCase(w http.ResponseWriter, r *http.Request) {
	d.showAbove(w, r, http.StatusOK, "")
}

func (d *Desk) showAbove(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	c, err := d.Find(r.Context(), d.Actor(r), r.PathValue("number"))
	if err == nil && (c.Above == "" || c.Above != d.Actor(r).Administration) {
		err = errNoCase
	}
	data := aboveCase{deskPage: d.page(r, wrong), May: map[string]bool{}, Words: r.PostFormValue("words")}
	if err == nil {
		data.View, err = d.view(r.Context(), d.Site, web.LangOf(r), c, false)
	}
	var all []Event
	if err == nil {
		all, _, err = events(r.Context(), d.DB.Reader(), c)
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	for _, s := range data.Steps {
		if slices.Contains(proved, s.Kind) {
			data.Proof = append(data.Proof, s)
		}
	}
	data.View.Root = "/office"
	d.readable(r, data.View)
	now := standing{data.Terms, all, data.Out}
	for _, kind := range []string{AboveWrote, certifiedType, CertificateRefused} {
		data.May[kind] = d.Casework.May(r.Context(), data.Who, rules[kind].may, c) == nil && d.aboveFits(c, now, &Action{Type: kind}, data.Who) == nil
	}
	data.Owes = d.owes(c, data.Terms, all)
	path := "/office/above/" + c.Number
	data.Fresh, data.Confirm, data.To = d.Fresh(r), d.Confirm(path), d.authority(data.Terms).EscalationTo
	d.show(w, r, status, "above-case", c.Number+" · "+d.Site.Printer(r).T("casework.above"), path, data)
}

// aboveAct does what that page offers.
func (d *Desk) aboveAct(w http.ResponseWriter, r *http.Request) {
	if !d.posted(w, r) {
		return
	}
	path := "/office/above/" + r.PathValue("number")
	a := Action{Type: r.PostFormValue("do"), Text: strings.TrimSpace(r.PostFormValue("words"))}
	if !slices.Contains([]string{AboveWrote, certifiedType, CertificateRefused}, a.Type) {
		a.Type = ""
	}
	if decides[a.Type] && !d.Fresh(r) {
		to(w, r, d.Confirm(path))
		return
	}
	_, err := d.Act(r.Context(), d.Actor(r), r.PathValue("number"), a)
	if wrong, ok := readers(d.Site, r, err); ok {
		d.showAbove(w, r, http.StatusUnprocessableEntity, wrong)
		return
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	to(w, r, path+"?saved=1")
}
