package akn

import "io"

// BoundTags returns a reader of XML that ends with ErrTooLarge where a tag is
// longer than tag bytes, or a run of text, a comment or a CDATA section longer
// than text bytes. Readers of XML hold each of these in memory whole, a tag as
// many small pieces: a file of a few kilobytes, packed, can ask for gigabytes.
func BoundTags(r io.Reader, tag, text int) io.Reader {
	return &tagBound{r: r, tag: tag, text: text}
}

type tagBound struct {
	r         io.Reader
	tag, text int
	n         int  // bytes of the part at hand
	in        part // what it is
	quote     byte // that is open in a tag
	head      [2]byte
	last      [2]byte
}

type part byte

const (
	inText part = iota
	inTag
	inDeclaration // of a type, a comment, a section, an instruction
)

// Read implements io.Reader.
func (b *tagBound) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	for _, c := range p[:n] {
		if !b.take(c) {
			return 0, ErrTooLarge
		}
	}
	return n, err
}

// take moves on by a byte and tells whether it is within the bounds.
func (b *tagBound) take(c byte) bool {
	b.n++
	switch b.in {
	case inText:
		if c == '<' {
			b.in, b.n = inTag, 0
		}
		return b.n <= b.text
	case inTag:
		switch {
		case b.n == 1 && (c == '!' || c == '?'):
			b.in, b.head, b.last = inDeclaration, [2]byte{}, [2]byte{}
		case b.quote != 0:
			if c == b.quote {
				b.quote = 0
			}
		case c == '"' || c == '\'':
			b.quote = c
		case c == '>':
			b.in, b.n = inText, 0
		}
		return b.n <= b.tag
	}
	if k := b.n - 2; k < len(b.head) {
		b.head[k] = c
	}
	if c == '>' && b.closes() {
		b.in, b.n = inText, 0
	}
	b.last = [2]byte{b.last[1], c}
	return b.n <= b.text
}

// closes tells whether a ">" ends the declaration.
func (b *tagBound) closes() bool {
	switch string(b.head[:]) {
	case "--":
		return string(b.last[:]) == "--" && b.n > 6
	case "[C":
		return string(b.last[:]) == "]]"
	}
	return true
}
