package form

import (
	"fmt"
	"net/mail"
	"strconv"
	"strings"

	"github.com/nyaruka/phonenumbers"

	"diwan/internal/gov"
)

// value reads the answer to one question from the fields posted for it. before
// is the answer given earlier.
func (r *reading) value(q *question, field string, before any) (any, []Problem) {
	switch q.Kind {
	case "text", "textarea":
		s, ps := r.text(field, q.shape.max, q.Kind == "textarea")
		if q.Script == "latin" {
			s = latinDigits(s)
		}
		return s, ps
	case "number", "integer", "money":
		s, ps := r.text(field, 40, false)
		if s == "" || ps != nil {
			return nil, ps
		}
		return readNumber(q.Kind, s, field, r.world.symbols())
	case "date":
		return r.date(field)
	case "yes-no":
		return r.yesNo(field)
	case "choice", "select":
		s, ps := r.text(field, 80, false)
		return s, ps
	case "choices":
		return r.choices(q, field), nil
	case "phone":
		return r.phone(field)
	case "e-mail":
		return r.email(field)
	case "file":
		return r.files(q.shape.max, field, before)
	case "evidence":
		return r.evidence(q, field, before)
	case "signature":
		return r.signature(field, before)
	case "point":
		return r.point(field)
	}
	return r.parts(q, field)
}

func (r *reading) yesNo(field string) (any, []Problem) {
	switch r.in.Get(field) {
	case "yes":
		return true, nil
	case "no":
		return false, nil
	case "":
		return nil, nil
	}
	return nil, []Problem{problemAt(field+"-yes", "choice")}
}

// choices keeps the options in the form's order, each once.
func (r *reading) choices(q *question, field string) any {
	posted := map[string]bool{}
	for i, v := range r.in[field] {
		if i < maxOptions {
			posted[v] = true
		}
	}
	var out []any
	for _, o := range q.Options {
		if posted[o.Value] {
			out = append(out, o.Value)
		}
	}
	return out
}

// date reads the three fields of a day.
func (r *reading) date(field string) (any, []Problem) {
	var n [3]int
	empty := 0
	for i, part := range []string{".day", ".month", ".year"} {
		s, ps := r.text(field+part, 10, false)
		if ps != nil {
			return nil, []Problem{problemAt(field+part, "date")}
		}
		s = strings.Trim(latinDigits(s), " .")
		if s == "" {
			empty++
			continue
		}
		var err error
		if n[i], err = strconv.Atoi(s); err != nil || n[i] < 1 {
			return nil, []Problem{problemAt(field+part, "date")}
		}
	}
	if empty == 3 {
		return nil, nil
	}
	if empty > 0 {
		return nil, []Problem{problemAt(firstEmpty(field, n), "date.whole")}
	}
	if n[2] < 1000 { // "85" could be two years
		return nil, []Problem{problemAt(field+".year", "date.year")}
	}
	d, err := gov.ParseDate(fmt.Sprintf("%04d-%02d-%02d", n[2], n[1], n[0]))
	if err != nil {
		return nil, []Problem{problemAt(field+".day", "date.none")}
	}
	return d.String(), nil
}

func firstEmpty(field string, n [3]int) string {
	for i, part := range []string{".day", ".month", ".year"} {
		if n[i] == 0 {
			return field + part
		}
	}
	return field + ".day"
}

// phone keeps a number in the international form, E.164, in which it can be
// called from anywhere.
func (r *reading) phone(field string) (any, []Problem) {
	s, ps := r.text(field, 40, false)
	if s == "" || ps != nil {
		return nil, ps
	}
	region := "ZZ"
	if r.world.Country != nil {
		region = r.world.Country.Code
	}
	n, err := phonenumbers.Parse(latinDigits(s), region)
	if err != nil || !phonenumbers.IsValidNumber(n) || n.GetExtension() != "" {
		return nil, []Problem{problemAt(field, "phone")}
	}
	return phonenumbers.Format(n, phonenumbers.E164), nil
}

