package search

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of a query.
const (
	maxQueryBytes = 2000
	maxWords      = 32 // that are looked for; a longer question is cut
	maxNodes      = 200
	maxNesting    = 12
	maxNear       = 50
	defaultNear   = 10
)

// The fields that a query may name, by what people write.
var fieldNames = map[string]string{
	"title": "title", "titre": "title", "number": "number", "numero": "number", "num": "number", "kind": FacetKind, "type": FacetKind,
	"authority": FacetAuthority, "autorite": FacetAuthority, "date": "date", "status": FacetState, "state": FacetState, "etat": FacetState,
	"lang": FacetLang, "langue": FacetLang, "subject": FacetSubject, "article": "article", "year": "date",
}

type op uint8

const (
	opSoft   op = iota // words next to each other: most of them
	opPhrase           // in this order
	opNear             // two nodes within a distance
	opField
	opAnd
	opOr
	opNot
)

// node is a part of a query.
type node struct {
	op    op
	words []string // of opSoft and opPhrase
	field string
	value string
	near  int
	kids  []*node
	loose bool // words of a question: the ranking decides how many must be there
}

// parser reads the query language:
//
//	or   = and { OR and }
//	and  = list { AND list }
//	list = near { near }               words in it are a question, all else is required
//	near = item { NEAR[/n] item }
//	item = [ + | - | NOT ] ( word | "phrase" | field:value | field:"phrase" | ( or ) )
//
// Operators are written in capital letters; a plain question has none and is
// never wrong.
type parser struct {
	toks  []token
	at    int
	nodes int
	depth int
}

type tokenKind uint8

const (
	tokWord tokenKind = iota
	tokQuoted
	tokOpen
	tokClose
	tokAnd
	tokOr
	tokNot
	tokPlus
	tokMinus
	tokNear
	tokField
	tokEnd
)

type token struct {
	kind tokenKind
	text string
	n    int
	pos  int // in characters, from 1
}

// parse reads a query. nil is an empty one.
func parse(text string) (*node, error) {
	if len(text) > maxQueryBytes {
		return nil, &Error{Code: "law.query.long", At: utf8.RuneCountInString(text[:cutAt(text, maxQueryBytes)])}
	}
	toks, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks}
	if p.peek().kind == tokEnd {
		return nil, nil
	}
	n, err := p.or()
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != tokEnd {
		return nil, &Error{"law.query.close", t.pos, t.text}
	}
	return n, nil
}

func cutAt(s string, n int) int {
	for n > 0 && n < len(s) && !utf8.RuneStart(s[n]) {
		n--
	}
	return min(n, len(s))
}

// quotes opens and closes a phrase; typographic ones and guillemets stand in
// what people paste.
func quoteOf(r rune) (closes string, ok bool) {
	switch r {
	case '"', '\u201c', '\u201d':
		return "\"\u201c\u201d", true
	case '\u00ab':
		return "\u00bb", true
	}
	return "", false
}

func lex(text string) ([]token, error) {
	var out []token
	pos := 0
	for i := 0; i < len(text); {
		r, w := utf8.DecodeRuneInString(text[i:])
		pos++
		closes, quoted := quoteOf(r)
		switch {
		case unicode.IsSpace(r) || r == utf8.RuneError || unicode.IsControl(r) || unicode.Is(unicode.Cf, r):
		case quoted:
			end := strings.IndexAny(text[i+w:], closes)
			if end < 0 {
				return nil, &Error{"law.query.quote", pos, ""}
			}
			body := text[i+w : i+w+end]
			_, cw := utf8.DecodeRuneInString(text[i+w+end:])
			out = append(out, token{kind: tokQuoted, text: body, pos: pos})
			pos += utf8.RuneCountInString(body) + 1
			w += end + cw
		case r == '(':
			out = append(out, token{kind: tokOpen, text: "(", pos: pos})
		case r == ')':
			out = append(out, token{kind: tokClose, text: ")", pos: pos})
		case (r == '+' || r == '-') && begins(text, i) && i+w < len(text) && !blank(text[i+w]):
			k := tokPlus
			if r == '-' {
				k = tokMinus
			}
			out = append(out, token{kind: k, text: string(r), pos: pos})
		default:
			end := i + w
			for end < len(text) {
				r, n := utf8.DecodeRuneInString(text[end:])
				if _, q := quoteOf(r); q || unicode.IsSpace(r) || r == '(' || r == ')' || unicode.IsControl(r) {
					break
				}
				end += n
				if r == ':' && fieldNames[strings.ToLower(text[i:end-1])] != "" {
					break
				}
			}
			out = append(out, wordToken(text[i:end], pos))
			pos += utf8.RuneCountInString(text[i:end]) - 1
			w = end - i
		}
		i += w
		if len(out) > maxNodes {
			return nil, &Error{"law.query.long", pos, ""}
		}
	}
	return append(out, token{kind: tokEnd, pos: pos + 1}), nil
}

