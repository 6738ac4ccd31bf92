package grammar

import (
	"unicode"
	"unicode/utf8"

	"diwan/internal/gazette/model"
	"diwan/lexis"
)

// ArticleHead is the head of an article.
type ArticleHead struct {
	Group  int // index of ArticleNames
	Label  Label
	Quoted bool // a quotation mark stands before it
	Paren  bool // a bracket does
	Words  bool // the number is written in words
	Colon  bool // a mark stands between the word and the number
	Name   int  // token of the word for "article"
}

// MatchArticle reads the head of an article at the beginning of the tokens. An
// opening mark may stand before it.
func (l *Lang) MatchArticle(text string, toks []Token) (h ArticleHead, n int) {
	i := 0
	for i < len(toks) && i < 3 && toks[i].ID < 0 {
		switch m := toks[i].Mark(); {
		case l.g.QuoteMark(m):
			h.Quoted = true
		case m == '(' || m == ')':
			h.Paren = true
		case m != '-' && m != '.' && m != '–' && m != '*' && m != '\'':
			return h, 0
		}
		i++
	}
	v, m := l.articles.match(toks[i:])
	if m == 0 {
		return h, 0
	}
	h.Group, h.Name = v, i
	i += m
	lab, m, words := l.MatchLabel(text, toks[i:])
	if m == 0 {
		// "the only article", with the word before: "unique article" is not written.
		return h, 0
	}
	h.Label, h.Words, h.Colon = lab, words, toks[i].Mark() == ':' || toks[i].Mark() == '-' || toks[i].Mark() == '–'
	return h, i + m
}

// MatchArticleWord returns how many tokens the word for "article" alone takes,
// for labels whose number was lost.
func (l *Lang) MatchArticleWord(toks []Token) (group, n int) {
	return l.articles.match(toks)
}

// UnitHead is the head of a unit above the article.
type UnitHead struct {
	Unit  int // index of UnitNames
	Label Label
}

// MatchUnit reads the head of a book, title, chapter or section at the
// beginning of the tokens.
func (l *Lang) MatchUnit(text string, toks []Token) (h UnitHead, n int) {
	if v, m := l.units.match(toks); m > 0 {
		lab, k, _ := l.MatchLabel(text, toks[m:])
		if k == 0 {
			return h, 0
		}
		return UnitHead{v, lab}, m + k
	}
	if v, m := l.ordinal(toks); m > 0 {
		if u, k := l.units.match(toks[m:]); k > 0 && l.Units[u].OrdinalFirst {
			return UnitHead{u, Label{N: int32(v)}}, m + k
		}
	}
	return h, 0
}

// Title is what the title of an act says.
type Title struct {
	Kind   string
	Number model.Number
	Dates  Dates
	// Cited: named as other texts cite it, as covers do ("the law No…").
	Cited bool
	// Lower: it begins in lower case, where the script has cases.
	Lower bool
	// Subject is the token at which its subject begins; len(tokens) when none.
	Subject int
	// Carries: it promulgates or publishes another act.
	Carries bool
}

// How far number or date may stand from the kind: an order names its minister
// first.
const titleNear, titleReach = 4, 40

// MatchTitle reads the title of an act at the beginning of the tokens: a kind,
// and a number or a date. n is how many tokens prove it.
func (l *Lang) MatchTitle(text string, toks []Token) (t Title, n int) {
	k, m := l.titles.match(toks)
	if c, cm := l.cited.match(toks); cm > m {
		k, m, t.Cited = c, cm, true
	}
	if m == 0 {
		return t, 0
	}
	kind := l.g.Config.Kinds[k]
	t.Kind = kind.ID
	first, _ := utf8.DecodeRuneInString(text[toks[0].Start:])
	t.Lower = unicode.IsLower(first)
	reach := titleNear
	if kind.Authored {
		reach = titleReach
	}
	end := l.titleNumber(text, toks, m, reach, &t)
	if end == 0 && kind.Unnumbered {
		end = m
	}
	if end == 0 {
		return t, 0
	}
	t.Subject = l.subject(toks, end)
	for i := m; i < len(toks); i++ {
		if c := l.Match(Promulgates, toks[i:]); c > 0 {
			t.Carries = kind.Carries
			break
		}
	}
	return t, end
}

