// Package apptest opens the whole program for tests, on a folder of its own with
// the demonstration's data, and names one page of every kind that it has. A
// capability that adds a kind of page adds it to Pages, and every check of
// pages, with and without a browser, then covers it.
package apptest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"diwan/internal/app"
	"diwan/internal/app/seed"
	"diwan/internal/catalogue/model"
	"diwan/internal/gov"
)

// Open builds the program as a demonstration, not listening. It is closed when
// the test ends.
func Open(t testing.TB) *app.App {
	t.Helper()
	c := app.Defaults()
	c.Data, c.Listen, c.AdminListen, c.Demo = t.TempDir(), "127.0.0.1:0", "", true
	c.Database, c.SealFile = "sqlite:"+filepath.Join(c.Data, "diwan.db"), filepath.Join(c.Data, "seal.identity")
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	seed.Into(t, c.Data, true, func(dir string) error {
		first := c
		first.Data, first.Database, first.SealFile, first.Demo = dir, "sqlite:"+filepath.Join(dir, "diwan.db"), filepath.Join(dir, "seal.identity"), false
		a, err := app.Open(context.Background(), first, log, gov.SystemClock{})
		if err != nil {
			return err
		}
		return a.Close()
	})
	a, err := app.Open(t.Context(), c, log, new(app.DemoClock))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Close() })
	return a
}

// Serve starts the program on a free port and returns its address, "http://…"
// without a final slash. It stops when the test ends.
func Serve(t testing.TB, a *app.App) string {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	address, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- a.Serve(ctx, func(s string) { address <- s }) }()
	select {
	case s := <-address:
		t.Cleanup(func() {
			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		return "http://" + s
	case err := <-ended:
		stop()
		t.Fatalf("the program ended before it listened: %v", err)
		return ""
	}
}

// Logins of the demonstration's sample accounts.
const (
	Editor     = "editor.demo"
	Commission = "commission.demo"
	Steward    = "steward.demo"
	Keeper     = "exchange.demo" // of the exchange
	Person     = "salma.demo"
)

// actor is a sample account as it acts.
func actor(t testing.TB, a *app.App, login string) gov.Actor {
	t.Helper()
	acc, err := a.Accounts.ByLogin(t.Context(), login)
	if err != nil {
		t.Fatal(err)
	}
	return acc.Actor
}

// Draft saves a new version of a procedure in which the deadline is missing, so
// that the pages of the office have something to show: what blocks publication,
// two versions to compare, a history. It returns the id.
func Draft(t testing.TB, a *app.App) string {
	t.Helper()
	ctx := t.Context()
	editor, err := a.Accounts.ByLogin(ctx, Editor)
	if err != nil {
		t.Fatal(err)
	}
	shown := described(a, 1)
	body, err := json.Marshal(shown.Procedure)
	if err != nil {
		t.Fatal(err)
	}
	p := new(model.Procedure)
	if err := json.Unmarshal(body, p); err != nil {
		t.Fatal(err)
	}
	p.Deadline = model.Deadline{}
	for l, s := range p.Summary {
		p.Summary[l] = s + " (2)"
	}
	if _, err := a.Catalogue.Save(ctx, editor.Actor, p, shown.Version); err != nil {
		t.Fatal(err)
	}
	return p.ID
}

// Languages returns the codes of the program's languages, in their order.
func Languages(a *app.App) []gov.Lang { return a.Country.Order() }

func described(a *app.App, i int) *entry {
	popular := a.Catalogue.Snapshot().Popular()
	if i >= len(popular) {
		panic(fmt.Sprintf("the starter catalogue has only %d popular procedures", len(popular)))
	}
	return popular[i]
}
