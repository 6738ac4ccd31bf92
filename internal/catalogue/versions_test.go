package catalogue

import (
	"sync"
	"testing"

	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// A draft keeps its number while people work on it, so that what was seen is
// compared by its words.
func TestSaveOverWhatWasSeen(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		ctx := t.Context()
		seen, err := c.Save(ctx, editor, complete("mooring"), 1)
		if err != nil {
			t.Fatal(err)
		}
		first := complete("mooring")
		first.Summary = gov.Text{"en": "The first editor's words"}
		if _, err := c.SaveOver(ctx, editor, first, seen.Mark()); err != nil {
			t.Fatal(err)
		}
		second := complete("mooring")
		second.Summary = gov.Text{"en": "The second editor's words"}
		_, err = c.SaveOver(ctx, editor, second, seen.Mark())
		want(t, err, problem.Conflict, "procedure.changed")
		_, err = c.SaveOver(ctx, editor, second, "")
		want(t, err, problem.Conflict, "procedure.changed")
		now, err := c.Latest(ctx, "mooring")
		if err != nil || now.Procedure.Summary["en"] != "The first editor's words" {
			t.Errorf("kept: %+v, %v", now, err)
		}
		if _, err := c.SaveOver(ctx, editor, second, now.Mark()); err != nil {
			t.Error(err)
		}
	})
}

// Of several who publish the same version at once one succeeds, and the audit
// trail has one entry of it.
func TestOnePublishes(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		ctx := t.Context()
		if _, err := c.Save(ctx, editor, complete("mooring"), 1); err != nil {
			t.Fatal(err)
		}
		if err := c.Submit(ctx, editor, "mooring", 2); err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		errs := make(chan error, 6)
		for range cap(errs) {
			wg.Go(func() { errs <- c.Publish(ctx, commission, "mooring", 2) })
		}
		wg.Wait()
		close(errs)
		done := 0
		for err := range errs {
			if err == nil {
				done++
			} else {
				want(t, err, problem.Conflict, "procedure.state")
			}
		}
		h, err := c.History(ctx, "mooring", 20)
		entries := 0
		for _, e := range h {
			if e.Action == "procedure.publish" {
				entries++
			}
		}
		if err != nil || done != 1 || entries != 1 {
			t.Errorf("%d published, %d entries, %v", done, entries, err)
		}
		if _, err := c.audit.Verify(ctx); err != nil {
			t.Error(err)
		}
	})
}

// Withdrawing an old version does not show the new draft to the editors of the
// administration that had the procedure before.
func TestOldVersionLeavesTheRowAlone(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		ctx := t.Context()
		if _, err := c.Save(ctx, editor, complete("mooring"), 1); err != nil {
			t.Fatal(err)
		}
		if err := c.Submit(ctx, editor, "mooring", 2); err != nil {
			t.Fatal(err)
		}
		if err := c.Publish(ctx, commission, "mooring", 2); err != nil {
			t.Fatal(err)
		}
		steward := gov.Actor{ID: "s1", Roles: []gov.Role{gov.RoleSteward}}
		moved := complete("mooring")
		moved.Competent = "south"
		if _, err := c.Save(ctx, steward, moved, 2); err != nil {
			t.Fatal(err)
		}
		if err := c.Withdraw(ctx, commission, "mooring", 2, "it moves"); err != nil {
			t.Fatal(err)
		}
		for administration, n := range map[string]int{"north-harbour": 0, "south": 1} {
			rows, err := c.Rows(ctx, administration, model.Draft, "", 10)
			if err != nil || len(rows) != n {
				t.Errorf("%s sees %d drafts, %v", administration, len(rows), err)
			}
		}
	})
}

// Ids that no procedure can have are not there, on either database.
func TestImpossibleIDs(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		for _, id := range []string{"", "\x00", "\xff", "a\x00b", "mooring' OR '1'='1", "MOORING"} {
			_, err := c.Latest(t.Context(), id)
			want(t, err, problem.NotFound, "procedure.not_found")
			_, err = c.VersionOf(t.Context(), id, 1)
			want(t, err, problem.NotFound, "procedure.not_found")
			if v, err := c.Versions(t.Context(), id); err != nil || v != nil {
				t.Errorf("%q: %v, %v", id, v, err)
			}
		}
	})
}

// Words that the law does not know are no answer to its questions.
func TestUnknownChoicesBlock(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		p := complete("mooring")
		p.Silence.Effect, p.Extension.Possible = "weird", "perhaps"
		codes := map[string]bool{}
		for _, f := range p.Blocking(c.Rules()) {
			codes[f.Code] = true
		}
		if !codes["fact.missing.silence"] || !codes["fact.missing.extension"] {
			t.Errorf("blocking: %v", codes)
		}
	})
}

// Who wrote in a version can't publish it, also when a colleague saved it last.
func TestColleaguesCommaIsNoReview(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		ctx := t.Context()
		for _, a := range []gov.Actor{both, editor} {
			p := complete("mooring")
			p.Summary = gov.Text{"en": "By " + a.ID}
			based := int64(1)
			if a.ID == editor.ID {
				based = 2
			}
			if _, err := c.Save(ctx, a, p, based); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Submit(ctx, editor, "mooring", 2); err != nil {
			t.Fatal(err)
		}
		want(t, c.Publish(ctx, both, "mooring", 2), problem.Forbidden, "procedure.own")
		if err := c.Publish(ctx, commission, "mooring", 2); err != nil {
			t.Error(err)
		}
	})
}

// What was read is what is published.
func TestPublishWhatWasSeen(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		ctx := t.Context()
		seen, err := c.Save(ctx, editor, complete("mooring"), 1)
		if err != nil {
			t.Fatal(err)
		}
		changed := complete("mooring")
		changed.Summary = gov.Text{"en": "Other words"}
		now, err := c.SaveOver(ctx, editor, changed, seen.Mark())
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Submit(ctx, editor, "mooring", 2); err != nil {
			t.Fatal(err)
		}
		want(t, c.PublishSeen(ctx, commission, "mooring", 2, seen.Mark()), problem.Conflict, "procedure.changed")
		if err := c.PublishSeen(ctx, commission, "mooring", 2, now.Mark()); err != nil {
			t.Error(err)
		}
	})
}

// Editors see what they may edit: also the procedures of the bodies under their
// administration.
func TestDeskHoldsTheBodiesUnder(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		for administration, n := range map[string]int{"": 1, "north": 1, "north-harbour": 1, "south": 0} {
			rows, err := c.Rows(t.Context(), administration, model.Published, "", 10)
			if err != nil || len(rows) != n {
				t.Errorf("%q sees %d, %v", administration, len(rows), err)
			}
			counts, err := c.Counts(t.Context(), administration)
			if err != nil || counts[model.Published] != n {
				t.Errorf("%q counts %v, %v", administration, counts, err)
			}
		}
	})
}
