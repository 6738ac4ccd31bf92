package gazette

import (
	"net/http"
	"net/url"
	"strconv"

	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/web"
)

// listSize is how many works a page of a list shows.
const listSize = 25

type browseData struct {
	Works    []workView
	Pager    listPager
	Kinds    []countView
	Subjects []countView
	States   []countView
	Chips    []chipView // what narrows the list, each with the list without it
	Year     string
}

// chipView is one thing that narrows a list.
type chipView struct {
	Name    gov.Text
	State   string // of a state, instead of a name
	Without string
}

// browse lists works by kind, subject, year and state.
func (l *Law) browse(w http.ResponseWriter, r *http.Request) {
	d, query, err := l.browseData(r)
	if err != nil {
		l.Site.Fail(w, r, err)
		return
	}
	l.Site.Uncached(w, r, http.StatusOK, web.Page{Template: "gazette/law-browse", Title: l.Site.Printer(r).T("law.browse.title"),
		Path: "/law/browse" + here(query, d.Pager.Page), Nav: "law", Data: d})
}

func (l *Law) browseData(r *http.Request) (*browseData, string, error) {
	g, ctx, q := l.Gazette, r.Context(), r.URL.Query()
	d, f := &browseData{}, Filter{Kind: q.Get("kind"), Subject: q.Get("subject")}
	kept := url.Values{}
	for _, name := range []string{"kind", "subject"} {
		if v := q.Get(name); validID(v) {
			kept.Set(name, v)
		}
	}
	if y, err := strconv.Atoi(q.Get("year")); err == nil && y > 0 && y < 10000 {
		f.Year, d.Year = y, strconv.Itoa(y)
		kept.Set("year", d.Year)
	}
	if s := q.Get("state"); s != "" && knownState(s) {
		f.StateSet = true
		if s != stateUnknown {
			f.State = model.State(s)
		}
		kept.Set("state", s)
	}
	query := ""
	if len(kept) > 0 {
		query = "?" + kept.Encode()
	}
	page := pageOf(r)
	works, n, err := g.List(ctx, f, listSize, (page-1)*listSize)
	if err != nil {
		return nil, "", err
	}
	for _, work := range works {
		d.Works = append(d.Works, l.view(work, web.LangOf(r)))
	}
	d.Pager = newPager(page, listSize, n, query)
	d.chips(g, kept)
	return d, query, l.browseChoices(r, d, kept)
}

func knownState(s string) bool {
	switch model.State(s) {
	case stateUnknown, model.InForce, model.Amended, model.NotYet, model.Repealed, model.Suspended:
		return true
	}
	return false
}

func (d *browseData) chips(g *Gazette, kept url.Values) {
	for _, name := range []string{"kind", "subject", "year", "state"} {
		v := kept.Get(name)
		if v == "" {
			continue
		}
		rest := url.Values{}
		for k, values := range kept {
			if k != name {
				rest[k] = values
			}
		}
		c := chipView{Without: "?" + rest.Encode()}
		switch name {
		case "kind":
			c.Name = orID(g.KindName(v), v)
		case "subject":
			c.Name = g.SubjectName(v)
		case "year":
			c.Name = gov.Text{"": v}
		case "state":
			c.State = v
		}
		d.Chips = append(d.Chips, c)
	}
}

// orID shows an id where nobody gave a name.
func orID(t gov.Text, id string) gov.Text {
	if t.Empty() {
		return gov.Text{"": id}
	}
	return t
}

// browseChoices fills the lists that a reader can choose from.
func (l *Law) browseChoices(r *http.Request, d *browseData, kept url.Values) error {
	kinds, err := l.Gazette.CountBy(r.Context(), "kind")
	if err != nil {
		return err
	}
	subjects, err := l.Gazette.CountBy(r.Context(), "subject")
	if err != nil {
		return err
	}
	states, err := l.Gazette.CountBy(r.Context(), "state")
	if err != nil {
		return err
	}
	d.Kinds = chosen(l.counts("kind", kinds, l.Gazette.KindName), kept.Get("kind"))
	d.Subjects = chosen(l.counts("subject", subjects, l.Gazette.SubjectName), kept.Get("subject"))
	d.States = chosen(l.stateCounts(states), kept.Get("state"))
	return nil
}

func chosen(all []countView, value string) []countView {
	var out []countView
	for _, c := range all {
		if c.Value == "" {
			continue
		}
		c.Name = orID(c.Name, c.Value)
		c.On = c.Value == value
		out = append(out, c)
	}
	return out
}
