package catalogue

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"diwan/internal/audit"
	"diwan/internal/catalogue/model"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// testCountry is a small country with rules of its own.
func testCountry(t testing.TB) *gov.Country {
	t.Helper()
	c := &gov.Country{
		Code: "XL", TimeZone: "UTC",
		Languages: []gov.Language{{Code: "en", Dir: "ltr"}, {Code: "fr", Dir: "ltr"}},
		Kinds:     map[string]gov.Text{"office": {"en": "Office"}},
		Lists:     []gov.List{{ID: "fast", MaxDays: 10, Effect: "deadline"}},
		Law:       gov.Law{Days: map[string]int{"deadline": 40, "appeal": 12, "appeal_answer": 5}},
	}
	if err := c.Init(); err != nil {
		t.Fatal(err)
	}
	return c
}

type clockAt struct{ t time.Time }

func (c clockAt) Now() time.Time { return c.t }

var (
	editor     = gov.Actor{ID: "e1", Roles: []gov.Role{gov.RoleEditor}, Administration: "north"}
	stranger   = gov.Actor{ID: "e2", Roles: []gov.Role{gov.RoleEditor}, Administration: "south"}
	commission = gov.Actor{ID: "c1", Roles: []gov.Role{gov.RoleCommission}}
	both       = gov.Actor{ID: "b1", Roles: []gov.Role{gov.RoleCommission, gov.RoleSteward}}
)

func testStarter() *Starter {
	return &Starter{
		Administrations: []*model.Administration{
			{ID: "north", Kind: "office", Name: gov.Text{"en": "North"}},
			{ID: "north-harbour", Kind: "office", Parent: "north", Name: gov.Text{"en": "Harbour"}},
			{ID: "south", Kind: "office", Name: gov.Text{"en": "South"}},
		},
		Described: []*model.Procedure{complete("mooring")},
	}
}

// complete is a procedure with all seven facts.
func complete(id string) *model.Procedure {
	return &model.Procedure{
		ID: id, Name: gov.Text{"en": "Mooring", "fr": "Amarrage"}, Competent: "north-harbour",
		LegalBasis: []model.LegalRef{{Address: "/akn/xl/act/law/2021/7", Title: gov.Text{"en": "Act 7"}}},
		Receives:   []string{"north-harbour"}, Delivers: []string{"north"},
		Evidence: []model.Evidence{{ID: "a", Name: gov.Text{"en": "Papers"}, By: model.ByUser}},
		Free:     true, Deadline: model.Deadline{Terms: []model.Term{{Days: 9}}},
		Silence:  model.Silence{Effect: model.SilenceApproval},
		Remedies: []model.Remedy{{Kind: "administrative", To: gov.Text{"en": "Council"}}}, Extension: model.Extension{Possible: model.ExtensionNo},
	}
}

func each(t *testing.T, test func(t *testing.T, c *Catalogue)) {
	dbtest.Each(t, []db.Migrations{audit.Migrations(), Migrations()}, func(t *testing.T, d *db.DB) {
		clock := clockAt{time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)}
		c := New(d, audit.New(d, clock), clock, testCountry(t), slog.New(slog.DiscardHandler))
		if _, err := c.LoadStarter(t.Context(), testStarter(), "1"); err != nil {
			t.Fatal(err)
		}
		if err := c.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		test(t, c)
	})
}

func want(t *testing.T, err error, k problem.Kind, code string) {
	t.Helper()
	if p := problem.From(err); err == nil || p.Kind != k || p.Code != code {
		t.Errorf("error = %v, want %s", err, code)
	}
}

