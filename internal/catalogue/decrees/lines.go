package decrees

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of one text: an annex is some 100 kB; anything larger is not one.
const (
	maxInput = 8 << 20
	maxLine  = 64 << 10
	maxLines = 20_000
)

// Errors of a text that cannot be read at all.
var (
	ErrTooLarge      = errors.New("text is too large")
	ErrNotText       = errors.New("not UTF-8 text")
	ErrUnknownDecree = errors.New("no layout knows this decree")
)

type lineKind int

const (
	blankLine lineKind = iota
	markLine           // page number
	numberCell
	deletedCell
	deadlineCell
	textLine
	ignoredLine // footnotes, repeated heads, merged cells
)

// line is one line of the table with what is known about it.
type line struct {
	no     int // 1-based in the file
	raw    string
	kind   lineKind
	block  int // lines between two blank lines share a block
	bullet bool
	words  []span
	num    number // of a number cell
	office int    // the office its first words belong to, -1 none
	taken  int    // bytes at the start of the line that belong to the office
}

// readLines reads a whole text within bounds. A text with control characters or
// broken UTF-8 is refused with its place, because offsets into it would mislead.
func readLines(name string, r io.Reader) ([]string, error) {
	br := bufio.NewReaderSize(r, maxLine)
	var out []string
	for total := 0; ; {
		s, err := br.ReadSlice('\n')
		total += len(s)
		n := len(out) + 1
		if errors.Is(err, bufio.ErrBufferFull) {
			return nil, fmt.Errorf("%s:%d:1: line longer than %d bytes: %w", name, n, maxLine, ErrTooLarge)
		}
		if total > maxInput {
			return nil, fmt.Errorf("%s:%d:1: text longer than %d bytes: %w", name, n, maxInput, ErrTooLarge)
		}
		if n > maxLines {
			return nil, fmt.Errorf("%s:%d:1: more than %d lines: %w", name, n, maxLines, ErrTooLarge)
		}
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("reading %s:%d: %w", name, n, err)
		}
		text := strings.TrimRight(string(s), "\r\n\f")
		text = strings.TrimLeft(text, "\f\ufeff")
		if col := badColumn(text); col > 0 {
			return nil, fmt.Errorf("%s:%d:%d: %w", name, n, col, ErrNotText)
		}
		if len(s) > 0 {
			out = append(out, text)
		}
		if err == io.EOF {
			return out, nil
		}
	}
}

// badColumn gives the 1-based column of the first character no text has, or 0.
func badColumn(s string) int {
	col := 0
	for i, w := 0, 0; i < len(s); i += w {
		var r rune
		r, w = utf8.DecodeRuneInString(s[i:])
		col++
		if r == utf8.RuneError && w == 1 || unicode.IsControl(r) && r != '\t' {
			return col
		}
	}
	return 0
}

var (
	pageMark = regexp.MustCompile(`^\s*-\s*\p{Nd}{1,4}\s*-\s*$`)
	noteHead = regexp.MustCompile(`^\s*-\s*\p{Nd}{1,2}\s*\p{L}`)
)

// tableLines finds the table in a text and classifies its lines. It reports
// false when the annex or its head is not there.
func tableLines(all []string, l *Layout) ([]line, bool) {
	start, ok := tableStart(all, l)
	if !ok {
		return nil, false
	}
	ends, header := keySet(l.End), keySet(l.Header)
	groups := map[string]bool{}
	for _, g := range l.Groups {
		for _, w := range keysOf(g.Name) {
			groups[w] = true
		}
	}
	deleted := key(l.Deleted)
	var out []line
	block, note := 0, false
	for i := start; i < len(all); i++ {
		raw := all[i]
		k := key(raw)
		if ends[k] && k != "" {
			break
		}
		ln := line{no: i + 1, raw: raw, block: block, office: -1}
		switch {
		case strings.TrimSpace(raw) == "":
			ln.kind, note = blankLine, false
			block++
		case pageMark.MatchString(raw):
			ln.kind, note = markLine, false
		case note || noteHead.MatchString(raw) && beforeMark(all, i):
			ln.kind, note = ignoredLine, true
		case header[k]:
			ln.kind = ignoredLine
		case k == deleted && deleted != "":
			ln.kind = deletedCell
		default:
			ln.kind = textLine
			ln.bullet = bulleted(raw)
			ln.words = spans(raw)
			if n, ok := parseNumber(raw); ok {
				ln.kind, ln.num = numberCell, n
			} else if len(groups) > 0 && allIn(ln.words, groups) {
				ln.kind = ignoredLine
			}
		}
		out = append(out, ln)
	}
	return out, true
}

