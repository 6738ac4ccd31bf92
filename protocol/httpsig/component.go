package httpsig

import (
	"fmt"
	"strings"

	"github.com/dunglas/httpsfv"
)

// Component names one part of a message that a signature covers: a field, in
// lower case, or a derived component such as "@method".
type Component struct {
	Name  string
	SF    bool   // serialised anew as a structured field
	BS    bool   // each line wrapped as a byte sequence
	Key   string // one member of a dictionary; empty: none
	Req   bool   // of the request that a response answers
	TR    bool   // of the trailers
	Param string // for "@query-param": the parameter's name, percent-encoded
}

// C is the component of a name without parameters.
func C(name string) Component { return Component{Name: name} }

// Cs makes several.
func Cs(names ...string) []Component {
	out := make([]Component, len(names))
	for i, n := range names {
		out[i] = C(n)
	}
	return out
}

// String is the component's identifier, as it stands in a signature base.
func (c Component) String() string {
	s, err := httpsfv.Marshal(c.item())
	if err != nil {
		return fmt.Sprintf("%q", c.Name)
	}
	return s
}

func (c Component) item() httpsfv.Item {
	i := httpsfv.NewItem(c.Name)
	if c.Param != "" {
		i.Params.Add("name", c.Param)
	}
	for _, p := range []struct {
		name string
		on   bool
	}{{"sf", c.SF}, {"bs", c.BS}, {"tr", c.TR}, {"req", c.Req}} {
		if p.on {
			i.Params.Add(p.name, true)
		}
	}
	if c.Key != "" {
		i.Params.Add("key", c.Key)
	}
	return i
}

// readComponent reads an identifier. A parameter that we don't know changes what
// is signed in a way that we don't know, so that it is refused.
func readComponent(i httpsfv.Item) (Component, error) {
	name, ok := i.Value.(string)
	if !ok || name == "" {
		return Component{}, fmt.Errorf("%w: a component that is no string", ErrMalformed)
	}
	c := Component{Name: name}
	for _, p := range i.Params.Names() {
		v, _ := i.Params.Get(p)
		flag, isFlag := v.(bool)
		text, isText := v.(string)
		switch {
		case p == "sf" && isFlag && flag:
			c.SF = true
		case p == "bs" && isFlag && flag:
			c.BS = true
		case p == "req" && isFlag && flag:
			c.Req = true
		case p == "tr" && isFlag && flag:
			c.TR = true
		case p == "key" && isText && text != "":
			c.Key = text
		case p == "name" && isText && name == "@query-param":
			c.Param = text
		default:
			return Component{}, fmt.Errorf("%w: the parameter %q of the component %q", ErrMalformed, p, name)
		}
	}
	return c, c.valid()
}

// valid refuses what RFC 9421, 2.1 and 2.2 call an error.
func (c Component) valid() error {
	switch {
	case c.Name == "" || c.Name != strings.ToLower(c.Name) || len(c.Name) > maxName:
		return fmt.Errorf("%w: the component name %.80q", ErrMalformed, c.Name)
	case c.BS && (c.SF || c.Key != ""):
		return fmt.Errorf("%w: %s is both bytes and structured", ErrMalformed, c)
	case !strings.HasPrefix(c.Name, "@"):
		if c.Param != "" {
			return fmt.Errorf("%w: %s has a parameter of queries", ErrMalformed, c)
		}
		return nil
	case c.SF || c.BS || c.TR || c.Key != "":
		return fmt.Errorf("%w: %s is derived and no field", ErrMalformed, c)
	}
	switch c.Name {
	case "@query-param":
		if c.Param == "" {
			return fmt.Errorf("%w: @query-param without a name", ErrMalformed)
		}
		return nil
	case "@status":
		if c.Req {
			return fmt.Errorf("%w: a request has no status", ErrMalformed)
		}
		return nil
	case "@method", "@target-uri", "@authority", "@scheme", "@request-target", "@path", "@query":
		return nil
	}
	return fmt.Errorf("%w: the component %s", ErrMalformed, c)
}
