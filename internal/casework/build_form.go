package casework

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"diwan/internal/casework/form"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// builtPage is a page of a form in the overview.
type builtPage struct {
	ID        string
	Title     gov.Text
	When      string
	Repeated  bool
	Questions []form.Question
	First     bool
	Last      bool
	At        int
}

type formData struct {
	deskPage
	*BuiltForm
	Doc         form.Doc
	Name        gov.Text
	Draft       bool
	MayEdit     bool
	MayPublish  bool // this one, by this officer
	OwnHand     bool
	Wrong       []string
	Pages       []builtPage
	Findings    []findingRow
	Stops       bool
	Versions    []formRow
	Titles      []langInput
	Declaration []langInput
	Labels      []langInput // of a new page
	Kinds       []string
	Options     [][]langInput
	Evidence    []form.Required
	Items       []langInput // titles of an item of a new group
	Fetch       []fetchable
	FetchAt     string // where that is posted
	FetchDo     string
	People      []gov.Text // who had a hand in it
}

// open reads the version that the address names, for somebody who may see it.
func (b *Builder) open(r *http.Request) (*BuiltForm, error) {
	edit, publish := b.may(r, r.PathValue("procedure"))
	if !edit && !publish {
		return nil, errForbidden
	}
	return b.Built(r.Context(), r.PathValue("procedure"), r.PathValue("version"))
}

func (b *Builder) overview(w http.ResponseWriter, r *http.Request) {
	b.showForm(w, r, http.StatusOK, nil)
}

func (b *Builder) showForm(w http.ResponseWriter, r *http.Request, status int, wrong []string) {
	f, err := b.open(r)
	var data formData
	if err == nil {
		data, err = b.formData(r, f, wrong)
	}
	if err != nil {
		b.Site.Fail(w, r, err)
		return
	}
	title, _ := data.Doc.Title.In(web.LangOf(r), b.Country.Order())
	b.show(w, r, status, "form-build", title, b.at(f), data)
}

// at is the address of a form.
func (b *Builder) at(f *BuiltForm) string {
	d := f.Doc()
	return builderRoot + "/" + d.Procedure + "/" + d.Version
}

func (b *Builder) formData(r *http.Request, f *BuiltForm, wrong []string) (formData, error) {
	ctx, who, doc := r.Context(), b.Actor(r), f.Doc()
	data := formData{deskPage: deskPage{Who: who, Saved: r.URL.Query().Get("saved") == "1"}, BuiltForm: f, Doc: doc, Draft: f.State == formDraft, Wrong: wrong,
		Name: doc.Title, Kinds: offeredKinds(), OwnHand: slices.Contains(f.Hands, who.ID)}
	data.MayEdit, data.MayPublish = b.may(r, doc.Procedure)
	data.MayEdit = data.MayEdit && data.Draft
	data.MayPublish = data.MayPublish && data.Draft && !data.OwnHand
	for i, p := range doc.Pages {
		data.Pages = append(data.Pages, builtPage{p.ID, p.Title, p.When, p.Repeat != nil, p.Questions, i == 0, i == len(doc.Pages)-1, i})
	}
	var err error
	if data.Findings, data.Stops, err = b.findings(r, f.Form); err != nil {
		return data, err
	}
	rows, err := b.Forms(ctx, doc.Procedure)
	if err != nil {
		return data, err
	}
	for _, v := range rows {
		data.Versions = append(data.Versions, formRow{v, nil, b.AccountName(ctx, v.By)})
	}
	for _, h := range f.Hands {
		data.People = append(data.People, b.AccountName(ctx, h))
	}
	published, err := b.Procedures.Published(ctx, doc.Procedure)
	data.Evidence = published.Documents
	data.Titles, data.Declaration = b.inputs(doc, "title", doc.Title, false, true), b.inputs(doc, "declaration", doc.Declaration, true, false)
	data.Labels = b.inputs(doc, "label", nil, false, true)
	data.Options = b.optionInputs(doc, nil)
	data.Items = b.inputs(doc, "item", nil, false, false)
	if err == nil && data.MayEdit {
		data.FetchAt, data.FetchDo = b.at(f), "page.fetch"
		data.Fetch, err = b.fetchables(r, doc)
	}
	return data, err
}

// offeredKinds are the kinds that a builder adds here. What is fetched from another
// administration comes with its route, from the procedure.
func offeredKinds() []string {
	return slices.DeleteFunc(form.Kinds(), func(k string) bool { return k == "evidence" })
}

// blankOptions is how many empty rows there are for more options.
const blankOptions = 3

// optionInputs are the options of a question as inputs, with empty rows below.
func (b *Builder) optionInputs(doc form.Doc, q *form.Question) (out [][]langInput) {
	var has []form.Option
	if q != nil {
		has = q.Options
	}
	for i := range len(has) + blankOptions {
		t := gov.Text{}
		if i < len(has) {
			t = has[i].Label
		}
		out = append(out, b.inputs(doc, "option"+strconv.Itoa(i), t, false, false))
	}
	return out
}

// typedOptions reads them. An option keeps its value, so that answers given earlier
// mean the same; one whose labels were emptied goes.
func typedOptions(r *http.Request, doc form.Doc, had []form.Option) (out []form.Option) {
	taken := map[string]bool{}
	for _, o := range had {
		taken[o.Value] = true
	}
	for i := range len(had) + blankOptions {
		label := typedText(r, doc, "option"+strconv.Itoa(i))
		if label == nil {
			continue
		}
		if i < len(had) {
			o := had[i]
			o.Label = label
			out = append(out, o)
			continue
		}
		value := ""
		for n := len(out) + 1; value == "" || taken[value]; n++ {
			value = "o" + strconv.Itoa(n)
		}
		taken[value] = true
		out = append(out, form.Option{Value: value, Label: label})
	}
	return out
}

