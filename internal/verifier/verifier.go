package verifier

import (
	"context"
	"crypto"
	"crypto/x509"
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"diwan/internal/audit"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/verifier/check"
	"diwan/internal/web"
	"diwan/protocol/openid4/vp"
)

//go:embed migrations/*.sql
var migrationFiles embed.FS

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed messages/*.json
var messageFiles embed.FS

// Migrations returns the tables of the slice.
func Migrations() db.Migrations { return db.Embedded("verifier", migrationFiles) }

// Templates returns its pages.
func Templates() web.TemplateSet {
	return web.TemplateSet{Slice: "verifier", Files: web.Folder(templateFiles, "templates")}
}

// Messages returns its words.
func Messages() fs.FS { return web.Folder(messageFiles, "messages") }

// Identity returns the key of a verifier with its certificate and what leads to the
// anchor, without the anchor: by the certificate a wallet knows who asks.
type Identity func(ctx context.Context, verifier string, name gov.Text) (crypto.Signer, []*x509.Certificate, error)

// Standing is what is told of a document by its number: nothing about a person.
type Standing struct {
	State         string // "valid", "suspended", "revoked" or "expired"
	Type, Issuer  gov.Text
	From, Until   gov.Date // zero where there is none
	Demonstration bool
}

// Numbers tells how a document stands, by the number that is printed on it. An unknown
// number is an error of kind NotFound.
type Numbers interface {
	Standing(ctx context.Context, number string) (Standing, error)
}

// Options are what a Verifier is made of.
type Options struct {
	DB      *db.DB
	Clock   gov.Clock
	Country *gov.Country
	Log     *slog.Logger
	// Base is the public address, without a final slash.
	Base string
	// Secret, of 32 bytes, seals what was disclosed; it is the installation's.
	Secret   []byte
	Identity Identity
	// Kit is what documents are checked with.
	Kit *check.Kit
	// Render makes pictures of PDF files; nil where nothing can.
	Render check.Render
	// Numbers is nil where documents can't be looked up by number.
	Numbers Numbers
	// Demo lets everybody ask as the verifiers that are for demonstration.
	Demo bool
	// Others finds those who ask without being registered one by one: administrations, whose
	// procedures say what they may ask. The error for nobody is of kind NotFound; nil knows none.
	Others func(ctx context.Context, id string) (*Party, error)
	// Owns tells whether a document that was found good is about a person; nil where no
	// request names one, and then those that do are refused.
	Owns func(ctx context.Context, person string, x check.Result) (bool, error)
	// Audit is the trail of who asked for what; nil keeps none.
	Audit *audit.Log
	// Vouch signs that the holder of a certificate is a registered verifier, for wallets to
	// know it by; nil where nobody does.
	Vouch func(ctx context.Context, cert *x509.Certificate, until time.Time) (string, error)
	// Scheme begins the links that open a wallet; empty is "openid4vp://".
	Scheme string
	// Life is how long a request waits for its answer; 0 is five minutes.
	Life time.Duration
}

// Verifier keeps the requests of an installation.
type Verifier struct {
	Options
	seal   *sealer
	images chan struct{} // one picture is looked at, at a time: each takes much memory

	mu      sync.Mutex
	parties map[string]*Party
	read    time.Time
}

// New returns the verifier of a database.
func New(o Options) (*Verifier, error) {
	if o.Kit == nil || o.Identity == nil || o.Base == "" {
		return nil, errors.New("a verifier needs a kit, an identity and an address")
	}
	if o.Scheme == "" {
		o.Scheme = vp.Scheme
	}
	if o.Life == 0 {
		o.Life = 5 * time.Minute
	}
	o.Base = strings.TrimSuffix(o.Base, "/")
	s, err := newSealer(o.Secret)
	if err != nil {
		return nil, err
	}
	return &Verifier{Options: o, seal: s, images: make(chan struct{}, 1)}, nil
}
