package verifier

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"diwan/internal/audit"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/protocol/openid4/vp"
)

var officer = gov.Actor{ID: "steward", Roles: []gov.Role{gov.RoleSteward}}

func clerk(id string) gov.Actor { return gov.Actor{ID: id, Roles: []gov.Role{gov.RolePerson}} }

// joined makes somebody one of the people of a verifier.
func (w *world) joined(verifier string, who gov.Actor) {
	w.Helper()
	i, err := w.Invite(w.Context(), officer, verifier, "Clerk "+who.ID)
	if err != nil {
		w.Fatal(err)
	}
	if _, err := w.Join(w.Context(), who, i.Secret, shownCode(i.Code)); err != nil {
		w.Fatal(err)
	}
}

// registered adds two verifiers that officers made, and ends what is for demonstration.
func (w *world) registered() {
	w.Helper()
	w.Demo = false
	for _, id := range []string{"notary", "bank"} {
		p := described(w, id)
		p.May = append(p.May, w.parties0("bank-demo").May...)
		if err := w.Verifier.Register(w.Context(), officer, p, true); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *world) parties0(id string) *Party {
	w.Helper()
	p, err := w.Party(w.Context(), id)
	if err != nil {
		w.Fatal(err)
	}
	return p
}

func code(err error) string {
	if err == nil {
		return ""
	}
	return problem.From(err).Code
}

func TestInvitations(t *testing.T) {
	each(t, func(w *world) {
		w.registered()
		ctx := w.Context()
		for name, c := range map[string]struct {
			verifier, label, code string
		}{
			"nobody":       {"notary", "  ", "verification.person_label"},
			"long":         {"notary", strings.Repeat("x", 201), "verification.person_label"},
			"no verifier":  {"nowhere", "Clerk", "verification.stopped"},
			"of an office": {"case:x", "Clerk", "verification.stopped"},
		} {
			if _, err := w.Invite(ctx, officer, c.verifier, c.label); code(err) != c.code {
				w.Errorf("%s: %v", name, err)
			}
		}
		i, err := w.Invite(ctx, officer, "notary", "The first clerk")
		if err != nil {
			w.Fatal(err)
		}
		var kept string
		if err := w.DB.Reader().QueryRow(`SELECT link_hash || code_mac FROM verifier_invitation`).Scan(&kept); err != nil || strings.Contains(kept, i.Secret) || strings.Contains(kept, i.Code) {
			w.Errorf("what is kept is a secret: %s %v", kept, err)
		}
		other, err := w.Invite(ctx, officer, "bank", "Somebody else")
		if err != nil {
			w.Fatal(err)
		}
		for name, c := range map[string]struct {
			who          gov.Actor
			secret, code string
			want         string
		}{
			"nobody signed in":       {gov.Actor{}, i.Secret, i.Code, "unauthenticated"},
			"a guessed link":         {clerk("a"), newSecret(), i.Code, "verification.invite_none"},
			"no link":                {clerk("a"), "' OR ''='", i.Code, "verification.invite_none"},
			"a guessed code":         {clerk("a"), i.Secret, "0000-0000-0000", "verification.invite_code"},
			"the code of another":    {clerk("a"), i.Secret, other.Code, "verification.invite_code"},
			"who invited themselves": {officer, i.Secret, i.Code, "verification.invite_own"},
		} {
			if _, err := w.Join(ctx, c.who, c.secret, c.code); code(err) != c.want {
				w.Errorf("%s: %v", name, err)
			}
		}
		if v, err := w.Join(ctx, clerk("a"), i.Secret, " "+strings.ToLower(shownCode(i.Code))+" "); err != nil || v.ID != "notary" {
			w.Fatal(v, err)
		}
		if _, err := w.Join(ctx, clerk("b"), i.Secret, i.Code); code(err) != "verification.invite_none" {
			w.Errorf("an invitation was used twice: %v", err)
		}
		if works, err := w.WorksFor(ctx, "a"); err != nil || len(works) != 1 || works[0].ID != "notary" {
			w.Errorf("%+v %v", works, err)
		}
		again, err := w.Invite(ctx, officer, "notary", "The same clerk")
		if err != nil {
			w.Fatal(err)
		}
		if _, err := w.Join(ctx, clerk("a"), again.Secret, again.Code); code(err) != "verification.person_already" {
			w.Errorf("somebody joined twice: %v", err)
		}
		if err := w.Uninvite(ctx, officer, "bank", w.open0("notary")); code(err) != "verification.invite_none" {
			w.Errorf("an invitation of another verifier was taken back: %v", err)
		}
		if err := w.Uninvite(ctx, officer, "notary", w.open0("notary")); err != nil {
			w.Error(err)
		}
		if _, err := w.Join(ctx, clerk("b"), again.Secret, again.Code); code(err) != "verification.invite_none" {
			w.Errorf("an invitation that was taken back: %v", err)
		}
		if err := w.Stop(ctx, officer, "bank", true); err != nil {
			w.Fatal(err)
		}
		if _, err := w.Join(ctx, clerk("b"), other.Secret, other.Code); code(err) != "verification.invite_none" {
			w.Errorf("an invitation of a stopped verifier: %v", err)
		}
		if _, err := w.Invite(ctx, officer, "bank", "x"); code(err) != "verification.stopped" {
			w.Errorf("a stopped verifier invites: %v", err)
		}
		if err := w.Stop(ctx, officer, "bank", false); err != nil {
			w.Fatal(err)
		}
		w.hand.add(inviteLife)
		if _, err := w.Join(ctx, clerk("b"), other.Secret, other.Code); code(err) != "verification.invite_none" {
			w.Errorf("an invitation that has ended: %v", err)
		}
		var n int
		if err := errors.Join(w.Sweep(ctx), w.DB.Reader().QueryRow(`SELECT COUNT(*) FROM verifier_invitation`).Scan(&n)); err != nil || n != 0 {
			w.Errorf("%d invitations are kept past their end, %v", n, err)
		}
		trail, err := w.Verifier.Trail(ctx, "notary", 50)
		if err != nil {
			w.Fatal(err)
		}
		var did []string
		for _, e := range trail {
			did = append(did, e.Actor+" "+e.Action)
		}
		if got, want := strings.Join(did, ", "), "steward verifier.person.uninvite, steward verifier.person.invite, a verifier.person.join, steward verifier.person.invite, steward verifier.register"; got != want {
			w.Errorf("the trail: %s", got)
		}
	})
}

// open0 is the id of an open invitation.
func (w *world) open0(verifier string) string {
	w.Helper()
	all, err := w.Invitations(w.Context(), verifier)
	if err != nil || len(all) == 0 {
		w.Fatal(all, err)
	}
	return all[0].ID
}

// A code can be guessed few times, also by many at once, and then not even the right one
// helps.
func TestGuessing(t *testing.T) {
	each(t, func(w *world) {
		w.registered()
		i, err := w.Invite(w.Context(), officer, "notary", "Clerk")
		if err != nil {
			w.Fatal(err)
		}
		var mu sync.Mutex
		answers := map[string]int{}
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() {
				_, err := w.Join(w.Context(), clerk("thief"), i.Secret, newCode())
				mu.Lock()
				defer mu.Unlock()
				answers[code(err)]++
			})
		}
		all.Wait()
		if answers["verification.invite_code"] != inviteTries || answers["verification.invite_none"] != 12-inviteTries {
			w.Errorf("%v", answers)
		}
		if _, err := w.Join(w.Context(), clerk("a"), i.Secret, i.Code); code(err) != "verification.invite_none" {
			w.Errorf("after too many tries: %v", err)
		}
		if all, err := w.Invitations(w.Context(), "notary"); err != nil || len(all) != 1 || all[0].Left != 0 {
			w.Errorf("the officer sees %+v %v", all, err)
		}
	})
}

