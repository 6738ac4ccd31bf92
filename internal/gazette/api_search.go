package gazette

import (
	"net/http"
	"strings"

	"diwan/internal/gazette/model"
	"diwan/internal/gazette/search"
	"diwan/internal/gov"
)

// RegisterAPI adds the search to the interface for programs.
func (f *Finder) RegisterAPI(mux *http.ServeMux) {
	a := &API{Gazette: f.Gazette, Site: f.Site}
	mux.HandleFunc("/api/v1/law/search", a.open(func(w http.ResponseWriter, r *http.Request) error { return f.api(a, w, r) }))
}

// apiHit is a provision, or a whole text, that was found.
type apiHit struct {
	Work       string   `json:"work"`
	Expression string   `json:"expression,omitempty"`
	EID        string   `json:"eid,omitempty"`
	Title      string   `json:"title"`
	Label      string   `json:"label,omitempty"` // of the article
	Snippet    string   `json:"snippet"`
	Marks      [][2]int `json:"marks"` // characters of the snippet that were looked for: from, to
	URL        string   `json:"url"`
	Status     string   `json:"status"`
	Lang       string   `json:"lang,omitempty"`
	Named      bool     `json:"named,omitempty"` // the question names it by its number
	Until      string   `json:"until,omitempty"`
	More       int      `json:"more,omitempty"` // further provisions of the work
	Score      float64  `json:"score"`
}

type apiSearch struct {
	Items  []apiHit                  `json:"items"`
	Total  int                       `json:"total"`
	Works  int                       `json:"works"`
	Loose  bool                      `json:"loose"`
	Facets map[string][]search.Count `json:"facets"`
	Next   string                    `json:"next_page_token"`
}

// apiSearchSize is how many results an answer has, unless more are asked for.
const apiSearchSize = 20

func (f *Finder) api(a *API, w http.ResponseWriter, r *http.Request) error {
	p := query(r)
	lang := gov.Lang(p.Get("lang"))
	if lang == "" {
		lang = a.Site.NegotiateLang(r)
	} else if _, ok := a.Site.Country.Language(lang); !ok {
		p.fault("lang", "api.lang", "value", clipRunes(strings.ToValidUTF8(string(lang), ""), 20), "known", strings.Join(langCodes(a.Site.Country), ", "))
	}
	if d := p.Get("as_at"); d != "" {
		if _, err := gov.ParseDate(d); err != nil {
			p.fault("as_at", "law.api.day")
		}
	}
	p.choice("sort", "relevance", search.ByDate)
	p.word("work")
	size := p.number("page_size", 1, search.MaxLimit, apiSearchSize)
	from := p.mark()
	// "lang" is what the reader reads; texts are narrowed by their language with
	// "text_lang".
	q := f.ask(func(name string) []string {
		if name == search.FacetLang {
			name = "text_lang"
		}
		return p.Values[name]
	}, lang)
	q.Text, q.Limit, q.Offset = cleanQuery(q.Text), size, from.offset()
	var res *search.Result
	err := p.err()
	if err == nil {
		res, err = f.Index.Search(r.Context(), q)
	}
	if fault := queryFault(err); fault != nil {
		p.fault("q", fault.Code, faultArgs(fault)...)
		err = p.err()
	}
	if notReady(err) {
		return unavailable(err)
	}
	if err != nil {
		return err
	}
	out := apiSearch{Items: []apiHit{}, Total: res.Total, Works: res.Works, Loose: res.Loose, Facets: res.Facets}
	if err := f.apiHits(r, a, lang, q, res, &out); err != nil {
		return err
	}
	if next := q.Offset + len(res.Hits); len(res.Hits) > 0 && next < res.Listed {
		out.Next = mark{int64(next), "search"}.token(p.Values)
	}
	return a.answer(w, r, out)
}

func langCodes(c *gov.Country) []string {
	var out []string
	for _, l := range c.Order() {
		out = append(out, string(l))
	}
	return out
}

// apiHits writes the results; the first page begins with the texts that the
// question names by number.
func (f *Finder) apiHits(r *http.Request, a *API, lang gov.Lang, q search.Query, res *search.Result, out *apiSearch) error {
	law := &Law{Gazette: f.Gazette, Site: f.Site}
	base := a.Site.BaseURL + "/" + string(lang)
	listed := map[string]bool{}
	if q.Offset == 0 {
		named, err := f.Gazette.Named(r.Context(), q.Text)
		if err != nil {
			return err
		}
		for _, n := range named {
			h := search.Hit{Ref: search.Ref{EID: n.EID}, Work: n.Work.ID}
			v := law.view(n.Work, lang)
			listed[n.Work.ID+" "+n.EID] = true
			out.Items = append(out.Items, apiHit{Work: n.Work.ID, EID: n.EID, Title: v.Title, Label: n.Label, Marks: [][2]int{}, Status: string(n.Work.Status.State),
				Lang: v.Lang, URL: base + namedAddress(&h), Named: true})
		}
	}
	ids := make([]string, len(res.Hits))
	for i, h := range res.Hits {
		ids[i] = h.Work
	}
	works, err := f.Gazette.Works(r.Context(), ids)
	if err != nil {
		return err
	}
	for i := range res.Hits {
		h := &res.Hits[i]
		work := works[h.Work]
		if work == nil || listed[h.Work+" "+h.EID] {
			continue
		}
		item := apiHit{Work: h.Work, EID: h.EID, Title: law.view(work, lang).Title, Label: h.Num, URL: base + hitAddress(h, q.AsAt), Status: string(work.Status.State),
			Lang: twoLetters(model.Lang(h.Lang)), Until: h.Until, More: h.More, Score: h.Score}
		if h.Text != "" {
			item.Expression = expressionAddress(h)
		}
		item.Snippet, item.Marks = snippetText(h.Snippet)
		out.Items = append(out.Items, item)
	}
	return nil
}

// snippetText joins a snippet and lists what is marked, in characters.
func snippetText(runs []search.Run) (string, [][2]int) {
	var b strings.Builder
	marks, at := [][2]int{}, 0
	for _, r := range runs {
		n := len([]rune(r.Text))
		if r.Mark {
			marks = append(marks, [2]int{at, at + n})
		}
		b.WriteString(r.Text)
		at += n
	}
	return b.String(), marks
}
