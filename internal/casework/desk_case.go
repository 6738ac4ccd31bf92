package casework

import (
	"context"
	"encoding/json"
	"net/http"

	"diwan/internal/casework/form"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// rowsOf lists cases that stand beside another.
func (d *Desk) rowsOf(r *http.Request, list func(context.Context, *Case) ([]*Case, error), c *Case) ([]caseRow, error) {
	found, err := list(r.Context(), c)
	if err != nil {
		return nil, err
	}
	var out []caseRow
	for _, x := range found {
		if d.May(r.Context(), d.Actor(r), MayRead, x) != nil {
			continue
		}
		row, err := d.row(r, x)
		if err != nil {
			return nil, err
		}
		out = append(out, row)
	}
	return out, nil
}

// readable says of the cases to which another is tied whether the officer may open
// them: an appeal may lie with another administration.
func (d *Desk) readable(r *http.Request, v *View) {
	links := v.Appeals
	for i := range links {
		links[i].Readable = d.May(r.Context(), d.Actor(r), MayRead, links[i].Case) == nil
	}
	if v.Contested != nil {
		v.Contested.Readable = d.May(r.Context(), d.Actor(r), MayRead, v.Contested.Case) == nil
	}
}

// answersOf shows what the person answered, with the form that asked. A case that
// came by program may have none.
func (d *Desk) answersOf(r *http.Request, v *View) (*form.Summary, error) {
	if v.Form == "" || len(v.Content.Answers) == 0 {
		return nil, nil
	}
	f, err := d.Form(r.Context(), v.Procedure, v.Form)
	if problem.Is(err, problem.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var doc struct {
		Answers json.RawMessage `json:"answers"`
	}
	if err := json.Unmarshal(v.Content.Answers, &doc); err != nil {
		return nil, err
	}
	a, err := form.Decode(doc.Answers)
	if err != nil {
		return nil, err
	}
	lang := web.LangOf(r)
	return f.Summary(a, form.Look{World: form.World{Country: d.Country, Places: d.Casework.Places, Today: d.today(), Lang: lang}, Words: d.Site.Words.Printer(string(lang)), Format: d.Site.Formats[lang]}), nil
}
