package form

import (
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/nyaruka/phonenumbers"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"

	"diwan/internal/gov"
)

// verify looks at one answer, however it came: typed on a page, filled in
// beforehand, or sent by a program.
func (f *Form) verify(q *question, v any, field string, w World) []Problem {
	ps := q.validate(v, field)
	if len(ps) > 0 {
		return ps
	}
	ps = append(ps, unclean(q, v, field)...)
	switch q.Kind {
	case "text", "textarea":
		ps = append(ps, inScript(q.Script, v, field)...)
		ps = append(ps, q.identified(v, field, w)...)
	case "choice", "select", "choices":
		ps = append(ps, q.offered(v, field)...)
	case "date":
		ps = append(ps, q.inTime(v, field, w)...)
	case "phone":
		if n, err := phonenumbers.Parse(v.(string), "ZZ"); err != nil || !phonenumbers.IsValidNumber(n) {
			ps = append(ps, problemAt(field, "phone"))
		}
	case "e-mail":
		if !isEmail(v.(string)) {
			ps = append(ps, problemAt(field, "email"))
		}
	case "signature":
		ps = append(ps, declared(v, field, w)...)
	case "evidence":
		if r := v.(map[string]any)["route"]; r != RouteFetch && r != RouteBring && r != RouteWallet {
			ps = append(ps, problemAt(anchor(q, field), "choice"))
		}
	case "point":
		ps = append(ps, q.within(v, field)...)
	case "address":
		ps = append(ps, placed(v, field, w)...)
	case "person", "firm":
		m := v.(map[string]any)
		for _, p := range q.spec.parts {
			if m[p.name] == nil {
				continue
			}
			ps = append(ps, inScript(p.script, m[p.name], field+"."+p.name)...)
			if p.scheme {
				ps = append(ps, q.identified(m[p.name], field+"."+p.name, w)...)
			}
		}
	}
	return ps
}

// validate compares one answer with its part of the schema.
func (q *question) validate(v any, field string) []Problem {
	err := q.schema.Validate(v)
	if err == nil {
		return nil
	}
	ps := schemaProblems(err, field)
	for i := range ps {
		ps[i].Say = q.Error
		if ps[i].Path == field {
			ps[i].Path = anchor(q, field)
		}
	}
	return ps
}

// schemaProblems says in our codes what the schema refuses.
func schemaProblems(err error, field string) []Problem {
	ve, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return []Problem{problemAt(field, "type")}
	}
	var out []Problem
	var visit func(e *jsonschema.ValidationError)
	visit = func(e *jsonschema.ValidationError) {
		if len(out) >= 20 {
			return
		}
		if len(e.Causes) > 0 {
			for _, c := range e.Causes {
				visit(c)
			}
			return
		}
		path := field
		for _, s := range e.InstanceLocation {
			path = join(path, s)
		}
		switch k := e.ErrorKind.(type) {
		case *kind.MaxLength:
			out = append(out, problemAt(path, "long", "max", fmt.Sprint(k.Want)))
		case *kind.MinLength:
			out = append(out, problemAt(path, "short", "min", fmt.Sprint(k.Want)))
		case *kind.Minimum:
			out = append(out, problemAt(path, "small", "min", ratio(k.Want)))
		case *kind.ExclusiveMinimum:
			out = append(out, problemAt(path, "small.over", "min", ratio(k.Want)))
		case *kind.Maximum:
			out = append(out, problemAt(path, "large", "max", ratio(k.Want)))
		case *kind.ExclusiveMaximum:
			out = append(out, problemAt(path, "large.under", "max", ratio(k.Want)))
		case *kind.MinItems:
			out = append(out, problemAt(path, "group.few", "min", fmt.Sprint(k.Want)))
		case *kind.MaxItems:
			out = append(out, problemAt(path, "group.many", "max", fmt.Sprint(k.Want)))
		case *kind.Pattern:
			out = append(out, problemAt(path, "pattern"))
		case *kind.Format:
			out = append(out, problemAt(path, "pattern"))
		case *kind.Enum, *kind.Const:
			out = append(out, problemAt(path, "choice"))
		case *kind.Required:
			for _, name := range k.Missing {
				out = append(out, problemAt(join(path, name), "required"))
			}
		default:
			out = append(out, problemAt(path, "type"))
		}
	}
	visit(ve)
	return out
}

func ratio(r *big.Rat) string {
	if r.IsInt() {
		return r.Num().String()
	}
	return strings.TrimRight(r.FloatString(6), "0")
}

