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
	f.links, f.ops = nil, nil
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
		f.links, f.ops = kept, nil
	}
}

// own tells whether a citation names the text itself.
func (f *found) own(t model.Target) bool {
	return t.Kind == f.work.Kind && t.Number != "" && t.Number.Key() == f.work.Number.Key()
}
