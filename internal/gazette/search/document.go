package search

import (
	"strings"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"diwan/internal/retrieval"
)

// indexVersion changes whenever the same texts would be indexed otherwise.
const indexVersion = "1"

// Fields of the index. Their names are short because they stand in each segment.
const (
	fieldBody    = "b"
	fieldHeading = "h"
	fieldTitle   = "t"
)

// terms is the analyzer of all fields. Places in the text are not kept: snippets
// are made from the text itself.
type terms struct{ retrieval.Analyzer }

var analyzer = terms{retrieval.NewAnalyzer(retrieval.StemAnalyzer)}

// Analyze implements analysis.Analyzer.
func (a terms) Analyze(b []byte) analysis.TokenStream {
	out := a.Analyzer.Analyze(b)
	for _, t := range out {
		t.Start, t.End = 0, 0
	}
	return out
}

const withPlaces = index.IndexField | index.IncludeTermVectors

// maxBody bounds what is indexed of one row: no provision is longer, but an
// annex may be.
const maxBody = 512 << 10

// rowDocument makes the document of a row.
func rowDocument(r *Row) *document.Document {
	d := document.NewDocument(rowID(r))
	d.AddField(document.NewTextFieldCustom(fieldBody, nil, []byte(r.Body[:cutAt(r.Body, maxBody)]), withPlaces, analyzer))
	if r.Heading != "" {
		d.AddField(document.NewTextFieldCustom(fieldHeading, nil, []byte(r.Heading), withPlaces, analyzer))
	}
	return d
}

// workDocument makes the document of a work's titles.
func workDocument(w *Work) *document.Document {
	d := document.NewDocument(workMark + w.ID)
	d.AddField(document.NewTextFieldCustom(fieldTitle, nil, []byte(titles(w)), withPlaces, analyzer))
	return d
}

// titles are all titles of a work and its number, which people type with them.
func titles(w *Work) string {
	var b strings.Builder
	for _, l := range sortedKeys(w.Titles) {
		b.WriteString(w.Titles[l])
		b.WriteByte('\n')
	}
	b.WriteString(w.Number)
	return b.String()
}

// The name of a document says all that is known of a row without its words, so
// that opening an index needs no second table that could disagree with it.
const (
	workMark  = "~"
	separator = " "
)

// pieceKinds are the kinds by their letter in names. The order is fixed.
var pieceKinds = map[string]byte{
	"article": 'a', "attachment": 'x', "citation": 'v', "conclusions": 'z', "formula": 'f', "paragraph": 'p', "preface": 'i', "content": 'c',
}

var kindOfLetter = func() (k [256]string) {
	for name, letter := range pieceKinds {
		k[letter] = name
	}
	return k
}()

func rowID(r *Row) string {
	k := pieceKinds[r.Kind]
	if k == 0 {
		k = 'o'
	}
	return r.Text + separator + r.EID + separator + string(rune(k)) + r.From + separator + r.Until
}

// parseRowID is the reverse of rowID; ok is false for anything else.
func parseRowID(id string) (r Row, letter byte, ok bool) {
	var rest, from string
	r.Text, rest, ok = strings.Cut(id, separator)
	if !ok {
		return r, 0, false
	}
	r.EID, rest, ok = strings.Cut(rest, separator)
	if !ok {
		return r, 0, false
	}
	from, r.Until, ok = strings.Cut(rest, separator)
	if !ok || from == "" {
		return r, 0, false
	}
	r.From, r.Kind = from[1:], kindOfLetter[from[0]]
	return r, from[0], true
}
