// Package search finds things in the catalogue by words in Arabic, French,
// Tamazight, English, Darija and Darija in Latin letters, misspelt or not, and
// in whichever language they were written.
//
// An Index is a local replica of the catalogue's texts in Bleve's segment
// format. It is replaced as a whole: Update builds a new generation beside the
// old one and swaps them, so that a reader sees all of one or all of the other.
// What is damaged, or was made by another version of the analysis, is thrown
// away and built again: nothing here is the only copy of anything.
//
// A query becomes slots, one for each thing it speaks of. A slot has
// alternatives: the words as typed, their translations, what an everyday
// expression stands for, the spelling that was meant. A document earns for a
// slot what its best alternative earns, so that a word with many synonyms
// counts no more than a word with none. Runs of letters that the query and a
// name share are added with less weight, and small priors settle the rest.
package search
