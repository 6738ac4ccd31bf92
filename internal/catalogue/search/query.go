package search

import (
	"slices"
	"strings"
	"unicode/utf8"

	"diwan/lexis"
)

// term is one posting list of the index and how much it is worth.
type term struct {
	kind   lexis.Kind
	text   string
	weight float32
}

// unit is one word: the best of its terms counts.
type unit []term

// alternative is one way to say what a slot asks for, of one or more words.
type alternative struct {
	units  []unit
	weight float32
	also   Word    // to show to the reader; empty for the words as typed
	exact  string  // the key of a whole name
	known  float32 // what matching it wholly is worth, 0 when nothing can
}

// slot is one thing that a query speaks of.
type slot struct {
	alts   []alternative
	weight float32
}

// word is a word of the query that says something.
type word struct {
	token lexis.Token
	terms []lexis.Term
	weak  bool
}

// plan is a query made ready.
type plan struct {
	slots     []slot
	grams     []string
	lang      string // of the text, "" when it could be any
	corrected string
	exact     string
	folded    string // the text without accents and such
	terms     int
}

// Weights of what is not the word as typed.
const (
	weightSkeleton    = 0.6
	weightSound       = 0.6
	weightLoan        = 0.55
	weightAmazigh     = 0.7
	weightSynonym     = 0.95
	weightEveryday    = 0.95
	weightTranslation = 0.7
	weightCorrection  = 0.85
	weightWeak        = 0.25
)

// plan reads a query.
func (g *generation) plan(text, readerLang string) *plan {
	p := &plan{folded: foldText(text)}
	guess := lexis.DetectLang(text)
	if guess.Lang != lexis.Unsure && !guess.Arabizi {
		p.lang = guess.Lang
	}
	everyday := guess.Darija || guess.Arabizi || guess.Lang == lexis.Unsure
	tokens := tokenize(text)
	words := g.contentWords(tokens, everyday || guess.Lang == "ar", guess.Lang == "en" || p.lang == "" && readerLang == "en")
	fixes := map[int]string{}
	var stems []string
	for i := 0; i < len(words); {
		s, n := g.slot(words[i:], everyday, func(j int, fixed string) { fixes[words[i+j].token.Start] = fixed })
		p.add(s)
		i += n
	}
	for _, w := range words {
		for _, t := range w.terms {
			switch t.Kind {
			case lexis.Stem:
				stems = append(stems, t.Text)
			case lexis.Gram:
				if len(p.grams) < maxGrams && !w.weak {
					p.grams = append(p.grams, t.Text)
				}
			}
		}
	}
	p.exact = exactKey(stems)
	if len(fixes) > 0 && !guess.Arabizi && !guess.Darija {
		p.corrected = correctedText(text, tokens, fixes)
	}
	return p
}

// add appends a slot while the bound on posting lists allows.
func (p *plan) add(s slot) {
	for i, a := range s.alts {
		n := 0
		for _, u := range a.units {
			n += len(u)
		}
		if p.terms+n > maxTerms {
			s.alts = s.alts[:i]
			break
		}
		p.terms += n
	}
	if len(s.alts) > 0 {
		p.slots = append(p.slots, s)
	}
}

// contentWords drops the words that say nothing: stop words, and in everyday
// language the words for how, want, must, of. When nothing would be left, all
// words stay.
func (g *generation) contentWords(tokens []lexis.Token, everyday, english bool) []word {
	drop := make([]bool, len(tokens))
	if everyday {
		for _, e := range lexis.ExpandDarija(tokens) {
			for i := e.First; i < e.Last && len(e.Means) == 0; i++ {
				drop[i] = true
			}
		}
	}
	var out, all []word
	for i, t := range tokens {
		terms := lexis.Analyze(t.Text, "")
		if len(terms) == 0 {
			continue
		}
		w := word{token: t, terms: terms, weak: isWeak(t)}
		all = append(all, w)
		if !drop[i] && !(english && lexis.IsStop(t.Text, "en")) {
			out = append(out, w)
		}
	}
	if len(out) == 0 {
		return all
	}
	return out
}

