package casework

import (
	"strings"
	"testing"

	"diwan/internal/gov"
	"diwan/internal/problem"
)

func TestCounter(t *testing.T) {
	eachDesk(t, func(w *world) {
		officer := gov.Actor{ID: "desk", Administration: "commune", Roles: []gov.Role{gov.RoleCounter}}
		colleague := gov.Actor{ID: "desk2", Administration: "commune", Roles: []gov.Role{gov.RoleCounter}}
		if _, err := NamedPresent(" x"); code(err) != "case.present_name" {
			t.Error(err)
		}
		if _, err := NamedPresent(strings.Repeat("long ", 5000)); code(err) != "case.present_name" {
			t.Error(err)
		}
		p, err := NamedPresent("Fatima \u202eZahra\x00  Alami")
		if err != nil || p.Name[""] != "Fatima Zahra Alami" || p.Account {
			t.Fatal(p, err)
		}
		if _, err := w.BeginPresent(t.Context(), officer, Present{ID: officer.ID}, Draft{Procedure: "permit"}); code(err) != "case.present_self" {
			t.Error("an officer filed for themselves:", err)
		}
		if _, err := w.BeginPresent(t.Context(), gov.Actor{}, p, Draft{}); err == nil {
			t.Error("nobody began a draft")
		}
		d, err := w.BeginPresent(t.Context(), officer, p, Draft{Procedure: "permit", Form: "1"})
		if err != nil || d.Administration != "commune" || d.Person != p.ID || d.Filer != officer.ID {
			t.Fatal(d, err)
		}
		got, err := w.PresentOf(t.Context(), officer, d.ID)
		if err != nil || got.ID != p.ID || got.Name[""] != p.Name[""] {
			t.Fatal(got, err)
		}
		if _, err := w.PresentOf(t.Context(), colleague, d.ID); !problem.Is(err, problem.NotFound) {
			t.Error("a colleague's draft:", err)
		}
		c := w.file(func(f *Filing) { f.Draft, f.Person, f.By, f.Channel = d.ID, p.ID, officer, Counter })
		if c.Channel != Counter || c.Filer != officer.ID || c.Person != p.ID {
			t.Errorf("%+v", c)
		}
		if got := w.notices("filed"); len(got) != 1 || got[0] != p.ID {
			t.Error("told of the filing:", got)
		}
		if err := w.DropDraft(t.Context(), officer.ID, d.ID); err != nil {
			t.Error(err)
		}
		if err := w.Chores(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
