package search

import (
	"context"
	"fmt"
)

// Source is where the law is read from. Its methods are called from any
// goroutine.
type Source interface {
	// Revision grows with every change.
	Revision(ctx context.Context) (int64, error)
	Works(ctx context.Context, each func(*Work) error) error
	Texts(ctx context.Context, each func(*Text) error) error
	// Rows gives the searchable rows of all texts, or of those that are named, in
	// any order. A row may be kept only until each returns.
	Rows(ctx context.Context, texts []string, each func(*Row) error) error
	// Bodies gives the words of rows in the order of refs, each cut at max bytes;
	// a row that is gone has none.
	Bodies(ctx context.Context, refs []Ref, max int) ([]Body, error)
}

// Work is what the search knows of a work.
type Work struct {
	ID, Kind, Number, Signed  string
	Authority, Subject, State string
	Year, Cited               int
	Suspect                   bool
	Titles                    map[string]string // by language of the law
}

// Text is one language of a work from one source.
type Text struct {
	ID, Work, Lang, Version string
	Consolidated            bool
}

// Ref names a row.
type Ref struct{ Text, EID, From string }

// Row is a piece of a text as it reads between two days.
type Row struct {
	Ref
	Until, Kind   string
	Heading, Body string
}

// Body is what a row says.
type Body struct{ Num, Heading, Text string }

// Sort orders.
const (
	ByRelevance = ""
	ByDate      = "date" // the newest work first
)

// Facets by which results are counted and narrowed.
const (
	FacetKind      = "kind"
	FacetState     = "status"
	FacetDecade    = "year"
	FacetLang      = "lang"
	FacetSubject   = "subject"
	FacetAuthority = "authority"
)

// FacetNames are the facets in the order in which pages show them.
var FacetNames = []string{FacetKind, FacetState, FacetDecade, FacetLang, FacetSubject, FacetAuthority}

// Unknown is the value of a facet of a work that has none.
const Unknown = "unknown"

// Query is a question to the index.
type Query struct {
	Text string
	Lang string // what the reader reads: "ar" or "fr"
	// AsAt is the day on which the texts shall have read so; "" is Today.
	AsAt, Today string
	Filters     map[string][]string // by facet
	Work        string              // only in this work
	Sort        string
	Offset      int
	Limit       int
}

// Hit is a provision, or a whole work whose title was found.
type Hit struct {
	Ref
	Until   string
	Work    string
	Lang    string // of the text, as Source gives it
	Kind    string // of the piece; "" a work
	Num     string
	Heading string
	Snippet []Run
	More    int // further provisions of the same work that were found
	Score   float64
}

// Run is a part of a snippet.
type Run struct {
	Text string
	Mark bool
}

// Count is a value of a facet with the number of results that have it.
type Count struct {
	Value string `json:"value"`
	N     int    `json:"n"`
	On    bool   `json:"on,omitempty"`
}

// Result is the answer to a Query.
type Result struct {
	Hits  []Hit
	Total int // provisions and titles that were found
	Works int // works that they belong to
	// Listed is how many can be paged through: those of one work beyond the first
	// few are left to a search in that work.
	Listed int
	Facets map[string][]Count
	// Loose says that nothing, or little, had enough of the words, and that texts
	// with fewer of them are shown.
	Loose bool
}

// Error is a fault in a query, with its place in characters from 1. Code is the
// key of a message.
type Error struct {
	Code string
	At   int
	Word string
}

func (e *Error) Error() string { return fmt.Sprintf("%s at %d: %q", e.Code, e.At, e.Word) }
