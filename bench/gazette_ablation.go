package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"slices"
	"sort"
	"strings"

	"diwan/internal/gazette/search"
)

// ablations are searches that each lack one thing, so that its worth is seen.
var ablations = []struct {
	name   string
	change func(w *search.Weights)
}{
	{"as it is", func(*search.Weights) {}},
	{"no second ranking", func(w *search.Weights) { w.Second = 0 }},
	{"second ranking of 16", func(w *search.Weights) { w.Second = 16 }},
	{"second ranking of 100", func(w *search.Weights) { w.Second = 100 }},
	{"without words side by side", func(w *search.Weights) { w.Close = 0 }},
	{"without the first score in the second", func(w *search.Weights) { w.First = 0 }},
	{"without the share of the question", func(w *search.Weights) { w.Coverage = 0 }},
	{"without headings", func(w *search.Weights) { w.Heading = 0 }},
	{"without the title in a provision's score", func(w *search.Weights) { w.Title = 0 }},
	{"without the rules of titles", func(w *search.Weights) { w.TitleBonus, w.WholeTitle = 0, 0 }},
	{"without status", func(w *search.Weights) { w.Repealed, w.NotYet = 0, 0 }},
	{"without citations", func(w *search.Weights) { w.Cited = 0 }},
	{"without the kind of place", func(w *search.Weights) { w.Other, w.Preface = 0, 0 }},
}

// ablate prints what each part of ranking is worth: on words out of provisions,
// and on words out of titles.
func (b *bench) ablate(ctx context.Context, x *search.Index, provisions, titles []probe) error {
	fmt.Printf("ablation: %d questions of words out of a provision, %d of words out of a title\n", len(provisions), len(titles))
	fmt.Printf("%-42s %6s %6s %6s   %6s %6s %6s\n", "", "R@1", "R@10", "MRR", "R@1", "R@10", "MRR")
	defer func() { x.Weights = search.DefaultWeights() }()
	for _, a := range ablations {
		x.Weights = search.DefaultWeights()
		a.change(&x.Weights)
		fmt.Printf("%-42s", a.name)
		for _, set := range [][]probe{provisions, titles} {
			f, err := quality(ctx, x, set)
			if err != nil {
				return err
			}
			fmt.Printf(" %6.3f %6.3f %6.3f  ", f[0], f[1], f[2])
		}
		fmt.Println()
	}
	return nil
}

// quality is R@1, R@10 and the mean of the inverse rank among ten.
func quality(ctx context.Context, x *search.Index, set []probe) (f [3]float64, err error) {
	for _, q := range set {
		res, err := x.Search(ctx, search.Query{Text: q.text, Lang: "ar", Limit: 10})
		if err != nil {
			return f, err
		}
		at := slices.IndexFunc(res.Hits, func(h search.Hit) bool { return q.right[rowKey(h.Ref)] || q.right[h.Work] })
		if at == 0 {
			f[0]++
		}
		if at >= 0 && at < 10 {
			f[1]++
			f[2] += 1 / float64(at+1)
		}
	}
	for i := range f {
		f[i] /= float64(max(1, len(set)))
	}
	return f, nil
}

// titleProbes takes half of the words of titles, chosen by a hash; the right
// answer is that work, or one with the same title.
func titleProbes(ctx context.Context, s search.Source) ([]probe, error) {
	const most, leastWords = 300, 6
	same := map[string][]string{}
	err := s.Works(ctx, func(w *search.Work) error {
		if t := w.Titles["ara"]; len(contentWords(t)) >= leastWords {
			same[t] = append(same[t], w.ID)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	hash := func(t string) uint64 {
		h := fnv.New64a()
		h.Write([]byte(t))
		return h.Sum64()
	}
	var list []string
	for t := range same {
		list = append(list, t)
	}
	sort.Slice(list, func(i, j int) bool { return hash(list[i]) < hash(list[j]) })
	var out []probe
	for _, t := range list[:min(most, len(list))] {
		p := probe{strings.Join(someWords(contentWords(t), len(contentWords(t))/2, hash(t)), " "), map[string]bool{}}
		for _, w := range same[t] {
			p.right[w] = true
		}
		out = append(out, p)
	}
	return out, nil
}
