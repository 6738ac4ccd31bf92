package search

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"diwan/lexis"
)

// translation is what a stem of one language stands for in the other, with how
// sure that is, from 0 to 1.
type translation struct {
	Stem string
	P    float32
}

// lexicon translates stems between the two languages in which the catalogue is
// fully written: Latin letters to Arabic ones and back.
type lexicon map[string][]translation

const (
	maxTranslations = 8
	minTranslation  = 0.08
	pairDoubt       = 0.5 // of a pair seen once, in units of pairs
	maxPairWords    = 40
	maxPairs        = 60000
	modelRounds     = 6
)

// pairSet gathers parallel texts: the names, keywords and lines of one thing in
// Arabic and in French or English.
type pairSet struct {
	ids   [2]map[string]int32 // Latin, Arabic
	words [2][]string
	pairs [][2][]int32
}

func (p *pairSet) add(d *Doc) {
	for _, l := range []string{"fr", "en"} {
		p.text(d.Name[l], d.Name["ar"], l)
		p.text(strings.Join(d.Keywords[l], " "), strings.Join(d.Keywords["ar"], " "), l)
		a, b := strings.Split(d.Body[l], "\n"), strings.Split(d.Body["ar"], "\n")
		if len(a) != len(b) {
			continue // not line by line the same
		}
		for i := range a {
			p.text(a[i], b[i], l)
		}
	}
}

func (p *pairSet) text(latin, arabic, lang string) {
	if len(p.pairs) >= maxPairs {
		return
	}
	a, b := p.stems(0, cut(latin, maxNameBytes), lang), p.stems(1, cut(arabic, maxNameBytes), "ar")
	if len(a) > 0 && len(b) > 0 {
		p.pairs = append(p.pairs, [2][]int32{a, b})
	}
}

// stems numbers the words of one side that are written in that side's letters.
func (p *pairSet) stems(side int, s, lang string) []int32 {
	var out []int32
	if p.ids[side] == nil {
		p.ids[side] = map[string]int32{}
	}
	for _, t := range lexis.Tokenize(s) {
		if (t.Script == lexis.Arabic) != (side == 1) || t.Script == lexis.Number || lexis.IsStop(t.Text, lang) {
			continue
		}
		stem := stemOf(t, lang)
		id, ok := p.ids[side][stem]
		if !ok {
			id = int32(len(p.words[side]))
			p.ids[side][stem] = id
			p.words[side] = append(p.words[side], stem)
		}
		if !slices.Contains(out, id) {
			out = append(out, id)
		}
		if len(out) == maxPairWords {
			break
		}
	}
	return out
}

func stemOf(t lexis.Token, lang string) string {
	switch {
	case t.Script == lexis.Arabic:
		return lexis.StemArabic(t.Text)
	case lang == "en":
		return lexis.StemEnglish(t.Text)
	}
	return lexis.StemFrench(lexis.CutElision(lexis.FoldFrench(t.Text)))
}

// learn estimates IBM Model 1 in both directions and keeps, for each stem, the
// few translations on which both agree.
func (p *pairSet) learn() lexicon {
	forward, back := p.model(0, 1), p.model(1, 0)
	type link struct {
		a, b int32
		p    float32
	}
	var links []link
	for k, t := range forward {
		a, b := int32(k>>32), int32(uint32(k))
		if s := float32(math.Sqrt(t * back[uint64(b)<<32|uint64(a)])); s >= minTranslation {
			links = append(links, link{a, b, s})
		}
	}
	slices.SortFunc(links, func(x, y link) int {
		return cmp.Or(cmp.Compare(y.p, x.p), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	lex := lexicon{}
	put := func(from, to string, p float32) {
		if t := lex[from]; len(t) < maxTranslations {
			lex[from] = append(t, translation{to, p})
		}
	}
	for _, l := range links {
		put(p.words[0][l.a], p.words[1][l.b], l.p)
		put(p.words[1][l.b], p.words[0][l.a], l.p)
	}
	return lex
}

// model returns t(target|source) by source<<32|target after a few rounds of
// expectation and maximisation. An extra source word, numbered after all others,
// takes up what has no counterpart.
func (p *pairSet) model(source, target int) map[uint64]float64 {
	slot := map[uint64]int32{}
	null := uint64(len(p.words[source]))
	var cells [][]int32 // by pair: for each target word, the cells of all source words
	var of []uint64
	cell := func(s uint64, t int32) int32 {
		k := s<<32 | uint64(uint32(t))
		id, ok := slot[k]
		if !ok {
			id = int32(len(of))
			slot[k] = id
			of = append(of, k)
		}
		return id
	}
	for _, pair := range p.pairs {
		row := make([]int32, 0, (len(pair[source])+1)*len(pair[target]))
		for _, t := range pair[target] {
			for _, s := range pair[source] {
				row = append(row, cell(uint64(s), t))
			}
			row = append(row, cell(null, t))
		}
		cells = append(cells, row)
	}
	prob, count := make([]float64, len(of)), make([]float64, len(of))
	total := make([]float64, null+1)
	for i := range prob {
		prob[i] = 1
	}
	for range modelRounds {
		clear(count)
		clear(total)
		for i, row := range cells {
			width := len(p.pairs[i][source]) + 1
			for ; len(row) > 0; row = row[width:] {
				var sum float64
				for _, c := range row[:width] {
					sum += prob[c]
				}
				for _, c := range row[:width] {
					count[c] += prob[c] / sum
				}
			}
		}
		for c, k := range of {
			total[k>>32] += count[c]
		}
		for c, k := range of {
			prob[c] = count[c] / total[k>>32]
		}
	}
	out := make(map[uint64]float64, len(of)/4)
	for c, k := range of {
		prob[c] *= count[c] / (count[c] + pairDoubt)
		if k>>32 != null && prob[c] >= minTranslation/4 {
			out[k] = prob[c]
		}
	}
	return out
}
