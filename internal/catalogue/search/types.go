package search

// Kinds of things that can be found.
const (
	KindProcedure      = "procedure"
	KindAdministration = "administration"
	KindLifeEvent      = "life_event"
)

// Doc is one thing to be found. Texts are keyed by language.
type Doc struct {
	Kind, ID string
	Name     map[string]string
	Keywords map[string][]string // everyday words for the same thing
	Body     map[string]string   // summaries, documents, steps: what is searched with less weight
	// Owner is the name of the administration, in each language.
	Owner map[string]string
	// Facets are the values by which results are filtered and counted, by filter.
	Facets map[string][]string
	// Rank is how much it is used: 1 is the most, 0 unknown.
	Rank int
	// Full says that it is fully described, not merely named in a list.
	Full bool
}

// Query is what somebody looks for.
type Query struct {
	Text    string
	Lang    string // of the reader; the words may be in another
	Filters map[string][]string
	Offset  int
	Limit   int
}

// Hit is a thing found.
type Hit struct {
	Kind, ID string
	Score    float64
}

// Word is a word in a language.
type Word struct{ Text, Lang, Dir string }

// Count is how many results have a facet's value.
type Count struct {
	Value string
	Count int
}

// Result is what was found.
type Result struct {
	Hits   []Hit
	Total  int
	Facets map[string][]Count
	// Also are words of the other languages that were searched as well.
	Also []Word
	// Corrected is the query as it was understood, when it was misspelt.
	Corrected string
}
