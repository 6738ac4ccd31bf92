package search

import (
	"strings"
	"unicode/utf8"

	"diwan/internal/retrieval"
)

const (
	snippetRunes     = 260
	maxSnippetSource = 16 << 10
)

// analyzed keeps the places of words in the text, which the index does not need.
var analyzed = retrieval.NewAnalyzer(retrieval.StemAnalyzer)

// stretch is how much of a long text is looked at word by word, in bytes.
const stretch = 3 << 10

// promising returns the bounds of the stretch of a text in which most of the
// words stand letter by letter, or the whole text where none does: taking a long
// text apart word by word costs more than all the rest of a search.
func promising(text string, words []string) (from, to int) {
	if len(text) <= stretch {
		return 0, len(text)
	}
	most := 0
	to = len(text)
	for at := 0; at < len(text); at += stretch / 2 {
		end := min(at+stretch, len(text))
		n := 0
		for _, w := range words {
			if strings.Contains(text[at:end], w) {
				n++
			}
		}
		if n > most {
			most, from, to = n, at, end
		}
	}
	return wordStart(text, from), wordEnd(text, to)
}

// Snippet returns the part of a text in which most of the wanted stems stand,
// about n characters, with the words that have these stems marked: in Arabic a
// word is marked in any of its forms. It is cut between words. Of a long text, the
// stretch is looked at in which most of the words stand as they are written.
func Snippet(text string, words []string, stems map[string]float64, n int) []Run {
	type match struct {
		start, end int
		stem       string
	}
	var found []match
	first, last := promising(text, words)
	for _, t := range analyzed.Analyze([]byte(text[first:last])) {
		if s := string(t.Term); stems[s] > 0 {
			start := first + t.Start
			if k := len(found); k > 0 && found[k-1].start == start {
				continue // the parts of a word that was glued together
			}
			found = append(found, match{start, first + t.End, s})
		}
	}
	width := n * len(text) / max(1, utf8.RuneCountInString(text)) // bytes of n characters here
	from, best := 0, 0.0
	for i := range found {
		seen := map[string]bool{}
		sum := 0.0
		for j := i; j < len(found) && found[j].end-found[i].start <= width*3/4; j++ {
			if !seen[found[j].stem] {
				seen[found[j].stem] = true
				sum += stems[found[j].stem]
			}
		}
		if sum > best {
			best, from = sum, found[i].start
		}
	}
	start := 0
	if from > width/4 && len(text) > width {
		start = wordStart(text, max(0, min(from-width/5, len(text)-width)))
	}
	end := wordEnd(text, min(len(text), start+width))
	var out []Run
	add := func(s string, mark bool) {
		if s != "" {
			out = append(out, Run{s, mark})
		}
	}
	at := start
	if start > 0 {
		add("… ", false)
	}
	for _, m := range found {
		if m.start < at || m.end > end {
			continue
		}
		add(text[at:m.start], false)
		add(text[m.start:m.end], true)
		at = m.end
	}
	add(text[at:end], false)
	if end < len(text) {
		add(" …", false)
	}
	return out
}

// wordStart is the first beginning of a word at or after a byte.
func wordStart(s string, i int) int {
	for i > 0 && i < len(s) && s[i-1] != ' ' {
		i++
	}
	return min(i, len(s))
}

// wordEnd is the last end of a word at or before a byte.
func wordEnd(s string, i int) int {
	for j := i; j < len(s) && j > 0; j-- {
		if s[j] == ' ' {
			return j
		}
	}
	return cutAt(s, i)
}
