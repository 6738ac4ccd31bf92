package lexis

import "unicode/utf8"

// Kind says how a term was made; terms of different kinds live in
// different fields of an index.
type Kind uint8

// The kinds of terms.
const (
	Stem      Kind = iota // the stem of a word, or a whole number
	Consonant             // the consonant skeleton of an Arabic stem
	Gram                  // a run of GramSize letters of the word
	Sound                 // the phonetic key
	Amazigh               // the key shared by Tifinagh and Latin Tamazight
)

func (k Kind) String() string {
	return [...]string{"stem", "skeleton", "gram", "phonetic", "tamazight"}[k]
}

// GramSize is the length of the character runs Analyze makes.
const GramSize = 4

// Term is one unit of index or query.
type Term struct {
	Text string
	Kind Kind
	Pos  int // number of the token it comes from
}

// Analyze turns text into terms, the same way for documents and queries.
// lang is "ar", "fr", "en", "zgh" or empty for unknown. It decides what a
// Latin word is: French by default, and then its phonetic and Tamazight
// keys are made too, as the word may be Arabic or Tamazight in Latin
// letters. Arabic and Tifinagh words are told by their script. Stop words
// make no terms but count as positions. Text is read up to MaxInput bytes.
// Arabic should be repaired first where it comes from print files.
func Analyze(s, lang string) []Term {
	tokens := Tokenize(s)
	out := make([]Term, 0, min(len(tokens)*8, 1<<16))
	stop := stopWords()
	for pos, t := range tokens {
		a := analysis{out: out, pos: pos}
		switch t.Script {
		case Arabic:
			a.arabic(t.Text, stop["ar"])
		case Latin:
			a.latin(t.Text, lang, stop)
		case Tifinagh:
			a.tifinagh(t.Text, stop["zgh"])
		default:
			a.add(numberText(t.Text), Stem)
		}
		out = a.out
	}
	return out
}

// analysis gathers the terms of one token.
type analysis struct {
	out []Term
	pos int
}

func (a *analysis) add(text string, k Kind) {
	if text != "" {
		a.out = append(a.out, Term{text, k, a.pos})
	}
}

func (a *analysis) grams(w string) {
	if utf8.RuneCountInString(w) < GramSize {
		a.add(w, Gram)
		return
	}
	for _, g := range NGrams(w, GramSize) {
		a.add(g, Gram)
	}
}

func (a *analysis) arabic(w string, stop map[string]bool) {
	w = NormalizeArabic(w)
	if stop[w] {
		return
	}
	stem := stemNormal(w)
	a.add(stem, Stem)
	if sk := skeletonOf(stem); sk != stem {
		a.add(sk, Consonant)
	} else {
		a.add(stem, Consonant)
	}
	a.grams(w)
	a.add(arabicKey(w), Sound)
}

func (a *analysis) latin(w, lang string, stop map[string]map[string]bool) {
	w = FoldFrench(w)
	if lang != "en" {
		w = CutElision(w)
	}
	switch lang {
	case "en":
		if stop["en"][w] {
			return
		}
		a.add(StemEnglish(w), Stem)
		a.grams(w)
		return
	case "fr":
		if stop["fr"][w] {
			return
		}
		a.add(stemFolded(w), Stem)
		a.grams(w)
		return
	case "zgh":
		a.add(TamazightKey(w), Amazigh)
		a.grams(w)
		return
	}
	if stop["fr"][w] {
		return
	}
	a.add(stemFolded(w), Stem)
	a.grams(w)
	a.add(soundKey(w), Sound)
	a.add(TamazightKey(w), Amazigh)
}

func (a *analysis) tifinagh(w string, stop map[string]bool) {
	w = NormalizeTifinagh(w)
	if stop[w] {
		return
	}
	a.add(w, Stem)
	a.grams(w)
	a.add(TamazightKey(w), Amazigh)
}