// One invitation that two open at once lets one of them in.
func TestOneComes(t *testing.T) {
	each(t, func(w *world) {
		w.registered()
		i, err := w.Invite(w.Context(), officer, "notary", "Clerk")
		if err != nil {
			w.Fatal(err)
		}
		var all sync.WaitGroup
		came := make(chan string, 4)
		for _, who := range []string{"a", "b", "c", "d"} {
			all.Go(func() {
				if _, err := w.Join(w.Context(), clerk(who), i.Secret, i.Code); err == nil {
					came <- who
				}
			})
		}
		all.Wait()
		if len(came) != 1 {
			w.Errorf("%d came", len(came))
		}
		if people, err := w.People(w.Context(), "notary"); err != nil || len(people) != 1 {
			w.Errorf("%+v %v", people, err)
		}
	})
}

func TestPlainCode(t *testing.T) {
	for in, want := range map[string]string{"0o1l-iIjK": "00111" + "1JK", "": "", "é\u0661 ": "", strings.Repeat("A", 101): ""} {
		if got := plainCode(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for range 50 {
		if c := newCode(); plainCode(shownCode(c)) != c || len(c) != codeLength {
			t.Errorf("%s", c)
		}
	}
}

// as is a browser of somebody who is signed in.
func (w *world) as(who gov.Actor) *browser { return &browser{world: w, who: who} }

// TestPeopleAsk asks as a verifier on the pages, with everybody who must not beside.
func TestPeopleAsk(t *testing.T) {
	each(t, func(w *world) {
		w.registered()
		ctx := w.Context()
		w.joined("notary", clerk("a"))
		w.joined("bank", clerk("b"))
		w.joined("bank", clerk("both"))
		w.joined("notary", clerk("both"))
		a, b, both, public := w.as(clerk("a")), w.as(clerk("b")), w.as(clerk("both")), w.browser()
		ask := func(who *browser, verifier string) int {
			return who.post("/fr/verify/ask", url.Values{"verifier": {verifier}, "template": {verifier + "-2"}, "flow": {CrossDevice}}).Code
		}
		shows := func(who *browser, path, text string) bool {
			return strings.Contains(who.get(path).Body.String(), text)
		}
		for name, c := range map[string]struct {
			who      *browser
			verifier string
			code     int
		}{
			"the public": {public, "notary", 403}, "a person of another": {b, "notary", 403}, "an officer": {w.as(officer), "notary", 403},
			"somebody": {w.as(clerk("x")), "notary", 403}, "none": {a, "nowhere", 403}, "an invented one": {a, "bank-demo", 403},
			"their own": {a, "notary", 303}, "the first of two": {both, "bank", 303}, "the second of two": {both, "notary", 303},
		} {
			if got := ask(c.who, c.verifier); got != c.code {
				w.Errorf("%s: %d", name, got)
			}
		}
		if shows(public, "/fr/verify", "/verify/ask") || !shows(public, "/fr/verify", MinePath) {
			w.Error("the public is shown what to ask, or no way to sign in")
		}
		if !shows(a, "/fr/verify", `value="notary-2"`) || shows(a, "/fr/verify", `value="bank-2"`) || shows(a, "/fr/verify?as=bank", `value="bank-2"`) {
			w.Error("what one person may ask")
		}
		if !shows(both, "/fr/verify?as=notary", `value="notary-2"`) || shows(both, "/fr/verify?as=notary", `value="bank-2"`) || !shows(both, "/fr/verify", `value="bank-2"`) {
			w.Error("the choice of two")
		}
		w.barred = "a"
		if got := ask(a, "notary"); got != 403 {
			w.Errorf("against the policy: %d", got)
		}
		w.barred = ""

		where := a.begin("/fr", "notary", "notary-2", CrossDevice)
		id := where[strings.LastIndex(where, "/")+1:]
		q := w.open(a.link(where))
		if rec := w.post(q, w.sealed(q, vp.Tokens{"document": {w.show(w.permitText, q, nil, pathHolder, pathTitle)}})); rec.Code != 200 {
			w.Fatal(rec.Code, rec.Body)
		}
		if !shows(a, where, "data-ready") {
			w.Error("the page of a request")
		}
		// The same browser, used by others; and other browsers, with the same account.
		for name, other := range map[string]*browser{"signed out": {world: w, jar: a.jar}, "of another verifier": {world: w, jar: a.jar, who: clerk("b")}, "of the same verifier": {world: w, jar: a.jar, who: clerk("both")},
			"another browser": w.as(clerk("a")), "the public": public} {
			for _, rec := range []*httptest.ResponseRecorder{other.get(where), other.get(where + "/state"), other.post(where+"/result", nil), other.post("/fr/verify/back/"+id, nil)} {
				if rec.Code != 404 && rec.Code != 403 || strings.Contains(rec.Body.String(), "Salma") {
					w.Errorf("%s: %d", name, rec.Code)
				}
			}
		}
		people, err := w.People(ctx, "notary")
		i := slices.IndexFunc(people, func(p Person) bool { return p.Account == "a" })
		if err != nil || i < 0 || !people[i].Asked.Equal(w.hand.Now()) || people[i].InvitedBy != officer.ID || people[i].Label != "Clerk a" {
			w.Errorf("%+v %v", people, err)
		}
		if err := w.Remove(ctx, officer, "bank", "a"); code(err) != "verification.person_none" {
			w.Errorf("removed from where they are not: %v", err)
		}
		party := w.parties0("notary")
		if err := w.Remove(ctx, officer, "notary", "a"); err != nil {
			w.Fatal(err)
		}
		if rec := a.post(where+"/result", nil); rec.Code != 404 || strings.Contains(rec.Body.String(), "Salma") {
			w.Errorf("a removed person reads a result: %d", rec.Code)
		}
		if got := ask(a, "notary"); got != 403 {
			w.Errorf("a removed person asks: %d", got)
		}
		// Who was let in before is refused where the request is written.
		if _, err := w.Begin(ctx, party, Ask{Template: "notary-2", Session: newSecret(), By: clerk("a"), Person: true}); code(err) != "verification.not_as" {
			w.Errorf("a removed person's request: %v", err)
		}
		if _, err := w.Begin(ctx, party, Ask{Template: "notary-2", By: clerk("both"), Person: true}); code(err) != "verification.not_as" {
			w.Errorf("a request of a person without a browser: %v", err)
		}
		if err := w.Stop(ctx, officer, "notary", true); err != nil {
			w.Fatal(err)
		}
		if got := ask(both, "notary"); got != 403 {
			w.Errorf("as a stopped verifier: %d", got)
		}
		if _, err := w.Begin(ctx, party, Ask{Template: "notary-2", Session: newSecret(), By: clerk("both"), Person: true}); code(err) != "verification.not_as" {
			w.Errorf("a request of a stopped verifier: %v", err)
		}
		if err := w.ForgetPerson(ctx, clerk("both"), "both"); err != nil {
			w.Fatal(err)
		}
		if works, err := w.WorksFor(ctx, "both"); err != nil || len(works) != 0 || ask(both, "bank") != 403 {
			w.Errorf("after the account was closed: %+v %v", works, err)
		}
		trail, err := w.Verifier.Trail(ctx, "notary", 50)
		if err != nil {
			w.Fatal(err)
		}
		for _, want := range []string{"a " + didAsk, "both " + didAsk, "steward " + didRemove, "both " + didRemove} {
			if !slices.ContainsFunc(trail, func(e audit.Entry) bool { return e.Actor+" "+e.Action == want }) {
				w.Errorf("the trail has no %q", want)
			}
		}
	})
}

// TestPeoplePages goes through what an officer and a person see.
func TestPeoplePages(t *testing.T) {
	each(t, func(w *world) {
		w.registered()
		may := func(context.Context, gov.Actor, string) error { return nil }
		inner := http.NewServeMux()
		(&Desk{Verifier: w.Verifier, Site: w.site, Actor: whoAsks, May: func(_ context.Context, who gov.Actor, _ string) error {
			if !who.Has(gov.RoleSteward) {
				return problem.New(problem.Forbidden, "forbidden")
			}
			return nil
		}, Kinds: func(context.Context) ([]Kind, error) { return nil, nil }, Named: func(_ context.Context, id string) gov.Text { return gov.Text{"fr": "Account " + id} }}).Register(inner)
		(&Mine{Verifier: w.Verifier, Site: w.site, Actor: whoAsks, May: may}).Register(inner)
		(&Pages{Verifier: w.Verifier, Site: w.site, May: may}).Register(inner)
		w.mux = http.NewServeMux()
		w.site.Mount(w.mux, inner)
		desk, a := w.as(officer), w.as(clerk("a"))
		at := "/fr" + DeskPath + "/notary"
		if rec := a.post(at+"/invite", url.Values{"label": {"x"}}); rec.Code != 403 {
			w.Errorf("a person invites: %d", rec.Code)
		}
		if rec := desk.post(at+"/invite", nil); rec.Code != 422 {
			w.Errorf("nobody is invited: %d", rec.Code)
		}
		rec := desk.post(at+"/invite", url.Values{"label": {"Clerk <1>"}})
		page := rec.Body.String()
		link, secretCode := between(page, `<code class="ltr wraps">`+base, "</code>"), between(page, `<code class="ltr">`, "</code>")
		if rec.Code != 200 || !strings.HasPrefix(link, "/fr/me/verifiers/join/") || len(secretCode) != 14 || rec.Header().Get("Cache-Control") != "no-store" && !strings.Contains(rec.Header().Get("Cache-Control"), "no-store") {
			w.Fatalf("inviting: %d %q %q", rec.Code, link, secretCode)
		}
		if again := desk.get(at).Body.String(); strings.Contains(again, secretCode) || !strings.Contains(again, "Clerk &lt;1&gt;") {
			w.Error("the code is shown again, or the invitation is not listed")
		}
		if rec := a.get("/fr/me/verifiers/join/" + newSecret()); rec.Code != 404 {
			w.Errorf("a guessed link: %d", rec.Code)
		}
		for _, l := range []string{"ar", "fr", "zgh", "en"} {
			if rec := a.get("/" + l + strings.TrimPrefix(link, "/fr")); rec.Code != 200 || !strings.Contains(rec.Body.String(), `name="code"`) {
				w.Errorf("%s: the invitation: %d", l, rec.Code)
			}
		}
		if rec := a.post(link, url.Values{"code": {"wrong"}}); rec.Code != 422 || !strings.Contains(rec.Body.String(), `role="alert"`) {
			w.Errorf("a wrong code: %d", rec.Code)
		}
		if rec := a.post(link, url.Values{"code": {secretCode}}); rec.Code != 303 {
			w.Fatalf("joining: %d %s", rec.Code, rec.Body)
		}
		if rec := a.get(link); rec.Code != 404 {
			w.Errorf("the link works on: %d", rec.Code)
		}
		for _, l := range []string{"ar", "fr", "zgh", "en"} {
			if rec := a.get("/" + l + MinePath + "?came=1"); rec.Code != 200 || !strings.Contains(rec.Body.String(), "/verify?as=notary") {
				w.Errorf("%s: what is mine: %d", l, rec.Code)
			}
			if rec := desk.get("/" + l + DeskPath + "/notary"); !strings.Contains(rec.Body.String(), `value="remove"`) {
				w.Errorf("%s: the list of people: %d", l, rec.Code)
			}
		}
		if rec := w.as(clerk("b")).post("/fr"+MinePath, url.Values{"verifier": {"notary"}}); rec.Code != 404 {
			w.Errorf("who is none of them leaves: %d", rec.Code)
		}
		if rec := a.post("/fr"+MinePath, url.Values{"verifier": {"notary"}}); rec.Code != 303 {
			w.Errorf("leaving: %d", rec.Code)
		}
		w.joined("notary", clerk("a"))
		w.hand.add(time.Minute)
		if rec := desk.post(at, url.Values{"do": {"remove"}, "account": {"a"}}); rec.Code != 303 {
			w.Errorf("removing: %d", rec.Code)
		}
		if body := desk.get(at).Body.String(); !strings.Contains(body, "Account a") || strings.Contains(body, `value="remove"`) {
			w.Error("after the removal the trail says who, and the list does not")
		}
	})
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}
