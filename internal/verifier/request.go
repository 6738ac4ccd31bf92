package verifier

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
	"diwan/internal/verifier/check"
	"diwan/protocol/openid4/dcql"
	"diwan/protocol/openid4/jwe"
	"diwan/protocol/openid4/vp"
)

// States of a request.
const (
	Waiting  = "waiting"
	Fetched  = "fetched"
	Accepted = "accepted"
	Refused  = "refused"
	Expired  = "expired"
)

// Flows of an answer.
const (
	CrossDevice = "cross_device" // the wallet scans a code from another screen
	SameDevice  = "same_device"  // a link opens it, and it comes back
)

// Addresses that wallets use.
const (
	pathPresent = "/present/"
	pathAnswer  = "/answer"
)

// unread is how long a result that nobody has read is kept for being told.
const unread = 10 * time.Minute

// Ask is what somebody wants of a wallet.
type Ask struct {
	Template string      // one of the party's, or
	Query    *dcql.Query // a query of its own
	Flow     string      // empty is CrossDevice
	// Return is where the wallet sends the person on the same device. It is one of the
	// party's, empty for the portal's own page.
	Return string
	// Session is the browser that begins, empty for a program.
	Session string
	// Holder is whom the document has to be about, as Options.Owns knows people; empty asks
	// anybody.
	Holder string
	// By is who begins, where a person does; a program is known by its verifier.
	By gov.Actor
	// Person tells that By asks as one of the verifier's people: they have to be, and nobody
	// else reads the answer.
	Person bool
	// Lang is the language of the portal's own page of return.
	Lang gov.Lang
}

// Begun is a request that waits for a wallet.
type Begun struct {
	ID         string
	Secret     string // that reads the result
	RequestURI string
	Link       string // opens a wallet, or is scanned by one
	Ends       time.Time
}

// Request is a request as it lies.
type Request struct {
	ID, Verifier, Template string
	Query                  *dcql.Query
	Keep                   string
	Minutes                int
	Flow, Return, ClientID string
	Holder                 string
	AskedBy                string // the account of one of the verifier's people
	State                  string
	Reasons                []check.Reason
	WalletError            string
	Created, Ends          time.Time
	Answered, Gone         time.Time

	nonce                         string
	sealedKey, sealedResult       []byte
	secretHash, session, codeHash string
}

// Begin makes a request of a verifier. What it may not ask is refused with
// "verification.over_asked".
func (s *Verifier) Begin(ctx context.Context, p *Party, a Ask) (*Begun, error) {
	r := Request{ID: gov.NewID(), Verifier: p.ID, Holder: a.Holder, Template: a.Template, Query: a.Query, Keep: KeepNothing, Flow: a.Flow, State: Waiting, Created: s.Clock.Now(), nonce: vp.NewNonce()}
	if a.Template != "" {
		t := p.Template(a.Template)
		if t == nil || a.Query != nil {
			return nil, problem.New(problem.NotFound, "verification.no_template")
		}
		q, err := dcql.Parse(t.Query)
		if err != nil {
			return nil, fmt.Errorf("the template %s: %w", t.ID, err)
		}
		r.Query, r.Keep, r.Minutes = q, t.Keep, t.Minutes
	}
	if r.Query == nil {
		return nil, problem.New(problem.Invalid, "verification.what")
	}
	if err := p.Allows(r.Query); err != nil {
		return nil, err
	}
	if err := s.route(p, a, &r); err != nil {
		return nil, err
	}
	r.Ends = r.Created.Add(s.Life)
	_, chain, err := s.Identity(ctx, p.ID, p.Name)
	if err != nil {
		return nil, fmt.Errorf("the identity of a verifier: %w", err)
	}
	if len(chain) == 0 {
		return nil, errors.New("a verifier has no certificate")
	}
	r.ClientID = vp.HashID(chain[0])
	k, err := jwe.NewKey()
	if err != nil {
		return nil, err
	}
	b, err := k.Marshal()
	if err != nil {
		return nil, err
	}
	r.sealedKey = s.seal.seal(keyPlace(r.ID), b)
	out := &Begun{ID: r.ID, Secret: newSecret(), RequestURI: s.requestURI(r.ID), Ends: r.Ends}
	r.secretHash = hashOf(out.Secret)
	if a.Person {
		if a.By.Public() || a.Session == "" {
			return nil, errNotAs
		}
		r.AskedBy = a.By.ID
	}
	if a.Session != "" {
		r.session = hashOf(a.Session)
	}
	if out.Link, err = s.link(&r); err != nil {
		return nil, err
	}
	return out, s.insert(ctx, &r, a.By, s.asks(p, &r))
}

