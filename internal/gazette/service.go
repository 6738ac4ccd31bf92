package gazette

import (
	"context"
	"log/slog"
	"runtime"

	"diwan/internal/audit"
	"diwan/internal/blob"
	"diwan/internal/db"
	"diwan/internal/gazette/extract"
	"diwan/internal/gazette/grammar"
	"diwan/internal/gov"
)

// Gazette is the slice: every use case is a method of it.
type Gazette struct {
	store    store
	audit    *audit.Log
	clock    gov.Clock
	country  *gov.Country
	grammar  *grammar.Grammar
	analysts Analysts
	files    blob.Store
	log      *slog.Logger
	tools    extract.Tools
	// pageSlots bounds the pages that are looked at at once, over all files.
	pageSlots chan struct{}
	listeners []listener // told what changed
	words     followWords
	counters  counters
	// prints and exports bound what makes the machine work long for one request.
	prints, exports chan struct{}
}

// chain names the gazette's chain in the audit trail.
const chain = "gazette"

// New returns the gazette of a database whose tables are up to date. The grammar
// is that of the country pack.
func New(d *db.DB, a *audit.Log, clock gov.Clock, country *gov.Country, g *grammar.Grammar, analysts Analysts, files blob.Store, log *slog.Logger) *Gazette {
	return &Gazette{store: store{d}, audit: a, clock: clock, country: country, grammar: g, analysts: analysts, files: files, log: log,
		tools: extract.FindTools(context.Background()), pageSlots: make(chan struct{}, max(1, runtime.GOMAXPROCS(0))),
		prints: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)), exports: make(chan struct{}, maxExports)}
}

// maxExports is how many exports of the whole collection are sent at once.
const maxExports = 6

// Revision counts what was published; it grows with every change.
func (g *Gazette) Revision(ctx context.Context) (int64, error) {
	return g.store.revision(ctx, g.store.db.Reader())
}

// Today is the day in the country, on which texts are in force or not.
func (g *Gazette) Today() gov.Date { return gov.DateOf(g.clock.Now(), g.country.Zone()) }
