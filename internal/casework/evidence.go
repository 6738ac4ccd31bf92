package casework

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"diwan/internal/casework/form"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Fetcher gets a document's facts from the administration that holds it, through
// the exchange.
type Fetcher interface {
	Fetch(ctx context.Context, c Call) (Copy, error)
}

// Call is one question to the exchange.
type Call struct {
	ID             string // the same for a repeated try: it is not applied twice
	Administration string // who asks
	Service        string
	Fields         []string
	Person         string // whom it concerns
	Purpose        gov.Text
	Answers        form.Answers // the number by which the document is found stands here
}

// Copy is what came: what the person is shown before it is used.
type Copy struct {
	Values   []Value `json:"values"`
	Exchange string  `json:"exchange"` // the identifier by which both sides logged it
	Sample   bool    `json:"sample,omitempty"`
	// Proof is of a document that was presented from a wallet.
	Proof *Proof `json:"proof,omitempty"`
}

// Value is one fact of a copy.
type Value struct {
	Label gov.Text `json:"label"`
	Text  string   `json:"text"`
}

// States of a document that is fetched or presented. The person consents to the fetching, and
// then, having seen the copy, to its use.
const (
	EvidenceConsented = "consented" // and not there yet
	EvidenceAsked     = "asked"     // of the person's wallet, which has not answered yet
	EvidenceRefused   = "refused"   // what the wallet showed is not taken; Failure says why
	EvidenceFetched   = "fetched"   // the person has not agreed to its use yet
	EvidenceAgreed    = "agreed"
	EvidenceRejected  = "rejected" // the person says that it is wrong
	EvidenceFailed    = "failed"   // it could not be had; the person was told
	EvidenceWithdrawn = "withdrawn"
)

// Evidence is a document that is fetched instead of being asked for, with the
// consent that it rests on.
type Evidence struct {
	ID             string
	Person, Filer  string
	Draft          string
	Case           string // number
	Administration string
	Procedure      string
	Document       string
	Service        string
	Source         string
	Fields         []string
	Purpose        gov.Text
	State          string
	Copy           Copy
	Failure        string // code
	Via            string
	Request        string // the identifier by which both sides logged it
	Issuer         string // of a document that was presented
	Standing       string // of it, when it was presented
	Consented      time.Time
	Until          gov.Date
	Fetched        time.Time
	Agreed         time.Time
	Withdrawn      time.Time
}

const evidenceColumns = `id, person, filer, draft, case_number, administration, procedure, evidence, service, source, fields, purpose, state, copy, exchange, failure,
	consented_at, until_day, fetched_at, agreed_at, withdrawn_at, via, issuer, standing`

func (w *Casework) scanEvidence(ctx context.Context, row interface{ Scan(...any) error }) (*Evidence, error) {
	var e Evidence
	var fields, purpose, until string
	var sealed []byte
	var consented, fetched, agreed, withdrawn int64
	err := row.Scan(&e.ID, &e.Person, &e.Filer, &e.Draft, &e.Case, &e.Administration, &e.Procedure, &e.Document, &e.Service, &e.Source, &fields, &purpose, &e.State,
		&sealed, &e.Request, &e.Failure, &consented, &until, &fetched, &agreed, &withdrawn, &e.Via, &e.Issuer, &e.Standing)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.New(problem.NotFound, "evidence.not_found")
	}
	if err == nil {
		err = errors.Join(json.Unmarshal([]byte(fields), &e.Fields), json.Unmarshal([]byte(purpose), &e.Purpose))
	}
	if err != nil {
		return nil, fmt.Errorf("reading what was fetched: %w", err)
	}
	e.Until, e.Consented, e.Fetched, e.Agreed, e.Withdrawn = dayOf(until), db.Time(consented), momentOf(fetched), momentOf(agreed), momentOf(withdrawn)
	b, err := w.sealer.Open(ctx, e.Person, "evidence "+e.ID, sealed)
	if err != nil && !problem.Is(err, problem.NotFound) {
		return nil, err
	}
	if len(b) > 0 {
		if err := json.Unmarshal(b, &e.Copy); err != nil {
			return nil, err
		}
	}
	return &e, nil
}

