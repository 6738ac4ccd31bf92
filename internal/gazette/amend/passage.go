package amend

import (
	"strconv"
	"strings"

	"diwan/internal/gazette/model"
)

// passages reads the new texts that an order puts in.
func (c *clauseReader) passages(op model.Operation, verb int, s sentence, targets []model.Target) {
	if len(targets) == 0 {
		return // words of amendment in a text that amends nothing
	}
	t := targets[0]
	op.Target = t
	named := expand(t.Articles)
	for _, q := range s.quotes {
		parts := c.articlesIn(q)
		if len(parts) == 0 && !c.announced(q) {
			continue // a name or a word in quotation marks
		}
		if len(parts) == 0 {
			c.bare(op, verb, t, named, c.text(q))
			continue
		}
		for i, part := range parts {
			o := op
			o.Article, o.New = part.label, part.text
			o.Old = part.num // how the new text prints its number
			o.Action = model.Substitute
			isNew := verb == completes && !contains(named, part.label) || verb == completes && len(named) > 0 && isRepeat(part.label)
			if isNew || verb == amends && isRepeat(part.label) && !contains(named, part.label) {
				o.Action, o.Label = model.Insert, part.label
				o.Article = predecessor(part.label, parts, i)
			}
			manual := ""
			which, text, ok := c.paragraphAt(part.text)
			switch {
			case !ok || elided(part.text):
				manual = Partial
			case which != "" && o.Action == model.Substitute:
				o.Paragraph, o.New = which, text
			case which != "":
				manual = Partial
			}
			c.add(o, manual)
		}
	}
}

// announced reports a passage that a colon stands before: new text, and not a
// word that the sentence mentions.
func (c *clauseReader) announced(q quote) bool {
	before := strings.TrimRight(c.p.Text[:q.inner.Start], "«“\" \n\t")
	return strings.HasSuffix(before, ":")
}

// bare reads a passage without the head of an article: the new text of the one
// article or paragraph that the order names.
func (c *clauseReader) bare(op model.Operation, verb int, t model.Target, named []string, text string) {
	op.New = text
	manual := ""
	switch {
	case len(named) == 0:
		manual = NoArticle
	case len(named) > 1:
		manual = NoArticle
	case t.Point != "":
		manual = PointPlace
	case elided(text):
		manual = Partial
	}
	if len(named) > 0 {
		op.Article = named[0]
	}
	op.Paragraph = t.Paragraph
	op.Action = model.Substitute
	if verb == completes {
		op.Action, op.Paragraph = model.Append, ""
	}
	c.add(op, manual)
}

// part is one article in a passage.
type part struct{ label, num, text string }

// articlesIn finds the articles that a passage holds: heads at the beginning of
// its lines, perhaps behind a mark.
func (c *clauseReader) articlesIn(q quote) []part {
	var out []part
	inner := c.p.Text[q.inner.Start:q.inner.End]
	for line := range strings.Lines(inner) {
		head, n := c.head(line)
		rest := strings.TrimSpace(line)
		if n > 0 {
			out = append(out, part{label: head, num: strings.Trim(strings.TrimSpace(line[:n]), "«“\"- .:–—"), text: ""})
			rest = strings.TrimLeft(strings.TrimSpace(line[n:]), "-–—.: ")
		}
		if len(out) > 0 && rest != "" {
			p := &out[len(out)-1]
			rest = strings.TrimSpace(strings.Trim(rest, "«»“”\""))
			if p.text != "" && rest != "" {
				p.text += "\n"
			}
			p.text += rest
		} else if len(out) == 0 && strings.TrimSpace(rest) != "" {
			return nil // words before the first head: not articles
		}
	}
	return out
}

// head reads the head of an article at the beginning of a line.
func (c *clauseReader) head(line string) (label string, n int) {
	sc := c.r.g.Scanner()
	defer sc.Release()
	toks := sc.Tokens(nil, line, 0, 12)
	h, k := c.v.lang.MatchArticle(line, toks)
	if k == 0 || h.Label.Zero() {
		return "", 0
	}
	// Print from right to left turns "64-1" round; the number put in is the
	// smaller one.
	if turned, ok := h.Label.Reversed(); ok && c.v.lang.Script == "Arabic" && turned.N > h.Label.N {
		h.Label = turned
	}
	return c.r.g.Format(h.Label), toks[k-1].End
}

// paragraphAt reads "(second paragraph)" at the head of a new text: then only
// that paragraph is given. It returns "" and the text when nothing stands there.
func (c *clauseReader) paragraphAt(text string) (which, rest string, ok bool) {
	head := strings.TrimLeft(text, "-–. ")
	if !strings.HasPrefix(head, "(") {
		return "", text, true
	}
	sc := c.r.g.Scanner()
	defer sc.Release()
	toks := sc.Tokens(nil, head, 0, 12)
	_, n := c.v.para.Match(toks[1:])
	if n == 0 {
		return "", text, true
	}
	lab, k, _ := c.v.lang.MatchLabel(head, toks[1+n:])
	if k == 0 || 1+n+k >= len(toks) || toks[1+n+k].Mark() != ')' {
		return "", text, false // "(last paragraph)", "(§ 2 and 3)"
	}
	return c.r.g.Format(lab), strings.TrimLeft(head[toks[1+n+k].End:], "-–.: "), true
}

// elided reports dots that stand for text left as it was.
func elided(s string) bool {
	return strings.Contains(s, "....") || strings.Contains(s, "……") || strings.Contains(s, "(…)") || strings.Contains(s, "(...)") || strings.Contains(s, "…")
}

// expand turns ranges of plain numbers into their members.
func expand(labels []string) []string {
	var out []string
	for _, l := range labels {
		from, to, ok := strings.Cut(l, "..")
		if !ok {
			out = append(out, l)
			continue
		}
		a, err1 := strconv.Atoi(from)
		b, err2 := strconv.Atoi(to)
		if err1 != nil || err2 != nil || b < a || b-a > 500 {
			out = append(out, from, to)
			continue
		}
		for i := a; i <= b; i++ {
			out = append(out, strconv.Itoa(i))
		}
	}
	return out
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// isRepeat tells a label that was put in between two: 5bis, 5-1.
func isRepeat(label string) bool { return strings.TrimLeft(label, "0123456789") != "" }

// predecessor is the article behind which a new one goes: the one before it in
// the passage when that is of the same number, else its own number's root, else
// the number before.
func predecessor(label string, parts []part, i int) string {
	digits := label[:len(label)-len(strings.TrimLeft(label, "0123456789"))]
	if i > 0 && strings.HasPrefix(parts[i-1].label, digits) && digits != "" && isRepeat(label) {
		return parts[i-1].label
	}
	if isRepeat(label) {
		return digits
	}
	if n, err := strconv.Atoi(label); err == nil && n > 1 {
		return strconv.Itoa(n - 1)
	}
	return ""
}
