package cpsv

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"io"
	"maps"
	"slices"
	"sync"

	"diwan/internal/gov"
)

//go:embed vocabulary.json
var vocabularyFile []byte

// vocabularyData describes the portal's own vocabulary: what the standard has no
// word for.
type vocabularyData struct {
	// About describes a catalogue in one sentence.
	About gov.Text             `json:"about"`
	Terms map[string]vocabTerm `json:"terms"`
}

// vocabTerm is a class, a property or the value of a code list.
type vocabTerm struct {
	Kind  string   `json:"kind"` // "class", "property" or "value"
	Label gov.Text `json:"label"`
	About string   `json:"about,omitempty"`
}

func (v *vocabularyData) label(name string) gov.Text { return v.Terms[name].Label }

// vocabulary returns the vocabulary. The file is part of the program and a test
// reads it, so that a fault in it can't reach a reader.
var vocabulary = sync.OnceValue(func() *vocabularyData {
	v := new(vocabularyData)
	if err := json.Unmarshal(vocabularyFile, v); err != nil {
		panic(err) // embedded
	}
	return v
})

// WriteVocabulary writes the own vocabulary of the portal at an address as
// Turtle or JSON-LD.
func WriteVocabulary(w io.Writer, base, format string) error {
	n := namesOf(base)
	var nodes []*node
	head := &node{id: n.base + "/ns"}
	head.add(rdfType, iriOf(n.iri("owl:Ontology")))
	head.add(n.iri("dct:title"), texts(vocabulary().About)...)
	nodes = append(nodes, head)
	types := map[string]string{"class": "rdfs:Class", "property": "rdf:Property", "value": "skos:Concept"}
	for _, name := range slices.Sorted(maps.Keys(vocabulary().Terms)) {
		t := vocabulary().Terms[name]
		x := &node{id: n.own + name}
		x.add(rdfType, iriOf(n.iri(types[t.Kind])))
		x.add(n.iri("rdfs:label"), texts(t.Label)...)
		if t.About != "" {
			x.add(n.iri("rdfs:comment"), tagged(t.About, "en"))
		}
		x.add(n.iri("rdfs:isDefinedBy"), iriOf(head.id))
		nodes = append(nodes, x)
	}
	if format == Turtle {
		t := &turtleWriter{w: bufio.NewWriter(w), names: n}
		t.prefixes()
		for _, x := range nodes {
			if err := t.node(x); err != nil {
				return err
			}
		}
		return t.w.Flush()
	}
	var graph []any
	for _, x := range nodes {
		graph = append(graph, jsonNode(n, x))
	}
	b, err := encodeJSON(map[string]any{"@context": context(n), "@graph": graph})
	if err != nil {
		return err
	}
	_, err = w.Write(append(b, '\n'))
	return err
}
