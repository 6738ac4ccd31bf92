package gazette

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"sync"

	"diwan/internal/blob"
	"diwan/internal/db"
	"diwan/internal/gazette/model"
	"diwan/internal/gov"
)

// Input is one file to import, with what a list beside it says of it.
type Input struct {
	Name    string
	Title   string
	Origin  string // address it was published at
	Lang    string // "" to find out
	Subject string
	Flags   []string
	Demo    bool // invented for the demonstration
	Open    func() ([]byte, error)
}

// Flags of an input that change how it is read.
const (
	FlagSuspect = "digits-suspect" // its numbers can't be trusted
	FlagGlyphs  = "glyph-codes"    // its characters are codes of glyphs, not text
)

// ImportOptions say how to import.
type ImportOptions struct {
	Actor   gov.Actor
	Workers int // files at once; 0 as many as cores
	// Again reads files that were read before, from their kept bytes and pages.
	Again    bool
	Progress func(Progress)
}

// Progress is how far an import is.
type Progress struct {
	Files, Done int
	Pages       int    // read so far
	Name        string // of the file that was just done
}

// ImportReport says what an import did.
type ImportReport struct {
	Files      int       `json:"files"`
	Read       int       `json:"read"`
	Known      int       `json:"known"` // passed over: these bytes were read before
	Failed     int       `json:"failed"`
	Pages      int       `json:"pages"`
	Works      int       `json:"works"` // new works
	Texts      int       `json:"texts"`
	Articles   int       `json:"articles"`
	Duplicates int       `json:"duplicates"` // texts that were there already, word for word
	Notices    []Notice  `json:"notices,omitempty"`
	Linked     LinkCount `json:"linked"`
}

// Notice is one line of the report: a file and what is the matter with it.
type Notice struct {
	Name   string `json:"name"`
	Code   string `json:"code"`
	Detail string `json:"detail,omitempty"`
	Fatal  bool   `json:"fatal,omitempty"` // nothing of the file was taken
}

// maxNotices bounds the report.
const maxNotices = 5000

func (r *ImportReport) notice(n Notice) {
	if n.Fatal {
		r.Failed++
	}
	if len(r.Notices) < maxNotices {
		r.Notices = append(r.Notices, n)
	}
}

// result is what reading one input gave.
type result struct {
	src     *Source
	found   []*found
	issue   *model.Issue
	known   bool
	demo    bool
	again   bool // the source was read before, at least in part
	done    bool // it was read whole before
	failure error
}

