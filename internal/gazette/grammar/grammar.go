package grammar

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"unicode"
	"unicode/utf8"

	"diwan/internal/gazette/model"
)

// Grammar is a compiled Config. It is safe for concurrent use.
type Grammar struct {
	Config Config
	vocab  map[string]int32
	digits map[rune]int
	kinds  map[string]int // index of a kind by id
	langs  map[model.Lang]*Lang
	closes map[rune]rune // opening quotation mark -> closing one
	opens  map[rune]bool // closing marks too
	marks  *trie         // of editions
	pool   *sync.Pool
	table  [tableSize]uint16
}

// Lang holds the matchers of one language.
type Lang struct {
	Code model.Lang
	g    *Grammar
	*Language
	script *unicode.RangeTable

	titles, cited, units, articles, civil, lunar                *trie
	joins, number, dated, subjects, first, glue, unique, prelim *trie
	ordinals, teens, ordinalGlue, repeat, counts, latinRe       *trie
	authorities                                                 *trie
	roles                                                       map[Role]*trie
	relations                                                   []*trie
}

// New compiles a configuration.
func New(c Config) (*Grammar, error) {
	g := &Grammar{Config: c, vocab: map[string]int32{}, digits: map[rune]int{}, kinds: map[string]int{},
		langs: map[model.Lang]*Lang{}, closes: map[rune]rune{}, opens: map[rune]bool{}}
	g.pool = newPool(g)
	for _, set := range c.Digits {
		if utf8.RuneCountInString(set) != 10 {
			return nil, fmt.Errorf("a set of digits has %d characters instead of 10", utf8.RuneCountInString(set))
		}
		v := 0
		for _, r := range set {
			g.digits[r] = v
			v++
		}
	}
	for _, q := range c.Quotes {
		pair := []rune(q)
		if len(pair) != 2 {
			return nil, fmt.Errorf("the quotation marks %q are not a pair", q)
		}
		g.closes[pair[0]], g.opens[pair[1]] = pair[1], true
	}
	g.fillTable()
	for i, k := range c.Kinds {
		if _, twice := g.kinds[k.ID]; twice || k.ID == "" || k.Path == "" {
			return nil, fmt.Errorf("kind %q: it needs an id of its own and a path", k.ID)
		}
		g.kinds[k.ID] = i
	}
	if len(c.Languages) == 0 {
		return nil, errors.New("no language")
	}
	g.marks = newTrie()
	for i, e := range c.Editions {
		g.phrases(g.marks, e.Marks, i)
	}
	for code, l := range c.Languages {
		compiled, err := g.language(code, l)
		if err != nil {
			return nil, fmt.Errorf("language %s: %w", code, err)
		}
		g.langs[code] = compiled
	}
	return g, nil
}

// Lang returns the matchers of a language, nil when the country has no gazette
// in it.
func (g *Grammar) Lang(code model.Lang) *Lang { return g.langs[code] }

// Kind returns a kind by its id.
func (g *Grammar) Kind(id string) (Kind, bool) {
	i, ok := g.kinds[id]
	if !ok {
		return Kind{}, false
	}
	return g.Config.Kinds[i], true
}

// Detect looks at so many windows of so many bytes, spread over the text.
const detectWindows, detectWindow = 48, 128

// Detect returns the language in whose script most of a text is written, judged
// by samples from all of it.
func (g *Grammar) Detect(text string) model.Lang {
	codes := make([]model.Lang, 0, len(g.langs))
	for c := range g.langs {
		codes = append(codes, c)
	}
	slices.Sort(codes)
	counts := make([]int, len(codes))
	step := max(len(text)/detectWindows, detectWindow)
	for at := 0; at < len(text); at += step {
		for _, r := range text[at:min(at+detectWindow, len(text))] {
			if g.charBits(r)&isWord == 0 {
				continue
			}
			for k, c := range codes {
				if unicode.Is(g.langs[c].script, r) {
					counts[k]++
				}
			}
		}
	}
	best := 0
	for k := range codes {
		if counts[k] > counts[best] {
			best = k
		}
	}
	return codes[best]
}

// OpensQuote tells whether a character opens a quotation, and what closes it.
// A mark that does both opens one.
func (g *Grammar) OpensQuote(r rune) (closes rune, ok bool) {
	closes, ok = g.closes[r]
	return closes, ok
}

// QuoteMark tells whether a character is a quotation mark of any kind.
func (g *Grammar) QuoteMark(r rune) bool { return g.charBits(r)&isQuote != 0 }

// Stop tells whether a character ends a sentence or a clause.
func (g *Grammar) Stop(r rune) bool { return g.charBits(r)&isStop != 0 }

func (g *Grammar) phrases(t *trie, list []string, value int) {
	for _, p := range list {
		if ids := g.learn(p); len(ids) > 0 {
			t.add(ids, value)
		}
	}
}

// learn takes the words of a phrase into the vocabulary and returns its tokens.
func (g *Grammar) learn(phrase string) []int32 {
	s := Scanner{g, nil}
	var ids []int32
	for _, t := range s.Tokens(nil, phrase, 0, 32) {
		if t.ID < 0 {
			ids = append(ids, t.ID)
			continue
		}
		w := fold(phrase[t.Start:t.End])
		if t.Num {
			return nil // numbers are matched by value, not as words
		}
		if g.vocab[w] == 0 {
			g.vocab[w] = int32(len(g.vocab) + 1)
		}
		ids = append(ids, g.vocab[w])
	}
	return ids
}

