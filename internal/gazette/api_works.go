package gazette

import (
	"context"
	"database/sql"
	"fmt"
	"net/http"
	"time"

	"diwan/internal/db"
	"diwan/internal/gazette/model"
	"diwan/internal/problem"
)

// apiList is a page of a list.
type apiList[T any] struct {
	Items []T    `json:"items"`
	Total *int   `json:"total,omitempty"`
	Next  string `json:"next_page_token,omitempty"`
}

// apiWork is a work in a list.
type apiWork struct {
	*model.Work
	URL     string    `json:"url"`
	Short   string    `json:"short"`
	Changed time.Time `json:"changed"`
}

func (a *API) shown(w *model.Work, changed int64) apiWork {
	return apiWork{w, a.Site.BaseURL + w.ID, a.Site.BaseURL + "/l/" + Short(w.ID), db.Time(changed).UTC()}
}

// stateNames are the states as a filter names them.
var stateNames = []string{"in_force", "amended", "repealed", "not_yet", "suspended", "unknown"}

// works lists works in the order of their addresses or, with changed_since, of
// their last change: then a harvest that was broken off goes on with its last
// token, and whatever changes meanwhile comes again at the end.
func (a *API) works(w http.ResponseWriter, r *http.Request) error {
	q := query(r)
	kind, number, subject := q.word("kind"), q.word("number"), q.word("subject")
	year, state := q.number("year", 1, 9999, 0), q.choice("state", stateNames...)
	since, size, from := q.since("changed_since"), q.pageSize(), q.mark()
	if err := q.err(); err != nil {
		return err
	}
	f := &apiFilter{}
	f.equal("kind", kind)
	f.equal("subject", subject)
	if number != "" {
		f.add("number_key = ", model.Number(number).Key())
	}
	if year != 0 {
		f.add("year = ", year)
	}
	if state == "unknown" {
		f.add("state = ", "")
	} else {
		f.equal("state", state)
	}
	byChange := !since.IsZero()
	if byChange {
		f.add("changed_at >= ", db.Micros(since))
	}
	var total int
	if err := a.Gazette.store.db.Reader().QueryRowContext(r.Context(), `SELECT count(*) FROM gazette_work `+f.where, f.args...).Scan(&total); err != nil {
		return fmt.Errorf("counting works: %w", err)
	}
	f.after(from, byChange)
	items, err := a.Gazette.changedWorks(r.Context(), f, byChange, size+1)
	if err != nil {
		return err
	}
	out := apiList[apiWork]{Items: []apiWork{}, Total: &total}
	for i, c := range items {
		if i == size {
			last := items[i-1]
			out.Next = mark{last.changed, last.ID}.token(q.Values)
			break
		}
		out.Items = append(out.Items, a.shown(c.Work, c.changed))
	}
	return a.answer(w, r, out)
}

// apiFilter gathers the conditions of a query.
type apiFilter struct {
	where string
	args  []any
}

func (f *apiFilter) cond(s string) {
	if f.where == "" {
		f.where = "WHERE " + s
	} else {
		f.where += " AND " + s
	}
}

func (f *apiFilter) arg(v any) string {
	f.args = append(f.args, v)
	return "$" + itoa(len(f.args))
}

func (f *apiFilter) add(column string, v any) { f.cond(column + f.arg(v)) }

func (f *apiFilter) equal(column, v string) {
	if v != "" {
		f.add(column+" = ", v)
	}
}

// after goes on behind a mark.
func (f *apiFilter) after(m mark, byChange bool) {
	switch {
	case m.id == "":
	case byChange:
		f.cond("(changed_at > " + f.arg(m.at) + " OR changed_at = " + f.arg(m.at) + " AND id > " + f.arg(m.id) + ")")
	default:
		f.add("id > ", m.id)
	}
}

// changedWork is a work with the moment of its last change.
type changedWork struct {
	*model.Work
	changed int64
}

// leading reads a first column and hands the others on.
type leading struct {
	rows  *sql.Rows
	first any
}

func (l leading) Scan(dest ...any) error { return l.rows.Scan(append([]any{l.first}, dest...)...) }

func (g *Gazette) changedWorks(ctx context.Context, f *apiFilter, byChange bool, limit int) ([]changedWork, error) {
	order := "id"
	if byChange {
		order = "changed_at, id"
	}
	where := f.where + " ORDER BY " + order + " LIMIT " + f.arg(limit)
	rows, err := g.store.db.Reader().QueryContext(ctx, `SELECT changed_at, `+workColumns+` FROM gazette_work `+where, f.args...)
	if err != nil {
		return nil, fmt.Errorf("listing works: %w", err)
	}
	defer rows.Close()
	var out []changedWork
	for rows.Next() {
		var c changedWork
		if c.Work, err = scanWork(leading{rows, &c.changed}); err != nil {
			return nil, fmt.Errorf("listing works: %w", err)
		}
		out = append(out, c)
	}
	return out, rows.Err()
}

