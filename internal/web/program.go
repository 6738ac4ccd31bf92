package web

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"reflect"
	"strings"
	"text/template/parse"
)

// Pages are written in html/template, which decides in which context each value
// stands and how it must be escaped there. Running its trees costs several times
// what the page itself does, because it looks up every field and function by
// name each time. So each escaped tree is compiled once into a program of
// closures that remember what they looked up.
//
// The promise is that both write the same bytes: a tree with anything the
// compiler does not know runs in html/template as before, tests compare the two
// on every page, and the escaping decisions are always html/template's own.

// program is a page compiled from its escaped trees.
type program struct {
	blocks map[string]step
	page   *template.Template
	funcs  map[string]fn
	// writers write what the function of the same name returns as safe HTML.
	writers map[string]writer
	deep    *urlEscapers
}

// step writes one part of a page.
type step func(x *exec) error

// exec is one run of a program.
type exec struct {
	buf  *bytes.Buffer
	dot  reflect.Value
	vars []variable
	deep int
}

type variable struct {
	name  string
	value reflect.Value
}

// maxDepth bounds templates that call each other, as text/template does.
const maxDepth = 200

// newProgram compiles the block of a page and all it calls. It returns nil when
// a part is beyond it.
func newProgram(page *template.Template, entry string, funcs template.FuncMap, writers map[string]writer, deep *urlEscapers) *program {
	// Executing once makes html/template escape the trees; without data it
	// soon stops with an error, which does not matter.
	page.ExecuteTemplate(io.Discard, entry, nil)
	p := &program{blocks: map[string]step{}, page: page, funcs: map[string]fn{}, writers: writers, deep: deep}
	for name, f := range funcs {
		p.funcs[name] = adapt(f)
	}
	if p.block(entry) != nil {
		return nil
	}
	return p
}

// run writes the entry block for data.
func (p *program) run(buf *bytes.Buffer, entry string, data any) error {
	v := reflect.ValueOf(data)
	return p.blocks[entry](&exec{buf: buf, dot: v, vars: []variable{{"$", v}}})
}

// block compiles a named block, once.
func (p *program) block(name string) error {
	if _, done := p.blocks[name]; done {
		return nil
	}
	t := p.page.Lookup(name)
	if t == nil || t.Tree == nil {
		return fmt.Errorf("no block %q", name)
	}
	p.blocks[name] = nil // being compiled: a block may call itself
	s, err := p.list(t.Tree.Root)
	if err != nil {
		delete(p.blocks, name)
		return err
	}
	p.blocks[name] = s
	return nil
}

