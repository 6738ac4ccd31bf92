package verifier

import (
	"strings"
	"testing"
	"time"

	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/protocol/claimpath"
	"diwan/protocol/openid4"
)

func described(w *world, id string) Party {
	p := Party{ID: id, Name: gov.Text{}, Purpose: gov.Text{}, May: []Allowed{{Format: openid4.SDJWT, Type: propertyType, Claims: []claimpath.Path{{"title"}}}}}
	for _, l := range w.Country.Languages {
		p.Name[l.Code], p.Purpose[l.Code] = "Notary", "To prepare a sale"
	}
	return p
}

func TestRegistry(t *testing.T) {
	each(t, func(w *world) {
		ctx, by := w.Context(), w.actor()
		for _, test := range []struct {
			name   string
			change func(*Party)
			code   string
		}{
			{"the id", func(p *Party) { p.ID = "a b" }, "verification.register.id"},
			{"one of an administration's", func(p *Party) { p.ID = "case:x:y:z" }, "verification.register.id"},
			{"a language", func(p *Party) { delete(p.Purpose, w.Country.Languages[0].Code) }, "verification.register.words"},
			{"long words", func(p *Party) { p.Name[w.Country.Languages[0].Code] = strings.Repeat("x", 500) }, "verification.register.words"},
			{"nothing to ask", func(p *Party) { p.May = nil }, "verification.register.nothing"},
			{"a return that is none", func(p *Party) { p.Returns = []string{"javascript:alert(1)"} }, "verification.register.returns"},
			{"one of the data's", func(p *Party) { p.ID = "bank-demo" }, "verification.register.taken"},
		} {
			p := described(w, "notary")
			test.change(&p)
			if err := w.Verifier.Register(ctx, by, p, true); problem.From(err).Code != test.code {
				w.Errorf("%s: %v", test.name, err)
			}
		}
		if err := w.Verifier.Register(ctx, by, described(w, "notary"), true); err != nil {
			w.Fatal(err)
		}
		if err := w.Verifier.Register(ctx, by, described(w, "notary"), true); !problem.Is(err, problem.Conflict) {
			w.Error("an id twice:", err)
		}
		if err := w.Verifier.Register(ctx, by, described(w, "bank-demo"), false); !problem.Is(err, problem.Conflict) {
			w.Error("one of the data was changed:", err)
		}
		id, secret, err := w.MakeToken(ctx, by, "notary", "office software")
		if err != nil {
			w.Fatal(err)
		}
		p, err := w.bearer(ctx, secret)
		if err != nil || len(p.Templates) != 1 {
			w.Fatal(p, err)
		}
		b, err := w.Begin(ctx, p, Ask{Template: p.Templates[0].ID})
		if err != nil {
			w.Fatal(err)
		}
		// The data are read again, as at each start: what officers did stays.
		if err := w.Enrol(ctx, Parties{}); err != nil {
			w.Fatal(err)
		}
		if _, err := w.bearer(ctx, secret); err != nil {
			w.Error("the data ended what an officer registered:", err)
		}
		next, other, err := w.RotateToken(ctx, by, "notary", id)
		if err != nil || next == id || other == secret {
			w.Fatal(next, err)
		}
		for _, s := range []string{secret, other} {
			if _, err := w.bearer(ctx, s); err != nil {
				w.Error("while a program is given its new token:", err)
			}
		}
		w.hand.add(25 * time.Hour)
		if _, err := w.bearer(ctx, secret); err == nil {
			w.Error("the token that was replaced works on")
		}
		if _, _, err := w.RotateToken(ctx, by, "bank-demo", next); !problem.Is(err, problem.NotFound) {
			w.Error("a token of another verifier:", err)
		}
		if err := w.Stop(ctx, by, "notary", true); err != nil {
			w.Fatal(err)
		}
		if _, err := w.bearer(ctx, other); err == nil {
			w.Error("a stopped verifier asks by its program")
		}
		if _, err := w.Party(ctx, "notary"); !problem.Is(err, problem.NotFound) {
			w.Error("a stopped verifier is one:", err)
		}
		if rec := w.ask("GET", "/present/"+b.ID, "", "", nil); rec.Code != 404 {
			w.Error("a stopped verifier's request is signed:", rec.Code)
		}
		if err := w.Stop(ctx, by, "notary", false); err != nil {
			w.Fatal(err)
		}
		if _, err := w.bearer(ctx, other); err != nil {
			w.Error("after it was let in again:", err)
		}
		if err := w.RevokeToken(ctx, by, "notary", next); err != nil {
			w.Fatal(err)
		}
		tokens, err := w.Tokens(ctx, "notary")
		if err != nil || len(tokens) != 2 || !tokens[0].Revoked || tokens[0].Follows != id {
			w.Errorf("%+v %v", tokens, err)
		}
		trail, err := w.Verifier.Trail(ctx, "notary", 50)
		if err != nil {
			w.Fatal(err)
		}
		var did []string
		for _, e := range trail {
			did = append(did, e.Action)
			if e.Action == didAsk && (e.Detail["purpose"] != "To prepare a sale" || e.Detail["types"] != propertyType || e.Subject != b.ID) {
				w.Errorf("the trail of a request: %+v", e)
			}
		}
		if got, want := strings.Join(did, " "), strings.Join([]string{didRevoke, didResume, didStop, didRotate, didAsk, didToken, didRegister}, " "); got != want {
			w.Errorf("the trail: %s", got)
		}
	})
}
