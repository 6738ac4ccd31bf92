package search

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/blevesearch/bleve/v2/index/scorch"
	index "github.com/blevesearch/bleve_index_api"

	"diwan/internal/retrieval"
)

// Index is the search index of the law in a folder. It is safe for concurrent
// use; searches go on while it is brought up to date.
type Index struct {
	// Resolve, if it is set, gives the values of a facet that a word stands for in
	// a query: the ids of kinds by their names.
	Resolve func(facet, word string) []string

	// Weights are those of ranking; they are set before the first search.
	Weights Weights

	dir    string
	source Source
	log    *slog.Logger
	queue  *index.AnalysisQueue
	engine index.Index

	update  sync.Mutex // one at a time
	current atomic.Pointer[generation]
	ranker  atomic.Pointer[retrieval.Ranker]
	scratch sync.Pool
	bodies  *bodyCache
}

// Open opens the index in a folder, or makes an empty one. An index that is
// damaged or of another version is thrown away: Update fills it again. The
// folder belongs to one process.
func Open(dir string, source Source, log *slog.Logger) (*Index, error) {
	x := &Index{dir: dir, source: source, log: log, bodies: newBodyCache(bodyCacheBytes), Weights: DefaultWeights()}
	x.ranker.Store(&retrieval.Ranker{Stats: retrieval.NewStats()})
	x.queue = index.NewAnalysisQueue(runtime.GOMAXPROCS(0))
	err := x.open()
	if err == nil {
		if err = x.usable(); err == nil {
			return x, nil
		}
		x.engine.Close()
	}
	log.Info("law search: the index is made again", "reason", err)
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("removing the old search index: %w", err)
	}
	if err := x.open(); err != nil {
		return nil, err
	}
	b := index.NewBatch()
	b.SetInternal([]byte(keyVersion), []byte(version()))
	if err := x.engine.Batch(b); err != nil {
		x.engine.Close()
		return nil, fmt.Errorf("starting a search index: %w", err)
	}
	return x, nil
}

// usable tells whether what the folder holds can be believed: made the way this
// program makes it, and to its end.
func (x *Index) usable() error {
	have, err := x.internal(keyVersion)
	if err != nil {
		return err
	}
	if string(have) != version() {
		return errors.New("it is new, or of another version")
	}
	r, err := x.engine.Reader()
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := r.DocCount()
	if err != nil {
		return err
	}
	if b, err := r.GetInternal([]byte(keyHeld)); err != nil || len(b) == 0 && n > 0 {
		return cmp.Or(err, errors.New("it was not finished"))
	}
	return nil
}

// version names everything that decides how a text is indexed.
func version() string { return indexVersion + " " + retrieval.Version() }

// Keys of what the index keeps beside documents, written with them in one step.
const (
	keyVersion = "version"
	keyHeld    = "held"  // digests by text and work
	keyStats   = "stats" // of words, for ranking
)

func (x *Index) open() error {
	if err := os.MkdirAll(x.dir, 0o700); err != nil {
		return fmt.Errorf("opening the search index: %w", err)
	}
	// What is lost in a crash is fetched again from the source, so batches need
	// not wait for the disk.
	engine, err := scorch.NewScorch(scorch.Name, map[string]any{
		"path": filepath.Join(x.dir, "segments"), "unsafe_batch": true, "numSnapshotsToKeep": 1,
	}, x.queue)
	if err != nil {
		return fmt.Errorf("opening the search index: %w", err)
	}
	if err := engine.Open(); err != nil {
		return fmt.Errorf("opening the search index: %w", err)
	}
	x.engine = engine
	return nil
}

// internal reads a value that was written with the documents.
func (x *Index) internal(key string) ([]byte, error) {
	r, err := x.engine.Reader()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.GetInternal([]byte(key))
}

// Close frees the index. Searches that are running end first.
func (x *Index) Close() error {
	x.update.Lock()
	defer x.update.Unlock()
	var err error
	if g := x.current.Swap(nil); g != nil {
		err = g.close()
	}
	err = errors.Join(err, x.engine.Close())
	x.queue.Close()
	return err
}

// SetLexicon sets the translations that ranking and queries use from now on.
func (x *Index) SetLexicon(l *retrieval.Lexicon) {
	r := *x.ranker.Load()
	r.Lexicon = l
	x.ranker.Store(&r)
}

// Ready tells whether the index has answered to the source at least once.
func (x *Index) Ready() bool { return x.current.Load() != nil }

// Revision is the revision of the source that searches see; -1 none yet.
func (x *Index) Revision() int64 {
	if g := x.current.Load(); g != nil {
		return g.revision
	}
	return -1
}

// ErrNotReady says that nothing can be found yet: the index is being read for
// the first time.
var ErrNotReady = errors.New("the search index of the law is not ready")

// enter returns the generation to search in; leave must follow.
func (x *Index) enter() (*generation, error) {
	for {
		g := x.current.Load()
		if g == nil {
			return nil, ErrNotReady
		}
		if g.enter() {
			return g, nil
		}
	}
}

// refresh makes the documents that are there now the ones that are searched.
func (x *Index) refresh(ctx context.Context, revision int64) error {
	g, err := newGeneration(ctx, x, revision)
	if err != nil {
		return err
	}
	x.bodies.clear()
	if old := x.current.Swap(g); old != nil {
		return old.close()
	}
	return nil
}
