package cpsv

import (
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// The formats that are read and written.
const (
	JSONLD = "jsonld"
	Turtle = "ttl"
)

// Content is what a document says about a catalogue, in the document's order.
type Content struct {
	Procedures      []*model.Procedure
	Administrations []*model.Administration
	Services        []*model.OnlineService
	Themes          []*model.Theme
	LifeEvents      []*model.LifeEvent
	// Places say where each thing stands in the document ("line 3, column 1"), by
	// the name of its kind, a slash and its id.
	Places map[string]string
}

// Import reads a document. A document of a portal like this one comes back as it
// was exported; of any other in CPSV-AP what the standard says is read. The
// error is a problem of kind Invalid whose fields name line and column, or
// TooLarge.
func Import(r io.Reader, format string) (*Content, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the document: %w", err)
	}
	if len(b) > maxBytes {
		return nil, problem.New(problem.TooLarge, "too_large", "limit", strconv.Itoa(maxBytes>>20)+" MB")
	}
	if line, col, ok := firstBadByte(b); !ok {
		return nil, refused(place(line, col), "import.encoding")
	}
	var g *graph
	switch format {
	case Turtle:
		g, err = readTurtle(string(b))
	case JSONLD:
		g, err = readJSONLD(b)
	default:
		return nil, problem.New(problem.Invalid, "import.format", "value", short(format))
	}
	if err != nil {
		return nil, err
	}
	return fromGraph(g)
}

// firstBadByte returns the place of the first byte that is not UTF-8.
func firstBadByte(b []byte) (line, col int, ok bool) {
	if utf8.Valid(b) {
		return 0, 0, true
	}
	line, col = 1, 1
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			break
		}
		if col++; r == '\n' {
			line, col = line+1, 1
		}
		b = b[n:]
	}
	return line, col, false
}

func fromGraph(g *graph) (*Content, error) {
	n, err := ownNames(g)
	if err != nil {
		return nil, err
	}
	d := &decoder{names: n, g: g}
	c := &Content{Places: map[string]string{}}
	for _, x := range g.order {
		switch {
		case x.is(n.iri("cpsv:PublicService")):
			p := read[model.Procedure](d, c, procedureClass, x)
			d.procedure(x, p)
			c.Procedures = append(c.Procedures, p)
		case x.is(n.iri("cv:PublicOrganisation")):
			c.Administrations = append(c.Administrations, read[model.Administration](d, c, administrationClass, x))
		case x.is(n.iri("cv:Channel")):
			s := read[model.OnlineService](d, c, serviceClass, x)
			if s.Procedures == nil {
				s.Procedures = []string{}
			}
			c.Services = append(c.Services, s)
		case x.is(n.iri("diwan:Theme")):
			c.Themes = append(c.Themes, read[model.Theme](d, c, themeClass, x))
		case x.is(n.iri("cv:LifeEvent")), x.is(n.iri("cv:BusinessEvent")):
			ev := read[model.LifeEvent](d, c, eventClass, x)
			if ev.Kind == "" {
				ev.Kind = map[bool]string{true: "business", false: "life"}[x.is(n.iri("cv:BusinessEvent"))]
			}
			c.LifeEvents = append(c.LifeEvents, ev)
		}
	}
	if len(d.faults) > 0 {
		e := problem.New(problem.Invalid, "import.refused", "count", strconv.Itoa(len(d.faults)))
		e.Fields = d.faults
		return nil, e
	}
	return c, nil
}

// ownNames finds the address of the portal's own vocabulary in a document: that
// of the property that states its version.
func ownNames(g *graph) (names, error) {
	_, local, _ := strings.Cut(formatProp, ":")
	suffix := ownPath + local
	var found names
	for _, n := range g.order {
		for _, p := range n.props {
			base, ok := strings.CutSuffix(p.iri, suffix)
			if !ok {
				continue
			}
			if len(p.values) != 1 || p.values[0].value != formatVersion {
				return found, refused(place(n.line, n.col), "import.rdf.version", "value", short(p.values[0].value))
			}
			if found.base != "" && found.base != base {
				return found, refused(place(n.line, n.col), "import.rdf.many", "name", formatProp, "node", n.id)
			}
			found = names{base, base + ownPath}
		}
	}
	if found.base == "" {
		return names{"", "urn:none#"}, nil
	}
	return found, nil
}

func read[T any](d *decoder, c *Content, cl *class, n *node) *T {
	v := new(T)
	value := reflect.ValueOf(v).Elem()
	d.thing(cl, n, value)
	id := value.FieldByName("ID").String()
	if id == "" {
		d.fault(n, term{}, "import.rdf.missing", "name", "dct:identifier")
	}
	where := cl.name + "/" + id
	if _, twice := c.Places[where]; twice {
		d.fault(n, term{}, "import.double", "id", short(id))
	}
	c.Places[where] = place(n.line, n.col)
	return v
}

var durationDays = regexp.MustCompile(`^P(\d{1,4})D$`)

// procedure completes a procedure with what the standard alone says, in
// documents that do not speak the portal's own vocabulary.
func (d *decoder) procedure(n *node, p *model.Procedure) {
	if len(n.values(d.iri(nameAsDescription))) > 0 {
		p.Summary = nil
	}
	if len(p.Deadline.Terms) == 0 && p.Deadline.Elsewhere.Empty() {
		for _, t := range n.values(d.iri("cv:processingTime")) {
			if m := durationDays.FindStringSubmatch(t.value); m != nil {
				days, _ := strconv.Atoi(m[1]) // four digits at most
				p.Deadline.Terms = append(p.Deadline.Terms, model.Term{Days: days})
			}
		}
	}
	if len(p.LegalBasis) > 0 {
		return
	}
	for _, t := range n.values(d.iri("cv:hasLegalResource")) {
		l := model.LegalRef{Address: gov.Address(strings.TrimPrefix(t.value, d.base))}
		if law := d.g.nodes[t.key()]; law != nil {
			d.thing(&class{table: legalClass.table[1:2]}, law, reflect.ValueOf(&l).Elem())
		}
		p.LegalBasis = append(p.LegalBasis, l)
	}
}
