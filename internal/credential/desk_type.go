package credential

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

type typesData struct {
	Who  gov.Actor
	Rows []*Type
}

// types lists the types of documents.
func (d *Desk) types(w http.ResponseWriter, r *http.Request) {
	all, err := d.Types(r.Context(), d.Country.Order()[0])
	if err == nil {
		err = d.May(r.Context(), d.Actor(r), MayEditTypes, &Document{})
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	d.page(w, r, http.StatusOK, "office-types", d.Site.Printer(r).T("credential.types"), "/office/types", typesData{d.Actor(r), all})
}

type typeData struct {
	Who     gov.Actor
	Type    *Type
	Seen    int64
	Langs   []gov.Language
	Colours []string
	Kinds   []string
	Error   string
	Saved   bool
}

func (d *Desk) editType(w http.ResponseWriter, r *http.Request) {
	t, err := d.Type(r.Context(), r.PathValue("id"))
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	d.showType(w, r, http.StatusOK, t, t.Version, "")
}

func (d *Desk) showType(w http.ResponseWriter, r *http.Request, status int, t *Type, seen int64, wrong string) {
	if err := d.May(r.Context(), d.Actor(r), MayEditTypes, &Document{Type: t.ID}); err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	title, _ := t.Name.In("", d.Country.Order())
	d.page(w, r, status, "office-type", title, "/office/types/"+t.ID, typeData{Who: d.Actor(r), Type: t, Seen: seen, Langs: d.Country.Languages,
		Colours: Colours, Kinds: flat, Error: wrong, Saved: r.URL.Query().Get("saved") == "1"})
}

// saveType publishes what the officer edited as the next version.
func (d *Desk) saveType(w http.ResponseWriter, r *http.Request) {
	old, err := d.Type(r.Context(), r.PathValue("id"))
	if err == nil {
		err = r.ParseForm()
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	seen, _ := strconv.ParseInt(r.PostFormValue("seen"), 10, 64)
	t, err := d.typeOf(r, old)
	if err == nil {
		err = d.Publish(r.Context(), d.Actor(r), t, seen)
	}
	if problem.Is(err, problem.Invalid) || problem.Is(err, problem.Conflict) {
		d.showType(w, r, http.StatusUnprocessableEntity, t, seen, d.Site.Sentence(web.LangOf(r), problem.From(err)))
		return
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/office/types/"+t.ID+"?saved=1")
}

// typeOf reads the form. Names of the formats and of claims that are published stay:
// another meaning under the same name would deceive whoever knows the old one.
func (d *Desk) typeOf(r *http.Request, old *Type) (*Type, error) {
	t := *old
	f := r.PostForm
	t.Name, t.About = d.text(r, "name"), d.text(r, "about")
	t.Colour, t.TwoSign = f.Get("colour"), f.Get("two_sign") == "yes"
	var err error
	whole := func(name string) int {
		n, e := strconv.Atoi(strings.TrimSpace(f.Get(name)))
		if e != nil && f.Get(name) != "" {
			err = problem.New(problem.Invalid, "credential.type.validity")
		}
		return n
	}
	t.Months, t.Days, t.EndsWith = whole("months"), whole("days"), f.Get("ends_with")
	t.Claims = nil
	for _, k := range old.Claims {
		k.Label = d.text(r, "label."+k.Name)
		k.Mandatory, k.Open, k.Paper = f.Get("mandatory."+k.Name) == "yes", f.Get("open."+k.Name) == "yes", f.Get("paper."+k.Name) == "yes"
		k.Members = slices.Clone(k.Members)
		for i := range k.Members {
			m := &k.Members[i]
			m.Label, m.Mandatory = d.text(r, "label."+k.Name+"."+m.Name), f.Get("mandatory."+k.Name+"."+m.Name) == "yes"
		}
		t.Claims = append(t.Claims, k)
	}
	if name := strings.TrimSpace(f.Get("new")); name != "" {
		t.Claims = append(t.Claims, Claim{Name: name, Kind: f.Get("new.kind"), Label: d.text(r, "new.label"), From: strings.Fields(f.Get("new.from"))})
	}
	return &t, err
}

func (d *Desk) text(r *http.Request, name string) gov.Text {
	t := gov.Text{}
	for _, l := range d.Country.Languages {
		if s := strings.Join(strings.Fields(r.PostFormValue(name+"."+string(l.Code))), " "); s != "" {
			t[l.Code] = s
		}
	}
	return t
}
