package gazette

import (
	"context"
	"strings"

	"diwan/internal/gazette/markup"
	"diwan/internal/gazette/model"
	"diwan/protocol/akn"
)

// Document returns a reading in the form that Akoma Ntoso, linked data and the
// exports are made from: with its citations, its life and what it attaches.
func (g *Gazette) Document(ctx context.Context, r *Reading) (*markup.Doc, error) {
	return g.document(ctx, r, true)
}

func (g *Gazette) document(ctx context.Context, r *Reading, attach bool) (*markup.Doc, error) {
	d := &markup.Doc{Work: *r.Work, Expression: r.Expression, Author: g.stateName(), Source: g.portalName(), ELI: ELI(r.Work, &r.Expression)}
	links, err := g.Links(ctx, r.Expression.ID)
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		d.Links = append(d.Links, l.Link)
	}
	d.Events = append(d.Events, akn.Event{Date: string(r.Work.Signed), Type: "generation"})
	for _, m := range r.Timeline {
		for _, by := range m.By {
			if r.Day == "" || m.Day <= r.Day {
				d.Events = append(d.Events, akn.Event{Date: string(m.Day), Type: "amendment", By: by})
			}
		}
	}
	if s := r.Work.Status; s.State == model.Repealed && s.By != "" {
		d.Events = append(d.Events, akn.Event{Date: string(s.Since), Type: "repeal", By: s.By})
	}
	if err := g.modifications(ctx, r, d); err != nil {
		return nil, err
	}
	if !attach {
		return d, nil
	}
	for _, id := range r.Attached {
		iri, err := akn.ParseIRI(id)
		if err != nil {
			continue
		}
		iri.Lang, iri.View = string(r.Expression.Lang), string(r.Day)
		sub, err := g.Read(ctx, iri, nil)
		if err != nil {
			continue // it is not held in this language, or not yet on that day
		}
		if a, err := g.document(ctx, sub, false); err == nil {
			d.Attached = append(d.Attached, *a)
		}
	}
	return d, nil
}

// modifications lists the changes of the text that were applied, and those that
// it makes itself, as the standard names them.
func (g *Gazette) modifications(ctx context.Context, r *Reading, d *markup.Doc) error {
	ops, err := g.store.operations(ctx, g.store.db.Reader(), `WHERE target = $1 OR text = $2 ORDER BY effective, text, n`, r.Work.ID, r.Expression.ID)
	if err != nil {
		return err
	}
	for _, o := range ops {
		kind, ok := modificationTypes[o.Action]
		if !ok || o.State != OpApplied || o.TargetWork == "" {
			continue
		}
		m := akn.Modification{Type: kind, Source: o.Work + "/~" + o.EID, Destination: o.TargetWork}
		if o.Article != "" {
			m.Destination += "/~art_" + o.Article
		}
		if o.TargetWork == r.Work.ID {
			if r.Day == "" || o.EffectiveFrom <= r.Day {
				d.Passive = append(d.Passive, m)
			}
		} else {
			d.Active = append(d.Active, m)
		}
	}
	return nil
}

// modificationTypes are the values of the schema's TextualMods.
var modificationTypes = map[model.Action]string{
	model.Substitute: "substitution", model.Insert: "insertion", model.Append: "insertion", model.Delete: "repeal",
	model.ReplaceText: "substitution", model.DeleteText: "repeal", model.InsertText: "insertion", model.Renumber: "renumbering",
}

// ELI is the European Legislation Identifier of an expression: a second address
// of the same text, in the form that the publisher chose.
func ELI(w *model.Work, e *model.Expression) string {
	iri, err := akn.ParseIRI(w.ID)
	if err != nil {
		return ""
	}
	form := "bo"
	if e.Form == model.ConsolidatedForm || e.Version != "" && w.Signed != "" && e.Until != "" {
		form = "consolide"
	}
	date := iri.Date
	if w.Signed != "" && !w.Suspect {
		date = string(w.Signed)
	}
	parts := []string{"/eli", iri.Country, iri.Subtype, date, iri.Number, form}
	if iri.Subtype == "" {
		parts = []string{"/eli", iri.Country, "act", date, iri.Number, form}
	}
	if e.Version != "" {
		parts = append(parts, string(e.Version))
	}
	return strings.Join(append(parts, twoLetters(e.Lang)), "/")
}

// twoLetters is the code of a language of the law in the addresses of ELI and of
// pages.
func twoLetters(l model.Lang) string {
	switch l {
	case "ara":
		return "ar"
	case "fra":
		return "fr"
	case "eng":
		return "en"
	}
	return string(l)
}

func (g *Gazette) portalName() string {
	name, _ := g.country.Portal.In("", g.country.Order())
	return name
}

func (g *Gazette) stateName() string {
	name, _ := g.country.Name.In("", g.country.Order())
	return name
}
