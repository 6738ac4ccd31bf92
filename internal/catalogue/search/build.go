package search

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/document"
	index "github.com/blevesearch/bleve_index_api"

	"diwan/lexis"
)

// analysisVersion changes whenever the same texts would be indexed otherwise;
// an index of another version is built again.
const analysisVersion = "1"

// Kinds of terms beyond those of lexis.
const (
	kindExact = lexis.Amazigh + 1 + iota // all stems of a whole name, sorted
	kindWord                             // a folded word as it is written, for completions
	kindLoan                             // the sound of a French word, for its Arabic spellings
	kinds
)

// Zones of a document.
const (
	zoneName = iota
	zoneKeywords
	zoneBody
	zones
)

// fieldNames are the fields of the index, by zone and kind of term.
var fieldNames = func() (f [zones][kinds]string) {
	for z := range f {
		for k := range f[z] {
			f[z][k] = string("nkb"[z]) + string("scgpzxwl"[k])
		}
	}
	return f
}()

// separator parts the terms of a field's value; no term contains it.
const separator = 0x1f

// splitter hands Bleve the terms that were made before.
type splitter struct{}

func (splitter) Analyze(b []byte) analysis.TokenStream {
	var out analysis.TokenStream
	start, pos := 0, 1
	for i := 0; i <= len(b); i++ {
		if i < len(b) && b[i] != separator {
			continue
		}
		if i > start {
			out = append(out, &analysis.Token{Term: b[start:i], Start: start, End: i, Position: pos, Type: analysis.AlphaNumeric})
			pos++
		}
		start = i + 1
	}
	return out
}

// row is what is kept in memory of a document, by ordinal.
type row struct {
	Kind, ID string
	Rank     int
	Full     bool
	Lengths  [zones][2]uint16 // stems in Latin and Arabic letters
}

// table is what a generation keeps beside the segments.
type table struct {
	Rows   []row
	Facets map[string]map[string][]uint32 // ordinals, ascending
	Words  []vocabWord                    // sorted by Folded
	Lex    lexicon
	Mean   [zones][2]float32
}

// canonical sorts documents in the order of ordinals, which is the order in
// which ties are settled: the most used first, then by id. Doubles are dropped.
func canonical(docs []Doc) []Doc {
	out := slices.Clone(docs)
	slices.SortStableFunc(out, func(a, b Doc) int {
		if (a.Rank == 0) != (b.Rank == 0) {
			if a.Rank == 0 {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(a.Rank, b.Rank), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Kind, b.Kind))
	})
	return slices.CompactFunc(out, func(a, b Doc) bool { return a.Kind == b.Kind && a.ID == b.ID })
}

