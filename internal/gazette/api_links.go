package gazette

import (
	"net/http"
	"strconv"

	"diwan/internal/gazette/compare"
	"diwan/internal/gazette/model"
	"diwan/internal/problem"
	"diwan/protocol/akn"
)

// apiLink is a citation with the text it stands in.
type apiLink struct {
	Text string `json:"text"`
	model.Link
}

// links lists what a text cites, place by place. The address may name a language
// or a version; the citations are those of that text.
func (a *API) links(w http.ResponseWriter, r *http.Request) error {
	iri, err := address(r)
	if err != nil {
		return err
	}
	rd, err := a.Gazette.Read(r.Context(), iri, a.langs(r))
	if err != nil {
		return err
	}
	q := query(r)
	relation := q.choice("relation", relationNames()...)
	if err := q.err(); err != nil {
		return err
	}
	links, err := a.Gazette.Links(r.Context(), rd.Expression.ID)
	if err != nil {
		return err
	}
	out := apiList[apiLink]{Items: []apiLink{}}
	for _, l := range links {
		if relation == "" || string(l.Relation) == relation {
			out.Items = append(out.Items, apiLink{l.Text, l.Link})
		}
	}
	n := len(out.Items)
	out.Total = &n
	return a.answer(w, r, out)
}

func relationNames() []string {
	var out []string
	for _, r := range model.Relations {
		out = append(out, string(r))
	}
	return out
}

type apiCiting struct {
	Work     *model.Work    `json:"work"`
	Relation model.Relation `json:"relation"`
	EID      string         `json:"eid"`
	Count    int            `json:"count"`
}

// citedBy lists the works that name a work.
func (a *API) citedBy(w http.ResponseWriter, r *http.Request) error {
	iri, err := address(r)
	if err != nil {
		return err
	}
	q := query(r)
	relation, size, from := q.choice("relation", relationNames()...), q.pageSize(), q.mark()
	if err := q.err(); err != nil {
		return err
	}
	work, err := a.Gazette.store.work(r.Context(), a.Gazette.store.db.Reader(), iri.Work())
	if err != nil {
		return err
	}
	offset := from.offset()
	list, n, err := a.Gazette.CitedBy(r.Context(), work.ID, model.Relation(relation), size, offset)
	if err != nil {
		return err
	}
	out := apiList[apiCiting]{Items: []apiCiting{}, Total: &n}
	for _, c := range list {
		out.Items = append(out.Items, apiCiting(c))
	}
	if offset+size < n {
		out.Next = mark{int64(offset + size), "offset"}.token(q.Values)
	}
	return a.answer(w, r, out)
}

// apiOperation is an amending clause with what became of it.
type apiOperation struct {
	ID        string          `json:"id"`
	By        string          `json:"by"`
	EID       string          `json:"eid"`
	Target    string          `json:"target,omitempty"`
	Effective model.Date      `json:"effective,omitempty"`
	State     string          `json:"state"`
	Reason    string          `json:"reason,omitempty"`
	Operation model.Operation `json:"operation"`
}

// operations lists the amending clauses that change a work, or with
// role=source those that it orders.
func (a *API) operations(w http.ResponseWriter, r *http.Request) error {
	iri, err := address(r)
	if err != nil {
		return err
	}
	q := query(r)
	role := q.choice("role", "target", "source")
	if err := q.err(); err != nil {
		return err
	}
	work, err := a.Gazette.store.work(r.Context(), a.Gazette.store.db.Reader(), iri.Work())
	if err != nil {
		return err
	}
	column := "target"
	if role == "source" {
		column = "work"
	}
	ops, err := a.Gazette.store.operations(r.Context(), a.Gazette.store.db.Reader(), `WHERE `+column+` = $1 ORDER BY effective, text, n LIMIT 5000`, work.ID)
	if err != nil {
		return err
	}
	n := len(ops)
	out := apiList[apiOperation]{Items: []apiOperation{}, Total: &n}
	for _, o := range ops {
		out.Items = append(out.Items, apiOperation{o.ID, o.Work, o.EID, o.TargetWork, o.EffectiveFrom, o.State, o.Reason, o.Operation})
	}
	return a.answer(w, r, out)
}

// apiIssue is an issue of the gazette.
type apiIssue struct {
	ID     string `json:"id"`
	URL    string `json:"url"`
	Source string `json:"source"`
	Demo   bool   `json:"demo,omitempty"`
	model.IssueRef
	Summary []model.SummaryEntry `json:"summary,omitempty"`
	Works   []*model.Work        `json:"works,omitempty"`
}

