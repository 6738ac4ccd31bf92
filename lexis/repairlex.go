package lexis

import (
	_ "embed"
	"strings"
	"sync"
)

//go:embed data/arabic-repair.txt
var repairData string

//go:embed data/arabic-words.txt
var wordData string

// repairLexicon is what the repair knows about words. It is built once, on
// first use, and never changed after, so any number of goroutines may read.
type repairLexicon struct {
	swap     map[string]string // damaged stem -> right stem
	bound    map[string]string // the same for stems that need a pronoun after them
	exact    map[string]string // damaged whole word -> right word
	verb     map[string]bool   // verbs that end like a damaged plural
	feminine map[string]bool   // nouns whose -t form looks like a damaged plural
	keep     map[string]bool   // right words that begin like a damaged one
	wasl     map[string]bool   // words with a joining alef at their head
	hamza    map[string]bool   // words with a hamza-bearing alef at their head
	context  map[string][]contextRule
	form     map[string]string // whole words no rule reaches
	month    map[string]bool   // names of months, of both calendars
	unit     map[string]bool   // names of parts of an article
	words    map[string]bool   // frequent words, right spelling

	parted, fixed *wordCache // what was decided for a word before
}

// contextRule decides a form that is a good word both ways.
type contextRule struct {
	right   string
	article byte // 'b' only without article, 'a' only with it, 0 both
	kind    string
	words   []string
}

var loadRepair = sync.OnceValue(func() *repairLexicon { return parseRepair(repairData, wordData) })

// damageWord does to a word what the extraction of old print files does:
// each lam followed by an alef comes out in the other order.
func damageWord(w string) string {
	rs := []rune(w)
	for i := 0; i+1 < len(rs); i++ {
		if rs[i] == lam && isAlef(rs[i+1]) {
			rs[i], rs[i+1] = rs[i+1], rs[i]
			i++
		}
	}
	return string(rs)
}

func parseRepair(data, words string) *repairLexicon {
	x := &repairLexicon{
		swap: make(map[string]string, 4096), bound: make(map[string]string, 256),
		exact: make(map[string]string, 32), verb: make(map[string]bool, 64),
		feminine: make(map[string]bool, 64), keep: make(map[string]bool, 256),
		wasl: make(map[string]bool, 512), hamza: make(map[string]bool, 1024),
		context: make(map[string][]contextRule, 32), form: make(map[string]string, 16),
		month: make(map[string]bool, 64), unit: make(map[string]bool, 16),
		words:  make(map[string]bool, 16384),
		parted: newWordCache(), fixed: newWordCache(),
	}
	for w := range strings.Lines(words) {
		if w = strings.TrimSpace(w); w != "" && w[0] != '#' {
			x.words[w] = true
		}
	}
	section := ""
	for line := range strings.Lines(data) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '[' {
			section = line
			continue
		}
		x.add(section, line)
	}
	for w := range x.feminine { // their forms with a pronoun are right as they stand
		delete(x.swap, strings.TrimSuffix(w, string(tehMarbuta))+string(teh))
	}
	return x
}

func (x *repairLexicon) add(section, line string) {
	switch section {
	case "[swap]":
		x.addSwap(line)
	case "[exact]":
		x.exact[safeWord(damageWord(line))] = line
	case "[verb]":
		x.verb[line] = true
	case "[feminine]":
		x.feminine[line] = true
	case "[keep]":
		x.keep[line] = true
	case "[wasl]":
		x.wasl[line] = true
	case "[hamza]":
		x.hamza[line] = true
	case "[month]":
		x.month[line] = true
	case "[unit]":
		x.unit[line] = true
	case "[form]":
		if a, b, ok := strings.Cut(line, " "); ok {
			x.form[a] = b
		}
	case "[context]":
		f := strings.Fields(line)
		if len(f) < 3 {
			return
		}
		r := contextRule{right: f[0], words: f[2:], kind: f[1]}
		if k, ok := strings.CutPrefix(r.kind, "bare-"); ok {
			r.kind, r.article = k, 'b'
		} else if k, ok := strings.CutPrefix(r.kind, "art-"); ok {
			r.kind, r.article = k, 'a'
		}
		d := safeWord(damageWord(r.right))
		x.context[d] = append(x.context[d], r)
	}
}

// addSwap files a right stem under its damaged form, and beside it the
// forms in which an ending makes or hides another pair of lam and alef.
func (x *repairLexicon) addSwap(w string) {
	put := func(m map[string]string, right string) {
		if d := safeWord(damageWord(right)); d != right {
			m[d] = right
		}
	}
	put(x.swap, w)
	if stem, ok := strings.CutSuffix(w, string(tehMarbuta)); ok {
		put(x.bound, stem+string(teh))
		put(x.swap, stem+string(alef)+string(teh))
	}
	if strings.HasSuffix(w, string(lam)) {
		for _, end := range [...]string{string(alef), string([]rune{alef, teh}), string([]rune{alef, noon})} {
			put(x.swap, w+end)
		}
	}
}
