package casework

import (
	"context"
	"encoding/json"
	"fmt"
	"html/template"
	"time"

	"diwan/internal/casework/form"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Presenter asks a person's wallet for a document that would else be fetched or brought
// (OpenID for Verifiable Presentations 1.0).
type Presenter interface {
	// Takes tells whether there is a document for wallets that says all fields of a service.
	Takes(service string, fields []string) bool
	// Ask begins a request for these fields and no others. Only the same session can read
	// its answer.
	Ask(ctx context.Context, a PresentAsk) (id string, err error)
	// Look tells how a request stands to the session that began it; to others there is none.
	Look(ctx context.Context, id, session string, lang gov.Lang) (*Presenting, error)
	// Collect reads the answer, once. The code is the one that a wallet on the same device
	// brings back. The error of one that has not come is of kind Conflict, that of a request
	// that is gone of kind NotFound.
	Collect(ctx context.Context, id, session, code string) (*Presented, error)
}

// PresentAsk is what a wallet is asked for.
type PresentAsk struct {
	Administration string // who asks
	Procedure      string
	Document       string
	Service        string
	Fields         []string
	Person         string // whom the document must be about
	Here           bool   // the wallet is on this device, and leads back to Return
	Return         string
	Session        string
	Lang           gov.Lang
}

// States of a request to a wallet.
const (
	PresentWaits    = "waiting"
	PresentAnswered = "answered"
	PresentEnded    = "ended" // nobody answered in time
)

// Presenting is how a request to a wallet stands.
type Presenting struct {
	State string
	Here  bool
	Link  template.URL  // opens the wallet of this portal
	QR    template.HTML // for a wallet on another device; empty on the same
	Until time.Time
	Code  bool // the answer is read only with the code that the wallet brings back
}

// Presented is what a wallet showed, or why it is not taken.
type Presented struct {
	Refusal string // a code: "revoked", "expired", …; empty when the document is good
	Issuer  string // by the list of issuers
	Values  []Value
	Sample  bool
	Proof   Proof
}

// Proof is what was found of a document when it was presented: later it may be revoked,
// and the case still tells what it was then.
type Proof struct {
	Issuer   gov.Text  `json:"issuer"`
	Format   string    `json:"format"`
	Status   string    `json:"status"`
	StatusOf time.Time `json:"status_of,omitzero"` // when the list was made that says so
	At       time.Time `json:"at"`
}

// Ways by which a document comes into a case.
const (
	ViaExchange = ""
	ViaWallet   = "wallet"
)

// Present asks the person's wallet for a document of a draft. What was had of it before
// is let go of.
func (w *Casework) Present(ctx context.Context, d *Draft, document string, once *form.Once, a PresentAsk) (*Evidence, error) {
	if w.Presenter == nil || a.Session == "" || !w.Presenter.Takes(once.Service, once.Fields) {
		return nil, problem.New(problem.Unavailable, "evidence.no_wallet")
	}
	a.Administration, a.Procedure, a.Document, a.Service, a.Fields, a.Person = d.Administration, d.Procedure, document, once.Service, once.Fields, d.Person
	id, err := w.Presenter.Ask(ctx, a)
	if err != nil {
		return nil, err
	}
	e := w.newEvidence(d, document, once)
	e.State, e.Via, e.Request = EvidenceAsked, ViaWallet, id
	return e, w.insertEvidence(ctx, e)
}

// Presenting tells how the request to the wallet stands for which a document waits.
func (w *Casework) Presenting(ctx context.Context, e *Evidence, session string, lang gov.Lang) (*Presenting, error) {
	if w.Presenter == nil {
		return &Presenting{State: PresentEnded}, nil
	}
	p, err := w.Presenter.Look(ctx, e.Request, session, lang)
	if problem.Is(err, problem.NotFound) {
		return &Presenting{State: PresentEnded}, nil
	}
	return p, err
}

// Collect takes what the wallet answered. The person has still to agree to its use. A
// second time, or from two windows at once, changes nothing.
func (w *Casework) Collect(ctx context.Context, filer, id, session, code string) error {
	e, err := w.evidence(ctx, filer, id)
	if err != nil {
		return err
	}
	if e.State != EvidenceAsked || w.Presenter == nil {
		return nil
	}
	got, err := w.Presenter.Collect(ctx, e.Request, session, code)
	if problem.Is(err, problem.NotFound) {
		got, err = &Presented{Refusal: PresentEnded}, nil
	}
	if err != nil {
		return err
	}
	e.State, e.Issuer, e.Fetched = EvidenceFetched, got.Issuer, got.Proof.At
	e.Copy = Copy{Values: got.Values, Exchange: e.Request, Sample: got.Sample, Proof: &got.Proof}
	if got.Refusal != "" {
		e.State, e.Failure, e.Copy, e.Fetched = EvidenceRefused, "evidence.wallet."+got.Refusal, Copy{}, w.Clock.Now()
	}
	plain, err := json.Marshal(e.Copy)
	if err != nil {
		return err
	}
	sealed, err := w.sealer.Seal(ctx, e.Person, "evidence "+e.ID, plain)
	if err != nil {
		return err
	}
	err = w.moveEvidence(ctx, e, EvidenceAsked, e.Fetched, `copy = $5, failure = $6, fetched_at = $4, issuer = $7, standing = $8`, sealed, e.Failure, e.Issuer, got.Proof.Status)
	if problem.Is(err, problem.Conflict) {
		return nil
	}
	return err
}

// newEvidence is a document of a draft that is to be had with the person's consent.
func (w *Casework) newEvidence(d *Draft, document string, once *form.Once) *Evidence {
	return &Evidence{ID: gov.NewID(), Person: d.Person, Filer: d.Filer, Draft: d.ID, Administration: d.Administration, Procedure: d.Procedure, Document: document,
		Service: once.Service, Source: once.From, Fields: once.Fields, Purpose: once.Purpose, State: EvidenceConsented, Consented: w.Clock.Now(),
		Until: w.today().AddDays(once.Days)}
}

// insertEvidence keeps a new one in the place of what there was for the same document.
func (w *Casework) insertEvidence(ctx context.Context, e *Evidence) error {
	fields, err := json.Marshal(e.Fields)
	if err != nil {
		return err
	}
	purpose, err := json.Marshal(e.Purpose)
	if err != nil {
		return err
	}
	err = w.DB.RunTx(ctx, func(tx *db.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE casework_evidence SET state = $3, withdrawn_at = $4, copy = $5 WHERE draft = $1 AND draft <> '' AND evidence = $2 AND state <> 'withdrawn'`,
			e.Draft, e.Document, EvidenceWithdrawn, db.Micros(e.Consented), []byte{})
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO casework_evidence (`+evidenceColumns+`)
			VALUES ($1, $2, $3, $4, '', $5, $6, $7, $8, $9, $10, $11, $12, $13, $16, '', $14, $15, 0, 0, 0, $17, '', '')`,
			e.ID, e.Person, e.Filer, e.Draft, e.Administration, e.Procedure, e.Document, e.Service, e.Source, string(fields), string(purpose), e.State, []byte{},
			db.Micros(e.Consented), e.Until.String(), e.Request, e.Via)
		return err
	})
	if err != nil {
		return fmt.Errorf("recording a consent: %w", err)
	}
	return nil
}
