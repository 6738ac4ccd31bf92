package amend

import (
	"slices"
	"sort"
	"strconv"
	"strings"

	"diwan/internal/gazette/model"
)

// Version is a piece with the days on which it reads so.
type Version struct {
	model.Piece
	Position int64
	Until    model.Date // the first day on which it reads otherwise; "" none yet
}

// Change is an operation with the day from which it holds and the work that
// orders it.
type Change struct {
	model.Operation
	ID  string
	Day model.Date
	By  string
}

// Outcome is what became of a change: Reason is empty when it was applied.
type Outcome struct {
	ID, Reason string
}

// Apply carries changes out in the order of their days on the pieces of a text
// as they were published, in their order, and returns every version of every
// piece by position and day. A change without a day, or with a reason of its
// own, is not carried out. What was published is always among the versions: a
// piece that is changed on the very day from which it would have held comes
// without that day, and ends on it.
func Apply(base []Version, changes []Change) ([]Version, []Outcome) {
	a := &applier{now: map[string]int{}}
	for i, v := range base {
		v.Position = int64(i+1) * step
		a.now[v.EID] = len(a.all)
		a.all = append(a.all, v)
	}
	ordered := append([]Change(nil), changes...)
	sort.SliceStable(ordered, func(i, j int) bool { return ordered[i].Day < ordered[j].Day })
	outcomes := make([]Outcome, 0, len(ordered))
	for i := range ordered {
		c := &ordered[i]
		reason := c.Manual
		if reason == "" && c.Day == "" {
			reason = NoDate
		}
		if reason == "" {
			reason = a.apply(c)
		}
		outcomes = append(outcomes, Outcome{c.ID, reason})
	}
	sort.SliceStable(a.all, func(i, j int) bool {
		if a.all[i].Position != a.all[j].Position {
			return a.all[i].Position < a.all[j].Position
		}
		return a.all[i].From < a.all[j].From
	})
	return a.all, outcomes
}

type applier struct {
	all  []Version
	work int            // bytes rewritten so far
	now  map[string]int // index of the present version of each piece, by eId
}

// maxText bounds what a piece can grow to, and maxWork the text that all changes
// of one act may rewrite: an amendment that doubles a word doubles it again when
// it is repeated, and no law does that.
const (
	maxText = 1 << 20
	maxWork = 256 << 20
)

func (a *applier) apply(c *Change) string {
	if a.work > maxWork {
		return TooLarge
	}
	switch c.Action {
	case model.Substitute:
		return a.substitute(c)
	case model.Insert:
		return a.insert(c)
	case model.Append:
		return a.rewrite(c, func(p *model.Piece) string {
			if c.New == "" {
				return NoNewText
			}
			p.Text = strings.TrimRight(p.Text, "\n") + "\n" + c.New
			return ""
		})
	case model.Delete:
		return a.remove(c)
	case model.ReplaceText, model.DeleteText:
		return a.wording(c)
	case model.RepealAct, model.SuspendAct:
		return "" // of the whole text: its state says it, its words stay
	}
	return string(c.Action)
}

// article finds an article by its label; a label that two articles share finds
// none, for nobody can say which is meant.
func (a *applier) article(label string) int {
	found := -1
	for _, i := range a.now {
		if p := &a.all[i]; p.IsArticle() && p.Label == label {
			if found >= 0 {
				return -1
			}
			found = i
		}
	}
	return found
}

// put makes a new version of a piece from a day on.
func (a *applier) put(i int, c *Change, p model.Piece) {
	p.From, p.By = c.Day, c.By
	if old := &a.all[i]; old.From == c.Day {
		if old.By != "" {
			old.Piece = p // a second change of the same day
			return
		}
		old.From = "" // it never held, and everything is computed from it
	}
	a.all[i].Until = c.Day
	a.now[p.EID] = len(a.all)
	a.all = append(a.all, Version{Piece: p, Position: a.all[i].Position})
}

// rewrite changes the article that an operation names.
func (a *applier) rewrite(c *Change, fn func(p *model.Piece) string) string {
	if c.Article == "" {
		return NoArticle
	}
	i := a.article(c.Article)
	if i < 0 {
		return ArticleAbsent
	}
	p := a.all[i].Piece
	p.Page, p.Box, p.Confidence = 0, model.Box{}, 1 // its place is in the amending act
	if reason := fn(&p); reason != "" {
		return reason
	}
	if a.work += len(p.Text); len(p.Text) > maxText {
		return TooLarge
	}
	a.put(i, c, p)
	return ""
}

func (a *applier) substitute(c *Change) string {
	if c.New == "" {
		return NoNewText
	}
	return a.rewrite(c, func(p *model.Piece) string {
		if c.Paragraph == "" {
			p.Text, p.Repealed = c.New, false
			return ""
		}
		return paragraph(p, c.Paragraph, func(string) (string, bool) { return c.New, true })
	})
}

