package verifier

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"diwan/internal/audit"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
	"diwan/protocol/claimpath"
)

// Kind is a type of document that a verifier may be allowed to ask for, in one format.
type Kind struct {
	Name   gov.Text
	Format string
	Type   string
	Claims []KindClaim
}

// KindClaim is something that such a document says.
type KindClaim struct {
	Path  claimpath.Path
	Label gov.Text
}

// Desk are the pages on which officers register who may ask for documents, give and take
// back the tokens of their programs, and see who asked for which purpose. They stand
// behind a sign-in.
type Desk struct {
	*Verifier
	Site  *web.Site
	Actor func(*http.Request) gov.Actor
	// May is the policy on the registry; its error is shown.
	May func(ctx context.Context, who gov.Actor, verifier string) error
	// Kinds lists what can be asked for.
	Kinds func(ctx context.Context) ([]Kind, error)
	// Named calls an account.
	Named func(ctx context.Context, id string) gov.Text
}

// DeskPath is the address of the list.
const DeskPath = "/office/verifiers"

// Register adds the pages below /office/.
func (d *Desk) Register(mux *http.ServeMux) {
	for pattern, do := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET " + DeskPath:                                 d.list,
		"GET " + DeskPath + "/new":                        d.fresh,
		"POST " + DeskPath + "/new":                       d.create,
		"GET " + DeskPath + "/{id}":                       d.one,
		"POST " + DeskPath + "/{id}":                      d.act,
		"GET " + DeskPath + "/{id}/edit":                  d.edit,
		"POST " + DeskPath + "/{id}/edit":                 d.save,
		"GET " + DeskPath + "/{id}/tokens":                d.back,
		"GET " + DeskPath + "/{id}/invite":                d.inviting,
		"GET " + DeskPath + "/{id}/templates/new":         d.freshTemplate,
		"POST " + DeskPath + "/{id}/templates/new":        d.writeTemplate,
		"GET " + DeskPath + "/{id}/templates/{template}":  d.editTemplate,
		"POST " + DeskPath + "/{id}/templates/{template}": d.writeTemplate,
		"POST " + DeskPath + "/{id}/invite":               d.invite,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			err := d.May(r.Context(), d.Actor(r), r.PathValue("id"))
			if err == nil {
				err = do(w, r)
			}
			if err != nil {
				d.Site.Fail(w, r, err)
			}
		})
	}
}

func (d *Desk) page(w http.ResponseWriter, r *http.Request, status int, name, title, path string, data any) {
	d.Site.Show(w, r, status, web.Page{Template: "verifier/" + name, Title: title, Path: path, Hidden: true, Data: data})
}

func (d *Desk) to(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, "/"+string(web.LangOf(r))+path, http.StatusSeeOther)
	return nil
}

// moment is a point of time as pages show it.
type moment struct {
	Day gov.Date
	At  string
}

func (d *Desk) moment(t time.Time) *moment { return momentIn(d.Country, t) }

// momentIn returns a point of time as people of a country read it, nil for none.
func momentIn(c *gov.Country, t time.Time) *moment {
	if t.IsZero() {
		return nil
	}
	return &moment{gov.DateOf(t, c.Zone()), t.In(c.Zone()).Format("15:04")}
}

type listData struct {
	Who  gov.Actor
	Rows []*Registered
	// The list of issuers with which documents are checked: when it was made, when it
	// ends, when it was last had, and when that last failed.
	Made, Ends, Had, Failed *moment
	Fresh, Failing          bool
	Why                     string
}

func (d *Desk) list(w http.ResponseWriter, r *http.Request) error {
	rows, err := d.Registry(r.Context())
	if err != nil {
		return err
	}
	f := d.Kit.Freshness()
	data := listData{Who: d.Actor(r), Rows: rows, Made: d.moment(f.Made), Ends: d.moment(f.Ends), Had: d.moment(f.Had), Failed: d.moment(f.FailedAt), Fresh: f.Fresh(d.Clock.Now()), Failing: f.Failing()}
	if f.Failure != nil {
		data.Why = f.Failure.Error()
	}
	d.page(w, r, http.StatusOK, "office-verifiers", d.Site.Printer(r).T("verify.office"), DeskPath, data)
	return nil
}

type tokenRow struct {
	Token
	By         gov.Text
	From, Till *moment
	Good       bool
}

type trailRow struct {
	audit.Entry
	Word, State string
	By, About   gov.Text
	When        *moment
}

type oneData struct {
	Who    gov.Actor
	V      *Registered
	May    []mayRow
	Asks   []questionRow
	Tokens []tokenRow
	People []personRow
	Open   []inviteRow
	Trail  []trailRow
	// Secret is a token's, shown this once.
	Secret string
	Error  string
	Saved  bool
	Own    bool // an officer registered it, and may change it
}

// mayRow is a type that a verifier may ask for, in words.
type mayRow struct {
	Name   gov.Text
	Type   string
	Format string
	Claims []claimRow
}

type claimRow struct {
	Label gov.Text
	Path  string
}

