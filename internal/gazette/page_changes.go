package gazette

import (
	"net/http"
	"time"

	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/web"
)

// changeSize is how many changes a page lists.
const changeSize = 50

type changesData struct {
	Weeks    []weekView
	Pager    listPager
	Week     gov.Date // the first day of this week
	ThisWeek bool     // something changed in it
}

// weekView is what changed in the law in one week.
type weekView struct {
	From, To gov.Date
	Changes  []changeView
	Current  bool
}

type changeView struct {
	Type string
	Day  gov.Date
	Work workView
	By   *workView
	Href string
}

// changes lists what changed in the law by weeks, the newest first.
func (l *Law) changes(w http.ResponseWriter, r *http.Request) {
	page := pageOf(r)
	d := &changesData{Week: l.weekOf(l.Site.Today())}
	n, err := l.Gazette.countEvents(r.Context())
	if err == nil {
		var all []changeView
		all, err = l.changeViews(r, "", changeSize, (page-1)*changeSize)
		d.setWeeks(l, all)
	}
	if err != nil {
		l.Site.Fail(w, r, err)
		return
	}
	d.Pager = newPager(page, changeSize, n, "")
	l.Site.Uncached(w, r, http.StatusOK, web.Page{Template: "gazette/law-changes", Title: l.Site.Printer(r).T("law.changes.title"),
		Path: "/law/changes" + here("", d.Pager.Page), Nav: "law", Data: d})
}

func (d *changesData) setWeeks(l *Law, all []changeView) {
	for _, c := range all {
		from := l.weekOf(c.Day)
		if n := len(d.Weeks); n == 0 || d.Weeks[n-1].From != from {
			d.Weeks = append(d.Weeks, weekView{From: from, To: from.AddDays(6), Current: from == d.Week})
			d.ThisWeek = d.ThisWeek || from == d.Week
		}
		week := &d.Weeks[len(d.Weeks)-1]
		week.Changes = append(week.Changes, c)
	}
}

// weekOf is the Monday of a day's week (ISO 8601).
func (l *Law) weekOf(d gov.Date) gov.Date {
	if d.IsZero() {
		return d
	}
	return d.AddDays(-(int(d.Weekday()) - int(time.Monday) + 7) % 7)
}

// changeViews names the events since a day, the newest first. Those of a future
// day are told too: a reader wants to know what is coming.
func (l *Law) changeViews(r *http.Request, since model.Date, limit, offset int) ([]changeView, error) {
	events, err := l.Gazette.RecentEvents(r.Context(), since, limit, offset)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, e := range events {
		ids = append(ids, e.Work, e.By)
	}
	works, err := l.Gazette.Works(r.Context(), ids)
	if err != nil {
		return nil, err
	}
	lang := web.LangOf(r)
	var out []changeView
	for _, e := range events {
		w := works[e.Work]
		if w == nil {
			continue // it was read again since, and is another work now
		}
		c := changeView{Type: e.Type, Day: dateOf(e.Day), Work: l.view(w, lang), Href: "/" + string(lang) + e.Work + anchor(e.EID)}
		if by := works[e.By]; by != nil {
			v := l.view(by, lang)
			c.By = &v
		}
		out = append(out, c)
	}
	return out, nil
}
