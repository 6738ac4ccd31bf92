package lexis

import "strings"

// Endings a swapped stem may carry: pronouns, plural, dual, relation. Kept
// as numbers; longest first, so that a stem is never cut too short.
var (
	endings = [...]string{
		"\u0647\u0645\u0627", "\u064a\u062a\u0647\u0627", "\u064a\u0627\u062a", "\u0627\u062a\u0647\u0627", "\u0627\u062a\u0647", "\u0627\u062a\u0647\u0645",
		"\u064a\u0627\u062a\u0647\u0627", "\u064a\u064a\u0646", "\u064a\u062a\u0647", "\u064a\u062a\u064a\u0646", "\u062a\u064a\u0646", "\u062a\u0627\u0646",
		"\u0647\u0627", "\u0647\u0645", "\u0647\u0646", "\u0643\u0645", "\u0646\u0627", "\u064a\u0629", "\u064a\u0627", "\u0627\u062a", "\u0627\u0646", "\u064a\u0646", "\u0648\u0646",
		"\u0647", "\u0643", "\u064a", "\u0627", "\u0629", "\u0648", "\u0649",
	}
	pronouns = [...]string{"\u0647\u0645\u0627", "\u0647\u0627", "\u0647\u0645", "\u0647\u0646", "\u0643\u0645", "\u0646\u0627", "\u0647", "\u0643", "\u064a", "\u064a\u0646", "\u0627\u0646"}
)

// proclitics are the joined words before a stem, tried from none to the
// longest, so that a stem that only looks prefixed is found whole.
var proclitics = [...]string{
	"", "\u0627\u0644", "\u0644\u0644", "\u0628\u0627\u0644", "\u0643\u0627\u0644", "\u0648", "\u0641", "\u0628", "\u0644", "\u0643",
	"\u0648\u0627\u0644", "\u0641\u0627\u0644", "\u0648\u0628\u0627\u0644", "\u0648\u0643\u0627\u0644", "\u0648\u0644\u0644", "\u0641\u0644\u0644", "\u0641\u0628\u0627\u0644",
	"\u0648\u0628", "\u0648\u0644", "\u0648\u0643", "\u0641\u0628", "\u0641\u0644", "\u0627\u0645\u0644",
}

// safeWord rewrites, within one word, the sequences that no Arabic word
// holds: an alef before an alef and a lam, and an alef and a lam before a
// hamza that has no seat of its own.
func safeWord(w string) string {
	if !strings.Contains(w, "\u0627") && !strings.Contains(w, "\u0644") {
		return w
	}
	rs := []rune(w)
	changed := false
	for i := 0; i+1 < len(rs); i++ {
		if rs[i+1] != lam || !isAlef(rs[i]) {
			continue
		}
		afterAlef := i > 0 && rs[i-1] == alef
		beforeSeat := i+2 < len(rs) && rs[i] == alef && (rs[i+2] == hamza || rs[i+2] == wawHamza || rs[i+2] == yehHamza)
		if afterAlef || beforeSeat {
			rs[i], rs[i+1] = rs[i+1], rs[i]
			changed = true
			i++
		}
	}
	if !changed {
		return w
	}
	return string(rs)
}

// evidence says how the text around a word was treated before.
type evidence uint8

const (
	unknown evidence = iota // nothing tells
	damaged                 // the text holds impossible sequences
	clean                   // the text holds right lam-alef pairs and no impossible ones
)

// fixWord returns the right form of one Arabic word. prev and next are the
// repaired word before it and the raw word after it, or empty.
func (x *repairLexicon) fixWord(w, prev, next string, ev evidence) string {
	for range 4 { // each round moves at least one lam before its alef
		n := x.fixOnce(w, prev, next, ev)
		if n == w {
			break
		}
		w = n
	}
	return w
}

// fixAlone is fixWord for a word whose neighbours decide nothing; it returns ""
// for one that must be looked at among its neighbours.
func (x *repairLexicon) fixAlone(w string, ev evidence) string {
	for range 4 {
		if x.asksNeighbours(w) {
			return ""
		}
		n := x.fixOnce(w, "", "", ev)
		if n == w {
			break
		}
		w = n
	}
	return w
}

// asksNeighbours reports a form that a context rule decides.
func (x *repairLexicon) asksNeighbours(w string) bool {
	w = safeWord(w)
	for _, p := range proclitics {
		if stem, ok := strings.CutPrefix(w, p); ok {
			if _, ok := x.context[stem]; ok {
				return true
			}
		}
	}
	return false
}

func (x *repairLexicon) fixOnce(w, prev, next string, ev evidence) string {
	if r, ok := x.form[w]; ok {
		return r
	}
	w = safeWord(w)
	if len(w) > maxRepairWord || !hasSite(w) || x.keep[w] || x.soundFeminine(w) {
		return w
	}
	if r, ok := x.exact[w]; ok {
		if ev == clean && len(w) <= 6 {
			return w // in sound text a bare article is the writer's own
		}
		return r
	}
	for _, p := range proclitics {
		stem, ok := strings.CutPrefix(w, p)
		if !ok || len(stem) < 4 {
			continue
		}
		if rules, ok := x.context[stem]; ok {
			if ev == clean {
				return w // a good word, in a text that was never damaged
			}
			if r, ok := decide(rules, p, prev, next); ok {
				return p + r
			}
			return w
		}
		if r, ok := x.lookup(stem); ok {
			return p + r
		}
	}
	if r, ok := x.fixHead(w, ev); ok {
		return r
	}
	return x.fixPlural(w)
}

