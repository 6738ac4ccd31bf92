package casework

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"diwan/internal/casework/document"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// clockTime writes a minute of the day: "09:20".
func clockTime(minute int) string { return fmt.Sprintf("%02d:%02d", minute/60, minute%60) }

// bookingRow is an appointment as pages show it.
type bookingRow struct {
	*Booking
	Office gov.Text
	What   gov.Text
	At     string
	Until  string
	Ahead  bool
}

func (w *Casework) bookingRow(r *http.Request, b *Booking) bookingRow {
	row := bookingRow{Booking: b, Office: w.OfficeName(b.Administration), At: clockTime(b.Minute), Until: clockTime(b.Minute + b.Length), Ahead: b.State == Booked && !b.Day.Before(w.today())}
	if t, err := w.Procedures.Terms(r.Context(), b.Procedure); err == nil {
		row.What = t.Name
	}
	return row
}

// registerBook adds the pages of appointments to the mux of the person's space.
func (m *Mine) registerBook(mux *http.ServeMux) {
	mux.HandleFunc("GET /me/appointments", m.appointments)
	mux.HandleFunc("POST /me/appointments", m.cancel)
	mux.HandleFunc("GET /me/appointments/new", m.choose)
	mux.HandleFunc("POST /me/appointments/new", m.book)
	mux.HandleFunc("GET /me/appointments/{id}", m.ticket)
	mux.HandleFunc("GET /me/appointments/{id}/calendar.ics", m.calendar)
}

type appointmentsData struct {
	Who   gov.Actor
	Rows  []bookingRow
	Error string
	Saved bool
}

func (m *Mine) appointments(w http.ResponseWriter, r *http.Request) {
	m.showAppointments(w, r, http.StatusOK, "")
}

func (m *Mine) showAppointments(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	d := appointmentsData{Who: m.Actor(r), Error: wrong, Saved: r.URL.Query().Get("saved") == "1"}
	list, err := m.BookingsOf(r.Context(), d.Who.ID)
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	for _, b := range list {
		d.Rows = append(d.Rows, m.bookingRow(r, b))
	}
	m.show(w, r, status, "appointments", m.Site.Printer(r).T("book.mine"), "/me/appointments", d)
}

func (m *Mine) cancel(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		m.Site.Fail(w, r, tooLarge(err))
		return
	}
	err := m.Cancel(r.Context(), m.Actor(r).ID, r.PostFormValue("cancel"))
	if wrong, ok := readers(m.Site, r, err); ok {
		m.showAppointments(w, r, http.StatusUnprocessableEntity, wrong)
		return
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/me/appointments?saved=1")
}

type slotView struct {
	Minute int
	At     string
	Free   int
}

type bookData struct {
	Who       gov.Actor
	Case      string
	Procedure string
	What      gov.Text
	Offices   []Office
	Office    string
	Name      gov.Text // of the office
	Days      []gov.Date
	Day       gov.Date
	Slots     []slotView
	Error     string
}

// about is what an appointment is about: a case that the person may see, or a
// procedure.
func (m *Mine) about(r *http.Request, q url.Values) (d bookData, c *Case, err error) {
	d = bookData{Who: m.Actor(r), Case: q.Get("case"), Procedure: q.Get("procedure"), Office: q.Get("office")}
	if d.Case != "" {
		if c, err = m.Find(r.Context(), d.Who, d.Case); err != nil {
			return d, nil, err
		}
		d.Case, d.Procedure, d.Office = c.Number, c.Procedure, c.Administration
	}
	t, err := m.Procedures.Terms(r.Context(), d.Procedure)
	if err != nil {
		return d, nil, err
	}
	d.What = t.Name
	if d.Offices, err = m.Procedures.Offices(r.Context(), d.Procedure); err != nil {
		return d, nil, err
	}
	if c == nil && d.Office != "" && !slices.ContainsFunc(d.Offices, func(o Office) bool { return o.ID == d.Office }) {
		return d, nil, problem.New(problem.NotFound, "book.office")
	}
	if d.Office != "" {
		d.Name = m.OfficeName(d.Office)
	}
	return d, c, nil
}