func (p *program) list(l *parse.ListNode) (step, error) {
	if l == nil {
		return func(*exec) error { return nil }, nil
	}
	var steps []step
	for _, n := range l.Nodes {
		s, err := p.node(n)
		if err != nil {
			return nil, err
		}
		if s != nil {
			steps = append(steps, s)
		}
	}
	return func(x *exec) error {
		for _, s := range steps {
			if err := s(x); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func (p *program) node(n parse.Node) (step, error) {
	switch n := n.(type) {
	case *parse.TextNode:
		text := n.Text
		return func(x *exec) error { x.buf.Write(text); return nil }, nil
	case *parse.CommentNode:
		return nil, nil
	case *parse.ActionNode:
		return p.action(n.Pipe)
	case *parse.IfNode:
		return p.branch(&n.BranchNode, false)
	case *parse.WithNode:
		return p.branch(&n.BranchNode, true)
	case *parse.RangeNode:
		return p.loop(&n.BranchNode)
	case *parse.TemplateNode:
		return p.call(n)
	}
	return nil, fmt.Errorf("a %T is not compiled", n)
}

// action evaluates a pipeline and writes its value, escaped as html/template
// decided; one that declares a variable writes nothing.
func (p *program) action(pipe *parse.PipeNode) (step, error) {
	head, chain := splitEscapers(pipe)
	if s, err := p.directly(head, chain, len(pipe.Decl)); s != nil || err != nil {
		return s, err
	}
	get, err := p.pipe(head)
	if err != nil {
		return nil, err
	}
	if len(pipe.Decl) > 0 {
		return p.declare(pipe, get)
	}
	write, err := p.escaper(chain)
	if err != nil {
		return nil, err
	}
	return func(x *exec) error {
		v, err := get(x)
		if err != nil {
			return err
		}
		return write(x.buf, v)
	}, nil
}

// directly compiles {{name value}} in text, when name has a writer; nil otherwise.
func (p *program) directly(head *parse.PipeNode, chain []string, decl int) (step, error) {
	if decl > 0 || len(head.Cmds) != 1 || len(head.Cmds[0].Args) != 2 || len(chain) != 1 || chain[0] != "_html_template_htmlescaper" {
		return nil, nil
	}
	id, ok := head.Cmds[0].Args[0].(*parse.IdentifierNode)
	if !ok || p.writers[id.Ident] == nil {
		return nil, nil
	}
	get, err := p.arg(head.Cmds[0].Args[1])
	if err != nil {
		return nil, err
	}
	write := p.writers[id.Ident]
	return func(x *exec) error {
		v, err := get(x)
		if err != nil {
			return err
		}
		return write(x.buf, v)
	}, nil
}

func (p *program) declare(pipe *parse.PipeNode, get value) (step, error) {
	if len(pipe.Decl) != 1 {
		return nil, fmt.Errorf("%d variables in one action are not compiled", len(pipe.Decl))
	}
	name, assign := pipe.Decl[0].Ident[0], pipe.IsAssign
	return func(x *exec) error {
		v, err := get(x)
		if err != nil {
			return err
		}
		if assign {
			x.assign(name, v)
		} else {
			x.vars = append(x.vars, variable{name, v})
		}
		return nil
	}, nil
}

func (x *exec) assign(name string, v reflect.Value) {
	for i := len(x.vars) - 1; i >= 0; i-- {
		if x.vars[i].name == name {
			x.vars[i].value = v
			return
		}
	}
}

// branch is if and with; with makes the value the dot.
func (p *program) branch(n *parse.BranchNode, with bool) (step, error) {
	get, err := p.pipe(n.Pipe)
	if err != nil {
		return nil, err
	}
	yes, err := p.list(n.List)
	if err != nil {
		return nil, err
	}
	no, err := p.list(n.ElseList)
	if err != nil {
		return nil, err
	}
	decl := ""
	if len(n.Pipe.Decl) == 1 {
		decl = n.Pipe.Decl[0].Ident[0]
	} else if len(n.Pipe.Decl) > 1 {
		return nil, fmt.Errorf("two variables in a branch are not compiled")
	}
	return func(x *exec) error {
		v, err := get(x)
		if err != nil {
			return err
		}
		mark, dot := len(x.vars), x.dot
		defer func() { x.vars, x.dot = x.vars[:mark], dot }()
		if decl != "" {
			x.vars = append(x.vars, variable{decl, v})
		}
		if !isTrue(v) {
			return no(x)
		}
		if with {
			x.dot = v
		}
		return yes(x)
	}, nil
}

// loop is range over a slice or an array; other kinds are not compiled but known
// only at run time, so they end the run and the page falls back.
func (p *program) loop(n *parse.BranchNode) (step, error) {
	get, err := p.pipe(n.Pipe)
	if err != nil {
		return nil, err
	}
	body, err := p.list(n.List)
	if err != nil {
		return nil, err
	}
	empty, err := p.list(n.ElseList)
	if err != nil {
		return nil, err
	}
	var index, item string
	switch d := n.Pipe.Decl; len(d) {
	case 1:
		item = d[0].Ident[0]
	case 2:
		index, item = d[0].Ident[0], d[1].Ident[0]
	}
	return func(x *exec) error {
		v, err := get(x)
		if err != nil {
			return err
		}
		v = indirect(v)
		if v.IsValid() && v.Kind() != reflect.Slice && v.Kind() != reflect.Array {
			return errBeyond
		}
		if !v.IsValid() || v.Len() == 0 {
			return empty(x)
		}
		mark, dot := len(x.vars), x.dot
		defer func() { x.vars, x.dot = x.vars[:mark], dot }()
		for i := range v.Len() {
			x.vars = x.vars[:mark]
			if index != "" {
				x.vars = append(x.vars, variable{index, reflect.ValueOf(i)})
			}
			x.dot = v.Index(i)
			if item != "" {
				x.vars = append(x.vars, variable{item, x.dot})
			}
			if err := body(x); err != nil {
				return err
			}
		}
		return nil
	}, nil
}

func (p *program) call(n *parse.TemplateNode) (step, error) {
	if err := p.block(n.Name); err != nil {
		return nil, err
	}
	get := func(*exec) (reflect.Value, error) { return reflect.Value{}, nil }
	if n.Pipe != nil {
		var err error
		if get, err = p.pipe(n.Pipe); err != nil {
			return nil, err
		}
	}
	name := n.Name
	return func(x *exec) error {
		v, err := get(x)
		if err != nil {
			return err
		}
		if x.deep >= maxDepth {
			return fmt.Errorf("templates call each other without end at %q", name)
		}
		// The caller's variables stay below on the stack: a block can't name
		// them, its parser has refused that, and its own "$" comes first.
		mark, dot := len(x.vars), x.dot
		x.vars, x.dot, x.deep = append(x.vars, variable{"$", v}), v, x.deep+1
		err = p.blocks[name](x)
		x.vars, x.dot, x.deep = x.vars[:mark], dot, x.deep-1
		return err
	}, nil
}

// splitEscapers takes the escapers that html/template put at a pipeline's end.
func splitEscapers(pipe *parse.PipeNode) (head *parse.PipeNode, chain []string) {
	head = &parse.PipeNode{NodeType: pipe.NodeType, Line: pipe.Line, Cmds: pipe.Cmds}
	for len(head.Cmds) > 0 {
		last := head.Cmds[len(head.Cmds)-1]
		id, ok := last.Args[0].(*parse.IdentifierNode)
		if !ok || !strings.HasPrefix(id.Ident, "_html_template_") {
			break
		}
		chain = append([]string{id.Ident}, chain...)
		head.Cmds = head.Cmds[:len(head.Cmds)-1]
	}
	return head, chain
}