// Import reads files into the gazette. Each file is read once: its bytes name
// it. What can't be read is in the report with a reason, and the rest goes on;
// an error means that the import itself could not go on. Run again after a
// break, it goes on where it stopped.
func (g *Gazette) Import(ctx context.Context, inputs []Input, opts ImportOptions) (ImportReport, error) {
	report := ImportReport{Files: len(inputs)}
	done, err := g.store.doneHashes(ctx, g.store.db.Reader())
	if err != nil {
		return report, fmt.Errorf("looking up what was read before: %w", err)
	}
	if opts.Again {
		done = map[string]bool{}
	}
	w, err := newWriter(ctx, g, opts)
	if err != nil {
		return report, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := g.readAll(ctx, inputs, done, opts)
	progress := Progress{Files: len(inputs)}
	for r := range results {
		if err == nil {
			err = w.take(ctx, r, &report)
		}
		if err != nil {
			cancel() // the readers stop; what they had is dropped
			continue
		}
		progress.Done++
		progress.Pages = report.Pages
		progress.Name = r.src.Name
		if opts.Progress != nil {
			opts.Progress(progress)
		}
	}
	if err = errors.Join(err, ctx.Err()); err != nil {
		return report, fmt.Errorf("importing: %w", err)
	}
	if err := w.flush(ctx, &report); err != nil {
		return report, err
	}
	// Also when a run before this one was broken off between reading and linking.
	stale, err := g.stale(ctx)
	if err != nil {
		return report, err
	}
	sort.SliceStable(report.Notices, func(i, j int) bool { return report.Notices[i].Fatal && !report.Notices[j].Fatal })
	if stale || opts.Again {
		report.Linked, err = g.Relink(ctx)
	}
	return report, err
}

// stale reports that what cites and amends what was not computed since the last
// change.
func (g *Gazette) stale(ctx context.Context) (bool, error) {
	q := g.store.db.Reader()
	rev, err := g.store.revision(ctx, q)
	if err != nil {
		return false, err
	}
	linked, err := g.store.linked(ctx, q)
	return linked < rev, err
}

// readAll reads the inputs on several cores. The channel is closed when all are
// read or ctx ends.
func (g *Gazette) readAll(ctx context.Context, inputs []Input, done map[string]bool, opts ImportOptions) <-chan *result {
	workers := opts.Workers
	if workers <= 0 {
		workers = runtime.GOMAXPROCS(0) + 1 // one may wait for its file to reach the disk
	}
	out := make(chan *result, workers)
	next := make(chan Input)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for in := range next {
				select {
				case out <- g.readOne(ctx, in, done, opts):
				case <-ctx.Done():
					return
				}
			}
		})
	}
	go func() {
		defer close(out)
		defer wg.Wait()
		defer close(next)
		for _, in := range inputs {
			select {
			case next <- in:
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

// readOne reads one input. Whatever is wrong with it is in the result: one bad
// file must not stop the others.
func (g *Gazette) readOne(ctx context.Context, in Input, done map[string]bool, opts ImportOptions) (r *result) {
	src := &Source{Name: in.Name, Title: strings.ToValidUTF8(in.Title, ""), Origin: in.Origin, Lang: in.Lang, Flags: strings.Join(in.Flags, " "),
		State: SourceDone, Created: g.clock.Now(), By: opts.Actor.ID}
	r = &result{src: src}
	defer func() { // a file that upsets a reader must not end the program
		if p := recover(); p != nil {
			g.log.Error("reading a file broke off", "name", in.Name, "cause", p, "stack", string(debug.Stack()))
			r.failure = errors.New("reading it broke off")
		}
	}()
	data, err := in.Open()
	if err != nil {
		r.failure = err
		return r
	}
	src.SHA256, src.Bytes = blob.Key(data), int64(len(data))
	if done[src.SHA256] {
		r.known = true
		return r
	}
	before, err := g.store.sourceByHash(ctx, g.store.db.Reader(), src.SHA256)
	if err != nil {
		r.failure = err
		return r
	}
	if before != nil {
		src.ID, r.again, r.done = before.ID, true, before.State == SourceDone // its pages may have been read already
	} else {
		src.ID = gov.NewID()[:16]
	}
	if _, err := g.files.Put(data); err != nil {
		r.failure = err
		return r
	}
	r.failure = g.read(ctx, r, data, in)
	return r
}

// writer takes the results in one place, one transaction for many files.
type writer struct {
	g       *Gazette
	opts    ImportOptions
	known   *registry
	pending []*result
	events  []Event // of the works that are new in this transaction
}

// batch is how many files share a transaction: enough that its cost is spread,
// few enough that a break loses little.
const batch = 32

func newWriter(ctx context.Context, g *Gazette, opts ImportOptions) (*writer, error) {
	known, err := loadRegistry(ctx, g, g.store.db.Reader())
	return &writer{g: g, opts: opts, known: known}, err
}

func (w *writer) take(ctx context.Context, r *result, report *ImportReport) error {
	if r.known {
		report.Known++
		return nil
	}
	if r.failure != nil && ctx.Err() != nil {
		return r.failure // it is the import that ends, not the file that is bad
	}
	w.pending = append(w.pending, r)
	if len(w.pending) < batch {
		return nil
	}
	return w.flush(ctx, report)
}

// flush writes what was gathered. The transaction may run more than once, so
// what the registry learned in a run that did not end is forgotten first.
func (w *writer) flush(ctx context.Context, report *ImportReport) error {
	if len(w.pending) == 0 {
		return nil
	}
	now := w.g.clock.Now()
	var part ImportReport
	var rev int64
	w.known.keep()
	err := w.g.store.db.RunTx(ctx, func(tx *db.Tx) (err error) {
		w.known.rollback()
		part = ImportReport{}
		w.events = nil
		if rev, err = w.g.store.advance(ctx, tx); err != nil {
			return err
		}
		if rev != w.known.revision+1 { // somebody else wrote: another import, an officer
			if w.known, err = loadRegistry(ctx, w.g, tx); err != nil {
				return err
			}
			w.known.revision = rev - 1
		}
		for _, r := range w.pending {
			if known, err := w.settle(ctx, tx, r); err != nil || known {
				part.Known += one(known)
				if err != nil {
					return fmt.Errorf("%s: %w", r.src.Name, err)
				}
				continue
			}
			if err := w.write(ctx, tx, r, &part); err != nil {
				return fmt.Errorf("%s: %w", r.src.Name, err)
			}
		}
		if err := w.g.putEvents(ctx, tx, w.events, now); err != nil {
			return err
		}
		if err := w.g.audit.Append(ctx, tx, chain, w.opts.Actor, "import", w.pending[0].src.ID, map[string]string{
			"files": itoa(len(w.pending)), "first": w.pending[0].src.SHA256, "at": now.UTC().Format("2006-01-02")}); err != nil {
			return err
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keeping what was read: %w", err)
	}
	w.known.revision = rev
	w.pending = w.pending[:0]
	report.add(part)
	n := &w.g.counters
	n.read.Add(int64(part.Read))
	n.failed.Add(int64(part.Failed))
	n.pages.Add(int64(part.Pages))
	return nil
}

// settle gives a file the source of its bytes, when there is one by now: the same
// file may stand in a list twice, or be read by somebody else at the same time.
// known says that it was read there.
func (w *writer) settle(ctx context.Context, tx *db.Tx, r *result) (known bool, err error) {
	if r.src.ID == "" {
		return false, nil
	}
	before, err := w.g.store.sourceByHash(ctx, tx, r.src.SHA256)
	if err != nil || before == nil {
		return false, err
	}
	if before.State == SourceDone && (before.ID != r.src.ID || !r.done && !w.opts.Again) {
		return true, nil
	}
	if before.ID == r.src.ID {
		return false, nil
	}
	r.src.ID, r.again = before.ID, true
	for _, f := range r.found {
		f.text.Source = before.ID
	}
	return false, nil
}

func one(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (r *ImportReport) add(p ImportReport) {
	r.Read += p.Read
	r.Known += p.Known
	r.Failed += p.Failed
	r.Pages += p.Pages
	r.Works += p.Works
	r.Texts += p.Texts
	r.Articles += p.Articles
	r.Duplicates += p.Duplicates
	for _, n := range p.Notices {
		if len(r.Notices) < maxNotices {
			r.Notices = append(r.Notices, n)
		}
	}
}