// change does what the overview posts.
func (b *Builder) change(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		b.Site.Fail(w, r, tooLarge(err))
		return
	}
	f, err := b.open(r)
	if err != nil {
		b.Site.Fail(w, r, err)
		return
	}
	next := b.at(f) + "?saved=1"
	switch r.PostFormValue("do") {
	case "publish":
		err = b.publish(r, f)
	case "drop":
		next = builderRoot + "?saved=1"
		if err = b.mayEdit(r, f); err == nil {
			err = b.DropForm(r.Context(), f.Doc().Procedure, f.Doc().Version, r.PostFormValue("seen"))
		}
	default:
		var op form.Op
		if op, err = b.formOp(r, f.Doc()); err == nil {
			err = b.edit(r, f, op)
		}
		if err == nil && op.Do == "page.add" {
			next = b.at(f) + "/pages/" + op.Page.ID + "?saved=1"
		}
	}
	b.answer(w, r, err, next, b.showForm)
}

// answer leads on after a change, or says what was wrong with it.
func (b *Builder) answer(w http.ResponseWriter, r *http.Request, err error, next string, again func(http.ResponseWriter, *http.Request, int, []string)) {
	if wrong, ok := b.sentences(r, err); ok {
		again(w, r, http.StatusUnprocessableEntity, wrong)
		return
	}
	if err != nil {
		b.Site.Fail(w, r, err)
		return
	}
	to(w, r, next)
}

func (b *Builder) mayEdit(r *http.Request, f *BuiltForm) error {
	return b.MayForm(r.Context(), b.Actor(r), MayEditForm, f.Doc().Procedure, "")
}

// publish asks the policy with each of those who had a hand in the form.
func (b *Builder) publish(r *http.Request, f *BuiltForm) error {
	d := f.Doc()
	for _, h := range append([]string{""}, f.Hands...) {
		if err := b.MayForm(r.Context(), b.Actor(r), MayPublishForm, d.Procedure, h); err != nil {
			return err
		}
	}
	_, err := b.PublishBuilt(r.Context(), b.Actor(r), d.Procedure, d.Version, r.PostFormValue("seen"))
	return err
}

func (b *Builder) edit(r *http.Request, f *BuiltForm, ops ...form.Op) error {
	if err := b.mayEdit(r, f); err != nil {
		return err
	}
	return b.EditForm(r.Context(), b.Actor(r), f.Doc().Procedure, f.Doc().Version, r.PostFormValue("seen"), ops...)
}

// formOp reads a change of the whole form.
func (b *Builder) formOp(r *http.Request, doc form.Doc) (form.Op, error) {
	page := r.PostFormValue("page")
	at := slices.IndexFunc(doc.Pages, func(p form.Page) bool { return p.ID == page })
	switch do := r.PostFormValue("do"); do {
	case "page.up":
		return form.Op{Do: "page.move", On: page, At: max(0, at-1)}, nil
	case "page.down":
		return form.Op{Do: "page.move", On: page, At: at + 1}, nil
	case "page.remove":
		return form.Op{Do: do, On: page}, nil
	case "page.add":
		q := b.newQuestion(r, doc)
		p := &form.Page{ID: freeID(doc), Title: q.Label, Questions: []form.Question{q}}
		if r.PostFormValue("repeated") == "yes" {
			p.Repeat = typedRepeat(r, doc, "group_"+q.Name)
		}
		return form.Op{Do: do, At: -1, Page: p}, nil
	case "page.fetch":
		q, err := b.fetchQuestion(r, doc)
		return form.Op{Do: "page.add", At: fetchPlace(doc), Page: &form.Page{ID: freeID(doc), Title: q.Label, Questions: []form.Question{q}}}, err
	case "form.set":
		doc.Title, doc.Declaration = typedText(r, doc, "title"), typedText(r, doc, "declaration")
		return form.Op{Do: do, Form: &doc}, nil
	}
	return form.Op{}, problem.New(problem.Invalid, "case.action_unknown", "action", "")
}

// newQuestion reads a question that is added.
func (b *Builder) newQuestion(r *http.Request, doc form.Doc) form.Question {
	return form.Question{Name: freeName(doc), Kind: r.PostFormValue("kind"), Label: typedText(r, doc, "label"), Hint: typedText(r, doc, "hint"),
		Required: r.PostFormValue("required") == "yes", Evidence: r.PostFormValue("evidence"), Options: typedOptions(r, doc, nil)}
}

// freeID is an id that no page has.
func freeID(doc form.Doc) string {
	for n := len(doc.Pages) + 1; ; n++ {
		id := "page-" + strconv.Itoa(n)
		if !slices.ContainsFunc(doc.Pages, func(p form.Page) bool { return p.ID == id }) {
			return id
		}
	}
}

// freeName is a name that no answer has, whichever group it stands in.
func freeName(doc form.Doc) string {
	taken := map[string]bool{}
	for _, p := range doc.Pages {
		for _, q := range p.Questions {
			first, _, _ := strings.Cut(q.Name, ".")
			taken[first] = true
		}
		if p.Repeat != nil {
			taken[p.Repeat.Name] = true
		}
	}
	for n := 1; ; n++ {
		if name := "q" + strconv.Itoa(n); !taken[name] {
			return name
		}
	}
}