func TestFromDraftToPublished(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		ctx := t.Context()
		p := complete("mooring")
		p.Summary = gov.Text{"en": "New words"}
		v, err := c.Save(ctx, editor, p, 1)
		if err != nil || v.Number != 2 || v.State != model.Draft {
			t.Fatalf("Save = %+v, %v", v, err)
		}
		if e := c.Snapshot().Procedure("mooring"); e.Version != 1 || e.Summary != nil {
			t.Error("a draft is already public")
		}
		want(t, c.Publish(ctx, commission, "mooring", 2), problem.Conflict, "procedure.state")
		if err := c.Submit(ctx, editor, "mooring", 2); err != nil {
			t.Fatal(err)
		}
		_, err = c.Save(ctx, editor, p, 2)
		want(t, err, problem.Conflict, "procedure.in_review")
		want(t, c.Publish(ctx, editor, "mooring", 2), problem.Forbidden, "forbidden")
		want(t, c.Return(ctx, commission, "mooring", 2, ""), problem.Invalid, "procedure.reason")
		if err := c.Return(ctx, commission, "mooring", 2, "too short"); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Save(ctx, editor, p, 2); err != nil {
			t.Fatal(err)
		}
		if err := c.Submit(ctx, editor, "mooring", 2); err != nil {
			t.Fatal(err)
		}
		if err := c.Publish(ctx, commission, "mooring", 2); err != nil {
			t.Fatal(err)
		}
		if e := c.Snapshot().Procedure("mooring"); e.Version != 2 || e.Summary["en"] != "New words" {
			t.Errorf("public: %+v", e)
		}
		old, err := c.VersionOf(ctx, "mooring", 1)
		if err != nil || old.Procedure.Summary != nil {
			t.Errorf("the version before was changed: %+v, %v", old, err)
		}
		h, err := c.History(ctx, "mooring", 10)
		var actions []string
		for _, e := range h {
			actions = append(actions, e.Action)
		}
		if err != nil || !slices.Equal(actions, []string{"procedure.publish", "procedure.submit", "procedure.save", "procedure.return", "procedure.submit", "procedure.draft"}) || h[3].Detail["note"] != "too short" {
			t.Errorf("history: %v, %v", actions, err)
		}
		if err := c.Withdraw(ctx, commission, "mooring", 2, "no longer offered"); err != nil {
			t.Fatal(err)
		}
		if c.Snapshot().Procedure("mooring") != nil {
			t.Error("a withdrawn procedure is still public")
		}
	})
}

func TestNobodyPublishesTheirOwnWords(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		if _, err := c.Save(t.Context(), both, complete("berth"), 0); err != nil {
			t.Fatal(err)
		}
		if err := c.Submit(t.Context(), both, "berth", 1); err != nil {
			t.Fatal(err)
		}
		want(t, c.Publish(t.Context(), both, "berth", 1), problem.Forbidden, "procedure.own")
		if err := c.Publish(t.Context(), commission, "berth", 1); err != nil {
			t.Error(err)
		}
	})
}

func TestEditorsStayInTheirAdministration(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		_, err := c.Save(t.Context(), stranger, complete("mooring"), 1)
		want(t, err, problem.Forbidden, "forbidden")
		taken := complete("mooring")
		taken.Competent = "south"
		_, err = c.Save(t.Context(), stranger, taken, 1)
		want(t, err, problem.Forbidden, "forbidden")
		_, err = c.Save(t.Context(), gov.Actor{}, complete("mooring"), 1)
		want(t, err, problem.Forbidden, "forbidden")
	})
}

func TestStaleEditIsRefused(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		if _, err := c.Save(t.Context(), editor, complete("mooring"), 1); err != nil {
			t.Fatal(err)
		}
		_, err := c.Save(t.Context(), editor, complete("mooring"), 1)
		want(t, err, problem.Conflict, "procedure.changed")
		_, err = c.Save(t.Context(), editor, complete("mooring"), 0)
		want(t, err, problem.Conflict, "procedure.changed")
	})
}

func TestTwoWhoCreateTheSame(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		var wg sync.WaitGroup
		errs := make([]error, 5)
		for i := range errs {
			wg.Go(func() { _, errs[i] = c.Save(t.Context(), editor, complete("berth"), 0) })
		}
		wg.Wait()
		won := 0
		for _, err := range errs {
			if err == nil {
				won++
			} else {
				want(t, err, problem.Conflict, "procedure.changed")
			}
		}
		if won != 1 {
			t.Errorf("%d of 5 created it", won)
		}
	})
}

func TestIncompleteIsNotSubmitted(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		p := complete("berth")
		p.Free, p.Evidence[0].Copies = false, 3
		if _, err := c.Save(t.Context(), editor, p, 0); err != nil {
			t.Fatal(err)
		}
		err := c.Submit(t.Context(), editor, "berth", 1)
		want(t, err, problem.Invalid, "procedure.blocked")
		var codes []string
		for _, f := range problem.From(err).Fields {
			codes = append(codes, f.Code)
		}
		if !slices.Equal(codes, []string{"fact.missing.fees", "ban.copies"}) {
			t.Errorf("blocked by %v", codes)
		}
	})
}

