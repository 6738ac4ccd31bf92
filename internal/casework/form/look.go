package form

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"diwan/internal/gov"
)

// Words says messages in the reader's language; *i18n.Printer is one.
type Words interface {
	T(key string, pairs ...string) string
}

// Format writes values as the readers of a language do; the site's formats are
// such.
type Format interface {
	Number(n int) string
	Money(c gov.Centimes) string
	Day(d gov.Date) string
}

// Look is what showing a form needs besides its answers.
type Look struct {
	World
	Words  Words
	Format Format
	// Action is where a page is posted, Back the page before, "" when none.
	Action, Back string
	// Change is the address at which an answer is changed, for the check of all
	// answers: the page, then the field.
	Change func(page, field string) string
	// Upload is where files go in parts, "" where they don't.
	Upload string
	// Routes are the ways by which a document may come; nil offers all.
	Routes func(*Once) []string
	// Picture is the address of a picture of a file's first page, "" where none is
	// shown; nil shows none.
	Picture func(ref string) string
	// Problems are those found, Typed what was posted, so that a wrong answer
	// comes back as it was typed.
	Problems []Problem
	Typed    url.Values
	// Filled are the names that Prefill filled.
	Filled []string
	// Hijri gives the other calendar's date where an official one is stored; it
	// is never computed.
	Hijri func(gov.Date) gov.Text
}

// say is a message as a text of the reader's language.
func (l Look) say(key string, pairs ...string) gov.Text {
	return gov.Text{l.Lang: l.Words.T(key, pairs...)}
}

// sentence says a problem.
func (l Look) sentence(p Problem) string {
	if s, _ := p.Say.In(l.Lang, l.order()); s != "" {
		return s
	}
	kv := make([]string, 0, 2*len(p.Args))
	for k, v := range p.Args {
		kv = append(kv, k, v)
	}
	return l.Words.T("problem."+p.Code, kv...)
}

// under reports whether a problem is about a field or something inside it.
func under(path, field string) bool {
	return path == field || strings.HasPrefix(path, field+".") || strings.HasPrefix(path, field+"-")
}

// shown is one value for reading.
func (l Look) shown(q *question, v any) []Shown {
	text := func(s string, ltr bool) []Shown { return []Shown{{Text: gov.Text{"": s}, Ltr: ltr}} }
	unit := func(s string) []Shown {
		u, _ := q.Unit.In(l.Lang, l.order())
		if u != "" {
			s += "\u00a0" + u
		}
		return text(s, false)
	}
	switch q.Kind {
	case "yes-no":
		if v == true {
			return []Shown{{Text: l.say("ask.yes")}}
		}
		return []Shown{{Text: l.say("ask.no")}}
	case "choice", "select", "choices":
		return q.labels(v)
	case "date":
		return l.day(v)
	case "money":
		n, _ := v.(int64)
		return text(l.Format.Money(gov.Centimes(n)), false)
	case "integer":
		n, _ := v.(int64)
		return unit(l.Format.Number(int(n)))
	case "number":
		return unit(l.decimal(float(v)))
	case "phone":
		return text(l.phone(v), true)
	case "e-mail":
		s, _ := v.(string)
		return text(s, true)
	case "file", "evidence":
		return l.shownFiles(q, v)
	case "signature":
		m, _ := v.(map[string]any)
		return append([]Shown{{Text: l.say("ask.declared")}}, l.day(m["on"])...)
	case "point":
		m, _ := v.(map[string]any)
		return text(degrees(m["lat"])+", "+degrees(m["lon"]), true)
	case "address", "person", "firm":
		return l.shownParts(q, v)
	}
	s, _ := v.(string)
	out := []Shown{}
	for _, line := range strings.Split(s, "\n") {
		out = append(out, Shown{Text: gov.Text{"": line}, Ltr: q.Script == "latin"})
	}
	return out
}

