package decrees

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// value is one deadline inside a run of words, and where it stands.
type value struct {
	days       int
	atOnce     bool
	item       int // place in an enumerated list, -1 none
	start, end int // words
}

// cell is one deadline cell: what one row gets.
type cell struct {
	line   int // index of its first line
	values []Deadline
	item   int // last enumerated item, -1 none
}

// timeReader reads the deadline column.
type timeReader struct {
	w       *DeadlineWords
	units   map[string]bool
	phrases []phrase
	after   [][]string
	before  [][]string
	items   map[string]int
	openers map[string]bool
	repair  repairer
}

type phrase struct {
	keys   []string
	days   int
	atOnce bool
}

func newTimeReader(l *Layout, openers map[string]bool, r repairer) *timeReader {
	t := &timeReader{w: l.Deadline, units: keySet(l.Deadline.Units), openers: openers, repair: r, items: map[string]int{}}
	for text, days := range l.Deadline.Words {
		t.phrases = append(t.phrases, phrase{keysOf(text), days, false})
	}
	for _, text := range l.Deadline.AtOnce {
		t.phrases = append(t.phrases, phrase{keysOf(text), 0, true})
	}
	slices.SortFunc(t.phrases, func(a, b phrase) int { return len(b.keys) - len(a.keys) })
	for _, s := range l.Deadline.After {
		t.after = append(t.after, keysOf(s))
	}
	for _, s := range l.Deadline.Before {
		t.before = append(t.before, keysOf(s))
	}
	for i, s := range l.Deadline.Items {
		t.items[s] = i
	}
	return t
}

// token is a word of a deadline cell with the text around it kept.
type token struct {
	key  string
	text string // the word with the punctuation before it
}

func tokens(raw string) []token {
	var out []token
	prev := 0
	for _, w := range looseSpans(raw) {
		out = append(out, token{w.key, raw[prev:w.end]})
		prev = w.end
	}
	if len(out) > 0 {
		out[len(out)-1].text += raw[prev:]
	}
	return out
}

// looseSpans is spans, but keeps words whose key is empty, such as a lone alef
// that numbers the first item of a list.
func looseSpans(raw string) []span {
	var out []span
	for _, f := range strings.FieldsFunc(raw, func(r rune) bool { return strings.ContainsRune(" \t.:-;,/()\u2013\u060C\u061B", r) }) {
		at := 0
		if len(out) > 0 {
			at = out[len(out)-1].end
		}
		at += strings.Index(raw[at:], f)
		parts := spans(f)
		if len(parts) == 0 {
			out = append(out, span{"", at, at + len(f)})
		}
		for _, p := range parts {
			out = append(out, span{p.key, at + p.start, at + p.end})
		}
	}
	return out
}

// valueAt reads a deadline at word i.
func (t *timeReader) valueAt(ts []token, i int) (value, bool) {
	keys := make([]string, 0, 4)
	for j := i; j < len(ts) && j < i+4; j++ {
		keys = append(keys, ts[j].key)
	}
	for _, p := range t.phrases {
		if hasPrefix(keys, p.keys) {
			return value{p.days, p.atOnce, -1, i, i + len(p.keys)}, true
		}
	}
	if len(keys) >= 2 && t.units[keys[1]] && len(keys[0]) <= 4 {
		if n, err := strconv.Atoi(keys[0]); err == nil && n > 0 {
			return value{n, false, -1, i, i + 2}, true
		}
	}
	return value{}, false
}

// itemBefore reports the enumerating letter just before word i.
func (t *timeReader) itemBefore(ts []token, i int) int {
	if i == 0 {
		return -1
	}
	s := strings.Trim(ts[i-1].text, " .:-;,/()\u2013\u060C\u061B")
	if n, ok := t.items[s]; ok && utf8.RuneCountInString(s) == 1 {
		return n
	}
	return -1
}

// plain reads a line that is a deadline and nothing else.
func (t *timeReader) plain(raw string) (value, bool) {
	ts := tokens(raw)
	v, ok := t.valueAt(ts, 0)
	return v, ok && v.end == len(ts)
}

// opensAfter reports a line that begins with a value and its condition.
func (t *timeReader) opensAfter(raw string) bool {
	ts := tokens(raw)
	for i := 0; i < len(ts) && i < 2; i++ {
		v, ok := t.valueAt(ts, i)
		if !ok || i == 1 && t.itemBefore(ts, 1) < 0 {
			continue
		}
		for _, a := range t.after {
			if hasPrefix(tokenKeys(ts[v.end:]), a) {
				return true
			}
		}
	}
	return false
}

// opensBefore reports a block that begins with a condition and holds a value.
func (t *timeReader) opensBefore(lines []line, i int) bool {
	if i > 0 && lines[i-1].kind == textLine && lines[i-1].block == lines[i].block {
		return false
	}
	ws := keysOf(lines[i].raw)
	for _, b := range t.before {
		if !hasPrefix(ws, b) {
			continue
		}
		var text []string
		for j := i; j < len(lines) && lines[j].block == lines[i].block && lines[j].kind == textLine; j++ {
			text = append(text, lines[j].raw)
		}
		ts := tokens(strings.Join(text, " "))
		for k := range ts {
			if _, ok := t.valueAt(ts, k); ok {
				return true
			}
		}
	}
	return false
}

