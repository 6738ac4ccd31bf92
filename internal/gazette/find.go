package gazette

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"diwan/internal/gazette/model"
	"diwan/internal/gazette/search"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
	"diwan/protocol/akn"
)

// Finder answers searches of the law, for pages and for programs.
type Finder struct {
	Gazette *Gazette
	Site    *web.Site
	Index   *search.Index
}

// Named is a text that a question names by its number, and the article of it.
type Named struct {
	Work  *model.Work
	EID   string
	Label string // of the article, as it is printed
}

// mostNamed bounds the texts that one number may stand for.
const mostNamed = 3

// Named finds the texts that a question names by number: "55-19", "loi n° 55-19,
// article 19". Such a question has one answer, and no ranking should hide it.
func (g *Gazette) Named(ctx context.Context, question string) ([]Named, error) {
	target, ok := g.target(question)
	if !ok {
		return nil, nil
	}
	q := g.store.db.Reader()
	works, err := g.store.works(ctx, q, `WHERE number_key = $1 ORDER BY cited DESC, id LIMIT 20`, target.Number.Key())
	if err != nil {
		return nil, err
	}
	var out []Named
	for _, exact := range []bool{true, false} {
		for _, w := range works {
			if (w.Kind == target.Kind || target.Kind == "") == exact && len(out) < mostNamed {
				out = append(out, Named{Work: w})
			}
		}
		if len(out) > 0 {
			break // a kind that was named leaves the others out
		}
	}
	if len(target.Articles) == 0 {
		return out, nil
	}
	for i := range out {
		eid := "art_" + target.Articles[0]
		rows, err := g.store.rows(ctx, q, `WHERE text IN (SELECT id FROM gazette_text WHERE work = $1) AND eid = $2 LIMIT 1`, out[i].Work.ID, eid)
		if err != nil {
			return nil, err
		}
		if len(rows) > 0 {
			out[i].EID, out[i].Label = eid, rows[0].Num
		}
	}
	return out, nil
}

// maxNamed bounds the question in which a number is looked for: a longer one is
// about something else.
const maxNamed = 200

// target reads a question as a citation, in any language of the law.
func (g *Gazette) target(question string) (t model.Target, ok bool) {
	if len(question) > maxNamed || strings.ContainsRune(question, '\x00') {
		return t, false
	}
	for _, l := range g.LawLangs("") {
		for _, c := range g.analysts.Finder.Find(question, l, "") {
			if t.Number == "" && c.Target.Number != "" {
				t.Kind, t.Number = c.Target.Kind, c.Target.Number
			}
			if len(t.Articles) == 0 {
				t.Articles = c.Target.Articles
			}
		}
		if t.Number != "" {
			break
		}
	}
	if t.Number == "" { // a bare number
		for _, w := range strings.Fields(question) {
			if n, is := g.grammar.Number("", strings.Trim(w, ".,;:()"), false); is {
				t.Number = n
				break
			}
		}
	}
	return t, t.Number != "" && validID(string(t.Number))
}

// maxFilterValues bounds the values of one facet.
const maxFilterValues = 20

func (f *Finder) ask(get func(string) []string, lang gov.Lang) search.Query {
	one := func(name string) string {
		if v := get(name); len(v) > 0 {
			return v[0]
		}
		return ""
	}
	q := search.Query{Text: strings.ToValidUTF8(one("q"), ""), Lang: string(lang), Filters: map[string][]string{}}
	if d := one("as_at"); d != "" {
		if day, err := gov.ParseDate(d); err == nil {
			q.AsAt = day.String()
		}
	}
	if w := one("work"); validID(w) {
		q.Work = w
	}
	if one("sort") == search.ByDate {
		q.Sort = search.ByDate
	}
	for _, name := range search.FacetNames {
		for _, v := range get(name) {
			if v != "" && len(v) <= 300 && len(q.Filters[name]) < maxFilterValues {
				q.Filters[name] = append(q.Filters[name], v)
			}
		}
	}
	return q
}

// queryFault is a mistake in a query as a problem with its place.
func queryFault(err error) *search.Error {
	if e, ok := errors.AsType[*search.Error](err); ok {
		return e
	}
	return nil
}

// faultArgs are the values of a fault's message.
func faultArgs(e *search.Error) []string {
	return []string{"at", strconv.Itoa(e.At), "word", clipRunes(e.Word, 40)}
}

// hitAddress is where a hit is read: in its language, on the day asked for.
func hitAddress(h *search.Hit, day string) string {
	iri, err := akn.ParseIRI(h.Work)
	if err != nil {
		return h.Work
	}
	if h.EID != "" {
		iri.Lang, iri.Portion = h.Lang, h.EID
	}
	if day != "" {
		iri.Lang, iri.View = h.Lang, day
	}
	if iri.Lang == "" || iri.Lang == search.Unknown {
		iri.Lang, iri.View = "", ""
	}
	return iri.String()
}

// namedAddress is where a text or its article is read, in the reader's language.
func namedAddress(h *search.Hit) string {
	iri, err := akn.ParseIRI(h.Work)
	if err != nil {
		return h.Work
	}
	iri.Portion = h.EID
	return iri.String()
}

// expressionAddress is the address of the text of a hit as it reads from its
// day.
func expressionAddress(h *search.Hit) string {
	iri, err := akn.ParseIRI(h.Work)
	if err != nil {
		return h.Work
	}
	iri.Lang, iri.Version = h.Lang, h.From
	return iri.Expression()
}

// notReady says that the index is still being made.
func notReady(err error) bool { return errors.Is(err, search.ErrNotReady) }

// unavailable is the answer to programs meanwhile.
func unavailable(err error) error {
	return problem.Wrap(err, problem.Unavailable, "law.search_not_ready")
}
