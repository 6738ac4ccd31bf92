package form

import (
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"diwan/internal/gov"
)

func keysOf[V any](m map[string]V) iter.Seq[string] { return maps.Keys(m) }

// Op is one change that a builder makes to a form. Which fields it reads depends
// on Do:
//
//	page.add        Page (the new page), At (its place, or -1 for the end)
//	page.remove     On
//	page.move       On, At
//	page.set        On, Page: title, intro, when; what is empty is emptied
//	question.add    On (the page), Question, At
//	question.remove On, Name
//	question.move   On, Name, To (a page, "" for the same), At
//	question.set    On, Name, Question: all but its name and kind
//	option.add      On, Name, Option, At
//	option.remove   On, Name, Value
//	option.set      On, Name, Value, Option
//	form.set        Form: title, note, declaration, review, demonstration
//	form.version    Version
type Op struct {
	Do       string          `json:"do"`
	On       string          `json:"on,omitempty"` // the id of a page
	Name     string          `json:"name,omitempty"`
	To       string          `json:"to,omitempty"`
	Value    string          `json:"value,omitempty"`
	At       int             `json:"at,omitempty"`
	Version  string          `json:"version,omitempty"`
	Page     *Page           `json:"page,omitempty"`
	Question *Question       `json:"question,omitempty"`
	Option   *Option         `json:"option,omitempty"`
	Form     *Doc            `json:"form,omitempty"`
	Schema   json.RawMessage `json:"schema,omitempty"` // of the question, instead of the one of its kind
}

