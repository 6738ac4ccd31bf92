package cpsv

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
)

// Statements about a procedure that follow from others. They are written for
// readers that know the standard alone, and ignored when read.

func (w *walker) procedure(p Item) {
	id := w.thing(procedureClass, p.ID)
	nodes := w.enc.thing(procedureClass, id, reflect.ValueOf(*p.Procedure))
	n := nodes[0]
	if len(n.values(w.iri("dct:description"))) == 0 {
		// The standard requires a description; the mark keeps the name from being
		// taken for one when it is read back.
		n.add(w.iri("dct:description"), texts(p.Name)...)
		n.add(w.iri(nameAsDescription), typed("true", xsd+"boolean"))
	}
	if days, known := p.Deadline.Max(); known {
		n.add(w.iri("cv:processingTime"), typed("P"+strconv.Itoa(days)+"D", xsd+"duration"))
	}
	n.add(w.iri("dct:isPartOf"), iriOf(w.datasetID()))
	w.use("state", string(p.State))
	n.add(w.iri("adms:status"), iriOf(w.code("state", string(p.State))))
	n.add(w.iri(ownPrefix+":version"), typed(strconv.FormatInt(p.Version, 10), xsd+"integer"))
	w.law(n, p)
	w.links(n, p)
	nodes = append(nodes, w.participations(n, p)...)
	w.price(nodes)
	w.put(nodes...)
}

// nameAsDescription marks a description that is only the name.
const nameAsDescription = ownPrefix + ":nameAsDescription"

// law points at the legal texts themselves, under the addresses at which the
// portal shows them.
func (w *walker) law(n *node, p Item) {
	for _, l := range p.LegalBasis {
		address := string(l.Address)
		if !strings.HasPrefix(address, "/") || strings.ContainsAny(address, " <>\"{}|\\^`") {
			continue
		}
		if w.laws[address] == nil {
			w.laws[address] = l.Title
		}
		n.add(w.iri("cv:hasLegalResource"), iriOf(w.base+address))
	}
}

// links names the channels, life events, related services, languages and the
// contact point. Only what is in the same catalogue is named.
func (w *walker) links(n *node, p Item) {
	for _, id := range w.channels[p.ID] {
		n.add(w.iri("cv:hasChannel"), iriOf(w.thing(serviceClass, id)))
	}
	for _, id := range w.events[p.ID] {
		n.add(w.iri("cv:isGroupedBy"), iriOf(w.thing(eventClass, id)))
	}
	for _, id := range p.Related {
		if w.procedures[id] {
			n.add(w.iri("cv:relatedService"), iriOf(w.thing(procedureClass, id)))
		}
	}
	a := w.admins[p.Competent]
	if a == nil {
		return
	}
	n.add(w.iri("cv:contactPoint"), iriOf(w.thing(administrationClass, a.ID)+"#contact-point"))
	for _, l := range a.Languages {
		w.use("language", string(l))
		n.add(w.iri("dct:language"), iriOf(w.code("language", string(l))))
	}
}

// participations says who takes which part in the standard's way.
func (w *walker) participations(n *node, p Item) []*node {
	var out []*node
	for _, part := range []struct {
		role string
		ids  []string
	}{{"receives", p.Receives}, {"studies", p.Studies}, {"delivers", p.Delivers}} {
		for i, id := range part.ids {
			if w.admins[id] == nil {
				continue
			}
			w.use("role", part.role)
			name := part.role + "-" + strconv.Itoa(i+1)
			x := &node{id: n.id + "#" + name}
			x.add(rdfType, iriOf(w.iri("cv:Participation")))
			x.add(w.iri("dct:identifier"), plain(p.ID+"/"+name))
			x.add(w.iri("dct:description"), texts(vocabulary().label("role-"+part.role))...)
			x.add(w.iri("cv:role"), iriOf(w.code("role", part.role)))
			x.add(w.iri("cv:hasParticipant"), iriOf(w.thing(administrationClass, id)))
			n.add(w.iri("cv:hasParticipation"), iriOf(x.id))
			out = append(out, x)
		}
	}
	return out
}

// price completes the costs with what the standard requires of them.
func (w *walker) price(nodes []*node) {
	for _, n := range nodes {
		if !n.is(w.iri("cv:Cost")) {
			continue
		}
		_, local, _ := strings.Cut(n.id, "#")
		n.add(w.iri("dct:identifier"), plain(idOf(n.id)+"/"+local))
		if c := w.data.Country.Currency.Code; c != "" {
			w.use("currency", c)
			n.add(w.iri("cv:currency"), iriOf(w.code("currency", c)))
		}
	}
}

// lists writes out the values in use of every code list, since the standard
// wants them described in the same document, and the legal texts.
func (w *walker) lists() {
	c := w.data.Country
	names := map[string]func(string) gov.Text{
		"audience": func(v string) gov.Text { return c.Audience[v] },
		"document": func(v string) gov.Text { return c.Outputs[v].Name },
		"kind":     func(v string) gov.Text { return c.Kinds[v] },
		"list":     func(v string) gov.Text { l, _ := c.List(v); return l.Title },
		"region":   func(v string) gov.Text { r, _ := c.Region(v); return r.Name },
		"country":  func(string) gov.Text { return c.Name },
		"currency": func(string) gov.Text { return c.Currency.Symbol },
		"language": func(v string) gov.Text { l, _ := c.Language(gov.Lang(v)); return gov.Text{l.Code: l.Name} },
	}
	for _, list := range slices.Sorted(maps.Keys(w.used)) {
		for _, v := range w.sortedUsed(list) {
			name := vocabulary().label(list + "-" + v)
			if f := names[list]; f != nil {
				name = f(v)
			}
			w.value(list, v, name)
		}
	}
	for _, address := range slices.Sorted(maps.Keys(w.laws)) {
		n := &node{id: w.base + address}
		n.add(rdfType, iriOf(w.iri("eli:LegalResource")))
		n.add(w.iri("dct:title"), texts(w.laws[address])...)
		w.put(n)
	}
}

// value writes one value of a code list.
func (w *walker) value(list, v string, name gov.Text) {
	n := &node{id: w.code(list, v)}
	switch list {
	case "theme":
		if slices.ContainsFunc(w.data.Themes, func(t *model.Theme) bool { return t.ID == v }) {
			return // it describes itself
		}
		n.id = w.thing(themeClass, v)
		n.add(rdfType, iriOf(w.iri("skos:Concept")))
	case "region", "country":
		n.add(rdfType, iriOf(w.iri("dct:Location")))
		n.add(w.iri("dct:title"), texts(name)...)
	case "language":
		n.add(rdfType, iriOf(w.iri("dct:LinguisticSystem")))
		n.add(w.iri("dct:title"), texts(name)...)
	case "output":
		n.add(rdfType, iriOf(w.iri("cv:Output")))
		title := w.data.Country.Outputs[v].Name
		if title.Empty() {
			title = gov.Text{"und": v}
		}
		n.add(w.iri("dct:title"), texts(title)...)
		n.add(w.iri("dct:type"), iriOf(w.code("document", v)))
	default:
		n.add(rdfType, iriOf(w.iri("skos:Concept")))
		n.add(w.iri("skos:prefLabel"), texts(name)...)
	}
	n.add(w.iri("dct:identifier"), plain(v))
	w.put(n)
}
