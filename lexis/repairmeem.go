package lexis

import "strings"

// meemMarks are words that prove the second defect of print fonts: the ligature
// of lam and meem comes out in the wrong order, most often behind the article.
// No Arabic word begins so.
var meemMarks = [...]string{
	"\u0627\u0645\u0644\u0627\u062f\u0629", // the article (of a law)
	"\u0627\u0645\u0644\u062a\u0639\u0644\u0642",
	"\u0627\u0645\u0644\u0630\u0643\u0648\u0631",
	"\u0627\u0645\u0644\u0634\u0627\u0631",
	"\u0627\u0645\u0644\u063a\u0631\u0628",
	"\u0627\u0645\u0644\u0646\u0635\u0648\u0635",
}

// meem rights lam and meem behind an article or a joined preposition, in a text
// that holds a word which only the damage explains.
func (c *counts) meem(s string) string {
	found := false
	for _, m := range meemMarks {
		found = found || strings.Contains(s, m)
	}
	if !found {
		return s
	}
	x := loadRepair()
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		start, end := nextWord(s, i)
		b.WriteString(s[i:start])
		if start == end {
			break
		}
		w := s[start:end]
		if n := x.fixMeem(w); n != w {
			c.lamMeem++
			w = n
		}
		b.WriteString(w)
		i = end
	}
	return b.String()
}

const (
	meemArticle = "\u0627\u0645\u0644" // alef, meem, lam: the article before a meem
	meemJoined  = "\u0644\u0645\u0644" // lam, meem, lam: "for the" before a meem
)

// fixMeem returns the right form of a word of such a text. A word that is known
// as it stands is left alone.
func (x *repairLexicon) fixMeem(w string) string {
	at := strings.Index(w, meemArticle)
	right := "\u0627\u0644\u0645"
	if at < 0 || at > 6 {
		if at = strings.Index(w, meemJoined); at < 0 || at > 4 {
			return w
		}
		right = "\u0644\u0644\u0645"
	}
	for _, r := range w[:at] {
		if r != waw && r != feh && r != beh && r != kaf {
			return w
		}
	}
	rest := w[at+len(meemArticle):]
	if len(rest) < 4 || x.words[w] || x.words[w[at:]] || x.keep[w[at:]] {
		return w
	}
	return w[:at] + right + rest
}
