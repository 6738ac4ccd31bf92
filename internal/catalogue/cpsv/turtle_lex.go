package cpsv

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"diwan/internal/problem"
)

// The largest documents read: a whole country's catalogue is a tenth of it.
const (
	maxBytes      = 64 << 20
	maxStatements = 4_000_000
	maxNesting    = 64
	maxToken      = 1 << 20
)

// turtleToken is one word of a Turtle document.
type turtleToken struct {
	kind      tokenKind
	text      string // what it says, escapes undone
	line, col int
}

type tokenKind byte

const (
	tokEnd     tokenKind = iota
	tokIRI               // <…>
	tokName              // prefix:local; text holds both parts with a NUL between
	tokBlank             // _:label
	tokString            // a quoted string
	tokLang              // @tag, also @prefix and @base
	tokInteger           // 1
	tokDecimal           // 1.5
	tokDouble            // 1e3
	tokWord              // a, true, false, PREFIX, BASE
	tokPunct             // . ; , [ ] ( ) ^^
)

// lexer cuts a Turtle document into tokens. Its errors are of the type syntax.
type lexer struct {
	s         string
	at        int
	line, col int // of at
}

// syntax is thrown by the lexer and the parser and caught at their entrance.
type syntax struct{ field problem.Field }

func fail(line, col int, code string, args ...string) {
	panic(syntax{problem.At(place(line, col), code, args...)})
}

func (x *lexer) fail(what string) {
	fail(x.line, x.col, "import.rdf.syntax", "value", short(what))
}

// peek returns the byte i places ahead, or 0 at the end.
func (x *lexer) peek(i int) byte {
	if x.at+i < len(x.s) {
		return x.s[x.at+i]
	}
	return 0
}

// skip moves n bytes forward and counts lines and columns, the latter in
// characters.
func (x *lexer) skip(n int) {
	for _, r := range x.s[x.at : x.at+n] {
		if r == '\n' {
			x.line, x.col = x.line+1, 1
		} else {
			x.col++
		}
	}
	x.at += n
}

func (x *lexer) space() {
	for x.at < len(x.s) {
		switch c := x.s[x.at]; c {
		case ' ', '\t', '\r', '\n':
			x.skip(1)
		case '#':
			end := strings.IndexByte(x.s[x.at:], '\n')
			if end < 0 {
				end = len(x.s) - x.at
			}
			x.skip(end)
		default:
			return
		}
	}
}

