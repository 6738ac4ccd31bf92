package form

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"diwan/internal/gov"
)

// Facts are what a first form is made from: a published procedure.
type Facts struct {
	Published
	Name      gov.Text
	Languages []gov.Lang
	Review    []gov.Lang
	// Routes tell how a document is fetched, by document; From and Purpose may be
	// left out.
	Routes map[string]Once
	// Say gives the stock words, messages of this package, in a language.
	Say func(l gov.Lang, key string) string
	// Scheme is the identifier scheme of people.
	Scheme string
}

// FromProcedure makes a first form: who asks and how to reach them, one page for
// each document that the person brings, one for each that the administration
// fetches, what else there is to say, and the declaration. It passes Lint for
// the procedure it was made from, unless the procedure itself asks for what is
// banned; an officer then words it and adds what the decision needs.
func FromProcedure(facts Facts) (*Form, error) {
	say := func(key string) gov.Text { return texts(facts.Languages, facts.Say, "ask.first."+key) }
	d := Doc{ID: facts.Procedure, Version: "1", Procedure: facts.Procedure, Title: facts.named(facts.Name, facts.Procedure),
		Languages: facts.Languages, Review: facts.Review, Declaration: say("declaration"),
		Schema: json.RawMessage(`{"type":"object","additionalProperties":false,"properties":{}}`)}
	pages := []Page{
		{ID: "applicant", Title: say("applicant"), Questions: []Question{
			{Name: "applicant", Kind: "person", Label: say("applicant.name"), Required: true, Known: "person", Scheme: facts.Scheme}}},
		{ID: "contact", Title: say("contact"), Questions: []Question{
			{Name: "contact.phone", Kind: "phone", Label: say("contact.phone"), Required: true, Known: "phone"},
			{Name: "contact.email", Kind: "e-mail", Label: say("contact.email"), Known: "e-mail"}}},
	}
	for _, doc := range facts.Documents {
		if p, ok := facts.pageOf(doc, say); ok {
			pages = append(pages, p)
		}
	}
	pages = append(pages,
		Page{ID: "more", Title: say("more"), Questions: []Question{{Name: "more", Kind: "textarea", Label: say("more.text")}}},
		Page{ID: "declaration", Title: say("declare"), Questions: []Question{{Name: "declaration", Kind: "signature", Label: say("declare"), Required: true}}})
	e := &editor{doc: &d, schema: emptyObject()}
	for _, p := range pages {
		if err := e.page("add", Op{Page: &p, At: -1}); err != nil {
			return nil, err
		}
	}
	b, err := json.Marshal(e.schema)
	if err != nil {
		return nil, fmt.Errorf("writing the schema: %w", err)
	}
	d.Schema = b
	if b, err = json.Marshal(d); err != nil {
		return nil, fmt.Errorf("writing the form: %w", err)
	}
	return Parse(b)
}

// pageOf makes the page of one document. The application itself needs none, and
// what the administration gets without a data service is not the person's
// business.
func (facts Facts) pageOf(doc Required, say func(string) gov.Text) (Page, bool) {
	if doc.Type != "" && slices.Contains(facts.ApplicationTypes, doc.Type) {
		return Page{}, false
	}
	name := facts.named(doc.Name, doc.ID)
	q := Question{Name: "documents." + answerName(doc.ID), Kind: "file", Label: name, Evidence: doc.ID, Required: true}
	if doc.ByAdministration {
		route, ok := facts.Routes[doc.ID]
		if !ok {
			return Page{}, false
		}
		q.Kind, q.Once = "evidence", &route
		if route.From == "" {
			route.From = doc.From
		}
		if route.Purpose.Empty() {
			route.Purpose = say("purpose")
		}
	}
	return Page{ID: "document-" + doc.ID, Title: name, Questions: []Question{q}}, true
}

// named completes a name in all languages of the form with one that it has.
func (facts Facts) named(t gov.Text, id string) gov.Text {
	out := gov.Text{}
	for _, l := range facts.Languages {
		s, _ := t.In(l, facts.Languages)
		if s == "" {
			s = id
		}
		out[l] = Clean(s, false)
	}
	return out
}

// answerName makes the name of an answer of an id.
func answerName(id string) string {
	s := strings.ReplaceAll(id, "-", "_")
	if !isName(s) {
		s = "d_" + s
	}
	return s
}
