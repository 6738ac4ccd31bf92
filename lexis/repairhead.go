package lexis

import "strings"

// fixHead mends the lam of a joined preposition that changed places with
// the alef at the head of its word, and the article before a word in lam
// and alef.
func (x *repairLexicon) fixHead(w string, ev evidence) (string, bool) {
	conj, rest := "", w
	if len(w) > 2 {
		switch r := []rune(w[:2])[0]; r {
		case waw, feh:
			conj, rest = w[:2], w[2:]
		}
	}
	if r, ok := x.headOf(rest, ev); ok {
		return conj + r, true
	}
	if conj != "" {
		return x.headOf(w, ev)
	}
	return w, false
}

func (x *repairLexicon) headOf(w string, ev evidence) (string, bool) {
	rs := []rune(w)
	switch {
	case len(rs) >= 3 && isAlef(rs[0]) && rs[0] != alef && rs[1] == lam:
		return x.headHamza(w, rs, ev)
	case len(rs) >= 5 && rs[0] == lam && isAlef(rs[1]) && rs[2] == lam:
		return x.headDouble(w, rs, ev)
	case len(rs) >= 4 && rs[0] == alef && rs[1] == lam && rs[2] == alef && rs[3] == lam:
		return x.headArticle(rs)
	case len(rs) >= 4 && rs[0] == alef && rs[1] == lam:
		body := x.swapped(string(alef) + string(rs[2:]))
		if x.wasl[body] || len(rs) >= 8 && x.inSet(x.wasl, body) || isTenthForm(rs) {
			return string(lam) + body, true
		}
	}
	return w, false
}

// isTenthForm reports a verbal noun of the tenth form without its first
// alef: seen, teh, two consonants, alef. No word begins so, and behind an
// alef and a lam the alef is its own.
func isTenthForm(rs []rune) bool {
	return len(rs) >= 8 && rs[2] == seen && rs[3] == teh && (rs[5] == alef || rs[6] == alef) &&
		rs[4] != alef && rs[len(rs)-1] != yeh && (rs[len(rs)-2] != yeh || rs[len(rs)-1] != tehMarbuta)
}

// headHamza: alef with hamza, lam, ... : the preposition lam before a word
// in hamza, unless the word itself begins so.
func (x *repairLexicon) headHamza(w string, rs []rune, ev evidence) (string, bool) {
	if x.inSet(x.keep, w) {
		return w, false
	}
	body := x.swapped(string(rs[0]) + string(rs[2:]))
	if x.inSet(x.hamza, body) || ev == damaged && len(rs) >= 5 {
		return string(lam) + body, true
	}
	return w, false
}

// headDouble: lam, alef, lam, ... : preposition and article before a word
// in alef.
func (x *repairLexicon) headDouble(w string, rs []rune, ev evidence) (string, bool) {
	own := string(rs[1:]) // the word after one lam, as it stands
	if x.inSet(x.keep, own) || x.inSet(x.wasl, own) {
		return w, false
	}
	body := x.swapped(string(rs[1]) + string(rs[3:]))
	if rs[1] == alef {
		if rs[3] != teh || x.inSet(x.wasl, body) || ev == damaged {
			return string(lam) + string(lam) + body, true
		}
		return w, false
	}
	if x.inSet(x.hamza, body) || ev == damaged {
		return string(lam) + string(lam) + body, true
	}
	return w, false
}

// swapped returns the right form of a stem, or the stem.
func (x *repairLexicon) swapped(stem string) string {
	if r, ok := x.lookup(stem); ok {
		return r
	}
	return stem
}

// headArticle: alef, lam, alef, lam, ... : the article before a word in
// lam and alef, unless the word itself begins with alef and lam.
func (x *repairLexicon) headArticle(rs []rune) (string, bool) {
	own := string(rs[2:])
	if x.inSet(x.wasl, own) || x.keep[string(alefHamza)+string(rs[3:])] || x.keep[string(alefBelow)+string(rs[3:])] {
		return string(rs), false
	}
	out := append([]rune{alef, lam, lam, alef}, rs[4:]...)
	return string(out), true
}

// inSet reports whether w, bare or less one pronoun or plural ending, is in
// the set.
func (x *repairLexicon) inSet(set map[string]bool, w string) bool {
	if set[w] {
		return true
	}
	for _, e := range endings {
		if s, ok := strings.CutSuffix(w, e); ok && len(s) >= 6 && (set[s] || set[s+"\u0629"] && e != "\u0627") {
			return true
		}
		if s, ok := strings.CutSuffix(w, "\u062a"+e); ok && len(s) >= 4 && set[s+"\u0629"] {
			return true
		}
	}
	return false
}
