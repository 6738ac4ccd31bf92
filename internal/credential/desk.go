package credential

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// Desk are the pages on which officers sign, mend and revoke documents and edit their
// types. They stand behind a sign-in.
type Desk struct {
	*Credentials
	Site  *web.Site
	Actor func(*http.Request) gov.Actor
}

// Register mounts the pages below /office/.
func (d *Desk) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET /office/documents", d.list)
	mux.HandleFunc("GET /office/documents/{id}", d.document)
	mux.HandleFunc("GET /office/documents/{id}/picture/{claim}", d.picture)
	mux.HandleFunc("POST /office/documents/{id}", d.act)
	mux.HandleFunc("GET /office/types", d.types)
	mux.HandleFunc("GET /office/types/{id}", d.editType)
	mux.HandleFunc("POST /office/types/{id}", d.saveType)
}

func (d *Desk) page(w http.ResponseWriter, r *http.Request, status int, name, title, path string, data any) {
	d.Site.Show(w, r, status, web.Page{Template: "credential/" + name, Title: title, Path: path, Hidden: true, Data: data})
}

// to sends on to another page of this language, after something was done.
func to(w http.ResponseWriter, r *http.Request, path string) {
	http.Redirect(w, r, "/"+string(web.LangOf(r))+path, http.StatusSeeOther)
}

// deskStates are those that an officer looks for.
var deskStates = []string{Waiting, Faulty, Ready, Suspended, Revoked}

// perPage is how many documents a page lists.
const perPage = 50

type deskData struct {
	Who    gov.Actor
	Office gov.Text
	State  string
	States []string
	Rows   []row
	Next   string
}

func (d *Desk) list(w http.ResponseWriter, r *http.Request) {
	data := deskData{Who: d.Actor(r), States: deskStates}
	data.Office = d.OfficeName(data.Who.Administration)
	path := "/office/documents"
	if s := r.URL.Query().Get("state"); slices.Contains(deskStates, s) {
		data.State = s
		path += "?state=" + s
	}
	all, err := d.ofOffice(r, data.Who, data.State, r.URL.Query().Get("after"))
	if len(all) > perPage {
		all = all[:perPage]
		data.Next = all[perPage-1].ID
	}
	for _, x := range all {
		var one row
		if one, err = d.row(r, x); err != nil {
			break
		}
		data.Rows = append(data.Rows, one)
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	d.page(w, r, http.StatusOK, "office-documents", d.Site.Printer(r).T("credential.office"), path, data)
}

// ofOffice lists the documents of an officer's administration, those that want
// something first.
func (d *Desk) ofOffice(r *http.Request, who gov.Actor, state, after string) ([]*Document, error) {
	if err := d.May(r.Context(), who, MayRead, &Document{Administration: who.Administration}); err != nil {
		return nil, err
	}
	where, args := `($1 = '' OR administration = $1) AND ($2 = '' OR state = $2)`, []any{who.Administration, state, perPage + 1}
	if after != "" {
		where += ` AND (created_at, id) < (SELECT created_at, id FROM credential_document WHERE id = $4)`
		args = append(args, after)
	}
	return d.documents(r.Context(), where+` ORDER BY created_at DESC, id DESC LIMIT $3`, args...)
}

type officeDocument struct {
	documentData
	Missing []Claim
	Do      map[string]bool
	Saved   bool
	Copies  int
}

func (d *Desk) document(w http.ResponseWriter, r *http.Request) {
	d.showDocument(w, r, http.StatusOK, "")
}

func (d *Desk) showDocument(w http.ResponseWriter, r *http.Request, status int, wrong string) {
	ctx, who := r.Context(), d.Actor(r)
	x, err := d.Find(ctx, who, MayRead, r.PathValue("id"))
	data := officeDocument{documentData: documentData{Who: who, Error: wrong}, Saved: r.URL.Query().Get("saved") == "1", Do: map[string]bool{}}
	if err == nil {
		data.row, err = d.row(r, x)
	}
	var t *Type
	if err == nil {
		t, data.Says, err = d.said(r, x, deskPath+x.ID)
	}
	if err == nil {
		data.History, err = d.story(ctx, x)
	}
	if err == nil {
		err = d.DB.Reader().QueryRowContext(ctx, `SELECT COUNT(*) FROM credential_copy WHERE document = $1`, x.ID).Scan(&data.Copies)
	}
	var faults []Fault
	if err == nil && x.State == Faulty {
		faults, err = d.Faults(ctx, x)
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	for _, f := range faults {
		if k, ok := t.Claim(f.Claim); ok && k.Kind != Image && k.Kind != List {
			data.Missing = append(data.Missing, k)
		}
	}
	can := func(what, action string, states ...string) {
		data.Do[what] = slices.Contains(states, x.State) && d.May(ctx, who, action, x) == nil
	}
	can("sign", MaySign, Waiting)
	can("mend", MayMend, Faulty)
	can("suspend", MayRevoke, Ready)
	can("restore", MayRevoke, Suspended)
	can("revoke", MayRevoke, Ready, Suspended)
	title, _ := data.Name.In(web.LangOf(r), d.Country.Order())
	d.page(w, r, status, "office-document", title, "/office/documents/"+x.ID, data)
}

// act does what an officer ordered with a document.
func (d *Desk) act(w http.ResponseWriter, r *http.Request) {
	ctx, who, id := r.Context(), d.Actor(r), r.PathValue("id")
	if err := r.ParseForm(); err != nil {
		d.Site.Fail(w, r, problem.Wrap(err, problem.Invalid, "credential.change"))
		return
	}
	var err error
	switch r.PostFormValue("do") {
	case "sign":
		_, err = d.Sign(ctx, who, id)
	case "mend":
		_, err = d.Mend(ctx, who, id, d.given(r))
	case "revoke":
		_, err = d.Change(ctx, who, id, Revoked, r.PostFormValue("reason"))
	case "suspend":
		_, err = d.Change(ctx, who, id, Suspended, r.PostFormValue("reason"))
	case "restore":
		_, err = d.Change(ctx, who, id, Ready, r.PostFormValue("reason"))
	default:
		err = problem.New(problem.Invalid, "credential.change")
	}
	if problem.Is(err, problem.Invalid) || problem.Is(err, problem.Conflict) {
		d.showDocument(w, r, http.StatusUnprocessableEntity, d.Site.Sentence(web.LangOf(r), problem.From(err)))
		return
	}
	if err != nil {
		d.Site.Fail(w, r, err)
		return
	}
	to(w, r, "/office/documents/"+id+"?saved=1")
}

// given are the values that an officer supplied, by the kinds of their claims.
func (d *Desk) given(r *http.Request) Values {
	v := Values{}
	for name, texts := range r.PostForm {
		claim, ok := strings.CutPrefix(name, "claim.")
		if !ok || len(texts) == 0 || strings.TrimSpace(texts[0]) == "" {
			continue
		}
		switch r.PostFormValue("kind." + claim) {
		case YesNo:
			v[claim] = texts[0] == "yes"
		case Number:
			if n, err := strconv.ParseFloat(texts[0], 64); err == nil {
				v[claim] = n
				continue
			}
			v[claim] = texts[0]
		default:
			v[claim] = texts[0]
		}
	}
	return v
}
