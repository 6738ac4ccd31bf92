package credential

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/protocol/oauth"
)

// Kinds of grants.
const (
	preAuthorized = "pre-authorized"
	pushed        = "pushed"
	authorized    = "authorized"
)

// States of a grant.
const (
	grantOpen = "open"
	grantUsed = "used"
	grantDead = "dead" // too many wrong transaction codes
)

// Lives of grants, and how often a transaction code may be wrong.
const (
	offerLife  = 15 * time.Minute
	pushedLife = 90 * time.Second
	pageLife   = 15 * time.Minute // for the person to sign in and decide
	codeLife   = time.Minute
	maxTries   = 3
	txDigits   = 6
)

// granted is what a grant lets its holder fetch.
type granted struct {
	Person string `json:"person"`
	// Document is the one that was offered; Types are those that the person chose in
	// the authorization flow.
	Document string   `json:"document,omitempty"`
	Types    []string `json:"types,omitempty"` // configurations
	// Request is the pushed request, until it has become a code.
	Request *oauth.AuthorizationRequest `json:"request,omitempty"`
	Client  string                      `json:"client,omitempty"`
	// Copy is the thumbprint of the attested copy of the wallet, Wallet its name here.
	Copy   string `json:"copy,omitempty"`
	Wallet string `json:"wallet,omitempty"`
	// Code is the offer's code in clear while it waits at its address, by reference.
	Configurations []string `json:"configurations,omitempty"`
}

// grant is a row of its table.
type grant struct {
	id, kind string
	tx       string // hash of the transaction code, empty without one
	tries    int
	body     granted
	state    string
	ends     time.Time
}