// route says how the answer comes back.
func (s *Verifier) route(p *Party, a Ask, r *Request) error {
	switch r.Flow {
	case "":
		r.Flow = CrossDevice
	case CrossDevice:
	case SameDevice:
		r.Return = s.Base + "/" + string(a.Lang) + "/verify/back/" + r.ID
		if a.Return != "" {
			r.Return = a.Return
		}
	default:
		return problem.New(problem.Invalid, "verification.flow")
	}
	// Anywhere else, a person would be sent by the state's portal wherever a verifier's
	// stolen token says.
	if a.Return != "" && (r.Flow != SameDevice || !slices.Contains(p.Returns, a.Return)) || r.Flow == SameDevice && a.Return == "" && a.Session == "" {
		return problem.New(problem.Invalid, "verification.return")
	}
	return nil
}

func (s *Verifier) requestURI(id string) string { return s.Base + pathPresent + id }

func (s *Verifier) link(r *Request) (string, error) {
	return vp.Link{ClientID: r.ClientID, RequestURI: s.requestURI(r.ID), Method: vp.Post}.URL(s.Scheme)
}

// asks is what the audit trail tells of a request: for which purpose, of which types,
// which way. It names no person.
func (s *Verifier) asks(p *Party, r *Request) map[string]string {
	why := p.Purpose
	if t := p.Template(r.Template); t != nil {
		why = t.Why
	}
	purpose, _ := why.In("", s.Country.Order())
	var types []string
	for _, c := range r.Query.Credentials {
		for _, t := range append(slices.Clone(c.Meta.VCT), c.Meta.Doctype) {
			if t != "" && !slices.Contains(types, t) {
				types = append(types, t)
			}
		}
	}
	return map[string]string{"purpose": purpose, "template": r.Template, "types": strings.Join(types, " "), "flow": r.Flow, "keep": r.Keep}
}

func (s *Verifier) insert(ctx context.Context, r *Request, by gov.Actor, told map[string]string) error {
	q, err := json.Marshal(r.Query)
	if err != nil {
		return err
	}
	return s.DB.RunTx(ctx, func(tx *db.Tx) error {
		if r.AskedBy != "" {
			if err := s.used(ctx, tx, r.Verifier, r.AskedBy); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO verifier_request (id, verifier, template, query, keep, minutes, flow, return_uri, client_id, nonce, sealed_key, secret_hash, session_hash, code_hash,
			state, reasons, wallet_error, sealed_result, created_at, ends_at, answered_at, gone_at, holder, asked_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, '', $14, '[]', '', $15, $16, $17, 0, $18, $19, $20)`,
			r.ID, r.Verifier, r.Template, string(q), r.Keep, r.Minutes, r.Flow, r.Return, r.ClientID, r.nonce, r.sealedKey, r.secretHash, r.session, r.State, []byte{},
			db.Micros(r.Created), db.Micros(r.Ends), db.Micros(r.Ends.Add(unread)), r.Holder, r.AskedBy)
		if err != nil {
			return fmt.Errorf("keeping a request: %w", err)
		}
		return s.note(ctx, tx, r.Verifier, by, didAsk, r.ID, told)
	})
}
