package verifier

import (
	"context"
	"net/http"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// personRow is one of a verifier's people as officers see it.
type personRow struct {
	Person
	Name, By     gov.Text
	Since, Asked *moment
}

// inviteRow is an invitation that can still be used.
type inviteRow struct {
	Invitation
	By    gov.Text
	Until *moment
}

// shownInvite is what an officer hands over, shown once.
type shownInvite struct {
	Link, Code string
	Until      *moment
}

type inviteData struct {
	Who    gov.Actor
	V      *Registered
	Path   string
	Invite *shownInvite
	Error  string
}

func (d *Desk) inviting(w http.ResponseWriter, r *http.Request) error {
	return d.showInvite(w, r, http.StatusOK, nil, nil)
}

// invite shows the link and the code as the answer to the form itself: no address that
// could be opened again leads to them.
func (d *Desk) invite(w http.ResponseWriter, r *http.Request) error {
	i, err := d.Invite(r.Context(), d.Actor(r), r.PathValue("id"), r.PostFormValue("label"))
	switch {
	case problem.Is(err, problem.Invalid), problem.Is(err, problem.Conflict):
		return d.showInvite(w, r, http.StatusUnprocessableEntity, nil, err)
	case err != nil:
		return err
	}
	return d.showInvite(w, r, http.StatusOK, &shownInvite{d.Base + "/" + string(web.LangOf(r)) + joinPath + i.Secret, shownCode(i.Code), d.moment(i.Ends)}, nil)
}

func (d *Desk) showInvite(w http.ResponseWriter, r *http.Request, status int, i *shownInvite, wrong error) error {
	v, err := d.Registered(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	data := inviteData{Who: d.Actor(r), V: v, Path: DeskPath + "/" + v.ID + "/invite", Invite: i}
	if wrong != nil {
		data.Error = d.Site.Sentence(web.LangOf(r), problem.From(wrong))
	}
	d.page(w, r, status, "office-verifier-invite", d.Site.Printer(r).T("verify.people.invite"), data.Path, data)
	return nil
}

// people lists who asks as a verifier, and who is invited to.
func (d *Desk) people(ctx context.Context, id string) (people []personRow, invites []inviteRow, err error) {
	all, err := d.People(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range all {
		people = append(people, personRow{p, d.Named(ctx, p.Account), d.Named(ctx, p.InvitedBy), d.moment(p.Since), d.moment(p.Asked)})
	}
	open, err := d.Invitations(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	for _, i := range open {
		invites = append(invites, inviteRow{i, d.Named(ctx, i.MadeBy), d.moment(i.Ends)})
	}
	return people, invites, nil
}
