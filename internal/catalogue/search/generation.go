package search

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"

	"diwan/lexis"
)

// generation is the index of one revision of the catalogue. It never changes;
// any number of readers may use it at once, each between enter and leave.
type generation struct {
	table
	digest   string
	revision int64

	engine   index.Index
	reader   index.IndexReader
	ordinals []uint32 // by Bleve's own document numbers

	facets map[string][]facetSet
	stems  map[string]bool   // of all words
	shown  map[string]string // how translated stems are written
	spell  *speller
	cache  postingCache
	pool   sync.Pool // of *scratch

	mu     sync.RWMutex
	closed bool
}

// enter reports whether the generation may be read; leave must follow if so.
func (g *generation) enter() bool {
	g.mu.RLock()
	if g.closed {
		g.mu.RUnlock()
		return false
	}
	return true
}

func (g *generation) leave() { g.mu.RUnlock() }

// close waits for the readers and frees the files.
func (g *generation) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil
	}
	g.closed = true
	var err error
	if g.reader != nil {
		err = g.reader.Close()
	}
	if g.engine != nil {
		err = cmp.Or(g.engine.Close(), err)
	}
	return err
}

// inMemory builds a generation that lives in memory alone.
func inMemory(docs []Doc, digest string, revision int64) (*generation, error) {
	queue := index.NewAnalysisQueue(1)
	defer queue.Close()
	engine, err := scorch.NewScorch(scorch.Name, map[string]any{"path": ""}, queue)
	if err != nil {
		return nil, fmt.Errorf("making a search index in memory: %w", err)
	}
	if err := engine.Open(); err != nil {
		return nil, fmt.Errorf("opening a search index in memory: %w", err)
	}
	b, batch := newBuilder(len(docs)), index.NewBatch()
	for i := range docs {
		doc := b.add(&docs[i])
		doc.AddIDField()
		batch.Update(doc)
	}
	if len(docs) > 0 {
		if err := engine.Batch(batch); err != nil {
			engine.Close()
			return nil, fmt.Errorf("filling a search index in memory: %w", err)
		}
	}
	g := &generation{table: b.finish(), digest: digest, revision: revision, engine: engine}
	return g, g.open()
}

// batchSize is how many documents are analysed before they are written out; it
// bounds the memory that building takes.
const batchSize = 500

// writeSegments builds the segments of documents in a folder that doesn't exist
// yet, and returns the table that belongs to them.
func writeSegments(dir, work string, docs []Doc) (table, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return table{}, err
	}
	w, err := scorch.NewBuilder(map[string]any{"path": dir, "buildPathPrefix": work, "batchSize": batchSize})
	if err != nil {
		return table{}, err
	}
	b := newBuilder(len(docs))
	for i := range docs {
		if err := w.Index(b.add(&docs[i])); err != nil {
			return table{}, err
		}
	}
	return b.finish(), w.Close()
}

// onDisk opens the segments in a folder, without writing to it.
func onDisk(dir string, t table, digest string, revision int64) (*generation, error) {
	queue := index.NewAnalysisQueue(1)
	defer queue.Close()
	engine, err := scorch.NewScorch(scorch.Name, map[string]any{"path": dir, "read_only": true}, queue)
	if err != nil {
		return nil, err
	}
	if err := engine.Open(); err != nil {
		return nil, err
	}
	g := &generation{table: t, digest: digest, revision: revision, engine: engine}
	return g, g.open()
}

// open prepares what searching needs. It closes the generation when it fails.
func (g *generation) open() (err error) {
	defer func() {
		if err != nil {
			g.close()
		}
	}()
	if g.reader, err = g.engine.Reader(); err != nil {
		return fmt.Errorf("reading the search index: %w", err)
	}
	if n, err := g.reader.DocCount(); err != nil || n != uint64(len(g.Rows)) {
		return cmp.Or(err, fmt.Errorf("the search index has %d documents, its table %d", n, len(g.Rows)))
	}
	if err := g.readOrdinals(); err != nil {
		return err
	}
	g.spell = newSpeller(g.Words)
	g.readable()
	g.facets = newFacets(g.table.Facets, len(g.Rows))
	g.table.Facets = nil
	g.cache.lists = map[postingKey]*postingList{}
	g.pool.New = func() any { return newScratch(len(g.Rows)) }
	return nil
}

// readOrdinals maps Bleve's document numbers to ours once, so that no search
// has to look up an identifier.
func (g *generation) readOrdinals() error {
	if len(g.Rows) == 0 {
		return nil
	}
	ids, err := g.reader.DocIDReaderAll()
	if err != nil {
		return fmt.Errorf("reading the documents of the search index: %w", err)
	}
	defer ids.Close()
	for {
		id, err := ids.Next()
		if err != nil {
			return err
		}
		if id == nil {
			return nil
		}
		name, err := g.reader.ExternalID(id)
		if err != nil {
			return err
		}
		ord, err := parseDocID(name)
		if err != nil || int(ord) >= len(g.Rows) {
			return fmt.Errorf("document %q of the search index is not in its table", name)
		}
		n := int(id.Value())
		if n > 8*len(g.Rows)+1024 {
			return fmt.Errorf("document %q of the search index has the number %d", name, n)
		}
		for len(g.ordinals) <= n {
			g.ordinals = append(g.ordinals, 0)
		}
		g.ordinals[n] = ord
	}
}