// begins tells whether a sign stands before a word and not inside one: "55-19"
// is a number.
func begins(text string, i int) bool { return i == 0 || blank(text[i-1]) || text[i-1] == '(' }

func blank(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

func wordToken(s string, pos int) token {
	switch s {
	case "AND":
		return token{kind: tokAnd, text: s, pos: pos}
	case "OR":
		return token{kind: tokOr, text: s, pos: pos}
	case "NOT":
		return token{kind: tokNot, text: s, pos: pos}
	case "NEAR":
		return token{kind: tokNear, text: s, n: defaultNear, pos: pos}
	}
	if d, ok := strings.CutPrefix(s, "NEAR/"); ok {
		if n, err := strconv.Atoi(d); err == nil && n > 0 {
			return token{kind: tokNear, text: s, n: min(n, maxNear), pos: pos}
		}
	}
	if name, ok := strings.CutSuffix(s, ":"); ok {
		if f := fieldNames[strings.ToLower(name)]; f != "" {
			return token{kind: tokField, text: f, pos: pos}
		}
	}
	return token{kind: tokWord, text: s, pos: pos}
}

func (p *parser) peek() token { return p.toks[p.at] }

func (p *parser) next() token {
	t := p.toks[p.at]
	if t.kind != tokEnd {
		p.at++
	}
	return t
}

func (p *parser) make(n *node) (*node, error) {
	if p.nodes++; p.nodes > maxNodes {
		return nil, &Error{"law.query.long", p.peek().pos, ""}
	}
	return n, nil
}

func (p *parser) or() (*node, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, &Error{"law.query.deep", p.peek().pos, p.peek().text}
	}
	defer func() { p.depth-- }()
	return p.chain(tokOr, opOr, p.and)
}

func (p *parser) and() (*node, error) { return p.chain(tokAnd, opAnd, p.list) }

// chain reads parts with one operator between them.
func (p *parser) chain(sign tokenKind, o op, part func() (*node, error)) (*node, error) {
	first, err := part()
	if err != nil || p.peek().kind != sign {
		return first, err
	}
	kids := []*node{first}
	for p.peek().kind == sign {
		p.next()
		n, err := part()
		if err != nil {
			return nil, err
		}
		kids = append(kids, n)
	}
	for _, k := range kids {
		k.loose = false
	}
	return p.make(&node{op: o, kids: kids})
}

// list reads what stands side by side. Its words are a question of which most
// must be found; everything else in it is required.
func (p *parser) list() (*node, error) {
	var soft []string
	var kids []*node
	start := p.peek()
	for {
		t := p.peek()
		if t.kind == tokEnd || t.kind == tokClose || t.kind == tokAnd || t.kind == tokOr {
			break
		}
		n, err := p.near()
		if err != nil {
			return nil, err
		}
		if n.op == opSoft && t.kind == tokWord {
			soft = append(soft, n.words...)
		} else {
			n.loose = false
			kids = append(kids, n)
		}
	}
	if len(soft) > 0 {
		n, err := p.make(&node{op: opSoft, words: soft, loose: true})
		if err != nil {
			return nil, err
		}
		kids = append(kids, n)
	}
	switch len(kids) {
	case 0:
		return nil, &Error{"law.query.empty", start.pos, start.text}
	case 1:
		return kids[0], nil
	}
	return p.make(&node{op: opAnd, kids: kids})
}

