package retrieval

import (
	_ "embed"
	"strings"
	"sync"
	"unicode"

	"diwan/lexis"
)

//go:embed data/cues-fr.txt
var cueText string

// cues finds which of a list of phrases a text has. Phrases are told apart by
// their first word.
type cues struct {
	names  []string
	exact  map[string][]phrase
	prefix []phrase // the first word has any ending
	suffix []phrase // the first word has any beginning
}

// phrase is one way to say a cue.
type phrase struct {
	cue   int
	first bool // only among the first words of the text
	words []string
}

// firstWords is how many words of a text are its beginning.
const firstWords = 25

type cueLists struct{ question, text cues }

var loadCues = sync.OnceValue(func() *cueLists {
	l := &cueLists{}
	var now *cues
	for line := range strings.Lines(cueText) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "# ") && !strings.Contains(line, "]") && now == nil:
		case line[0] == '[':
			side, name, _ := strings.Cut(strings.Trim(line, "[]"), " ")
			if now = &l.text; side == "question" {
				now = &l.question
			}
			now.names = append(now.names, name)
		default:
			now.add(line)
		}
	}
	return l
})

func (c *cues) add(line string) {
	p := phrase{cue: len(c.names) - 1}
	if s, ok := strings.CutPrefix(line, "^"); ok {
		p.first, line = true, s
	}
	p.words = strings.Fields(line)
	head := p.words[0]
	switch {
	case strings.HasSuffix(head, "*"):
		p.words[0] = strings.TrimSuffix(head, "*")
		c.prefix = append(c.prefix, p)
	case strings.HasPrefix(head, "*"):
		p.words[0] = strings.TrimPrefix(head, "*")
		c.suffix = append(c.suffix, p)
	default:
		if c.exact == nil {
			c.exact = map[string][]phrase{}
		}
		c.exact[head] = append(c.exact[head], p)
	}
}

// find marks the cues that a text has anywhere, and those it has among its
// first words.
func (c *cues) find(words []string) (anywhere, early []bool) {
	anywhere, early = make([]bool, len(c.names)), make([]bool, len(c.names))
	mark := func(i int, p *phrase, start int) {
		if p.first && i > start || len(words)-i < len(p.words) {
			return
		}
		for j := 1; j < len(p.words); j++ {
			if words[i+j] != p.words[j] {
				return
			}
		}
		anywhere[p.cue] = true
		early[p.cue] = early[p.cue] || i < firstWords
	}
	for i, w := range words {
		for j := range c.exact[w] {
			mark(i, &c.exact[w][j], 2)
		}
		for j := range c.prefix {
			if p := &c.prefix[j]; !anywhere[p.cue] && strings.HasPrefix(w, p.words[0]) {
				mark(i, p, 2)
			}
		}
		for j := range c.suffix {
			if p := &c.suffix[j]; len(w) > 4 && (!anywhere[p.cue] || i < firstWords) && strings.HasSuffix(w, p.words[0]) {
				mark(i, p, 2)
			}
		}
	}
	return anywhere, early
}

// textWords are the words of a document as the cues know them: glued words are
// parted, elided ones cut off.
func textWords(text string) []string {
	const limit = 400
	out := make([]string, 0, 128)
	eachWord(text, func(w *word) {
		switch {
		case len(out) >= limit:
		case w.script == lexis.Number:
			out = append(out, "#")
		default:
			out = append(out, w.text)
		}
	})
	return out
}

// plainWords folds a text for the cues: apostrophes part words, numbers become
// one sign, and the adverb of place keeps its accent, which tells it from
// the conjunction.
func plainWords(text string) []string {
	const limit = 400
	out := make([]string, 0, 64)
	for _, f := range strings.FieldsFunc(text[:min(len(text), 1<<14)], func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '€'
	}) {
		switch {
		case f[0] >= '0' && f[0] <= '9':
			f = "#"
		case strings.EqualFold(f, "où"):
			f = "où"
		default:
			f = lexis.FoldFrench(f)
		}
		if out = append(out, f); len(out) >= limit {
			break
		}
	}
	return out
}
