package extract

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// word is one word of a page with its place.
type word struct {
	text       string
	box        Box
	confidence float64 // 0 to 1
}

// maxWords bounds one page: more is not print but a picture of noise.
const maxWords = 50000

// parseTSV reads the table that tesseract writes and gives the words of each
// line in the order tesseract read them. Rows that make no sense are left out.
func parseTSV(data []byte) [][]word {
	var out [][]word
	last, n := "", 0
	for raw := range bytes.Lines(data) {
		f := strings.SplitN(strings.TrimRight(string(raw), "\r\n"), "\t", 12)
		if len(f) < 12 || f[0] != "5" || n >= maxWords {
			continue
		}
		text := strings.TrimSpace(clean(f[11]))
		var v [4]int
		ok := text != ""
		for i := range v {
			x, err := strconv.Atoi(f[6+i])
			ok = ok && err == nil && x >= 0 && x < 1<<20
			v[i] = x
		}
		conf, err := strconv.ParseFloat(f[10], 64)
		if !ok || err != nil || conf < 0 || conf > 100 {
			continue
		}
		if key := strings.Join(f[1:5], "."); key != last || len(out) == 0 {
			out = append(out, nil)
			last = key
		}
		n++
		out[len(out)-1] = append(out[len(out)-1], word{text, Box{v[0], v[1], v[2], v[3]}, conf / 100})
	}
	return out
}

// clean drops broken UTF-8, controls and the marks of direction that readers
// add: order is told by the order of characters alone.
func clean(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "")
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || r == '\n':
			return r
		case unicode.IsControl(r), r >= 0x200b && r <= 0x200f && r != 0x200c, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0xfeff, r == 0xad:
			return -1
		}
		return r
	}, s)
}

// Clean is a text from outside as it may be shown: see clean.
func Clean(s string) string { return clean(s) }

// joinWords makes a line of print out of words in reading order.
func joinWords(words []word) Line {
	var l Line
	var parts []string
	var sum, n float64
	for _, w := range words {
		parts = append(parts, w.text)
		l.Box = l.Box.union(w.box)
		k := float64(utf8.RuneCountInString(w.text))
		sum += w.confidence * k
		n += k
	}
	l.Text = strings.Join(parts, " ")
	l.Role = Body
	if n > 0 {
		l.Confidence = sum / n
	}
	return l
}

// scripts counts the Arabic and the Latin letters of s.
func scripts(s string) (arabic, latin int) {
	for _, r := range s {
		switch {
		case r < 0x80:
			if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
				latin++
			}
		case unicode.Is(unicode.Arabic, r) && unicode.IsLetter(r):
			arabic++
		case unicode.Is(unicode.Latin, r):
			latin++
		}
	}
	return arabic, latin
}

// langOf says in which of the two languages most letters are; "" without any.
func langOf(lines []Line) string {
	var a, l int
	for _, line := range lines {
		x, y := scripts(line.Text)
		a, l = a+x, l+y
	}
	switch {
	case a+l == 0:
		return ""
	case a >= l:
		return "ar"
	}
	return "fr"
}

// confidenceOf is the mean over the characters of lines.
func confidenceOf(lines []Line) float64 {
	var sum, n float64
	for _, l := range lines {
		k := float64(utf8.RuneCountInString(l.Text))
		sum += l.Confidence * k
		n += k
	}
	if n == 0 {
		return 0
	}
	return sum / n
}
