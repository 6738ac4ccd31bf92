package catalogue

import (
	"net/http"
	"strconv"
	"time"

	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// procedureItem is a procedure in a list.
type procedureItem struct {
	ID   string   `json:"id"`
	Name gov.Text `json:"name"`
	// Title is the name in the language asked for, or in the first one that has
	// it; it is absent when no language was asked for.
	Title          string      `json:"title,omitempty"`
	TitleLang      gov.Lang    `json:"title_lang,omitempty"`
	Administration string      `json:"administration"`
	DeadlineDays   *int        `json:"deadline_days"` // the longest; null when none is known
	Silence        string      `json:"silence"`
	Free           bool        `json:"free"`
	Themes         []string    `json:"themes"`
	State          model.State `json:"state"`
	Version        int64       `json:"version"`
	Changed        time.Time   `json:"changed"`
	URL            string      `json:"url"`
}

func (a *API) procedureItem(_ *Snapshot, e *Entry, l gov.Lang) procedureItem {
	x := procedureItem{ID: e.ID, Name: e.Name, Administration: e.Competent, DeadlineDays: longest(e.Procedure),
		Silence: e.Silence.Effect, Free: e.Free, Themes: e.Themes, State: e.State, Version: e.Version,
		Changed: e.Changed.UTC(), URL: a.address(l, "/procedures/"+e.ID)}
	if x.Themes == nil {
		x.Themes = []string{}
	}
	if l != "" {
		x.Title, x.TitleLang = e.Name.In(l, a.Site.Country.Order())
	}
	return x
}

func longest(p *model.Procedure) *int {
	if days, known := p.Deadline.Max(); known {
		return &days
	}
	return nil
}

// procedureView is a whole procedure with its version and what is around it.
type procedureView struct {
	*model.Procedure
	DeadlineDays *int        `json:"deadline_days"`
	State        model.State `json:"state"`
	Version      int64       `json:"version"`
	Changed      time.Time   `json:"changed"`
	// Missing are those of the seven facts that its administration has not
	// published.
	Missing    []string `json:"missing_facts"`
	Services   []string `json:"services"`
	LifeEvents []string `json:"life_events"`
	URL        string   `json:"url"`
}

func (a *API) procedure(w http.ResponseWriter, r *http.Request) error {
	p := a.params(r)
	l := p.lang()
	if err := p.err(); err != nil {
		return err
	}
	id := r.PathValue("id")
	return a.cached(w, r, string(l), func(s *Snapshot) (any, error) {
		e := s.Procedure(id)
		if e == nil {
			return nil, missing("procedure.not_found", id)
		}
		return a.procedureView(s, e, l), nil
	})
}

func (a *API) procedureView(s *Snapshot, e *Entry, l gov.Lang) procedureView {
	v := procedureView{Procedure: e.Procedure, DeadlineDays: longest(e.Procedure), State: e.State, Version: e.Version,
		Changed: e.Changed.UTC(), Missing: e.Missing, Services: []string{}, LifeEvents: []string{}, URL: a.address(l, "/procedures/"+e.ID)}
	if v.Missing == nil {
		v.Missing = []string{}
	}
	for _, x := range s.ServicesFor(e.ID) {
		v.Services = append(v.Services, x.ID)
	}
	for _, x := range s.EventsFor(e.ID) {
		v.LifeEvents = append(v.LifeEvents, x.ID)
	}
	return v
}

// version answers with one version of a procedure, if it is or was public:
// whoever relied on it can still read it. Drafts are nobody's business.
func (a *API) version(w http.ResponseWriter, r *http.Request) error {
	p := a.params(r)
	l := p.lang()
	if err := p.err(); err != nil {
		return err
	}
	id, number := r.PathValue("id"), r.PathValue("n")
	absent := problem.New(problem.NotFound, "version.not_found", "id", clip(id), "version", clip(number))
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || !procedureID.MatchString(id) || strconv.FormatInt(n, 10) != number {
		return absent
	}
	return a.cached(w, r, string(l), func(s *Snapshot) (any, error) {
		v, err := a.Catalogue.VersionOf(r.Context(), id, n)
		if problem.Is(err, problem.NotFound) || err == nil && !v.State.Public() {
			return nil, absent
		}
		if err != nil {
			return nil, err
		}
		e := &Entry{Procedure: v.Procedure, Version: v.Number, State: v.State, Changed: v.Changed, Missing: v.Procedure.Missing()}
		return a.procedureView(s, e, l), nil
	})
}

// administrationItem is an administration in a list.
type administrationItem struct {
	ID         string   `json:"id"`
	Name       gov.Text `json:"name"`
	Kind       string   `json:"kind"`
	Parent     string   `json:"parent"`
	Region     string   `json:"region"`
	Procedures int      `json:"procedures"`
	URL        string   `json:"url"`
}

type administrationView struct {
	*model.Administration
	Procedures []string `json:"procedures"`
	Children   []string `json:"children"`
	URL        string   `json:"url"`
}

func (a *API) administration(w http.ResponseWriter, r *http.Request) error {
	p := a.params(r)
	l := p.lang()
	if err := p.err(); err != nil {
		return err
	}
	id := r.PathValue("id")
	return a.cached(w, r, string(l), func(s *Snapshot) (any, error) {
		x := s.Administration(id)
		if x == nil {
			return nil, missing("administration.not_found", id)
		}
		v := administrationView{x, []string{}, []string{}, a.address(l, "/administrations/"+x.ID)}
		for _, e := range s.Of(id) {
			v.Procedures = append(v.Procedures, e.ID)
		}
		for _, c := range s.Children(id) {
			v.Children = append(v.Children, c.ID)
		}
		return v, nil
	})
}

func (a *API) service(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	return a.cached(w, r, "", func(s *Snapshot) (any, error) {
		for _, x := range s.Services {
			if x.ID == id {
				return x, nil
			}
		}
		return nil, missing("service.not_found", id)
	})
}

type themeItem struct {
	*model.Theme
	Procedures int    `json:"procedures"`
	URL        string `json:"url"`
}

func (a *API) themeItem(s *Snapshot, x *model.Theme, l gov.Lang) themeItem {
	return themeItem{x, len(s.InTheme(x.ID)), a.address(l, "/themes/"+x.ID)}
}

func (a *API) theme(w http.ResponseWriter, r *http.Request) error {
	p := a.params(r)
	l := p.lang()
	if err := p.err(); err != nil {
		return err
	}
	id := r.PathValue("id")
	return a.cached(w, r, string(l), func(s *Snapshot) (any, error) {
		x := s.Theme(id)
		if x == nil {
			return nil, missing("theme.not_found", id)
		}
		return a.themeItem(s, x, l), nil
	})
}

// lifeEventItem is a life event in a list.
type lifeEventItem struct {
	ID         string   `json:"id"`
	Kind       string   `json:"kind"`
	Name       gov.Text `json:"name"`
	Short      gov.Text `json:"short"`
	Procedures []string `json:"procedures"`
	URL        string   `json:"url"`
}

type apiLifeEvent struct {
	*model.LifeEvent
	URL string `json:"url"`
}

func (a *API) lifeEvent(w http.ResponseWriter, r *http.Request) error {
	p := a.params(r)
	l := p.lang()
	if err := p.err(); err != nil {
		return err
	}
	id := r.PathValue("id")
	return a.cached(w, r, string(l), func(s *Snapshot) (any, error) {
		x := s.LifeEvent(id)
		if x == nil {
			return nil, missing("life_event.not_found", id)
		}
		return apiLifeEvent{x, a.address(l, "/life-events/"+x.ID)}, nil
	})
}

// answer sends what is asked for too rarely to be kept, with its tag.
func (a *API) answer(w http.ResponseWriter, r *http.Request, v any) error {
	b, err := web.JSON(v)
	if err != nil {
		return err
	}
	web.NewRendered(jsonType, b).ServeHTTP(w, r)
	return nil
}
