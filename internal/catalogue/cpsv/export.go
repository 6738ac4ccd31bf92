package cpsv

import (
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
)

// Data is what is exported: what the public may see, never a draft.
type Data struct {
	// Base is the portal's public address without a final slash. Identifiers begin
	// with it, so it must stay the same; DefaultBase is used when it is empty.
	Base    string
	Country *gov.Country

	Procedures      []Item
	Administrations []*model.Administration
	Services        []*model.OnlineService
	Themes          []*model.Theme
	LifeEvents      []*model.LifeEvent
}

// Item is a procedure with what is known about the version that is shown.
type Item struct {
	*model.Procedure
	Version int64
	State   model.State
	Changed time.Time
}

// Dataset is a catalogue ready to be written. It makes its statements while
// they are written, so that a large catalogue is never held twice.
type Dataset struct {
	names
	data       Data
	procedures map[string]bool
	admins     map[string]*model.Administration
	channels   map[string][]string // procedure: services
	events     map[string][]string // procedure: life events
}

// Export prepares a catalogue for writing.
func Export(data Data) *Dataset {
	d := &Dataset{names: namesOf(data.Base), data: data, procedures: map[string]bool{},
		admins: map[string]*model.Administration{}, channels: map[string][]string{}, events: map[string][]string{}}
	for _, p := range data.Procedures {
		d.procedures[p.ID] = true
	}
	for _, a := range data.Administrations {
		d.admins[a.ID] = a
	}
	for _, s := range data.Services {
		for _, p := range s.Procedures {
			d.channels[p] = append(d.channels[p], s.ID)
		}
	}
	for _, ev := range data.LifeEvents {
		for _, id := range eventProcedures(ev) {
			d.events[id] = append(d.events[id], ev.ID)
		}
	}
	return d
}

