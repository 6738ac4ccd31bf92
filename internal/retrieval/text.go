package retrieval

import (
	"unicode/utf8"

	"diwan/lexis"
)

// eachWord calls f for the words of a text in order, the parts of a glued word
// one by one.
func eachWord(text string, f func(*word)) {
	for len(text) > 0 {
		head := cutText(text, lexis.MaxInput)
		for _, t := range lexis.Tokenize(head) {
			w := wordOf(t.Text, t.Script)
			if len(w.parts) == 0 {
				f(w)
				continue
			}
			for _, p := range w.parts {
				f(p)
			}
		}
		text = text[len(head):]
	}
}

// cutText returns at most n bytes of a text, cut between characters.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := n; i > n-utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			return s[:i]
		}
	}
	return s[:n]
}