func momentOf(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return db.Time(us)
}

func (w *Casework) evidences(ctx context.Context, where string, args ...any) ([]*Evidence, error) {
	rows, err := w.DB.Reader().QueryContext(ctx, `SELECT `+evidenceColumns+` FROM casework_evidence WHERE `+where+` ORDER BY consented_at DESC, id LIMIT 500`, args...)
	if err != nil {
		return nil, fmt.Errorf("listing what was fetched: %w", err)
	}
	defer rows.Close()
	var out []*Evidence
	for rows.Next() {
		e, err := w.scanEvidence(ctx, rows)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// EvidenceOf lists what was fetched for a draft.
func (w *Casework) EvidenceOf(ctx context.Context, draft string) ([]*Evidence, error) {
	return w.evidences(ctx, `draft = $1 AND draft <> '' AND state <> 'withdrawn'`, draft)
}

// EvidenceOfCase lists what was fetched for a case and may be used.
func (w *Casework) EvidenceOfCase(ctx context.Context, number string) ([]*Evidence, error) {
	return w.evidences(ctx, `case_number = $1 AND case_number <> ''`, number)
}

// Consents lists what a person allowed, the latest first.
func (w *Casework) Consents(ctx context.Context, person string) ([]*Evidence, error) {
	return w.evidences(ctx, `person = $1`, person)
}

// Consent records that a person allows one document to be fetched for one draft,
// from a named source, for a purpose and a time, and fetches it. What can't be had
// is recorded as such; the person may bring it.
func (w *Casework) Consent(ctx context.Context, d *Draft, document string, once *form.Once, answers form.Answers) (*Evidence, error) {
	if w.Fetcher == nil || !w.fetches(once) {
		return nil, problem.New(problem.Unavailable, "evidence.no_exchange")
	}
	e := w.newEvidence(d, document, once)
	if err := w.insertEvidence(ctx, e); err != nil {
		return nil, err
	}
	return e, w.fetch(ctx, e, answers)
}

// fetches tells whether another administration could be asked for a document.
func (w *Casework) fetches(o *form.Once) bool { return w.Unfetched == nil || !w.Unfetched(o.Service) }

// fetchTime bounds how long a person waits for another administration.
const fetchTime = 10 * time.Second

// fetch gets what a consent allows. A consent that was withdrawn while the answer
// was on its way keeps nothing of it.
func (w *Casework) fetch(ctx context.Context, e *Evidence, answers form.Answers) error {
	calling, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	got, err := w.Fetcher.Fetch(calling, Call{ID: e.ID, Administration: e.Administration, Service: e.Service, Fields: e.Fields, Person: e.Person, Purpose: e.Purpose, Answers: answers})
	e.State, e.Fetched = EvidenceFetched, w.Clock.Now()
	if err != nil {
		w.Log.WarnContext(ctx, "a document could not be fetched", "service", e.Service, "error", err)
		e.State, e.Failure = EvidenceFailed, "evidence.unavailable"
		if p := problem.From(err); p.Kind == problem.NotFound {
			e.Failure = "evidence.unknown"
		}
	}
	e.Copy = got
	plain, err := json.Marshal(got)
	if err != nil {
		return err
	}
	sealed, err := w.sealer.Seal(ctx, e.Person, "evidence "+e.ID, plain)
	if err != nil {
		return err
	}
	return w.moveEvidence(ctx, e, EvidenceConsented, e.Fetched, `copy = $5, exchange = $6, failure = $7, fetched_at = $4`, sealed, got.Exchange, e.Failure)
}

// moveEvidence changes the state of what is fetched from the one it must have; at is $4 of
// what is set.
func (w *Casework) moveEvidence(ctx context.Context, e *Evidence, from string, at time.Time, set string, more ...any) error {
	args := append([]any{e.ID, from, e.State, db.Micros(at)}, more...)
	return w.DB.RunTx(ctx, func(tx *db.Tx) error {
		r, err := tx.ExecContext(ctx, `UPDATE casework_evidence SET state = $3, `+set+` WHERE id = $1 AND state = $2`, args...)
		if err != nil {
			return fmt.Errorf("changing what was fetched: %w", err)
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return errors.Join(err, problem.New(problem.Conflict, "evidence.changed"))
		}
		return nil
	})
}

// Agree records what the person says of the copy: that it may be used, or that it
// is wrong.
func (w *Casework) Agree(ctx context.Context, filer, id string, right bool) error {
	e, err := w.evidence(ctx, filer, id)
	if err != nil {
		return err
	}
	e.State = EvidenceAgreed
	if !right {
		e.State = EvidenceRejected
	}
	return w.moveEvidence(ctx, e, EvidenceFetched, w.Clock.Now(), `agreed_at = $4`)
}

func (w *Casework) evidence(ctx context.Context, filer, id string) (*Evidence, error) {
	if !isID(id) {
		return nil, problem.New(problem.NotFound, "evidence.not_found")
	}
	e, err := w.scanEvidence(ctx, w.DB.Reader().QueryRowContext(ctx, `SELECT `+evidenceColumns+` FROM casework_evidence WHERE id = $1`, id))
	if err == nil && e.Filer != filer && e.Person != filer {
		return nil, problem.New(problem.NotFound, "evidence.not_found")
	}
	return e, err
}

// WithdrawConsent takes a consent back and forgets what came by it. What a case
// was already filed with stays in that case: its officers may rely on it; nothing
// more is fetched.
func (w *Casework) WithdrawConsent(ctx context.Context, person, id string) error {
	e, err := w.evidence(ctx, person, id)
	if err != nil {
		return err
	}
	if e.State == EvidenceWithdrawn {
		return nil
	}
	from := e.State
	e.State = EvidenceWithdrawn
	if e.Case != "" {
		return w.moveEvidence(ctx, e, from, w.Clock.Now(), `withdrawn_at = $4`)
	}
	return w.moveEvidence(ctx, e, from, w.Clock.Now(), `withdrawn_at = $4, copy = $5`, []byte{})
}

// takeEvidence gives a new case what was fetched for its draft, and tells its
// journal. A document that was to be fetched and that the person did not agree to
// is missing. Of one that was presented the journal says who issued it, and how it stood
// when it was shown.
func (w *Casework) takeEvidence(ctx context.Context, tx *db.Tx, c *Case, draft string) error {
	if draft == "" {
		return nil
	}
	rows, err := tx.QueryContext(ctx, `SELECT id, evidence, state, exchange, via, issuer, standing, fetched_at FROM casework_evidence WHERE draft = $1 AND draft <> '' AND state <> 'withdrawn' AND state IN ('agreed', 'failed', 'consented')`, draft)
	if err != nil {
		return err
	}
	type row struct {
		id, document, state, exchange, via, issuer, standing string
		at                                                   int64
	}
	var list []row
	for rows.Next() {
		var x row
		if err := rows.Scan(&x.id, &x.document, &x.state, &x.exchange, &x.via, &x.issuer, &x.standing, &x.at); err != nil {
			rows.Close()
			return err
		}
		list = append(list, x)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for _, x := range list {
		e := Event{Type: Fetched, On: w.today(), At: w.Clock.Now(), Clear: Clear{Items: []string{x.document}, Ref: x.exchange, Role: AsProgram}}
		switch {
		case x.state != EvidenceAgreed:
			e.Type = FetchFailed
		case x.via == ViaWallet:
			e.Type = ShownByWallet
			e.Clear.Source, e.Clear.Issuer, e.Clear.Standing, e.Clear.Shown = x.via, x.issuer, x.standing, db.Time(x.at).UTC().Format(time.RFC3339)
		}
		if err := w.appendEvent(ctx, tx, c, &e); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, `UPDATE casework_evidence SET case_number = $2 WHERE id = $1`, x.id, c.Number); err != nil {
			return err
		}
	}
	return nil
}
