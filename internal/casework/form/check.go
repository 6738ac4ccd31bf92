package form

import (
	"fmt"
	"slices"
	"strings"
)

// Check looks at all answers that count: each present where it must be, each as
// its kind, the schema and the form's own rules want it, and every document
// there. Problems come in the order of the pages. Answers that are no longer
// asked for are not looked at; Prune and Document leave them out.
func (f *Form) Check(a Answers, w World) []Problem {
	c := f.follow(a)
	var out []Problem
	for _, x := range c.asked {
		field := x.field()
		ps := f.missing(x, field)
		if x.value != nil && x.calc == nil {
			ps = append(ps, f.verify(x.question, x.value, field, w)...)
		} else if x.value != nil {
			ps = append(ps, x.validate(x.value, field)...)
		}
		if len(Blocking(ps)) == 0 {
			ps = append(ps, f.hold(c, x.question, x.item, field)...)
		}
		for i := range ps {
			ps[i].Page = x.page.ID
		}
		out = append(out, ps...)
	}
	for _, p := range c.pages {
		if p.Repeat == nil {
			continue
		}
		given, _ := a[p.Repeat.Name].([]any)
		if len(given) < p.Repeat.Min {
			out = append(out, Problem{Path: p.Repeat.Name, Code: "answer.group.few", Args: pairs([]string{"min", fmt.Sprint(p.Repeat.Min)}), Page: p.ID})
		}
		if len(given) > p.Repeat.Max {
			out = append(out, Problem{Path: p.Repeat.Name, Code: "answer.group.many", Args: pairs([]string{"max", fmt.Sprint(p.Repeat.Max)}), Page: p.ID})
		}
	}
	order := func(p Problem) int { return f.page(p.Page).number }
	slices.SortStableFunc(out, func(x, y Problem) int { return order(x) - order(y) })
	if len(out) == 0 {
		// Every part was looked at; this is the whole against the schema once more.
		if err := f.schema.Validate(c.answers); err != nil {
			for _, p := range schemaProblems(err, "") {
				p.Page = f.pages[0].ID
				out = append(out, p)
			}
		}
	}
	return out
}

// field is the name under which a question is asked.
func (x asked) field() string {
	if x.item < 0 {
		return x.Name
	}
	return fmt.Sprintf("%s.%d.%s", x.page.Repeat.Name, x.item, x.Name)
}

// piece reports whether a question only waits for a document: its absence is
// said, and stops nothing.
func (q *question) piece() bool { return q.Kind == "file" && q.Evidence != "" }

// missing reports what must be there and is not.
func (f *Form) missing(x asked, field string) []Problem {
	switch {
	case x.calc != nil:
		return nil
	case x.value == nil && x.Required && x.piece(), x.Kind == "evidence" && brought(x.value) && len(filesOf(x.value.(map[string]any)["files"])) == 0:
		p := problemAt(anchor(x.question, field), "piece")
		p.Piece = x.Evidence
		return []Problem{p}
	case x.value == nil && x.Required:
		return []Problem{problemAt(anchor(x.question, field), "required")}
	}
	return nil
}

func brought(v any) bool {
	m, _ := v.(map[string]any)
	return m["route"] == RouteBring
}

// mustHold checks the form's own rules while a page is being read.
func (f *Form) mustHold(q *question, a Answers, item int, field string) []Problem {
	if len(q.must) == 0 {
		return nil
	}
	return f.hold(f.follow(a), q, item, field)
}

func (f *Form) hold(c *course, q *question, item int, field string) []Problem {
	var out []Problem
	var itemShape *shape
	var scope map[string]any
	if q.page.Repeat != nil {
		itemShape = f.root.fields[q.page.Repeat.Name].items
		if list, _ := c.answers[q.page.Repeat.Name].([]any); item < len(list) {
			scope, _ = list[item].(map[string]any)
		}
	}
	for i, rule := range q.must {
		if !rule.truth(f.root, c.answers, itemShape, scope) && get(scopeOr(scope, c.answers), q.path) != nil {
			out = append(out, Problem{Path: anchor(q, field), Code: "answer.rule", Say: q.Must[i].Say})
		}
	}
	return out
}