func (g *Grammar) list(words []string) *trie {
	t := newTrie()
	g.phrases(t, words, 0)
	return t
}

func (g *Grammar) months(list [][]string, want bool) (*trie, error) {
	if len(list) != 12 && (want || len(list) != 0) {
		return nil, fmt.Errorf("%d months instead of 12", len(list))
	}
	t := newTrie()
	for i, names := range list {
		g.phrases(t, names, i+1)
	}
	return t, nil
}

func (g *Grammar) byNumber(m map[string][]string, highest int) (*trie, error) {
	t := newTrie()
	for _, k := range slices.Sorted(maps.Keys(m)) {
		names := m[k]
		n, err := strconv.Atoi(k)
		if err != nil || n < 1 || n > highest {
			return nil, fmt.Errorf("%q is not a number from 1 to %d", k, highest)
		}
		g.phrases(t, names, n)
	}
	return t, nil
}

func (g *Grammar) language(code model.Lang, c *Language) (*Lang, error) {
	l := &Lang{Code: code, g: g, Language: c, roles: map[Role]*trie{}}
	if l.script = unicode.Scripts[c.Script]; l.script == nil {
		return nil, fmt.Errorf("there is no script %q", c.Script)
	}
	var err error
	if l.civil, err = g.months(c.CivilMonths, true); err != nil {
		return nil, err
	}
	if l.lunar, err = g.months(c.LunarMonths, false); err != nil {
		return nil, err
	}
	if l.ordinals, err = g.byNumber(c.Ordinals, 900); err != nil {
		return nil, err
	}
	if l.counts, err = g.byNumber(c.RepeatCounts, len(g.Config.Repeats)); err != nil {
		return nil, err
	}
	l.titles, l.cited, l.units, l.articles, l.latinRe = newTrie(), newTrie(), newTrie(), newTrie(), newTrie()
	for _, id := range slices.Sorted(maps.Keys(c.Kinds)) { // in one order: a name that two kinds share goes to one of them, always the same
		names := c.Kinds[id]
		i, ok := g.kinds[id]
		if !ok {
			return nil, fmt.Errorf("there is no kind %q", id)
		}
		g.phrases(l.titles, names.Titles, i)
		g.phrases(l.cited, names.Cited, i)
	}
	for i, u := range c.Units {
		g.phrases(l.units, u.Names, i)
	}
	for i, a := range c.Articles {
		g.phrases(l.articles, a.Names, i)
	}
	for i, r := range g.Config.Repeats {
		g.phrases(l.latinRe, []string{r}, i+1)
	}
	l.joins = g.list(c.NumberJoins)
	l.number, l.dated, l.subjects = g.list(c.NumberWords), g.list(c.Dated), g.list(c.Subjects)
	l.first, l.glue = g.list(c.FirstDay), g.list(c.DateGlue)
	l.unique, l.prelim = g.list(c.Unique), g.list(c.Preliminary)
	l.teens, l.ordinalGlue, l.repeat = g.list(c.Teens), g.list(c.OrdinalGlue), g.list(c.RepeatWords)
	l.authorities = g.list(c.Authorities)
	for role := range c.Phrases {
		if !slices.Contains(roles, role) {
			return nil, fmt.Errorf("there is no role %q of formulas", role)
		}
	}
	for _, role := range roles {
		l.roles[role] = g.list(c.Phrases[role])
	}
	for _, r := range model.Relations {
		l.relations = append(l.relations, g.list(c.Relations[r]))
	}
	return l, nil
}

// Match returns how many of the tokens a formula of a role takes at their
// beginning, 0 when none stands there.
func (l *Lang) Match(role Role, toks []Token) int {
	_, n := l.roles[role].match(toks)
	return n
}

// Find returns the first place in the tokens where a formula of a role stands,
// -1 when none does.
func (l *Lang) Find(role Role, toks []Token) (at, n int) {
	t := l.roles[role]
	for i := range toks {
		if _, n := t.match(toks[i:]); n > 0 {
			return i, n
		}
	}
	return -1, 0
}

// MatchRelation returns the relation that a formula at the beginning of the
// tokens expresses; of two equally long ones the stronger.
func (l *Lang) MatchRelation(toks []Token) (r model.Relation, n int) {
	for i, t := range l.relations {
		if _, m := t.match(toks); m > 0 && m >= n {
			r, n = model.Relations[i], m
		}
	}
	return r, n
}

// MatchAuthority returns how many tokens name an authority at the beginning.
func (l *Lang) MatchAuthority(toks []Token) int {
	_, n := l.authorities.match(toks)
	return n
}

// MatchKind returns the kind whose name stands at the beginning of the tokens,
// as other texts cite it, or as titles name it.
func (l *Lang) MatchKind(toks []Token) (kind string, n int) {
	i, n := l.cited.match(toks)
	if k, m := l.titles.match(toks); m > n {
		i, n = k, m
	}
	if n == 0 {
		return "", 0
	}
	return l.g.Config.Kinds[i].ID, n
}

// MatchEdition returns the edition whose mark stands among the tokens.
func (g *Grammar) MatchEdition(toks []Token) (string, bool) {
	for i := range toks {
		if v, n := g.marks.match(toks[i:]); n > 0 {
			return g.Config.Editions[v].ID, true
		}
	}
	return "", false
}
