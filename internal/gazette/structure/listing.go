package structure

import (
	"sort"
	"strconv"

	"diwan/internal/gazette/model"
)

// Listed is an article of a document, with the act it belongs to.
type Listed struct {
	Act  int // index in the list of acts that Acts returns
	Unit model.Unit
	Body bool // of the act itself, not of an annex
}

// Acts lists the acts of a document with those attached to them, each after the
// one that carries it.
func Acts(doc model.Document) (acts []*model.Act) {
	var add func(list []model.Act)
	add = func(list []model.Act) {
		for i := range list {
			acts = append(acts, &list[i])
			add(list[i].Attached)
		}
	}
	add(doc.Acts)
	return acts
}

// Articles lists all articles of a document as a reader would count them: in the
// order of the text, and by their numbers where an act's columns or pages were
// read in the wrong order.
func Articles(doc model.Document) []Listed {
	var all []Listed
	disordered := map[int]bool{}
	for i, a := range Acts(doc) {
		for k, units := range [][]model.Unit{a.Body, a.Annexes} {
			model.Walk(units, func(u *model.Unit) {
				if u.Kind == model.Article {
					all = append(all, Listed{i, *u, k == 0})
				}
			})
		}
		for _, p := range a.Problems {
			if p.Code == "article_order" || p.Code == "column_order" {
				disordered[i] = true
			}
		}
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].Unit.Start < all[j].Unit.Start })
	for act := range disordered {
		var slots []int
		var own []Listed
		for i, l := range all {
			if l.Act == act && l.Body {
				slots, own = append(slots, i), append(own, l)
			}
		}
		sort.SliceStable(own, func(i, j int) bool { return number(own[i].Unit.Label) < number(own[j].Unit.Label) })
		for i, s := range slots {
			all[s] = own[i]
		}
	}
	return all
}

// number returns the number a label begins with.
func number(label string) int {
	i := 0
	for i < len(label) && '0' <= label[i] && label[i] <= '9' {
		i++
	}
	n, _ := strconv.Atoi(label[:i])
	return n
}
