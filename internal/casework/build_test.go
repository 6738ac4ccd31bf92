package casework

import (
	"context"
	"errors"
	"testing"

	"diwan/internal/casework/form"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// onePermit is a catalogue with one procedure.
type onePermit struct{}

func (onePermit) Terms(context.Context, string) (Terms, error) { return permit(), nil }
func (onePermit) Offices(context.Context, string) ([]Office, error) {
	return []Office{{ID: "commune"}}, nil
}
func (onePermit) Published(_ context.Context, id string) (form.Published, error) {
	if id != "permit" {
		return form.Published{}, problem.New(problem.NotFound, "procedure.not_found")
	}
	return form.Published{Procedure: id, Documents: []form.Required{{ID: "plans", Name: gov.Text{"fr": "Plans"}}}}, nil
}

func firstFacts() form.Facts {
	return form.Facts{Name: gov.Text{"fr": "Permis"}, Languages: []gov.Lang{"fr"}, Say: func(_ gov.Lang, key string) string { return key }}
}

func TestBuiltFormIsPublishedByAnotherHand(t *testing.T) {
	eachDesk(t, func(w *world) {
		w.Options.Procedures = onePermit{}
		editor, second, steward := gov.Actor{ID: "editor"}, gov.Actor{ID: "second"}, gov.Actor{ID: "steward"}
		version, err := w.NewForm(t.Context(), editor, "permit", "", firstFacts())
		if err != nil || version != "1" {
			t.Fatal(version, err)
		}
		open := func() *BuiltForm {
			t.Helper()
			f, err := w.Built(t.Context(), "permit", version)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		f := open()
		add := form.Op{Do: "page.add", At: -1, Page: &form.Page{ID: "extra", Title: gov.Text{"fr": "Passeport"},
			Questions: []form.Question{{Name: "extra", Kind: "file", Label: gov.Text{"fr": "Passeport"}, Evidence: "passport"}}}}
		if err := w.EditForm(t.Context(), second, "permit", version, f.Seen, add); err != nil {
			t.Fatal(err)
		}
		if err := w.EditForm(t.Context(), editor, "permit", version, f.Seen, add); code(err) != "form.changed" {
			t.Error("a change over a newer one:", err)
		}
		f = open()
		if found, err := w.Findings(t.Context(), f.Form); err != nil || len(form.Stops(found)) == 0 {
			t.Error("a document outside the procedure was not found:", found, err)
		}
		for _, by := range []gov.Actor{editor, second} {
			if _, err := w.PublishBuilt(t.Context(), by, "permit", version, f.Seen); code(err) != "form.own_hand" {
				t.Errorf("published by %s: %v", by.ID, err)
			}
		}
		if found, err := w.PublishBuilt(t.Context(), steward, "permit", version, f.Seen); code(err) != "form.unlawful" || len(found) == 0 {
			t.Error("an unlawful form was published:", err)
		}
		// A change that breaks the form changes nothing.
		bad := form.Op{Do: "question.remove", On: "extra", Name: "extra"}
		if _, ok := errors.AsType[form.Faults](w.EditForm(t.Context(), editor, "permit", version, f.Seen, bad)); !ok {
			t.Error("an empty page was kept")
		}
		if err := w.EditForm(t.Context(), editor, "permit", version, f.Seen, form.Op{Do: "page.remove", On: "extra"}); err != nil {
			t.Fatal(err)
		}
		seen := f.Seen
		if f = open(); f.Seen == seen {
			t.Fatal("the change is not there")
		}
		if _, err := w.PublishBuilt(t.Context(), steward, "permit", version, seen); code(err) != "form.changed" {
			t.Error("published what was not seen:", err)
		}
		if _, err := w.PublishBuilt(t.Context(), steward, "permit", version, f.Seen); err != nil {
			t.Fatal(err)
		}
		if err := w.EditForm(t.Context(), editor, "permit", version, f.Seen, add); code(err) != "form.version_published" {
			t.Error("a published form changed:", err)
		}
		next, err := w.NewForm(t.Context(), editor, "permit", version, firstFacts())
		if err != nil || next != "2" {
			t.Fatal(next, err)
		}
		version = next
		if err := w.DropForm(t.Context(), "permit", version, open().Seen); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Built(t.Context(), "permit", version); !problem.Is(err, problem.NotFound) {
			t.Error(err)
		}
	})
}
