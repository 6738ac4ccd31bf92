package web

import (
	"errors"
	"fmt"
	"reflect"
	"sync/atomic"
	"text/template/parse"
)

// errBeyond ends the run of a program that met a value it was not compiled for;
// the page is then written by html/template.
var errBeyond = errors.New("beyond the compiled program")

// value computes a value.
type value func(x *exec) (reflect.Value, error)

// pipe evaluates commands, each of which gets the result of the one before as
// its last argument.
func (p *program) pipe(pipe *parse.PipeNode) (value, error) {
	var last value
	for _, c := range pipe.Cmds {
		v, err := p.command(c, last)
		if err != nil {
			return nil, err
		}
		last = v
	}
	if last == nil {
		return nil, errors.New("an empty pipeline")
	}
	return last, nil
}

func (p *program) command(c *parse.CommandNode, final value) (value, error) {
	var args []value
	for _, a := range c.Args[1:] {
		v, err := p.arg(a)
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	if final != nil {
		args = append(args, final)
	}
	switch n := c.Args[0].(type) {
	case *parse.IdentifierNode:
		return p.function(n.Ident, args)
	case *parse.FieldNode:
		return fields(func(x *exec) (reflect.Value, error) { return x.dot, nil }, n.Ident, args), nil
	case *parse.ChainNode:
		from, err := p.arg(n.Node)
		if err != nil {
			return nil, err
		}
		return fields(from, n.Field, args), nil
	case *parse.VariableNode:
		return fields(variableOf(n.Ident[0]), n.Ident[1:], args), nil
	}
	if len(args) > 0 {
		return nil, fmt.Errorf("arguments to %s", c.Args[0])
	}
	return p.arg(c.Args[0])
}

func variableOf(name string) value {
	return func(x *exec) (reflect.Value, error) {
		for i := len(x.vars) - 1; i >= 0; i-- {
			if x.vars[i].name == name {
				return x.vars[i].value, nil
			}
		}
		return reflect.Value{}, fmt.Errorf("no variable %s", name)
	}
}

// arg evaluates what stands as an argument.
func (p *program) arg(n parse.Node) (value, error) {
	constant := func(v any) (value, error) {
		r := reflect.ValueOf(v)
		return func(*exec) (reflect.Value, error) { return r, nil }, nil
	}
	switch n := n.(type) {
	case *parse.DotNode:
		return func(x *exec) (reflect.Value, error) { return x.dot, nil }, nil
	case *parse.StringNode:
		return constant(n.Text)
	case *parse.BoolNode:
		return constant(n.True)
	case *parse.NumberNode:
		if !n.IsInt {
			return nil, fmt.Errorf("the number %s", n)
		}
		return constant(int(n.Int64))
	case *parse.FieldNode:
		return fields(func(x *exec) (reflect.Value, error) { return x.dot, nil }, n.Ident, nil), nil
	case *parse.VariableNode:
		return fields(variableOf(n.Ident[0]), n.Ident[1:], nil), nil
	case *parse.PipeNode:
		return p.pipe(n)
	case *parse.ChainNode:
		from, err := p.arg(n.Node)
		if err != nil {
			return nil, err
		}
		return fields(from, n.Field, nil), nil
	case *parse.IdentifierNode:
		return p.function(n.Ident, nil)
	}
	return nil, fmt.Errorf("a %T is not compiled", n)
}

// fields follows names from a value; args go to the last one, a method.
func fields(from value, names []string, args []value) value {
	for i, name := range names {
		var a []value
		if i == len(names)-1 {
			a = args
		}
		from = field(from, name, a)
	}
	return from
}

// found is where a name leads for one type.
type found struct {
	typ    reflect.Type
	method int // index of a method, or -1
	index  []int
	isMap  bool
}

// field looks a name up once for each type that it meets in turn.
func field(from value, name string, args []value) value {
	var memory atomic.Pointer[found]
	return func(x *exec) (reflect.Value, error) {
		v, err := from(x)
		if err != nil {
			return v, err
		}
		if v.IsValid() && v.Kind() == reflect.Interface {
			v = v.Elem()
		}
		if !v.IsValid() {
			return v, fmt.Errorf("nil has no %s", name)
		}
		f := memory.Load()
		if f == nil || f.typ != v.Type() {
			if f = find(v.Type(), name); f == nil {
				return v, fmt.Errorf("%s has no %s", v.Type(), name)
			}
			memory.Store(f)
		}
		return f.get(x, v, name, args)
	}
}

func find(t reflect.Type, name string) *found {
	if m, ok := t.MethodByName(name); ok {
		return &found{t, m.Index, nil, false}
	}
	e := t
	if e.Kind() == reflect.Pointer {
		e = e.Elem()
	} else if _, ok := reflect.PointerTo(t).MethodByName(name); ok {
		return nil // a method of the pointer: let html/template find its address
	}
	if e.Kind() == reflect.Map {
		return &found{t, -1, nil, true}
	}
	if e.Kind() != reflect.Struct {
		return nil
	}
	sf, ok := e.FieldByName(name)
	if !ok || !sf.IsExported() {
		return nil
	}
	return &found{t, -1, sf.Index, false}
}

func (f *found) get(x *exec, v reflect.Value, name string, args []value) (reflect.Value, error) {
	if f.method >= 0 {
		in := make([]reflect.Value, len(args))
		for i, a := range args {
			arg, err := a(x)
			if err != nil {
				return arg, err
			}
			in[i] = arg
		}
		return callReflect(v.Method(f.method), in)
	}
	v = indirect(v)
	if !v.IsValid() {
		return v, fmt.Errorf("nil pointer has no %s", name)
	}
	if f.isMap {
		if v.Type().Key().Kind() != reflect.String {
			return v, errBeyond
		}
		r := v.MapIndex(reflect.ValueOf(name).Convert(v.Type().Key()))
		if !r.IsValid() {
			return reflect.Zero(v.Type().Elem()), nil
		}
		return r, nil
	}
	for i, k := range f.index {
		if i > 0 && v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return reflect.Value{}, fmt.Errorf("nil pointer on the way to %s", name)
			}
			v = v.Elem()
		}
		v = v.Field(k)
	}
	return v, nil
}

func indirect(v reflect.Value) reflect.Value {
	for v.IsValid() && (v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface) {
		v = v.Elem()
	}
	return v
}

// isTrue is what text/template takes for true.
func isTrue(v reflect.Value) bool {
	if !v.IsValid() {
		return false
	}
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() > 0
	case reflect.Bool:
		return v.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return v.Int() != 0
	case reflect.Pointer, reflect.Interface, reflect.Func, reflect.Chan:
		return !v.IsNil()
	case reflect.Struct:
		return true
	}
	return !v.IsZero()
}
