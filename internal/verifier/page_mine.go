package verifier

import (
	"context"
	"net/http"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// MinePath is where people see the verifiers as which they may ask.
const MinePath = "/me/verifiers"

// joinPath begins the address of an invitation.
const joinPath = MinePath + "/join/"

// Mine are the pages on which somebody becomes one of the people of a verifier, and ends
// being it. They stand behind a person's sign-in.
type Mine struct {
	*Verifier
	Site  *web.Site
	Actor func(*http.Request) gov.Actor
	// May is the policy on joining and leaving a verifier; its error is shown.
	May func(ctx context.Context, who gov.Actor, verifier string) error
}

// Register adds the pages below /me/.
func (m *Mine) Register(mux *http.ServeMux) {
	for pattern, do := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET " + MinePath:               m.list,
		"POST " + MinePath:              m.leave,
		"GET " + joinPath + "{secret}":  m.invited,
		"POST " + joinPath + "{secret}": m.join,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := do(w, r); err != nil {
				m.Site.Fail(w, r, err)
			}
		})
	}
}

type worksRow struct {
	*Registered
	Since *moment
}

type mineData struct {
	Who         gov.Actor
	Works       []worksRow
	Came, Saved bool
}

func (m *Mine) list(w http.ResponseWriter, r *http.Request) error {
	who := m.Actor(r)
	all, err := m.WorksFor(r.Context(), who.ID)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	d := mineData{Who: who, Came: q.Get("came") == "1", Saved: q.Get("saved") == "1"}
	for _, x := range all {
		d.Works = append(d.Works, worksRow{x.Registered, momentIn(m.Country, x.Since)})
	}
	m.Site.Show(w, r, http.StatusOK, web.Page{Template: "verifier/mine", Title: m.Site.Printer(r).T("verify.mine"), Path: MinePath, Hidden: true, Data: d})
	return nil
}

// leave ends that the person asks as a verifier.
func (m *Mine) leave(w http.ResponseWriter, r *http.Request) error {
	who, id := m.Actor(r), r.PostFormValue("verifier")
	if err := m.May(r.Context(), who, id); err != nil {
		return err
	}
	if err := m.Remove(r.Context(), who, id, who.ID); err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(web.LangOf(r))+MinePath+"?saved=1", http.StatusSeeOther)
	return nil
}

type joinData struct {
	Who   gov.Actor
	V     *Registered
	Path  string
	Error string
}

func (m *Mine) invited(w http.ResponseWriter, r *http.Request) error {
	v, err := m.Invitation(r.Context(), r.PathValue("secret"))
	if err != nil {
		return err
	}
	return m.showJoin(w, r, http.StatusOK, v, nil)
}

func (m *Mine) showJoin(w http.ResponseWriter, r *http.Request, status int, v *Registered, wrong error) error {
	d := joinData{Who: m.Actor(r), V: v, Path: joinPath + r.PathValue("secret")}
	if wrong != nil {
		d.Error = m.Site.Sentence(web.LangOf(r), problem.From(wrong))
	}
	m.Site.Show(w, r, status, web.Page{Template: "verifier/join", Title: m.Site.Printer(r).T("verify.join"), Path: d.Path, Hidden: true, Data: d})
	return nil
}

// join takes the code. After the last wrong one the invitation is gone, and so is its page.
func (m *Mine) join(w http.ResponseWriter, r *http.Request) error {
	ctx, who, secret := r.Context(), m.Actor(r), r.PathValue("secret")
	v, err := m.Invitation(ctx, secret)
	if err == nil {
		err = m.May(ctx, who, v.ID)
	}
	if err != nil {
		return err
	}
	_, err = m.Join(ctx, who, secret, r.PostFormValue("code"))
	switch {
	case problem.Is(err, problem.Invalid), problem.Is(err, problem.Conflict):
		return m.showJoin(w, r, http.StatusUnprocessableEntity, v, err)
	case err != nil:
		return err
	}
	http.Redirect(w, r, "/"+string(web.LangOf(r))+MinePath+"?came=1", http.StatusSeeOther)
	return nil
}
