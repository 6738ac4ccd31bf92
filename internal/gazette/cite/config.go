package cite

import (
	"fmt"
	"slices"

	"diwan/internal/gazette/grammar"
	"diwan/internal/gazette/model"
	"diwan/lexis"
)

// Config is a country's gazette-citations.json: the words of citations and of
// amending clauses by language.
type Config map[model.Lang]*Words

// Words are those of one language.
type Words struct {
	Articles   []string `json:"articles"`
	Paragraphs []string `json:"paragraphs"`
	Points     []string `json:"points"`
	Joins      []string `json:"joins"` // between two labels
	To         []string `json:"to"`    // between the ends of a range
	Of         []string `json:"of"`    // between an article and its act
	Same       []string `json:"same"`  // "the said"
	// Alone are the kinds that are cited without number or date: there is one.
	Alone     []string                    `json:"alone"`
	Notably   []string                    `json:"notably"` // "in particular": articles of the act before follow
	Aside     []string                    `json:"aside"`   // what follows only tells how the act before came to be
	This      []string                    `json:"this"`    // "the present law"
	Relations map[model.Relation][]string `json:"relations"`
	Amending  map[string][]string         `json:"amending"`
}

// Finder finds citations. It is safe for concurrent use.
type Finder struct {
	g     *grammar.Grammar
	langs map[model.Lang]*words
}

// words are the compiled Words of a language.
type words struct {
	*grammar.Lang
	kinds     *grammar.Phrases
	kindIDs   []string
	unit      *grammar.Phrases // articles, paragraphs, points
	join      *grammar.Phrases
	to        *grammar.Phrases
	of        *grammar.Phrases
	this      *grammar.Phrases
	relations *grammar.Phrases
	rels      []model.Relation
	dated     *grammar.Phrases
	notably   *grammar.Phrases
	aside     *grammar.Phrases
	alone     map[string]bool
}

// The lists of words.unit.
const (
	unitArticle = iota
	unitParagraph
	unitPoint
)

// New compiles the words of a country. It is called before the first text is
// read.
func New(g *grammar.Grammar, c Config) (*Finder, error) {
	f := &Finder{g: g, langs: map[model.Lang]*words{}}
	for code, w := range c {
		l := g.Lang(code)
		if l == nil {
			return nil, fmt.Errorf("citations in %q: the grammar has no such language", code)
		}
		x := &words{Lang: l}
		var names [][]string
		for _, k := range g.Config.Kinds {
			n := l.Kinds[k.ID]
			all := joined(n.Cited)
			if len(n.Cited) > 0 { // what no text cites is never a citation
				all = append(all, n.Titles...)
			}
			x.kindIDs = append(x.kindIDs, k.ID)
			names = append(names, all)
		}
		x.kinds = g.Phrases(names...)
		x.unit = g.Phrases(joined(w.Articles), joined(w.Paragraphs), joined(w.Points))
		x.join, x.to, x.of, x.this = g.Phrases(w.Joins), g.Phrases(w.To), g.Phrases(w.Of), g.Phrases(joined(w.This))
		x.dated, x.notably, x.alone = g.Phrases(l.Dated), g.Phrases(w.Notably), map[string]bool{}
		x.aside = g.Phrases(w.Aside)
		for _, k := range w.Alone {
			x.alone[k] = true
		}
		var lists [][]string
		for _, r := range model.Relations {
			x.rels = append(x.rels, r)
			lists = append(lists, w.Relations[r])
		}
		for r := range w.Relations {
			if !slices.Contains(model.Relations, r) {
				return nil, fmt.Errorf("citations in %q: there is no relation %q", code, r)
			}
		}
		x.relations = g.Phrases(lists...)
		f.langs[code] = x
	}
	return f, nil
}

// joined adds the forms with a preposition or conjunction written to the head.
func joined(list []string) []string {
	var out []string
	for _, w := range list {
		out = append(out, lexis.WithProclitics(w)...)
	}
	return out
}
