package grammar

import (
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"diwan/lexis"
)

// Token is a word, a number or a mark of a text.
type Token struct {
	// ID is positive for a word that the grammar knows, zero for another word
	// and for a number, and minus the character for a mark.
	ID         int32
	Num        bool
	Start, End int // bytes of the text
}

// Mark returns the character of a token that is neither word nor number.
func (t Token) Mark() rune {
	if t.ID < 0 {
		return rune(-t.ID)
	}
	return 0
}

// maxWord bounds the words that are looked up; longer ones are unknown.
const maxWord = 64

// maxMemo bounds the words a scanner remembers.
const maxMemo = 1 << 15

// Scanner cuts text into tokens. It remembers the words it has seen and is not
// safe for concurrent use; take one from Grammar.Scanner and give it back.
type Scanner struct {
	g    *Grammar
	memo map[string]int32
}

// Scanner returns a scanner.
func (g *Grammar) Scanner() *Scanner { return g.pool.Get().(*Scanner) }

// Release gives a scanner back for others to use.
func (s *Scanner) Release() { s.g.pool.Put(s) }

func newPool(g *Grammar) *sync.Pool {
	return &sync.Pool{New: func() any { return &Scanner{g, map[string]int32{}} }}
}

// fold brings the spellings of one word together.
func fold(w string) string {
	ascii, arabic := true, false
	for _, r := range w {
		if r >= 0x80 {
			ascii = false
		}
		if unicode.Is(unicode.Arabic, r) {
			arabic = true
		}
	}
	switch {
	case ascii:
		return strings.ToLower(w)
	case arabic:
		return lexis.NormalizeArabic(w)
	}
	return lexis.FoldFrench(w)
}

func (s *Scanner) word(w string) int32 {
	if len(w) > maxWord {
		return 0
	}
	if id, ok := s.memo[w]; ok {
		return id
	}
	id := s.g.vocab[fold(w)]
	if s.memo != nil && len(s.memo) < maxMemo {
		s.memo[strings.Clone(w)] = id
	}
	return id
}

// What a character can be in a text, as bits.
const (
	isSpace = 1 << iota
	isIgnored
	isDigit
	isWord
	isJoiner // stands inside a word without being seen
	isQuote
	isStop
	isSeparator
	isLatin
)

// tableSize covers the scripts most texts are in; other characters are looked
// up in Unicode's tables.
const tableSize = 0x2100

// kinds of characters are told once for all that are common.
func (g *Grammar) fillTable() {
	for r := range rune(tableSize) {
		g.table[r] = g.bits(r)
	}
}

func (g *Grammar) charBits(r rune) uint16 {
	if r < tableSize {
		return g.table[r]
	}
	return g.bits(r)
}

func (g *Grammar) bits(r rune) (b uint16) {
	if unicode.IsSpace(r) {
		b |= isSpace
	}
	// Characters without width, and glyphs of a printer's own font, the bullets
	// of lists most of all, say nothing.
	if r == utf8.RuneError || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Co, r) {
		b |= isIgnored
		if unicode.Is(unicode.Cf, r) && r != 0xAD {
			b |= isJoiner
		}
	}
	if g.digit(r) >= 0 {
		b |= isDigit
	}
	if unicode.IsLetter(r) || unicode.Is(unicode.Mn, r) {
		b |= isWord
		if unicode.Is(unicode.Latin, r) {
			b |= isLatin
		}
	}
	if _, opens := g.closes[r]; opens || g.opens[r] {
		b |= isQuote
	}
	if strings.ContainsRune(g.Config.Stops, r) {
		b |= isStop
	}
	if strings.ContainsRune(g.Config.Separators, r) {
		b |= isSeparator
	}
	return b
}

// next decodes the character at i; it is written out for the two-byte ones,
// which Arabic is made of.
func next(s string, i int) (rune, int) {
	c := s[i]
	if c < utf8.RuneSelf {
		return rune(c), 1
	}
	if 0xC2 <= c && c < 0xE0 && i+1 < len(s) && s[i+1]&0xC0 == 0x80 {
		return rune(c&0x1F)<<6 | rune(s[i+1]&0x3F), 2
	}
	return utf8.DecodeRuneInString(s[i:])
}

// Tokens appends up to limit tokens of s to dst. Their places are those in s
// plus base.
func (s *Scanner) Tokens(dst []Token, text string, base, limit int) []Token {
	g := s.g
	for i := 0; i < len(text) && limit > 0; {
		r, n := next(text, i)
		end := i + n
		bits := g.charBits(r)
		switch {
		case bits&(isSpace|isIgnored) != 0:
			i = end
			continue
		case bits&isDigit != 0:
			end = s.number(text, end)
			dst = append(dst, Token{0, true, base + i, base + end})
		case bits&isWord != 0:
			for end < len(text) {
				r, n := next(text, end)
				b := g.charBits(r)
				if b&(isWord|isJoiner) == 0 || b&isWord != 0 && unlike(bits, b, r) {
					break
				}
				end += n
			}
			dst = append(dst, Token{s.word(text[i:end]), false, base + i, base + end})
		default:
			if r == '\u2019' {
				r = '\'' // the two apostrophes are one mark
			}
			dst = append(dst, Token{-int32(r), false, base + i, base + end})
		}
		limit--
		i = end
	}
	return dst
}

// unlike tells whether a letter is of another script than the word it touches:
// words of two scripts run into each other where a space was lost. Marks that
// combine with any letter belong to both.
func unlike(first, b uint16, r rune) bool {
	return (first^b)&isLatin != 0 && !unicode.Is(unicode.Mn, r)
}

// number returns where a number ends whose first digit ends at i: digits, and a
// separator between two of them.
func (s *Scanner) number(text string, i int) int {
	for i < len(text) {
		r, n := next(text, i)
		b := s.g.charBits(r)
		if b&isDigit != 0 {
			i += n
			continue
		}
		if b&isSeparator == 0 || i+n >= len(text) {
			break
		}
		r, m := next(text, i+n)
		if s.g.charBits(r)&isDigit == 0 {
			break
		}
		i += n + m
	}
	return i
}

// digit returns the value of a digit, -1 for other characters.
func (g *Grammar) digit(r rune) int {
	if r < utf8.RuneSelf {
		if '0' <= r && r <= '9' {
			return int(r - '0')
		}
		return -1
	}
	if v, ok := g.digits[r]; ok {
		return v
	}
	return -1
}

func (g *Grammar) separator(r rune) bool { return g.charBits(r)&isSeparator != 0 }

// trie finds the longest of many phrases at a place.
type trie struct {
	next  map[int32]*trie
	value int // -1 inside a phrase
}

func newTrie() *trie { return &trie{value: -1} }

func (t *trie) add(ids []int32, value int) {
	for _, id := range ids {
		n := t.next[id]
		if n == nil {
			if t.next == nil {
				t.next = map[int32]*trie{}
			}
			n = newTrie()
			t.next[id] = n
		}
		t = n
	}
	t.value = value
}

// match returns the value of the longest phrase that begins the tokens and how
// many tokens it has; 0 tokens when there is none.
func (t *trie) match(toks []Token) (value, n int) {
	for i := range toks {
		if toks[i].ID == 0 {
			break
		}
		t = t.next[toks[i].ID]
		if t == nil {
			break
		}
		if t.value >= 0 {
			value, n = t.value, i+1
		}
	}
	return value, n
}