func (q *question) labels(v any) []Shown {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	var out []Shown
	for _, x := range list {
		for _, o := range q.Options {
			if o.Value == x {
				out = append(out, Shown{Text: o.Label})
			}
		}
	}
	return out
}

func (l Look) day(v any) []Shown {
	s, _ := v.(string)
	d, err := gov.ParseDate(s)
	if err != nil {
		return nil
	}
	out := []Shown{{Text: gov.Text{"": l.Format.Day(d)}}}
	if l.Hijri != nil {
		if h := l.Hijri(d); !h.Empty() {
			out = append(out, Shown{Text: h})
		}
	}
	return out
}

func (l Look) shownFiles(q *question, v any) []Shown {
	var out []Shown
	if m, ok := v.(map[string]any); ok {
		if r, _ := m["route"].(string); r != "" {
			out = append(out, Shown{Text: l.say("ask.route." + r)})
		}
		v = m["files"]
	}
	for _, f := range filesOf(v) {
		out = append(out, Shown{Text: gov.Text{"": f.Name}, Picture: l.picture(f)})
	}
	return out
}

// Picture is a picture of a file's first page as pages show it.
type Picture struct {
	Src  string // its address
	Name string // of the file
}

func (l Look) picture(f File) *Picture {
	if l.Picture == nil {
		return nil
	}
	if src := l.Picture(f.Ref); src != "" {
		return &Picture{src, f.Name}
	}
	return nil
}

func (l Look) shownParts(q *question, v any) []Shown {
	m, _ := v.(map[string]any)
	var out []Shown
	within := ""
	for _, p := range q.spec.parts {
		s, _ := m[p.name].(string)
		if s == "" {
			continue
		}
		x := Shown{Name: l.say("ask.part." + q.Kind + "." + p.name), Text: gov.Text{"": s}, Ltr: p.script == "latin"}
		if sc, ok := l.scheme(q.Scheme); ok && p.scheme {
			x.Name = sc.Name
		}
		if p.place != "" {
			for _, c := range l.places(p.place, within) {
				if c.value == s {
					x.Text = c.name
				}
			}
			within = s
		}
		out = append(out, x)
	}
	return out
}

func (l Look) phone(v any) string {
	s, _ := v.(string)
	n, err := phonenumbers.Parse(s, "ZZ")
	if err != nil {
		return s
	}
	return phonenumbers.Format(n, phonenumbers.INTERNATIONAL)
}

// decimal writes a number with the decimals it has.
func (l Look) decimal(x float64) string {
	whole, frac, _ := strings.Cut(strconv.FormatFloat(x, 'f', -1, 64), ".")
	n, err := strconv.Atoi(whole)
	if err == nil && len(whole) < 16 && whole != "-0" {
		whole = l.Format.Number(n)
	}
	if frac == "" {
		return whole
	}
	return whole + l.mark() + frac
}

// mark is the decimal sign.
func (l Look) mark() string {
	if m := l.symbols().Decimal; m != "" {
		return m
	}
	return "."
}

func degrees(v any) string { return strconv.FormatFloat(float(v), 'f', -1, 64) }

// editable is one simple value as it stands in an input.
func (l Look) editable(kind string, v any) string {
	switch x := v.(type) {
	case string:
		if kind == "phone" {
			return l.phone(v)
		}
		return x
	case int64:
		if kind != "money" {
			return strconv.FormatInt(x, 10)
		}
		s, sign := strconv.FormatInt(x, 10), ""
		if x < 0 {
			s, sign = s[1:], "-"
		}
		for len(s) < 3 {
			s = "0" + s
		}
		if strings.HasSuffix(s, "00") {
			return sign + s[:len(s)-2]
		}
		return sign + s[:len(s)-2] + l.mark() + s[len(s)-2:]
	case float64:
		return strings.Replace(strconv.FormatFloat(x, 'f', -1, 64), ".", l.mark(), 1)
	}
	return ""
}
