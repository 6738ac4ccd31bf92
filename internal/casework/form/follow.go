package form

import "slices"

// course is the way through a form that some answers open: the pages that are
// reached, the questions that are asked, and the answers that count. It is found
// from the first page on, each condition seeing only the answers that count
// before it, so that an answer to a question no longer asked opens nothing.
type course struct {
	answers map[string]any
	pages   []*page
	asked   []asked
}

// asked is one question that is asked, once for each item of a group.
type asked struct {
	*question
	item  int // -1 outside groups
	value any // the answer that counts, nil when there is none
}

// follow finds the way.
func (f *Form) follow(a Answers) *course {
	c := &course{answers: map[string]any{}}
	for _, p := range f.pages {
		if !p.when.truth(f.root, c.answers, nil, nil) {
			continue
		}
		c.pages = append(c.pages, p)
		if p.Repeat == nil {
			for _, q := range p.questions {
				c.ask(f, q, a, c.answers, nil, -1)
			}
			continue
		}
		shape := f.root.fields[p.Repeat.Name].items
		var kept []any
		for i, given := range items(a, p.Repeat) {
			item := map[string]any{}
			for _, q := range p.questions {
				c.ask(f, q, given, item, shape, i)
			}
			kept = append(kept, item)
		}
		if len(kept) > 0 {
			c.answers[p.Repeat.Name] = kept
		}
	}
	return c
}

// ask puts the answer to one question, when it is asked, from given into counts.
func (c *course) ask(f *Form, q *question, given, counts map[string]any, itemShape *shape, item int) {
	if !q.when.truth(f.root, c.answers, itemShape, counts) {
		return
	}
	v := get(given, q.path)
	if q.calc != nil {
		v = nil
		if x, err := q.calc.eval(f.root, c.answers, itemShape, counts); err == nil {
			v = plain(q.shape, x)
		}
	}
	if hasNothing(v) {
		v = nil
	} else {
		set(counts, q.path, v)
	}
	c.asked = append(c.asked, asked{q, item, v})
}

// Prune returns the answers that count: those to questions that are asked, with
// computed ones computed anew.
func (f *Form) Prune(a Answers) Answers { return Answers(f.follow(a).answers).Clone() }

// Pages returns the ids of the pages that the answers open, in order.
func (f *Form) Pages(a Answers) []string {
	c := f.follow(a)
	ids := make([]string, len(c.pages))
	for i, p := range c.pages {
		ids[i] = p.ID
	}
	return ids
}

// Next returns the page after one, "" after the last: then comes the check of
// all answers. After a page that is not reached, or not known, comes the first.
func (f *Form) Next(a Answers, page string) string {
	ids := f.Pages(a)
	if i := slices.Index(ids, page) + 1; i < len(ids) {
		return ids[i]
	}
	return ""
}

// Previous returns the page before one, "" before the first; before the check,
// named "", comes the last.
func (f *Form) Previous(a Answers, page string) string {
	ids := f.Pages(a)
	i := slices.Index(ids, page)
	if page == "" {
		i = len(ids)
	}
	if i <= 0 {
		return ""
	}
	return ids[i-1]
}

// Open returns the first page with something to mend, "" when there is none: the
// place at which a draft is resumed.
func (f *Form) Open(a Answers, w World) string {
	seen := map[string]bool{}
	for _, p := range f.Check(a, w) {
		if p.Blocks() {
			seen[p.Page] = true
		}
	}
	for _, id := range f.Pages(a) {
		if seen[id] {
			return id
		}
	}
	return ""
}

func (f *Form) page(id string) *page {
	for _, p := range f.pages {
		if p.ID == id {
			return p
		}
	}
	return nil
}