func tokenKeys(ts []token) []string {
	out := make([]string, len(ts))
	for i, w := range ts {
		out[i] = w.key
	}
	return out
}

// read marks the lines of deadline cells and returns the cells in order, plus
// the index of an enumerated part that continues no list.
func (t *timeReader) read(lines []line) ([]cell, []int) {
	var cells []cell
	var stray []int
	for i := 0; i < len(lines); i++ {
		if lines[i].kind != textLine {
			continue
		}
		if v, ok := t.plain(lines[i].raw); ok {
			lines[i].kind = deadlineCell
			cells = append(cells, cell{i, []Deadline{{Days: v.days, AtOnce: v.atOnce, Printed: strings.TrimSpace(lines[i].raw)}}, -1})
			continue
		}
		prefixed := t.opensBefore(lines, i)
		if !prefixed && !t.opensAfter(lines[i].raw) {
			continue
		}
		end := t.extent(lines, i)
		var text []string
		for j := i; j < end; j++ {
			if lines[j].kind == textLine {
				text = append(text, lines[j].raw)
			}
		}
		got := t.conditional(strings.Join(text, " "), prefixed)
		for n := range got {
			got[n].line = i
		}
		if first := t.firstItem(strings.Join(text, " ")); first > 0 && len(got) > 0 {
			if p := openList(cells, first); p >= 0 {
				cells[p].values = append(cells[p].values, got[0].values...)
				cells[p].item = got[0].item
				got = got[1:]
			} else {
				stray = append(stray, i)
			}
		}
		for j := i; j < end; j++ {
			if lines[j].kind == textLine {
				lines[j].kind = deadlineCell
			}
		}
		cells = append(cells, got...)
		i = end - 1
	}
	return cells, stray
}

// firstItem gives the place of the first enumerating letter of a cell's text.
func (t *timeReader) firstItem(text string) int {
	ts := tokens(text)
	for i := range ts {
		if _, ok := t.valueAt(ts, i); ok {
			return t.itemBefore(ts, i)
		}
	}
	return -1
}

// openList finds the last cell whose enumerated list waits for item n.
func openList(cells []cell, n int) int {
	for i := len(cells) - 1; i >= 0; i-- {
		if cells[i].item == n-1 {
			return i
		}
	}
	return -1
}

// extent gives the line after a conditional cell. The cell goes on over a blank
// line while its last line waits for more, and ends before a plain deadline or,
// after a full stop, before a line that opens a name.
func (t *timeReader) extent(lines []line, i int) int {
	last := i
	for j := i + 1; j < len(lines); j++ {
		ln := lines[j]
		switch ln.kind {
		case blankLine:
			if !waits(lines[last].raw) {
				return last + 1
			}
			continue
		case textLine:
		default:
			return last + 1
		}
		if _, ok := t.plain(ln.raw); ok {
			return last + 1
		}
		if strings.HasSuffix(strings.TrimSpace(lines[last].raw), ".") && len(ln.words) > 0 && t.openers[ln.words[0].key] {
			return last + 1
		}
		last = j
	}
	return last + 1
}

// waits reports a line whose sentence or list is not finished.
func waits(raw string) bool {
	s := strings.TrimSpace(raw)
	for _, end := range []string{":", ";", ",", "\u061B", "\u060C"} {
		if strings.HasSuffix(s, end) {
			return true
		}
	}
	return false
}

// conditional cuts the text of conditional deadlines into cells. A value without
// a condition is a cell of its own; a condition met again opens the next cell.
func (t *timeReader) conditional(text string, prefixed bool) []cell {
	ts := tokens(text)
	var vals []value
	for i := 0; i < len(ts); i++ {
		if v, ok := t.valueAt(ts, i); ok {
			v.item = t.itemBefore(ts, i)
			vals = append(vals, v)
			i = v.end - 1
		}
	}
	var out []cell
	cur := cell{item: -1}
	flush := func() {
		if len(cur.values) > 0 {
			out = append(out, cur)
		}
		cur = cell{item: -1}
	}
	seen := map[string]bool{}
	for n, v := range vals {
		from, to := v.end, len(ts)
		if n+1 < len(vals) {
			to = vals[n+1].start
			if vals[n+1].item >= 0 {
				to--
			}
		}
		if prefixed {
			from, to = 0, v.start
			if n > 0 {
				from = vals[n-1].end
			}
		}
		cond := strings.Trim(t.repair.text(joinTokens(ts[from:to])), " :;,")
		d := Deadline{Days: v.days, AtOnce: v.atOnce, Condition: cond, Printed: strings.Trim(joinTokens(ts[v.start:v.end]), " .:;,-()\u2013\u060C\u061B")}
		if cond == "" {
			flush()
			seen = map[string]bool{}
			out = append(out, cell{values: []Deadline{d}, item: -1})
			continue
		}
		if seen[key(cond)] {
			flush()
			seen = map[string]bool{}
		}
		seen[key(cond)] = true
		cur.values = append(cur.values, d)
		cur.item = v.item
	}
	flush()
	return out
}

func joinTokens(ts []token) string {
	var b strings.Builder
	for _, w := range ts {
		b.WriteString(w.text)
	}
	return b.String()
}