// hasSite reports whether a word holds an alef before a lam.
func hasSite(w string) bool {
	last := rune(0)
	for _, r := range w {
		if r == lam && isAlef(last) {
			return true
		}
		last = r
	}
	return false
}

// lookup finds a stem, bare or with one ending.
func (x *repairLexicon) lookup(stem string) (string, bool) {
	if r, ok := x.swap[stem]; ok {
		return r, true
	}
	for _, e := range endings {
		if s, ok := strings.CutSuffix(stem, e); ok && len(s) >= 6 {
			if r, ok := x.swap[s]; ok && !strings.HasSuffix(r, "\u0627") {
				return r + e, true
			}
		}
	}
	for _, e := range pronouns {
		if s, ok := strings.CutSuffix(stem, e); ok {
			if r, ok := x.bound[s]; ok {
				return r + e, true
			}
		}
	}
	return "", false
}

// swaps reports whether the lexicon rewrites the word.
func (x *repairLexicon) swaps(w string) bool {
	w = safeWord(w)
	for _, p := range proclitics {
		if s, ok := strings.CutPrefix(w, p); ok && len(s) >= 6 {
			if _, ok := x.lookup(s); ok {
				return true
			}
		}
	}
	return false
}

// decide applies the context rules of one ambiguous form; p is what stands
// joined before it.
func decide(rules []contextRule, p, prev, next string) (string, bool) {
	article := strings.HasSuffix(p, "\u0627\u0644") || strings.HasSuffix(p, "\u0644\u0644")
	for _, r := range rules {
		if r.article == 'a' && !article || r.article == 'b' && article {
			continue
		}
		hit := false
		switch r.kind {
		case "prev":
			hit = anyForm(r.words, prev)
		case "next":
			hit = anyForm(r.words, next)
		case "notprev":
			hit = !anyForm(r.words, prev)
		case "notnext":
			hit = !anyForm(r.words, next)
		case "next-prefix":
			for _, w := range r.words {
				hit = hit || strings.HasPrefix(next, w)
			}
		case "always":
			hit = true
		}
		if hit {
			return r.right, true
		}
	}
	return "", false
}

// anyForm reports whether w is one of the words, with or without a joined
// conjunction, preposition or article.
func anyForm(words []string, w string) bool {
	if w == "" {
		return false
	}
	w = safeWord(w)
	for _, p := range proclitics {
		s, ok := strings.CutPrefix(w, p)
		if !ok {
			continue
		}
		for _, x := range words {
			if s == x {
				return true
			}
		}
	}
	return false
}

// soundFeminine reports one of the nouns that look damaged in their bound
// form, with the ending or pronoun they have.
func (x *repairLexicon) soundFeminine(w string) bool {
	if s, ok := strings.CutSuffix(w, "\u0629"); ok {
		return strings.HasSuffix(s, "\u0627\u0644") && x.anyStem(w, x.feminine)
	}
	for _, p := range pronouns {
		if s, ok := strings.CutSuffix(w, p); ok {
			if s, ok = strings.CutSuffix(s, "\u0627\u0644\u062a"); ok && x.anyStem(s+"\u0627\u0644\u0629", x.feminine) {
				return true
			}
		}
	}
	return false
}

// fixPlural mends the plural and dual endings of words that end in lam: no
// noun ends in alef, lam, teh, and the verbs that do are listed; none ends
// in alef, lam, noon.
func (x *repairLexicon) fixPlural(w string) string {
	if s, ok := strings.CutSuffix(w, "\u0627\u0644\u0646"); ok && len(s) >= 6 && !strings.HasSuffix(s, "\u0644") {
		return s + "\u0644\u0627\u0646"
	}
	for _, p := range [...]string{"", "\u0647\u0627", "\u0647", "\u0647\u0645", "\u0647\u0645\u0627", "\u0643\u0645", "\u0646\u0627"} {
		s, ok := strings.CutSuffix(w, p)
		if !ok {
			continue
		}
		stem, ok := strings.CutSuffix(s, "\u0627\u0644\u062a")
		if !ok || len(stem) < 4 || strings.HasSuffix(stem, "\u0644") {
			continue
		}
		if x.anyStem(s, x.verb) {
			return w
		}
		return stem + "\u0644\u0627\u062a" + p
	}
	return w
}

// anyStem reports whether w, less one proclitic, is in the set.
func (x *repairLexicon) anyStem(w string, set map[string]bool) bool {
	for _, p := range proclitics {
		if s, ok := strings.CutPrefix(w, p); ok && set[s] {
			return true
		}
	}
	return false
}
