package web

import (
	"fmt"
	"html/template"
	"reflect"

	"diwan/internal/gov"
)

// fn is a function that templates call.
type fn func(args []reflect.Value) (reflect.Value, error)

// adapt wraps the functions of the templates so that the common ones are called
// directly; any other is called by reflection.
func adapt(f any) fn {
	str := func(s string) (reflect.Value, error) { return reflect.ValueOf(s), nil }
	switch f := f.(type) {
	case func(gov.Text) string:
		return func(a []reflect.Value) (reflect.Value, error) {
			return one(a, func(t gov.Text) (reflect.Value, error) { return str(f(t)) })
		}
	case func(gov.Text) template.HTML:
		return func(a []reflect.Value) (reflect.Value, error) {
			return one(a, func(t gov.Text) (reflect.Value, error) { return reflect.ValueOf(f(t)), nil })
		}
	case func(gov.Date) string:
		return func(a []reflect.Value) (reflect.Value, error) {
			return one(a, func(d gov.Date) (reflect.Value, error) { return str(f(d)) })
		}
	case func(string) template.HTML:
		return func(a []reflect.Value) (reflect.Value, error) {
			if len(a) != 1 || a[0].Kind() != reflect.String {
				return reflect.Value{}, errBeyond
			}
			return reflect.ValueOf(f(a[0].String())), nil
		}
	case func(any) (string, error):
		return func(a []reflect.Value) (reflect.Value, error) {
			return one(a, func(v any) (reflect.Value, error) {
				s, err := f(v)
				return reflect.ValueOf(s), err
			})
		}
	case func(*gov.Centimes) string:
		return func(a []reflect.Value) (reflect.Value, error) {
			return one(a, func(c *gov.Centimes) (reflect.Value, error) { return str(f(c)) })
		}
	case func(string, ...any) string:
		return func(a []reflect.Value) (reflect.Value, error) {
			if len(a) < 1 || a[0].Kind() != reflect.String {
				return reflect.Value{}, errBeyond
			}
			return str(f(a[0].String(), anys(a[1:])...))
		}
	case func(string, int, ...any) string:
		return func(a []reflect.Value) (reflect.Value, error) {
			if len(a) < 2 || a[0].Kind() != reflect.String || a[1].Kind() != reflect.Int {
				return reflect.Value{}, errBeyond
			}
			return str(f(a[0].String(), int(a[1].Int()), anys(a[2:])...))
		}
	}
	r := reflect.ValueOf(f)
	return func(a []reflect.Value) (reflect.Value, error) { return callReflect(r, a) }
}

// one calls f with the one argument, when it has the type.
func one[T any](a []reflect.Value, f func(T) (reflect.Value, error)) (reflect.Value, error) {
	if len(a) != 1 || !a[0].IsValid() || !a[0].CanInterface() {
		return reflect.Value{}, errBeyond
	}
	v, ok := a[0].Interface().(T)
	if !ok {
		return reflect.Value{}, errBeyond
	}
	return f(v)
}

func anys(a []reflect.Value) []any {
	out := make([]any, len(a))
	for i, v := range a {
		if v.IsValid() {
			out[i] = v.Interface()
		}
	}
	return out
}

var errorType = reflect.TypeFor[error]()

// callReflect calls f as text/template does, when the arguments fit as they are.
func callReflect(f reflect.Value, args []reflect.Value) (reflect.Value, error) {
	t := f.Type()
	if t.IsVariadic() || t.NumIn() != len(args) || t.NumOut() < 1 || t.NumOut() > 2 {
		return reflect.Value{}, errBeyond
	}
	in := make([]reflect.Value, len(args))
	for i, a := range args {
		if !a.IsValid() {
			return reflect.Value{}, errBeyond
		}
		want := t.In(i)
		switch {
		case a.Type().AssignableTo(want):
			in[i] = a
		case a.Kind() == reflect.String && want.Kind() == reflect.String: // a constant of the template
			in[i] = a.Convert(want)
		case a.Kind() == reflect.Interface && !a.IsNil() && a.Elem().Type().AssignableTo(want):
			in[i] = a.Elem()
		default:
			return reflect.Value{}, errBeyond
		}
	}
	out := f.Call(in)
	if len(out) == 2 && out[1].Type() == errorType && !out[1].IsNil() {
		return reflect.Value{}, out[1].Interface().(error)
	}
	return out[0], nil
}

