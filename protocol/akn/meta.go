package akn

import (
	"fmt"
	"strconv"
)

// Meta is the metadata of a document or of an attachment.
type Meta struct {
	Work    IRI    // the address of the work; its Component names an attachment
	Prefix  string // put before each eId of an attachment: they are unique in the whole document
	Alias   string // another address of it, such as its ELI
	Lang    string // three letters
	Version string // day from which this text reads so
	Created string // day of the work, such as its signature
	// DateName says what Created is: "signature", "publication", "unknown".
	DateName string
	Author   string // name of who made the work
	Source   string // name of who made this file
	Number   string
	Format   string // media type of the manifestation

	Publication *Publication
	Events      []Event        // at least one is written: the work's own making
	Passive     []Modification // what later works did to this one
	Active      []Modification // what this work does to others
	References  []Reference
	Notes       []*Node // note elements
	Keywords    []string
}

// Publication says where the text appeared.
type Publication struct{ Date, Name, Number, ShowAs string }

// Event is a moment in the life of a text.
type Event struct {
	Date string
	Type string // generation, amendment, repeal
	By   string // address of the work that did it; "" the work itself
}

// Modification is a change of one text by another.
type Modification struct {
	Type        string // repeal, substitution, insertion, replacement, renumbering, split, join
	Source      string // address of the place that orders it
	Destination string // address of the place that it changes
}

// Reference is a text or a person that the document names.
type Reference struct{ ID, Href, ShowAs string }

// UnknownDate is written where the schema demands a day and nobody knows it;
// its name then says "unknown".
const UnknownDate = "0001-01-01"

func day(s string) string {
	switch {
	case isDay(s):
		return s
	case len(s) == 4 && isDigits(s):
		return s + "-01-01"
	}
	return UnknownDate
}

// Node returns the meta element in the order that the schema demands.
func (m Meta) Node() *Node {
	n := E("meta", m.identification())
	if p := m.Publication; p != nil {
		n.add(E("publication", A("date", day(p.Date)), A("name", p.Name), A("number", p.Number), A("showAs", p.ShowAs)))
	}
	if len(m.Keywords) > 0 {
		c := E("classification", A("source", "#source"))
		for _, k := range m.Keywords {
			c.add(E("keyword", A("value", k), A("showAs", k), A("dictionary", "#source")))
		}
		n.add(c)
	}
	refs := E("references", A("source", "#source"),
		E("original", A("eId", m.id("ref_original")), A("href", m.Work.Work()), A("showAs", "Original")),
		E("TLCOrganization", A("eId", m.id("source")), A("href", "/akn/ontology/organization/"+m.Work.Country+"/source"), A("showAs", m.Source)),
		E("TLCOrganization", A("eId", m.id("author")), A("href", "/akn/ontology/organization/"+m.Work.Country+"/author"), A("showAs", m.Author)))
	events := m.Events
	if len(events) == 0 {
		events = []Event{{Date: m.Created, Type: "generation"}}
	}
	life := E("lifecycle", A("source", "#source"))
	for i, e := range events {
		source := "#" + m.id("ref_original")
		if e.By != "" {
			id := m.id("ref_by_" + strconv.Itoa(i+1))
			refs.add(E("passiveRef", A("eId", id), A("href", e.By), A("showAs", e.By)))
			source = "#" + id
		}
		life.add(E("eventRef", A("eId", m.id(fmt.Sprintf("evt_%d", i+1))), A("date", day(e.Date)), A("type", e.Type), A("source", source)))
	}
	n.add(life)
	n.add(m.analysis())
	for _, r := range m.References {
		refs.add(E("activeRef", A("eId", m.id(r.ID)), A("href", r.Href), A("showAs", r.ShowAs)))
	}
	n.add(refs)
	if len(m.Notes) > 0 {
		n.add(E("notes", A("source", "#source"), m.Notes))
	}
	return n
}

// id makes an eId of the metadata unique in a document with attachments.
func (m Meta) id(s string) string {
	if m.Prefix == "" {
		return s
	}
	return m.Prefix + "__" + s
}