func (r *reading) email(field string) (any, []Problem) {
	s, ps := r.text(field, 254, false)
	if s == "" || ps != nil {
		return nil, ps
	}
	if !isEmail(s) {
		return nil, []Problem{problemAt(field, "email")}
	}
	return s, nil
}

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || a.Name != "" {
		return false
	}
	_, host, _ := strings.Cut(s[strings.LastIndexByte(s, '@'):], "@")
	return strings.Contains(host, ".") && !strings.ContainsAny(s, " \t\"<>")
}

// parts reads an answer of several fields.
func (r *reading) parts(q *question, field string) (any, []Problem) {
	m := map[string]any{}
	var problems []Problem
	for _, p := range q.spec.parts {
		s := q.shape.fields[p.name]
		if s == nil {
			continue
		}
		v, ps := r.text(field+"."+p.name, s.max, false)
		problems = append(problems, ps...)
		if p.script == "latin" {
			v = latinDigits(v)
		}
		if p.scheme {
			v = strings.ToUpper(strings.ReplaceAll(v, " ", ""))
		}
		if v != "" {
			m[p.name] = v
		}
	}
	return m, problems
}

// point reads latitude and longitude in degrees.
func (r *reading) point(field string) (any, []Problem) {
	m := map[string]any{}
	for _, p := range []string{"lat", "lon"} {
		s, ps := r.text(field+"."+p, 40, false)
		if ps != nil {
			return nil, ps
		}
		if s == "" {
			continue
		}
		// A coordinate has no groups of digits: either sign is the decimal one.
		x, err := strconv.ParseFloat(strings.Replace(plainNumber(s), ",", ".", 1), 64)
		if err != nil || !finite(x) || x < -180 || x > 180 {
			return nil, []Problem{problemAt(field+"."+p, "point")}
		}
		m[p] = roundTo(x, 1e6) // a decimetre on the ground
	}
	if len(m) == 1 {
		for _, p := range []string{"lat", "lon"} {
			if m[p] == nil {
				return nil, []Problem{problemAt(field+"."+p, "point.both")}
			}
		}
	}
	return m, nil
}

// signature keeps the day on which the person declared; the day is the
// program's and can't be typed. A declaration made earlier keeps its day.
func (r *reading) signature(field string, before any) (any, []Problem) {
	if r.in.Get(field) != "yes" {
		return nil, nil
	}
	if m, ok := before.(map[string]any); ok && m["agreed"] == true && m["on"] != nil {
		return m, nil
	}
	return map[string]any{"agreed": true, "on": r.world.Today.String()}, nil
}

// files keeps the files that are there, less those dropped, and adds those
// received now. References never come from the posted fields.
func (r *reading) files(max int, field string, before any) (any, []Problem) {
	var out []any
	drop := r.in[FieldDrop]
	seen := map[string]bool{}
	for _, f := range append(filesOf(before), r.world.Uploads[field]...) {
		dropped := false
		for _, d := range drop {
			dropped = dropped || d == field+":"+f.Ref
		}
		if !dropped && !seen[f.Ref] {
			out = append(out, f.answer())
		}
		seen[f.Ref] = true
	}
	if len(out) > max {
		return nil, []Problem{problemAt(field, "files.many", "max", fmt.Sprint(max))}
	}
	return out, nil
}

// evidence reads by which route a document comes. Files stay when the person
// changes the route and back.
func (r *reading) evidence(q *question, field string, before any) (any, []Problem) {
	old, _ := before.(map[string]any)
	fileList, ps := r.files(q.shape.fields["files"].max, field+".files", old["files"])
	if ps != nil {
		return nil, ps
	}
	m := map[string]any{}
	switch route := r.in.Get(field + ".route"); route {
	case RouteFetch, RouteBring, RouteWallet:
		m["route"] = route
	case "":
	default:
		return nil, []Problem{problemAt(field+".route-"+RouteFetch, "choice")}
	}
	if !hasNothing(fileList) {
		m["files"] = fileList
		if m["route"] == nil {
			m["route"] = RouteBring // who uploads brings
		}
	}
	return m, nil
}