func scopeOr(scope, answers map[string]any) map[string]any {
	if scope != nil {
		return scope
	}
	return answers
}

// anchor is the id of the first input of a question, to which a summary of
// errors leads.
func anchor(q *question, field string) string {
	switch q.spec.control {
	case dateIn:
		return field + ".day"
	case yesNo:
		return field + "-yes"
	case radio, checks:
		return field + "-" + q.Options[0].Value
	case evidence:
		return field + ".route-" + RouteFetch
	case group:
		for _, p := range q.spec.parts {
			if q.shape.fields[p.name] != nil {
				return field + "." + p.name
			}
		}
	}
	return field
}

// Piece is a document of the procedure as the answers stand: how it comes, and
// whether it is there.
type Piece struct {
	Evidence string
	Question string // the field that answers it
	Page     string
	Route    string // RouteFetch, RouteBring, RouteWallet, "" when not chosen
	Files    []File
	Required bool
	// Missing says that the person has still to bring it. A document that the
	// administration fetches is never missing here.
	Missing bool
}

// Pieces lists the documents that the answers call for, in the form's order: the
// complete list for the receipt.
func (f *Form) Pieces(a Answers) []Piece {
	var out []Piece
	for _, x := range f.follow(a).asked {
		if x.Evidence == "" || x.Kind != "file" && x.Kind != "evidence" {
			continue
		}
		p := Piece{Evidence: x.Evidence, Question: x.field(), Page: x.page.ID, Required: x.Required}
		if x.Kind == "file" {
			p.Route, p.Files = RouteBring, filesOf(x.value)
		} else if m, ok := x.value.(map[string]any); ok {
			p.Route, _ = m["route"].(string)
			p.Files = filesOf(m["files"])
		}
		p.Missing = len(p.Files) == 0 && (p.Route == RouteBring || p.Route == "") && (x.Required || x.Kind == "evidence" && p.Route == RouteBring)
		out = append(out, p)
	}
	return out
}

// Once returns the route of the document that a question asks for by evidence,
// nil when it has none.
func (f *Form) Once(evidence string) *Once {
	for _, q := range f.questions {
		if q.Evidence == evidence && q.Once != nil {
			o := *q.Once
			o.Fields = slices.Clone(o.Fields)
			return &o
		}
	}
	return nil
}

// Prefill puts known facts into questions that name them and have no answer, and
// returns the names of those it filled. What was asked once is not asked again:
// the person sees it and may change it. A fact that does not fit is left out.
func (f *Form) Prefill(a Answers, facts map[string]any, w World) (Answers, []string) {
	a = a.Clone()
	var filled []string
	for _, q := range f.questions {
		fact, known := facts[q.Known]
		if q.Known == "" || !known || q.page.Repeat != nil || q.calc != nil || !hasNothing(get(a, q.path)) {
			continue
		}
		v := fitting(q, fact)
		if hasNothing(v) || len(Blocking(f.verify(q, v, q.Name, w))) > 0 {
			continue
		}
		set(a, q.path, v)
		filled = append(filled, q.Name)
	}
	return a, filled
}

// fitting drops the parts of a fact that the question does not ask for.
func fitting(q *question, fact any) any {
	fact = cloneValue(fact)
	m, ok := fact.(map[string]any)
	if !ok {
		if s, ok := fact.(string); ok {
			return Clean(s, q.Kind == "textarea")
		}
		return fact
	}
	for name, v := range m {
		s, isText := v.(string)
		if q.shape.fields[name] == nil {
			delete(m, name)
		} else if isText {
			m[name] = Clean(s, false)
			if strings.TrimSpace(s) == "" {
				delete(m, name)
			}
		}
	}
	return m
}
