package form

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// costLimit bounds one evaluation, in CEL's units: a comparison is about one,
// reading ten characters is one. It holds for the worst answers that the schema
// lets through, so that no reader can be made to wait by another's form.
const costLimit = 20_000

// expr is a compiled expression.
type expr struct {
	program cel.Program
}

// compiler compiles the expressions of one form.
type compiler struct {
	form   *Form
	shapes map[string]*shape // by type name
	envs   map[*shape]*cel.Env
	faults *Faults
}

// compileExprs compiles every condition and computation.
func (f *Form) compileExprs(faults *Faults) {
	c := &compiler{form: f, shapes: map[string]*shape{}, envs: map[*shape]*cel.Env{}, faults: faults}
	c.name(f.root)
	for i, p := range f.pages {
		first := len(f.questions)
		if len(p.questions) > 0 {
			first = p.questions[0].number
		}
		if p.When != "" {
			p.when = c.compile(fmt.Sprintf("pages[%d].when", i), p.When, nil, first, types.BoolType)
		}
		var item *shape
		if p.Repeat != nil {
			item = f.root.fields[p.Repeat.Name].items
		}
		for _, q := range p.questions {
			if q.When != "" {
				q.when = c.compile(q.at+".when", q.When, item, q.number, types.BoolType)
			}
			if q.Compute != "" {
				q.calc = c.compile(q.at+".compute", q.Compute, item, q.number, typeOf(q.shape))
			}
			for j, r := range q.Must {
				q.must = append(q.must, c.compile(fmt.Sprintf("%s.must[%d].that", q.at, j), r.That, item, q.number+1, types.BoolType))
			}
		}
	}
}

// name records the type names of objects.
func (c *compiler) name(s *shape) {
	if s.json == "object" {
		c.shapes[s.typeName()] = s
	}
	for _, f := range s.fields {
		c.name(f)
	}
	if s.items != nil {
		c.name(s.items)
	}
}

func (s *shape) typeName() string {
	return "answers_of_" + strings.NewReplacer(".", "__", "[]", "item").Replace(s.path)
}

// typeOf is the type of an answer in expressions. Every simple answer may also
// be null, because it may not have been given.
func typeOf(s *shape) *types.Type {
	switch s.json {
	case "string":
		return types.NewNullableType(types.StringType)
	case "integer":
		return types.NewNullableType(types.IntType)
	case "number":
		return types.NewNullableType(types.DoubleType)
	case "boolean":
		return types.NewNullableType(types.BoolType)
	case "array":
		return types.NewListType(elemType(s.items))
	}
	return types.NewObjectType(s.typeName())
}

func elemType(s *shape) *types.Type {
	switch s.json {
	case "string":
		return types.StringType
	case "integer":
		return types.IntType
	case "number":
		return types.DoubleType
	case "boolean":
		return types.BoolType
	}
	return typeOf(s)
}

func (c *compiler) env(item *shape) (*cel.Env, error) {
	if e := c.envs[item]; e != nil {
		return e, nil
	}
	registry := types.NewEmptyRegistry()
	opts := []cel.EnvOption{
		cel.CustomTypeProvider(&provider{registry, c.shapes}), cel.CustomTypeAdapter(registry),
		cel.ParserExpressionSizeLimit(maxExpr), cel.ParserRecursionLimit(40),
		cel.Variable("answers", typeOf(c.form.root)),
		cel.Function("sum",
			cel.Overload("sum_of_numbers", []*cel.Type{cel.ListType(cel.DoubleType)}, cel.DoubleType, cel.UnaryBinding(sum)),
			cel.Overload("sum_of_whole", []*cel.Type{cel.ListType(cel.IntType)}, cel.IntType, cel.UnaryBinding(sum))),
	}
	if item != nil {
		opts = append(opts, cel.Variable("item", typeOf(item)))
	}
	e, err := cel.NewEnv(opts...)
	if err == nil {
		c.envs[item] = e
	}
	return e, err
}

