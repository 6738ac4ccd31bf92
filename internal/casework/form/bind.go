package form

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// bind connects the questions with the schema and checks each against its kind.
func (f *Form) bind(faults *Faults) {
	ids := map[string]bool{}
	for i, d := range f.doc.Pages {
		at := fmt.Sprintf("pages[%d]", i)
		p := &page{Page: d, number: i}
		f.pages = append(f.pages, p)
		if !isID(d.ID) || ids[d.ID] {
			*faults = append(*faults, fault(at+".id", "form_document.page.id"))
		}
		ids[d.ID] = true
		f.words(faults, at+".title", d.Title, true)
		f.words(faults, at+".intro", d.Intro, false)
		base, prefix := f.root, ""
		if d.Repeat != nil {
			if base = f.repeat(faults, at+".repeat", d.Repeat); base == nil {
				continue
			}
			prefix = d.Repeat.Name + ".[]"
		}
		if len(d.Questions) == 0 {
			*faults = append(*faults, fault(at+".questions", "form_document.page.empty"))
		}
		for j, dq := range d.Questions {
			q := &question{Question: dq, number: len(f.questions), page: p, at: fmt.Sprintf("%s.questions[%d]", at, j)}
			if f.bindQuestion(faults, q, base, prefix) {
				p.questions = append(p.questions, q)
				f.questions = append(f.questions, q)
			}
		}
	}
	if len(f.questions) > maxQuestions {
		*faults = append(*faults, fault("pages", "form_document.questions", "max", fmt.Sprint(maxQuestions)))
	}
	f.distinct(faults)
}

// repeat returns the shape of a group's items.
func (f *Form) repeat(faults *Faults, at string, r *Repeat) *shape {
	f.words(faults, at+".title", r.Title, true)
	if r.Max < 1 || r.Max > maxRepeat || r.Min < 0 || r.Min > r.Max {
		*faults = append(*faults, fault(at+".max", "form_document.repeat.max", "max", fmt.Sprint(maxRepeat)))
	}
	s := f.root.fields[r.Name]
	if s == nil || s.json != "array" || s.items == nil || s.items.json != "object" {
		*faults = append(*faults, fault(at+".name", "form_document.repeat.name"))
		return nil
	}
	if s.max == 0 || s.max > r.Max {
		s.max = r.Max
	}
	return s.items
}

// bindQuestion reports whether the question has a place in the answers; its other
// faults are reported all at once.
func (f *Form) bindQuestion(faults *Faults, q *question, base *shape, prefix string) bool {
	add := func(field, code string, args ...string) {
		*faults = append(*faults, fault(q.at+field, code, args...))
	}
	f.words(faults, q.at+".label", q.Label, true)
	f.words(faults, q.at+".hint", q.Hint, false)
	f.words(faults, q.at+".unit", q.Unit, false)
	f.words(faults, q.at+".error", q.Error, false)
	var ok bool
	if q.spec, ok = kinds[q.Kind]; !ok {
		add(".kind", "form_document.kind", "kinds", strings.Join(Kinds(), ", "))
		return false
	}
	q.path = strings.Split(q.Name, ".")
	q.full, q.shape = join(prefix, q.Name), base
	for _, name := range q.path {
		if q.shape == nil || q.shape.fields == nil || !isName(name) {
			q.shape = nil
			break
		}
		q.shape = q.shape.fields[name]
	}
	if q.shape == nil {
		add(".name", "form_document.question.unknown", "name", clip(q.Name))
		return false
	}
	f.fits(add, q)
	f.options(faults, add, q)
	f.attributes(faults, add, q)
	return true
}

