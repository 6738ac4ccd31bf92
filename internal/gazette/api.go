package gazette

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
	"diwan/protocol/akn"
)

// API is the law for programs, under /api/v1/law. It only reads, and shows
// nothing that the pages do not.
type API struct {
	Gazette *Gazette
	Site    *web.Site
}

//go:embed openapi.json
var openapiFile []byte

// OpenAPI describes the interface; the program joins it to those of the other
// slices.
func OpenAPI() []byte { return openapiFile }

// apiRoute is one address of the interface.
type apiRoute struct {
	path   string
	handle func(http.ResponseWriter, *http.Request) error
}

func (a *API) routes() []apiRoute {
	return []apiRoute{
		{"/api/v1/law/works", a.works},
		{"/api/v1/law/works/{path...}", a.work},
		{"/api/v1/law/expressions/{path...}", a.expression},
		{"/api/v1/law/links/{path...}", a.links},
		{"/api/v1/law/cited-by/{path...}", a.citedBy},
		{"/api/v1/law/operations/{path...}", a.operations},
		{"/api/v1/law/issues", a.issues},
		{"/api/v1/law/issues/{path...}", a.issue},
		{"/api/v1/law/events", a.events},
		{"/api/v1/law/differences", a.differences},
		{"/api/v1/law/export/texts.jsonl", a.exportJSONL},
		{"/api/v1/law/export/akn.tar.gz", a.exportAKN},
		{"/api/v1/law/export/citations.csv", a.citationsCSV},
		{"/api/v1/law/export/citations.nt", a.citationsNT},
	}
}

// Register adds the addresses to the mux of the whole interface.
func (a *API) Register(mux *http.ServeMux) {
	for _, r := range a.routes() {
		mux.HandleFunc(r.path, a.open(r.handle))
	}
}

// open answers an address that moved as one that is not there: a program follows the
// pages' redirects, and takes what it asks the interface for by its name.
func (a *API) open(handle func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return a.Site.Open(func(w http.ResponseWriter, r *http.Request) error {
		err := handle(w, r)
		if moved, ok := errors.AsType[*Moved](err); ok {
			return problem.Wrap(moved, problem.NotFound, "law.address")
		}
		return err
	})
}

func (a *API) answer(w http.ResponseWriter, r *http.Request, v any) error {
	body, err := web.JSON(v)
	if err != nil {
		return err
	}
	web.NewRendered("application/json; charset=utf-8", body).ServeHTTP(w, r)
	return nil
}

// apiQuery reads the parameters of a request and collects what is wrong.
type apiQuery struct {
	url.Values
	faults []problem.Field
}

func query(r *http.Request) *apiQuery {
	v, err := url.ParseQuery(r.URL.RawQuery)
	q := &apiQuery{Values: v}
	if err != nil {
		q.fault("query", "api.query_string")
	}
	return q
}

func (q *apiQuery) fault(name, code string, args ...string) {
	q.faults = append(q.faults, problem.At(name, code, args...))
}

func (q *apiQuery) err() error {
	if len(q.faults) == 0 {
		return nil
	}
	e := problem.New(problem.Invalid, "api.parameters")
	e.Fields = q.faults
	return e
}

// word returns a parameter that may be asked of a database.
func (q *apiQuery) word(name string) string {
	v := q.Get(name)
	if v != "" && (!validID(v) || len(v) > 200) {
		q.fault(name, "law.api.word")
		return ""
	}
	return v
}

func (q *apiQuery) choice(name string, words ...string) string {
	v := q.Get(name)
	if v != "" && !slices.Contains(words, v) {
		q.fault(name, "api.choice", "value", clipRunes(strings.ToValidUTF8(v, ""), 80), "known", strings.Join(words, ", "))
		return ""
	}
	return v
}

func (q *apiQuery) number(name string, least, most, none int) int {
	v := q.Get(name)
	if v == "" {
		return none
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		q.fault(name, "law.api.number", "least", strconv.Itoa(least), "most", strconv.Itoa(most))
		return none
	}
	return n
}

// The bounds of a page of results.
const (
	apiPageSize    = 50
	apiMaxPageSize = 200
)

func (q *apiQuery) pageSize() int { return q.number("page_size", 1, apiMaxPageSize, apiPageSize) }

// since reads a moment: a day, or a time of RFC 3339.
func (q *apiQuery) since(name string) time.Time {
	v := q.Get(name)
	if v == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339Nano, time.DateOnly} {
		if t, err := time.Parse(layout, v); err == nil {
			return t
		}
	}
	q.fault(name, "law.api.time")
	return time.Time{}
}

// mark is where a list goes on: behind a moment and an address. It is bound to
// the filters it was made for, and opaque.
type mark struct {
	at int64
	id string
}

func filtersOf(v url.Values) string {
	rest := url.Values{}
	for k, list := range v {
		if k != "page_token" && k != "page_size" {
			rest[k] = list
		}
	}
	sum := sha256.Sum256([]byte(rest.Encode()))
	return hex.EncodeToString(sum[:6])
}

func (m mark) token(v url.Values) string {
	return base64.RawURLEncoding.EncodeToString([]byte("1|" + filtersOf(v) + "|" + strconv.FormatInt(m.at, 10) + "|" + m.id))
}

// mark reads page_token.
func (q *apiQuery) mark() mark {
	v := q.Get("page_token")
	if v == "" {
		return mark{}
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(v[:min(len(v), 600)])
	parts := strings.SplitN(string(b), "|", 4)
	if err != nil || len(parts) != 4 || parts[0] != "1" || !validID(parts[3]) {
		q.fault("page_token", "api.page_token")
		return mark{}
	}
	at, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil {
		q.fault("page_token", "api.page_token")
		return mark{}
	}
	if parts[1] != filtersOf(q.Values) {
		q.fault("page_token", "api.page_token_other")
		return mark{}
	}
	return mark{at, parts[3]}
}

// offset is a mark that counts results. Whoever makes up a token gets an empty
// page.
func (m mark) offset() int { return int(min(max(0, m.at), 1<<30)) }

// address reads the address of the law at the end of a path.
func address(r *http.Request) (akn.IRI, error) {
	iri, err := akn.ParseIRI("/akn/" + strings.TrimPrefix(r.PathValue("path"), "akn/"))
	if err != nil {
		return iri, problem.Wrap(err, problem.NotFound, "law.address")
	}
	return iri, nil
}

// langs are the languages of the law in the order in which a request wants them.
func (a *API) langs(r *http.Request) []model.Lang {
	l := a.Site.NegotiateLang(r)
	if asked := r.URL.Query().Get("lang"); asked != "" {
		if _, ok := a.Site.Country.Language(gov.Lang(asked)); ok {
			l = gov.Lang(asked)
		}
	}
	return a.Gazette.LawLangs(l)
}