// near reads items between which NEAR stands: each shall be close to the next.
func (p *parser) near() (*node, error) {
	left, err := p.item()
	if err != nil || p.peek().kind != tokNear {
		return left, err
	}
	var pairs []*node
	for p.peek().kind == tokNear {
		t := p.next()
		if k := p.peek().kind; k != tokWord && k != tokQuoted || !hasPlace(left) {
			return nil, &Error{"law.query.near", t.pos, t.text}
		}
		right, err := p.item()
		if err != nil {
			return nil, err
		}
		n, err := p.make(&node{op: opNear, near: t.n, kids: []*node{left, right}})
		if err != nil {
			return nil, err
		}
		pairs, left = append(pairs, n), right
	}
	if len(pairs) == 1 {
		return pairs[0], nil
	}
	return p.make(&node{op: opAnd, kids: pairs})
}

// hasPlace tells a node that has a place in a text.
func hasPlace(n *node) bool { return n.op == opSoft && len(n.words) == 1 || n.op == opPhrase }

func (p *parser) item() (*node, error) {
	t := p.next()
	switch t.kind {
	case tokPlus:
		n, err := p.item()
		if err != nil || n.op == opNot {
			return n, err
		}
		return p.make(&node{op: opAnd, kids: []*node{n}})
	case tokMinus, tokNot:
		if k := p.peek().kind; k == tokEnd || k == tokClose {
			return nil, &Error{"law.query.empty", t.pos, t.text}
		}
		if p.depth++; p.depth > 4*maxNesting {
			return nil, &Error{"law.query.deep", t.pos, t.text}
		}
		defer func() { p.depth-- }()
		n, err := p.item()
		if err != nil {
			return nil, err
		}
		return p.make(&node{op: opNot, kids: []*node{n}})
	case tokWord:
		return p.make(&node{op: opSoft, words: []string{t.text}})
	case tokQuoted:
		return p.make(&node{op: opPhrase, words: []string{t.text}})
	case tokField:
		return p.field(t)
	case tokOpen:
		n, err := p.or()
		if err != nil {
			return nil, err
		}
		if c := p.next(); c.kind != tokClose {
			return nil, &Error{"law.query.open", t.pos, t.text}
		}
		return n, nil
	}
	return nil, &Error{"law.query.empty", t.pos, t.text}
}

func (p *parser) field(t token) (*node, error) {
	v := p.next()
	if v.kind != tokWord && v.kind != tokQuoted {
		return nil, &Error{"law.query.value", t.pos, t.text}
	}
	if t.text == "date" {
		if _, _, ok := dateRange(v.text); !ok {
			return nil, &Error{"law.query.date", v.pos, v.text}
		}
	}
	return p.make(&node{op: opField, field: t.text, value: v.text})
}

// dateRange reads "2020", "2020-03", "2020-03-19", and two of them with ".."
// between; one end may be missing. It returns the first and the last day as
// texts that compare as days do.
func dateRange(s string) (from, to string, ok bool) {
	a, b, both := strings.Cut(s, "..")
	if !both {
		b = a
	}
	if a == "" && b == "" {
		return "", "", false
	}
	if a != "" && !partDate(a) || b != "" && !partDate(b) {
		return "", "", false
	}
	if b == "" {
		return a, "9999-99-99", true
	}
	return a, b + "-99-99"[len(b)-4:], true
}

func partDate(s string) bool {
	if len(s) != 4 && len(s) != 7 && len(s) != 10 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if i == 4 || i == 7 {
			if s[i] != '-' {
				return false
			}
		} else if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