func (a *applier) remove(c *Change) string {
	return a.rewrite(c, func(p *model.Piece) string {
		if c.Paragraph != "" {
			return paragraph(p, c.Paragraph, func(string) (string, bool) { return "", true })
		}
		p.Text, p.Repealed = "", true
		return ""
	})
}

// paragraph rewrites one paragraph of a piece; an empty result takes it out.
func paragraph(p *model.Piece, which string, fn func(string) (string, bool)) string {
	lines := p.Paragraphs()
	n, err := strconv.Atoi(which)
	if which == "last" {
		n, err = len(lines), nil
	}
	if err != nil || n < 1 || n > len(lines) {
		return ParaAbsent
	}
	text, ok := fn(lines[n-1])
	if !ok {
		return WordsAbsent
	}
	lines[n-1] = text
	if text == "" {
		lines = append(lines[:n-1], lines[n:]...)
	}
	p.Text = strings.Join(lines, "\n")
	return ""
}

func (a *applier) insert(c *Change) string {
	if c.New == "" || c.Label == "" {
		return NoNewText
	}
	if a.article(c.Label) >= 0 {
		return AlreadyThere
	}
	after := a.article(c.Article)
	if after < 0 {
		return ArticleAbsent
	}
	before := &a.all[after]
	p := model.Piece{Kind: model.PieceKind(model.Article), EID: sibling(before.EID, c.Label), Depth: before.Depth, Label: c.Label,
		Num: c.Old, Text: c.New, From: c.Day, By: c.By, Confidence: 1}
	if _, taken := a.now[p.EID]; taken {
		return AlreadyThere
	}
	if p.Num == "" {
		p.Num = c.Label
	}
	at := a.room(after)
	a.now[p.EID] = len(a.all)
	a.all = append(a.all, Version{Piece: p, Position: at})
	return ""
}

// step is the room between two pieces at first.
const step = 1 << 10

// room returns a position behind that of a version, before the next. When all
// are taken the pieces move apart.
func (a *applier) room(i int) int64 {
	for {
		position := a.all[i].Position
		next := position + step
		for k := range a.all {
			if p := a.all[k].Position; p > position && p < next {
				next = p
			}
		}
		if next-position > 1 {
			return position + (next-position)/2
		}
		a.spread()
	}
}

// spread lays the pieces out anew, as far from each other as at first.
func (a *applier) spread() {
	taken := make([]int64, len(a.all))
	for i := range a.all {
		taken[i] = a.all[i].Position
	}
	slices.Sort(taken)
	taken = slices.Compact(taken)
	for i := range a.all {
		at, _ := slices.BinarySearch(taken, a.all[i].Position)
		a.all[i].Position = int64(at+1) * step
	}
}

// sibling is the eId of a new article beside another.
func sibling(eid, label string) string {
	if i := strings.LastIndex(eid, "art_"); i >= 0 {
		return eid[:i] + "art_" + label
	}
	return "art_" + label
}

// wording replaces or strikes words, in one article or wherever they stand.
func (a *applier) wording(c *Change) string {
	if c.Old == "" || c.Action == model.ReplaceText && c.New == "" {
		return NoNewText
	}
	change := func(s string) (string, bool) {
		n := strings.Count(s, c.Old)
		if n == 0 || len(s)+n*(len(c.New)-len(c.Old)) > maxText {
			return s, false
		}
		return tidy(strings.ReplaceAll(s, c.Old, c.New)), true
	}
	if c.Article != "" {
		return a.rewrite(c, func(p *model.Piece) string {
			if c.Paragraph != "" {
				return paragraph(p, c.Paragraph, change)
			}
			text, ok := change(p.Text)
			if !ok {
				return WordsAbsent
			}
			p.Text = text
			return ""
		})
	}
	hits := 0
	for _, i := range a.current() {
		p := a.all[i].Piece
		text, ok := change(p.Text)
		if a.work += len(text); !ok || !p.IsArticle() || len(text) > maxText {
			continue
		}
		p.Text = text
		a.put(i, c, p)
		hits++
	}
	if hits == 0 {
		return WordsAbsent
	}
	return ""
}

// current lists the present versions in the order of the text.
func (a *applier) current() []int {
	var out []int
	for _, i := range a.now {
		out = append(out, i)
	}
	sort.Slice(out, func(x, y int) bool { return a.all[out[x]].Position < a.all[out[y]].Position })
	return out
}

// tidy closes the gap that struck words leave.
func tidy(s string) string {
	for strings.Contains(s, "  ") {
		s = strings.ReplaceAll(s, "  ", " ")
	}
	return s
}
