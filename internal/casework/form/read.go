package form

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The names of the fields that carry no answer.
const (
	// FieldShown lists the questions that the page showed, so that one which an
	// answer on the same page has just opened is asked and not passed over.
	FieldShown = "form-shown"
	// FieldAdd adds an item to the group it names, FieldRemove removes "group.2",
	// FieldDrop removes a file: "field:ref". FieldSave keeps the page and leaves.
	FieldAdd    = "form-add"
	FieldRemove = "form-remove"
	FieldDrop   = "form-drop"
	FieldSave   = "form-save"
	FieldUpload = "form-upload"
)

// Stays reports whether a posted page was sent by a button that stays on it: to
// add or remove an item, or a file. Of its problems Read then reports only files
// that were not taken.
func Stays(in url.Values) bool {
	return in.Has(FieldAdd) || in.Has(FieldRemove) || in.Has(FieldDrop) || in.Has(FieldUpload)
}

// Leaves reports whether the person saves in order to go on another day.
func Leaves(in url.Values) bool { return in.Has(FieldSave) }

// Read takes what was posted for one page into the answers. Only the questions of
// that page that are asked now are read; all else that was posted changes
// nothing. An answer that can't be read keeps the one given before, and is
// reported. Texts are cleaned and bounded before anything else sees them.
func (f *Form) Read(pageID string, in url.Values, a Answers, w World) (Answers, []Problem) {
	a = a.Clone()
	p := f.page(pageID)
	if p == nil || !slices.Contains(f.Pages(a), pageID) {
		return a, []Problem{{Code: "answer.page", Page: pageID}}
	}
	r := &reading{form: f, page: p, in: in, world: w, answers: a}
	if in.Has(FieldShown) {
		r.shown = map[string]bool{}
		for _, s := range in[FieldShown] {
			r.shown[s] = true
		}
	}
	if p.Repeat == nil {
		for _, q := range p.questions {
			r.question(q, a, nil, -1, q.Name)
		}
	} else {
		r.group(p)
	}
	if Stays(in) {
		// The person is not done with the page: only files that were not taken are
		// reported, because they are lost otherwise.
		r.problems = slices.DeleteFunc(r.problems, func(p Problem) bool { return p.Code != "answer.files.many" })
	}
	for i := range r.problems {
		r.problems[i].Page = pageID
	}
	return a, r.problems
}

// reading is the reading of one posted page.
type reading struct {
	form     *Form
	page     *page
	in       url.Values
	shown    map[string]bool // nil when the sender did not say
	world    World
	answers  map[string]any
	problems []Problem
}

// group reads the items of a repeated group.
func (r *reading) group(p *page) {
	rep := p.Repeat
	n := r.count(rep)
	given := items(r.answers, rep)
	list := make([]any, 0, n)
	for i := range n {
		item := map[string]any{}
		if i < len(given) {
			item = given[i]
		}
		list = append(list, item)
	}
	put := func() { set(r.answers, []string{rep.Name}, list) }
	put()
	shape := r.form.root.fields[rep.Name].items
	for i, x := range list {
		for _, q := range p.questions {
			r.question(q, x.(map[string]any), shape, i, fmt.Sprintf("%s.%d.%s", rep.Name, i, q.Name))
		}
	}
	if group, at, ok := strings.Cut(r.in.Get(FieldRemove), "."); ok && group == rep.Name {
		if i, err := strconv.Atoi(at); err == nil && i >= 0 && i < len(list) {
			list = slices.Delete(list, i, i+1)
		}
	}
	if r.in.Get(FieldAdd) == rep.Name && len(list) < rep.Max {
		for len(list) < rep.Min-1 {
			list = append(list, map[string]any{})
		}
		list = append(list, map[string]any{})
	}
	put()
	if len(list) < rep.Min {
		r.problems = append(r.problems, problemAt(rep.Name, "group.few", "min", fmt.Sprint(rep.Min)))
	}
}

// count returns how many items were posted, at most as many as the group takes.
func (r *reading) count(rep *Repeat) int {
	n := 0
	see := func(key string) {
		rest, ok := strings.CutPrefix(key, rep.Name+".")
		if !ok || len(rest) > 80 {
			return
		}
		at, _, _ := strings.Cut(rest, ".")
		if i, err := strconv.Atoi(at); err == nil && i >= n && i < rep.Max {
			n = i + 1
		}
	}
	for key := range r.in {
		see(key)
	}
	for key := range r.shown {
		see(key)
	}
	return n
}

// question reads one question into m: the answers, or an item of a group.
func (r *reading) question(q *question, m map[string]any, itemShape *shape, item int, field string) {
	if q.when != nil && !r.opens(q, itemShape, item) {
		set(m, q.path, nil)
		return
	}
	if q.calc != nil {
		return // it is computed from the others; what was posted for it is nothing
	}
	if r.shown != nil && !r.shown[field] {
		r.problems = append(r.problems, problemAt(anchor(q, field), "also"))
		return
	}
	v, ps := r.value(q, field, get(m, q.path))
	if len(Blocking(ps)) == 0 {
		set(m, q.path, v)
		if !hasNothing(v) {
			ps = append(ps, r.form.verify(q, v, field, r.world)...)
		}
	}
	if len(Blocking(ps)) == 0 && hasNothing(v) && q.Required && !q.piece() {
		ps = append(ps, problemAt(anchor(q, field), "required"))
	}
	if len(Blocking(ps)) == 0 {
		ps = append(ps, r.form.mustHold(q, r.answers, item, field)...)
	}
	r.problems = append(r.problems, ps...)
}

// opens reports whether the condition of a question holds for the answers that
// count so far.
func (r *reading) opens(q *question, itemShape *shape, item int) bool {
	counts := r.form.follow(r.answers)
	var scope map[string]any
	if item >= 0 {
		if list, _ := counts.answers[r.page.Repeat.Name].([]any); item < len(list) {
			scope, _ = list[item].(map[string]any)
		}
	}
	return q.when.truth(r.form.root, counts.answers, itemShape, scope)
}

// text returns what was posted for a field, cleaned. A text far beyond the bound
// is refused before any work is done on it.
func (r *reading) text(field string, max int, lines bool) (string, []Problem) {
	raw := r.in.Get(field)
	if max <= 0 || max > maxText {
		max = maxText
	}
	// Marks and blanks that cleaning drops may make a text several times longer.
	if len(raw) > 16*max+64 {
		return "", []Problem{problemAt(field, "long", "max", fmt.Sprint(max))}
	}
	s := Clean(raw, lines)
	if utf8.RuneCountInString(s) > max {
		return "", []Problem{problemAt(field, "long", "max", fmt.Sprint(max))}
	}
	return s, nil
}
