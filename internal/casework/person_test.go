package casework

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"diwan/internal/casework/clock"
	"diwan/internal/casework/form"
	"diwan/internal/gov"
)

// exported reads an export back, all of it in one text.
func exported(t *testing.T, w *world, person string) (names []string, text string) {
	t.Helper()
	var b bytes.Buffer
	if err := w.Export(t.Context(), person, &b); err != nil {
		t.Fatal(err)
	}
	z, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		part, err := io.ReadAll(r)
		if err != nil || !json.Valid(part) {
			t.Fatalf("%s: %v", f.Name, err)
		}
		names, text = append(names, f.Name), text+string(part)
	}
	return names, text
}

type quickFetcher struct{}

func (quickFetcher) Fetch(context.Context, Call) (Copy, error) {
	return Copy{Values: []Value{{Label: gov.Text{"fr": "Titre"}, Text: "T/1234"}}}, nil
}

func TestExportHoldsEverythingOfOnePerson(t *testing.T) {
	each(t, func(w *world) {
		w.Fetcher = quickFetcher{}
		c := w.file()
		w.act(salma, c, Action{Type: MessageSent, Text: "my message"})
		w.act(studies, c, Action{Type: Noted, Text: "their note"})
		w.file(func(f *Filing) { f.Person, f.By, f.Applicant = idris.ID, idris, gov.Text{"fr": "Idris"} })
		d, err := w.Begin(t.Context(), Draft{Person: salma.ID, Filer: salma.ID, Administration: "commune", Procedure: "permit", Answers: []byte(`{"draft":"mine"}`)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Consent(t.Context(), &d, "title", &form.Once{Service: "titles", From: "land", Days: 30}, form.Answers{}); err != nil {
			t.Fatal(err)
		}
		names, text := exported(t, w, salma.ID)
		for _, want := range []string{"my message", "their note", `"floors": 2`, "Salma", `"draft": "mine"`, "T/1234", c.Number, "filed"} {
			if !strings.Contains(text, want) {
				t.Errorf("the export lacks %q", want)
			}
		}
		if strings.Contains(text, "Idris") || len(names) < 4 {
			t.Error("the export holds somebody else's, or lacks files:", names)
		}
	})
}

func TestEraseLeavesWhatMustStay(t *testing.T) {
	each(t, func(w *world) {
		w.Retention.MessagesDays = 365
		w.Fetcher = quickFetcher{}
		old := w.file()
		w.act(salma, old, Action{Type: MessageSent, Text: "old message"})
		w.act(signer, old, Action{Type: string(clock.Granted), Text: "reasons"})
		w.hand.days(300)
		recent := w.file()
		w.act(salma, recent, Action{Type: MessageSent, Text: "recent message"})
		w.act(signer, recent, Action{Type: string(clock.Granted)})
		w.hand.days(70)
		open := w.file()
		w.act(salma, open, Action{Type: MessageSent, Text: "open message"})
		theirs := w.file(func(f *Filing) { f.Person, f.By = idris.ID, idris })
		d, err := w.Begin(t.Context(), Draft{Person: salma.ID, Filer: salma.ID, Administration: "commune", Procedure: "permit"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Consent(t.Context(), &d, "title", &form.Once{Service: "titles", From: "land", Days: 30}, form.Answers{}); err != nil {
			t.Fatal(err)
		}
		got, err := w.Erase(t.Context(), salma.ID)
		if err != nil || got.Drafts != 1 || got.Consents != 1 || got.Messages != 1 || len(got.Open) != 1 || got.Open[0] != open.Number || len(got.Recent) != 1 || len(got.Kept) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		_, text := exported(t, w, salma.ID)
		if strings.Contains(text, "old message") || strings.Contains(text, "T/1234") {
			t.Error("what was erased is there")
		}
		for _, want := range []string{"recent message", "open message", "reasons"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is gone", want)
			}
		}
		for _, number := range []string{old.Number, recent.Number, open.Number, theirs.Number} {
			c, err := w.Find(t.Context(), studies, number)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Journal(t.Context(), c); err != nil {
				t.Errorf("the journal of %s: %v", number, err)
			}
		}
		if got, err = w.Erase(t.Context(), salma.ID); err != nil || got.Drafts+got.Consents+got.Messages != 0 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}
