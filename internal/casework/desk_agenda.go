package casework

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"diwan/internal/gov"
	"diwan/internal/problem"
)

// openingRow is an opening as the agenda shows it.
type openingRow struct {
	Opening
	Day      gov.Date // one such weekday, for its name
	At, Till string
}

type agendaData struct {
	deskPage
	Office   gov.Text
	Day      gov.Date
	Before   gov.Date
	After    gov.Date
	Rows     []bookingRow
	Openings []openingRow
	Week     []gov.Date // one day of each weekday, Sunday first, as they are numbered
	MayOpen  bool
}

// agenda shows who comes on a day, and when the office receives.
func (d *Desk) agenda(w http.ResponseWriter, r *http.Request) {
	d.showAgenda(w, r, http.StatusOK, "")
}

func (d *Desk) showAgenda(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	data := agendaData{deskPage: d.page(r, wrong), Day: d.today()}
	path := "/office/agenda"
	if day, err := gov.ParseDate(r.FormValue("day")); err == nil {
		data.Day, path = day, asked(path, "day", day.String())
	}
	data.Before, data.After = data.Day.AddDays(-1), data.Day.AddDays(1)
	data.Office = d.OfficeName(data.Who.Administration)
	data.MayOpen = d.mayOpen(r.Context(), data.Who) == nil
	list, err := d.Agenda(r.Context(), data.Who.Administration, data.Day)
	for _, b := range list {
		data.Rows = append(data.Rows, d.bookingRow(r, b))
	}
	var open []Opening
	if err == nil {
		open, err = d.Openings(r.Context(), data.Who.Administration)
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	for n := range 7 {
		data.Week = append(data.Week, d.today().AddDays(n-int(d.today().Weekday())))
	}
	for _, o := range open {
		day := d.today().AddDays(int(o.Weekday-d.today().Weekday()+7) % 7)
		data.Openings = append(data.Openings, openingRow{o, day, clockTime(o.From), clockTime(o.To)})
	}
	d.show(w, r, status, "agenda", d.Site.Printer(r).T("book.agenda"), path, data)
}

func (d *Desk) changeAgenda(w http.ResponseWriter, r *http.Request) {
	if !d.posted(w, r) {
		return
	}
	who := d.Actor(r)
	var err error
	switch r.PostFormValue("do") {
	case "came", "missed":
		err = d.Attend(r.Context(), who, r.PostFormValue("booking"), r.PostFormValue("do") == "came")
	case "open":
		var o Opening
		if o, err = typedOpening(r); err == nil {
			err = d.AddOpening(r.Context(), who, o)
		}
	case "close":
		err = d.DropOpening(r.Context(), who, r.PostFormValue("opening"))
	default:
		err = problem.New(problem.Invalid, "case.action_unknown", "action", "")
	}
	if wrong, ok := readers(d.Site, r, err); ok {
		d.showAgenda(w, r, http.StatusUnprocessableEntity, wrong)
		return
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	back := "/office/agenda?saved=1"
	if day, err := gov.ParseDate(r.PostFormValue("day")); err == nil {
		back += "&day=" + day.String()
	}
	to(w, r, back)
}

func typedOpening(r *http.Request) (Opening, error) {
	wrong := problem.New(problem.Invalid, "book.opening")
	day, err := strconv.Atoi(r.PostFormValue("weekday"))
	from, ok := minuteOf(r.PostFormValue("from"))
	till, ok2 := minuteOf(r.PostFormValue("till"))
	slot, err2 := strconv.Atoi(r.PostFormValue("slot"))
	seats, err3 := strconv.Atoi(r.PostFormValue("seats"))
	if err != nil || err2 != nil || err3 != nil || !ok || !ok2 {
		return Opening{}, wrong
	}
	return Opening{Weekday: time.Weekday(day), From: from, To: till, Slot: slot, Seats: seats}, nil
}

// minuteOf reads "09:20".
func minuteOf(s string) (int, bool) {
	h, m, ok := strings.Cut(s, ":")
	hour, err := strconv.Atoi(h)
	minute, err2 := strconv.Atoi(m)
	if !ok || err != nil || err2 != nil || hour < 0 || hour > 24 || minute < 0 || minute > 59 {
		return 0, false
	}
	return hour*60 + minute, true
}
