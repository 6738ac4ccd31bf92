package gazette

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/jobs"
)

// importArgs orders a file that was uploaded to be read.
type importArgs struct {
	Source string `json:"source"`
	Actor  string `json:"actor"` // account
}

// Kind names the job.
func (importArgs) Kind() string { return "gazette_import" }

// relinkArgs orders citations, amendments and states to be computed anew, so
// that they hold what was there at a revision.
type relinkArgs struct {
	After int64 `json:"after"`
}

// Kind names the job.
func (relinkArgs) Kind() string { return "gazette_relink" }

// worker runs the gazette's jobs one at a time: two imports at once would not
// know of each other's works.
type worker struct {
	g      *Gazette
	mu     sync.Mutex
	linked atomic.Int64 // the revision that the last relinking saw at least
}

// RegisterJobs adds this slice's work to the queue.
func (g *Gazette) RegisterJobs(r *jobs.Registry) {
	w := &worker{g: g}
	jobs.Handle(r, w.read)
	jobs.Handle(r, w.relink)
}

// relink skips what a later run has done already: ten corrections in a row cost
// two runs, not ten.
func (w *worker) relink(ctx context.Context, a relinkArgs) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if a.After <= w.linked.Load() {
		return nil
	}
	rev, err := w.g.Revision(ctx)
	if err != nil {
		return err
	}
	if _, err := w.g.Relink(ctx); err != nil {
		return err
	}
	w.linked.Store(rev)
	return nil
}

// States of a source that waits for its job.
const SourceWaiting = "waiting"

// flagDemo marks a source that was written for the demonstration.
const flagDemo = "demo"

// subjectFlag gives the subject of the texts of a source.
const subjectFlag = "subject="

// read reads an uploaded file. A file that can't be read is done too: its row
// says why. Run again after a break, it goes on where it stopped.
func (w *worker) read(ctx context.Context, a importArgs) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	g := w.g
	src, err := g.store.source(ctx, g.store.db.Reader(), a.Source)
	if err != nil {
		return fmt.Errorf("reading an uploaded file: %w", err)
	}
	if src.State == SourceDone {
		return nil
	}
	in := Input{Name: src.Name, Title: src.Title, Origin: src.Origin, Lang: src.Lang, Flags: strings.Fields(src.Flags),
		Open: func() ([]byte, error) { return g.files.Get(src.SHA256) }}
	in.Demo = slices.Contains(in.Flags, flagDemo)
	for _, f := range in.Flags {
		if s, ok := strings.CutPrefix(f, subjectFlag); ok {
			in.Subject = s
		}
	}
	report, err := g.Import(ctx, []Input{in}, ImportOptions{Actor: gov.Actor{ID: a.Actor}})
	if err != nil {
		return err
	}
	var notes []Notice
	for _, n := range report.Notices {
		if !n.Fatal {
			notes = append(notes, n)
		}
	}
	if len(notes) == 0 {
		return nil
	}
	return g.store.db.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE gazette_source SET detail = $1 WHERE id = $2 AND state = $3`, jsonOf(notes), src.ID, SourceDone)
		return err
	})
}
