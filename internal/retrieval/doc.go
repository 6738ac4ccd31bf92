// Package retrieval ranks texts for a question, in Arabic, in French, and from
// one language to the other, without a neural model. docs/retrieval.md says
// which methods it is made of, what each one gains, and how that was measured.
//
// It has two uses with one code:
//
//   - Collection holds documents in memory and scores every one of them.
//   - Ranker scores again the best that a large index found, from their text,
//     with the statistics of the whole index (Stats). Query.Terms gives the
//     weighted terms to ask that index for, and RegisterAnalyzers the analyzers
//     that index texts by the same terms.
//
// A document is a bag of words, and all that can match is a property of a word:
// its stem, its consonants, its runs of letters, the words it calls for, its
// translations, its sound. So a query is matched once with each different word,
// and documents only add up what their words bring.
//
// All exported functions are safe for concurrent use except where they say
// otherwise, and all that comes from outside is bounded.
package retrieval
