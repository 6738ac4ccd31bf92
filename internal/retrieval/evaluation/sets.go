// Package evaluation measures the ranking of internal/retrieval on sets of
// questions whose answers are known, against what the index alone would do.
package evaluation

import (
	"fmt"
	"path/filepath"

	"diwan/internal/retrieval"
)

// Set is a collection with questions.
type Set struct {
	Name    string
	Docs    []retrieval.Doc
	Queries []retrieval.Question
	right   []map[int]bool // by query
}

// load reads the two files of a set.
func load(dir, name string) (*Set, error) {
	s := &Set{Name: name}
	var err error
	if s.Docs, err = retrieval.ReadFile(filepath.Join(dir, name, "docs.jsonl"), retrieval.ReadDocs); err != nil {
		return nil, err
	}
	if s.Queries, err = retrieval.ReadFile(filepath.Join(dir, name, "queries.jsonl"), retrieval.ReadQuestions); err != nil {
		return nil, err
	}
	return s, s.index()
}

// index finds the right documents of each query.
func (s *Set) index() error {
	at := map[string]int{}
	for i, d := range s.Docs {
		at[d.ID] = i
	}
	s.right = make([]map[int]bool, len(s.Queries))
	for i, q := range s.Queries {
		s.right[i] = map[int]bool{}
		for _, p := range q.Positives {
			d, ok := at[p]
			if !ok {
				return fmt.Errorf("%s: query %s is answered by %s, which is no document", s.Name, q.ID, p)
			}
			s.right[i][d] = true
		}
	}
	return nil
}

// part returns some of the documents, with the queries they answer.
func (s *Set) part(from, to int) (*Set, error) {
	from, to = min(from, len(s.Docs)), min(to, len(s.Docs))
	p := &Set{Name: s.Name, Docs: s.Docs[from:to]}
	for i, q := range s.Queries {
		inside := false
		for d := range s.right[i] {
			inside = inside || d >= from && d < to
		}
		if inside {
			p.Queries = append(p.Queries, q)
		}
	}
	return p, p.index()
}
