package main

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"time"

	"diwan/country"
	"diwan/internal/app"
	"diwan/internal/audit"
	"diwan/internal/casework"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/identity"
	"diwan/internal/identity/policy"
	"diwan/internal/problem"
)

// Parts of the invented casework.
const (
	benchOffices    = 40 // administrations that take applications
	benchProcedures = 12
	benchUnits      = 20
	benchPeople     = 20_000 // who have a case among the million
	bigOffice       = "office-0"
)

// benchClock stands still: a run over midnight counts the same days.
type benchClock struct{ now time.Time }

func (c *benchClock) Now() time.Time { return c.now }

// caseworkWorld is the casework as the program puts it together: keys of people
// under a vault, references, the policy, the country's clock.
type caseworkWorld struct {
	*casework.Casework
	pack     *country.Pack
	db       *db.DB
	accounts *identity.Accounts
	clock    *benchClock
	drafts   []casework.Draft
	terms    [benchProcedures]casework.Terms
}

func newCaseworkWorld(ctx context.Context, address string) (*caseworkWorld, error) {
	pack, err := country.Load(country.Builtin())
	if err != nil {
		return nil, err
	}
	rules, err := app.ClockRules(pack)
	if err != nil {
		return nil, err
	}
	d, err := db.Open(ctx, address)
	if err != nil {
		return nil, err
	}
	if _, err := d.Migrate(ctx, app.Migrations(), time.Now()); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	w := &caseworkWorld{db: d, pack: pack, clock: &benchClock{time.Date(2026, 11, 12, 9, 0, 0, 0, time.UTC)}}
	w.accounts = identity.NewAccounts(d, audit.New(d, w.clock), w.clock)
	secret := make([]byte, 32)
	rand.Read(secret)
	if w.accounts.Vault, err = identity.NewVault(secret); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	w.Casework = casework.New(casework.Options{DB: d, Clock: w.clock, Country: pack.Country, Rules: rules.In(pack.Country.Calendar()), Keys: w.accounts, May: may,
		Reference: func(ctx context.Context, person, administration string) (string, error) {
			return w.accounts.Reference(ctx, person, "administration:"+administration)
		},
		ReferenceIn: func(ctx context.Context, person, administration string) (string, func(context.Context, *db.Tx) error, error) {
			return w.accounts.ReferenceIn(ctx, person, "administration:"+administration)
		},
		OfficeName:  func(id string) gov.Text { return gov.Text{"fr": id} },
		AccountName: func(_ context.Context, id string) gov.Text { return gov.Text{"fr": id} },
		Log:         slog.New(slog.DiscardHandler)})
	for i := range w.terms {
		w.terms[i] = inventedTerms(i)
	}
	return w, nil
}

// may asks the same policy as the program.
func may(_ context.Context, actor gov.Actor, action string, c *casework.Case) error {
	who := policy.Actor{Actor: actor}
	if actor.Has(gov.RolePerson) {
		who.For = actor.ID
	}
	ok, _ := policy.May(who, policy.Action(action), policy.Resource{Kind: policy.Case, ID: c.ID, Administration: c.Administration, Unit: c.Unit,
		Applicant: c.Person, Representative: c.Filer, Asked: c.AskedOf, Procedure: c.Procedure})
	if !ok {
		return problem.New(problem.Forbidden, "forbidden")
	}
	return nil
}

func inventedTerms(i int) casework.Terms {
	t := casework.Terms{Procedure: fmt.Sprintf("procedure-%d", i), Version: 1, Form: "1", DeadlineDays: 30, Authority: "local", Demo: true,
		Name: gov.Text{"fr": fmt.Sprintf("Autorisation inventée %d", i)}, LegalBasis: nil}
	if i%3 == 0 {
		t.Lists = []string{"silence"}
	}
	for n := range 5 {
		t.Documents = append(t.Documents, casework.Document{ID: fmt.Sprintf("document-%d", n), Name: gov.Text{"fr": "Pièce inventée"}, ByAdministration: n == 4})
	}
	return t
}

