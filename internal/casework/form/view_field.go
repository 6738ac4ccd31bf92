package form

import (
	"fmt"
	"slices"
	"strings"

	"diwan/internal/gov"
)

// field shows one question under a name.
func (l Look) field(f *Form, q *question, name string, v any) *Field {
	fd := &Field{Control: string(q.spec.control), Name: name, ID: name, Label: q.Label, Hint: q.Hint, Unit: q.Unit,
		Optional: !q.Required && q.calc == nil, Known: slices.Contains(l.Filled, name)}
	if q.calc != nil {
		fd.Control = "computed"
		if v != nil {
			fd.Lines = l.shown(q, v)
		}
		return fd
	}
	var mine []Problem
	for _, p := range l.Problems {
		if under(p.Path, name) {
			mine = append(mine, p)
		}
	}
	wrong := len(Blocking(mine)) > 0
	switch q.spec.control {
	case dateIn:
		l.dateField(fd, q, v, wrong)
	case yesNo:
		chosen := l.chosen(name, v, wrong)
		for _, x := range []string{"yes", "no"} {
			fd.Options = append(fd.Options, OptionView{name + "-" + x, x, l.say("ask." + x), nil, chosen == x})
		}
	case radio, checks, selectIn:
		l.optionField(fd, q, v, wrong)
	case group:
		mine = l.partFields(fd, q, v, mine, wrong)
	case files:
		l.fileField(fd, v, q.shape.max)
	case evidence:
		l.evidenceField(fd, q, v, wrong)
	case honour:
		fd.Declaration = f.doc.Declaration
		m, _ := v.(map[string]any)
		fd.On = m["agreed"] == true
		fd.Lines = l.day(m["on"])
	default:
		fd.Value = l.typed(name, l.editable(q.Kind, v), wrong)
		fd.Type, fd.InputMode, fd.Autocomplete = q.spec.input, q.spec.inputmode, q.spec.autocomplete
		if q.Autocomplete != "" {
			fd.Autocomplete = q.Autocomplete
		}
		fd.Dir = direction(q.Script, q.spec.latin)
		fd.Short = q.spec.latin && q.Kind != "e-mail" || q.shape.max > 0 && q.shape.max <= 40
		if q.spec.json == "string" {
			fd.Max = q.shape.max
		}
	}
	fd.describe(l, mine)
	return fd
}

// typed is what stands in an input: what was posted when it was wrong, so that
// the person mends instead of typing again, and the answer otherwise.
func (l Look) typed(name, answer string, wrong bool) string {
	if !wrong || !l.Typed.Has(name) {
		return answer
	}
	s := Clean(firstRunes(l.Typed.Get(name), 2000), true)
	return s
}

func firstRunes(s string, n int) string {
	if len(s) > 4*n {
		s = strings.ToValidUTF8(s[:4*n], "")
	}
	return s
}

// direction is the dir of an input: text whose script is not known arranges
// itself by its first letter.
func direction(script string, latin bool) string {
	switch {
	case script == "latin" || latin:
		return "ltr"
	case script == "arabic":
		return "rtl"
	}
	return "auto"
}

func (l Look) chosen(name string, v any, wrong bool) string {
	switch v {
	case true:
		return "yes"
	case false:
		return "no"
	}
	return l.typed(name, "", wrong)
}

func (l Look) dateField(fd *Field, q *question, v any, wrong bool) {
	var at [3]string
	if s, ok := v.(string); ok {
		if d, err := gov.ParseDate(s); err == nil {
			at = [3]string{fmt.Sprint(d.Day), fmt.Sprint(int(d.Month)), fmt.Sprint(d.Year)}
			if l.Hijri != nil {
				fd.Lines = []Shown{{Text: l.Hijri(d)}}
			}
		}
	}
	for i, part := range []string{"day", "month", "year"} {
		name := fd.Name + "." + part
		p := &Field{Name: name, ID: name, Label: l.say("ask." + part), Value: l.typed(name, at[i], wrong), InputMode: "numeric", Dir: "ltr", Max: 4}
		if q.Autocomplete == "bday" {
			p.Autocomplete = "bday-" + part
		}
		fd.Parts = append(fd.Parts, p)
	}
}

