package search

// The weights of ranking, all of them. They were set by hand and checked on the
// known-item probe and on a list of questions (docs/law-search.md); none was
// fitted on a test set.
const (
	// BM25 of the text of a provision.
	bodySaturation = 1.2
	bodyLength     = 0.6
	// Headings and titles are short: a word in one says more, and their length
	// matters less.
	headingWeight = 0.8
	titleWeight   = 0.25 // of a work's title, in the score of its provisions
	titleAlone    = 1.0  // in the score of the work itself
	titleLength   = 0.5
	titleBonus    = 0.5 // times the share of the title that the question names, squared
	wholeTitle    = 0.5 // for a title that has all of several words
	// A document with all words beats one with many of a few.
	coverage = 0.7
	// Translations and words that call for others are less sure than the word.
	foreignBoost = 0.7
	leastBoost   = 0.15

	// Priors, as shares of the score.
	repealedPrior = 0.80 // people look for what holds
	notYetPrior   = 0.95
	citedPrior    = 0.02 // a doubling of the citations
	citedMost     = 10.0 // doublings
	articlePrior  = 1.0
	otherPrior    = 0.80 // visas, formulas, closings: they repeat what others say
	prefacePrior  = 0.85

	// The second ranking: how many, what the first score counts in it, and what
	// the priors count there.
	rerankDepth = 32
	firstWeight = 10.0
	closeWeight = 3.0 // words of the question that stand in the text as in the question
	closeSpan   = 4   // words between which two of them are near

	// Results of one work that are listed before it is said that there are more.
	perWork = 3
)
