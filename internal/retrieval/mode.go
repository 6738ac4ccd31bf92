package retrieval

import "diwan/lexis"

// Features of a document for a query, in the order of the weights. Those of a
// matching channel are brought to [0,1] over the documents of the query: fusing
// them by rank was measured to be worse.
const (
	fStem     = iota // BM25 of stems
	fSkeleton        // BM25 of Arabic consonants
	fGram3           // BM25 of runs of letters
	fGram4
	fGram5
	fCalls      // language model of what the words call for, below the best
	fHeadStem   // stems among the first words, or in the title
	fHeadGram   // runs of four letters there
	fCoverWord  // share of the query's words the document has
	fCoverGram  // share of its runs of three letters
	fLength     // logarithm of the length
	fSame       // numbers and names in the same letters
	fTranslated // BM25 of translations
	fGenerated  // language model of translations, below the best
	fReverse    // the document's words as translations of the query
	fNames      // names by sound
	fCoverTrans // share of the query's words with a translation there
	fRatio      // likeness of the lengths, against the usual ratio
	features
)

var featureNames = [features]string{
	"stem", "skeleton", "gram3", "gram4", "gram5", "calls", "head-stem", "head-gram", "cover-word", "cover-gram", "length",
	"same", "translated", "generated", "reverse", "names", "cover-translated", "ratio",
}

// mode is how documents of one language are matched with a query of one.
type mode uint8

const (
	arabic mode = iota
	french
	crossing // the document is in the other language
	modes
)

// scorer matches one query with the documents of one mode.
type scorer struct {
	mode mode
	*matcher
	feature []int // of each channel
	asked   float64
}

// newScorer prepares the channels of a mode.
func newScorer(q *Query, mo mode, s *Stats) *scorer {
	x := &scorer{mode: mo, matcher: newMatcher()}
	keys := func(feature int, f family) {
		x.addKeys(q.words, f, s)
		x.feature = append(x.feature, feature)
	}
	for _, w := range q.words {
		x.asked += float64(len(w.of(famStem)))
	}
	if mo == crossing {
		terms, t := termsOf(q.words), q.lexicon.from(q.lang)
		for 3*len(terms)+1 > maxUnits/2 {
			terms = terms[:len(terms)/2]
		}
		keys(fSame, famStem)
		x.addTranslated(terms, t, s)
		x.addGenerated(terms, t, s)
		x.addReverse(terms, t, s)
		x.addNames(q.words, t, s)
		x.feature = append(x.feature, fTranslated, fGenerated, fReverse, fNames)
		return x
	}
	keys(fStem, famStem)
	keys(fGram3, famGram3)
	keys(fGram4, famGram4)
	keys(fGram5, famGram5)
	if mo == arabic {
		keys(fSkeleton, famSkeleton)
	} else {
		x.addCalls(q.words, q.calls, s)
		x.feature = append(x.feature, fCalls)
	}
	return x
}

// coverOf is the feature that says how much of a channel a document has.
func (x *scorer) coverOf(feature int) (int, bool) {
	switch {
	case feature == fTranslated:
		return fCoverTrans, true
	case feature == fGram3:
		return fCoverGram, true
	case feature == fSkeleton, feature == fStem && x.mode == french:
		return fCoverWord, true
	}
	return 0, false
}

// headOf is the feature of the same channel among the first words.
func headOf(feature int) (int, bool) {
	switch feature {
	case fStem:
		return fHeadStem, true
	case fGram4:
		return fHeadGram, true
	}
	return 0, false
}

// modeOf chooses the mode for a document by the letters it is written in.
func modeOf(query string, doc lexis.Script) mode {
	switch {
	case doc == lexis.Arabic && query == "ar":
		return arabic
	case doc == lexis.Latin && query == "fr":
		return french
	}
	return crossing
}
