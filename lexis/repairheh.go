package lexis

import "strings"

// heh removes the hehs that stand where the print file had a spacing sign,
// and parts words that were run together.
func (c *counts) heh(s string) string {
	x := loadRepair()
	stray := strayHehs(s) >= 2
	ev := weigh(s)
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		start, end := nextWord(s, i)
		b.WriteString(s[i:start])
		if start == end {
			break
		}
		w := s[start:end]
		after := rune(0)
		if start > 0 {
			after = rune(s[start-1])
		}
		alone := stray && !isDigit(after)
		if whole(w) {
			b.WriteString(w)
			i = end
			continue
		}
		n := x.parted.get(w, partMode(stray, alone, ev), func() string { return x.partWord(w, stray, alone, ev) })
		switch {
		case n == w:
		case strings.Count(n, "\u0647") < strings.Count(w, "\u0647"):
			c.strayHeh++
		default:
			c.glued++
		}
		b.WriteString(n)
		i = end
	}
	return b.String()
}

// whole reports a word too short to be two, with no heh before it.
func whole(w string) bool { return len(w) < 8 && !strings.HasPrefix(w, "\u0647") }

// partMode names the circumstances that decide how a word is parted.
func partMode(stray, alone bool, ev evidence) uint8 {
	m := uint8(ev) << 2
	if stray {
		m |= 1
	}
	if alone {
		m |= 2
	}
	return m
}

// strayHehs weighs the places where a heh is not part of a word: two for
// one behind a letter that ends words, one for one that may have a reason.
func strayHehs(s string) int {
	return 2*strings.Count(s, "\u0629\u0647") + strings.Count(s, "\u0649\u0647") + strings.Count(s, " \u0647\u0627\u0644") +
		strings.Count(s, ".\u0647") + strings.Count(s, "\u060c\u0647") + strings.Count(s, "\u061b\u0647")
}

// maxRepairWord bounds, in bytes, the words that are looked at from inside;
// no word is longer, and the work on a longer run would grow as its square.
const maxRepairWord = 64

// partWord returns the word, or the words it was made of. stray tells that
// the text is known for false hehs; alone that a lone one may go.
func (x *repairLexicon) partWord(w string, stray, alone bool, ev evidence) string {
	if w == "\u0647" {
		if alone {
			return ""
		}
		return w
	}
	if rest, ok := strings.CutPrefix(w, "\u0647"); ok && stray && len(w) >= 6 && x.words[rest] && !x.words[w] {
		return rest
	}
	if len(w) < 8 {
		return w
	}
	if w = partAfterFinal(w); strings.Contains(w, " ") {
		return w
	}
	if len(w) > maxRepairWord {
		return w
	}
	mayPart := stray && strings.Contains(w, "\u0647") || strings.HasPrefix(w, "\u0647\u0627\u0644") || strings.Contains(w[4:], "\u0627\u0644")
	if !mayPart || x.words[w] || x.known(w, ev) {
		return w
	}
	if rest, ok := strings.CutPrefix(w, "\u0647"); ok && (stray || strings.HasPrefix(rest, "\u0627\u0644")) && x.known(rest, ev) {
		return rest
	}
	return x.partKnown(w, stray, ev)
}

// partAfterFinal parts a word behind the two letters that stand only at the
// end of a word, and drops a heh that follows them.
func partAfterFinal(w string) string {
	var b strings.Builder
	rs := []rune(w)
	for i := 0; i < len(rs); i++ {
		b.WriteRune(rs[i])
		if rs[i] != tehMarbuta && rs[i] != alefMaksura || i+1 == len(rs) {
			continue
		}
		if rs[i+1] == heh && (rs[i] == tehMarbuta || i+2 < len(rs)) {
			i++
		}
		if i+2 < len(rs) && rs[i+1] != hamza {
			b.WriteByte(' ')
		}
	}
	return b.String()
}

// partKnown parts an unknown word in two known ones: at a false heh, or
// before an article.
func (x *repairLexicon) partKnown(w string, stray bool, ev evidence) string {
	for i, r := range w {
		if i < 4 || i > len(w)-6 {
			continue
		}
		if stray && r == heh && x.known(w[:i], ev) && x.known(w[i+2:], ev) {
			return w[:i] + " " + w[i+2:]
		}
		if (i >= 6 || w[:i] == "\u0623\u0648") && strings.HasPrefix(w[i:], "\u0627\u0644") && len(w)-i >= 10 && x.known(w[:i], ev) && x.known(w[i:], ev) {
			return w[:i] + " " + w[i:]
		}
	}
	return w
}

// known reports whether the word, once repaired, is one of the frequent
// ones, bare or with what may be joined to it.
func (x *repairLexicon) known(w string, ev evidence) bool {
	if x.swaps(w) {
		return true
	}
	w = x.fixWord(w, "", "", ev)
	if x.words[w] || x.keep[w] {
		return true
	}
	for _, p := range proclitics {
		s, ok := strings.CutPrefix(w, p)
		if !ok || len(s) < 6 {
			continue
		}
		if p != "" && x.words[s] || x.hamza[s] || x.inSet(x.words, s) {
			return true
		}
		if strings.HasSuffix(p, "\u0644") && x.words["\u0627\u0644"+s] {
			return true
		}
	}
	return false
}