// tableStart gives the index of the first line after the table's head, which
// follows the line that opens the annex within a page.
func tableStart(all []string, l *Layout) (int, bool) {
	header := keySet(l.Header)
	annex := key(l.Annex)
	for i, s := range all {
		if key(s) != annex {
			continue
		}
		seen := map[string]bool{}
		for j := i + 1; j < len(all) && j < i+40; j++ {
			if k := key(all[j]); header[k] {
				seen[k] = true
			}
			if len(seen) == len(header) {
				return j + 1, true
			}
		}
	}
	return 0, false
}

// beforeMark reports whether the block of line i is the last before a page mark,
// as a footnote is.
func beforeMark(all []string, i int) bool {
	blank := false
	for j := i; j < len(all) && j < i+12; j++ {
		switch {
		case pageMark.MatchString(all[j]):
			return true
		case strings.TrimSpace(all[j]) == "":
			blank = true
		case blank:
			return false
		}
	}
	return false
}

func keySet(texts []string) map[string]bool {
	set := map[string]bool{}
	for _, t := range texts {
		set[key(t)] = true
	}
	return set
}

func allIn(words []span, set map[string]bool) bool {
	for _, w := range words {
		if !set[w.key] {
			return false
		}
	}
	return len(words) > 0
}

// restoreBreaks finds words glued where a list lost its line breaks: on a line
// that begins with a space (the place of a bullet), a word met nowhere else that
// is exactly two words of the same text is those two words.
func restoreBreaks(lines []line, openers map[string]bool) []line {
	count := map[string]int{}
	for _, ln := range lines {
		for _, w := range ln.words {
			count[ln.raw[w.start:w.end]]++
		}
	}
	var out []line
	for _, ln := range lines {
		if ln.kind != textLine || !ln.bullet {
			out = append(out, ln)
			continue
		}
		cut := -1
		raw := ln.raw
		for i := len(ln.words) - 1; i >= 0; i-- {
			w := ln.words[i]
			at := gluedAt(ln.raw[w.start:w.end], count)
			if at == 0 {
				continue
			}
			at += w.start
			if openers[key(ln.raw[at:w.end])] {
				cut = at
				break
			}
			raw = raw[:at] + " " + raw[at:]
		}
		if cut < 0 {
			ln.raw, ln.words = raw, spans(raw)
			out = append(out, ln)
			continue
		}
		head, tail := ln, ln
		head.raw, head.words = ln.raw[:cut], spans(ln.raw[:cut])
		tail.raw, tail.words, tail.bullet = ln.raw[cut:], spans(ln.raw[cut:]), false
		out = append(out, head, tail)
	}
	return out
}

// gluedAt gives the byte where a glued word divides, 0 when it does not or when
// two divisions are possible.
func gluedAt(w string, count map[string]int) int {
	if count[w] > 1 {
		return 0
	}
	at := 0
	for i := range w {
		if i < 4 || len(w)-i < 4 || isArticle(w[:i]) {
			continue
		}
		if count[w[:i]] > 0 && count[w[i:]] > 0 {
			if at > 0 {
				return 0
			}
			at = i
		}
	}
	return at
}

// bulleted reports a line that began with a bullet: extraction drops the glyph
// and leaves its space. A space before a digit is only a moved number.
func bulleted(raw string) bool {
	s := strings.TrimLeft(raw, " ")
	r, _ := utf8.DecodeRuneInString(s)
	return len(s) < len(raw) && unicode.IsLetter(r)
}

// isArticle reports the Arabic article, which extraction also prints as a word.
func isArticle(s string) bool {
	r := []rune(s)
	return len(r) == 2 && isAlef(r[0]) && r[1] == 0x0644
}