func (w *caseworkWorld) close() { w.db.Close() }

func person(i int) string { return fmt.Sprintf("person-%d", i) }

func applicant(i int) gov.Actor {
	return gov.Actor{ID: person(i), Name: gov.Text{"fr": person(i)}, Roles: []gov.Role{gov.RolePerson}}
}

// answers are what a form of some twenty fields holds.
func answers(i int) []byte {
	m := map[string]any{"place": map[string]any{"region": "01", "street": fmt.Sprintf("%d, rue inventée", i)},
		"floors": i % 7, "surface": 100 + i, "honour": true}
	for n := range 14 {
		m[fmt.Sprintf("field_%d", n)] = strings.Repeat("mot ", 6)
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // numbers and texts
	}
	return b
}

// people gives n persons their key and a draft each: the state in which people are
// who press the button.
func (w *caseworkWorld) people(ctx context.Context, n int) error {
	start := time.Now()
	if err := w.begin(ctx, n); err != nil {
		return err
	}
	fmt.Printf("%d people with a key and a draft in %v: two transactions each\n", n, time.Since(start).Round(time.Millisecond))
	return nil
}

func (w *caseworkWorld) begin(ctx context.Context, n int) error {
	w.drafts = make([]casework.Draft, n)
	return each(8, n, func(i int) error {
		d, err := w.Begin(ctx, casework.Draft{Person: person(i), Filer: person(i), Administration: office(i), Procedure: w.terms[i%benchProcedures].Procedure, Form: "1", Answers: answers(i)})
		w.drafts[i] = d
		return err
	})
}

func office(i int) string { return fmt.Sprintf("office-%d", 1+i%(benchOffices-1)) }

// each calls fn for all numbers below n, some at once.
func each(workers, n int, fn func(i int) error) error {
	errs := make(chan error, workers)
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			for i := worker; i < n; i += workers {
				if err := fn(i); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

// file hands the draft of a person in.
func (w *caseworkWorld) file(ctx context.Context, i int) error {
	f := casework.Filing{Draft: w.drafts[i].ID, Administration: office(i), Person: person(i), By: applicant(i), Channel: casework.Online, Lang: "ar",
		Applicant: gov.Text{"fr": person(i)}, Terms: w.terms[i%benchProcedures], Answers: w.drafts[i].Answers}
	if i%5 == 0 {
		f.Missing = []string{"document-1", "document-2"}
	}
	_, err := w.File(ctx, f)
	return err
}

// counted is how many cases there are.
func (w *caseworkWorld) counted(ctx context.Context) (n int, err error) {
	return n, w.db.Reader().QueryRowContext(ctx, `SELECT COUNT(*) FROM casework_case`).Scan(&n)
}

// undone prints how many transactions a server gave up in favour of others: each
// was tried again.
func (w *caseworkWorld) undone(ctx context.Context) error {
	if w.db.Engine() != db.Postgres {
		return nil
	}
	var n, of int
	if err := w.db.Reader().QueryRowContext(ctx, `SELECT xact_rollback, xact_commit FROM pg_stat_database WHERE datname = current_database()`).Scan(&n, &of); err != nil {
		return err
	}
	fmt.Printf("PostgreSQL undid %d transactions beside %d that it kept\n", n, of)
	return nil
}

func (w *caseworkWorld) save(ctx context.Context, i int) error {
	d := w.drafts[i]
	d.Answers = answers(i + 1)
	return w.SaveDraft(ctx, &d)
}

// sealFor seals as the casework does: under the person's key, for one place.
func (w *caseworkWorld) sealFor(ctx context.Context, person string) (cipher.AEAD, error) {
	key, err := w.accounts.PersonKey(ctx, person)
	if err != nil {
		return nil, err
	}
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(b)
}

// namedDatabase is the address of another database of a server.
func namedDatabase(server, name string) (string, error) {
	u, err := url.Parse(server)
	if err != nil {
		return "", err
	}
	u.Path = "/" + name
	return u.String(), nil
}
