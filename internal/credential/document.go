package credential

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// States of a document.
const (
	Prepared  = "prepared"
	Faulty    = "faulty"
	Waiting   = "waiting" // for the second signature
	Ready     = "ready"
	Suspended = "suspended"
	Revoked   = "revoked"
)

// Actions that the policy decides on.
const (
	MayRead      = "credential.read"
	MayHold      = "credential.hold"   // as the person whose document it is
	MaySign      = "credential.sign"   // as the second officer
	MayMend      = "credential.mend"   // what the type asks for and the decision lacks
	MayRevoke    = "credential.revoke" // and suspend, and give back
	MayEditTypes = "credential.types"
)

// Document is what a decision gives its person. What it says is in its values, which
// are opened apart.
type Document struct {
	ID             string
	Source         string // the decision
	Type           string
	Version        int64 // of the type
	Administration string
	Person         string
	DecidedBy      string // the officer; empty when the law decided by silence
	DecidedOn      gov.Date
	State          string
	Number         string // of a document that was signed; cannot be guessed
	From, Until    gov.Date
	SignedBy       string
	Created        time.Time
	Updated        time.Time

	sealed []byte
}

// Valid tells whether the document counts on a day.
func (d *Document) Valid(on gov.Date) bool {
	return d.State == Ready && !on.Before(d.From) && (d.Until.IsZero() || !d.Until.Before(on))
}

// Values are what a document says, by claim: string, json.Number or bool; a date is
// "2026-03-31", an image base64 of a JPEG.
type Values map[string]any

// Source is a decision that makes a document due.
type Source struct {
	ID             string // of the decision: one document of a type is made of it
	Type           string
	Administration string
	Person         string
	By             string
	On             gov.Date
}

var errNoDocument = problem.New(problem.NotFound, "credential.not_found")

