package structure

import (
	"fmt"
	"sort"
	"strings"

	"diwan/internal/gazette/model"
)

// Leaf is a stretch of text that stands in one place of the result.
type Leaf struct {
	model.Span
	Role string // "preface", "visa", the kind and eId of a unit…
	// lifted stretches may stand inside the others: footnotes, page numbers.
	lifted bool
}

// Leaves lists the stretches of a document in the order of the text.
func Leaves(doc model.Document) []Leaf {
	var out []Leaf
	add := func(role string, lifted bool, spans ...model.Span) {
		for _, s := range spans {
			if s.End > s.Start {
				out = append(out, Leaf{s, role, lifted})
			}
		}
	}
	var unit func(u *model.Unit)
	unit = func(u *model.Unit) {
		add("head "+u.EID, false, u.Head)
		add(string(u.Kind)+" "+u.EID, false, u.Content...)
		for i := range u.Children {
			unit(&u.Children[i])
		}
	}
	var act func(a *model.Act)
	act = func(a *model.Act) {
		add("preface", false, a.Preface)
		add("visa", false, a.Visas...)
		add("enacting", false, a.Enacting)
		for i := range a.Body {
			unit(&a.Body[i])
		}
		add("closing", false, a.Closing)
		add("countersigned", false, a.Countersigned...)
		for i := range a.Annexes {
			unit(&a.Annexes[i])
		}
		for _, n := range a.Notes {
			add("note", true, n.Span)
		}
		for i := range a.Attached {
			act(&a.Attached[i])
		}
	}
	for i := range doc.Acts {
		act(&doc.Acts[i])
	}
	add("skipped", true, doc.Skipped...)
	add("rest", true, doc.Rest...)
	if doc.Issue != nil {
		add("issue", false, doc.Issue.Head)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Start < out[j].Start })
	return out
}

// Check tells what is wrong with the structure of a document, whatever its
// text: a span outside the text, bytes in two leaves or in none, a unit outside
// its parent or out of order, an eId given twice.
func Check(text string, doc model.Document) []string {
	var faults []string
	bad := func(format string, args ...any) {
		if len(faults) < 20 {
			faults = append(faults, fmt.Sprintf(format, args...))
		}
	}
	leaves := Leaves(doc)
	inside := func(s model.Span) bool { return 0 <= s.Start && s.Start <= s.End && s.End <= len(text) }
	fixed, lifted := 0, 0 // where the last leaf of each sort ends
	covered := 0
	for _, l := range leaves {
		if !inside(l.Span) {
			bad("%s: %v is outside the text", l.Role, l.Span)
			return faults
		}
		if l.Start > covered && strings.TrimFunc(text[covered:l.Start], space) != "" {
			bad("bytes %d to %d are in no leaf: %.60q", covered, l.Start, text[covered:l.Start])
		}
		covered = max(covered, l.End)
		end := &fixed
		if l.lifted {
			end = &lifted
		}
		if l.Start < *end {
			bad("%s at %v: its text is in another leaf too", l.Role, l.Span)
		}
		*end = max(*end, l.End)
	}
	if strings.TrimFunc(text[covered:], space) != "" {
		bad("bytes %d to %d are in no leaf: %.60q", covered, len(text), text[covered:])
	}
	for i := range doc.Acts {
		checkAct(&doc.Acts[i], bad)
	}
	return faults
}

func checkAct(a *model.Act, bad func(string, ...any)) {
	seen := map[string]bool{}
	var units func(list []model.Unit, in model.Span)
	units = func(list []model.Unit, in model.Span) {
		at := in.Start
		for i := range list {
			u := &list[i]
			if u.Start < at || u.End > in.End || u.End < u.Start {
				bad("%s at %v is not after %d and in %v", u.EID, u.Span, at, in)
			}
			at = u.End
			if u.EID == "" || seen[u.EID] {
				bad("the eId %q is given twice or empty", u.EID)
			}
			seen[u.EID] = true
			units(u.Children, u.Span)
		}
	}
	units(a.Body, a.Span)
	units(a.Annexes, a.Span)
	for i := range a.Attached {
		checkAct(&a.Attached[i], bad)
	}
}

// Text joins the text of a unit and of those in it, without footnotes and page
// furniture.
func Text(t *model.Text, u *model.Unit) string {
	var b strings.Builder
	var add func(u *model.Unit)
	add = func(u *model.Unit) {
		for _, s := range u.Content {
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			b.WriteString(t.Of(s))
		}
		for i := range u.Children {
			add(&u.Children[i])
		}
	}
	add(u)
	return b.String()
}
