package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"
	_ "time/tzdata" // legal days are local days; a static binary brings its own zones

	"diwan/country"
	"diwan/internal/audit"
	"diwan/internal/blob"
	"diwan/internal/casework"
	"diwan/internal/casework/clock"
	"diwan/internal/casework/document"
	"diwan/internal/casework/form"
	"diwan/internal/casework/upload"
	"diwan/internal/catalogue"
	"diwan/internal/catalogue/search"
	"diwan/internal/credential"
	"diwan/internal/db"
	"diwan/internal/exchange"
	"diwan/internal/exchange/translog/stamp"
	"diwan/internal/gazette"
	lawsearch "diwan/internal/gazette/search"
	"diwan/internal/gov"
	"diwan/internal/i18n"
	"diwan/internal/identity"
	"diwan/internal/jobs"
	"diwan/internal/keys"
	"diwan/internal/mail"
	"diwan/internal/sms"
	"diwan/internal/verifier"
	"diwan/internal/wallet"
	"diwan/internal/web"
)

// App is the whole program, put together and not yet listening.
type App struct {
	Config      Config
	Country     *gov.Country
	DB          *db.DB
	Audit       *audit.Log
	Keys        *keys.Store
	Queue       *jobs.Queue
	Catalogue   *catalogue.Catalogue
	Gazette     *gazette.Gazette   // nil when the country pack describes none
	Exchange    *exchange.Exchange // nil when the country pack describes none
	Casework    *casework.Casework // nil when the country pack describes no clock
	Credentials *credential.Credentials
	Verifier    *verifier.Verifier
	presents    presenter
	Stamps      *stamp.Authority // nil when the exchange gives no time stamps
	Files       blob.Store
	Accounts    *identity.Accounts
	Site        *web.Site
	Handler     http.Handler

	credentialPlan credentialPlan

	log       *slog.Logger
	clock     gov.Clock
	pack      *country.Pack
	search    *search.Index
	lawSearch *lawsearch.Index   // nil without a gazette
	following *gazette.Following // of the law; nil without a gazette
	sender    mail.Sender        // nil where no mail is sent
	sms       sms.Sender         // nil where no short messages are sent
	caught    *mail.Catcher      // mails of the demonstration
	lock      *os.File
	caseFiles *caseFiles
	trials    atomic.Pointer[demoTrials] // of the demonstration, once it is prepared
	metrics   *metrics
	ready     atomic.Bool
	closers   []func() error
}

// Migrations returns the tables of all slices, in an order in which they can be
// made.
func Migrations() []db.Migrations {
	return []db.Migrations{audit.Migrations(), identity.Migrations(), catalogue.Migrations(), gazette.Migrations(), exchange.Migrations(), stamp.Migrations(), casework.Migrations(), casework.DeskMigrations(), upload.Migrations(), credential.Migrations(), verifier.Migrations()}
}

// MessageFolders returns the words of all slices.
func MessageFolders() []fs.FS {
	return []fs.FS{web.Messages(), identity.Messages(), catalogue.Messages(), catalogue.MessagesAPI(), gazette.Messages(), exchange.Messages(), casework.Messages(), casework.MessagesMore(), casework.DeskMessages(), clock.Messages(), form.Messages(), document.Messages(), upload.Messages(), credential.Messages(), verifier.Messages(), wallet.Messages()}
}

// TemplateSets returns the pages of all slices.
func TemplateSets() []web.TemplateSet {
	return []web.TemplateSet{identity.Templates(), catalogue.Templates(), gazette.Templates(), exchange.Templates(), casework.Templates(), credential.Templates(), verifier.Templates(), wallet.Templates()}
}

// LoadCountry reads the built-in country pack, or the one in a folder.
func LoadCountry(dir string) (*country.Pack, error) {
	if dir == "" {
		return country.Load(country.Builtin())
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("country pack: %w", err)
	}
	return country.Load(root.FS())
}

// Words loads the messages of all slices in the languages of a country.
func Words(p *country.Pack) (*i18n.Catalog, error) {
	var langs []string
	for _, l := range p.Country.Order() {
		langs = append(langs, string(l))
	}
	return i18n.Load(langs, MessageFolders(), p.Messages())
}

