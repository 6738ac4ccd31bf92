package identity

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// codeLife is how long a code to accept a mandate may be used: long enough to
// reach who is to accept it by letter.
const codeLife = 14 * 24 * time.Hour

// Bounds on mandates.
const (
	maxMandates   = 200
	maxProcedures = 100
)

// Acting returns for whom the person of the request acts: themselves, or whom a
// mandate in use stands for. The mandate was read with this request.
func Acting(r *http.Request) Subject { return ActingIn(r.Context()) }

// ActingIn is Acting by the context of the request.
func ActingIn(ctx context.Context) Subject {
	v, _ := ctx.Value(visitKey{}).(*visit)
	switch {
	case v == nil:
		return Subject{}
	case v.acting != nil:
		return v.acting.subject()
	}
	return Subject{ID: v.account.ID, Name: v.account.Name, Agent: v.account.ID}
}

// Today returns the local day.
func (s *Accounts) Today() gov.Date {
	zone := s.Zone
	if zone == nil {
		zone = time.UTC
	}
	return gov.DateOf(s.clock.Now(), zone)
}

const mandateColumns = `id, kind, state, agent, principal, scheme, number, name, procedures, from_day, until_day, attested_by, created_at, ended_by`

func scanMandate(row interface{ Scan(...any) error }) (*Mandate, error) {
	m := new(Mandate)
	var name, procedures, from, until string
	var created int64
	err := row.Scan(&m.ID, &m.Kind, &m.State, &m.Agent, &m.Principal, &m.Scheme, &m.Number, &name, &procedures, &from, &until, &m.AttestedBy, &created, &m.EndedBy)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.New(problem.NotFound, "mandate.not_found")
	}
	if err != nil {
		return nil, fmt.Errorf("reading a mandate: %w", err)
	}
	m.Created = db.Time(created)
	return m, errors.Join(json.Unmarshal([]byte(name), &m.Name), json.Unmarshal([]byte(procedures), &m.Procedures),
		m.From.UnmarshalText([]byte(from)), m.Until.UnmarshalText([]byte(until)))
}

