package casework

import (
	"net/http"
	"strconv"

	"diwan/internal/gov"
	"diwan/internal/problem"
)

type holidaysData struct {
	Who                 gov.Actor
	Year, Before, After int
	Rows                []HolidayRow
	Saved               bool
	Error               string
	Day, Name           string
}

// holidays shows the days on which offices are closed, by which every period is
// counted.
func (d *Desk) holidaysPage(w http.ResponseWriter, r *http.Request) {
	d.showHolidays(w, r, http.StatusOK, "")
}

func (d *Desk) showHolidays(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	data := holidaysData{Who: d.Actor(r), Year: d.today().Year, Saved: r.URL.Query().Get("saved") == "1", Error: wrong, Day: r.PostFormValue("day"), Name: r.PostFormValue("name")}
	if y, err := strconv.Atoi(r.URL.Query().Get("year")); err == nil && y > 1900 && y < 2200 {
		data.Year = y
	}
	data.Before, data.After = data.Year-1, data.Year+1
	var err error
	if data.Rows, err = d.Holidays(r.Context(), data.Year); err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	path := "/office/holidays"
	if r.URL.Query().Has("year") {
		path += "?year=" + strconv.Itoa(data.Year)
	}
	d.show(w, r, status, "holidays", d.Site.Printer(r).T("casework.holidays"), path, data)
}

func (d *Desk) setHoliday(w http.ResponseWriter, r *http.Request) {
	if d.MayHolidays == nil || !d.MayHolidays(d.Actor(r)) {
		d.Site.Fail(w, r, problem.New(problem.Forbidden, "forbidden"))
		return
	}
	if err := r.ParseForm(); err != nil {
		d.Site.Fail(w, r, tooLarge(err))
		return
	}
	on, _ := gov.ParseDate(r.PostFormValue("day"))
	err := d.SetHoliday(r.Context(), d.Actor(r), on, r.PostFormValue("name"), r.PostFormValue("do") != "open")
	if wrong, ok := readers(d.Site, r, err); ok {
		d.showHolidays(w, r, http.StatusUnprocessableEntity, wrong)
		return
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/office/holidays?saved=1&year="+strconv.Itoa(on.Year))
}