// digest tells whether documents, and the way to index them, are the same.
func digest(docs []Doc) (string, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s\n", analysisVersion, glossaryDigest())
	enc := json.NewEncoder(h)
	for i := range docs {
		if err := enc.Encode(&docs[i]); err != nil {
			return "", fmt.Errorf("digesting a search document: %w", err)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// builder turns documents into index documents and gathers the table.
type builder struct {
	table table
	words map[string]*vocabWord
	pairs pairSet
	sum   [zones][2]float64
	count [zones][2]float64
}

func newBuilder(n int) *builder {
	return &builder{
		table: table{Rows: make([]row, 0, n), Facets: map[string]map[string][]uint32{}},
		words: map[string]*vocabWord{},
	}
}

// fieldTexts are the terms of one document by field, joined.
type fieldTexts [zones][kinds]strings.Builder

func (f *fieldTexts) add(z int, k lexis.Kind, term string) {
	if term != "" {
		f[z][k].WriteByte(separator)
		f[z][k].WriteString(term)
	}
}

// add makes the index document of the next ordinal.
func (b *builder) add(d *Doc) *document.Document {
	ord := uint32(len(b.table.Rows))
	r := row{Kind: d.Kind, ID: d.ID, Rank: d.Rank, Full: d.Full}
	var f fieldTexts
	var total, langs [zones][2]int
	text := func(z int, s, lang string) {
		n, s2 := b.terms(&f, z, s, lang), script(lang)
		total[z][s2] += n
		langs[z][s2]++
	}
	for _, l := range sortedKeys(d.Name) {
		text(zoneName, cut(d.Name[l], maxNameBytes), l)
	}
	for _, l := range sortedKeys(d.Keywords) {
		words := d.Keywords[l]
		for _, w := range words[:min(len(words), maxKeywords)] {
			text(zoneKeywords, cut(w, maxNameBytes), l)
		}
	}
	for _, l := range sortedKeys(d.Body) {
		text(zoneBody, cut(d.Body[l], maxBodyBytes), l)
	}
	for _, l := range sortedKeys(d.Owner) {
		text(zoneBody, cut(d.Owner[l], maxNameBytes), l)
	}
	for z := range total {
		for s := range total[z] {
			n := total[z][s]
			if z != zoneKeywords && langs[z][s] > 1 {
				n /= langs[z][s]
			}
			r.Lengths[z][s] = uint16(min(n, 1<<16-1))
			if n > 0 {
				b.sum[z][s] += float64(n)
				b.count[z][s]++
			}
		}
	}
	b.pairs.add(d)
	b.facets(d, ord)
	b.table.Rows = append(b.table.Rows, r)
	return f.document(ord)
}

func (b *builder) facets(d *Doc, ord uint32) {
	for name, values := range d.Facets {
		for _, v := range values {
			m := b.table.Facets[name]
			if m == nil {
				m = map[string][]uint32{}
				b.table.Facets[name] = m
			}
			if o := m[v]; len(o) == 0 || o[len(o)-1] != ord {
				m[v] = append(o, ord)
			}
		}
	}
}

// terms adds the terms of one text and returns how many stems it has.
func (b *builder) terms(f *fieldTexts, z int, s, lang string) int {
	var stems []string
	for _, t := range lexis.Analyze(s, lang) {
		if z == zoneBody && (t.Kind == lexis.Gram || t.Kind == lexis.Sound) {
			continue // shared letters and sounds of long texts say nothing
		}
		f.add(z, t.Kind, t.Text)
		if t.Kind == lexis.Stem {
			stems = append(stems, t.Text)
		}
	}
	for _, t := range lexis.Tokenize(s) {
		if lexis.IsStop(t.Text, lang) {
			continue
		}
		folded := fold(t)
		b.word(folded, t.Text, z)
		if z == zoneBody {
			continue
		}
		f.add(z, kindWord, folded)
		if t.Script == lexis.Latin && lang != "zgh" {
			f.add(z, kindLoan, loanKey(folded))
		}
	}
	if z != zoneBody {
		f.add(z, kindExact, exactKey(stems))
	}
	return len(stems)
}

// word counts a word of the vocabulary from which spellings are corrected.
func (b *builder) word(folded, shown string, z int) {
	if len(folded) < 3 {
		return
	}
	w := b.words[folded]
	if w == nil {
		w = &vocabWord{Folded: folded, Shown: shown}
		b.words[folded] = w
	}
	if w.Count++; z != zoneBody {
		w.Count += 4 // what things are called is what people look for
	}
}

func (b *builder) finish() table {
	for z := range b.sum {
		for s := range b.sum[z] {
			b.table.Mean[z][s] = float32(b.sum[z][s] / max(1, b.count[z][s]))
		}
	}
	for _, f := range sortedKeys(b.words) {
		b.table.Words = append(b.table.Words, *b.words[f])
	}
	b.table.Lex = b.pairs.learn()
	return b.table
}

func (f *fieldTexts) document(ord uint32) *document.Document {
	doc := document.NewDocument(docID(ord))
	for z := range f {
		for k := range f[z] {
			if v := f[z][k].String(); v != "" {
				doc.AddField(document.NewTextFieldCustom(fieldNames[z][k], nil, []byte(v), index.IndexField, splitter{}))
			}
		}
	}
	return doc
}

// docID names a document by its ordinal.
func docID(ord uint32) string { return strconv.FormatUint(uint64(ord), 36) }

func parseDocID(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 36, 32)
	return uint32(n), err
}

// exactKey is the same for two texts with the same stems in any order.
func exactKey(stems []string) string {
	if len(stems) == 0 || len(stems) > 24 {
		return ""
	}
	s := slices.Clone(stems)
	slices.Sort(s)
	return strings.Join(slices.Compact(s), " ")
}

// fold brings the spellings of one written word together, without stemming it.
func fold(t lexis.Token) string {
	switch t.Script {
	case lexis.Arabic:
		return cutArticle(lexis.NormalizeArabic(t.Text))
	case lexis.Latin:
		return lexis.CutElision(lexis.FoldFrench(t.Text))
	case lexis.Tifinagh:
		return lexis.NormalizeTifinagh(t.Text)
	}
	return t.Text
}

const arabicArticle = "\u0627\u0644"

func cutArticle(w string) string {
	if s, ok := strings.CutPrefix(w, arabicArticle); ok && len(s) >= 4 {
		return s
	}
	return w
}

// script numbers the letters of a language: Arabic, or any other.
func script(lang string) int {
	if lang == "ar" {
		return 1
	}
	return 0
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
