package casework

import (
	"net/http"
	"slices"
	"strconv"

	"diwan/internal/casework/form"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// builtQuestion is a question of a page with its inputs.
type builtQuestion struct {
	form.Question
	At      int
	ID      string // of its inputs
	First   bool
	Last    bool
	Labels  []langInput
	Hints   []langInput
	Options [][]langInput
	Chooses bool // it has options
	// Of a document that is fetched: from whom, what, and what for.
	Holder   gov.Text
	Fields   []fieldChoice
	Purposes []langInput
}

type pageData struct {
	deskPage
	*BuiltForm
	Doc       form.Doc
	Draft     bool
	MayEdit   bool
	Wrong     []string
	Page      form.Page
	Titles    []langInput
	Intros    []langInput
	Questions []builtQuestion
	Preview   *form.PageView
	Tried     bool // the preview was posted and its answers pass
	Labels    []langInput
	Hints     []langInput
	NewOption [][]langInput
	Kinds     []string
	Evidence  []form.Required
	Items     []langInput // titles of an item of a repeated group
	Fetch     []fetchable
	FetchAt   string
	FetchDo   string
	Previous  string
	Next      string
}

func (b *Builder) editPage(w http.ResponseWriter, r *http.Request) {
	b.showPage(w, r, http.StatusOK, nil)
}

func (b *Builder) showPage(w http.ResponseWriter, r *http.Request, status int, wrong []string) {
	b.showTried(w, r, status, wrong, form.Answers{}, nil, false)
}

func (b *Builder) showTried(w http.ResponseWriter, r *http.Request, status int, wrong []string, a form.Answers, problems []form.Problem, tried bool) {
	f, err := b.open(r)
	var data pageData
	if err == nil {
		data, err = b.pageData(r, f, wrong)
	}
	if err != nil {
		b.Site.Fail(w, r, err)
		return
	}
	data.Preview, data.Tried = b.preview(r, f, data.Page.ID, a, problems), tried
	title, _ := data.Page.Title.In(web.LangOf(r), b.Country.Order())
	b.show(w, r, status, "form-build-page", title, b.at(f)+"/pages/"+data.Page.ID, data)
}

func (b *Builder) pageData(r *http.Request, f *BuiltForm, wrong []string) (data pageData, err error) {
	doc := f.Doc()
	i := slices.IndexFunc(doc.Pages, func(p form.Page) bool { return p.ID == r.PathValue("page") })
	if i < 0 {
		return data, errNoForm
	}
	p := doc.Pages[i]
	data = pageData{deskPage: deskPage{Who: b.Actor(r), Saved: r.URL.Query().Get("saved") == "1"}, BuiltForm: f, Doc: doc, Draft: f.State == formDraft, Wrong: wrong, Page: p,
		Titles: b.inputs(doc, "title", p.Title, false, true), Intros: b.inputs(doc, "intro", p.Intro, true, false), Kinds: offeredKinds(),
		Labels: b.inputs(doc, "label", nil, false, true), Hints: b.inputs(doc, "hint", nil, false, false), NewOption: b.optionInputs(doc, nil)}
	data.MayEdit = data.Draft && b.mayEdit(r, f) == nil
	if i > 0 {
		data.Previous = doc.Pages[i-1].ID
	}
	if i < len(doc.Pages)-1 {
		data.Next = doc.Pages[i+1].ID
	}
	for n, q := range p.Questions {
		x := builtQuestion{Question: q, At: n, ID: "q" + strconv.Itoa(n), First: n == 0, Last: n == len(p.Questions)-1, Chooses: len(q.Options) > 0,
			Labels: b.inputs(doc, "label", q.Label, false, true), Hints: b.inputs(doc, "hint", q.Hint, false, false)}
		if x.Chooses {
			x.Options = b.optionInputs(doc, &q)
		}
		if err := x.fill(b, doc); err != nil {
			return data, err
		}
		x.own()
		data.Questions = append(data.Questions, x)
	}
	published, err := b.Procedures.Published(r.Context(), doc.Procedure)
	data.Evidence = published.Documents
	if p.Repeat != nil {
		data.Items = b.inputs(doc, "item", itemNames(p.Repeat.Title), false, true)
	}
	if err == nil && data.MayEdit && p.Repeat == nil { // a group asks for no document of each item by itself
		data.FetchAt, data.FetchDo = b.at(f)+"/pages/"+p.ID, "question.fetch"
		data.Fetch, err = b.fetchables(r, doc)
	}
	return data, err
}

// own gives the inputs of a question ids of their own: a page has several.
func (x *builtQuestion) own() {
	for _, list := range append([][]langInput{x.Labels, x.Hints, x.Purposes}, x.Options...) {
		for i := range list {
			list[i].ID = x.ID + "-" + list[i].ID
		}
	}
}

// preview shows a page as the person will see it, whatever its condition. It is nil
// when the page can't be shown without the answers before it.
func (b *Builder) preview(r *http.Request, f *BuiltForm, id string, a form.Answers, problems []form.Problem) *form.PageView {
	lang, shown := web.LangOf(r), f.Form
	doc := f.Doc()
	if i := slices.IndexFunc(doc.Pages, func(p form.Page) bool { return p.ID == id }); i >= 0 && doc.Pages[i].When != "" {
		p := doc.Pages[i]
		p.When = ""
		if plain, err := form.Edit(f.Form, form.Op{Do: "page.set", On: id, Page: &p}); err == nil {
			shown = plain
		}
	}
	look := form.Look{World: b.world(r), Words: b.Site.Words.Printer(string(lang)), Format: b.Site.Formats[lang], Problems: problems,
		Action: "/" + string(lang) + b.at(f) + "/try/" + id}
	if problems != nil {
		look.Typed = r.PostForm
	}
	v, ok := shown.View(id, a, look)
	if !ok {
		return nil
	}
	// The page that shows the preview has a heading of its own.
	v.Single = true
	for _, fd := range v.Fields {
		fd.Heading = false
	}
	return v
}

func (b *Builder) world(r *http.Request) form.World {
	return form.World{Country: b.Country, Places: b.Places, Today: b.today(), Lang: web.LangOf(r)}
}

// tryPage reads the preview's answers as the form would, and keeps none of them.
func (b *Builder) tryPage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBuilderPost)
	f, err := b.open(r)
	if err == nil {
		err = tooLarge(r.ParseMultipartForm(maxBuilderPost))
		if r.MultipartForm == nil && err != nil {
			err = tooLarge(r.ParseForm())
		} else if r.MultipartForm != nil {
			r.MultipartForm.RemoveAll()
		}
	}
	if err != nil {
		b.Site.Fail(w, r, err)
		return
	}
	a, problems := f.Read(r.PathValue("page"), r.PostForm, form.Answers{}, b.world(r))
	if problems == nil {
		problems = []form.Problem{}
	}
	b.showTried(w, r, http.StatusOK, nil, a, problems, len(form.Blocking(problems)) == 0)
}

