package apptest

import (
	"net/http"
	"net/url"
	"slices"
	"testing"

	"diwan/internal/app"
	"diwan/internal/catalogue"
	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
)

type entry = catalogue.Entry

// Page is one page to check. Path begins after the language.
type Page struct {
	Kind   string   `json:"kind"`
	Lang   gov.Lang `json:"lang"`
	Dir    string   `json:"dir"`
	Path   string   `json:"path"`
	As     string   `json:"as,omitempty"` // the sample account that sees it, "" the public
	Status int      `json:"status"`
	// Form is filled in and sent from the page; what comes back is the page to
	// check.
	Form map[string]string `json:"form,omitempty"`
	// Click is a selector of what is pressed on the page; what comes then is the page to
	// check. It is for browsers alone: what comes has an address of its own.
	Click string `json:"click,omitempty"`
	// Body is the page itself, where no browser of its own could get it: what comes only as
	// the answer to a wallet.
	Body string `json:"body,omitempty"`

	answer func(testing.TB, gov.Lang) string // makes Body; such pages are in the first two languages
}

// Pages returns one page of every kind in every language. It saves a draft
// first, for the pages of the office.
func Pages(t testing.TB, a *app.App) []Page {
	t.Helper()
	draft := Draft(t, a)
	desk := lawDesk(t, a)
	shared := exchangeDesk(t, a, desk)
	cases := CaseDesk(t, a)
	officers := slices.Concat(deskPages(t, a, cases), afterPages(t, a, cases), paymentPages(t, a, cases), documentPages(t, a, cases), verifierPages(t, a), verdictPages(t, a, cases))
	if err := a.UpdateLawSearch(t.Context()); err != nil {
		t.Fatal(err)
	}
	var out []Page
	for _, l := range a.Country.Languages {
		for _, p := range slices.Concat(public(a, l.Code), office(draft), law(desk), exchangePages(shared), identityPages(), casePages(cases), officers) {
			if p.Lang, p.Dir = l.Code, l.Dir; p.answer != nil {
				if !slices.Contains(told(a), l.Code) {
					continue
				}
				p.Body = p.answer(t, l.Code)
			}
			if p.Status == 0 {
				p.Status = http.StatusOK
			}
			out = append(out, p)
		}
	}
	return out
}

func public(a *app.App, l gov.Lang) []Page {
	s := a.Catalogue.Snapshot()
	full := described(a, 0)
	name, _ := full.Name.In(l, a.Country.Order())
	ps := []Page{
		{Kind: "home", Path: "/"},
		{Kind: "search", Path: "/search?" + url.Values{"q": {name}}.Encode()},
		{Kind: "search of nothing", Path: "/search?q=zzqxwv"},
		{Kind: "procedure", Path: "/procedures/" + full.ID},
		{Kind: "thanks", Path: "/procedures/" + full.ID + "/thanks"},
		{Kind: "themes", Path: "/themes"},
		{Kind: "theme", Path: "/themes/" + full.Themes[0]},
		{Kind: "administrations", Path: "/administrations"},
		{Kind: "administration", Path: "/administrations/" + full.Competent},
		{Kind: "map", Path: "/map"},
		{Kind: "region", Path: "/regions/" + a.Country.Regions[0].ID},
		{Kind: "accessibility", Path: "/accessibility"},
		{Kind: "privacy", Path: "/privacy"},
		{Kind: "help", Path: "/help"},
		{Kind: "open data", Path: "/open-data"},
		{Kind: "no page", Path: "/nowhere", Status: http.StatusNotFound},
		{Kind: "no procedure", Path: "/procedures/nowhere", Status: http.StatusNotFound},
		{Kind: "sign-in", Path: "/office/sign-in"},
	}
	if i := slices.IndexFunc(s.Procedures, (*entry).OnlyListed); i >= 0 {
		ps = append(ps, Page{Kind: "listed procedure", Path: "/procedures/" + s.Procedures[i].ID})
	}
	for _, ev := range s.LifeEvents {
		if len(ev.Questions) == 0 {
			continue
		}
		path := "/life-events/" + ev.ID + "/path"
		return append(ps,
			Page{Kind: "life event", Path: "/life-events/" + ev.ID},
			Page{Kind: "path question", Path: path},
			Page{Kind: "path without an answer", Path: path + "?asked=" + ev.Questions[0].ID},
			Page{Kind: "path result", Path: path + "?" + answers(ev).Encode()})
	}
	return ps
}

// answers takes the first answer of each question to the end of the path.
func answers(ev *model.LifeEvent) url.Values {
	given := url.Values{}
	next := ev.Questions[0].ID
	for range ev.Questions {
		i := slices.IndexFunc(ev.Questions, func(q model.Question) bool { return q.ID == next })
		if i < 0 {
			break
		}
		given.Set(next, ev.Questions[i].Answers[0].ID)
		next = ev.Questions[i].Answers[0].Next
	}
	return given
}

func office(draft string) []Page {
	at := "/office/procedures/" + draft
	return []Page{
		{Kind: "desk", Path: "/office/", As: Editor},
		{Kind: "desk of all that is published", Path: "/office/?state=published", As: Steward},
		{Kind: "empty desk", Path: "/office/?state=withdrawn", As: Editor},
		{Kind: "overview", Path: at, As: Editor},
		{Kind: "edit", Path: at + "/edit", As: Editor},
		{Kind: "new procedure", Path: "/office/procedures/new", As: Editor},
		{Kind: "edit with errors", Path: "/office/procedures/new", As: Editor, Status: http.StatusUnprocessableEntity, Form: map[string]string{"id": "NOT AN ID"}},
		{Kind: "compare", Path: at + "/compare?a=1&b=2", As: Editor},
		{Kind: "version", Path: at + "/versions/1", As: Editor},
		{Kind: "history", Path: "/office/history", As: Commission},
		{Kind: "forbidden", Path: "/office/history", As: Editor, Status: http.StatusForbidden},
		{Kind: "bulk", Path: "/office/bulk", As: Steward},
	}
}