// fits checks that the schema of a question is one of its kind.
func (f *Form) fits(add func(string, string, ...string), q *question) {
	s := q.shape
	if s.json != q.spec.json {
		add(".kind", "form_document.question.type", "kind", q.Kind, "type", q.spec.json)
		return
	}
	if s.json == "string" && s.max == 0 {
		s.max = q.spec.max
	}
	if s.json == "array" {
		if s.max == 0 {
			s.max = max(stockFiles, len(q.Options))
		}
		if s.items == nil || q.Kind == "choices" && s.items.json != "string" || q.Kind == "file" && !isFileShape(s.items) {
			add(".kind", "form_document.question.type", "kind", q.Kind, "type", "array")
		}
	}
	for name, field := range s.fields {
		p, known := q.spec.part(name)
		if !known || p.json != field.json || name == "files" && !isFileShape(field.items) {
			add(".kind", "form_document.question.part", "kind", q.Kind, "part", clip(name))
			continue
		}
		if field.json == "string" && field.max == 0 {
			field.max = p.max
		}
		if field.json == "array" && field.max == 0 {
			field.max = stockFiles
		}
	}
	for _, p := range q.spec.fixed {
		if s.fields[p.name] == nil {
			add(".kind", "form_document.question.part", "kind", q.Kind, "part", p.name)
		}
	}
	for _, name := range s.must {
		if s.fields[name] == nil {
			add(".kind", "form_document.question.part", "kind", q.Kind, "part", clip(name))
		}
	}
}

// isFileShape reports whether a schema can hold an uploaded file.
func isFileShape(s *shape) bool {
	want := map[string]string{"ref": "string", "name": "string", "type": "string", "size": "integer", "sha256": "string"}
	if s == nil || s.json != "object" || len(s.fields) != len(want) {
		return false
	}
	for name, json := range want {
		if s.fields[name] == nil || s.fields[name].json != json {
			return false
		}
	}
	return true
}

func (f *Form) options(faults *Faults, add func(string, string, ...string), q *question) {
	if q.spec.options != (len(q.Options) > 0) || len(q.Options) > maxOptions {
		add(".options", "form_document.options", "max", fmt.Sprint(maxOptions))
		return
	}
	seen := map[string]bool{}
	for i, o := range q.Options {
		if o.Value == "" || len(o.Value) > 80 || seen[o.Value] || Clean(o.Value, false) != o.Value {
			add(fmt.Sprintf(".options[%d].value", i), "form_document.option.value")
		}
		seen[o.Value] = true
		f.words(faults, fmt.Sprintf("%s.options[%d].label", q.at, i), o.Label, true)
		f.words(faults, fmt.Sprintf("%s.options[%d].hint", q.at, i), o.Hint, false)
	}
	enum := q.shape.enum
	if q.Kind == "choices" && q.shape.items != nil {
		enum = q.shape.items.enum
	}
	if !q.spec.options || enum == nil {
		return
	}
	// A choice that the schema refuses, or one that nobody can make, is a slip.
	if len(enum) != len(q.Options) {
		add(".options", "form_document.options.schema")
		return
	}
	for _, e := range enum {
		if s, ok := e.(string); !ok || !seen[s] {
			add(".options", "form_document.options.schema")
			return
		}
	}
}

// tokens of autocomplete that forms may use (HTML, section 4.10.18.7).
var tokens = []string{"name", "given-name", "family-name", "organization", "street-address", "address-level1", "address-level2",
	"postal-code", "country-name", "bday", "tel", "email", "off"}