// digest is what is kept of a secret that somebody brings back.
func digest(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// txDigest is what is kept of a transaction code. It has few digits: without the
// installation's secret whoever reads the database can't try them all.
func (s *Credentials) txDigest(grant, code string) string {
	m := hmac.New(sha256.New, s.Secret)
	m.Write([]byte("transaction code " + grant + " " + code))
	return hex.EncodeToString(m.Sum(nil))
}

func newSecret() string {
	b := make([]byte, 32)
	if _, err := rand.Read(b); err != nil {
		panic(err) // it does not fail, says its documentation
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

func newTxCode() string {
	n, err := rand.Int(rand.Reader, new(big.Int).Exp(big.NewInt(10), big.NewInt(txDigits), nil))
	if err != nil {
		panic(err) // the source of randomness is gone
	}
	return fmt.Sprintf("%0*d", txDigits, n)
}

func (s *Credentials) insertGrant(ctx context.Context, tx *db.Tx, g *grant, code string) error {
	body, err := json.Marshal(g.body)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO credential_grant (id, kind, code, tx_code, tries, body, state, ends_at) VALUES ($1, $2, $3, $4, 0, $5, $6, $7)`,
		g.id, g.kind, code, g.tx, string(body), grantOpen, db.Micros(g.ends))
	if err != nil {
		return fmt.Errorf("keeping a grant: %w", err)
	}
	return nil
}

var errNoGrant = errors.New("there is no such grant")

func readGrant(ctx context.Context, q querier, where, arg string) (*grant, error) {
	g := &grant{}
	var body string
	var ends int64
	err := q.QueryRowContext(ctx, `SELECT id, kind, tx_code, tries, body, state, ends_at FROM credential_grant WHERE `+where, arg).Scan(&g.id, &g.kind, &g.tx, &g.tries, &body, &g.state, &ends)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNoGrant
	}
	if err != nil {
		return nil, fmt.Errorf("reading a grant: %w", err)
	}
	g.ends = db.Time(ends)
	if err := json.Unmarshal([]byte(body), &g.body); err != nil {
		return nil, fmt.Errorf("reading a grant: %w", err)
	}
	return g, nil
}

// Offer is what a person takes to their wallet.
type Offer struct {
	ID   string
	Code string // pre-authorized code; it is told once
	// TxCode is told to the person apart from the offer: who only saw the code on
	// their screen can't use it.
	TxCode         string
	Configurations []string
	Ends           time.Time
}

// Offer makes a fresh offer of a document to its person: for a wallet, once.
func (s *Credentials) Offer(ctx context.Context, actor gov.Actor, id string) (*Offer, error) {
	d, err := s.Find(ctx, actor, MayHold, id)
	if err != nil {
		return nil, err
	}
	return s.OfferOf(ctx, d)
}

// OfferOf offers a document without asking the policy, which the caller has done.
func (s *Credentials) OfferOf(ctx context.Context, d *Document) (*Offer, error) {
	if !d.Valid(s.today()) {
		return nil, problem.New(problem.Conflict, "credential.not_valid")
	}
	t, err := s.TypeVersion(ctx, d.Type, d.Version)
	if err != nil {
		return nil, err
	}
	o := &Offer{ID: gov.NewID(), Code: newSecret(), TxCode: newTxCode(), Ends: s.Clock.Now().Add(offerLife)}
	for _, f := range t.Formats() {
		o.Configurations = append(o.Configurations, Configuration(t.ID, f))
	}
	g := &grant{id: o.ID, kind: preAuthorized, tx: s.txDigest(o.ID, o.TxCode), ends: o.Ends, body: granted{Person: d.Person, Document: d.ID, Configurations: o.Configurations}}
	err = s.DB.RunTx(ctx, func(tx *db.Tx) error { return s.insertGrant(ctx, tx, g, digest(o.Code)) })
	return o, err
}

// redeem takes a grant for a token. Wrong transaction codes are counted first, so that
// those who try in parallel have no more tries than those who try in turn, and the
// grant is used up only when everything is right. The outcome is the code to answer,
// nil when it was taken; err is a failure of the store.
func (s *Credentials) redeem(ctx context.Context, tx *db.Tx, r *oauth.TokenRequest, now time.Time) (g *grant, refused, err error) {
	kind, code := preAuthorized, r.PreAuthorizedCode
	if r.GrantType == oauth.GrantCode {
		kind, code = authorized, r.Code
	}
	g, err = readGrant(ctx, tx, `code = $1 AND code <> ''`, digest(code))
	if errors.Is(err, errNoGrant) {
		return nil, fmt.Errorf("%w: the code is unknown", oauth.InvalidGrant), nil
	}
	if err != nil {
		return nil, nil, err
	}
	switch {
	case g.kind != kind || g.state == grantUsed:
		return nil, fmt.Errorf("%w: the code was used", oauth.InvalidGrant), nil
	case g.state == grantDead:
		return nil, fmt.Errorf("%w: the transaction code was wrong too often", oauth.InvalidGrant), nil
	case !now.Before(g.ends):
		return nil, fmt.Errorf("%w: the code has expired", oauth.InvalidGrant), nil
	case g.tx == "" && r.TxCode != "":
		return nil, fmt.Errorf("%w: no transaction code is expected", oauth.InvalidRequest), nil
	case g.tx != "" && r.TxCode == "":
		return nil, fmt.Errorf("%w: the transaction code is missing", oauth.InvalidRequest), nil
	}
	if g.tx != "" && subtle.ConstantTimeCompare([]byte(g.tx), []byte(s.txDigest(g.id, r.TxCode))) != 1 {
		state := grantOpen
		if g.tries+1 >= maxTries {
			state = grantDead
		}
		_, err := tx.ExecContext(ctx, `UPDATE credential_grant SET tries = tries + 1, state = $2 WHERE id = $1 AND state = $3`, g.id, state, grantOpen)
		return nil, fmt.Errorf("%w: the transaction code is wrong", oauth.InvalidGrant), err
	}
	if q := g.body.Request; q != nil {
		if err := codeFits(q, r); err != nil {
			return nil, err, nil
		}
	}
	res, err := tx.ExecContext(ctx, `UPDATE credential_grant SET state = $2 WHERE id = $1 AND state = $3`, g.id, grantUsed, grantOpen)
	if err != nil {
		return nil, nil, err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return nil, fmt.Errorf("%w: the code was used", oauth.InvalidGrant), err
	}
	return g, nil, nil
}

// codeFits checks that a code is redeemed by who asked for it: with the verifier of
// the challenge, and for the same address.
func codeFits(q *oauth.AuthorizationRequest, r *oauth.TokenRequest) error {
	if err := oauth.CheckVerifier(q.CodeChallenge, r.CodeVerifier); err != nil {
		return fmt.Errorf("%w: code_verifier", oauth.InvalidGrant)
	}
	if r.RedirectURI != q.RedirectURI || r.ClientID != "" && r.ClientID != q.ClientID {
		return fmt.Errorf("%w: the code is another client's", oauth.InvalidGrant)
	}
	return nil
}
