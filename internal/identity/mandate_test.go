package identity

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

func TestWrittenMandate(t *testing.T) {
	sites(t, 1, func(t *testing.T, b *tool, clock *movingClock, _ *db.DB, ops []*op) {
		ctx, a, o := t.Context(), b.a, ops[0]
		giver, agent := b.other(), b.other()
		giver.signIn(o, "p0")
		o.subject = "sub-2"
		agent.signIn(o, "p0")
		g, _ := a.ByID(ctx, giver.who())
		h, _ := a.ByID(ctx, agent.who())
		today := a.Today()
		m, code, err := a.Offer(ctx, g.Actor, today, today.AddDays(2), []string{"permit"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.Accept(ctx, g.Actor, code, true); !problem.Is(err, problem.Forbidden) {
			t.Errorf("acting for oneself: %v", err)
		}
		for _, guess := range []string{"", "x", strings.Repeat("A", 12), m.ID} {
			if _, err := a.Accept(ctx, h.Actor, guess, true); !problem.Is(err, problem.Forbidden) {
				t.Errorf("the code %q: %v", guess, err)
			}
		}
		var wg sync.WaitGroup
		won := make(chan bool, 3)
		for range 3 {
			wg.Go(func() {
				if _, err := a.Accept(ctx, h.Actor, strings.ToLower(code[:4])+" - "+code[4:], true); err == nil {
					won <- true
				}
			})
		}
		wg.Wait()
		if len(won) != 1 {
			t.Errorf("the code worked %d times", len(won))
		}
		if got := giver.do("POST", "/act", url.Values{"mandate": {m.ID}}).StatusCode; got != http.StatusForbidden {
			t.Errorf("the giver uses it: %d", got)
		}
		if got := agent.do("POST", "/act", url.Values{"mandate": {m.ID}}).StatusCode; got != http.StatusOK {
			t.Fatalf("the agent uses it: %d", got)
		}
		acting := func() string { return strings.Fields(agent.body("/who"))[1] }
		if acting() != g.ID {
			t.Errorf("acting for %s", acting())
		}
		for subject, want := range map[string]bool{g.ID: true, h.ID: true, "other": false} {
			if got, err := a.May(ctx, h.ID, subject, "permit"); err != nil || got != want {
				t.Errorf("may act for %s: %v, %v", subject, got, err)
			}
		}
		if got, _ := a.May(ctx, h.ID, g.ID, "another"); got {
			t.Error("the mandate reaches beyond its procedures")
		}
		for range 9 { // the session must stay in use to outlive the mandate
			clock.pass(30 * time.Minute)
			agent.who()
		}
		if acting() != g.ID {
			t.Error("the mandate ended early")
		}
		clock.pass(3 * 24 * time.Hour)
		agent.signIn(o, "p0")
		if got := agent.do("POST", "/act", url.Values{"mandate": {m.ID}}).StatusCode; got != http.StatusForbidden {
			t.Errorf("an expired mandate: %d", got)
		}
		if got, _ := a.May(ctx, h.ID, g.ID, "permit"); got {
			t.Error("an expired mandate still holds")
		}
		if err := a.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if list, _ := a.Mandates(ctx, g.ID); len(list) != 1 || list[0].State != mandateEnded {
			t.Errorf("after the sweep: %+v", list)
		}
	})
}

// A mandate that ends while it is used stops at the next request, and nothing is
// done in the wrong name.
func TestMandateEndsMidSession(t *testing.T) {
	sites(t, 1, func(t *testing.T, b *tool, _ *movingClock, _ *db.DB, ops []*op) {
		o := ops[0]
		firm := map[string]any{"kind": "firm", "id": "001", "name": "F"}
		o.claims = map[string]any{"represents": []any{firm}}
		b.signIn(o, "p0")
		a, _ := b.a.ByID(t.Context(), b.who())
		list, err := b.a.Mandates(t.Context(), a.ID)
		if err != nil || len(list) != 1 {
			t.Fatalf("%v, %v", list, err)
		}
		b.do("POST", "/act", url.Values{"mandate": {list[0].ID}})
		if got := strings.Fields(b.body("/who"))[1]; got != "firm:001" {
			t.Fatalf("acting for %s", got)
		}
		o.claims = map[string]any{"represents": []any{}}
		b.other().signIn(o, "p0") // the provider does not say so any more
		r := b.body("/who")
		if got := strings.Fields(r)[1]; got != a.ID {
			t.Errorf("acting for %s", got)
		}
		o.claims = map[string]any{"represents": []any{firm}}
		b.other().signIn(o, "p0")
		if list, _ := b.a.Mandates(t.Context(), a.ID); len(list) != 1 || list[0].State != mandateActive {
			t.Errorf("said again: %+v", list[0])
		}
		if err := b.a.EndMandate(t.Context(), gov.Actor{ID: "stranger"}, list[0].ID); !problem.Is(err, problem.NotFound) {
			t.Errorf("a stranger ends it: %v", err)
		}
		if err := b.a.EndMandate(t.Context(), a.Actor, list[0].ID); err != nil {
			t.Fatal(err)
		}
		b.other().signIn(o, "p0")
		if list, _ := b.a.Mandates(t.Context(), a.ID); len(list) != 1 || list[0].State != mandateEnded {
			t.Errorf("what the person ended is back: %+v", list[0])
		}
	})
}

// Who says that a firm is theirs does not see the cases of those whose it is.
func TestDeclaredNumberOpensNothing(t *testing.T) {
	sites(t, 1, func(t *testing.T, b *tool, _ *movingClock, _ *db.DB, ops []*op) {
		b.signIn(ops[0], "p0")
		a, _ := b.a.ByID(t.Context(), b.who())
		m, err := b.a.Declare(t.Context(), a.Actor, Mandate{Kind: KindFirm, Name: gov.Text{"": "F"}, Number: "001"})
		if err != nil {
			t.Fatal(err)
		}
		if s := m.subject(); s.ID == "firm:001" || !s.Declared {
			t.Errorf("%+v", s)
		}
		for _, wrong := range []Mandate{{Kind: KindWritten, Name: gov.Text{"": "x"}}, {Kind: KindFirm, Name: gov.Text{"": "x"}}, {Kind: KindChild}, {Kind: "king", Name: gov.Text{"": "x"}},
			{Kind: KindChild, Name: gov.Text{"": "x"}, Until: gov.Date{Year: 2000, Month: 1, Day: 1}}} {
			if _, err := b.a.Declare(t.Context(), a.Actor, wrong); !problem.Is(err, problem.Invalid) {
				t.Errorf("%+v: %v", wrong, err)
			}
		}
	})
}

func TestSessionsAreEnded(t *testing.T) {
	sites(t, 1, func(t *testing.T, b *tool, _ *movingClock, d *db.DB, ops []*op) {
		ctx, phone := t.Context(), b.other()
		b.signIn(ops[0], "p0")
		phone.signIn(ops[0], "p0")
		a, _ := b.a.ByID(ctx, b.who())
		list, err := b.a.History(ctx, a.ID, 10)
		if err != nil || len(list) != 2 {
			t.Fatalf("%v, %v", list, err)
		}
		if err := b.a.End(ctx, gov.Actor{ID: "other"}, "other", list[0].ID, endedElsewhere); !problem.Is(err, problem.NotFound) {
			t.Errorf("somebody else's session: %v", err)
		}
		for _, s := range list {
			if err := b.a.End(ctx, a.Actor, a.ID, s.ID, endedElsewhere); err != nil {
				t.Error(err)
			}
		}
		if b.who() != "." || phone.who() != "." {
			t.Error("an ended session goes on")
		}
		b.signIn(ops[0], "p0")
		phone.signIn(ops[0], "p0")
		if n, err := b.a.EndAll(ctx, a.Actor, a.ID, "", endedElsewhere); err != nil || n != 2 || b.who() != "." {
			t.Errorf("%d ended, %v", n, err)
		}
	})
}

// A role that is taken away is gone at the next request.
func TestRoleRemovedMidSession(t *testing.T) {
	each(t, func(t *testing.T, a *Accounts, d *db.DB, clock *movingClock) {
		_, h := server(a, d, clock)
		res, _ := ask(h, "POST", nil)
		cookie := res.Cookies()[0]
		acc, _ := a.ByLogin(t.Context(), "ali")
		if _, who := ask(h, "GET", cookie); who != "ali" {
			t.Fatal(who)
		}
		acc.Roles = nil
		if err := a.Put(t.Context(), gov.Actor{}, acc); err != nil {
			t.Fatal(err)
		}
		_, seen, err := a.present(t.Context(), mustOne(t, a, acc.ID).ID)
		if err != nil || !seen.Live(clock.Now()) {
			t.Fatal(err)
		}
		if now, _ := a.ByLogin(t.Context(), "ali"); now.Works() {
			t.Error("the role stays")
		}
		acc.Disabled = true
		if err := a.Put(t.Context(), gov.Actor{}, acc); err != nil {
			t.Fatal(err)
		}
		if _, who := ask(h, "GET", cookie); who != "" {
			t.Errorf("a disabled account is %s", who)
		}
	})
}

func mustOne(t *testing.T, a *Accounts, account string) SignIn {
	t.Helper()
	list, err := a.History(t.Context(), account, 2)
	if err != nil || len(list) != 1 {
		t.Fatalf("%v, %v", list, err)
	}
	return list[0]
}

// Two administrations that put their files together can't tell who is the same
// person; the installation can, and says so in the audit trail.
func TestSectorsCannotBeMatched(t *testing.T) {
	each(t, func(t *testing.T, a *Accounts, d *db.DB, _ *movingClock) {
		ctx := t.Context()
		seen := map[string]string{}
		for _, account := range []string{"p1", "p2", "p3"} {
			for _, sector := range []string{"health", "tax"} {
				ref, err := a.Reference(ctx, account, sector)
				if err != nil || len(ref) != 64 || seen[ref] != "" {
					t.Fatalf("%s, %v: also %s", ref, err, seen[ref])
				}
				seen[ref] = account + sector
				if again, _ := a.Reference(ctx, account, sector); again != ref {
					t.Error("the reference changes")
				}
				other := map[string]string{"health": "tax", "tax": "health"}[sector]
				if got, err := a.Resolve(ctx, gov.Actor{ID: "op"}, other, ref, "test"); !problem.Is(err, problem.NotFound) {
					t.Errorf("the reference of %s is known in %s: %s, %v", sector, other, got, err)
				}
				if got, err := a.Resolve(ctx, gov.Actor{ID: "op"}, sector, ref, "test"); err != nil || got != account {
					t.Errorf("resolved to %s, %v", got, err)
				}
			}
		}
		list, err := a.audit.Recent(ctx, chain, 0, 1)
		if err != nil || len(list) != 1 || list[0].Action != "reference.resolved" || list[0].Actor != "op" {
			t.Errorf("the audit trail: %+v, %v", list, err)
		}
		if strings.Contains(list[0].Detail["why"], "p3") {
			t.Error("the reference stands in the audit trail")
		}
	})
}

func TestVerifiedAddress(t *testing.T) {
	sites(t, 1, func(t *testing.T, b *tool, clock *movingClock, d *db.DB, ops []*op) {
		b.signIn(ops[0], "p0")
		ctx := t.Context()
		who, _ := b.a.ByID(ctx, b.who())
		if err := b.a.SetPreferences(ctx, who.Actor, "fr", ChannelSMS, RhythmNow); !problem.Is(err, problem.Invalid) {
			t.Errorf("a channel without an address: %v", err)
		}
		token, code, err := b.a.BeginVerify(ctx, who.ID, ChannelMail, "a@b.example")
		if err != nil || len(code) != 6 {
			t.Fatalf("%q, %v", code, err)
		}
		wrong := "000000"
		if code == wrong {
			wrong = "000001"
		}
		if _, err := b.a.FinishVerify(ctx, gov.Actor{ID: "other"}, token, code); !problem.Is(err, problem.Forbidden) {
			t.Errorf("somebody else: %v", err)
		}
		token, _, _ = b.a.BeginVerify(ctx, who.ID, ChannelMail, "a@b.example")
		for i := range codeTries {
			next, err := b.a.FinishVerify(ctx, who.Actor, token, wrong)
			if i < codeTries-1 && (next == "" || !problem.Is(err, problem.Invalid)) || i == codeTries-1 && (next != "" || !problem.Is(err, problem.Forbidden)) {
				t.Fatalf("try %d: %q, %v", i, next, err)
			}
			token = next
		}
		token, code, _ = b.a.BeginVerify(ctx, who.ID, ChannelMail, "a@b.example")
		if _, err := b.a.FinishVerify(ctx, who.Actor, token, code[:3]+" "+code[3:]); err != nil {
			t.Fatal(err)
		}
		if err := b.a.SetPreferences(ctx, who.Actor, "fr", ChannelMail, RhythmDaily); err != nil {
			t.Fatal(err)
		}
		if r, err := b.a.ReachOf(ctx, who.ID); err != nil || r != (Reach{"fr", ChannelMail, RhythmDaily, "a@b.example"}) {
			t.Errorf("%+v, %v", r, err)
		}
		var sealed []byte
		if err := d.Reader().QueryRow(`SELECT sealed FROM identity_preference WHERE account = $1`, who.ID).Scan(&sealed); err != nil || strings.Contains(string(sealed), "example") {
			t.Errorf("the address lies in clear: %v", err)
		}
		for range codeSends {
			if _, _, err := b.a.BeginVerify(ctx, who.ID, ChannelMail, "x@b.example"); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := b.a.BeginVerify(ctx, who.ID, ChannelMail, "x@b.example"); !problem.Is(err, problem.TooMany) {
			t.Errorf("one code too many: %v", err)
		}
	})
}

func TestReadAddress(t *testing.T) {
	for _, tt := range []struct{ channel, in, want string }{
		{ChannelMail, " a@b.example ", "a@b.example"}, {ChannelMail, "a@b", ""}, {ChannelMail, "A <a@b.example>", ""}, {ChannelMail, "a@b.example\r\nBcc: x@y.example", ""}, {ChannelMail, "a@[127.0.0.1]", ""},
		{ChannelSMS, "0612345678", "+212612345678"}, {ChannelSMS, "+33 6 12 34 56 78", "+33612345678"}, {ChannelSMS, "12", ""}, {ChannelSMS, strings.Repeat("1", 100), ""}, {"pigeon", "x", ""},
	} {
		if got, err := ReadAddress(tt.channel, tt.in, "MA"); got != tt.want || (err == nil) != (tt.want != "") {
			t.Errorf("%s %q: %q, %v", tt.channel, tt.in, got, err)
		}
	}
}