func (m Meta) identification() *Node {
	component := m.Work.Component
	if component == "" {
		component = "main"
	}
	name := m.DateName
	if name == "" || day(m.Created) == UnknownDate {
		name = "unknown"
	}
	expression := m.Work
	expression.Lang, expression.Version, expression.Component, expression.Portion = m.Lang, m.Version, "", ""
	expression.Original = m.Version == ""
	work := E("FRBRWork",
		E("FRBRthis", A("value", m.Work.Work()+"/!"+component)),
		E("FRBRuri", A("value", m.Work.Work())))
	if m.Alias != "" {
		work.add(E("FRBRalias", A("value", m.Alias), A("name", "ELI")))
	}
	work.add(E("FRBRdate", A("date", day(m.Created)), A("name", name)))
	work.add(E("FRBRauthor", A("href", "#"+m.id("author"))))
	work.add(E("FRBRcountry", A("value", m.Work.Country)))
	if m.Work.Subtype != "" {
		work.add(E("FRBRsubtype", A("value", m.Work.Subtype)))
	}
	if m.Number != "" {
		work.add(E("FRBRnumber", A("value", m.Number)))
	}
	versionName := "version"
	if m.Version == "" {
		versionName = "unknown"
	}
	format := m.Format
	if format == "" {
		format = "application/akn+xml"
	}
	version := m.Version
	if version == "" {
		version = m.Created
	}
	return E("identification", A("source", "#"+m.id("source")),
		work,
		E("FRBRExpression",
			E("FRBRthis", A("value", expression.Expression()+"/!"+component)),
			E("FRBRuri", A("value", expression.Expression())),
			E("FRBRdate", A("date", day(version)), A("name", versionName)),
			E("FRBRauthor", A("href", "#"+m.id("author"))),
			E("FRBRlanguage", A("language", m.Lang))),
		E("FRBRManifestation",
			E("FRBRthis", A("value", expression.Expression()+"/!"+component+".xml")),
			E("FRBRuri", A("value", expression.Expression()+".xml")),
			E("FRBRdate", A("date", day(version)), A("name", versionName)),
			E("FRBRauthor", A("href", "#"+m.id("source"))),
			E("FRBRformat", A("value", format))))
}

func (m Meta) analysis() *Node {
	if len(m.Active)+len(m.Passive) == 0 {
		return nil
	}
	n := E("analysis", A("source", "#source"))
	for _, side := range []struct {
		name, id string
		mods     []Modification
	}{{"activeModifications", "am", m.Active}, {"passiveModifications", "pm", m.Passive}} {
		if len(side.mods) == 0 {
			continue
		}
		list := E(side.name)
		for i, mod := range side.mods {
			id := m.id(fmt.Sprintf("%s_%d", side.id, i+1))
			list.add(E("textualMod", A("eId", id), A("type", mod.Type),
				E("source", A("eId", id+"__src"), A("href", mod.Source)),
				E("destination", A("eId", id+"__dest"), A("href", mod.Destination))))
		}
		n.add(list)
	}
	return n
}

// ReadMeta takes from a meta element what it says of the document. A missing
// part stays empty; an address that can't be read is an error.
func ReadMeta(n *Node) (Meta, error) {
	var m Meta
	id := n.Child("identification")
	if id == nil {
		return m, fmt.Errorf("%w: no identification", ErrSyntax)
	}
	work, expr := id.Child("FRBRWork"), id.Child("FRBRExpression")
	iri, err := ParseIRI(work.Child("FRBRuri").attrOf("value"))
	if err != nil {
		return m, err
	}
	m.Work = iri
	if this, err := ParseIRI(work.Child("FRBRthis").attrOf("value")); err == nil && this.Component != "main" {
		m.Work.Component = this.Component
	}
	m.Alias = work.Child("FRBRalias").attrOf("value")
	if d := work.Child("FRBRdate").attrOf("date"); d != UnknownDate {
		m.Created, m.DateName = d, work.Child("FRBRdate").attrOf("name")
	}
	m.Number = work.Child("FRBRnumber").attrOf("value")
	m.Lang = expr.Child("FRBRlanguage").attrOf("language")
	if e, err := ParseIRI(expr.Child("FRBRuri").attrOf("value")); err == nil {
		m.Version = e.Version
	}
	if p := n.Child("publication"); p != nil {
		m.Publication = &Publication{p.Attr("date"), p.Attr("name"), p.Attr("number"), p.Attr("showAs")}
	}
	return m, nil
}

// attrOf is Attr that may be called on nil.
func (n *Node) attrOf(name string) string {
	if n == nil {
		return ""
	}
	return n.Attr(name)
}