func (l Look) optionField(fd *Field, q *question, v any, wrong bool) {
	on := map[any]bool{}
	if list, ok := v.([]any); ok {
		for _, x := range list {
			on[x] = true
		}
	} else if v != nil {
		on[v] = true
	} else if wrong {
		on[l.typed(fd.Name, "", true)] = true
	}
	for _, o := range q.Options {
		fd.Options = append(fd.Options, OptionView{fd.Name + "-" + o.Value, o.Value, o.Label, o.Hint, on[o.Value]})
	}
}

// partFields shows an answer of several fields; a problem stands at its own
// field and what is left at the whole.
func (l Look) partFields(fd *Field, q *question, v any, mine []Problem, wrong bool) []Problem {
	m, _ := v.(map[string]any)
	within := ""
	var rest []Problem
	claimed := map[int]bool{}
	for _, p := range q.spec.parts {
		s := q.shape.fields[p.name]
		if s == nil {
			continue
		}
		name := fd.Name + "." + p.name
		x := &Field{Control: string(line), Name: name, ID: name, Label: l.say("ask.part." + q.Kind + "." + p.name), InputMode: p.inputmode,
			Autocomplete: p.autocomplete, Dir: direction(p.script, false), Max: s.max, Short: p.script == "latin" && s.max <= 40,
			Optional: !slices.Contains(q.shape.must, p.name)}
		if q.Autocomplete == "off" {
			x.Autocomplete = "off" // another person than the one who types
		}
		x.Value = l.typed(name, l.editable(q.Kind, m[p.name]), wrong)
		if p.scheme && q.Scheme != "" {
			if sc, ok := l.scheme(q.Scheme); ok {
				x.Label = sc.Name
			}
		}
		if p.place != "" {
			if cs := l.places(p.place, within); cs != nil {
				x.Control = string(selectIn)
				l.offer(x, cs)
			}
			within = x.Value
		}
		var own []Problem
		for i, pr := range mine {
			if pr.Path == name && len(mine) > 0 {
				own = append(own, pr)
				claimed[i] = true
			}
		}
		x.describe(l, own)
		fd.Parts = append(fd.Parts, x)
	}
	for i, pr := range mine {
		if !claimed[i] {
			rest = append(rest, pr)
		}
	}
	return rest
}

// offer fills a list of places, under the names of those above where there are
// several.
func (l Look) offer(x *Field, cs []choice) {
	several, under := severalAbove(cs), map[string]int{}
	for _, c := range cs {
		o := OptionView{x.Name + "-" + c.value, c.value, c.name, nil, c.value == x.Value}
		if !several {
			x.Options = append(x.Options, o)
			continue
		}
		i, there := under[c.within]
		if !there {
			i = len(x.Groups)
			under[c.within] = i
			x.Groups = append(x.Groups, OptionGroup{Label: l.placeName(c.within)})
		}
		x.Groups[i].Options = append(x.Groups[i].Options, o)
	}
}

func (l Look) fileField(fd *Field, v any, most int) {
	fs := filesOf(v)
	for _, f := range fs {
		fd.Files = append(fd.Files, FileView{f.Name, l.Words.T("ask.file.size", "kb", l.Format.Number(int((f.Size+1023)/1024))), fd.Name + ":" + f.Ref, l.picture(f)})
	}
	fd.Upload = l.Upload
	fd.Room = len(fs) < most
}

func (l Look) evidenceField(fd *Field, q *question, v any, wrong bool) {
	m, _ := v.(map[string]any)
	route, _ := m["route"].(string)
	route = l.typed(fd.Name+".route", route, wrong)
	ways := []string{RouteFetch, RouteWallet, RouteBring}
	if l.Routes != nil {
		ways = l.Routes(q.Once)
	}
	for _, x := range ways {
		if e := q.shape.fields["route"].enum; e != nil && !slices.Contains(e, any(x)) {
			continue
		}
		id := fd.Name + ".route-" + x
		if len(fd.Options) == 0 {
			id = fd.Name + ".route-" + RouteFetch // where problems of the question lead
		}
		fd.Options = append(fd.Options, OptionView{id, x, l.say("ask.route." + x), l.say("ask.route." + x + ".hint"), route == x})
	}
	bring := &Field{Control: string(files), Name: fd.Name + ".files", ID: fd.Name + ".files", Label: l.say("ask.file.bring")}
	l.fileField(bring, m["files"], q.shape.fields["files"].max)
	fd.Parts = []*Field{bring}
	fd.Once = &OnceView{q.Once.From, q.Once.Purpose, q.Once.Days}
}
