package casework

import (
	"bytes"
	"net/http"
	"strconv"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// registerAfter adds the pages of what comes after a decision, and of a person's
// own data.
func (m *Mine) registerAfter(mux *http.ServeMux) {
	mux.HandleFunc("GET /me/cases/{number}/satisfaction", m.satisfaction)
	mux.HandleFunc("POST /me/cases/{number}/satisfaction", m.rate)
	mux.HandleFunc("GET /me/complaints", m.complaintsPage)
	mux.HandleFunc("POST /me/complaints", m.complain)
	mux.HandleFunc("GET /me/privacy", m.privacy)
	mux.HandleFunc("GET /me/privacy/export", m.export)
	mux.HandleFunc("POST /me/privacy", m.erase)
}

type ratingData struct {
	Who   gov.Actor
	Case  *Case
	Name  gov.Text
	Stars []int
	Typed int
	Words string
	Error string
	Saved bool
}

func (m *Mine) satisfaction(w http.ResponseWriter, r *http.Request) {
	m.showRating(w, r, http.StatusOK, ratingData{Saved: r.URL.Query().Get("saved") == "1"})
}

func (m *Mine) showRating(w http.ResponseWriter, r *http.Request, status int, d ratingData) {
	c, err := m.Find(r.Context(), m.Actor(r), r.PathValue("number"))
	if err == nil && !rateable(c.State) {
		err = problem.New(problem.Conflict, "rating.early")
	}
	var t *Terms
	if err == nil {
		t, err = m.TermsOf(r.Context(), c)
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	d.Who, d.Case, d.Name, d.Stars = m.Actor(r), c, t.Name, []int{1, 2, 3, 4, 5}
	m.show(w, r, status, "satisfaction", m.Site.Printer(r).T("cases.rating"), "/me/cases/"+c.Number+"/satisfaction", d)
}

func (m *Mine) rate(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		m.Site.Fail(w, r, tooLarge(err))
		return
	}
	stars, _ := strconv.Atoi(r.PostForm.Get("stars"))
	err := m.Rate(r.Context(), m.Actor(r), r.PathValue("number"), stars, r.PostForm.Get("words"))
	if wrong, ok := readers(m.Site, r, err); ok {
		m.showRating(w, r, http.StatusUnprocessableEntity, ratingData{Typed: stars, Words: r.PostForm.Get("words"), Error: wrong})
		return
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/me/cases/"+r.PathValue("number")+"/satisfaction?saved=1")
}

// complaintRow is a complaint as a page shows it.
type complaintRow struct {
	*Complaint
	Office gov.Text
	Late   bool
	Mend   bool // the administration may still say what is wrong with it
}

func (w *Casework) complaintRows(list []*Complaint) (rows []complaintRow) {
	today := w.today()
	for _, c := range list {
		mend := c.State == ComplaintReceived && !c.Received.AddDays(w.Complaints.MendDays).Before(today)
		rows = append(rows, complaintRow{c, w.OfficeName(c.Administration), c.Late(today), mend})
	}
	return rows
}

type complaintsData struct {
	Who     gov.Actor
	Rows    []complaintRow
	Cases   []caseRow
	Offices []Office
	Rules   ComplaintRules
	Typed   struct{ About, Office, Words string }
	Error   string
	Saved   bool
}

func (m *Mine) complaintsPage(w http.ResponseWriter, r *http.Request) {
	d := complaintsData{Saved: r.URL.Query().Get("saved") == "1"}
	d.Typed.Office = r.URL.Query().Get("office")
	m.showComplaints(w, r, http.StatusOK, d)
}

func (m *Mine) showComplaints(w http.ResponseWriter, r *http.Request, status int, d complaintsData) {
	who, subject := m.Actor(r), m.Acting(r)
	list, err := m.ComplaintsOf(r.Context(), subject.ID)
	var cases []*Case
	if err == nil {
		cases, err = m.CasesOf(r.Context(), subject.ID)
	}
	seen := map[string]bool{}
	for _, c := range cases {
		var row caseRow
		if row, err = m.row(r, c); err != nil {
			break
		}
		d.Cases = append(d.Cases, row)
		if !seen[c.Administration] {
			seen[c.Administration] = true
			d.Offices = append(d.Offices, Office{ID: c.Administration, Name: row.Office})
		}
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	// Whoever comes from the page of an administration need not have dealt with it here;
	// an invented one is not repeated on the page.
	if id := d.Typed.Office; id != "" && !seen[id] {
		if m.IsOffice != nil && m.IsOffice(id) {
			d.Offices = append(d.Offices, Office{ID: id, Name: m.OfficeName(id)})
		} else {
			d.Typed.Office = ""
		}
	}
	d.Who, d.Rows, d.Rules = who, m.complaintRows(list), m.Complaints
	m.show(w, r, status, "complaints", m.Site.Printer(r).T("cases.complaints"), asked("/me/complaints", "office", d.Typed.Office), d)
}

// complain begins a complaint, or goes on with one.
func (m *Mine) complain(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		m.Site.Fail(w, r, tooLarge(err))
		return
	}
	f, person := r.PostForm, m.Acting(r).ID
	version, _ := strconv.ParseInt(f.Get("version"), 10, 64)
	var err error
	switch f.Get("do") {
	case "drop":
		err = m.MendComplaint(r.Context(), person, f.Get("number"), "", version)
	case "mend":
		if f.Get("words") == "" {
			err = problem.New(problem.Invalid, "case.reasons_missing")
		} else {
			err = m.MendComplaint(r.Context(), person, f.Get("number"), f.Get("words"), version)
		}
	default:
		_, err = m.Complain(r.Context(), person, f.Get("office"), f.Get("about"), f.Get("words"))
	}
	if wrong, ok := readers(m.Site, r, err); ok {
		d := complaintsData{Error: wrong}
		d.Typed.About, d.Typed.Office, d.Typed.Words = f.Get("about"), f.Get("office"), f.Get("words")
		m.showComplaints(w, r, http.StatusUnprocessableEntity, d)
		return
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/me/complaints?saved=1")
}

type privacyData struct {
	Who       gov.Actor
	Retention Retention
	Error     string
	Done      *Erased
	Closes    bool // the account can be closed here
	Asked     bool // it was to be closed, and can't be yet
}

// own refuses whoever acts for somebody else: nobody's data leave or go by mandate.
func (m *Mine) own(r *http.Request, action string) error {
	if m.Acting(r).ID != m.Actor(r).ID {
		return problem.New(problem.Forbidden, "privacy.own")
	}
	if m.MayData != nil {
		return m.MayData(r, action)
	}
	return nil
}

func (m *Mine) privacy(w http.ResponseWriter, r *http.Request) {
	m.showPrivacy(w, r, http.StatusOK, privacyData{})
}

func (m *Mine) showPrivacy(w http.ResponseWriter, r *http.Request, status int, d privacyData) {
	d.Who, d.Retention, d.Closes = m.Actor(r), m.Casework.Retention, m.Close != nil
	m.show(w, r, status, "privacy", m.Site.Printer(r).T("cases.privacy"), "/me/privacy", d)
}

// export gives the person everything that is held about them.
func (m *Mine) export(w http.ResponseWriter, r *http.Request) {
	var b bytes.Buffer
	err := m.own(r, exportData)
	if err == nil {
		err = m.Export(r.Context(), m.Actor(r).ID, &b)
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="my-data.zip"`)
	h.Set("Cache-Control", "no-store")
	w.Write(b.Bytes())
}

func (m *Mine) erase(w http.ResponseWriter, r *http.Request) {
	err := m.own(r, eraseData)
	if err == nil && r.PostFormValue("sure") != "yes" {
		m.showPrivacy(w, r, http.StatusUnprocessableEntity, privacyData{Error: m.Site.Printer(r).T("cases.privacy.sure_missing")})
		return
	}
	var done Erased
	if err == nil {
		done, err = m.Erase(r.Context(), m.Actor(r).ID)
	}
	if err != nil {
		m.Site.Fail(w, r, err)
		return
	}
	leaves := r.PostFormValue("close") == "yes" && m.Close != nil
	if leaves && len(done.Open)+len(done.Recent)+len(done.Kept) == 0 {
		if err := m.Close(w, r); err != nil {
			m.Site.Fail(w, r, err)
		}
		return
	}
	m.showPrivacy(w, r, http.StatusOK, privacyData{Done: &done, Asked: leaves})
}

// officeComplaints are the complaints and the ratings that an administration got.
type officeComplaints struct {
	deskPage
	Office  gov.Text
	Rows    []complaintRow
	Ratings []Rating
	Rules   ComplaintRules
}

// registerAfter adds the page of complaints to the desk.
func (d *Desk) registerAfter(mux *http.ServeMux) {
	mux.HandleFunc("GET /office/complaints", d.behind(func(w http.ResponseWriter, r *http.Request) { d.showComplaints(w, r, http.StatusOK, "") }))
	mux.HandleFunc("POST /office/complaints", d.behind(d.answerComplaint))
}

func (d *Desk) showComplaints(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	p := officeComplaints{deskPage: d.page(r, wrong), Rules: d.Casework.Complaints}
	list, err := d.ComplaintsTo(r.Context(), p.Who)
	if err == nil {
		p.Ratings, err = d.Ratings(r.Context(), p.Who)
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	p.Office, p.Rows = d.OfficeName(p.Who.Administration), d.complaintRows(list)
	d.show(w, r, status, "office-complaints", d.Site.Printer(r).T("cases.complaints.office"), "/office/complaints", p)
}

func (d *Desk) answerComplaint(w http.ResponseWriter, r *http.Request) {
	if !d.posted(w, r) {
		return
	}
	version, _ := strconv.ParseInt(r.PostForm.Get("version"), 10, 64)
	err := d.AnswerComplaint(r.Context(), d.Actor(r), r.PostForm.Get("number"), r.PostForm.Get("do"), r.PostForm.Get("words"), version)
	if wrong, ok := readers(d.Site, r, err); ok {
		d.showComplaints(w, r, http.StatusUnprocessableEntity, wrong)
		return
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/"+string(web.LangOf(r))+"/office/complaints?saved=1", http.StatusSeeOther)
}
