package retrieval

import "diwan/lexis"

// family says what a key of a word was made from. Keys of different families
// never meet.
type family uint8

const (
	famStem     family = iota // stem of a word, or a whole number
	famSkeleton               // consonants of an Arabic stem
	famGram3                  // runs of letters, the ends of the word marked
	famGram4
	famGram5
	families
)

// keyBits is the size of the key space: two million keys, several times what
// a nation's laws have, so that two keys seldom meet and a table of all of
// them stays small.
const keyBits = 21

const keySpace = 1 << keyBits

// maxKeys bounds the keys of one word.
const maxKeys = 250

// key is a hashed stem, skeleton or run of letters of one family.
type key uint32

// keyOf hashes the text of a key (FNV-1a, folded to the key space).
func keyOf(f family, s string) key {
	h := uint64(14695981039346656037) ^ uint64(f)*0x9e3779b97f4a7c15
	for i := 0; i < len(s); i++ {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	h ^= h >> 32
	h *= 0x9e3779b97f4a7c15
	return key(h >> (64 - keyBits))
}

// makeKeys gives a word its keys. The ends of a word are marked in its runs of
// letters: a common ending then weighs little, and a common beginning is told
// from the same letters inside a word.
func (w *word) makeKeys() {
	if w.stop {
		return
	}
	for f := range families {
		switch {
		case f == famStem:
			w.keys = append(w.keys, keyOf(f, w.stem))
		case f == famSkeleton:
			if w.script == lexis.Arabic {
				w.keys = append(w.keys, keyOf(f, lexis.Skeleton(w.text)))
			}
		default:
			for _, g := range lexis.NGrams("<"+w.text+">", 3+int(f-famGram3)) {
				if len(w.keys) < maxKeys {
					w.keys = append(w.keys, keyOf(f, g))
				}
			}
		}
		w.ends[f] = uint8(len(w.keys))
	}
}
