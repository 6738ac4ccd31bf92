package gazette

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

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

// worker runs the gazette's jobs: one import at a time, for it takes all cores,
// and one relinking. What waits for its turn leaves its place in the queue to
// others.
type worker struct {
	g              *Gazette
	reads, relinks chan struct{}
	// round is how long an import works before it leaves its place: less than the
	// queue allows a job. Then it goes on with what is left.
	round time.Duration
}

// importRound and turn are the defaults: how long an import works at a time, and
// after what pause a job looks again whether it is its turn.
const (
	importRound = 8 * time.Minute
	turn        = 3 * time.Second
)

func newWorker(g *Gazette) *worker {
	return &worker{g: g, reads: make(chan struct{}, 1), relinks: make(chan struct{}, 1), round: importRound}
}

// take takes the only place of a kind of work, or tells that it is taken.
func take(place chan struct{}) (free func(), ok bool) {
	select {
	case place <- struct{}{}:
		return func() { <-place }, true
	default:
		return nil, false
	}
}

// RegisterJobs adds this slice's work to the queue.
func (g *Gazette) RegisterJobs(r *jobs.Registry) {
	w := newWorker(g)
	jobs.Handle(r, w.read)
	jobs.Handle(r, w.relink)
}

// relink skips what a later run has done already: ten corrections in a row cost
// two runs, not ten.
func (w *worker) relink(ctx context.Context, a relinkArgs) error {
	free, ok := take(w.relinks)
	if !ok {
		return jobs.Later(turn)
	}
	defer free()
	linked, err := w.g.store.linked(ctx, w.g.store.db.Reader())
	if err != nil || a.After <= linked {
		return err
	}
	_, err = w.g.Relink(ctx)
	return err
}

// States of a source that waits for its job.
const SourceWaiting = "waiting"

// flagDemo marks a source that was written for the demonstration.
const flagDemo = "demo"

// subjectFlag gives the subject of the texts of a source.
const subjectFlag = "subject="

// read reads an uploaded file. A file that can't be read is done too: its row
// says why. Run again after a break, it goes on where it stopped; a long scan is
// read in rounds.
func (w *worker) read(ctx context.Context, a importArgs) error {
	free, ok := take(w.reads)
	if !ok {
		return jobs.Later(turn)
	}
	defer free()
	before, err := w.g.pagesRead(ctx, a.Source)
	if err != nil {
		return err
	}
	round, cancel := context.WithTimeout(ctx, w.round)
	defer cancel()
	err = w.readRound(round, a)
	if err == nil || ctx.Err() != nil || round.Err() == nil {
		return err
	}
	if now, perr := w.g.pagesRead(ctx, a.Source); perr != nil || now == before {
		return errors.Join(err, perr) // not one page in all that time
	}
	return jobs.Later(time.Second)
}

// pagesRead counts the pages of a source that are kept.
func (g *Gazette) pagesRead(ctx context.Context, source string) (n int, err error) {
	err = g.store.db.Reader().QueryRowContext(ctx, `SELECT count(*) FROM gazette_page WHERE source = $1`, source).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting the pages of %s: %w", source, err)
	}
	return n, nil
}

func (w *worker) readRound(ctx context.Context, a importArgs) error {
	g := w.g
	src, err := g.store.source(ctx, g.store.db.Reader(), a.Source)
	if err != nil {
		return fmt.Errorf("reading an uploaded file: %w", err)
	}
	if src.State == SourceDone { // it was kept; what it cites may still be to be looked up
		if stale, err := g.stale(ctx); err != nil || !stale {
			return err
		}
		_, err := g.Relink(ctx)
		return err
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