func eventProcedures(ev *model.LifeEvent) []string {
	var ids []string
	for _, st := range ev.Stages {
		for _, id := range st.Procedures {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// formatVersion is the version of the portal's own vocabulary. A reader finds
// the vocabulary's address by it.
const (
	formatProp    = ownPrefix + ":formatVersion"
	formatVersion = "1"
)

// walk calls emit with every node of the catalogue, in an order that depends on
// nothing but the catalogue.
func (d *Dataset) walk(emit func(*node) error) error {
	w := &walker{Dataset: d, used: map[string]map[string]bool{}, laws: map[string]gov.Text{}, emit: emit}
	w.enc = encoder{d.names, w.use}
	w.dataset()
	for _, a := range d.data.Administrations {
		w.administration(a)
	}
	for _, t := range d.data.Themes {
		w.put(w.enc.thing(themeClass, d.thing(themeClass, t.ID), reflect.ValueOf(*t))...)
	}
	for _, p := range d.data.Procedures {
		w.procedure(p)
	}
	for _, s := range d.data.Services {
		w.service(s)
	}
	for _, ev := range d.data.LifeEvents {
		w.event(ev)
	}
	w.lists()
	return w.err
}

// walker emits nodes until one fails, and remembers which codes they used.
type walker struct {
	*Dataset
	enc  encoder
	used map[string]map[string]bool // list: values
	laws map[string]gov.Text        // address: title
	emit func(*node) error
	err  error
}

func (w *walker) use(list, value string) {
	if w.used[list] == nil {
		w.used[list] = map[string]bool{}
	}
	w.used[list][value] = true
	if list == "output" {
		w.use("document", value) // an output has the type of its document
	}
}

func (w *walker) put(nodes ...*node) {
	for _, n := range nodes {
		if w.err == nil {
			w.err = w.emit(n)
		}
	}
}

func (w *walker) datasetID() string { return w.base + "/api/v1/catalogue" }

func (w *walker) dataset() {
	title := w.data.Country.Portal
	agent := &node{id: w.base + "/#publisher"}
	agent.add(rdfType, iriOf(w.iri("foaf:Agent")))
	agent.add(w.iri("dct:identifier"), plain("publisher"))
	agent.add(w.iri("dct:title"), texts(title)...)
	set := &node{id: w.datasetID()}
	set.add(rdfType, iriOf(w.iri("dcat:Dataset")))
	set.add(w.iri("dct:identifier"), plain("catalogue"))
	set.add(w.iri("dct:title"), texts(title)...)
	set.add(w.iri("dct:description"), texts(vocabulary().About)...)
	set.add(w.iri("dct:publisher"), iriOf(agent.id))
	set.add(w.iri(formatProp), plain(formatVersion))
	w.put(set, agent)
}

func (w *walker) administration(a *model.Administration) {
	nodes := w.enc.thing(administrationClass, w.thing(administrationClass, a.ID), reflect.ValueOf(*a))
	n := nodes[0]
	n.add(w.iri("dct:title"), texts(a.Name)...) // an agent's name, beside the organisation's label
	if a.Region != "" {
		n.add(w.iri("dct:spatial"), iriOf(w.code("region", a.Region)))
	} else {
		w.use("country", w.data.Country.Code)
		n.add(w.iri("dct:spatial"), iriOf(w.code("country", w.data.Country.Code)))
	}
	w.put(nodes...)
	w.contactPoint(n.id, a)
}

// contactPoint says how an administration is reached in the standard's words;
// the lossless form is in its contacts.
func (w *walker) contactPoint(id string, a *model.Administration) {
	n := &node{id: id + "#contact-point"}
	n.add(rdfType, iriOf(w.iri("cv:ContactPoint")))
	for i, c := range a.Contacts {
		switch {
		case c.Kind == "phone":
			n.add(w.iri("cv:telephone"), plain(c.Value))
		case c.Kind == "email":
			n.add(w.iri("cv:email"), plain(c.Value))
		case c.Kind == "web" && webAddress(c.Value):
			page := &node{id: id + "#page-" + strconv.Itoa(i+1)}
			page.add(rdfType, iriOf(w.iri("foaf:Document")))
			page.add(w.iri(ownPrefix+":url"), plain(c.Value))
			n.add(w.iri("cv:contactPage"), iriOf(page.id))
			w.put(page)
		}
	}
	if len(a.Hours) > 0 {
		open := &node{id: id + "#opening-hours"}
		open.add(rdfType, iriOf(w.iri("time:TemporalEntity")))
		var lines []string
		for _, h := range a.Hours {
			lines = append(lines, strings.Join(h.Days, ", ")+" "+h.Open+"–"+h.Close)
		}
		open.add(w.iri("dct:description"), tagged(strings.Join(lines, "; "), "en"))
		n.add(w.iri("cv:openingHours"), iriOf(open.id))
		w.put(open)
	}
	w.put(n)
}

func webAddress(s string) bool {
	return strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
}

func (w *walker) service(s *model.OnlineService) {
	nodes := w.enc.thing(serviceClass, w.thing(serviceClass, s.ID), reflect.ValueOf(*s))
	if open := texts(s.Available); len(open) > 0 {
		o := &node{id: nodes[0].id + "#opening-hours"}
		o.add(rdfType, iriOf(w.iri("time:TemporalEntity")))
		o.add(w.iri("dct:description"), open...)
		nodes[0].add(w.iri("cv:openingHours"), iriOf(o.id))
		nodes = append(nodes, o)
	}
	w.put(nodes...)
}

func (w *walker) event(ev *model.LifeEvent) {
	nodes := w.enc.thing(eventClass, w.thing(eventClass, ev.ID), reflect.ValueOf(*ev))
	n := nodes[0]
	kind := "cv:LifeEvent"
	if ev.Kind == "business" {
		kind = "cv:BusinessEvent"
	}
	n.add(rdfType, iriOf(w.iri(kind)))
	for _, id := range eventProcedures(ev) {
		if w.procedures[id] {
			n.add(w.iri("cv:hasRelatedService"), iriOf(w.thing(procedureClass, id)))
		}
	}
	w.put(nodes...)
}

// sortedUsed returns the values of a list that were used.
func (w *walker) sortedUsed(list string) []string { return slices.Sorted(maps.Keys(w.used[list])) }