// posting says how well a term describes a document, from 0 to 1.
type posting struct {
	ord    uint32
	weight float32
}

type postingList struct {
	docs []posting // by ordinal
	idf  float32
}

// nothing stands in the cache for a term that no document has.
var nothing = &postingList{}

type postingKey struct {
	kind lexis.Kind
	text string
}

// postingCache keeps the posting lists that were read and decoded, up to a
// bound; then it starts anew, which costs little.
type postingCache struct {
	mu    sync.RWMutex
	lists map[postingKey]*postingList
	size  int
}

// maxCached is how many postings are kept decoded: 8 bytes each.
const maxCached = 1 << 20

// Weights of the zones and the saturation of repeated words, fitted on the
// development half of the evaluation.
var zoneWeight = [zones]float32{4, 3, 0.7}

const (
	saturation = 2.0
	lengthName = 0.35 // how much a long name counts against each of its words
	lengthBody = 0.5
	fewest     = 0.006 // share of documents below which words are equally rare
)

// postings returns the documents that have a term, nil when there are none.
func (g *generation) postings(ctx context.Context, kind lexis.Kind, text string) (*postingList, error) {
	key := postingKey{kind, text}
	g.cache.mu.RLock()
	list := g.cache.lists[key]
	g.cache.mu.RUnlock()
	if list == nothing {
		return nil, nil
	}
	if list != nil {
		return list, nil
	}
	list, err := g.readPostings(ctx, kind, text)
	if err != nil {
		return nil, err
	}
	g.cache.mu.Lock()
	if g.cache.size += len(list.docs) + 16; g.cache.size > maxCached {
		clear(g.cache.lists)
		g.cache.size = len(list.docs) + 16
	}
	g.cache.lists[key] = list
	g.cache.mu.Unlock()
	if list == nothing {
		return nil, nil
	}
	return list, nil
}

func (g *generation) readPostings(ctx context.Context, kind lexis.Kind, text string) (*postingList, error) {
	sums := map[uint32]float32{}
	letters := 0
	if r, _ := utf8.DecodeRuneInString(text); r >= 0x600 && r < 0x780 {
		letters = 1
	}
	for z := range zones {
		if z == zoneBody && kind != lexis.Stem && kind != lexis.Consonant {
			continue
		}
		if err := g.readZone(ctx, z, kind, text, letters, sums); err != nil {
			return nil, err
		}
	}
	if len(sums) == 0 {
		return nothing, nil
	}
	list := &postingList{docs: make([]posting, 0, len(sums))}
	for _, ord := range slices.Sorted(maps.Keys(sums)) {
		w := sums[ord]
		list.docs = append(list.docs, posting{ord, w / (saturation + w)})
	}
	// A word of very few documents is often just a word that people use and
	// lists don't; its weight is bounded.
	n := max(float64(len(list.docs)), float64(len(g.Rows))*fewest)
	list.idf = float32(math.Log(1 + (float64(len(g.Rows))-n+0.5)/(n+0.5)))
	return list, nil
}

func (g *generation) readZone(ctx context.Context, z int, kind lexis.Kind, text string, letters int, sums map[uint32]float32) error {
	r, err := g.reader.TermFieldReader(ctx, []byte(text), fieldNames[z][kind], true, false, false)
	if err != nil {
		return fmt.Errorf("reading the search index: %w", err)
	}
	defer r.Close()
	var doc index.TermFieldDoc
	for {
		d, err := r.Next(doc.Reset())
		if err != nil {
			return fmt.Errorf("reading the search index: %w", err)
		}
		if d == nil {
			return nil
		}
		n := int(d.ID.Value())
		if n >= len(g.ordinals) {
			return fmt.Errorf("the search index has an unknown document %d", n)
		}
		ord := g.ordinals[n]
		sums[ord] += zoneWeight[z] * float32(min(d.Freq, 4)) / g.lengthNorm(ord, z, letters)
	}
}

// lengthNorm makes a word of a long text count less than one of a short text.
func (g *generation) lengthNorm(ord uint32, z, letters int) float32 {
	mean := g.Mean[z][letters]
	if mean == 0 || z == zoneKeywords {
		return 1
	}
	b := float32(lengthName)
	if z == zoneBody {
		b = lengthBody
	}
	return 1 - b + b*float32(g.Rows[ord].Lengths[z][letters])/mean
}
