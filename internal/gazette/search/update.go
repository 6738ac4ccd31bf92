package search

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"maps"
	"runtime"
	"slices"
	"sync"
	"time"

	index "github.com/blevesearch/bleve_index_api"

	"diwan/internal/retrieval"
)

// Bounds of building: rows are analysed in batches, so that memory does not grow
// with the law.
const (
	batchRows    = 1500
	batchBytes   = 2 << 20
	textsAtATime = 400
	statsSample  = 12000 // rows whose words are counted
)

// held says what the index holds: a digest by text, and by work with its mark.
type held map[string]uint64

// Update brings the index up to the source's revision. It writes only texts
// whose rows changed; a stop in the middle costs what was not yet written.
func (x *Index) Update(ctx context.Context) error {
	x.update.Lock()
	defer x.update.Unlock()
	revision, err := x.source.Revision(ctx)
	if err != nil {
		return err
	}
	if g := x.current.Load(); g != nil && g.revision == revision {
		return nil
	}
	start := time.Now()
	have, err := x.held()
	if err != nil {
		return err
	}
	if len(have) > 0 && x.current.Load() == nil {
		// Old results are better than none while the new ones are read.
		if err := x.refresh(ctx, -1); err != nil {
			return err
		}
		x.loadStats()
	}
	u := &updating{x: x, ctx: ctx, have: have, now: held{}}
	if err := u.run(); err != nil {
		return err
	}
	if u.changed > 0 {
		if err := x.countWords(ctx, u); err != nil {
			return err
		}
	}
	if err := x.refresh(ctx, revision); err != nil {
		return err
	}
	if u.changed > 0 {
		x.log.InfoContext(ctx, "law search: index up to date", "revision", revision, "texts", len(u.now), "written", u.changed, "rows", u.rows,
			"seconds", time.Since(start).Round(10*time.Millisecond).Seconds())
	}
	return nil
}