// trailLength is how many entries of the trail a page shows.
const trailLength = 50

func (d *Desk) one(w http.ResponseWriter, r *http.Request) error {
	return d.showOne(w, r, http.StatusOK, "", nil)
}

func (d *Desk) showOne(w http.ResponseWriter, r *http.Request, status int, secret string, wrong error) error {
	ctx := r.Context()
	v, err := d.Registered(ctx, r.PathValue("id"))
	if err != nil {
		return err
	}
	data := oneData{Who: d.Actor(r), V: v, Secret: secret, Saved: r.URL.Query().Get("saved") == "1", Own: v.MadeBy != ""}
	if wrong != nil {
		data.Error = d.Site.Sentence(web.LangOf(r), problem.From(wrong))
	}
	kinds, err := d.Kinds(ctx)
	if err != nil {
		return err
	}
	for _, a := range v.May {
		data.May = append(data.May, inWords(a, kinds))
	}
	data.Asks = d.questions(r, v.Party, kinds)
	tokens, err := d.Tokens(ctx, v.ID)
	if err != nil {
		return err
	}
	at := d.Clock.Now()
	for _, t := range tokens {
		data.Tokens = append(data.Tokens, tokenRow{t, d.Named(ctx, t.MadeBy), d.moment(t.Made), d.moment(t.Ends), !t.Revoked && at.Before(t.Ends)})
	}
	if data.People, data.Open, err = d.people(ctx, v.ID); err != nil {
		return err
	}
	trail, err := d.Verifier.Trail(ctx, v.ID, trailLength)
	if err != nil {
		return err
	}
	say := d.Site.Printer(r)
	for _, e := range trail {
		row := trailRow{Entry: e, Word: say.T(didWords[e.Action]), When: d.moment(time.UnixMicro(e.At))}
		if word := resultWords[e.Detail["state"]]; word != "" {
			row.State = say.T(word)
		}
		if e.Actor != "" {
			row.By = d.Named(ctx, e.Actor)
		}
		if e.Action == didRemove && e.Subject != e.Actor {
			row.About = d.Named(ctx, e.Subject)
		}
		data.Trail = append(data.Trail, row)
	}
	title, _ := v.Name.In(web.LangOf(r), d.Country.Order())
	if secret != "" {
		w.Header().Set("Cache-Control", "no-store")
	}
	d.page(w, r, status, "office-verifier", title, DeskPath+"/"+v.ID, data)
	return nil
}

var didWords = map[string]string{didRegister: "verify.did.verifier.register", didStop: "verify.did.verifier.stop", didResume: "verify.did.verifier.resume",
	didToken: "verify.did.verifier.token.make", didRotate: "verify.did.verifier.token.rotate", didRevoke: "verify.did.verifier.token.revoke",
	didInvite: "verify.did.verifier.person.invite", didUninvite: "verify.did.verifier.person.uninvite", didJoin: "verify.did.verifier.person.join", didRemove: "verify.did.verifier.person.remove",
	didWrite: "verify.did.verifier.template.write", didDrop: "verify.did.verifier.template.drop",
	didAsk: "verify.did.verification.ask", didEnd: "verify.did.verification.end"}

var resultWords = map[string]string{Accepted: "verify.ended.accepted", Refused: "verify.ended.refused"}

func inWords(a Allowed, kinds []Kind) mayRow {
	row := mayRow{Name: a.Name, Type: a.Type, Format: a.Format}
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Format == a.Format && k.Type == a.Type })
	if i >= 0 {
		row.Name = kinds[i].Name
	}
	for _, p := range a.Claims {
		c := claimRow{Path: p.String()}
		if i >= 0 {
			for _, k := range kinds[i].Claims {
				if k.Path.String() == c.Path {
					c.Label = k.Label
				}
			}
		}
		row.Claims = append(row.Claims, c)
	}
	return row
}

// act does what an officer says of a verifier.
func (d *Desk) act(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return problem.Wrap(err, problem.Invalid, "form.malformed")
	}
	ctx, by, id, token := r.Context(), d.Actor(r), r.PathValue("id"), r.PostForm.Get("token")
	var secret string
	var err error
	switch do := r.PostForm.Get("do"); do {
	case "token":
		_, secret, err = d.MakeToken(ctx, by, id, r.PostForm.Get("name"))
	case "rotate":
		_, secret, err = d.RotateToken(ctx, by, id, token)
	case "revoke":
		err = d.RevokeToken(ctx, by, id, token)
	case "uninvite":
		err = d.Uninvite(ctx, by, id, r.PostForm.Get("invitation"))
	case "remove":
		err = d.Remove(ctx, by, id, r.PostForm.Get("account"))
	case "stop", "resume":
		err = d.Stop(ctx, by, id, do == "stop")
	default:
		err = problem.New(problem.Invalid, "form.malformed")
	}
	switch {
	case problem.Is(err, problem.Invalid), problem.Is(err, problem.Conflict):
		return d.showOne(w, r, http.StatusUnprocessableEntity, "", err)
	case err != nil:
		return err
	case secret != "": // shown once, and not behind an address that could be opened again
		return d.showOne(w, r, http.StatusOK, secret, nil)
	}
	return d.to(w, r, DeskPath+"/"+id+"?saved=1")
}

