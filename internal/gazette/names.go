package gazette

import (
	"strings"

	"diwan/internal/gazette/model"
	"diwan/internal/gov"
)

// KindName is what pages call a kind of act.
func (g *Gazette) KindName(id string) gov.Text {
	k, ok := g.grammar.Kind(id)
	if !ok {
		return gov.Text{}
	}
	return textOf(k.Names)
}

// EditionName is what pages call a series of the gazette.
func (g *Gazette) EditionName(id string) gov.Text {
	for _, e := range g.grammar.Config.Editions {
		if e.ID == id {
			return textOf(e.Names)
		}
	}
	return gov.Text{}
}

func textOf(names map[string]string) gov.Text {
	t := gov.Text{}
	for l, s := range names {
		t[gov.Lang(l)] = s
	}
	return t
}

// PrintNumber writes the number of an act as a language does: "55.19" in Arabic,
// where a hyphen would turn the parts round, "55-19" elsewhere.
func (g *Gazette) PrintNumber(n model.Number, l gov.Lang) string {
	lang := g.grammar.Lang(model.Lang(g.threeLetters(l)))
	if lang == nil || lang.NumberMark == "" {
		return string(n)
	}
	return strings.ReplaceAll(string(n), "-", lang.NumberMark)
}