// function compiles a call of a template's function or of a builtin.
func (p *program) function(name string, args []value) (value, error) {
	switch name {
	case "and", "or":
		return lazily(name == "and", args), nil
	}
	f, ok := p.funcs[name]
	if !ok {
		f, ok = builtins[name]
	}
	if !ok {
		return nil, fmt.Errorf("the function %s is not compiled", name)
	}
	return func(x *exec) (reflect.Value, error) {
		var space [4]reflect.Value
		in := space[:0]
		for _, a := range args {
			v, err := a(x)
			if err != nil {
				return v, err
			}
			in = append(in, v)
		}
		return f(in)
	}, nil
}

// lazily is and, or: they stop at the first argument that decides.
func lazily(and bool, args []value) value {
	return func(x *exec) (v reflect.Value, err error) {
		for _, a := range args {
			if v, err = a(x); err != nil || isTrue(v) != and {
				return v, err
			}
		}
		return v, nil
	}
}

// builtins are those of text/template that pages use.
var builtins = map[string]fn{
	"not": func(a []reflect.Value) (reflect.Value, error) {
		if len(a) != 1 {
			return reflect.Value{}, errBeyond
		}
		return reflect.ValueOf(!isTrue(a[0])), nil
	},
	"eq": func(a []reflect.Value) (reflect.Value, error) { return equal(a, true) },
	"ne": func(a []reflect.Value) (reflect.Value, error) { return equal(a, false) },
	"gt": func(a []reflect.Value) (reflect.Value, error) {
		if len(a) != 2 || !a[0].CanInt() || !a[1].CanInt() {
			return reflect.Value{}, errBeyond
		}
		return reflect.ValueOf(a[0].Int() > a[1].Int()), nil
	},
	"len": func(a []reflect.Value) (reflect.Value, error) {
		if len(a) != 1 {
			return reflect.Value{}, errBeyond
		}
		switch v := indirect(a[0]); v.Kind() {
		case reflect.Slice, reflect.Array, reflect.Map, reflect.String:
			return reflect.ValueOf(v.Len()), nil
		}
		return reflect.Value{}, errBeyond
	},
	"print": func(a []reflect.Value) (reflect.Value, error) { return reflect.ValueOf(fmt.Sprint(anys(a)...)), nil },
	"index": func(a []reflect.Value) (reflect.Value, error) {
		if len(a) != 2 {
			return reflect.Value{}, errBeyond
		}
		m := indirect(a[0])
		if m.Kind() != reflect.Map || m.Type().Key().Kind() != reflect.String || a[1].Kind() != reflect.String {
			return reflect.Value{}, errBeyond
		}
		if v := m.MapIndex(a[1].Convert(m.Type().Key())); v.IsValid() {
			return v, nil
		}
		return reflect.Zero(m.Type().Elem()), nil
	},
}

// equal compares two strings, numbers or truths of one kind.
func equal(a []reflect.Value, want bool) (reflect.Value, error) {
	if len(a) != 2 {
		return reflect.Value{}, errBeyond
	}
	x, y := a[0], a[1]
	switch {
	case !x.IsValid() || !y.IsValid():
		return reflect.Value{}, errBeyond
	case x.Kind() == reflect.String && y.Kind() == reflect.String:
		return reflect.ValueOf((x.String() == y.String()) == want), nil
	case x.CanInt() && y.CanInt():
		return reflect.ValueOf((x.Int() == y.Int()) == want), nil
	case x.Kind() == reflect.Bool && y.Kind() == reflect.Bool:
		return reflect.ValueOf((x.Bool() == y.Bool()) == want), nil
	}
	return reflect.Value{}, errBeyond
}
