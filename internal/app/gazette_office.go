package app

import (
	"net/http"

	"diwan/internal/casework"
	"diwan/internal/exchange"
	"diwan/internal/gazette"
	"diwan/internal/gov"
	"diwan/internal/identity"
	"diwan/internal/web"
)

// desks are those beside the catalogue's that somebody may work at, for the bar
// of the office.
func (a *App) desks(actor gov.Actor) []web.NavItem {
	var out []web.NavItem
	if a.Gazette != nil && a.Gazette.MayEdit(actor) {
		out = append(out, web.NavItem{ID: "gazette", Path: "/office/gazette", Key: "law.office.title"})
	}
	if a.Exchange != nil && exchange.MayKeep(actor) {
		out = append(out, web.NavItem{ID: "exchange", Path: "/office/exchange", Key: "exchange.office.title"})
	}
	if a.Casework != nil && buildsForms(actor) {
		out = append(out, web.NavItem{ID: "forms", Path: "/office/forms", Key: "build.forms"})
	}
	if a.Casework != nil && casework.MayWork(actor) {
		out = append(out, web.NavItem{ID: "cases", Path: "/office/cases", Key: "casework.inbox"})
	}
	return out
}

// registerGazetteOffice mounts the desk of those who keep the gazette.
func (a *App) registerGazetteOffice(mux *http.ServeMux) {
	if a.Gazette == nil {
		return
	}
	desk := &gazette.Office{Law: gazette.Law{Gazette: a.Gazette, Site: a.Site}, Actor: identity.Actor, NameOf: a.nameOf, Queue: a.Queue}
	desk.Register(mux)
}
