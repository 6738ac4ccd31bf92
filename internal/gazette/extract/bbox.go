package extract

import (
	"bytes"
	"html"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// layer is what the text layer of one page says.
type layer struct {
	width, height float64 // points
	lines         [][]word
}

// parseBBox reads what pdftotext -bbox-layout writes of one page. Places become
// pixels at dpi. The characters of its words stand from left to right as they
// are printed, whatever their script.
func parseBBox(data []byte, dpi int) layer {
	var l layer
	scale, n := float64(dpi)/72, 0
	for raw := range bytes.Lines(data) {
		s := strings.TrimSpace(string(raw))
		switch {
		case strings.HasPrefix(s, "<page "):
			if l.width == 0 {
				l.width, l.height = number(s, "width"), number(s, "height")
			}
		case strings.HasPrefix(s, "<line "):
			l.lines = append(l.lines, nil)
		case strings.HasPrefix(s, "<word ") && n < maxWords && len(l.lines) > 0:
			from, to := strings.IndexByte(s, '>'), strings.LastIndex(s, "</word>")
			if to <= from {
				continue
			}
			text := strings.TrimSpace(clean(html.UnescapeString(s[from+1 : to])))
			x, y, r, b := number(s[:from], "xMin"), number(s[:from], "yMin"), number(s[:from], "xMax"), number(s[:from], "yMax")
			if text == "" || r < x || b < y {
				continue
			}
			n++
			k := len(l.lines) - 1
			l.lines[k] = append(l.lines[k], word{text, Box{int(x * scale), int(y * scale), int((r - x) * scale), int((b - y) * scale)}, 1})
		}
	}
	l.lines = slices.DeleteFunc(l.lines, func(w []word) bool { return len(w) == 0 })
	return l
}

// number reads an attribute; what is no sane number is 0.
func number(s, name string) float64 {
	_, s, ok := strings.Cut(s, " "+name+`="`)
	if !ok {
		return 0
	}
	s, _, _ = strings.Cut(s, `"`)
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || v < 0 || v > 1e5 || v != v {
		return 0
	}
	return v
}

// logical turns the words of one printed line into reading order.
func logical(words []word) []word {
	arabic, latin := 0, 0
	for _, w := range words {
		a, l := scripts(w.text)
		arabic, latin = arabic+a, latin+l
	}
	out := slices.Clone(words)
	slices.SortStableFunc(out, func(a, b word) int { return a.box.X - b.box.X })
	for i := range out {
		out[i].text = logicalWord(out[i].text)
	}
	if arabic == 0 || arabic*2 < latin {
		turnRuns(out, func(w word) bool { a, _ := scripts(w.text); return a > 0 })
		return out
	}
	slices.Reverse(out)
	turnRuns(out, func(w word) bool { _, l := scripts(w.text); return l > 0 })
	return mendBrackets(out)
}

// joinLayer makes a line of words in reading order. Words that touch are one:
// readers of PDF cut where the font changes.
func joinLayer(words []word) Line {
	l := joinWords(words)
	var b strings.Builder
	for i, w := range words {
		if i > 0 {
			p := words[i-1].box
			gap := max(w.box.X-p.right(), p.X-w.box.right())
			if gap*12 > min(w.box.H, p.H) {
				b.WriteByte(' ')
			}
		}
		b.WriteString(w.text)
	}
	l.Text = b.String()
	return l
}

// turnRuns reverses runs of words of the other direction.
func turnRuns(words []word, other func(word) bool) {
	for i := 0; i < len(words); {
		k := i
		for k < len(words) && other(words[k]) {
			k++
		}
		slices.Reverse(words[i:k])
		i = k + 1
	}
}

// logicalWord puts the characters of a printed word in reading order: from right
// to left when it has Arabic letters, but numbers and Latin letters inside it
// stay as they are.
func logicalWord(s string) string {
	if a, _ := scripts(s); a == 0 {
		if !strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Arabic, r) }) {
			return s
		}
	}
	r := []rune(s)
	slices.Reverse(r)
	forward := func(i int) bool {
		c := r[i]
		if unicode.IsDigit(c) || c < 0x80 && unicode.IsLetter(c) {
			return true
		}
		// A separator belongs to the number whose digits stand on both sides.
		return strings.ContainsRune(".,/-:", c) && i > 0 && i+1 < len(r) && unicode.IsDigit(r[i-1]) && unicode.IsDigit(r[i+1])
	}
	for i := 0; i < len(r); {
		k := i
		for k < len(r) && forward(k) {
			k++
		}
		slices.Reverse(r[i:k])
		i = max(k, i+1)
	}
	return string(r)
}

// mendBrackets turns the brackets of a line that close before they open: some
// files say what they look like, some what they mean.
func mendBrackets(words []word) []word {
	wrong, depth := 0, 0
	for _, w := range words {
		for _, c := range w.text {
			switch c {
			case '(', '[', '\u00ab':
				depth++
			case ')', ']', '\u00bb':
				depth--
				if depth < 0 {
					wrong++
					depth = 0
				}
			}
		}
	}
	if wrong == 0 || depth == 0 {
		return words
	}
	turn := strings.NewReplacer("(", ")", ")", "(", "[", "]", "]", "[", "\u00ab", "\u00bb", "\u00bb", "\u00ab")
	for i := range words {
		words[i].text = turn.Replace(words[i].text)
	}
	return words
}
