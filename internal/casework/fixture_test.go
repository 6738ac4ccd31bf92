package casework

import (
	"context"
	"crypto/sha256"
	"io"
	"log/slog"
	"testing"
	"time"

	"diwan/country"
	"diwan/internal/casework/clock"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// handClock is one that a test turns.
type handClock struct{ now time.Time }

func (c *handClock) Now() time.Time { return c.now }

// days moves the clock by days.
func (c *handClock) days(n int) { c.now = c.now.AddDate(0, 0, n) }

// testKeys makes the key of a person from their name; those in gone were erased.
type testKeys struct{ gone map[string]bool }

func (k testKeys) PersonKey(_ context.Context, person string) ([]byte, error) {
	if k.gone[person] {
		return nil, problem.New(problem.NotFound, "person.forgotten")
	}
	sum := sha256.Sum256([]byte("key of " + person))
	return sum[:], nil
}

// world is a casework with two administrations' people around it.
type world struct {
	*testing.T
	*Casework
	hand *handClock
	keys testKeys
}

// Administrations and people of the tests.
var (
	salma   = gov.Actor{ID: "salma", Roles: []gov.Role{gov.RolePerson}}
	idris   = gov.Actor{ID: "idris", Roles: []gov.Role{gov.RolePerson}}
	studies = gov.Actor{ID: "studies", Administration: "commune", Roles: []gov.Role{gov.RoleStudy}}
	signer  = gov.Actor{ID: "signer", Administration: "commune", Roles: []gov.Role{gov.RoleSign}}
	other   = gov.Actor{ID: "other", Administration: "elsewhere", Roles: []gov.Role{gov.RoleStudy, gov.RoleSign}}
)

// tenantPolicy is a small policy: officers of the administration, and the person.
func tenantPolicy(_ context.Context, a gov.Actor, action string, c *Case) error {
	switch {
	case a.ID == "":
		return problem.New(problem.Unauthenticated, "unauthenticated")
	case a.Administration != "" && a.Administration == c.Administration:
		return nil
	case a.ID == c.Person || a.ID == c.Filer:
		return nil
	}
	return problem.New(problem.Forbidden, "forbidden")
}

func testCountry(t testing.TB) (*gov.Country, clock.Rules) {
	t.Helper()
	pack, err := country.Load(country.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	b, err := country.Builtin().Open("clock.json")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	text, err := io.ReadAll(b)
	if err != nil {
		t.Fatal(err)
	}
	rules, err := clock.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	return pack.Country, rules.In(pack.Country.Calendar())
}

// each runs a test on both engines.
func each(t *testing.T, test func(w *world)) {
	dbtest.Each(t, []db.Migrations{Migrations(), DeskMigrations()}, func(t *testing.T, d *db.DB) { test(newWorld(t, d)) })
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	land, rules := testCountry(t)
	hand := &handClock{time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
	keys := testKeys{map[string]bool{}}
	w := New(Options{DB: d, Clock: hand, Country: land, Rules: rules, Keys: keys, May: tenantPolicy,
		Reference: func(_ context.Context, person, administration string) (string, error) {
			return hashOf(person, administration), nil
		}, Log: slog.New(slog.DiscardHandler)})
	return &world{t, w, hand, keys}
}

// permit are the terms of a decision of a commune in the list of silence.
func permit() Terms {
	return Terms{Procedure: "permit", Version: 3, DeadlineDays: 30, Lists: []string{"silence", "extension"}, Authority: "local",
		Documents: []Document{{ID: "plans"}, {ID: "title", ByAdministration: true}, {ID: "consent", Sometimes: true}}}
}

func (w *world) file(change ...func(*Filing)) *Case {
	w.Helper()
	f := Filing{Administration: "commune", Person: salma.ID, By: salma, Channel: Online, Lang: "ar",
		Applicant: gov.Text{"fr": "Salma"}, Terms: permit(), Answers: []byte(`{"floors":2}`)}
	for _, fn := range change {
		fn(&f)
	}
	c, err := w.File(w.Context(), f)
	if err != nil {
		w.Fatal(err)
	}
	return c
}

// act does something that must succeed.
func (w *world) act(by gov.Actor, c *Case, a Action) *Case {
	w.Helper()
	out, err := w.Act(w.Context(), by, c.Number, a)
	if err != nil {
		w.Fatalf("%s by %s: %v", a.Type, by.ID, err)
	}
	return out
}

// refused does something that must fail with a code.
func (w *world) refused(by gov.Actor, c *Case, a Action, code string) {
	w.Helper()
	_, err := w.Act(w.Context(), by, c.Number, a)
	if err == nil || problem.From(err).Code != code {
		w.Errorf("%s by %s: %v, want %s", a.Type, by.ID, err, code)
	}
}

// stands checks where a case stands.
func (w *world) stands(number string, state clock.State, due string) *Case {
	w.Helper()
	c, err := w.Find(w.Context(), studies, number)
	if err != nil {
		w.Fatal(err)
	}
	if c.State != state || c.Due.String() != due {
		w.Errorf("the case is %s, due %q, want %s, due %q", c.State, c.Due, state, due)
	}
	return c
}
