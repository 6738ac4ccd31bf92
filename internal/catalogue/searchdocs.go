package catalogue

import (
	"strconv"

	"diwan/internal/catalogue/model"
	"diwan/internal/catalogue/search"
	"diwan/internal/gov"
)

// SearchDocs returns what can be found in a snapshot.
// Official lists print names in the country's first language.
func (s *Snapshot) SearchDocs(first gov.Lang) []search.Doc {
	docs := make([]search.Doc, 0, len(s.Procedures)+len(s.Administrations)+len(s.LifeEvents))
	for _, e := range s.Procedures {
		docs = append(docs, s.procedureDoc(e, first))
	}
	for _, a := range s.Administrations {
		docs = append(docs, search.Doc{Kind: search.KindAdministration, ID: a.ID, Name: plain(a.Name), Body: plain(a.About),
			Facets: map[string][]string{"kind": {search.KindAdministration}}, Full: len(s.Of(a.ID)) > 0})
	}
	for _, ev := range s.LifeEvents {
		docs = append(docs, search.Doc{Kind: search.KindLifeEvent, ID: ev.ID, Name: plain(ev.Name), Body: joined(ev.Short, ev.Intro),
			Facets: map[string][]string{"kind": {search.KindLifeEvent}}, Full: true})
	}
	return docs
}

func (s *Snapshot) procedureDoc(e *Entry, first gov.Lang) search.Doc {
	d := search.Doc{
		Kind: search.KindProcedure, ID: e.ID, Name: plain(e.Name), Owner: plain(s.AdministrationName(e.Competent)),
		Rank: e.Popular, Full: !e.OnlyListed(), Keywords: map[string][]string{},
		Facets: map[string][]string{
			"kind": {search.KindProcedure}, "administration": {e.Competent}, "theme": e.Themes, "audience": e.Audience,
			"days": dayFacets(e.Deadline), "more": s.moreFacets(e),
		},
	}
	for l, words := range e.Keywords {
		d.Keywords[string(l)] = words
	}
	body := []gov.Text{e.Summary, e.WhoCanAsk}
	for _, ev := range e.Evidence {
		body = append(body, ev.Name)
	}
	for _, st := range e.Steps {
		body = append(body, st.Title)
	}
	d.Body = joined(body...)
	// The name as a list prints it is searched too, when it differs.
	for _, l := range e.Listed {
		if l.Name != "" && l.Name != e.Name[first] {
			d.Keywords[string(first)] = append(d.Keywords[string(first)], l.Name)
		}
	}
	return d
}

// dayFacets puts a deadline under each bound that it keeps, so that "30 days or
// less" holds what "7 days or less" does.
func dayFacets(d model.Deadline) []string {
	days, known := d.Max()
	if !known {
		return nil
	}
	var out []string
	for _, limit := range []int{0, 7, 30, 60} {
		if days <= limit {
			out = append(out, strconv.Itoa(limit))
		}
	}
	return out
}

func (s *Snapshot) moreFacets(e *Entry) []string {
	var out []string
	if len(s.ServicesFor(e.ID)) > 0 {
		out = append(out, "online")
	}
	if e.Silence.Effect == model.SilenceApproval {
		out = append(out, "silence")
	}
	if e.Free {
		out = append(out, "free")
	}
	if !e.OnlyListed() {
		out = append(out, "full")
	}
	return out
}

func plain(t gov.Text) map[string]string {
	m := make(map[string]string, len(t))
	for l, s := range t {
		m[string(l)] = s
	}
	return m
}

func joined(ts ...gov.Text) map[string]string {
	m := map[string]string{}
	for _, t := range ts {
		for l, s := range t {
			if m[string(l)] != "" {
				m[string(l)] += "\n"
			}
			m[string(l)] += s
		}
	}
	return m
}