// titleNumber looks for number and date after the kind's name, which ends at
// token i, and returns where the last of them ends; 0 when there is none.
func (l *Lang) titleNumber(text string, toks []Token, i, reach int, t *Title) int {
	end := 0
	for k := i; k < min(len(toks), i+titleReach); k++ {
		if end > 0 && k > end+6 || end == 0 && k > i+reach {
			break
		}
		if t.Number == "" {
			if num, n := l.MatchNumber(text, t.Kind, toks[k:]); n > 0 && (k == i || l.MatchNumberWord(toks[k:]) > 0) {
				if d, dn := l.MatchDate(text, toks[k:]); dn == 0 || d.Civil == "" || len(num.Parts()) > 1 && l.MatchNumberWord(toks[k:]) > 0 {
					t.Number, end = num, k+n
					k += n - 1
					continue
				}
			}
		}
		if t.Dates.Civil == "" && t.Dates.Lunar.Year == 0 {
			_, n := l.dated.match(toks[k:])
			if n == 0 && !(toks[k].Num && k == end) {
				if _, sub := l.subjects.match(toks[k:]); sub > 0 && (end > 0 || k == i) {
					break // its subject begins: dates from here on are others'
				}
				continue
			}
			if d, dn := l.MatchDate(text, toks[k+n:]); dn > 0 {
				t.Dates, end = d, k+n+dn
				k = end - 1
				if t.Number != "" {
					break
				}
			}
		}
	}
	return end
}

func (l *Lang) subject(toks []Token, from int) int {
	for i := from; i < len(toks); i++ {
		if toks[i].ID >= 0 && !toks[i].Num {
			return i
		}
	}
	return len(toks)
}

// MatchIssue reads a reference to an issue of the gazette at the beginning of
// the tokens: its name, number, date and page.
func (l *Lang) MatchIssue(text string, toks []Token) (ref model.IssueRef, n int) {
	n = l.Match(Gazette, toks)
	if n == 0 {
		return ref, 0
	}
	i := n
	for k := i; k < min(len(toks), i+5); k++ {
		w := l.Match(IssueWord, toks[k:])
		j := k + w
		for j < len(toks) && j < k+w+2 && toks[j].ID < 0 {
			j++
		}
		if j >= len(toks) || !toks[j].Num {
			continue
		}
		v, ok := l.g.int(text[toks[j].Start:toks[j].End])
		if !ok || v > 1<<20 {
			break
		}
		ref.Number, i = v, j+1
		if b := l.Match(BisWord, toks[i:]); b > 0 {
			ref.Bis = true
			i += b
		}
		n = i
		break
	}
	for k := i; k < min(len(toks), i+4); k++ {
		if d, m := l.MatchDate(text, toks[k:]); m > 0 {
			ref.Date, ref.Hijri, n = d.Civil, d.Lunar, k+m
			break
		}
	}
	if ref.Number == 0 && ref.Date == "" {
		return model.IssueRef{}, 0
	}
	for k := n; k < min(len(toks), n+3); k++ {
		if w := l.Match(PageWord, toks[k:]); w > 0 {
			for j := k + w; j < min(len(toks), k+w+2); j++ {
				if v, ok := 0, false; toks[j].Num {
					if v, ok = l.g.int(text[toks[j].Start:toks[j].End]); ok {
						ref.Page, n = v, j+1
					}
					break
				}
			}
			break
		}
	}
	for _, e := range l.g.Config.Editions {
		if e.Lang == l.Code {
			ref.Edition = e.ID
			break
		}
	}
	return ref, n
}

// FindIssue returns the first reference to an issue among the tokens.
func (l *Lang) FindIssue(text string, toks []Token) (ref model.IssueRef, at, n int) {
	for i := range toks {
		if ref, n := l.MatchIssue(text, toks[i:]); n > 0 {
			return ref, i, n
		}
	}
	return model.IssueRef{}, 0, 0
}

// HasArticle tells whether the head of an article stands at the beginning of
// the tokens.
func (l *Lang) HasArticle(toks []Token) bool {
	_, n := l.articles.match(toks)
	return n > 0
}

// NearArticle tells whether a word is a misprint of one for "article": no more
// than two letters differ.
func (l *Lang) NearArticle(word string) (group int, ok bool) {
	f := fold(word)
	if len(f) > maxWord || utf8.RuneCountInString(f) < 4 {
		return 0, false
	}
	for i, a := range l.Articles {
		for _, name := range a.Names {
			if n := fold(name); !a.Weak && utf8.RuneCountInString(n) > 4 && lexis.Distance(f, n, 2) <= 2 {
				return i, true
			}
		}
	}
	return 0, false
}
