package decrees

import (
	"slices"
	"strings"
	"unicode"
)

// Act is one administrative decision, in every list that names it.
type Act struct {
	ID               string // from its first row: "d385-57-1"; stable while that row stands
	Name             string
	AdministrationID string
	Deadlines        []Deadline // of the first row that has any
	Listed           []Ref
	Differing        []Difference // rows of Listed whose deadlines are not Deadlines
}

// Difference is a row whose deadlines contradict those of the act's first row.
type Difference struct {
	Ref       Ref
	Deadlines []Deadline
}

// Ref is a row of a list.
type Ref struct {
	Decree string
	List   string
	Number string
}

// Link groups the live rows of several decrees into acts. It never merges rows:
// an act keeps a reference to each, and a list gives it at most one.
//
// Two rows of different decrees are the same act when they have the same
// administration and
//   - the same name, letters and digits only; or
//   - names of five words or more and of equal length, alike but for one word
//     that differs by one letter (a spelling variant), digits never.
//
// A name that stands twice in one decree is never linked, because nothing tells
// which of the two is meant; nor is a near name with two candidates. Rows without
// a name or an administration stay alone.
func Link(tables []*Table) []Act {
	var acts []*linked
	exact := map[string]*linked{}
	for _, t := range tables {
		count := map[string]int{}
		for _, r := range t.Rows {
			count[linkKey(r)]++
		}
		for _, r := range t.Rows {
			if r.Deleted {
				continue
			}
			k := linkKey(r)
			alone := r.Name == "" || r.AdministrationID == "" || count[k] > 1
			var a *linked
			if !alone {
				a = exact[k]
				if a == nil || a.in(t.Decree) {
					a = nearest(acts, t, r)
				}
			}
			if a == nil {
				a = &linked{words: keysOf(r.Name), alone: alone}
				a.ID = actID(t.Decree, r.Number)
				a.Name, a.AdministrationID = r.Name, r.AdministrationID
				acts = append(acts, a)
			}
			a.add(t, r)
			if !alone && exact[k] == nil {
				exact[k] = a
			}
		}
	}
	out := make([]Act, len(acts))
	for i, a := range acts {
		out[i] = a.Act
	}
	return out
}

// linked is an act being gathered.
type linked struct {
	Act
	words []string
	alone bool
}

func (a *linked) in(decree string) bool {
	return slices.ContainsFunc(a.Listed, func(r Ref) bool { return r.Decree == decree })
}

func (a *linked) add(t *Table, r Row) {
	ref := Ref{t.Decree, t.List, r.Number}
	a.Listed = append(a.Listed, ref)
	switch {
	case len(r.Deadlines) == 0:
	case len(a.Deadlines) == 0:
		a.Deadlines = r.Deadlines
	case !sameDeadlines(a.Deadlines, r.Deadlines):
		a.Differing = append(a.Differing, Difference{ref, r.Deadlines})
	}
}

func sameDeadlines(a, b []Deadline) bool {
	return slices.EqualFunc(a, b, func(x, y Deadline) bool {
		return x.Days == y.Days && x.AtOnce == y.AtOnce &&
			(key(x.Condition) == key(y.Condition) || near(keysOf(x.Condition), keysOf(y.Condition)))
	})
}

func linkKey(r Row) string { return r.AdministrationID + "|" + strings.Join(keysOf(r.Name), " ") }

// actID is a slug of the decree's last number and the row.
func actID(decree, number string) string {
	parts := strings.Split(decree, "-")
	return "d" + parts[len(parts)-1] + "-" + number
}

// nearest gives the one act of other decrees with a near name.
func nearest(acts []*linked, t *Table, r Row) *linked {
	words := keysOf(r.Name)
	var found *linked
	for _, a := range acts {
		if a.alone || a.AdministrationID != r.AdministrationID || a.in(t.Decree) || !near(a.words, words) {
			continue
		}
		if found != nil {
			return nil
		}
		found = a
	}
	return found
}

// near reports names alike but for one word that differs by one letter.
func near(a, b []string) bool {
	if len(a) != len(b) || len(a) < 5 {
		return false
	}
	differing := 0
	for i := range a {
		if a[i] == b[i] {
			continue
		}
		differing++
		if differing > 1 || !oneLetter(a[i], b[i]) {
			return false
		}
	}
	return differing == 1
}

// oneLetter reports words one insertion, deletion or replacement apart, of three
// letters or more and without digits.
func oneLetter(x, y string) bool {
	a, b := []rune(x), []rune(y)
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) < 3 || len(b)-len(a) > 1 || slices.ContainsFunc(b, unicode.IsDigit) {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) == len(b) {
		return slices.Equal(a[i+1:], b[i+1:])
	}
	return slices.Equal(a[i:], b[i+1:])
}
