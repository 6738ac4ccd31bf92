package gazette

import (
	"diwan/internal/gazette/amend"
	"diwan/internal/gazette/cite"
	"diwan/internal/gazette/model"
)

// Analysts read citations and amending clauses.
type Analysts struct {
	Finder *cite.Finder
	Reader *amend.Reader
}

// analyse finds what a text cites and what it orders.
func (g *Gazette) analyse(f *found) {
	f.links, f.ops, f.text.Entry = nil, nil, nil
	lang := f.text.Lang
	var main model.Target
	if f.text.Title != "" {
		for _, c := range g.analysts.Finder.Find(f.text.Title, lang, model.PiecePreface) {
			switch c.Relation {
			case model.Amends, model.Completes, model.Replaces, model.Repeals:
				if main.Number == "" && !f.own(c.Target) {
					main = c.Target
				}
			}
		}
	}
	for _, r := range f.rows {
		if r.Text == "" {
			continue
		}
		citations := g.analysts.Finder.Find(r.Text, lang, r.Kind)
		ops := []model.Operation(nil)
		if r.IsArticle() || r.Kind == model.PieceText {
			ops = g.analysts.Reader.Read(&r.Piece, lang, main, citations)
			f.enters(r.EID, g.analysts.Reader.Entries(&r.Piece, lang))
		}
		for _, c := range citations {
			if f.own(c.Target) {
				if r.Kind == model.PiecePreface || len(c.Target.Articles) == 0 {
					continue // its own title
				}
				c.Target.Self = true
			}
			l := model.Link{Citation: c, EID: r.EID}
			for i := range ops {
				if ops[i].Start <= c.Start && c.Start < ops[i].End {
					l.Active = true
				}
			}
			f.links = append(f.links, l)
		}
		f.ops = append(f.ops, ops...)
	}
	if f.work.Suspect { // numbers of a suspect source prove nothing
		kept := f.links[:0]
		for _, l := range f.links {
			if l.Target.Self {
				kept = append(kept, l)
			}
		}
		f.links, f.ops, f.text.Entry = kept, nil, nil
	}
}

// enters notes what a piece says of the entry into force of its act. Two days, or
// a day and something unread, leave it to a person.
func (f *found) enters(eid string, entries []amend.Entry) {
	published := model.Date("")
	for _, p := range f.text.Publication {
		if published == "" && len(p.Date) == len("2006-01-02") {
			published = p.Date
		}
	}
	for _, e := range entries {
		if e.Published && published == "" {
			continue // as if it said nothing
		}
		day := e.On(published)
		switch have := f.text.Entry; {
		case have == nil:
			f.text.Entry = &TextEntry{day, eid}
		case have.Day != day:
			have.Day = ""
		}
	}
}

// own tells whether a citation names the text itself.
func (f *found) own(t model.Target) bool {
	return t.Kind == f.work.Kind && t.Number != "" && t.Number.Key() == f.work.Number.Key()
}
