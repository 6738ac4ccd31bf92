package casework

import (
	"context"
	"testing"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
)

// A hook's secret lies sealed. One from before is sealed by the program, once, and
// signs what it signed before.
func TestHookSecretsAreSealed(t *testing.T) {
	each(t, func(w *world) {
		fine := func(string) error { return nil }
		if err := w.MakeHook(t.Context(), head, "https://new.example", "whsec_new", fine); err != nil {
			t.Fatal(err)
		}
		err := w.DB.RunTx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO casework_hook (id, administration, address, secret, made_by, made_at, ended_at) VALUES ('old', $1, 'https://old.example', 'whsec_old', 'x', 1, 0)`, head.Administration)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		clears := func() (n int) {
			t.Helper()
			if err := w.DB.Reader().QueryRowContext(t.Context(), `SELECT COUNT(*) FROM casework_hook WHERE secret <> ''`).Scan(&n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := clears(); n != 1 {
			t.Fatalf("%d secrets in clear: the new one is among them", n)
		}
		signed := func() map[string]string {
			t.Helper()
			w.file()
			got := map[string]string{}
			err := w.SendEvents(t.Context(), "https://portal.example", func(_ context.Context, address, secret, _ string, _ time.Time, _ []byte) error {
				got[address] = secret
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		got := signed()
		if got["https://new.example"] != "whsec_new" || got["https://old.example"] != "whsec_old" || clears() != 0 {
			t.Fatalf("%v, %d in clear", got, clears())
		}
		if err := w.SealHooks(t.Context()); err != nil {
			t.Fatal(err)
		}
		address, err := w.RotateHook(t.Context(), head, "old", "whsec_next")
		if err != nil || address != "https://old.example" {
			t.Fatal(address, err)
		}
		if got := signed(); got["https://old.example"] != "whsec_next" || got["https://new.example"] != "whsec_new" {
			t.Error(got)
		}
		unit := head
		unit.Unit = "roads"
		elsewhere := gov.Actor{ID: "boss", Administration: "elsewhere", Roles: head.Roles}
		for name, by := range map[string]gov.Actor{"forbidden": unit, "program.hook_none": elsewhere} {
			if _, err := w.RotateHook(t.Context(), by, "old", "whsec_theirs"); codeOf(err) != name {
				t.Errorf("%s: %v", name, err)
			}
		}
		// A sealed secret that was moved to another address does not open there.
		err = w.DB.RunTx(t.Context(), func(tx *db.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE casework_hook SET sealed = (SELECT sealed FROM casework_hook WHERE id = 'old') WHERE id <> 'old'`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		w.file()
		if err := w.SendEvents(t.Context(), "x", func(context.Context, string, string, string, time.Time, []byte) error { return nil }); err == nil {
			t.Error("a secret of another address signs")
		}
	})
}

func TestTokenGetsANewSecret(t *testing.T) {
	each(t, func(w *world) {
		old, made, err := w.MakeToken(t.Context(), head, Token{Name: "software", Unit: "roads", Scopes: []string{ScopeRead}})
		if err != nil {
			t.Fatal(err)
		}
		unit := head
		for who, by := range map[string]gov.Actor{"another unit": {ID: "b", Administration: head.Administration, Unit: "water", Roles: head.Roles}, "elsewhere": {ID: "c", Administration: "elsewhere", Roles: head.Roles}} {
			if _, _, err := w.RotateToken(t.Context(), by, made.ID); codeOf(err) != "program.token_none" {
				t.Errorf("%s: %v", who, err)
			}
		}
		unit.Unit = "roads"
		secret, same, err := w.RotateToken(t.Context(), unit, made.ID)
		if err != nil || secret == old || same.ID != made.ID || same.Until != made.Until {
			t.Fatal(same, err)
		}
		if _, err := w.Bearer(t.Context(), old); codeOf(err) != "program.token" {
			t.Error("the old secret:", err)
		}
		if got, err := w.Bearer(t.Context(), secret); err != nil || got.ID != made.ID {
			t.Error(got, err)
		}
		if err := w.RevokeToken(t.Context(), head, made.ID); err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.RotateToken(t.Context(), head, made.ID); codeOf(err) != "program.token_none" {
			t.Error("a revoked token woke up:", err)
		}
	})
}