// maxBuilderPost bounds what the preview takes, files included; it keeps none.
const maxBuilderPost = 1 << 20

// changePage does what a page of the builder posts.
func (b *Builder) changePage(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		b.Site.Fail(w, r, tooLarge(err))
		return
	}
	f, err := b.open(r)
	if err != nil {
		b.Site.Fail(w, r, err)
		return
	}
	doc := f.Doc()
	i := slices.IndexFunc(doc.Pages, func(p form.Page) bool { return p.ID == r.PathValue("page") })
	if i < 0 {
		b.Site.Fail(w, r, errNoForm)
		return
	}
	ops, err := b.pageOps(r, doc, doc.Pages[i])
	if err == nil {
		err = b.edit(r, f, ops...)
	}
	b.answer(w, r, err, b.at(f)+"/pages/"+doc.Pages[i].ID+"?saved=1", b.showPage)
}

// pageOps reads a change of a page or of one of its questions.
func (b *Builder) pageOps(r *http.Request, doc form.Doc, p form.Page) ([]form.Op, error) {
	name := r.PostFormValue("question")
	at := slices.IndexFunc(p.Questions, func(q form.Question) bool { return q.Name == name })
	do := r.PostFormValue("do")
	switch {
	case do == "page.set":
		p.Title, p.Intro, p.When = typedText(r, doc, "title"), typedText(r, doc, "intro"), r.PostFormValue("when")
		if p.Repeat != nil {
			p.Repeat = typedRepeat(r, doc, p.Repeat.Name)
		}
		return []form.Op{{Do: do, On: p.ID, Page: &p}}, nil
	case do == "question.add":
		q := b.newQuestion(r, doc)
		return []form.Op{{Do: do, On: p.ID, Question: &q, At: -1}}, nil
	case do == "question.fetch" && p.Repeat == nil:
		q, err := b.fetchQuestion(r, doc)
		return []form.Op{{Do: "question.add", On: p.ID, Question: &q, At: -1}}, err
	case at < 0:
		return nil, problem.New(problem.Invalid, "form_document.edit.question", "name", "?")
	case do == "question.up":
		return []form.Op{{Do: "question.move", On: p.ID, Name: name, At: max(0, at-1)}}, nil
	case do == "question.down":
		return []form.Op{{Do: "question.move", On: p.ID, Name: name, At: at + 1}}, nil
	case do == "question.move":
		return []form.Op{{Do: do, On: p.ID, Name: name, To: r.PostFormValue("to"), At: -1}}, nil
	case do == "question.kind":
		// An answer of another kind is another answer: it gets a name of its own.
		q := p.Questions[at]
		q.Name, q.Kind, q.Options = freeName(doc), r.PostFormValue("kind"), typedOptions(r, doc, nil)
		q.Known, q.Scheme, q.Script, q.Autocomplete, q.Time, q.Bounds, q.Must, q.Compute, q.Once = "", "", "", "", "", nil, nil, "", nil
		return []form.Op{{Do: "question.add", On: p.ID, Question: &q, At: at + 1}, {Do: "question.remove", On: p.ID, Name: name}}, nil
	case do == "question.remove":
		return []form.Op{{Do: do, On: p.ID, Name: name}}, nil
	case do == "question.set":
		q := p.Questions[at]
		q.Label, q.Hint, q.When, q.Compute = typedText(r, doc, "label"), typedText(r, doc, "hint"), r.PostFormValue("when"), r.PostFormValue("compute")
		q.Required = r.PostFormValue("required") == "yes"
		if q.Once == nil { // the route of what is fetched names its document
			q.Evidence = r.PostFormValue("evidence")
		} else {
			once := *q.Once
			fields, err := b.fieldsOf(&once)
			if err == nil {
				err = typedOnce(r, doc, &once, fields)
			}
			if err != nil {
				return nil, err
			}
			q.Once = &once
		}
		if len(q.Options) > 0 {
			q.Options = typedOptions(r, doc, q.Options)
		}
		return []form.Op{{Do: do, On: p.ID, Name: name, Question: &q}}, nil
	}
	return nil, problem.New(problem.Invalid, "case.action_unknown", "action", "")
}
