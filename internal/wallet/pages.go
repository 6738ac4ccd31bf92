package wallet

import (
	"net/http"
	"net/url"

	"diwan/internal/gov"
	"diwan/internal/web"
)

// devicesPage lists the devices of a person, in their space.
const devicesPage = "/me/wallets"

// RegisterPages mounts the pages about devices on the mux of a person's space, whose
// visitors are signed in.
func (a *App) RegisterPages(mux *http.ServeMux) {
	mux.HandleFunc("GET "+devicesPage, a.list)
	mux.HandleFunc("GET "+devicesPage+"/open", a.open)
	mux.HandleFunc("POST "+devicesPage+"/{device}/revoke", a.revoke)
}

type deviceView struct {
	Device
	Day  gov.Date
	Time string
}

type listData struct {
	Live, Revoked []deviceView
	Done          bool
}

func (a *App) list(w http.ResponseWriter, r *http.Request) {
	all, err := a.Devices.List(r.Context(), a.Site.Who(r))
	if err != nil {
		a.Site.Fail(w, r, err)
		return
	}
	d := listData{Done: r.URL.Query().Get("revoked") == "1"}
	zone := a.Site.Country.Zone()
	for _, x := range all {
		v := deviceView{x, gov.DateOf(x.Since, zone), x.Since.In(zone).Format("15:04")}
		if x.Revoked {
			d.Revoked = append(d.Revoked, v)
		} else {
			d.Live = append(d.Live, v)
		}
	}
	a.Site.Show(w, r, http.StatusOK, web.Page{Template: "wallet/devices", Title: a.Site.Printer(r).T("wallet.devices"), Path: devicesPage, Hidden: true, Data: d})
}

// open brings who signed in on the way back to the application.
func (a *App) open(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, Root+"#/device", http.StatusSeeOther)
}

func (a *App) revoke(w http.ResponseWriter, r *http.Request) {
	if err := a.Devices.Revoke(r.Context(), a.Site.Who(r), r.PathValue("device")); err != nil {
		a.Site.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/"+string(web.LangOf(r))+devicesPage+"?"+url.Values{"revoked": {"1"}}.Encode(), http.StatusSeeOther)
}
