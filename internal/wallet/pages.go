package wallet

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// devicesPage lists the devices of a person, in their space.
const devicesPage = "/me/wallets"

// RegisterPages mounts the pages about devices on the mux of a person's space, whose
// visitors are signed in.
func (a *App) RegisterPages(mux *http.ServeMux) {
	mux.HandleFunc("GET "+devicesPage, a.list)
	mux.HandleFunc("GET "+devicesPage+"/open", a.open)
	mux.HandleFunc("POST "+devicesPage, a.add)
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
	Added         string // the name of a device that was just registered, for the wallet to be told
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
	if id := r.URL.Query().Get("added"); slices.ContainsFunc(d.Live, func(v deviceView) bool { return v.ID == id }) {
		d.Added = id
	}
	a.Site.Show(w, r, http.StatusOK, web.Page{Template: "wallet/devices", Title: a.Site.Printer(r).T("wallet.devices"), Path: devicesPage, Hidden: true, Data: d})
}

var thumbprintForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// add registers a wallet that has no browser, by the name of its key: what proves the
// key is the wallet itself, each time it is vouched for.
func (a *App) add(w http.ResponseWriter, r *http.Request) {
	name, key := strings.TrimSpace(r.PostFormValue("name")), strings.TrimSpace(r.PostFormValue("key"))
	err := error(problem.New(problem.Invalid, "wallet.key"))
	var id string
	if thumbprintForm.MatchString(key) {
		id, err = a.Devices.Register(r.Context(), a.Site.Who(r), name, key)
	}
	if err != nil {
		a.Site.Fail(w, r, err)
		return
	}
	http.Redirect(w, r, "/"+string(web.LangOf(r))+devicesPage+"?"+url.Values{"added": {id}}.Encode(), http.StatusSeeOther)
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
