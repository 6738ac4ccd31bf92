package structure

import (
	"strings"

	"diwan/internal/gazette/grammar"
	"diwan/internal/gazette/model"
)

// summaryReach is over how many lines a summary may go on without a page number
// at the end of one.
const summaryReach = 30

// summary reads the table of contents of an issue and returns the line on which
// the texts begin; 0 for a text that is no issue.
func (d *document) summary() int {
	head := -1
	for i := 0; i < len(d.lines) && i < 400; i++ {
		if d.lines[i].role == grammar.SummaryHead {
			head = i
			break
		}
		if d.lines[i].role == grammar.Enacting {
			return 0
		}
	}
	if head < 0 {
		return 0
	}
	last, lastPage := head, head
	open := -1
	for i := head + 1; i < len(d.lines) && i < lastPage+summaryReach; i++ {
		l := d.lines[i]
		if l.role == grammar.Enacting || l.role == grammar.Closing {
			break
		}
		if l.class != plain {
			continue
		}
		if open < 0 {
			open = i
		}
		n, at := d.pageAtEnd(l)
		if at == 0 {
			continue
		}
		start := d.lines[open].start
		title := oneLine(strings.TrimRight(d.text[start:at], " ._…·"))
		d.issue.Summary = append(d.issue.Summary, model.SummaryEntry{Span: model.Span{Start: start, End: l.end}, Title: title, Page: n, Act: -1})
		last, lastPage, open = i, i, -1
	}
	if len(d.issue.Summary) == 0 {
		return 0
	}
	return last + 1
}

// pageAtEnd reads the page number at the end of an entry: after dots or a gap.
func (d *document) pageAtEnd(l line) (n, at int) {
	s := strings.TrimRight(d.text[l.start:l.end], " .")
	i := len(s)
	for i > 0 && s[i-1] >= '0' && s[i-1] <= '9' && len(s)-i < 6 {
		i--
		n += int(s[i]-'0') * pow10(len(s)-i-1)
	}
	if i == len(s) || i == 0 {
		return 0, 0
	}
	before := strings.TrimRight(s[:i], " ")
	if strings.HasSuffix(before, "..") || strings.HasSuffix(before, "…") || strings.HasSuffix(before, "_") || len(s[:i])-len(before) >= 3 || before != s[:i] && strings.HasSuffix(before, ".") {
		return n, l.start + i
	}
	return 0, 0
}

func pow10(n int) int {
	v := 1
	for range n {
		v *= 10
	}
	return v
}

// matchSummary finds for each entry of the summary the act that it announces,
// by kind and number or by its words, and notes what does not fit.
func (d *document) matchSummary(doc *model.Document) {
	if doc.Issue == nil || len(doc.Issue.Summary) == 0 {
		return
	}
	taken := map[int]bool{}
	for i := range doc.Issue.Summary {
		e := &doc.Issue.Summary[i]
		toks := d.tokens(e.Start, e.End, titleTokens)
		for k := range toks {
			t, n := d.l.MatchTitle(d.text, toks[k:])
			if n == 0 {
				continue
			}
			for j := range doc.Acts {
				a := &doc.Acts[j]
				if !taken[j] && a.Kind == t.Kind && (t.Number != "" && a.Number.Key() == t.Number.Key() || t.Number == "" && a.Signed != "" && a.Signed == t.Dates.Civil) {
					e.Act, taken[j] = j, true
					break
				}
			}
			break
		}
	}
	for j := range doc.Acts {
		if !taken[j] {
			a := &doc.Acts[j]
			a.Problems = append(a.Problems, model.Problem{Code: "summary_mismatch", At: a.Start})
		}
	}
}
