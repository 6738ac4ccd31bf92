package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/fstest"
	"time"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/jobs"
)

type noteArgs struct{ Text string }

func (noteArgs) Kind() string { return "note" }

func TestJobsFollowTheirTransaction(t *testing.T) {
	sets := []db.Migrations{{Slice: "sample", Files: fstest.MapFS{"0001_fact.sql": {Data: []byte("CREATE TABLE fact (id TEXT PRIMARY KEY);\n")}}}}
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		log := slog.New(slog.DiscardHandler)
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		defer cancel()
		if err := jobs.Migrate(ctx, d, log); err != nil {
			t.Fatal(err)
		}
		done := make(chan string, 4)
		failed := false
		r := jobs.NewRegistry()
		jobs.Handle(r, func(_ context.Context, a noteArgs) error {
			if a.Text == "kept" && !failed {
				failed = true
				return errors.New("first try fails")
			}
			done <- a.Text
			return nil
		})
		q, err := jobs.New(d, r, log)
		if err != nil {
			t.Fatal(err)
		}
		boom := errors.New("boom")
		err = d.RunTx(ctx, func(tx *db.Tx) error {
			if err := q.Insert(ctx, tx, noteArgs{"lost"}); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) {
			t.Fatal(err)
		}
		err = d.RunTx(ctx, func(tx *db.Tx) error {
			if _, err := tx.Exec(`INSERT INTO fact (id) VALUES ('a')`); err != nil {
				return err
			}
			return q.Insert(ctx, tx, noteArgs{"kept"})
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := q.Start(ctx); err != nil {
			t.Fatal(err)
		}
		select {
		case got := <-done:
			if got != "kept" {
				t.Errorf("ran %q, whose transaction was rolled back", got)
			}
		case <-ctx.Done():
			t.Fatal("the job did not run")
		}
		if err := q.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
}
