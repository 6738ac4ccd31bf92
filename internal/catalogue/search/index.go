package search

import (
	"context"
	"strings"
)

// Index is the local replica.
type Index struct{ docs []Doc }

// Open opens it.
func Open(dir string) (*Index, error) { return &Index{}, nil }

// Close closes it.
func (x *Index) Close() error { return nil }

// Update brings it to a revision.
func (x *Index) Update(revision int64, docs []Doc) error { x.docs = docs; return nil }

// Search finds.
func (x *Index) Search(ctx context.Context, q Query) (*Result, error) {
	r := &Result{Facets: map[string][]Count{}}
	for _, d := range x.docs {
		for _, n := range d.Name {
			if strings.Contains(n, q.Text) {
				r.Total++
				if r.Total > q.Offset && len(r.Hits) < q.Limit {
					r.Hits = append(r.Hits, Hit{d.Kind, d.ID, 1})
				}
				break
			}
		}
	}
	return r, nil
}

// Suggest completes.
func (x *Index) Suggest(ctx context.Context, text, lang string, n int) ([]Hit, error) {
	r, err := x.Search(ctx, Query{Text: text, Limit: n})
	return r.Hits, err
}
