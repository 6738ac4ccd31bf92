package form

import (
	"fmt"
	"slices"

	"diwan/internal/gov"
)

// PageView is one page of questions as the templates show it. Everything in it
// is data; the parts under templates turn it into HTML.
type PageView struct {
	ID     string
	Form   gov.Text // the form's title
	Title  gov.Text
	Intro  gov.Text
	Step   int // from 1
	Steps  int
	Action string
	Back   string
	// Multipart pages send files.
	Multipart bool
	// Single pages ask one question, whose label is the page's heading.
	Single bool
	Errors []ErrorView
	Fields []*Field
	Group  *GroupView
	Demo   bool
	Note   gov.Text
	Review bool
}

// GroupView is a repeated group.
type GroupView struct {
	Name  string
	Error string
	Items []ItemView
	// Add is the value of the button that adds an item, "" when no more may be.
	Add string
}

// ItemView is one item of a group.
type ItemView struct {
	ID     string
	Title  gov.Text
	Remove string // the value of the button, "" when it can't be removed
	Fields []*Field
}

// Field is one question, or one part of it, as an input.
type Field struct {
	Control string
	Name    string
	ID      string
	Label   gov.Text
	Hint    gov.Text
	Unit    gov.Text
	// Heading makes the label the page's heading.
	Heading  bool
	Optional bool
	Value    string
	Lines    []Shown // of a computed answer
	// Type, InputMode, Autocomplete and Dir are attributes of the input; empty
	// ones are left out.
	Type         string
	InputMode    string
	Autocomplete string
	Dir          string
	Max          int
	Short        bool
	On           bool
	Options      []OptionView
	Groups       []OptionGroup // in the place of Options
	Parts        []*Field
	Files        []FileView
	Room         bool   // more files may be added
	Upload       string // where files go in parts, "" where they don't
	Once         *OnceView
	Declaration  gov.Text
	Known        bool
	Error        string
	Warn         string
	// Described lists the ids of hint and error.
	Described string
}

// OptionView is one option.
type OptionView struct {
	ID    string
	Value string
	Label gov.Text
	Hint  gov.Text
	On    bool
}

// OptionGroup are options under a heading of their own.
type OptionGroup struct {
	Label   gov.Text
	Options []OptionView
}

// FileView is a file that is already there.
type FileView struct {
	Name string
	Size string
	Drop string // the value of the button that removes it
	// Picture is that of its first page, nil without one.
	Picture *Picture
}

// OnceView says from whom a document is fetched, and why.
type OnceView struct {
	From    string
	Purpose gov.Text
	Days    int
}

// Shows lists the fields of the page, which it posts back so that Read knows
// what the person has seen.
func (v *PageView) Shows() []string {
	var out []string
	add := func(fs []*Field) {
		for _, f := range fs {
			if f.Control != "computed" {
				out = append(out, f.Name)
			}
		}
	}
	add(v.Fields)
	if v.Group != nil {
		for _, it := range v.Group.Items {
			add(it.Fields)
		}
	}
	return out
}

// View shows one page with the answers given so far, or reports that the answers
// do not lead to it.
func (f *Form) View(pageID string, a Answers, look Look) (*PageView, bool) {
	c := f.follow(a)
	at := slices.IndexFunc(c.pages, func(p *page) bool { return p.ID == pageID })
	if at < 0 {
		return nil, false
	}
	p := c.pages[at]
	v := &PageView{ID: p.ID, Form: f.doc.Title, Title: p.Title, Intro: p.Intro, Step: at + 1, Steps: len(c.pages),
		Action: look.Action, Back: look.Back, Demo: f.doc.Demonstration, Note: f.doc.Note,
		Review: slices.Contains(f.doc.Review, look.Lang)}
	if p.Repeat != nil {
		v.Group = f.groupView(p, c, a, look)
	} else {
		for _, x := range c.asked {
			if x.page == p {
				v.Fields = append(v.Fields, look.field(f, x.question, x.Name, x.value))
			}
		}
		if len(v.Fields) == 1 && p.Intro.Empty() {
			v.Single, v.Fields[0].Heading = true, true
		}
	}
	for _, q := range p.questions {
		v.Multipart = v.Multipart || q.Kind == "file" || q.Kind == "evidence"
	}
	for _, pr := range look.Problems {
		if pr.Blocks() && (pr.Page == "" || pr.Page == p.ID) {
			text := look.sentence(pr)
			if !v.Single {
				text = c.named(pr, look)
			}
			v.Errors = append(v.Errors, ErrorView{Path: pr.Path, Text: text})
		}
	}
	return v, true
}

// groupView shows the items of a group, and as many empty ones as it needs.
func (f *Form) groupView(p *page, c *course, a Answers, look Look) *GroupView {
	g := &GroupView{Name: p.Repeat.Name}
	given := len(items(a, p.Repeat))
	n := max(given, p.Repeat.Min)
	shape := f.root.fields[p.Repeat.Name].items
	for i := range n {
		it := ItemView{ID: fmt.Sprintf("%s.%d", p.Repeat.Name, i), Title: itemTitle(p.Repeat, i)}
		if i < given && given > p.Repeat.Min {
			it.Remove = it.ID
		}
		for _, q := range p.questions {
			name := it.ID + "." + q.Name
			if i >= given {
				if q.when.truth(f.root, c.answers, shape, nil) {
					it.Fields = append(it.Fields, look.field(f, q, name, nil))
				}
				continue
			}
			for _, x := range c.asked {
				if x.question == q && x.item == i {
					it.Fields = append(it.Fields, look.field(f, q, name, x.value))
				}
			}
		}
		g.Items = append(g.Items, it)
	}
	if n < p.Repeat.Max {
		g.Add = p.Repeat.Name
	}
	for _, pr := range look.Problems {
		if pr.Path == p.Repeat.Name {
			g.Error = look.sentence(pr)
		}
	}
	return g
}

// describe ties hint and problems to the field.
func (fd *Field) describe(look Look, problems []Problem) {
	for _, p := range problems {
		if p.Blocks() && fd.Error == "" {
			fd.Error = look.sentence(p)
		} else if !p.Blocks() && fd.Warn == "" {
			fd.Warn = look.sentence(p)
		}
	}
	add := func(on bool, end string) {
		if on {
			if fd.Described != "" {
				fd.Described += " "
			}
			fd.Described += fd.ID + end
		}
	}
	add(!fd.Hint.Empty(), "-h")
	add(fd.Error != "", "-e")
	add(fd.Warn != "", "-w")
}