func TestStarterLeavesEditorsAlone(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		ctx := t.Context()
		s := testStarter()
		if n, err := c.LoadStarter(ctx, s, "1"); n != 0 || err != nil {
			t.Errorf("the same starter again changed %d, %v", n, err)
		}
		if has, err := c.HasStarter(ctx, "1"); !has || err != nil {
			t.Errorf("HasStarter = %v, %v", has, err)
		}
		mine := complete("mooring")
		mine.Validity = gov.Text{"en": "one tide"}
		if _, err := c.Save(ctx, editor, mine, 1); err != nil {
			t.Fatal(err)
		}
		s.Described[0].Validity = gov.Text{"en": "two tides"}
		s.Described = append(s.Described, complete("berth"))
		s.Listed = []*model.Procedure{{ID: "listed-1", Name: gov.Text{"en": "Listed"}, Competent: "south"}}
		if n, err := c.LoadStarter(ctx, s, "2"); n != 2 || err != nil {
			t.Errorf("a new starter changed %d, %v; want the two new ones", n, err)
		}
		v, err := c.Latest(ctx, "mooring")
		if err != nil || v.Procedure.Validity["en"] != "one tide" {
			t.Errorf("the starter overwrote an editor: %+v, %v", v.Procedure.Validity, err)
		}
		if err := c.Refresh(ctx); err != nil {
			t.Fatal(err)
		}
		if e := c.Snapshot().Procedure("listed-1"); e == nil || !e.OnlyListed() || len(e.Missing) != 7 {
			t.Errorf("listed: %+v", e)
		}
	})
}

func TestImportListedIsIdempotent(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		ps := func(days int) []*model.Procedure {
			return []*model.Procedure{{ID: "d-1", Name: gov.Text{"en": "One"}, Competent: "north", Deadline: model.Deadline{Terms: []model.Term{{Days: days}}}}}
		}
		for i, step := range []struct{ days, changed int }{{5, 1}, {5, 0}, {7, 1}} {
			n, err := c.ImportListed(t.Context(), gov.Actor{ID: "s"}, ps(step.days))
			if err != nil || n != step.changed {
				t.Errorf("import %d changed %d, %v", i, n, err)
			}
		}
		vs, err := c.Versions(t.Context(), "d-1")
		if err != nil || len(vs) != 2 || vs[1].Procedure.Deadline.Terms[0].Days != 5 {
			t.Errorf("versions: %+v, %v", vs, err)
		}
	})
}

func TestRowsPageThrough(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		for i := range 7 {
			if _, err := c.Save(t.Context(), both, complete(fmt.Sprintf("berth-%d", i)), 0); err != nil {
				t.Fatal(err)
			}
		}
		var ids []string
		after := ""
		for {
			rows, err := c.Rows(t.Context(), "", model.Draft, after, 3)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range rows {
				ids = append(ids, r.ID)
				after = r.ID
			}
			if len(rows) < 3 {
				break
			}
		}
		if len(ids) != 7 || !slices.IsSorted(ids) {
			t.Errorf("paged through %v", ids)
		}
		n, err := c.Counts(t.Context(), "north-harbour")
		if err != nil || n[model.Draft] != 7 || n[model.Published] != 1 {
			t.Errorf("counts: %v, %v", n, err)
		}
	})
}

func TestFeedback(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		for i, useful := range []bool{true, false, true} {
			if err := c.Feedback(t.Context(), "mooring", 1, "en", useful, []string{"", "=bad()", ""}[i]); err != nil {
				t.Fatal(err)
			}
		}
		o, err := c.Opinions(t.Context(), "mooring")
		if err != nil || o.Useful != 2 || o.Not != 1 || len(o.Comments) != 1 {
			t.Errorf("opinions: %+v, %v", o, err)
		}
	})
}

// A copy of the program that did not publish shows what another one did.
func TestOtherCopiesFollow(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		other := New(c.store.db, c.audit, c.clock, c.country, c.log)
		if err := other.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := c.Withdraw(t.Context(), commission, "mooring", 1, "gone"); err != nil {
			t.Fatal(err)
		}
		if other.Snapshot().Procedure("mooring") == nil {
			t.Fatal("the snapshot changed under its readers")
		}
		if err := other.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if other.Snapshot().Procedure("mooring") != nil {
			t.Error("the other copy still shows it")
		}
	})
}
