package lexis

// WithProclitics returns the forms of an Arabic word with the conjunctions and
// prepositions that are written joined to its head, the word itself first. A
// word with the article takes the preposition lam in its place. Other scripts
// come back alone.
func WithProclitics(word string) []string {
	rs := []rune(word)
	out := []string{word}
	if len(rs) < 2 || !isArabicLetter(rs[0]) {
		return out
	}
	forms := []string{string(beh) + word, string(kaf) + word}
	if rs[0] == alef && rs[1] == lam {
		forms = append(forms, string([]rune{lam, lam})+string(rs[2:]))
	} else {
		forms = append(forms, string(lam)+word)
	}
	for _, c := range [...]rune{waw, feh} {
		out = append(out, string(c)+word)
	}
	for _, f := range forms {
		out = append(out, f, string(waw)+f, string(feh)+f)
	}
	return out
}
