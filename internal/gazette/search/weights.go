package search

// What decides how a row is written to the index, and so can't change from one
// search to the next. Set by hand, fitted on no test set (docs/law-search.md).
const (
	// BM25 of the text of a provision.
	bodySaturation = 1.2
	bodyLength     = 0.6
	titleLength    = 0.5 // the length of a heading or title matters less
	// Translations and words that call for others are less sure than the word.
	foreignBoost = 0.7
	leastBoost   = 0.15

	closeSpan = 4 // words between which two of them are near

	// Results of one work that are listed before it is said that there are more.
	perWork = 3
)

// Weights are what ranking adds up. The zero value of one switches off what it
// weighs, which is how each is measured.
type Weights struct {
	// Headings and titles are short: a word in one says more.
	Heading    float64
	Title      float64 // of a work's title, in the score of its provisions
	TitleAlone float64 // in the score of the work itself
	TitleBonus float64 // times the share of the title that the question names, squared
	WholeTitle float64 // for a title that has all of several words
	// A document with all words beats one with many of a few.
	Coverage float64

	// Priors, as what they take from the score or add to it.
	Repealed float64 // people look for what holds
	NotYet   float64
	Cited    float64 // a doubling of the citations
	Other    float64 // visas, formulas, closings: they repeat what others say
	Preface  float64

	// The second ranking: how many, what the first score counts in it, and words
	// of the question that stand in the text as they do in the question.
	Second int
	First  float64
	Close  float64
}

// DefaultWeights are those that the program searches with.
func DefaultWeights() Weights {
	return Weights{
		Heading: 0.8, Title: 0.25, TitleAlone: 1, TitleBonus: 0.5, WholeTitle: 0.5, Coverage: 1,
		Repealed: 0.10, NotYet: 0.05, Cited: 0.02, Other: 0.20, Preface: 0.15,
		Second: 16, First: 10, Close: 3,
	}
}

// citedMost bounds the doublings of citations that count.
const citedMost = 10.0