// Watch follows the source until ctx ends.
func (x *Index) Watch(ctx context.Context, every time.Duration) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if err := x.Update(ctx); err != nil && ctx.Err() == nil {
			x.log.ErrorContext(ctx, "law search: following the law failed; it is tried again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (x *Index) held() (held, error) {
	b, err := x.internal(keyHeld)
	h := held{}
	if err != nil || len(b) == 0 {
		return h, err
	}
	if err := json.Unmarshal(b, &h); err != nil {
		return nil, fmt.Errorf("the search index is damaged: %w", err)
	}
	return h, nil
}

// updating is one run of Update.
type updating struct {
	x       *Index
	ctx     context.Context
	have    held // before
	now     held // of the source
	changed int
	rows    int
	told    time.Time
}

// run compares and writes. Rows are read once for the digests; those of changed
// texts once more, which for a first build is all of them, so a first build
// skips the comparing.
func (u *updating) run() error {
	var changed []string
	works := map[string]*Work{}
	err := u.x.source.Works(u.ctx, func(w *Work) error {
		d := digestOf(titles(w))
		u.now[workMark+w.ID] = d
		if u.have[workMark+w.ID] != d {
			works[w.ID] = w
		}
		return nil
	})
	if err != nil {
		return err
	}
	first := len(u.have) == 0
	if !first {
		if err := u.digests(); err != nil {
			return err
		}
		for t, d := range u.now {
			if u.have[t] != d && t[:1] != workMark {
				changed = append(changed, t)
			}
		}
		slices.Sort(changed)
	}
	w := newWriter(u, first)
	defer w.stop()
	for t := range u.have {
		if _, ok := u.now[t]; !ok || t[:1] != workMark && u.have[t] != u.now[t] {
			w.remove(t)
			u.changed++
		}
	}
	for _, id := range slices.Sorted(maps.Keys(works)) {
		w.work(works[id])
		u.changed++
	}
	if first {
		if err := w.texts(nil); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(changed, textsAtATime) {
		if err := w.texts(part); err != nil {
			return err
		}
	}
	return w.finish()
}

// digests reads every row once.
func (u *updating) digests() error {
	return u.x.source.Rows(u.ctx, nil, func(r *Row) error {
		u.now[r.Text] += rowDigest(r)
		return nil
	})
}

func digestOf(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// rowDigest is summed over the rows of a text, so their order does not matter.
func rowDigest(r *Row) uint64 {
	h := fnv.New64a()
	h.Write([]byte(rowID(r)))
	h.Write([]byte{0})
	h.Write([]byte(r.Heading))
	h.Write([]byte{0})
	h.Write([]byte(r.Body))
	return h.Sum64()
}

// writer hands batches to workers, each of which analyses and writes its own.
type writer struct {
	u     *updating
	batch *index.Batch
	n, b  int
	jobs  chan *index.Batch
	wg    sync.WaitGroup
	mu    sync.Mutex
	err   error
	done  bool
}

// newWriter starts the workers. Only a first build has several: later a row may
// be removed and written again, and the order counts.
func newWriter(u *updating, first bool) *writer {
	w := &writer{u: u, batch: index.NewBatch(), jobs: make(chan *index.Batch, 1)}
	workers := 1
	if first {
		workers = max(1, runtime.GOMAXPROCS(0))
	}
	for range workers {
		w.wg.Go(func() {
			for b := range w.jobs {
				if w.failed() != nil {
					continue
				}
				if err := u.x.engine.Batch(b); err != nil {
					w.fail(fmt.Errorf("writing the search index: %w", err))
				}
			}
		})
	}
	return w
}

func (w *writer) fail(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
}

func (w *writer) failed() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *writer) work(x *Work) {
	d := workDocument(x)
	w.batch.Update(d)
	w.added(len(d.ID()) + 200)
}

// remove drops the documents of a text, or that of a work.
func (w *writer) remove(t string) {
	if t[:1] == workMark {
		w.batch.Delete(t)
		w.added(0)
		return
	}
	if g := w.u.x.current.Load(); g != nil {
		for _, id := range g.documentsOf(t) {
			w.batch.Delete(id)
			w.added(0)
		}
	}
}

// texts writes the rows of texts; nil is all.
func (w *writer) texts(texts []string) error {
	first := texts == nil
	err := w.u.x.source.Rows(w.u.ctx, texts, func(r *Row) error {
		if first {
			w.u.now[r.Text] += rowDigest(r)
		}
		w.u.rows++
		w.batch.Update(rowDocument(r))
		w.added(len(r.Body))
		w.u.tell()
		return w.failed()
	})
	if first {
		w.u.changed += len(w.u.now)
	} else {
		w.u.changed += len(texts)
	}
	return err
}

func (w *writer) added(bytes int) {
	w.n++
	if w.b += bytes; w.n >= batchRows || w.b >= batchBytes {
		w.flush()
	}
}

func (w *writer) flush() {
	if w.n > 0 {
		w.jobs <- w.batch
		w.batch, w.n, w.b = index.NewBatch(), 0, 0
	}
}

func (w *writer) stop() {
	if !w.done {
		w.done = true
		close(w.jobs)
		w.wg.Wait()
	}
}

// finish writes what is left and then what the index holds: only now a reader of
// the folder may believe it.
func (w *writer) finish() error {
	w.flush()
	w.stop()
	if err := w.failed(); err != nil {
		return err
	}
	b, err := json.Marshal(w.u.now)
	if err != nil {
		return err
	}
	last := index.NewBatch()
	last.SetInternal([]byte(keyHeld), b)
	return w.u.x.engine.Batch(last)
}

const tellEvery = 5 * time.Second

// tell logs how far a long build is.
func (u *updating) tell() {
	if u.told.IsZero() {
		u.told = time.Now()
	}
	if u.rows%1000 == 0 && time.Since(u.told) > tellEvery {
		u.told = time.Now()
		u.x.log.InfoContext(u.ctx, "law search: reading the law", "rows", u.rows)
	}
}

// countWords counts the words of a sample of rows for ranking. It is done anew
// only when the law has grown or changed by a tenth: a few texts move no weight.
func (x *Index) countWords(ctx context.Context, u *updating) error {
	if x.ranker.Load().Stats.Docs() > 0 && u.changed*10 < len(u.now) {
		return nil
	}
	s := retrieval.NewStats()
	step, n := max(1, u.rows/statsSample), 0
	if u.rows == 0 {
		step = 5
	}
	err := x.source.Rows(ctx, nil, func(r *Row) error {
		if n++; n%step == 0 && s.Docs() < 2*statsSample {
			s.Add(r.Heading, r.Body[:cutAt(r.Body, maxCandidate)])
		}
		return nil
	})
	if err != nil {
		return err
	}
	b, err := s.MarshalBinary()
	if err != nil {
		return err
	}
	last := index.NewBatch()
	last.SetInternal([]byte(keyStats), b)
	if err := x.engine.Batch(last); err != nil {
		return err
	}
	x.setStats(s)
	return nil
}

func (x *Index) setStats(s *retrieval.Stats) {
	r := *x.ranker.Load()
	r.Stats = s
	x.ranker.Store(&r)
}

// loadStats takes the statistics that were kept. Without them ranking counts
// every word alike until the next count.
func (x *Index) loadStats() {
	b, err := x.internal(keyStats)
	if err != nil || len(b) == 0 {
		return
	}
	s := new(retrieval.Stats)
	if err := s.UnmarshalBinary(b); err == nil {
		x.setStats(s)
	}
}