// apiText is one text of a work.
type apiText struct {
	ID           string              `json:"id"`
	Expression   string              `json:"expression"`
	URL          string              `json:"url"`
	Lang         string              `json:"lang"`
	Form         model.Form          `json:"form"`
	Version      model.Date          `json:"version,omitempty"`
	Title        string              `json:"title"`
	Publication  []model.IssueRef    `json:"publication,omitempty"`
	Consolidated *model.Consolidated `json:"consolidated,omitempty"`
	Attached     []string            `json:"attached,omitempty"`
	Timeline     []apiMoment         `json:"timeline"`
	Warnings     []apiWarning        `json:"warnings"`
}

type apiMoment struct {
	Day        model.Date `json:"day"`
	By         []string   `json:"by,omitempty"`
	Form       model.Form `json:"form"`
	Expression string     `json:"expression"`
	Pieces     int        `json:"pieces_changed"`
}

type apiWarning struct {
	Code  string `json:"code"`
	Count int    `json:"count"`
}

// work answers with a work, its state with the reasons, and its texts with the
// days on which their wording changed.
func (a *API) work(w http.ResponseWriter, r *http.Request) error {
	iri, err := address(r)
	if err != nil {
		return err
	}
	g := a.Gazette
	reading, err := g.Read(r.Context(), iri, a.langs(r))
	if err != nil {
		return err
	}
	f := &apiFilter{}
	f.add("id = ", reading.Work.ID)
	held, err := g.changedWorks(r.Context(), f, false, 1)
	if err != nil {
		return err
	}
	if len(held) == 0 {
		return problem.New(problem.NotFound, "law.work_not_found")
	}
	out := struct {
		apiWork
		ELI   string    `json:"eli"`
		Texts []apiText `json:"texts"`
	}{apiWork: a.shown(held[0].Work, held[0].changed), ELI: ELI(reading.Work, &reading.Expression), Texts: []apiText{}}
	for _, t := range reading.Texts {
		rd, err := g.ReadText(r.Context(), t, "")
		if err != nil {
			return err
		}
		out.Texts = append(out.Texts, a.text(rd, t))
	}
	return a.answer(w, r, out)
}

func (a *API) text(rd *Reading, t *Text) apiText {
	out := apiText{ID: t.ID, Expression: Address(rd), URL: a.Site.BaseURL + Address(rd), Lang: twoLetters(t.Lang), Form: t.Form, Version: t.Version, Title: t.Title,
		Publication: t.Publication, Consolidated: t.Consolidated, Attached: t.Attached, Timeline: []apiMoment{}, Warnings: apiWarnings(rd)}
	for _, m := range rd.Timeline {
		if m.TextID == t.ID {
			out.Timeline = append(out.Timeline, apiMoment{m.Day, m.By, m.Form, t.Work + "/" + string(t.Lang) + "@" + string(m.Day), m.Pieces})
		}
	}
	return out
}

func apiWarnings(rd *Reading) []apiWarning {
	out := []apiWarning{}
	for _, x := range rd.Warnings {
		out = append(out, apiWarning(x))
	}
	return out
}

// expression answers with a text as it reads on the day of the address, or of
// ?at=, with its pieces.
func (a *API) expression(w http.ResponseWriter, r *http.Request) error {
	iri, err := address(r)
	if err != nil {
		return err
	}
	q := query(r)
	if at := q.Get("at"); at != "" {
		if _, err := time.Parse(time.DateOnly, at); err != nil {
			q.fault("at", "law.api.time")
		}
		iri.View = at
	}
	if err := q.err(); err != nil {
		return err
	}
	rd, err := a.Gazette.Read(r.Context(), iri, a.langs(r))
	if err == nil && iri.Portion != "" {
		err = rd.keepOnly(iri.Portion)
	}
	if err != nil {
		return err
	}
	return a.answer(w, r, struct {
		Address string `json:"address"`
		URL     string `json:"url"`
		model.Expression
		Attached []string     `json:"attached,omitempty"`
		Status   model.Status `json:"status"`
		Demo     bool         `json:"demo,omitempty"`
		Warnings []apiWarning `json:"warnings"`
	}{Address(rd), a.Site.BaseURL + Address(rd), rd.Expression, rd.Attached, rd.Work.Status, rd.Work.Demo, apiWarnings(rd)})
}