// compile compiles one expression that may speak of the questions before a
// number, so that conditions have an order and no circle.
func (c *compiler) compile(at, source string, item *shape, before int, want *types.Type) *expr {
	add := func(code string, args ...string) *expr {
		*c.faults = append(*c.faults, fault(at, code, args...))
		return nil
	}
	if utf8.RuneCountInString(source) > maxExpr {
		return add("form_document.expression.long", "max", fmt.Sprint(maxExpr))
	}
	env, err := c.env(item)
	if err != nil {
		return add("form_document.expression.bad", "why", clip(err.Error()))
	}
	tree, issues := env.Compile(source)
	if issues.Err() != nil {
		return add("form_document.expression.bad", "why", clip(strings.TrimPrefix(issues.Err().Error(), "ERROR: <input>:")))
	}
	if got := tree.OutputType(); got.Kind() == types.DynKind || !want.IsAssignableType(got) {
		return add("form_document.expression.type", "want", want.String(), "got", got.String())
	}
	if code, name := c.order(tree, item, before); code != "" {
		return add(code, "name", name)
	}
	cost, err := env.EstimateCost(tree, sizes{c.form.root, item})
	if err != nil || cost.Max > costLimit {
		return add("form_document.expression.cost", "max", fmt.Sprint(costLimit))
	}
	program, err := env.Program(tree, cel.CostLimit(costLimit))
	if err != nil {
		return add("form_document.expression.bad", "why", clip(err.Error()))
	}
	return &expr{program}
}

// order finds an answer that the expression needs and that is asked later.
func (c *compiler) order(tree *cel.Ast, item *shape, before int) (code, name string) {
	root := ast.NavigateAST(tree.NativeRep())
	if len(ast.MatchDescendants(root, ast.KindMatcher(ast.StructKind))) > 0 {
		return "form_document.expression.make", ""
	}
	for _, e := range ast.MatchDescendants(root, func(e ast.NavigableExpr) bool { return e.Kind() == ast.IdentKind }) {
		path := ""
		switch e.AsIdent() {
		case "answers":
		case "item":
			if item == nil {
				continue
			}
			path = item.path
		default:
			continue
		}
		n := 0
		for up, ok := e.Parent(); ok && up.Kind() == ast.SelectKind; up, ok = up.Parent() {
			path = join(path, up.AsSelect().FieldName())
			n++
		}
		if n == 0 {
			return "form_document.expression.whole", e.AsIdent()
		}
		for _, q := range c.form.questions {
			if related(q.full, path) && q.number >= before {
				return "form_document.expression.later", q.full
			}
		}
	}
	return "", ""
}

// related reports whether one path leads to the other or through it.
func related(a, b string) bool {
	a, b = a+".", b+"."
	return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
}

// errCost says that an evaluation was stopped; the estimate at Parse makes that
// impossible for answers that the schema lets through.
var errCost = errors.New("the expression costs too much")

// eval evaluates the expression. A nil item is that of no group.
func (e *expr) eval(root *shape, answers map[string]any, itemShape *shape, item map[string]any) (ref.Val, error) {
	vars := map[string]any{"answers": &object{root, answers}}
	if itemShape != nil {
		vars["item"] = &object{itemShape, item}
	}
	v, _, err := e.program.Eval(vars)
	if err != nil && strings.Contains(err.Error(), "cost limit") {
		err = errCost
	}
	return v, err
}

// truth is the value of a condition; one that fails is false.
func (e *expr) truth(root *shape, answers map[string]any, itemShape *shape, item map[string]any) bool {
	if e == nil {
		return true
	}
	v, err := e.eval(root, answers, itemShape, item)
	return err == nil && v == types.True
}

// sizes estimates how long answers can be.
type sizes struct{ root, item *shape }

// unknownSize is assumed of what no schema bounds, such as a number written out;
// the bound at run time holds in any case.
const unknownSize = 1000

func (z sizes) EstimateSize(n checker.AstNode) *checker.SizeEstimate {
	path := n.Path()
	if len(path) == 0 {
		return &checker.SizeEstimate{Max: unknownSize}
	}
	s := z.root
	if path[0] == "item" {
		s = z.item
	} else if path[0] != "answers" {
		return &checker.SizeEstimate{Max: unknownSize}
	}
	for _, name := range path[1:] {
		switch {
		case s == nil:
			return &checker.SizeEstimate{Max: unknownSize}
		case name == "@items":
			s = s.items
		default:
			s = s.fields[name]
		}
	}
	if s == nil {
		return &checker.SizeEstimate{Max: unknownSize}
	}
	most := s.max
	if most == 0 {
		most = unknownSize
	}
	return &checker.SizeEstimate{Max: uint64(most)}
}

func (sizes) EstimateCallCost(string, string, *checker.AstNode, []checker.AstNode) *checker.CallEstimate {
	return nil
}
