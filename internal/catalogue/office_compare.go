package catalogue

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

type compareData struct {
	base
	ID       string
	Name     gov.Text
	Versions []*Version
	A, B     *Version
	Changes  []change
}

// change is one field that differs between two versions.
type change struct {
	Path     string
	Old, New string
}

// compare shows what changed between any two versions, the last two by default.
func (o *Office) compare(w http.ResponseWriter, r *http.Request) {
	id := r.PathValue("id")
	versions, err := o.Catalogue.Versions(r.Context(), id)
	if err == nil && len(versions) == 0 {
		err = problem.New(problem.NotFound, "procedure.not_found", "id", short(id))
	}
	if err == nil && !o.maySee(o.Actor(r), versions[0].Procedure) {
		err = problem.New(problem.Forbidden, "forbidden")
	}
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	d := compareData{base: o.base(r), ID: id, Name: versions[0].Procedure.Name, Versions: versions}
	d.B = pickVersion(versions, r.URL.Query().Get("b"), 0)
	d.A = pickVersion(versions, r.URL.Query().Get("a"), min(1, len(versions)-1))
	d.Changes = changes(d.A.Procedure, d.B.Procedure)
	path := fmt.Sprintf("/office/procedures/%s/compare?a=%d&b=%d", id, d.A.Number, d.B.Number)
	o.show(w, r, "office-compare", o.Site.Printer(r).T("office.compare"), path, d)
}

func pickVersion(vs []*Version, n string, otherwise int) *Version {
	for _, v := range vs {
		if strconv.FormatInt(v.Number, 10) == n {
			return v
		}
	}
	return vs[otherwise]
}

// changes compares two procedures field by field, by their JSON names.
func changes(a, b *model.Procedure) []change {
	old, new := flat(a), flat(b)
	paths := slices.Collect(maps.Keys(old))
	for p := range new {
		if _, ok := old[p]; !ok {
			paths = append(paths, p)
		}
	}
	slices.SortFunc(paths, naturalOrder)
	var out []change
	for _, p := range paths {
		if old[p] != new[p] {
			out = append(out, change{p, old[p], new[p]})
		}
	}
	return out
}

// naturalOrder puts row 2 before row 10.
func naturalOrder(a, b string) int {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		i, err1 := strconv.Atoi(x)
		j, err2 := strconv.Atoi(y)
		if err1 == nil && err2 == nil {
			return i - j
		}
		return strings.Compare(x, y)
	})
}

// flat lists every value of a procedure under its path.
func flat(p *model.Procedure) map[string]string {
	b, err := json.Marshal(p)
	if err != nil {
		panic(err) // a procedure is always JSON
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		panic(err)
	}
	out := map[string]string{}
	flatten("", v, out)
	return out
}

func flatten(path string, v any, out map[string]string) {
	join := func(k string) string {
		if path == "" {
			return k
		}
		return path + "." + k
	}
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			flatten(join(k), x, out)
		}
	case []any:
		for i, x := range v {
			flatten(join(strconv.Itoa(i)), x, out)
		}
	case nil:
	default:
		out[path] = fmt.Sprint(v)
	}
}

type versionData struct {
	base
	*Version
	Fields []change
}

// version shows one version whole, as it was.
func (o *Office) version(w http.ResponseWriter, r *http.Request) {
	n, _ := strconv.ParseInt(r.PathValue("n"), 10, 64)
	v, err := o.Catalogue.VersionOf(r.Context(), r.PathValue("id"), n)
	if err == nil && !o.maySee(o.Actor(r), v.Procedure) {
		err = problem.New(problem.Forbidden, "forbidden")
	}
	if err != nil {
		o.Site.Fail(w, r, err)
		return
	}
	d := versionData{base: o.base(r), Version: v, Fields: changes(&model.Procedure{}, v.Procedure)}
	name, _ := v.Procedure.Name.In(web.LangOf(r), o.Site.Country.Order())
	o.show(w, r, "office-version", name, "/office/procedures/"+v.Procedure.ID+"/versions/"+r.PathValue("n"), d)
}
