package retrieval

import (
	"math"

	"diwan/lexis"
)

// translator is a lexicon in one direction.
type translator struct {
	there map[string][]stemProb // P(document stem | query stem)
	back  map[string][]stemProb // by query stem, P(query stem | document stem)
}

// from returns the lexicon for queries of one language.
func (l *Lexicon) from(lang string) translator {
	if lang == "ar" {
		return translator{l.french, l.fromArabic}
	}
	return translator{l.arabic, l.fromFrench}
}

// term is a word of the query to translate.
type term struct {
	stem   string
	weight float64
}

func termsOf(words []*word) []term {
	var out []term
	at := map[string]int{}
	for _, w := range words {
		if w.stop {
			continue
		}
		if i, ok := at[w.stem]; ok {
			out[i].weight++
			continue
		}
		at[w.stem] = len(out)
		out = append(out, term{w.stem, 1})
	}
	return out
}

// addTranslated makes a channel of the query's words in the other language: a
// word of the document counts as much as it is the likeliest translation.
func (m *matcher) addTranslated(terms []term, t translator, s *Stats) {
	c := channel{length: famStem, units: make([]unit, len(terms))}
	for i, x := range terms {
		df, total := 0.0, 0.0
		for _, y := range t.there[x.stem] {
			df += s.documents(keyOf(famStem, y.stem)) * y.p
			total += y.p
		}
		c.units[i].weight = x.weight
		if total > 0 {
			c.units[i].rarity = s.idf(df / total)
		}
	}
	first := m.open(c)
	for i, x := range terms {
		list := t.there[x.stem]
		for _, y := range list {
			m.add(keyOf(famStem, y.stem), hit{uint16(first + i), float32(y.p / list[0].p)})
		}
	}
}

// unseenShare is the probability of a query word that nothing translates.
const unseenShare = 1e-5

// addGenerated makes a language model: how probable is the query as a
// translation of words drawn from the document.
func (m *matcher) addGenerated(terms []term, t translator, s *Stats) {
	c := channel{length: famStem, model: language, units: make([]unit, len(terms))}
	for i, x := range terms {
		p := unseenShare
		for _, y := range t.back[x.stem] {
			p += y.p * s.share(keyOf(famStem, y.stem))
		}
		c.units[i] = unit{weight: x.weight, rarity: p}
	}
	first := m.open(c)
	for i, x := range terms {
		for _, y := range t.back[x.stem] {
			m.add(keyOf(famStem, y.stem), hit{uint16(first + i), float32(y.p)})
		}
	}
}

// addReverse makes a channel that asks the other way round how much likelier
// the words of the document are when the query is what they translate.
func (m *matcher) addReverse(terms []term, t translator, s *Stats) {
	gain, order, total := map[string]float64{}, []string{}, 0.0
	for _, x := range terms {
		total += x.weight
		for _, y := range t.there[x.stem] {
			if _, ok := gain[y.stem]; !ok {
				order = append(order, y.stem)
			}
			gain[y.stem] += x.weight * y.p
		}
	}
	first := m.open(channel{length: famStem, model: average, units: make([]unit, 1)})
	for _, stem := range order {
		k := keyOf(famStem, stem)
		m.add(k, hit{uint16(first), float32(math.Log1p(4 * gain[stem] / total / s.share(k)))})
	}
}

// name is one way to say a word of the query that may be a name.
type name struct {
	unit uint16
	spokenForm
}

// addNames makes a channel of names written by sound: those of a Latin query in
// Arabic documents, and the words of an Arabic query that have no known
// translation in Latin documents.
func (m *matcher) addNames(words []*word, t translator, s *Stats) {
	c := channel{length: famStem}
	var names []name
	script := lexis.Arabic // of the documents
	for _, w := range words {
		if w.script == lexis.Arabic && len(t.there[w.stem]) > 0 || m.full(len(c.units)+1) {
			continue
		}
		n := len(names)
		for _, f := range w.spoken() {
			if f.size >= 2 {
				names = append(names, name{uint16(m.units + len(c.units)), f})
			}
		}
		if len(names) > n {
			if w.script == lexis.Arabic {
				script = lexis.Latin
			}
			c.units = append(c.units, unit{weight: 1, rarity: math.Log1p(s.docs)})
		}
	}
	m.open(c)
	if len(names) == 0 {
		return
	}
	m.sound = func(w *word, out []hit) []hit {
		if w.script != script {
			return out
		}
		best, unit := 0.0, uint16(0)
		forms := w.spoken()
		for i := range forms {
			for j := range names {
				if a := alike(&names[j].spokenForm, &forms[i]); a > best {
					best, unit = a, names[j].unit
				}
			}
		}
		if best >= leastAlike {
			out = append(out, hit{unit, float32(best * best)})
		}
		return out
	}
}