// Prepare makes the document of a decision due, in the decision's own transaction:
// there is no decision without its document and no document twice. A type that is not
// published here gives none.
func (s *Credentials) Prepare(ctx context.Context, tx *db.Tx, from Source) error {
	t, err := oneType(tx.QueryRowContext(ctx, `SELECT body FROM credential_type WHERE id = $1 AND state = $2`, from.Type, Published))
	if problem.Is(err, problem.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	now := db.Micros(s.Clock.Now())
	d := gov.NewID()
	r, err := tx.ExecContext(ctx, `INSERT INTO credential_document (id, source, type, version, administration, person, decided_by, decided_on, state, sealed, number, valid_from, valid_until, signed_by, tries, created_at, updated_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, '', '', '', '', 0, $11, $11) ON CONFLICT (source, type) DO NOTHING`,
		d, from.ID, t.ID, t.Version, from.Administration, from.Person, from.By, from.On.String(), Prepared, []byte{}, now)
	if err != nil {
		return fmt.Errorf("preparing the document of %s: %w", from.ID, err)
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return s.note(ctx, tx, d, Prepared, from.By, "")
}

// note writes what happened to a document.
func (s *Credentials) note(ctx context.Context, tx *db.Tx, document, kind, actor, reason string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO credential_event (document, seq, kind, actor, reason, at)
		SELECT $1, COALESCE(MAX(seq), 0) + 1, $2, $3, $4, $5 FROM credential_event WHERE document = $1`, document, kind, actor, reason, db.Micros(s.Clock.Now()))
	if err != nil {
		return fmt.Errorf("noting what happened to a document: %w", err)
	}
	return nil
}

// Event is one thing that happened to a document.
type Event struct {
	Kind   string
	Actor  string
	Reason string
	At     time.Time
}

// History lists what happened to a document, first things first.
func (s *Credentials) History(ctx context.Context, d *Document) ([]Event, error) {
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT kind, actor, reason, at FROM credential_event WHERE document = $1 ORDER BY seq`, d.ID)
	if err != nil {
		return nil, fmt.Errorf("the history of a document: %w", err)
	}
	defer rows.Close()
	var all []Event
	for rows.Next() {
		var e Event
		var at int64
		if err := rows.Scan(&e.Kind, &e.Actor, &e.Reason, &at); err != nil {
			return nil, err
		}
		e.At = db.Time(at)
		all = append(all, e)
	}
	return all, rows.Err()
}

const documentColumns = `id, source, type, version, administration, person, decided_by, decided_on, state, sealed, number, valid_from, valid_until, signed_by, created_at, updated_at`

func scanDocument(row interface{ Scan(...any) error }) (*Document, error) {
	d := &Document{}
	var on, from, until string
	var created, updated int64
	err := row.Scan(&d.ID, &d.Source, &d.Type, &d.Version, &d.Administration, &d.Person, &d.DecidedBy, &on, &d.State, &d.sealed, &d.Number, &from, &until, &d.SignedBy, &created, &updated)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNoDocument
	}
	if err != nil {
		return nil, fmt.Errorf("reading a document: %w", err)
	}
	d.Created, d.Updated = db.Time(created), db.Time(updated)
	for _, p := range []struct {
		text string
		into *gov.Date
	}{{on, &d.DecidedOn}, {from, &d.From}, {until, &d.Until}} {
		if p.text == "" {
			continue
		}
		if *p.into, err = gov.ParseDate(p.text); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Find returns the document with an id, for somebody who may do an action to it. One
// that they may not read does not exist for them.
func (s *Credentials) Find(ctx context.Context, actor gov.Actor, action, id string) (*Document, error) {
	d, err := s.document(ctx, s.DB.Reader(), id)
	if err != nil {
		return nil, err
	}
	return d, s.may(ctx, actor, action, d)
}

func (s *Credentials) may(ctx context.Context, actor gov.Actor, action string, d *Document) error {
	err := s.May(ctx, actor, action, d)
	if err == nil || problem.Is(err, problem.Unauthenticated) {
		return err
	}
	if s.May(ctx, actor, MayRead, d) != nil {
		return errNoDocument
	}
	return err
}

func (s *Credentials) document(ctx context.Context, q querier, id string) (*Document, error) {
	return scanDocument(q.QueryRowContext(ctx, `SELECT `+documentColumns+` FROM credential_document WHERE id = $1`, id))
}

func (s *Credentials) documents(ctx context.Context, where string, args ...any) ([]*Document, error) {
	rows, err := s.DB.Reader().QueryContext(ctx, `SELECT `+documentColumns+` FROM credential_document WHERE `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("listing documents: %w", err)
	}
	defer rows.Close()
	var all []*Document
	for rows.Next() {
		d, err := scanDocument(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, rows.Err()
}

// maxHeld bounds how many documents of one person are listed.
const maxHeld = 500

// Held lists the documents of a person that were signed, newest first.
func (s *Credentials) Held(ctx context.Context, person string) ([]*Document, error) {
	return s.documents(ctx, `person = $1 AND state IN ($2, $3, $4) ORDER BY created_at DESC, id LIMIT $5`, person, Ready, Suspended, Revoked, maxHeld)
}

// Of lists the documents that a decision made.
func (s *Credentials) Of(ctx context.Context, source string) ([]*Document, error) {
	return s.documents(ctx, `source = $1 ORDER BY type LIMIT $2`, source, maxHeld)
}

// valuesPlace is where the values of a document lie sealed.
func valuesPlace(id string) string { return "document " + id }

// Values opens what a document says.
func (s *Credentials) Values(ctx context.Context, d *Document) (Values, error) {
	b, err := s.sealer.Open(ctx, d.Person, valuesPlace(d.ID), d.sealed)
	if err != nil || len(b) == 0 {
		return nil, err
	}
	dec := json.NewDecoder(strings.NewReader(string(b)))
	dec.UseNumber()
	v := Values{}
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("reading what document %s says: %w", d.ID, err)
	}
	return v, nil
}

// newNumber returns a number of 80 random bits: who does not hold the document can't
// find it by trying.
func newNumber() string {
	b := make([]byte, 10)
	if _, err := rand.Read(b); err != nil {
		panic(err) // it does not fail, says its documentation
	}
	s := numberAlphabet.EncodeToString(b)
	return s[:4] + "-" + s[4:8] + "-" + s[8:12] + "-" + s[12:]
}

// numberAlphabet has no letter that is taken for a figure.
var numberAlphabet = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// ByNumber returns a signed document by the number that stands on it.
func (s *Credentials) ByNumber(ctx context.Context, number string) (*Document, error) {
	n := strings.ToUpper(strings.TrimSpace(number))
	if len(n) != 19 {
		return nil, errNoDocument
	}
	return scanDocument(s.DB.Reader().QueryRowContext(ctx, `SELECT `+documentColumns+` FROM credential_document WHERE number = $1 AND number <> ''`, n))
}
