package markup

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Reflow joins the lines of a print into paragraphs, one a line. A line of the
// print ends where the column ended, which means nothing; a paragraph ends
// after a closing mark, or before an item of a list. Rows of tables (a tab at
// their head) stay as they are. Nothing but white space and the private
// characters of a print font is changed.
func Reflow(s string) string {
	var b strings.Builder
	open := false // a paragraph is begun and not ended
	for line := range strings.Lines(s) {
		row := strings.HasPrefix(line, "\t")
		line = strings.TrimSpace(glyphs(line))
		if line == "" {
			continue
		}
		if row {
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			b.WriteString("\t" + line)
			open = false
			continue
		}
		line = strings.Join(strings.Fields(line), " ")
		switch {
		case b.Len() == 0:
		case open && !beginsItem(line):
			b.WriteByte(' ')
		default:
			b.WriteByte('\n')
		}
		b.WriteString(line)
		open = !endsParagraph(line)
	}
	return b.String()
}

// glyphs turns the private characters that a printer's font left behind into
// what they showed: a bullet at the head of a line, nothing elsewhere. No reader
// has the font.
func glyphs(line string) string {
	if !strings.ContainsFunc(line, private) {
		return line
	}
	head := strings.TrimLeftFunc(line, unicode.IsSpace)
	r, size := utf8.DecodeRuneInString(head)
	mark := ""
	if private(r) {
		mark, head = "• ", head[size:]
	}
	return mark + strings.TrimSpace(strings.Map(func(r rune) rune {
		if private(r) {
			return -1
		}
		return r
	}, head))
}

func private(r rune) bool { return r >= 0xe000 && r <= 0xf8ff }

// endsParagraph reports a line that closes with a full stop, a semicolon or a
// colon, perhaps inside a closing bracket or quote.
func endsParagraph(line string) bool {
	line = strings.TrimRight(line, " )]»\"”")
	r, _ := utf8.DecodeLastRuneInString(line)
	switch r {
	case '.', ';', ':', '\u061b', '!', '?', '\u061f', '\u06d4':
		return true
	}
	return false
}

// beginsItem reports a line that opens an item of a list: a dash, a bullet, a
// number or a letter with a bracket, a dash or a point behind it.
func beginsItem(line string) bool {
	r, size := utf8.DecodeRuneInString(line)
	switch {
	case r == '-' || r == '–' || r == '—' || r == '•' || r == '*' || r == '«' || r >= 0xe000 && r <= 0xf8ff:
		return true
	case unicode.IsDigit(r):
		rest := strings.TrimLeft(line, "0123456789\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669")
		return itemMark(rest)
	case unicode.IsLetter(r):
		return itemMark(line[size:])
	}
	return false
}

// itemMark reports what stands between an item's number and its words.
func itemMark(rest string) bool {
	trimmed := strings.TrimLeft(rest, " °")
	for _, m := range [...]string{")", "-", "–", "/", "."} {
		if after, ok := strings.CutPrefix(trimmed, m); ok {
			// "5.19" and "5-19" are numbers, "5.The" is an item.
			r, _ := utf8.DecodeRuneInString(after)
			return !unicode.IsDigit(r)
		}
	}
	return false
}