// OpenStores opens the data folder for this process alone, and the database with
// its tables up to date. Commands that need no pages use it.
func OpenStores(ctx context.Context, c Config, log *slog.Logger, clock gov.Clock) (*App, error) {
	a := &App{Config: c, log: log, clock: clock}
	if err := a.openStores(ctx); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func (a *App) openStores(ctx context.Context) (err error) {
	if err := os.MkdirAll(a.Config.Data, 0o700); err != nil {
		return fmt.Errorf("making the data folder: %w", err)
	}
	if a.lock, err = lockFolder(a.Config.Data); err != nil {
		return err
	}
	pack, err := LoadCountry(a.Config.Country)
	if err != nil {
		return err
	}
	a.pack, a.Country = pack, pack.Country
	if a.DB, err = db.Open(ctx, a.Config.Database); err != nil {
		return err
	}
	a.closers = append(a.closers, a.DB.Close)
	if err := Migrate(ctx, a.DB, a.log, a.clock); err != nil {
		return err
	}
	a.Audit = audit.New(a.DB, a.clock)
	a.Accounts = identity.NewAccounts(a.DB, a.Audit, a.clock)
	a.Accounts.Demo = a.Config.Demo
	a.Catalogue = catalogue.New(a.DB, a.Audit, a.clock, a.Country, a.log)
	if err := a.openGazette(pack); err != nil {
		return err
	}
	return a.loadStarter(ctx, pack)
}

// loadStarter brings the pack's starter catalogue in when it is not the one that
// was loaded last.
func (a *App) loadStarter(ctx context.Context, pack *country.Pack) error {
	digest, err := catalogue.StarterDigest(pack.Files)
	if err != nil {
		return err
	}
	if has, err := a.Catalogue.HasStarter(ctx, digest); has || err != nil {
		return err
	}
	starter, err := catalogue.ReadStarter(pack.Files, country.Decode)
	if err != nil {
		return err
	}
	n, err := a.Catalogue.LoadStarter(ctx, starter, digest)
	if err != nil {
		return fmt.Errorf("loading the starter catalogue: %w", err)
	}
	a.log.InfoContext(ctx, "starter catalogue loaded", "changes", n)
	return nil
}

// Migrate brings every table up to date.
func Migrate(ctx context.Context, d *db.DB, log *slog.Logger, clock gov.Clock) error {
	n, err := d.Migrate(ctx, Migrations(), clock.Now())
	if err != nil {
		return err
	}
	if n > 0 {
		log.InfoContext(ctx, "database migrated", "files", n)
	}
	return jobs.Migrate(ctx, d, log)
}

// Open builds everything: stores, keys, slices, pages.
func Open(ctx context.Context, c Config, log *slog.Logger, clock gov.Clock) (*App, error) {
	a, err := OpenStores(ctx, c, log, clock)
	if err != nil {
		return nil, err
	}
	if err := a.build(ctx); err != nil {
		a.Close()
		return nil, err
	}
	return a, nil
}

func (a *App) build(ctx context.Context) (err error) {
	if a.Keys, err = keys.Open(filepath.Join(a.Config.Data, "keys"), a.Config.SealFile, a.clock); err != nil {
		return err
	}
	if err := a.openIdentity(); err != nil {
		return err
	}
	if err := a.openExchange(ctx); err != nil {
		return err
	}
	if err := a.openStamps(ctx); err != nil {
		return err
	}
	if err := errors.Join(a.openCasework(ctx), a.openCredentials()); err != nil {
		return err
	}
	if err := a.openVerifier(ctx); err != nil {
		return err
	}
	if a.sender, err = a.mailer(); err != nil {
		return err
	}
	if a.sms, err = a.texter(); err != nil {
		return err
	}
	work := jobs.NewRegistry()
	a.Accounts.RegisterJobs(work)
	a.registerCaseworkJobs(work)
	a.registerCredentialJobs(work)
	a.registerVerifierJobs(work)
	if err := a.openFollowing(work); err != nil {
		return err
	}
	if a.Gazette != nil {
		a.Gazette.RegisterJobs(work)
	}
	if a.Queue, err = jobs.New(a.DB, work, a.log); err != nil {
		return err
	}
	if a.following != nil {
		a.following.Queue = a.Queue
	}
	if a.Config.Demo {
		if err := errors.Join(a.addSamplePeople(ctx), a.addDemoGazette(ctx)); err != nil {
			return err
		}
	}
	if err := errors.Join(a.openSearch(), a.openLawSearch()); err != nil {
		return err
	}
	// Pages are compiled while the catalogue is read: both take a while, and
	// nobody is served before both are done.
	site := make(chan error, 1)
	go func() { site <- a.openSite() }()
	if err := errors.Join(a.Catalogue.Refresh(ctx), <-site); err != nil {
		return err
	}
	if err := errors.Join(a.loadForms(ctx), a.loadTypes(ctx)); err != nil {
		return err
	}
	if a.Config.Demo {
		if err := a.addSampleAccounts(ctx); err != nil {
			return err
		}
	}
	if a.following != nil {
		a.following.Site = a.Site
	}
	a.metrics = newMetrics()
	a.Handler = a.routes()
	a.ready.Store(true)
	return nil
}

// openSite compiles the pages.
func (a *App) openSite() error {
	words, err := Words(a.pack)
	if err != nil {
		return err
	}
	a.Site, err = web.NewSite(web.Site{
		Country: a.Country, Words: words, Clock: a.clock, Log: a.log, Demo: a.Config.Demo,
		BaseURL: a.Config.PublicURL, Who: identity.Actor, Nav: a.navigation(), Foot: a.footer(),
	}, TemplateSets())
	return err
}

// Close frees everything that was opened, the data folder last.
func (a *App) Close() error {
	a.ready.Store(false)
	var err error
	for i := len(a.closers) - 1; i >= 0; i-- {
		err = errors.Join(err, a.closers[i]())
	}
	a.closers = nil
	if a.lock != nil {
		err = errors.Join(err, a.lock.Close())
		a.lock = nil
	}
	return err
}

// NewLogger returns the program's log.
func NewLogger(c Config, w *os.File) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	opts := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

// watchInterval is how soon a copy of the program shows what another published.
const watchInterval = 2 * time.Second
