package search

import (
	"cmp"
	"hash/maphash"
	"slices"
	"unicode/utf8"

	"diwan/lexis"
)

// vocabWord is a word of the catalogue, folded and as it is written.
type vocabWord struct {
	Folded, Shown string
	Count         int
}

// speller proposes words of the catalogue for words that it doesn't know. Two
// words within one or two edits share what remains when as many letters are
// taken out of each; the words are kept by hashes of these remains.
type speller struct {
	words []vocabWord
	seed  maphash.Seed
	keys  []uint64 // hash in the upper half, number of the word in the lower, sorted
}

// deletions is how many letters are taken out of a word, by its length.
func deletions(runes int) int {
	switch {
	case runes < 5 || runes > 24:
		return 0
	case runes < 8:
		return 1
	}
	return 2
}

func newSpeller(words []vocabWord) *speller {
	s := &speller{words: words, seed: maphash.MakeSeed()}
	for i, w := range words {
		for h := range s.remains(w.Folded) {
			s.keys = append(s.keys, uint64(h)<<32|uint64(i))
		}
	}
	slices.Sort(s.keys)
	s.keys = slices.Clip(s.keys)
	return s
}

// remains yields the hash of a word and of what is left without a letter or two.
func (s *speller) remains(word string) map[uint32]bool {
	r := []rune(word)
	out := map[uint32]bool{}
	var walk func(r []rune, from, left int)
	walk = func(r []rune, from, left int) {
		out[uint32(maphash.String(s.seed, string(r)))] = true
		if left == 0 {
			return
		}
		for i := from; i < len(r); i++ {
			walk(slices.Delete(slices.Clone(r), i, i+1), i, left-1)
		}
	}
	walk(r, 0, deletions(len(r)))
	return out
}

// correct returns the words that a misspelt one may stand for, the nearest and
// most frequent first, at most n.
func (s *speller) correct(word string, n int) []vocabWord {
	edits := deletions(utf8.RuneCountInString(word))
	if edits == 0 {
		return nil
	}
	type found struct {
		word, dist int
		head       bool // whether the first letter differs, which is rare
	}
	var out []found
	seen := map[int]bool{}
	for h := range s.remains(word) {
		at, _ := slices.BinarySearch(s.keys, uint64(h)<<32)
		for ; at < len(s.keys) && uint32(s.keys[at]>>32) == h; at++ {
			i := int(uint32(s.keys[at]))
			if seen[i] {
				continue
			}
			seen[i] = true
			if d := lexis.Distance(word, s.words[i].Folded, edits); d > 0 && d <= edits {
				out = append(out, found{i, d, !sameHead(word, s.words[i].Folded)})
			}
		}
	}
	slices.SortFunc(out, func(a, b found) int {
		if a.head != b.head {
			return map[bool]int{false: -1, true: 1}[a.head]
		}
		return cmp.Or(cmp.Compare(a.dist, b.dist), cmp.Compare(s.words[b.word].Count, s.words[a.word].Count), cmp.Compare(a.word, b.word))
	})
	words := make([]vocabWord, 0, n)
	for _, f := range out[:min(n, len(out))] {
		if f.dist > out[0].dist || f.head != out[0].head {
			break
		}
		words = append(words, s.words[f.word])
	}
	return words
}

func sameHead(a, b string) bool {
	x, _ := utf8.DecodeRuneInString(a)
	y, _ := utf8.DecodeRuneInString(b)
	return x == y
}

// known reports whether a folded word is in the catalogue as it stands, and how
// it is written there.
func (s *speller) known(folded string) (string, bool) {
	i, ok := slices.BinarySearchFunc(s.words, folded, func(w vocabWord, f string) int { return cmp.Compare(w.Folded, f) })
	if !ok {
		return "", false
	}
	return s.words[i].Shown, true
}
