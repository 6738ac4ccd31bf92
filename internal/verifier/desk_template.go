package verifier

import (
	"bytes"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
	"diwan/protocol/openid4/dcql"
)

// questionRow is a question of a verifier in words.
type questionRow struct {
	Template
	Asks []mayRow
	Kept string
}

// questions lists what a verifier asks often, what officers wrote first.
func (d *Desk) questions(r *http.Request, v *Party, kinds []Kind) []questionRow {
	var out []questionRow
	for _, t := range v.Templates {
		row := questionRow{Template: t, Kept: keeps(d.Site, r, &t)}
		from, _ := chosen(t.Query)
		for _, a := range from {
			row.Asks = append(row.Asks, inWords(a, kinds))
		}
		out = append(out, row)
	}
	return out
}

// unit is how an officer counts how long something is kept.
type unit struct {
	Key     string
	Minutes int
}

// units are the ways to count, the longest first.
func units() []unit { return []unit{{"days", 24 * 60}, {"hours", 60}, {"minutes", 1}} }

type templateData struct {
	Who   gov.Actor
	V     *Registered
	New   bool
	Path  string
	Langs []gov.Language
	T     Template
	Name  string // the end of its id
	Kinds []kindRow
	Units []unit
	Unit  string
	Long  int
	Query string // in DCQL, where boxes can't say it
	Error string
}

func (d *Desk) freshTemplate(w http.ResponseWriter, r *http.Request) error {
	v, err := d.ownRegistered(r)
	if err != nil {
		return err
	}
	return d.showTemplate(w, r, http.StatusOK, &templateData{V: v, New: true, T: Template{Keep: KeepNothing}}, nil, nil)
}

func (d *Desk) editTemplate(w http.ResponseWriter, r *http.Request) error {
	v, err := d.ownRegistered(r)
	if err != nil {
		return err
	}
	t := v.Template(r.PathValue("template"))
	if t == nil || !t.Written {
		return problem.New(problem.NotFound, "verification.no_template")
	}
	data := &templateData{V: v, T: *t, Long: t.Minutes}
	from, plain := chosen(t.Query)
	if !plain {
		var b bytes.Buffer
		if err := json.Indent(&b, t.Query, "", "  "); err != nil {
			return err
		}
		data.Query, from = b.String(), nil
	}
	return d.showTemplate(w, r, http.StatusOK, data, from, nil)
}

func (d *Desk) showTemplate(w http.ResponseWriter, r *http.Request, status int, data *templateData, from []Allowed, wrong error) error {
	kinds, err := d.Kinds(r.Context())
	if err != nil {
		return err
	}
	data.Who, data.Langs, data.Units, data.Path = d.Actor(r), d.Country.Languages, units(), DeskPath+"/"+data.V.ID+"/templates/new"
	title := d.Site.Printer(r).T("verify.question.new")
	if !data.New {
		data.Path, data.Name = DeskPath+"/"+data.V.ID+"/templates/"+data.T.ID, strings.TrimPrefix(data.T.ID, data.V.ID+"-")
		title, _ = data.T.Name.In(web.LangOf(r), d.Country.Order())
	}
	if data.Unit == "" {
		data.Unit = "minutes"
		for _, u := range slices.Backward(data.Units) {
			if data.Long > 0 && data.T.Minutes%u.Minutes == 0 {
				data.Unit, data.Long = u.Key, data.T.Minutes/u.Minutes
			}
		}
	}
	for _, a := range data.V.May {
		row := kindRow{Kind: Kind{Name: inWords(a, kinds).Name, Format: a.Format, Type: a.Type}, Key: a.Format + " " + a.Type}
		words := inWords(a, kinds).Claims
		for i, p := range a.Claims {
			on := has(from, a.Format, a.Type, p)
			row.On = row.On || on
			row.Claims = append(row.Claims, claimChoice{KindClaim{p, words[i].Label}, row.Key + " " + p.String(), on})
		}
		data.Kinds = append(data.Kinds, row)
	}
	if wrong != nil {
		data.Error = d.Site.Sentence(web.LangOf(r), d.named(r, wrong, kinds))
	}
	d.page(w, r, status, "office-verifier-template", title, data.Path, data)
	return nil
}

