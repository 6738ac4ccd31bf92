package catalogue

import (
	"net/http"
	"net/url"
	"slices"

	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

type lifeEventData struct {
	*model.LifeEvent
	Journey []stageView
	Machine bool
	HasPath bool
}

type stageView struct {
	model.Stage
	Items []stageItem
}

// stageItem is a procedure on the way, with its answer's last day.
type stageItem struct {
	*Entry
	Due  gov.Date
	Days int
	Term bool
}

func (p *Portal) item(e *Entry, today gov.Date) stageItem {
	it := stageItem{Entry: e}
	it.Days, it.Term = e.Deadline.Max()
	if it.Term {
		it.Due = p.Site.Country.Calendar().Last(today, it.Days)
	}
	return it
}

func (p *Portal) lifeEvent(w http.ResponseWriter, r *http.Request) {
	p.cached(w, r, func(s *Snapshot, today gov.Date) (web.Page, error) {
		ev := s.LifeEvent(r.PathValue("id"))
		if ev == nil {
			return web.Page{}, problem.New(problem.NotFound, "page.not_found")
		}
		l := web.LangOf(r)
		d := lifeEventData{LifeEvent: ev, HasPath: len(ev.Questions) > 0, Machine: slices.Contains(ev.Translated, l)}
		for _, st := range ev.Stages {
			v := stageView{Stage: st}
			for _, id := range st.Procedures {
				if e := s.Procedure(id); e != nil {
					v.Items = append(v.Items, p.item(e, today))
				}
			}
			d.Journey = append(d.Journey, v)
		}
		name, _ := ev.Name.In(l, p.Site.Country.Order())
		intro, _ := ev.Intro.In(l, p.Site.Country.Order())
		return web.Page{Template: "catalogue/life-event", Title: name, Description: intro, Path: "/life-events/" + ev.ID, Nav: "services",
			Data: d, JSONLD: p.eventLD(d, l)}, nil
	})
}

// eventLD describes the journey as steps (schema.org HowTo).
func (p *Portal) eventLD(d lifeEventData, l gov.Lang) any {
	order := p.Site.Country.Order()
	name, _ := d.Name.In(l, order)
	var steps []any
	for _, st := range d.Journey {
		title, _ := st.Title.In(l, order)
		steps = append(steps, map[string]any{"@type": "HowToStep", "name": title})
	}
	return map[string]any{"@context": "https://schema.org", "@type": "HowTo", "name": name, "step": steps}
}

// pathData is one page of a decision path: a question, or what follows from the
// answers.
type pathData struct {
	Event    *model.LifeEvent
	Question *model.Question
	Given    []givenAnswer // so far, each with the address that changes it
	Hidden   []hiddenField
	Number   int
	Most     int // the longest way from here, for the progress bar
	Items    []stageItem
	Notes    []gov.Text
	Missing  bool // the form was sent without an answer
}

type givenAnswer struct {
	Question, Answer gov.Text
	Change           string
}

type hiddenField struct{ Name, Value string }

// path walks the questions of a life event. The answers stand in the address,
// so that the browser's back button works, a page can be sent to a friend, and
// the server keeps nothing about anybody.
func (p *Portal) path(w http.ResponseWriter, r *http.Request) {
	s := p.Catalogue.Snapshot()
	ev := s.LifeEvent(r.PathValue("id"))
	if ev == nil || len(ev.Questions) == 0 {
		p.Site.Fail(w, r, problem.New(problem.NotFound, "page.not_found"))
		return
	}
	d := walk(ev, r.URL.Query())
	t := p.Site.Printer(r)
	title := t.T("path.result")
	if d.Question != nil {
		title, _ = d.Question.Text.In(web.LangOf(r), p.Site.Country.Order())
		if d.Missing {
			title = t.T("form.error.prefix") + " " + title
		}
	} else {
		p.outcome(s, ev, r.URL.Query(), &d)
	}
	query := url.Values{}
	for _, h := range d.Hidden {
		query.Set(h.Name, h.Value)
	}
	path := "/life-events/" + ev.ID + "/path"
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	p.Site.Uncached(w, r, http.StatusOK, web.Page{Template: "catalogue/path", Title: title, Path: path, Nav: "services", Hidden: true, Data: d})
}

// walk follows the answers given as far as they lead. Answers that do not
// belong to the path are ignored.
func walk(ev *model.LifeEvent, given url.Values) pathData {
	d := pathData{Event: ev, Number: 1}
	q := &ev.Questions[0]
	for range len(ev.Questions) { // no path is longer than its questions
		a := answerOf(q, given.Get(q.ID))
		if a == nil {
			d.Question, d.Most = q, d.Number+longestWay(ev, q, len(ev.Questions))-1
			d.Missing = given.Has("asked") && given.Get("asked") == q.ID
			return d
		}
		change := url.Values{}
		for _, h := range d.Hidden {
			change.Set(h.Name, h.Value)
		}
		d.Given = append(d.Given, givenAnswer{q.Text, a.Text, "?" + change.Encode()})
		d.Hidden = append(d.Hidden, hiddenField{q.ID, a.ID})
		d.Number++
		if q = questionOf(ev, a.Next); q == nil {
			return d
		}
	}
	return d
}

func questionOf(ev *model.LifeEvent, id string) *model.Question {
	for i := range ev.Questions {
		if ev.Questions[i].ID == id && id != "" {
			return &ev.Questions[i]
		}
	}
	return nil
}

func answerOf(q *model.Question, id string) *model.Answer {
	for i := range q.Answers {
		if q.Answers[i].ID == id {
			return &q.Answers[i]
		}
	}
	return nil
}

// longestWay counts the questions on the longest way from q on, at most depth.
func longestWay(ev *model.LifeEvent, q *model.Question, depth int) int {
	if q == nil || depth == 0 {
		return 0
	}
	most := 0
	for _, a := range q.Answers {
		most = max(most, longestWay(ev, questionOf(ev, a.Next), depth-1))
	}
	return 1 + most
}

// outcome collects what the answers lead to, in the order of the journey.
func (p *Portal) outcome(s *Snapshot, ev *model.LifeEvent, given url.Values, d *pathData) {
	wanted := map[string]bool{}
	var order []string
	for _, h := range d.Hidden {
		a := answerOf(questionOf(ev, h.Name), given.Get(h.Name))
		if !a.Note.Empty() {
			d.Notes = append(d.Notes, a.Note)
		}
		for _, id := range a.Procedures {
			if !wanted[id] {
				wanted[id] = true
				order = append(order, id)
			}
		}
	}
	today := p.Site.Today()
	for _, id := range slices.Concat(eventProcedures(ev), order) {
		if e := s.Procedure(id); wanted[id] && e != nil {
			d.Items = append(d.Items, p.item(e, today))
			delete(wanted, id)
		}
	}
}