func (m *Mine) choose(w http.ResponseWriter, r *http.Request) {
	m.showChoose(w, r, http.StatusOK, r.URL.Query(), "")
}

func (m *Mine) showChoose(w http.ResponseWriter, r *http.Request, status int, q url.Values, wrong string) {
	d, _, err := m.about(r, q)
	d.Error = wrong
	if err == nil && d.Office != "" {
		d.Days, err = m.BookableDays(r.Context(), d.Office)
	}
	if err == nil && len(d.Days) > 0 {
		d.Day, _ = gov.ParseDate(q.Get("day"))
		if !slices.Contains(d.Days, d.Day) {
			d.Day = d.Days[0]
		}
		var free []Slot
		free, err = m.Slots(r.Context(), d.Office, d.Day)
		for _, s := range free {
			d.Slots = append(d.Slots, slotView{s.Minute, clockTime(s.Minute), s.Free})
		}
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	m.show(w, r, status, "book", m.Site.Printer(r).T("book.new"), asked("/me/appointments/new", "case", q.Get("case"), "procedure", q.Get("procedure"), "office", q.Get("office"), "day", q.Get("day")), d)
}

func (m *Mine) book(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		m.Site.Fail(w, r, tooLarge(err))
		return
	}
	d, c, err := m.about(r, r.PostForm)
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	subject := m.Acting(r)
	b := Booking{Administration: d.Office, Account: d.Who.ID, Person: subject.ID, Name: subject.Name, Procedure: d.Procedure}
	b.Day, _ = gov.ParseDate(r.PostFormValue("day"))
	minute, merr := strconv.Atoi(r.PostFormValue("at"))
	b.Minute = minute
	if c != nil {
		b.Number, b.caseID, b.Person = c.Number, c.ID, c.Person
	}
	if merr != nil || b.Day.IsZero() || b.Administration == "" {
		err = problem.New(problem.Invalid, "book.when")
	}
	var done *Booking
	if err == nil {
		done, err = m.Book(r.Context(), b)
	}
	if wrong, ok := readers(m.Site, r, err); ok {
		m.showChoose(w, r, http.StatusUnprocessableEntity, r.PostForm, wrong)
		return
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/me/appointments/"+done.ID)
}

type ticketData struct {
	Who gov.Actor
	Row bookingRow
}

func (m *Mine) ticket(w http.ResponseWriter, r *http.Request) {
	b, err := m.Casework.Booking(r.Context(), m.Actor(r).ID, r.PathValue("id"))
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	m.show(w, r, http.StatusOK, "ticket", m.Site.Printer(r).T("book.ticket"), "/me/appointments/"+b.ID, ticketData{m.Actor(r), m.bookingRow(r, b)})
}

// calendar answers with the appointment as a file for calendars. Others may see a
// calendar: it says where and when, and not what about.
func (m *Mine) calendar(w http.ResponseWriter, r *http.Request) {
	b, err := m.Casework.Booking(r.Context(), m.Actor(r).ID, r.PathValue("id"))
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	from := time.Date(b.Day.Year, time.Month(b.Day.Month), b.Day.Day, b.Minute/60, b.Minute%60, 0, 0, m.Country.Zone())
	place, _ := m.OfficeName(b.Administration).In(web.LangOf(r), m.Country.Order())
	ics, err := document.ICS(document.Entry{ID: b.ID + "@" + r.Host, Made: b.Made, Changed: b.Changes, From: from, To: from.Add(time.Duration(b.Length) * time.Minute),
		Summary: m.Site.Printer(r).T("book.calendar"), Place: place, Cancelled: b.State == Cancelled, Remind: 24 * time.Hour,
		Address: m.Base(r) + "/" + string(web.LangOf(r)) + "/me/appointments/" + b.ID})
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/calendar; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+b.Day.String()+`.ics"`)
	h.Set("Cache-Control", "private, no-store")
	w.Write(ics)
}
