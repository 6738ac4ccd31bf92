package gazette

import (
	"net/http"
	"sort"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// SubjectName is what pages call a subject of the index; a subject that the
// country pack does not name shows as it is.
func (g *Gazette) SubjectName(id string) gov.Text {
	for _, s := range g.grammar.Config.Subjects {
		if s.ID == id {
			return textOf(s.Names)
		}
	}
	return gov.Text{"": id}
}

type subjectsData struct {
	Subjects []countView
	Without  int // works that nobody put under a subject
}

// subjects lists the subjects of the index by name.
func (l *Law) subjects(w http.ResponseWriter, r *http.Request) {
	l.cached(w, r, func() (web.Page, error) {
		counts, err := l.Gazette.CountBy(r.Context(), "subject")
		if err != nil {
			return web.Page{}, err
		}
		d := &subjectsData{}
		for _, c := range l.counts("subject", counts, l.Gazette.SubjectName) {
			if c.Value == "" {
				d.Without = c.N
				continue
			}
			d.Subjects = append(d.Subjects, c)
		}
		lang, order := web.LangOf(r), l.Site.Country.Order()
		name := func(i int) string { s, _ := d.Subjects[i].Name.In(lang, order); return s }
		sort.SliceStable(d.Subjects, func(i, j int) bool { return name(i) < name(j) })
		return web.Page{Template: "gazette/law-subjects", Title: l.Site.Printer(r).T("law.subjects.title"), Path: "/law/subjects", Nav: "law", Data: d}, nil
	})
}

type subjectData struct {
	ID    string
	Name  gov.Text
	Works []workView
	Pager listPager
	Most  []workView // those that other texts name most
}

// mostShown is how many of the most cited works of a subject stand first.
const mostShown = 5

func (l *Law) subject(w http.ResponseWriter, r *http.Request) {
	d, err := l.subjectData(r, r.PathValue("id"))
	if err != nil {
		l.Site.Fail(w, r, err)
		return
	}
	name, _ := d.Name.In(web.LangOf(r), l.Site.Country.Order())
	l.Site.Uncached(w, r, http.StatusOK, web.Page{Template: "gazette/law-subject", Title: name,
		Path: "/law/subjects/" + d.ID + here("", d.Pager.Page), Nav: "law", Data: d})
}

func (l *Law) subjectData(r *http.Request, id string) (*subjectData, error) {
	g, ctx, lang := l.Gazette, r.Context(), web.LangOf(r)
	page := pageOf(r)
	if !validID(id) {
		return nil, problem.New(problem.NotFound, "page.not_found")
	}
	works, n, err := g.List(ctx, Filter{Subject: id}, listSize, (page-1)*listSize)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, problem.New(problem.NotFound, "page.not_found")
	}
	d := &subjectData{ID: id, Name: g.SubjectName(id), Pager: newPager(page, listSize, n, "")}
	for _, work := range works {
		d.Works = append(d.Works, l.view(work, lang))
	}
	if page > 1 || n <= listSize {
		return d, nil
	}
	most, err := g.store.works(ctx, g.store.db.Reader(), `WHERE subject = $1 AND cited > 0 ORDER BY cited DESC, id LIMIT $2`, id, mostShown)
	for _, work := range most {
		d.Most = append(d.Most, l.view(work, lang))
	}
	return d, err
}