// attributes checks what belongs to some kinds only.
func (f *Form) attributes(faults *Faults, add func(string, string, ...string), q *question) {
	for i, r := range q.Must {
		f.words(faults, fmt.Sprintf("%s.must[%d].say", q.at, i), r.Say, true)
	}
	for _, x := range []struct {
		field string
		wrong bool
	}{
		{".script", !slices.Contains([]string{"", "latin", "arabic"}, q.Script)},
		{".autocomplete", q.Autocomplete != "" && !slices.Contains(tokens, q.Autocomplete)},
		{".time", !slices.Contains([]string{"", "past", "future"}, q.Time) || q.Time != "" && q.Kind != "date"},
		{".bounds", q.Bounds != nil && (q.Kind != "point" || !isBox(q.Bounds))},
		{".must", len(q.Must) > 10},
		{".evidence", q.Evidence != "" && (!isID(q.Evidence) || q.Compute != "") || q.Evidence == "" && q.Kind == "evidence"},
		{".compute", q.Compute != "" && (!computable(q.spec.json) || q.Required || q.Known != "" || q.Kind == "phone" || q.Kind == "e-mail")},
		{".known", len(q.Known) > 80},
		{".scheme", len(q.Scheme) > 40 || q.Scheme != "" && !slices.Contains([]string{"text", "person", "firm"}, q.Kind)},
		{".kind", q.page.Repeat != nil && q.Kind == "signature"},
	} {
		if x.wrong {
			add(x.field, "form_document.attribute", "kind", q.Kind)
		}
	}
	if (q.Once != nil) != (q.Kind == "evidence") {
		add(".once", "form_document.once")
	} else if o := q.Once; o != nil {
		f.words(faults, q.at+".once.purpose", o.Purpose, true)
		if !isID(o.From) || o.Service == "" || len(o.Service) > 200 || len(o.Fields) == 0 || len(o.Fields) > 50 || o.Days < 1 || o.Days > 366 {
			add(".once", "form_document.once")
		}
	}
	if q.Kind == "signature" && f.doc.Declaration.Empty() {
		add(".kind", "form_document.declaration")
	}
}

func computable(json string) bool {
	return json == "string" || json == "integer" || json == "number" || json == "boolean"
}

func isBox(b []float64) bool {
	if len(b) != 4 {
		return false
	}
	for _, x := range b {
		if math.IsNaN(x) || math.Abs(x) > 180 {
			return false
		}
	}
	return b[0] < b[2] && b[1] < b[3] && b[0] >= -90 && b[2] <= 90
}

// distinct refuses two questions for one answer, or for a part of one.
func (f *Form) distinct(faults *Faults) {
	sorted := slices.Clone(f.questions)
	slices.SortStableFunc(sorted, func(a, b *question) int { return strings.Compare(a.full+".", b.full+".") })
	for i := 1; i < len(sorted); i++ {
		if strings.HasPrefix(sorted[i].full+".", sorted[i-1].full+".") {
			*faults = append(*faults, fault(sorted[i].at+".name", "form_document.question.twice", "name", sorted[i].full))
		}
	}
	signed := 0
	for _, q := range f.questions {
		if q.Kind == "signature" {
			if signed++; signed == 2 {
				*faults = append(*faults, fault(q.at+".kind", "form_document.signature.twice"))
			}
		}
	}
}

// covered refuses parts of the schema that no question asks for: nobody could
// ever fill them.
func (f *Form) covered(faults *Faults) {
	asked := map[*shape]bool{}
	for _, q := range f.questions {
		asked[q.shape] = true
	}
	groups := map[*shape]bool{}
	for _, p := range f.pages {
		if p.Repeat != nil {
			groups[f.root.fields[p.Repeat.Name]] = true
		}
	}
	var visit func(s *shape)
	visit = func(s *shape) {
		switch {
		case asked[s]:
			return
		case s.json == "object":
			if len(s.must) > 0 {
				*faults = append(*faults, fault("schema"+strings.TrimPrefix(s.at, "#")+"/required", "form_document.schema.required"))
			}
			for _, name := range sortedShapes(s.fields) {
				visit(s.fields[name])
			}
		case groups[s] && s.items != nil:
			visit(s.items)
		default:
			*faults = append(*faults, fault("schema"+strings.TrimPrefix(s.at, "#"), "form_document.schema.unasked", "name", s.path))
		}
	}
	visit(f.root)
}

func sortedShapes(m map[string]*shape) []string {
	ks := make([]string, 0, len(m))
	for k := range m {
		ks = append(ks, k)
	}
	slices.Sort(ks)
	return ks
}