// issues lists the issues of a year, or the years that there are.
func (a *API) issues(w http.ResponseWriter, r *http.Request) error {
	q := query(r)
	year := q.number("year", 1, 9999, 0)
	if err := q.err(); err != nil {
		return err
	}
	if year == 0 {
		years, err := a.Gazette.Years(r.Context())
		if err != nil {
			return err
		}
		if years == nil {
			years = []Year{}
		}
		return a.answer(w, r, map[string]any{"years": years})
	}
	list, err := a.Gazette.Issues(r.Context(), year)
	if err != nil {
		return err
	}
	n := len(list)
	out := apiList[apiIssue]{Items: []apiIssue{}, Total: &n}
	for _, i := range list {
		out.Items = append(out.Items, a.issueOf(i))
	}
	return a.answer(w, r, out)
}

func (a *API) issueOf(i *Issue) apiIssue {
	return apiIssue{ID: i.ID, URL: a.Site.BaseURL + i.ID, Source: i.Source, Demo: i.Demo, IssueRef: i.IssueRef, Summary: i.Summary}
}

func (a *API) issue(w http.ResponseWriter, r *http.Request) error {
	iri, err := address(r)
	if err != nil {
		return err
	}
	i, err := a.Gazette.Issue(r.Context(), iri.Work())
	if err != nil {
		return err
	}
	out := a.issueOf(i)
	texts, works, err := a.Gazette.InSource(r.Context(), i.Source)
	if err != nil {
		return err
	}
	for _, t := range texts {
		if work := works[t.Work]; work != nil {
			out.Works = append(out.Works, work)
		}
	}
	return a.answer(w, r, out)
}

// events lists what happened behind a cursor, the oldest first. The cursor to
// come back with is next; it stays the same when nothing happened.
func (a *API) events(w http.ResponseWriter, r *http.Request) error {
	q := query(r)
	after, size := q.number("after", 0, 1<<50, 0), q.pageSize()
	if err := q.err(); err != nil {
		return err
	}
	events, err := a.Gazette.Events(r.Context(), int64(after), size)
	if err != nil {
		return err
	}
	if events == nil {
		events = []Event{}
	}
	next := int64(after)
	if n := len(events); n > 0 {
		next = events[n-1].N
	}
	return a.answer(w, r, map[string]any{"items": events, "next": strconv.FormatInt(next, 10)})
}

type apiRun struct {
	Op   string `json:"op"`
	Text string `json:"text"`
}

type apiChange struct {
	EID  string   `json:"eid"`
	Num  string   `json:"num,omitempty"`
	Kind string   `json:"kind"` // added, removed, changed
	Runs []apiRun `json:"runs"`
}

// runNames are the operations of a run.
var runNames = map[compare.Op]string{compare.Same: "same", compare.Added: "added", compare.Removed: "removed"}

// differences tells what differs between two readings of one language, piece by
// piece and word by word.
func (a *API) differences(w http.ResponseWriter, r *http.Request) error {
	q := query(r)
	var sides [2]*Reading
	for i, name := range []string{"a", "b"} {
		iri, err := akn.ParseIRI(q.Get(name))
		if err != nil {
			return problem.Wrap(err, problem.Invalid, "law.compare")
		}
		if sides[i], err = a.Gazette.Read(r.Context(), iri, a.langs(r)); err != nil {
			return err
		}
	}
	if sides[0].Expression.Lang != sides[1].Expression.Lang {
		return problem.New(problem.Invalid, "law.api.languages")
	}
	changes := []apiChange{}
	same := 0
	for _, c := range compare.Pieces(articles(sides[0].Expression.Pieces), articles(sides[1].Expression.Pieces)) {
		piece := c.New
		if piece == nil {
			piece = c.Old
		}
		out := apiChange{EID: piece.EID, Num: piece.Num, Kind: c.Kind}
		switch c.Kind {
		case "same":
			same++
			continue
		case "added", "removed":
			out.Runs = []apiRun{{c.Kind, bodyOf(piece)}}
		default:
			for _, run := range compare.Words(bodyOf(c.Old), bodyOf(c.New)) {
				out.Runs = append(out.Runs, apiRun{runNames[run.Op], run.Text})
			}
		}
		changes = append(changes, out)
	}
	return a.answer(w, r, map[string]any{"a": Address(sides[0]), "b": Address(sides[1]), "same": same, "changes": changes})
}