// next returns the next token.
func (x *lexer) next() turtleToken {
	x.space()
	t := turtleToken{line: x.line, col: x.col}
	if x.at >= len(x.s) {
		return t
	}
	switch c := x.s[x.at]; {
	case c == '<':
		t.kind, t.text = tokIRI, x.iri()
	case c == '"' || c == '\'':
		t.kind, t.text = tokString, x.quoted(c)
	case c == '@':
		x.skip(1)
		t.kind, t.text = tokLang, x.run(func(c byte) bool { return isLetter(c) || isDigit(c) || c == '-' })
		if t.text == "" {
			x.fail("@")
		}
	case c == '^':
		if x.peek(1) != '^' {
			x.fail("^")
		}
		x.skip(2)
		t.kind, t.text = tokPunct, "^^"
	case isDigit(c) || c == '+' || c == '-' || c == '.' && isDigit(x.peek(1)):
		t.kind, t.text = x.number()
	case strings.IndexByte(".;,[]()", c) >= 0:
		x.skip(1)
		t.kind, t.text = tokPunct, string(c)
	case c == '_' && x.peek(1) == ':':
		x.skip(2)
		t.kind, t.text = tokBlank, x.local(false)
		if t.text == "" {
			x.fail("_:")
		}
	default:
		t.kind, t.text = x.word()
	}
	return t
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// run returns the bytes from here on that satisfy ok.
func (x *lexer) run(ok func(byte) bool) string {
	n := 0
	for x.at+n < len(x.s) && ok(x.s[x.at+n]) {
		n++
	}
	s := x.s[x.at : x.at+n]
	x.skip(n)
	return s
}

func (x *lexer) iri() string {
	x.skip(1)
	var b strings.Builder
	for {
		n := strings.IndexAny(x.s[x.at:], "<>\"{}|^`\\ \n\r\t")
		if n < 0 || n > maxToken {
			x.fail("<")
		}
		b.WriteString(x.s[x.at : x.at+n])
		x.skip(n)
		switch x.s[x.at] {
		case '>':
			x.skip(1)
			return b.String()
		case '\\':
			if c := x.peek(1); c != 'u' && c != 'U' {
				x.fail(`\`)
			}
			b.WriteRune(x.escape())
		default:
			x.fail(x.s[x.at : x.at+1])
		}
	}
}

// escape reads an escape sequence.
func (x *lexer) escape() rune {
	switch c := x.peek(1); c {
	case 'u', 'U':
		n := 4
		if c == 'U' {
			n = 8
		}
		if x.at+2+n > len(x.s) {
			x.fail(`\u`)
		}
		v, err := strconv.ParseUint(x.s[x.at+2:x.at+2+n], 16, 32)
		if err != nil || !utf8.ValidRune(rune(v)) || v > utf8.MaxRune {
			x.fail(x.s[x.at : x.at+2])
		}
		x.skip(2 + n)
		return rune(v)
	default:
		i := strings.IndexByte(`tbnrf"'\`, c)
		if c == 0 || i < 0 {
			x.fail(`\`)
		}
		x.skip(2)
		return rune("\t\b\n\r\f\"'\\"[i])
	}
}

// quoted reads a string, short or long.
func (x *lexer) quoted(q byte) string {
	end, long := string(q), false
	if x.peek(1) == q && x.peek(2) == q {
		end, long = strings.Repeat(string(q), 3), true
	}
	line, col := x.line, x.col
	x.skip(len(end))
	var b strings.Builder
	for {
		n := strings.IndexAny(x.s[x.at:], string(q)+"\\\n\r")
		if n < 0 || b.Len()+n > maxToken {
			fail(line, col, "import.rdf.syntax", "value", end)
		}
		b.WriteString(x.s[x.at : x.at+n])
		x.skip(n)
		switch c := x.s[x.at]; {
		case strings.HasPrefix(x.s[x.at:], end):
			x.skip(len(end))
			// A long string may end in quotation marks of its own.
			for long && x.peek(0) == q {
				b.WriteByte(q)
				x.skip(1)
			}
			return b.String()
		case c == '\\':
			b.WriteRune(x.escape())
		case long:
			b.WriteByte(c)
			x.skip(1)
		default:
			fail(line, col, "import.rdf.syntax", "value", end)
		}
	}
}

func (x *lexer) number() (tokenKind, string) {
	start := x.at
	if c := x.s[x.at]; c == '+' || c == '-' {
		x.skip(1)
	}
	kind := tokInteger
	digits := len(x.run(isDigit))
	if x.peek(0) == '.' && isDigit(x.peek(1)) {
		x.skip(1)
		digits += len(x.run(isDigit))
		kind = tokDecimal
	}
	if digits == 0 {
		x.fail(x.s[start:x.at])
	}
	if c := x.peek(0); c == 'e' || c == 'E' {
		x.skip(1)
		if c := x.peek(0); c == '+' || c == '-' {
			x.skip(1)
		}
		if x.run(isDigit) == "" {
			x.fail(x.s[start:x.at])
		}
		kind = tokDouble
	}
	return kind, x.s[start:x.at]
}

// word reads a keyword or a prefixed name.
func (x *lexer) word() (tokenKind, string) {
	prefix := x.local(false)
	if x.peek(0) != ':' {
		if prefix == "" {
			r, _ := utf8.DecodeRuneInString(x.s[x.at:])
			x.fail(string(r))
		}
		return tokWord, prefix
	}
	x.skip(1)
	return tokName, prefix + "\x00" + x.local(true)
}

// local reads a name: letters of any script, digits, "_", "-", inner dots and,
// after the colon, colons and escapes.
func (x *lexer) local(full bool) string {
	var b strings.Builder
	for x.at < len(x.s) && b.Len() < maxToken {
		c := x.s[x.at]
		switch {
		case isLetter(c) || isDigit(c) || c == '_' || c == '-' || full && c == ':' || full && c == '%':
			b.WriteByte(c)
			x.skip(1)
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(x.s[x.at:])
			if r == utf8.RuneError {
				x.fail(string(r))
			}
			b.WriteRune(r)
			x.skip(n)
		case c == '.':
			// A dot ends the statement unless the name goes on behind it.
			if n := x.peek(1); n < utf8.RuneSelf && !isLetter(n) && !isDigit(n) && n != '_' && n != '-' && n != '.' && !(full && (n == ':' || n == '%')) {
				return b.String()
			}
			b.WriteByte(c)
			x.skip(1)
		case full && c == '\\' && strings.IndexByte("_~.-!$&'()*+,;=/?#@%", x.peek(1)) >= 0 && x.peek(1) != 0:
			b.WriteByte(x.peek(1))
			x.skip(2)
		default:
			return b.String()
		}
	}
	return b.String()
}