// named says which claim was too much as people call it, where a type of documents has it.
func (d *Desk) named(r *http.Request, wrong error, kinds []Kind) *problem.Error {
	p := problem.From(wrong)
	if p.Code != "verification.over_asked" {
		return p
	}
	for _, k := range kinds {
		for _, c := range k.Claims {
			if label, _ := c.Label.In(web.LangOf(r), d.Country.Order()); c.Path.String() == p.Args["claim"] && label != "" {
				return problem.New(p.Kind, p.Code, "claim", label)
			}
		}
	}
	return p
}

// ownRegistered is a verifier that officers registered.
func (d *Desk) ownRegistered(r *http.Request) (*Registered, error) {
	v, err := d.Registered(r.Context(), r.PathValue("id"))
	if err == nil && v.MadeBy == "" {
		return nil, problem.New(problem.Conflict, "verification.register.taken")
	}
	return v, err
}

func (d *Desk) writeTemplate(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return problem.Wrap(err, problem.Invalid, "form.malformed")
	}
	v, err := d.ownRegistered(r)
	if err != nil {
		return err
	}
	data := &templateData{V: v, New: r.PathValue("template") == "", Unit: r.PostForm.Get("unit"), Query: strings.TrimSpace(r.PostForm.Get("dcql"))}
	data.T = Template{ID: r.PathValue("template"), Name: d.words(r, "name"), Why: d.words(r, "why"), Keep: r.PostForm.Get("keep")}
	if !data.New && r.PostForm.Get("do") == "drop" {
		if err := d.Drop(r.Context(), d.Actor(r), v.ID, data.T.ID); err != nil {
			return err
		}
		return d.to(w, r, DeskPath+"/"+v.ID+"?saved=1")
	}
	if data.New {
		data.Name = strings.TrimSpace(r.PostForm.Get("id"))
		data.T.ID = TemplateID(v.ID, data.Name)
	}
	from := d.ticked(r, v)
	err = d.take(r, data, from)
	if err == nil {
		err = d.Write(r.Context(), d.Actor(r), v.ID, data.T, data.New)
	}
	switch {
	case problem.Is(err, problem.Invalid), problem.Is(err, problem.Conflict), problem.Is(err, problem.Forbidden):
		return d.showTemplate(w, r, http.StatusUnprocessableEntity, data, from, err)
	case err != nil:
		return err
	}
	return d.to(w, r, DeskPath+"/"+v.ID+"?saved=1")
}

// ticked are the boxes that were chosen: those of what the verifier may ask, and no others.
func (d *Desk) ticked(r *http.Request, v *Registered) []Allowed {
	boxes := r.PostForm["ask"]
	var from []Allowed
	for _, a := range v.May {
		c := Allowed{Format: a.Format, Type: a.Type}
		for _, p := range a.Claims {
			if slices.Contains(boxes, a.Format+" "+a.Type+" "+p.String()) {
				c.Claims = append(c.Claims, p)
			}
		}
		if len(c.Claims) > 0 {
			from = append(from, c)
		}
	}
	return from
}

// take reads what is asked and how long it is kept.
func (d *Desk) take(r *http.Request, data *templateData, from []Allowed) error {
	if data.New && !templateForm.MatchString(data.Name) {
		return problem.New(problem.Invalid, "verification.template.id")
	}
	i := slices.IndexFunc(units(), func(u unit) bool { return u.Key == data.Unit })
	long, err := strconv.Atoi(strings.TrimSpace(r.PostForm.Get("long")))
	if data.T.Keep != KeepNothing && (err != nil || i < 0 || long < 1 || long > maxMinutes) {
		return problem.New(problem.Invalid, "verification.template.keep")
	}
	if data.Long = long; i >= 0 {
		data.T.Minutes = long * units()[i].Minutes
	}
	switch {
	case len(from) > 0 && data.Query != "":
		return problem.New(problem.Invalid, "verification.template.both")
	case data.Query != "":
		if _, err := dcql.Parse([]byte(data.Query)); err != nil {
			return problem.Wrap(err, problem.Invalid, "verification.query")
		}
		data.T.Query = json.RawMessage(data.Query)
		return nil
	case len(from) == 0:
		return problem.New(problem.Invalid, "verification.register.nothing")
	}
	data.T.Query, err = queryFor(from)
	return err
}
