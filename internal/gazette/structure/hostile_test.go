//go:build !race

package structure

import (
	"strconv"
	"strings"
	"testing"

	"diwan/internal/gazette/model"
)

// Texts made to be slow take no more than linear time; the test's own time limit
// would show a quadratic one.
func TestHostileTexts(t *testing.T) {
	g := testGrammar(t)
	many := func(s string, n int) string { return strings.Repeat(s, n) }
	for name, body := range map[string]string{
		"articles that repeat": many("Article 1\n", 200_000),
		"articles that rise":   rising(100_000),
		"titles":               many("Loi n° 1-20 relative à rien\n\n", 100_000),
		"titles, numbered":     many("Loi n° 1-20 relative à rien\nArticle premier\nRien.\n\nDécret n° 2-20-1 relatif à rien\nArticle premier\nRien.\n\n", 30_000),
		"footnotes":            many("1 - Bulletin officiel n° 4000\n", 200_000),
		"footnotes inside":     many("texte 1- Bulletin officiel n° 4000\n", 100_000),
		"quotation marks":      many("« texte\n", 200_000),
		"chapters":             many("Chapitre premier\nTitre premier\n", 100_000),
		"one long line":        many("Article 1 ", 200_000),
		"gaps":                 many("Article 1\ntexte. Article 9\nArticle 30\n", 50_000),
		"closings":             many("Fait à Rabat, le 3 mars 2020\n", 200_000),
		"annexes":              many("Annexe 1\n", 100_000),
		"points":               "Article 1\ntexte :\n" + many("- point\n", 200_000),
		"amending":             many("est modifié comme suit :\nArticle 5 bis\n", 100_000),
		"dahirs":               many("Dahir n° 1-20-1 portant promulgation de la loi n° 1-20\nVu la Constitution,\nFait à Rabat, le 3 mars 2020\nLoi n° 1-20 relative à rien\nArticle premier\nRien.\n", 20_000),
		"enacting":             "Décret n° 2-20-1 relatif à rien\n" + many("DÉCRÈTE :\nVu rien,\n", 100_000),
		"lost labels":          many("Article\n", 200_000),
		"blank":                many("\n", 1_000_000),
	} {
		t.Run(name, func(t *testing.T) {
			doc := Parse(&model.Text{Body: body}, g, Options{})
			for _, fault := range Check(body, doc) {
				t.Error(fault)
			}
		})
	}
}

func rising(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString("Article ")
		b.WriteString(strconv.Itoa(i + 1))
		b.WriteString("\nTexte.\n")
	}
	return b.String()
}
