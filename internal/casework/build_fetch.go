package casework

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"diwan/internal/casework/form"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// fetchable is a document of the procedure that another administration holds, with
// a data service that gives it.
type fetchable struct {
	form.Required
	Source
	Holder   gov.Text
	Key      string // what the page posts for it
	ID       string // of its inputs
	Labels   []langInput
	Purposes []langInput
	Lacks    []string // answers that the service needs and the form does not ask
}

// fetchables lists what a form may still fetch: what the published procedure says
// the administration gets itself, from whom it says.
func (b *Builder) fetchables(r *http.Request, doc form.Doc) (out []fetchable, err error) {
	if b.Sources == nil {
		return nil, nil
	}
	published, err := b.Procedures.Published(r.Context(), doc.Procedure)
	if err != nil {
		return nil, err
	}
	asked, names := map[string]bool{}, map[string]bool{}
	for _, p := range doc.Pages {
		for _, q := range p.Questions {
			if q.Once != nil {
				asked[q.Evidence] = true
			}
			if p.Repeat == nil {
				names[q.Name] = true
			}
		}
	}
	for _, d := range published.Documents {
		if !d.ByAdministration || d.From == "" || asked[d.ID] {
			continue
		}
		sources, err := b.Sources(d.From)
		if err != nil {
			return nil, err
		}
		for _, s := range sources {
			if s.Type != "" && s.Type != d.Type {
				continue
			}
			x := fetchable{Required: d, Source: s, Holder: b.OfficeName(d.From), Key: d.ID + " " + s.Service, ID: "f" + strconv.Itoa(len(out)),
				Labels: b.inputs(doc, "label", everywhere(doc, d.Name), false, true), Purposes: b.inputs(doc, "purpose", nil, true, true)}
			for _, list := range [][]langInput{x.Labels, x.Purposes} {
				for i := range list {
					list[i].ID = x.ID + "-" + list[i].ID
				}
			}
			x.Lacks = slices.DeleteFunc(slices.Clone(s.Asks), func(n string) bool { return names[n] })
			out = append(out, x)
		}
	}
	return out, nil
}

// everywhere is a name in each language of a form, in the nearest where there is
// none.
func everywhere(doc form.Doc, t gov.Text) gov.Text {
	out := gov.Text{}
	for _, l := range doc.Languages {
		out[l], _ = t.In(l, doc.Languages)
	}
	return out
}

// fetchQuestion reads a question that is added for a document that is fetched.
func (b *Builder) fetchQuestion(r *http.Request, doc form.Doc) (form.Question, error) {
	all, err := b.fetchables(r, doc)
	if err != nil {
		return form.Question{}, err
	}
	i := slices.IndexFunc(all, func(x fetchable) bool { return x.Key == r.PostFormValue("fetch") })
	if i < 0 {
		return form.Question{}, problem.New(problem.Invalid, "form.source_unknown")
	}
	x := all[i]
	if len(x.Lacks) > 0 {
		return form.Question{}, problem.New(problem.Invalid, "form.source_needs", "answers", strings.Join(x.Lacks, ", "))
	}
	once := form.Once{From: x.From, Service: x.Service}
	if err := typedOnce(r, doc, &once, x.Fields); err != nil {
		return form.Question{}, err
	}
	return form.Question{Name: freeName(doc), Kind: "evidence", Label: typedText(r, doc, "label"), Required: r.PostFormValue("required") == "yes", Evidence: x.Required.ID, Once: &once}, nil
}

// fetchPlace is where a page for a fetched document goes: before the declaration,
// that what is declared comes last.
func fetchPlace(doc form.Doc) int {
	return slices.IndexFunc(doc.Pages, func(p form.Page) bool {
		return slices.ContainsFunc(p.Questions, func(q form.Question) bool { return q.Kind == "signature" })
	})
}

// typedOnce reads what is fetched, what for, and for how long. Only what the service
// tells can be asked of it.
func typedOnce(r *http.Request, doc form.Doc, once *form.Once, has []SourceField) error {
	once.Fields = nil
	for _, f := range has {
		if slices.Contains(r.PostForm["field"], f.Name) {
			once.Fields = append(once.Fields, f.Name)
		}
	}
	if len(once.Fields) == 0 {
		return problem.New(problem.Invalid, "form.source_fields")
	}
	once.Purpose = typedText(r, doc, "purpose")
	once.Days, _ = strconv.Atoi(r.PostFormValue("days"))
	return nil
}

// fieldsOf are the fields of the service of a question, those that it tells now
// before those that the form reads and nobody describes any more.
func (b *Builder) fieldsOf(once *form.Once) (out []SourceField, err error) {
	var sources []Source
	if b.Sources != nil {
		if sources, err = b.Sources(once.From); err != nil {
			return nil, err
		}
	}
	for _, s := range sources {
		if s.Service == once.Service {
			out = slices.Clone(s.Fields)
		}
	}
	for _, name := range once.Fields {
		if !slices.ContainsFunc(out, func(f SourceField) bool { return f.Name == name }) {
			out = append(out, SourceField{name, b.FieldLabel(once.Service, name)})
		}
	}
	return out, nil
}

// fieldChoice is a field as a box to tick.
type fieldChoice struct {
	SourceField
	On bool
}

// fill gives the question of a fetched document its inputs.
func (x *builtQuestion) fill(b *Builder, doc form.Doc) error {
	if x.Once == nil {
		return nil
	}
	fields, err := b.fieldsOf(x.Once)
	for _, f := range fields {
		x.Fields = append(x.Fields, fieldChoice{f, slices.Contains(x.Once.Fields, f.Name)})
	}
	x.Purposes, x.Holder = b.inputs(doc, "purpose", x.Once.Purpose, true, true), b.OfficeName(x.Once.From)
	return err
}

// itemNumber stands for the number of an item in its title. Who builds a form does
// not type it: it follows the name.
const itemNumber = "{n}"

// itemNames are the titles of items without their number.
func itemNames(t gov.Text) gov.Text {
	out := gov.Text{}
	for l, s := range t {
		out[l] = strings.TrimSuffix(s, " "+itemNumber)
	}
	return out
}

// typedRepeat reads the bounds of a repeated group; what is wrong with them the form
// says when it is read.
func typedRepeat(r *http.Request, doc form.Doc, name string) *form.Repeat {
	out := &form.Repeat{Name: name, Title: typedText(r, doc, "item")}
	for l, s := range out.Title {
		if !strings.Contains(s, itemNumber) {
			out.Title[l] = s + " " + itemNumber
		}
	}
	out.Min, _ = strconv.Atoi(r.PostFormValue("min"))
	out.Max, _ = strconv.Atoi(r.PostFormValue("max"))
	return out
}
