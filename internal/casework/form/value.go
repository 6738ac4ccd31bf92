package form

import (
	"fmt"
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// provider tells CEL the types of the answers, so that a misspelt name is found
// when the form is read and not when somebody answers it.
type provider struct {
	types.Provider
	shapes map[string]*shape
}

func (p *provider) FindStructType(name string) (*types.Type, bool) {
	if s, ok := p.shapes[name]; ok {
		return types.NewTypeTypeWithParam(typeOf(s)), true
	}
	return p.Provider.FindStructType(name)
}

func (p *provider) FindStructFieldNames(name string) ([]string, bool) {
	if s, ok := p.shapes[name]; ok {
		return sortedShapes(s.fields), true
	}
	return p.Provider.FindStructFieldNames(name)
}

func (p *provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	s, ok := p.shapes[name]
	if !ok {
		return p.Provider.FindStructFieldType(name, field)
	}
	f, ok := s.fields[field]
	if !ok {
		return nil, false
	}
	return &types.FieldType{Type: typeOf(f)}, true
}

// NewValue refuses to make answers: expressions only read them.
func (p *provider) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if _, ok := p.shapes[name]; ok {
		return types.NewErr("expressions cannot make answers")
	}
	return p.Provider.NewValue(name, fields)
}

// object is an object of the answers as CEL sees it: what was not answered, or
// is not of the type that the schema says, is null.
type object struct {
	shape *shape
	m     map[string]any
}

func (o *object) ConvertToNative(reflect.Type) (any, error) {
	return nil, fmt.Errorf("answers stay answers")
}

func (o *object) ConvertToType(t ref.Type) ref.Val {
	if t == types.TypeType {
		return typeOf(o.shape)
	}
	return types.NewErr("answers are no %s", t.TypeName())
}

func (o *object) Equal(other ref.Val) ref.Val {
	x, ok := other.(*object)
	return types.Bool(ok && reflect.DeepEqual(o.m, x.m))
}

func (o *object) Type() ref.Type { return typeOf(o.shape) }
func (o *object) Value() any     { return o.m }

// IsSet is has(answers.name).
func (o *object) IsSet(name ref.Val) ref.Val {
	s, ok := name.(types.String)
	if !ok {
		return types.NewErr("a name is text")
	}
	f := o.shape.fields[string(s)]
	if f == nil {
		return types.False
	}
	v, ok := o.m[string(s)]
	return types.Bool(ok && asValue(f, v) != types.NullValue)
}

// Get is answers.name.
func (o *object) Get(name ref.Val) ref.Val {
	s, ok := name.(types.String)
	if !ok {
		return types.NewErr("a name is text")
	}
	f := o.shape.fields[string(s)]
	if f == nil {
		return types.NewErr("no answer %q", string(s))
	}
	return asValue(f, o.m[string(s)])
}

// asValue makes a value of CEL of one answer.
func asValue(s *shape, v any) ref.Val {
	switch s.json {
	case "object":
		m, _ := v.(map[string]any)
		return &object{s, m}
	case "array":
		list, _ := v.([]any)
		out := make([]ref.Val, 0, len(list))
		for _, x := range list {
			if e := asValue(s.items, x); e != types.NullValue {
				out = append(out, e)
			}
		}
		return types.NewRefValList(types.DefaultTypeAdapter, out)
	case "string":
		if x, ok := v.(string); ok {
			return types.String(x)
		}
	case "boolean":
		if x, ok := v.(bool); ok {
			return types.Bool(x)
		}
	case "integer":
		if x, ok := v.(int64); ok {
			return types.Int(x)
		}
	case "number":
		switch x := v.(type) {
		case float64:
			return types.Double(x)
		case int64:
			return types.Double(x)
		}
	}
	return types.NullValue
}

// sum adds the numbers of a list, as in sum(answers.levels.map(l, l.surface)). A
// number that was not given makes it fail, so that no total misses a part.
func sum(list ref.Val) ref.Val {
	l, ok := list.(traits.Lister)
	if !ok {
		return types.MaybeNoSuchOverloadErr(list)
	}
	var total ref.Val
	for it := l.Iterator(); it.HasNext() == types.True; {
		x, ok := it.Next().(traits.Adder)
		if !ok {
			return types.NewErr("a number is missing")
		}
		if total == nil {
			total = x.(ref.Val)
			continue
		}
		if total = x.Add(total); types.IsError(total) {
			return total
		}
	}
	if total == nil {
		return types.NewErr("nothing to add")
	}
	return total
}

// plain makes an answer of a value of CEL; nil when it is none of the type.
func plain(s *shape, v ref.Val) any {
	switch x := v.(type) {
	case types.String:
		if s.json == "string" {
			if t := Clean(string(x), false); t != "" {
				return t
			}
		}
	case types.Bool:
		if s.json == "boolean" {
			return bool(x)
		}
	case types.Int:
		if s.json == "integer" && inRange(int64(x)) {
			return int64(x)
		}
	case types.Double:
		if s.json == "number" && finite(float64(x)) {
			return float64(x)
		}
	}
	return nil
}
