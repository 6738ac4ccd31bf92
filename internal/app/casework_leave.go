package app

import (
	"net/http"
	"slices"

	"diwan/internal/credential"
	"diwan/internal/gov"
	"diwan/internal/identity"
	"diwan/internal/identity/policy"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// mayData asks the policy about taking out or erasing all that is held about a person.
func (a *App) mayData(r *http.Request, action string) error {
	who := policy.Actor{Actor: identity.Actor(r), For: identity.Acting(r).ID}
	ok, why := policy.May(who, policy.Action(action), policy.Resource{Kind: policy.Person, ID: who.ID, Account: who.ID})
	if !ok {
		return problem.New(problem.Forbidden, "forbidden", "rule", why)
	}
	return nil
}

// closeAccount forgets an account of which nothing has to be kept. A document that is
// valid keeps it open: closing would leave it without its holder.
func (a *App) closeAccount(w http.ResponseWriter, r *http.Request) error {
	who := identity.Actor(r)
	held, err := a.Credentials.Held(r.Context(), who.ID)
	if err != nil {
		return err
	}
	today := gov.DateOf(a.clock.Now(), a.Country.Zone())
	if slices.ContainsFunc(held, func(d *credential.Document) bool { return d.Valid(today) }) {
		return problem.New(problem.Conflict, "privacy.documents")
	}
	// First what other parts hold of the account: where that fails, it is open still and can
	// be closed again.
	if err := a.Verifier.ForgetPerson(r.Context(), who, who.ID); err != nil {
		return err
	}
	if err := a.Accounts.Forget(r.Context(), who, who.ID, "asked by the person"); err != nil {
		return err
	}
	http.Redirect(w, r, "/"+string(web.LangOf(r))+"/", http.StatusSeeOther)
	return nil
}