// slot reads the longest expression at the head of words and returns how many
// words it takes. Corrections of spelling are reported to fix.
func (g *generation) slot(words []word, everyday bool, fix func(i int, fixed string)) (slot, int) {
	n := 1
	var meant []alternative
	if alts, k := glossaryAt(words, everyday); k > 0 {
		meant, n = alts, k
	}
	if alts, k := everydayAt(words); k > n || k == n && k > 0 {
		if k > n {
			meant = nil
		}
		meant, n = append(meant, alts...), k
	}
	typed := alternative{weight: 1}
	weak := true
	for _, w := range words[:n] {
		typed.units = append(typed.units, typedUnit(w, everyday))
		weak = weak && w.weak
	}
	s := slot{alts: append([]alternative{typed}, meant...), weight: 1}
	if n == 1 {
		s.alts = append(s.alts, g.translations(words[0])...)
		if len(meant) == 0 {
			if alts, fixed := g.corrections(words[0]); len(alts) > 0 {
				s.alts = append(s.alts, alts...)
				if fixed != "" {
					fix(0, fixed)
				}
			}
		}
	}
	if weak {
		s.weight = weightWeak
	}
	s.alts = s.alts[:min(len(s.alts), maxAlts)]
	return s, n
}

// typedUnit is a word as it was typed, with what sounds like it.
func typedUnit(w word, everyday bool) unit {
	var u unit
	for _, t := range w.terms {
		switch t.Kind {
		case lexis.Stem:
			u = append(u, term{lexis.Stem, t.Text, 1})
			if w.token.Script == lexis.Latin {
				if en := lexis.StemEnglish(w.token.Text); en != t.Text {
					u = append(u, term{lexis.Stem, en, 0.9})
				}
			}
		case lexis.Consonant:
			u = append(u, term{lexis.Consonant, t.Text, weightSkeleton})
		case lexis.Amazigh:
			u = append(u, term{lexis.Amazigh, t.Text, weightAmazigh})
		case lexis.Sound:
			if len(t.Text) < 3 && !everyday {
				continue
			}
			if w.token.Script == lexis.Latin {
				u = append(u, term{lexis.Sound, t.Text, weightSound})
			}
			if k := soundClass(t.Text); w.token.Script == lexis.Arabic && len(k) > 2 {
				u = append(u, term{kindLoan, k, weightLoan})
			}
		}
	}
	return u
}

// phrase is another way to say something, as an alternative.
func phrase(text, lang string, weight float32) alternative {
	a := alternative{weight: weight, also: Word{Text: text, Lang: lang, Dir: direction(lang)}}
	var stems []string
	last := -1
	for _, t := range lexis.Analyze(text, lang) {
		switch t.Kind {
		case lexis.Stem:
			stems = append(stems, t.Text)
			a.units = append(a.units, unit{{lexis.Stem, t.Text, 1}})
			last = t.Pos
		case lexis.Consonant:
			if last == t.Pos && len(a.units) > 0 {
				u := &a.units[len(a.units)-1]
				*u = append(*u, term{lexis.Consonant, t.Text, weightSkeleton})
			}
		}
	}
	a.exact = exactKey(stems)
	return a
}

func direction(lang string) string {
	if lang == "ar" {
		return "rtl"
	}
	return "ltr"
}

// everydayAt reads a Darija expression at the head of words.
func everydayAt(words []word) ([]alternative, int) {
	tokens := make([]lexis.Token, 0, 3)
	for _, w := range words[:min(3, len(words))] {
		tokens = append(tokens, w.token)
	}
	found := lexis.ExpandDarija(tokens)
	if len(found) == 0 || found[0].First != 0 {
		return nil, 0
	}
	var alts []alternative
	for _, m := range found[0].Means {
		lang := "fr"
		if r, _ := utf8.DecodeRuneInString(m); r >= 0x600 && r < 0x780 {
			lang = "ar"
		}
		alts = append(alts, phrase(m, lang, weightEveryday))
	}
	if alts == nil {
		return nil, 0
	}
	return alts, found[0].Last
}

// translations are what the catalogue's own parallel texts say a word means.
func (g *generation) translations(w word) []alternative {
	var out []alternative
	for _, t := range w.terms {
		if t.Kind != lexis.Stem {
			continue
		}
		list := g.Lex[t.Text]
		for _, tr := range list[:min(len(list), maxTranslations)] {
			a := alternative{weight: weightTranslation * tr.P / max(list[0].P, 0.3), units: []unit{{{lexis.Stem, tr.Stem, 1}}}}
			if shown := g.shown[tr.Stem]; shown != "" && tr.P > 0.25 {
				lang := "fr"
				if w.token.Script == lexis.Latin {
					lang = "ar"
				}
				a.also = Word{shown, lang, direction(lang)}
			}
			out = append(out, a)
		}
	}
	return out
}

