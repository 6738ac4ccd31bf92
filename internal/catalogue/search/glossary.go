package search

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"slices"
	"strings"
	"sync"

	"diwan/lexis"
)

//go:embed data/glossary.tsv
var glossaryData string

//go:embed data/weak.txt
var weakData string

// glossary knows what the administration's and everybody's words for one thing
// are. It is read-only.
type glossary struct {
	phrases map[string][]concept // by key of an expression
	longest int                  // words of the longest expression
	weak    map[string]bool
}

// concept is all the ways to say one thing, made ready as alternatives.
type concept struct {
	forms []alternative
	keys  [][]string // the keys of each form
}

// glossaryLangs are the columns of the glossary. The last is everyday language
// in both scripts, which is looked up but never searched for.
var glossaryLangs = []string{"ar", "fr", "en", "darija"}

var loadGlossary = sync.OnceValue(func() *glossary {
	g := &glossary{phrases: map[string][]concept{}, weak: map[string]bool{}}
	for line := range strings.Lines(glossaryData) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			g.add(line)
		}
	}
	for w := range strings.FieldsSeq(weakData) {
		for _, t := range lexis.Tokenize(w) {
			for _, k := range keysOf(t) {
				g.weak[k] = true
			}
		}
	}
	return g
})

// glossaryDigest changes with the glossary's text.
var glossaryDigest = sync.OnceValue(func() string {
	sum := sha256.Sum256([]byte(glossaryData + weakData))
	return hex.EncodeToString(sum[:8])
})

func (g *glossary) add(line string) {
	var c concept
	for i, column := range strings.Split(line, "\t") {
		if i >= len(glossaryLangs) {
			break
		}
		for form := range strings.SplitSeq(column, "|") {
			if form = strings.TrimSpace(form); form == "" || form == "-" {
				continue
			}
			a := alternative{}
			if lang := glossaryLangs[i]; lang != "darija" {
				a = phrase(form, lang, weightSynonym)
			}
			c.forms = append(c.forms, a)
			c.keys = append(c.keys, phraseKeys(form, glossaryLangs[i]))
		}
	}
	for _, keys := range c.keys {
		for _, k := range keys {
			g.phrases[k] = append(g.phrases[k], c)
			g.longest = max(g.longest, strings.Count(k, " ")+1)
		}
	}
}

// phraseKeys are the keys under which an expression of one language is found.
func phraseKeys(form, lang string) []string {
	var tokens []lexis.Token
	for _, t := range lexis.Tokenize(form) {
		if len(lexis.Analyze(t.Text, "")) > 0 || lang == "darija" {
			tokens = append(tokens, t)
		}
	}
	if len(tokens) == 0 {
		return nil
	}
	letters := map[string]string{"ar": "a", "fr": "f", "en": "e", "darija": "d"}[lang]
	if lang == "darija" && tokens[0].Script == lexis.Arabic {
		letters = "a"
	}
	key := ""
	for _, t := range tokens {
		k := keyIn(t, letters)
		if k == "" {
			return nil
		}
		key = joinKey(key, k)
	}
	return []string{key}
}

func joinKey(a, b string) string {
	if a == "" {
		return b
	}
	return a + " " + b
}

// keyIn is the key of a word read as Arabic, French, English or Darija in Latin
// letters; empty when the letters say that it can't be.
func keyIn(t lexis.Token, letters string) string {
	if (t.Script == lexis.Arabic) != (letters == "a") && t.Script != lexis.Number {
		return ""
	}
	switch letters {
	case "a":
		return "a:" + lexis.StemArabic(t.Text)
	case "f":
		return "f:" + stemOf(t, "fr")
	case "e":
		return "e:" + stemOf(t, "en")
	}
	return "d:" + lexis.FoldArabizi(t.Text)
}

func keysOf(t lexis.Token) []string {
	if t.Script == lexis.Arabic {
		return []string{keyIn(t, "a")}
	}
	return []string{keyIn(t, "f"), keyIn(t, "e"), keyIn(t, "d")}
}

// isWeak reports whether a word belongs to how people ask rather than to what
// they ask for.
func isWeak(t lexis.Token) bool {
	g := loadGlossary()
	for _, k := range keysOf(t) {
		if g.weak[k] {
			return true
		}
	}
	return false
}

// glossaryAt finds the longest expression at the head of words, and the other
// ways to say it.
// Everyday meanings come first when the text is in everyday language.
func glossaryAt(words []word, everyday bool) ([]alternative, int) {
	g := loadGlossary()
	readings := []string{"a", "f", "e", "d"}
	if everyday {
		readings = []string{"d", "a", "f", "e"}
	}
	for n := min(g.longest, len(words)); n > 0; n-- {
		var alts []alternative
		for _, letters := range readings {
			key := ""
			for _, w := range words[:n] {
				k := keyIn(w.token, letters)
				if k == "" {
					key = ""
					break
				}
				key = joinKey(key, k)
			}
			for _, c := range g.phrases[key] {
				alts = appendForms(alts, c, key)
			}
		}
		if alts != nil {
			return alts, n
		}
	}
	return nil, 0
}

func appendForms(alts []alternative, c concept, but string) []alternative {
	for i, a := range c.forms {
		same := func(b alternative) bool { return b.also == a.also }
		if slices.ContainsFunc(alts, same) || len(a.units) == 0 || len(c.keys[i]) > 0 && c.keys[i][0] == but || len(alts) >= maxAlts {
			continue
		}
		alts = append(alts, a)
	}
	return alts
}
