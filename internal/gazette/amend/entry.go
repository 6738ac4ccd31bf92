package amend

import (
	"strings"
	"time"

	"diwan/internal/gazette/grammar"
	"diwan/internal/gazette/model"
)

// Entry is what an act says of the day on which it enters into force.
type Entry struct {
	model.Span            // the sentence
	Day        model.Date // the day that it names
	NextMonth  bool       // the first day of the month after its publication
	// Published: the day of its publication, as if it said nothing.
	Published bool
	// Unread: it depends on something that can't be told from the words: on other
	// texts, on a period, on whom it concerns.
	Unread bool
}

// On is the day of an entry of an act that was published on a day; "" when it is
// not known.
func (e Entry) On(published model.Date) model.Date {
	switch {
	case e.Unread:
		return ""
	case e.NextMonth:
		return firstOfNext(published)
	case e.Published:
		return published
	}
	return e.Day
}

func firstOfNext(day model.Date) model.Date {
	t, err := time.Parse(time.DateOnly, string(day))
	if err != nil {
		return ""
	}
	return model.Date(t.AddDate(0, 0, 1-t.Day()).AddDate(0, 1, 0).Format(time.DateOnly))
}

// entryWords are the words of a language about entry into force.
type entryWords struct {
	enters *grammar.Phrases // a verb that says it alone; the head and the tail of one with words between
	from   *grammar.Phrases // between the verb and the day
	day    *grammar.Phrases // next month, publication
	unless *grammar.Phrases // what makes it depend on more than the day
	this   *grammar.Phrases
}

// The lists of entryWords.enters and of entryWords.day.
const (
	entersAlone = iota
	entersHead
	entersTail
)
const (
	nextMonth = iota
	onPublication
)

func newEntryWords(g *grammar.Grammar, this []string, a map[string][]string) *entryWords {
	var acts []string
	for _, s := range this {
		if strings.Contains(s, " ") { // "above" and "below" name places
			acts = append(acts, s)
		}
	}
	return &entryWords{g.Phrases(a["enters"], a["enters_head"], a["enters_tail"]), g.Phrases(a["enters_from"]),
		g.Phrases(a["enters_next_month"], a["enters_published"]), g.Phrases(a["enters_unless"], a["except"]), g.Phrases(acts)}
}

// reachTail is how many words stand at most between the two parts of the verb,
// and reachDay between the verb and the day.
const (
	reachTail = 8
	reachDay  = 6
)

// Entries returns what a piece says of the entry into force of its own act. What
// another act or one of its articles alone depends on is left out.
func (r *Reader) Entries(p *model.Piece, lang model.Lang) []Entry {
	v := r.langs[lang]
	if v == nil || p.Text == "" {
		return nil
	}
	sc := r.g.Scanner()
	defer sc.Release()
	toks := sc.Tokens(nil, p.Text, 0, 1<<20)
	var out []Entry
	for from := 0; from < len(toks); {
		to := from
		for to < len(toks) && toks[to].Mark() != '.' && toks[to].Mark() != ';' && toks[to].Mark() != '\u061b' &&
			(to == from || !strings.Contains(p.Text[toks[to-1].End:toks[to].Start], "\n")) {
			to++
		}
		if e, ok := v.entry.sentence(v.lang, p.Text, toks[from:to]); ok {
			out = append(out, e)
		}
		from = max(to, from+1)
		if to < len(toks) && toks[to].Mark() != 0 {
			from = to + 1
		}
	}
	return out
}

// sentence reads one sentence.
func (w *entryWords) sentence(lang *grammar.Lang, text string, toks []grammar.Token) (e Entry, ok bool) {
	behind := -1 // the token behind the verb
	this := false
	for i := range toks {
		if _, n := w.this.Match(toks[i:]); n > 0 {
			this = true
		}
		if _, quoted := quotes[toks[i].Mark()]; quoted {
			return e, false // the new words of another act
		}
		switch list, n := w.enters.Match(toks[i:]); {
		case n == 0 || behind >= 0:
		case list == entersAlone:
			behind = i + n
		case list == entersHead:
			for k := i + n; k < len(toks) && k <= i+n+reachTail; k++ {
				if l, m := w.enters.Match(toks[k:]); m > 0 && l == entersTail {
					behind = k + m
					break
				}
			}
		}
	}
	if behind < 0 || !this {
		return e, false
	}
	e.Span = model.Span{Start: toks[0].Start, End: toks[len(toks)-1].End}
	for i := range toks {
		if _, n := w.unless.Match(toks[i:]); n > 0 {
			e.Unread = true
			return e, true
		}
	}
	for i := behind; i < len(toks) && i <= behind+reachDay; {
		if l, n := w.day.Match(toks[i:]); n > 0 {
			e.NextMonth, e.Published = l == nextMonth, l == onPublication
			return e, true
		}
		if d, n := lang.MatchDate(text, toks[i:]); n > 0 {
			if e.Day = d.Civil; d.Doubt || len(d.Civil) != len(time.DateOnly) {
				e.Day, e.Unread = "", true
			}
			return e, true
		}
		if _, n := w.from.Match(toks[i:]); n > 0 {
			i += n
			continue
		}
		if toks[i].Mark() == 0 {
			break
		}
		i++
	}
	e.Unread = true
	return e, true
}

// quotes are marks that open or close words of another text.
var quotes = map[rune]bool{'«': true, '»': true, '“': true, '”': true, '"': true}