// unclean finds texts that were not cleaned, as a program may send them.
func unclean(q *question, v any, field string) []Problem {
	switch v := v.(type) {
	case string:
		if Clean(v, q.Kind == "textarea") != v {
			return []Problem{problemAt(field, "characters")}
		}
	case map[string]any:
		for _, name := range sortedKeys(v) {
			if ps := unclean(q, v[name], field+"."+name); ps != nil {
				return ps
			}
		}
	case []any:
		for _, x := range v {
			if ps := unclean(q, x, field); ps != nil {
				return ps
			}
		}
	}
	return nil
}

// inScript refuses letters of another script, so that a name in Latin letters
// can be read where only they can.
func inScript(script string, v any, field string) []Problem {
	s, _ := v.(string)
	for _, r := range s {
		if !unicode.IsLetter(r) {
			continue
		}
		if script == "latin" && !unicode.Is(unicode.Latin, r) {
			return []Problem{problemAt(field, "script.latin")}
		}
		if script == "arabic" && !unicode.Is(unicode.Arabic, r) {
			return []Problem{problemAt(field, "script.arabic")}
		}
	}
	return nil
}

// patterns keeps the compiled patterns of identifier schemes.
var patterns sync.Map // string to *regexp.Regexp

// identified compares a number with the scheme that it should follow. Where no
// official specification is known the scheme is not strict, and the person is
// only asked to look again.
func (q *question) identified(v any, field string, w World) []Problem {
	scheme, ok := w.scheme(q.Scheme)
	s, isText := v.(string)
	if !ok || !isText {
		return nil
	}
	re, known := patterns.Load(scheme.Pattern)
	if !known {
		compiled, err := regexp.Compile(scheme.Pattern)
		if err != nil {
			return nil // the country pack's own check reports it
		}
		re, _ = patterns.LoadOrStore(scheme.Pattern, compiled)
	}
	if re.(*regexp.Regexp).MatchString(s) {
		return nil
	}
	name, _ := scheme.Name.In(w.Lang, w.order())
	if scheme.Strict {
		return []Problem{problemAt(field, "scheme", "name", name)}
	}
	return []Problem{warnAt(field, "scheme.look", "name", name)}
}

// offered refuses what is not among the options.
func (q *question) offered(v any, field string) []Problem {
	list, ok := v.([]any)
	if !ok {
		list = []any{v}
	}
	for _, x := range list {
		if !slices.ContainsFunc(q.Options, func(o Option) bool { return o.Value == x }) {
			return []Problem{problemAt(anchor(q, field), "choice")}
		}
	}
	return nil
}

func (q *question) inTime(v any, field string, w World) []Problem {
	d, err := gov.ParseDate(v.(string))
	switch {
	case err != nil:
		return []Problem{problemAt(anchor(q, field), "date.none")}
	case w.Today.IsZero():
		return nil
	case q.Time == "past" && w.Today.Before(d):
		return []Problem{problemAt(anchor(q, field), "date.past")}
	case q.Time == "future" && d.Before(w.Today):
		return []Problem{problemAt(anchor(q, field), "date.future")}
	}
	return nil
}

// declared refuses a declaration that says no, or that has no day or one to come.
func declared(v any, field string, w World) []Problem {
	m := v.(map[string]any)
	on, _ := m["on"].(string)
	d, err := gov.ParseDate(on)
	if m["agreed"] != true || err != nil || !w.Today.IsZero() && w.Today.Before(d) {
		return []Problem{problemAt(field, "declared")}
	}
	return nil
}

// within refuses a point outside the bounds of the form.
func (q *question) within(v any, field string) []Problem {
	m := v.(map[string]any)
	lat, lon := float(m["lat"]), float(m["lon"])
	if b := q.Bounds; b != nil && (lat < b[0] || lon < b[1] || lat > b[2] || lon > b[3]) {
		return []Problem{problemAt(field+".lat", "point.outside")}
	}
	return nil
}

func float(v any) float64 {
	switch v := v.(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	}
	return 0
}

// placed refuses a region, province or municipality that is not one of those offered.
func placed(v any, field string, w World) []Problem {
	m := v.(map[string]any)
	within := ""
	for _, p := range kinds["address"].parts {
		if p.place == "" {
			continue
		}
		s, _ := m[p.name].(string)
		offers := w.places(p.place, within)
		if s != "" && offers != nil && !has(offers, s) {
			if within != "" && has(w.places(p.place, ""), s) {
				return []Problem{problemAt(field+"."+p.name, "place")} // a place, and not there
			}
			return []Problem{problemAt(field+"."+p.name, "choice")}
		}
		within = s
	}
	return nil
}