// Edit applies a change and returns the new form; the old one stays as it is. A
// change that would leave the document unsound is refused with Faults that say
// why: a question cannot be removed while a condition speaks of it.
func Edit(f *Form, op Op) (*Form, error) {
	d := f.Doc()
	e := &editor{doc: &d}
	if err := json.Unmarshal(d.Schema, &e.schema); err != nil {
		return nil, fmt.Errorf("reading the schema: %w", err)
	}
	if err := e.apply(op); err != nil {
		return nil, err
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

type editor struct {
	doc    *Doc
	schema map[string]any
}

func (e *editor) apply(op Op) error {
	kind, verb, _ := strings.Cut(op.Do, ".")
	switch kind {
	case "page":
		return e.page(verb, op)
	case "question":
		return e.question(verb, op)
	case "option":
		return e.option(verb, op)
	}
	switch {
	case op.Do == "form.set" && op.Form != nil:
		e.doc.Title, e.doc.Note, e.doc.Declaration = op.Form.Title, op.Form.Note, op.Form.Declaration
		e.doc.Review, e.doc.Demonstration = op.Form.Review, op.Form.Demonstration
		return nil
	case op.Do == "form.version":
		e.doc.Version = op.Version
		return nil
	}
	return Faults{fault("", "form_document.edit", "do", clip(op.Do))}
}

func (e *editor) find(id string) (int, error) {
	if i := slices.IndexFunc(e.doc.Pages, func(p Page) bool { return p.ID == id }); i >= 0 {
		return i, nil
	}
	return 0, Faults{fault("pages", "form_document.edit.page", "id", clip(id))}
}

func (e *editor) findQuestion(id, name string) (p, q int, err error) {
	if p, err = e.find(id); err != nil {
		return 0, 0, err
	}
	q = slices.IndexFunc(e.doc.Pages[p].Questions, func(q Question) bool { return q.Name == name })
	if q < 0 {
		return 0, 0, Faults{fault(fmt.Sprintf("pages[%d]", p), "form_document.edit.question", "name", clip(name))}
	}
	return p, q, nil
}

// place is where something new goes in a list of n; outside it is the end.
func place(at, n int) int {
	if at < 0 || at > n {
		return n
	}
	return at
}

func (e *editor) page(verb string, op Op) error {
	if verb == "add" && op.Page != nil {
		p := *op.Page
		questions := p.Questions
		p.Questions = nil
		at := place(op.At, len(e.doc.Pages))
		e.doc.Pages = slices.Insert(e.doc.Pages, at, p)
		if p.Repeat != nil {
			e.properties(nil)[p.Repeat.Name] = map[string]any{"type": "array", "maxItems": p.Repeat.Max, "items": emptyObject()}
		}
		for _, q := range questions {
			if err := e.question("add", Op{On: p.ID, Question: &q, At: -1}); err != nil {
				return err
			}
		}
		return nil
	}
	i, err := e.find(op.On)
	if err != nil {
		return err
	}
	p := e.doc.Pages[i]
	switch {
	case verb == "remove":
		for _, q := range p.Questions {
			e.drop(p.Repeat, q.Name)
		}
		if p.Repeat != nil {
			delete(e.properties(nil), p.Repeat.Name)
		}
		e.doc.Pages = slices.Delete(e.doc.Pages, i, i+1)
	case verb == "move":
		e.doc.Pages = slices.Delete(e.doc.Pages, i, i+1)
		e.doc.Pages = slices.Insert(e.doc.Pages, place(op.At, len(e.doc.Pages)), p)
	case verb == "set" && op.Page != nil:
		p.Title, p.Intro, p.When = op.Page.Title, op.Page.Intro, op.Page.When
		if p.Repeat != nil && op.Page.Repeat != nil {
			r := *op.Page.Repeat
			r.Name = p.Repeat.Name
			p.Repeat = &r
			if list, ok := e.properties(nil)[r.Name].(map[string]any); ok {
				list["maxItems"] = r.Max // what the schema lets through is what the page lets in
			}
		}
		e.doc.Pages[i] = p
	default:
		return Faults{fault("", "form_document.edit", "do", clip(op.Do))}
	}
	return nil
}

func (e *editor) question(verb string, op Op) error {
	if verb == "add" && op.Question != nil {
		p, err := e.find(op.On)
		if err != nil {
			return err
		}
		list := e.doc.Pages[p].Questions
		if err := e.put(e.doc.Pages[p].Repeat, *op.Question, op.Schema); err != nil {
			return err
		}
		e.doc.Pages[p].Questions = slices.Insert(list, place(op.At, len(list)), *op.Question)
		return nil
	}
	p, i, err := e.findQuestion(op.On, op.Name)
	if err != nil {
		return err
	}
	list := e.doc.Pages[p].Questions
	q := list[i]
	switch {
	case verb == "remove":
		e.drop(e.doc.Pages[p].Repeat, q.Name)
		e.doc.Pages[p].Questions = slices.Delete(list, i, i+1)
	case verb == "move":
		to := p
		if op.To != "" {
			if to, err = e.find(op.To); err != nil {
				return err
			}
		}
		if (e.doc.Pages[p].Repeat != nil || e.doc.Pages[to].Repeat != nil) && to != p {
			return Faults{fault(fmt.Sprintf("pages[%d]", to), "form_document.edit.group")}
		}
		e.doc.Pages[p].Questions = slices.Delete(list, i, i+1)
		list = e.doc.Pages[to].Questions
		e.doc.Pages[to].Questions = slices.Insert(list, place(op.At, len(list)), q)
	case verb == "set" && op.Question != nil:
		n := *op.Question
		n.Name, n.Kind = q.Name, q.Kind
		list[i] = n
		return e.refresh(e.doc.Pages[p].Repeat, q, n, op.Schema)
	default:
		return Faults{fault("", "form_document.edit", "do", clip(op.Do))}
	}
	return nil
}

func (e *editor) option(verb string, op Op) error {
	p, i, err := e.findQuestion(op.On, op.Name)
	if err != nil {
		return err
	}
	q := &e.doc.Pages[p].Questions[i]
	before := *q
	before.Options = slices.Clone(q.Options)
	at := slices.IndexFunc(q.Options, func(o Option) bool { return o.Value == op.Value })
	switch {
	case verb == "add" && op.Option != nil:
		q.Options = slices.Insert(q.Options, place(op.At, len(q.Options)), *op.Option)
	case at < 0:
		return Faults{fault(fmt.Sprintf("pages[%d].questions[%d].options", p, i), "form_document.edit.option", "value", clip(op.Value))}
	case verb == "remove":
		q.Options = slices.Delete(q.Options, at, at+1)
	case verb == "set" && op.Option != nil:
		q.Options[at] = *op.Option
	default:
		return Faults{fault("", "form_document.edit", "do", clip(op.Do))}
	}
	return e.refresh(e.doc.Pages[p].Repeat, before, *q, nil)
}

// refresh keeps the schema in step with the options of a question, or takes the
// one given.
func (e *editor) refresh(r *Repeat, before, after Question, given json.RawMessage) error {
	if given != nil {
		e.drop(r, after.Name)
		return e.put(r, after, given)
	}
	if slices.EqualFunc(before.Options, after.Options, func(a, b Option) bool { return a.Value == b.Value }) {
		return nil
	}
	e.drop(r, after.Name)
	return e.put(r, after, nil)
}

func emptyObject() map[string]any {
	return map[string]any{"type": "object", "additionalProperties": false, "properties": map[string]any{}}
}

// properties returns the properties of the answers or of a group's items.
func (e *editor) properties(r *Repeat) map[string]any {
	m := e.schema
	if r != nil {
		list, _ := e.properties(nil)[r.Name].(map[string]any)
		if m, _ = list["items"].(map[string]any); m == nil {
			return map[string]any{}
		}
	}
	props, ok := m["properties"].(map[string]any)
	if !ok {
		props = map[string]any{}
		m["properties"] = props
	}
	return props
}

// put adds the schema of a question.
func (e *editor) put(r *Repeat, q Question, given json.RawMessage) error {
	var s any = q.stockSchema()
	if given != nil {
		if err := json.Unmarshal(given, &s); err != nil {
			return Faults{fault("schema", "form_document.json", "why", clip(err.Error()))}
		}
	}
	props := e.properties(r)
	path := strings.Split(q.Name, ".")
	for _, name := range path[:len(path)-1] {
		next, ok := props[name].(map[string]any)
		if !ok {
			next = emptyObject()
			props[name] = next
		}
		if props, ok = next["properties"].(map[string]any); !ok {
			props = map[string]any{}
			next["properties"] = props
		}
	}
	last := path[len(path)-1]
	if _, taken := props[last]; taken {
		return Faults{fault("schema", "form_document.question.twice", "name", q.Name)}
	}
	props[last] = s
	return nil
}

// drop removes the schema of a question and the objects that it leaves empty.
func (e *editor) drop(r *Repeat, name string) { dropFrom(e.properties(r), strings.Split(name, ".")) }

func dropFrom(props map[string]any, path []string) {
	if len(path) > 1 {
		next, _ := props[path[0]].(map[string]any)
		inner, _ := next["properties"].(map[string]any)
		if inner == nil {
			return
		}
		dropFrom(inner, path[1:])
		if len(inner) > 0 {
			return
		}
	}
	delete(props, path[0])
}

// texts wants a text in each language of a form.
func texts(langs []gov.Lang, say func(l gov.Lang, key string) string, key string) gov.Text {
	t := gov.Text{}
	for _, l := range langs {
		if s := say(l, key); s != "" {
			t[l] = s
		}
	}
	return t
}
