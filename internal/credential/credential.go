package credential

import (
	"context"
	"embed"
	"log/slog"
	"sync"
	"time"

	"diwan/internal/audit"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/keys"
	"diwan/protocol/oauth"
	"diwan/protocol/openid4/jwe"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations returns the tables of credentials.
func Migrations() db.Migrations { return db.Embedded("credential", migrations) }

// Facts are what a decision rests on, by places that a claim can name: "case",
// "decision", "office", "applicant", "answers", "register".
type Facts map[string]any

// Sources tell what was decided.
type Sources interface {
	// Facts of the decision with an id, as Prepare was told it.
	Facts(ctx context.Context, source string) (Facts, error)
}

// Options are what a Credentials is made of.
type Options struct {
	DB      *db.DB
	Clock   gov.Clock
	Country *gov.Country
	Audit   *audit.Log
	Persons keys.Persons
	Keys    Signers
	Sources Sources
	// Base is the public address of this installation, without a slash at its end:
	// the identifier of the issuer.
	Base string
	// OfficeName says the name of an administration.
	OfficeName func(id string) gov.Text
	// May is the policy: nil when the actor may do the action to the document.
	May func(ctx context.Context, actor gov.Actor, action string, d *Document) error
	// Ready tells the person that a document can be fetched. It runs in the
	// transaction that makes it so.
	Ready func(ctx context.Context, tx *db.Tx, d *Document) error
	// Secret keys what needs no signature: nonces, and the order of places in lists.
	Secret []byte
	// StatusLife is how long a status list may be kept: a revocation reaches every
	// verifier after this time at the latest.
	StatusLife time.Duration
	// Wallets finds the key of who attests that a wallet is one, by the header and the
	// issuer of the attestation; nil trusts nobody.
	Wallets oauth.Trust
	// Attested refuses wallets without an attestation.
	Attested bool
	// Demonstration says that what is issued here is invented.
	Demonstration bool
	// Tolerant lets wallets in without DPoP, for those that don't know it.
	Tolerant bool
	Log      *slog.Logger
}

// Credentials keeps the documents of an installation and issues them.
type Credentials struct {
	Options
	sealer *keys.Sealer
	joint  *db.Together
	nonces *oauth.Nonces
	// requests is the key to which wallets encrypt, made when it is first asked for.
	requests func() (*jwe.Key, error)

	mu    sync.Mutex
	types map[string]*Type // published, by id and version; they never change
	certs map[string]certified
	lists map[string]*listCache
	space *space // places of status lists that this program may give
}

// New returns the credentials of a database. Its secret has 32 bytes or more.
func New(o Options) (*Credentials, error) {
	nonces, err := oauth.NewNonces(nonceLife, o.Secret)
	if err != nil {
		return nil, err
	}
	return &Credentials{Options: o, sealer: keys.NewSealer(o.Persons, o.Clock), joint: db.NewTogether(o.DB),
		types: map[string]*Type{}, certs: map[string]certified{}, lists: map[string]*listCache{}, nonces: nonces,
		requests: sync.OnceValues(func() (*jwe.Key, error) { return encryptionKey(o.Secret) })}, nil
}

func (s *Credentials) today() gov.Date { return gov.DateOf(s.Clock.Now(), s.Country.Zone()) }