// Mandates returns those that an account gives or holds, newest first.
func (s *Accounts) Mandates(ctx context.Context, account string) ([]*Mandate, error) {
	rows, err := s.db.Reader().QueryContext(ctx, `SELECT `+mandateColumns+` FROM identity_mandate WHERE agent = $1 OR principal = $1 ORDER BY created_at DESC, id LIMIT $2`, account, maxMandates)
	if err != nil {
		return nil, fmt.Errorf("listing mandates: %w", err)
	}
	defer rows.Close()
	var out []*Mandate
	for rows.Next() {
		m, err := scanMandate(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

// usable returns a mandate that its agent may use today, or nil.
func (s *Accounts) usable(ctx context.Context, id, agent string) *Mandate {
	m, err := scanMandate(s.db.Reader().QueryRowContext(ctx, `SELECT `+mandateColumns+` FROM identity_mandate WHERE id = $1 AND agent = $2`, id, agent))
	if err != nil || !m.On(s.Today()) {
		return nil
	}
	if m.Principal != "" { // who is represented may have been forgotten or barred
		if a, err := s.ByID(ctx, m.Principal); err != nil || !s.open(a) {
			return nil
		}
	}
	return m
}

// May tells other parts, also without a request, whether an account may act for a
// subject in a procedure today. It is asked again when something is decided.
func (s *Accounts) May(ctx context.Context, account, subject, procedure string) (bool, error) {
	if account == subject {
		return true, nil
	}
	list, err := s.Mandates(ctx, account)
	if err != nil {
		return false, err
	}
	for _, m := range list {
		if m.Agent != account || !m.On(s.Today()) {
			continue
		}
		if x := m.subject(); x.ID == subject && x.Covers(procedure) {
			return true, nil
		}
	}
	return false, nil
}

func (s *Accounts) insertMandate(ctx context.Context, tx *db.Tx, by gov.Actor, m *Mandate, code string, expires int64) error {
	name, err := json.Marshal(m.Name)
	if err != nil {
		return err
	}
	procedures, err := json.Marshal(append([]string{}, m.Procedures...))
	if err != nil {
		return err
	}
	if code != "" {
		code = hashToken(code)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO identity_mandate (id, kind, state, agent, principal, scheme, number, name, procedures, from_day, until_day, attested_by,
			code_hash, code_expires_at, created_at, created_by, answered_at, ended_at, ended_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, 0, 0, '')`,
		m.ID, m.Kind, m.State, m.Agent, m.Principal, m.Scheme, m.Number, string(name), string(procedures), m.From.String(), m.Until.String(), m.AttestedBy,
		code, expires, db.Micros(s.clock.Now()), by.ID); err != nil {
		return fmt.Errorf("writing a mandate: %w", err)
	}
	return s.audit.Append(ctx, tx, chain, by, "mandate."+m.State, m.ID, map[string]string{"kind": m.Kind, "from": m.From.String(), "until": m.Until.String()})
}

// Declare records that somebody says they may act for a child, a ward or a firm.
// Nobody has checked it: administrations see that it is declared.
func (s *Accounts) Declare(ctx context.Context, by gov.Actor, m Mandate) (*Mandate, error) {
	m.Number = NormalNumber(m.Number)
	if !declarable[m.Kind] || by.Public() {
		return nil, problem.New(problem.Invalid, "mandate.kind")
	}
	if m.Kind == KindFirm && m.Number == "" {
		return nil, problem.New(problem.Invalid, "mandate.number")
	}
	if m.Name.Empty() {
		return nil, problem.New(problem.Invalid, "mandate.name")
	}
	if m.Kind != KindFirm && m.Number != "" {
		if s.Vault == nil {
			m.Number = ""
		} else {
			m.Number = s.Vault.blind(m.Number)
		}
	}
	if m.Scheme == "" {
		m.Scheme = m.Kind
	}
	m.Number = cleanLine(m.Number, 80)
	m.ID, m.State, m.Agent, m.Principal, m.AttestedBy = gov.NewID(), mandateActive, by.ID, "", ""
	return &m, s.put(ctx, by, &m, "", 0)
}

// put checks days, scope and number of mandates and writes one.
func (s *Accounts) put(ctx context.Context, by gov.Actor, m *Mandate, code string, expires int64) error {
	if m.From.IsZero() {
		m.From = s.Today()
	}
	if !m.Until.IsZero() && (m.Until.Before(m.From) || m.Until.Before(s.Today())) {
		return problem.New(problem.Invalid, "mandate.dates")
	}
	if len(m.Procedures) > maxProcedures {
		return problem.New(problem.Invalid, "mandate.scope")
	}
	for l, n := range m.Name {
		m.Name[l] = cleanLine(n, maxName)
	}
	if list, err := s.Mandates(ctx, by.ID); err != nil || len(list) >= maxMandates {
		if err == nil {
			err = problem.New(problem.TooMany, "mandate.many")
		}
		return err
	}
	return s.db.RunTx(ctx, func(tx *db.Tx) error { return s.insertMandate(ctx, tx, by, m, code, expires) })
}

// Offer gives a written mandate. It returns the code with which whoever receives
// it accepts; only its hash is kept. Nobody's name is looked up: the giver hands
// the code over themselves.
func (s *Accounts) Offer(ctx context.Context, by gov.Actor, from, until gov.Date, procedures []string) (m *Mandate, code string, err error) {
	if by.Public() {
		return nil, "", problem.New(problem.Unauthenticated, "unauthenticated")
	}
	code = strings.ToUpper(rand.Text()[:12])
	m = &Mandate{ID: gov.NewID(), Kind: KindWritten, State: mandateOffered, Principal: by.ID, Scheme: "account", Name: by.Name, Procedures: procedures, From: from, Until: until}
	if until.IsZero() { // a written mandate has an end
		return nil, "", problem.New(problem.Invalid, "mandate.dates")
	}
	return m, code, s.put(ctx, by, m, code, db.Micros(s.clock.Now().Add(codeLife)))
}

// Accept takes a written mandate by its code, which works once. Nobody can act for
// themselves.
func (s *Accounts) Accept(ctx context.Context, by gov.Actor, code string, accept bool) (m *Mandate, err error) {
	code = NormalNumber(code)
	state := mandateActive
	if !accept {
		state = mandateRefused
	}
	now := db.Micros(s.clock.Now())
	err = s.db.RunTx(ctx, func(tx *db.Tx) error {
		m, err = scanMandate(tx.QueryRowContext(ctx, `UPDATE identity_mandate SET state = $1, agent = $2, code_hash = '', answered_at = $3
			WHERE code_hash = $4 AND code_hash <> '' AND state = $5 AND code_expires_at > $3 AND principal <> $2 RETURNING `+mandateColumns,
			state, by.ID, now, hashToken(code), mandateOffered))
		if err != nil {
			return err
		}
		if accept && !m.Until.IsZero() && m.Until.Before(s.Today()) {
			return problem.New(problem.Conflict, "mandate.over")
		}
		return s.audit.Append(ctx, tx, chain, by, "mandate."+state, m.ID, nil)
	})
	if problem.Is(err, problem.NotFound) {
		err = problem.New(problem.Forbidden, "mandate.code")
	}
	return m, err
}

// EndMandate ends a mandate: who is represented and who acts may do so at any time.
func (s *Accounts) EndMandate(ctx context.Context, by gov.Actor, id string) error {
	return s.db.RunTx(ctx, func(tx *db.Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE identity_mandate SET state = $1, ended_at = $2, ended_by = $3, code_hash = ''
			WHERE id = $4 AND (agent = $3 OR principal = $3) AND state IN ($5, $6)`, mandateEnded, db.Micros(s.clock.Now()), by.ID, id, mandateActive, mandateOffered)
		if err != nil {
			return fmt.Errorf("ending a mandate: %w", err)
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			if err == nil {
				err = problem.New(problem.NotFound, "mandate.not_found")
			}
			return err
		}
		return s.audit.Append(ctx, tx, chain, by, "mandate.ended", id, nil)
	})
}

// attest takes over what a provider says about whom a person represents: what is
// new is added, what it does not say any more ends. What the person has ended
// stays ended.
func (s *Accounts) attest(ctx context.Context, tx *db.Tx, a Account, issuer string, list []represented) error {
	rows, err := tx.QueryContext(ctx, `SELECT `+mandateColumns+` FROM identity_mandate WHERE agent = $1 AND attested_by = $2`, a.ID, issuer)
	if err != nil {
		return fmt.Errorf("reading attested mandates: %w", err)
	}
	defer rows.Close()
	had := map[string]*Mandate{}
	for rows.Next() {
		m, err := scanMandate(rows)
		if err != nil {
			return err
		}
		had[m.Kind+":"+m.Number] = m
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, r := range list {
		m := &Mandate{ID: gov.NewID(), Kind: r.Kind, State: mandateActive, Agent: a.ID, Scheme: r.Kind, Number: NormalNumber(r.ID), Name: r.Name, From: s.Today(), Until: r.Until, AttestedBy: issuer}
		if m.Kind != KindFirm && s.Vault != nil {
			m.Number = s.Vault.blind(r.ID)
		}
		key := m.Kind + ":" + m.Number
		if old := had[key]; old != nil {
			delete(had, key)
			if old.State == mandateEnded && old.EndedBy == operatorOf(issuer).ID || old.Until != m.Until {
				if _, err := tx.ExecContext(ctx, `UPDATE identity_mandate SET until_day = $2, state = CASE WHEN ended_by = $3 THEN 'active' ELSE state END WHERE id = $1`,
					old.ID, m.Until.String(), operatorOf(issuer).ID); err != nil {
					return fmt.Errorf("renewing a mandate: %w", err)
				}
			}
			continue
		}
		if !m.Until.IsZero() && m.Until.Before(s.Today()) {
			continue
		}
		if err := s.insertMandate(ctx, tx, operatorOf(issuer), m, "", 0); err != nil {
			return err
		}
	}
	for _, gone := range had {
		if _, err := tx.ExecContext(ctx, `UPDATE identity_mandate SET state = $2, ended_at = $3, ended_by = $4 WHERE id = $1 AND state = $5`,
			gone.ID, mandateEnded, db.Micros(s.clock.Now()), operatorOf(issuer).ID, mandateActive); err != nil {
			return fmt.Errorf("ending a mandate: %w", err)
		}
	}
	return nil
}

// endMandates marks what is over by its date, so that lists say so. What may be
// done never waits for it: each use looks at the date itself.
func (s *Accounts) endMandates(ctx context.Context, tx *db.Tx) error {
	if _, err := tx.ExecContext(ctx, `UPDATE identity_mandate SET state = $1, ended_at = $2, ended_by = 'date', code_hash = ''
		WHERE state IN ($3, $4) AND (until_day <> '' AND until_day < $5 OR state = $4 AND code_expires_at < $2)`,
		mandateEnded, db.Micros(s.clock.Now()), mandateActive, mandateOffered, s.Today().String()); err != nil {
		return fmt.Errorf("ending mandates: %w", err)
	}
	return nil
}

// Act lets the person of the request act under a mandate from now on, or for
// themselves again when it is empty.
func (s *Sessions) Act(r *http.Request, mandate string) error {
	v := visitOf(r)
	if v == nil {
		return problem.New(problem.Unauthenticated, "unauthenticated")
	}
	if mandate == "" {
		s.manager.Remove(r.Context(), keyActing)
		return nil
	}
	if s.accounts.usable(r.Context(), mandate, v.account.ID) == nil {
		return problem.New(problem.Forbidden, "mandate.over")
	}
	s.manager.Put(r.Context(), keyActing, mandate)
	return s.accounts.note(r.Context(), v.account.Actor, "mandate.used", mandate, nil)
}