// corrections are the words of the catalogue that a word which is not one of
// them may stand for. fixed is how the best of them is written.
func (g *generation) corrections(w word) (alts []alternative, fixed string) {
	folded := fold(w.token)
	if _, ok := g.spell.known(folded); ok || w.token.Script == lexis.Number || g.knownStem(w) {
		return nil, ""
	}
	found := g.spell.correct(folded, 3)
	for i, f := range found {
		lang := "fr"
		if w.token.Script == lexis.Arabic {
			lang = "ar"
		}
		a := phrase(f.Shown, lang, weightCorrection)
		a.also = Word{}
		if i == 0 {
			fixed = f.Shown
		}
		alts = append(alts, a)
	}
	return alts, fixed
}

// knownStem reports whether another form of the word is in the catalogue. What
// the stemmer cut short, it may have cut from a misspelt ending.
func (g *generation) knownStem(w word) bool {
	for _, t := range w.terms {
		if t.Kind == lexis.Stem && g.stems[t.Text] && (w.token.Script != lexis.Latin || len(w.token.Text)-len(t.Text) <= maxEnding) {
			return true
		}
	}
	return false
}

// correctedText writes the query again with the corrections in it.
func correctedText(text string, tokens []lexis.Token, fixes map[int]string) string {
	var b strings.Builder
	at := 0
	for _, t := range tokens {
		if f, ok := fixes[t.Start]; ok {
			b.WriteString(text[at:t.Start])
			b.WriteString(likeTyped(f, t.Text))
			at = t.End
		}
	}
	b.WriteString(text[at:])
	return b.String()
}

// likeTyped writes a word of the catalogue small when it was typed small.
func likeTyped(word, typed string) string {
	if strings.ToLower(typed) == typed {
		return strings.ToLower(word)
	}
	return word
}

// loanKey is the sound of a French word as Arabic letters would write it: what
// is silent at its end is left out.
func loanKey(folded string) string {
	w := folded
	if len(w) > 4 {
		w = strings.TrimSuffix(w, "s")
		w = strings.TrimRight(w, "e")
	}
	if len(w) > 4 {
		w = strings.TrimRight(w, "tdxpsz")
		w = strings.TrimSuffix(w, "er")
	}
	k := soundClass(lexis.PhoneticKey(w))
	if len(k) < 3 {
		return ""
	}
	return k
}

// soundClass joins the sounds that spellings of borrowed words exchange.
func soundClass(key string) string { return soundClasses.Replace(key) }

var soundClasses = strings.NewReplacer("z", "s", "g", "k", "G", "k", "j", "c")

// readable gathers how stems are written, for showing them.
func (g *generation) readable() {
	g.stems, g.shown = map[string]bool{}, map[string]string{}
	best := map[string]int{}
	for _, w := range g.Words {
		tokens := lexis.Tokenize(w.Shown)
		if len(tokens) == 0 {
			continue
		}
		stem := stemOf(tokens[0], "fr")
		g.stems[stem] = true
		if w.Count > best[stem] && len(g.Lex[stem]) > 0 {
			best[stem], g.shown[stem] = w.Count, w.Shown
		}
	}
}

// foldText is a text without what spellings differ by.
func foldText(s string) string { return lexis.FoldFrench(lexis.NormalizeArabic(s)) }

// also gathers the expansions that were searched in other languages than the
// query's, the surest first: one of each language for each slot.
func (p *plan) also(worth func(*alternative) bool) []Word {
	type ranked struct {
		word   Word
		weight float32
	}
	var all []ranked
	for i := range p.slots {
		s, seen := &p.slots[i], map[string]bool{p.lang: true}
		for j := range s.alts {
			a := &s.alts[j]
			if a.also.Text == "" || s.weight < 1 || seen[a.also.Lang] || strings.Contains(p.folded, foldText(a.also.Text)) || !worth(a) {
				continue
			}
			seen[a.also.Lang] = true
			all = append(all, ranked{a.also, a.weight})
		}
	}
	slices.SortStableFunc(all, func(a, b ranked) int {
		switch {
		case a.weight > b.weight:
			return -1
		case a.weight < b.weight:
			return 1
		}
		return 0
	})
	var out []Word
	for _, r := range all[:min(len(all), maxAlso)] {
		out = append(out, r.word)
	}
	return out
}

// maxEnding is how many letters an ending has that belongs to a word's forms.
const maxEnding = 3

// maxAlso is how many further words are shown beside the results.
const maxAlso = 6
