package form

import (
	"slices"
	"strconv"
	"strings"

	"diwan/internal/gov"
)

// Summary is all answers for reading before they are sent, page by page. It is
// also how an officer reads them, without the addresses of change.
type Summary struct {
	Title  gov.Text
	Pages  []SummaryPage
	Errors []ErrorView
	// Pieces counts the documents that the person has still to bring.
	Missing int
	Demo    bool
	Note    gov.Text
	Review  bool
	Action  string
	Back    string
}

// SummaryPage is one page of answers.
type SummaryPage struct {
	ID       string
	Title    gov.Text
	Sections []SummarySection
	Add      string // where items are added, "" when the page repeats nothing
}

// SummarySection is the page's answers, or those of one item of its group.
type SummarySection struct {
	Title gov.Text // of the item
	Rows  []SummaryRow
}

// SummaryRow is one answer.
type SummaryRow struct {
	Label  gov.Text
	Values []Shown
	Change string // where it is changed, "" when it can't be
	Error  string
	Warn   string
	Known  bool // it was filled in from what is known
}

// Shown is one line of an answer.
type Shown struct {
	Name gov.Text // of a part, such as "street"
	Text gov.Text
	Ltr  bool // it reads from left to right in every language
	// Picture is that of a file, nil without one.
	Picture *Picture
}

// ErrorView is one line of a summary of errors: a link to the field.
type ErrorView struct {
	Path string // the id of the field, on the page itself
	Href string // or the address of the page and field
	Text string
}

// Summary puts all answers that count into words.
func (f *Form) Summary(a Answers, look Look) *Summary {
	s := &Summary{Title: f.doc.Title, Demo: f.doc.Demonstration, Note: f.doc.Note, Review: slices.Contains(f.doc.Review, look.Lang),
		Action: look.Action, Back: look.Back}
	c := f.follow(a)
	for _, p := range c.pages {
		sp := SummaryPage{ID: p.ID, Title: p.Title}
		item := -2
		for _, x := range c.asked {
			if x.page != p {
				continue
			}
			if x.item != item {
				item = x.item
				sp.Sections = append(sp.Sections, SummarySection{Title: itemTitle(p.Repeat, item)})
			}
			last := &sp.Sections[len(sp.Sections)-1]
			last.Rows = append(last.Rows, f.row(x, look))
		}
		if p.Repeat != nil && look.Change != nil {
			sp.Add = look.Change(p.ID, p.Repeat.Name)
		}
		s.Pages = append(s.Pages, sp)
	}
	for _, p := range look.Problems {
		e := ErrorView{Path: p.Path, Text: c.named(p, look)}
		if look.Change != nil && p.Page != "" {
			e.Href = look.Change(p.Page, p.Path)
		}
		switch {
		case p.Piece != "":
			s.Missing++
		case !p.Warns:
			s.Errors = append(s.Errors, e)
		}
	}
	return s
}

// named is the sentence of a problem after the words of its question, for a list
// that stands away from the question.
func (c *course) named(p Problem, look Look) string {
	s := look.sentence(p)
	for _, x := range c.asked {
		if under(p.Path, x.field()) {
			label, _ := x.Label.In(look.Lang, look.order())
			return label + look.Words.T("ask.colon") + " " + s
		}
	}
	return s
}

func (f *Form) row(x asked, look Look) SummaryRow {
	field := x.field()
	r := SummaryRow{Label: x.Label, Known: slices.Contains(look.Filled, field)}
	if x.value != nil {
		r.Values = look.shown(x.question, x.value)
	}
	if look.Change != nil && x.calc == nil {
		r.Change = look.Change(x.page.ID, anchor(x.question, field))
	}
	for _, p := range look.Problems {
		if !under(p.Path, field) {
			continue
		}
		if p.Blocks() {
			r.Error = look.sentence(p)
		} else {
			r.Warn = look.sentence(p)
		}
	}
	return r
}

// itemTitle names one item of a group by its number.
func itemTitle(r *Repeat, item int) gov.Text {
	if r == nil || item < 0 {
		return nil
	}
	t := r.Title.Clone()
	for l, s := range t {
		t[l] = strings.ReplaceAll(s, "{n}", strconv.Itoa(item+1))
	}
	return t
}
