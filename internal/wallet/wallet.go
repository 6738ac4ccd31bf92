package wallet

import (
	"context"
	"crypto/ecdsa"
	"embed"
	"errors"
	"io/fs"
	"net/http"
	"time"

	"diwan/internal/gov"
	"diwan/internal/web"
)

//go:embed all:app
var appFiles embed.FS

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed messages/*.json
var messageFiles embed.FS

// Templates returns the pages about devices.
func Templates() web.TemplateSet {
	return web.TemplateSet{Slice: "wallet", Files: web.Folder(templateFiles, "templates")}
}

// Messages returns the words of those pages.
func Messages() fs.FS { return web.Folder(messageFiles, "messages") }

// Device is a copy of the wallet that a person registered.
type Device struct {
	ID      string
	Name    string // as its holder calls it
	Since   time.Time
	Revoked bool
	Copies  int // of documents that were issued to it and are not revoked
}

// Attestation vouches for a device towards the issuer.
type Attestation struct {
	Text string // attestation-based client authentication, draft -07 §5.1
	Ends time.Time
}

// Devices are kept by the issuer. Errors for people are of package problem.
type Devices interface {
	// Register keeps a device of a person by the thumbprint of its key (RFC 7638).
	Register(ctx context.Context, actor gov.Actor, name, thumbprint string) (id string, err error)
	// Attest vouches for a device whose key was just proved. It refuses one that is
	// revoked, and one that was registered with another key. The client is empty for the
	// application itself.
	Attest(ctx context.Context, id string, key *ecdsa.PublicKey, client string) (Attestation, error)
	List(ctx context.Context, actor gov.Actor) ([]Device, error)
	// Revoke makes what a lost device holds worthless.
	Revoke(ctx context.Context, actor gov.Actor, id string) error
}

// Options are what an App is made of.
type Options struct {
	Site *web.Site
	// Base is the public address of the installation, which is the identifier of its
	// issuer too, without a slash at its end.
	Base string
	// Client is the identifier of the wallet as a client of the issuer.
	Client string
	// Anchors are the certificates, in DER, above those whom this installation
	// trusts: the application takes them from its own address, over TLS.
	Anchors func(context.Context) ([][]byte, error)
	Devices Devices
	// Read finds codes in pictures, for browsers that can't; nil where nothing does.
	Read Reader
	// Session makes who is signed in known to [web.Site.Who] for the calls of the
	// application; nil leaves them as they are.
	Session func(http.Handler) http.Handler
	// Limit bounds how often one address may register or renew; nil does not.
	Limit func(http.Handler) http.Handler
}

// App serves the wallet.
type App struct {
	Options
	files     map[string]*web.Rendered // by path below the version
	pages     map[gov.Lang]*web.Rendered
	named     map[string]*web.Rendered // manifests and the service worker, by path
	languages []gov.Language           // of the country, that the application has words in
	// version names the content of all files together.
	version string
	looking chan struct{} // held by the one whose picture is looked at: each takes memory
}

// New prepares the application: its files, each compressed once.
func New(o Options) (*App, error) {
	if o.Base == "" || o.Client == "" || o.Anchors == nil || o.Devices == nil {
		return nil, errors.New("the wallet needs an address, a client, anchors and devices")
	}
	a := &App{Options: o, files: map[string]*web.Rendered{}, pages: map[gov.Lang]*web.Rendered{}, named: map[string]*web.Rendered{}, looking: make(chan struct{}, 1)}
	if err := a.load(); err != nil {
		return nil, err
	}
	return a, nil
}

// Root is the address of the application, below which everything of it lies.
const Root = "/wallet/"

// Register mounts the application.
func (a *App) Register(mux *http.ServeMux) {
	mux.HandleFunc("GET "+Root+"{$}", a.page)
	mux.HandleFunc("GET /wallet", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, Root, http.StatusMovedPermanently) })
	mux.HandleFunc("GET "+Root+"v/{version}/{file...}", a.file)
	mux.HandleFunc("GET "+Root+"config.json", a.config)
	for path, p := range a.named {
		mux.Handle("GET "+path, p)
	}
	if a.Read != nil {
		mux.Handle("POST "+codesPath, a.limited(http.HandlerFunc(a.codes)))
	}
	mux.Handle("POST "+devicesPath, a.known(http.HandlerFunc(a.register)))
	mux.Handle("POST "+devicesPath+"/{device}/attestation", a.known(http.HandlerFunc(a.attest)))
}

func (a *App) known(next http.Handler) http.Handler {
	if a.Session != nil {
		next = a.Session(next)
	}
	return a.limited(next)
}

func (a *App) limited(next http.Handler) http.Handler {
	if a.Limit != nil {
		next = a.Limit(next)
	}
	return next
}