// back leads who loads the page of a shown token again to the verifier.
func (d *Desk) back(w http.ResponseWriter, r *http.Request) error {
	return d.to(w, r, DeskPath+"/"+r.PathValue("id"))
}

type editData struct {
	Who     gov.Actor
	V       *Party
	New     bool
	Langs   []gov.Language
	Kinds   []kindRow
	Returns string
	Error   string
	Path    string
}

type kindRow struct {
	Kind
	Key    string
	On     bool
	Claims []claimChoice
}

type claimChoice struct {
	KindClaim
	Key string
	On  bool
}

func (d *Desk) fresh(w http.ResponseWriter, r *http.Request) error {
	return d.showEdit(w, r, http.StatusOK, &Party{}, true, nil)
}

func (d *Desk) edit(w http.ResponseWriter, r *http.Request) error {
	v, err := d.own(r)
	if err != nil {
		return err
	}
	return d.showEdit(w, r, http.StatusOK, v, false, nil)
}

// own is a verifier that officers registered.
func (d *Desk) own(r *http.Request) (*Party, error) {
	v, err := d.ownRegistered(r)
	if err != nil {
		return nil, err
	}
	return v.Party, nil
}

func (d *Desk) showEdit(w http.ResponseWriter, r *http.Request, status int, v *Party, isNew bool, wrong error) error {
	kinds, err := d.Kinds(r.Context())
	if err != nil {
		return err
	}
	data := editData{Who: d.Actor(r), V: v, New: isNew, Langs: d.Country.Languages, Returns: strings.Join(v.Returns, "\n"), Path: DeskPath + "/new"}
	title := d.Site.Printer(r).T("verify.office.new")
	if !isNew {
		title, _ = v.Name.In(web.LangOf(r), d.Country.Order())
		data.Path = DeskPath + "/" + v.ID + "/edit"
	}
	if wrong != nil {
		data.Error = d.Site.Sentence(web.LangOf(r), d.named(r, wrong, kinds))
	}
	for _, k := range kinds {
		may := v.allowed(k.Format, k.Type)
		row := kindRow{Kind: k, Key: k.Format + " " + k.Type, On: may != nil}
		for _, c := range k.Claims {
			row.Claims = append(row.Claims, claimChoice{c, row.Key + " " + c.Path.String(), may != nil && slices.ContainsFunc(may.Claims, func(p claimpath.Path) bool { return p.String() == c.Path.String() })})
		}
		data.Kinds = append(data.Kinds, row)
	}
	d.page(w, r, status, "office-verifier-edit", title, data.Path, data)
	return nil
}

func (d *Desk) create(w http.ResponseWriter, r *http.Request) error { return d.keep(w, r, true) }

func (d *Desk) save(w http.ResponseWriter, r *http.Request) error { return d.keep(w, r, false) }

// keep registers what an officer wrote. Claims are chosen from those that the types have:
// nothing else can be allowed.
func (d *Desk) keep(w http.ResponseWriter, r *http.Request, isNew bool) error {
	if err := r.ParseForm(); err != nil {
		return problem.Wrap(err, problem.Invalid, "form.malformed")
	}
	p := Party{ID: strings.TrimSpace(r.PostForm.Get("id")), Name: d.words(r, "name"), Purpose: d.words(r, "purpose"), Returns: strings.Fields(r.PostForm.Get("returns"))}
	if !isNew {
		old, err := d.own(r)
		if err != nil {
			return err
		}
		p.ID = old.ID
	}
	kinds, err := d.Kinds(r.Context())
	if err != nil {
		return err
	}
	chosen := r.PostForm["may"]
	for _, k := range kinds {
		a := Allowed{Format: k.Format, Type: k.Type, Name: k.Name}
		for _, c := range k.Claims {
			if slices.Contains(chosen, k.Format+" "+k.Type+" "+c.Path.String()) {
				a.Claims = append(a.Claims, c.Path)
			}
		}
		if len(a.Claims) > 0 {
			p.May = append(p.May, a)
		}
	}
	err = d.Verifier.Register(r.Context(), d.Actor(r), p, isNew)
	if problem.Is(err, problem.Invalid) || problem.Is(err, problem.Conflict) || problem.Is(err, problem.Forbidden) {
		return d.showEdit(w, r, http.StatusUnprocessableEntity, &p, isNew, err)
	}
	if err != nil {
		return err
	}
	return d.to(w, r, DeskPath+"/"+p.ID+"?saved=1")
}

func (d *Desk) words(r *http.Request, name string) gov.Text {
	t := gov.Text{}
	for _, l := range d.Country.Languages {
		if s := strings.Join(strings.Fields(r.PostFormValue(name+"."+string(l.Code))), " "); s != "" {
			t[l.Code] = s
		}
	}
	return t
}
