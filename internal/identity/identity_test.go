package identity

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"diwan/internal/audit"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

type movingClock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *movingClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *movingClock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func each(t *testing.T, test func(t *testing.T, a *Accounts, d *db.DB, clock *movingClock)) {
	dbtest.Each(t, []db.Migrations{audit.Migrations(), Migrations()}, func(t *testing.T, d *db.DB) {
		clock := &movingClock{t: time.Now()}
		a := NewAccounts(d, audit.New(d, clock), clock)
		acc := Account{Actor: gov.Actor{Login: "ali", Name: gov.Text{"en": "Ali"}, Roles: []gov.Role{gov.RoleEditor}, Administration: "north"}}
		if err := a.Put(t.Context(), gov.Actor{ID: "op"}, acc); err != nil {
			t.Fatal(err)
		}
		test(t, a, d, clock)
	})
}

func TestLinkWorksOnce(t *testing.T) {
	each(t, func(t *testing.T, a *Accounts, _ *db.DB, _ *movingClock) {
		token, err := a.Link(t.Context(), "ali")
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for range 4 { // also when it is used at the same moment
			wg.Go(func() {
				if acc, err := a.Redeem(t.Context(), token); err == nil && acc.Login == "ali" {
					mu.Lock()
					won++
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Errorf("the link worked %d times", won)
		}
	})
}

func TestLinkExpires(t *testing.T) {
	each(t, func(t *testing.T, a *Accounts, _ *db.DB, clock *movingClock) {
		token, err := a.Link(t.Context(), "ali")
		if err != nil {
			t.Fatal(err)
		}
		clock.pass(linkLife + time.Second)
		if _, err := a.Redeem(t.Context(), token); !problem.Is(err, problem.Forbidden) {
			t.Errorf("an expired link: %v", err)
		}
		if _, err := a.Redeem(t.Context(), "guess"); !problem.Is(err, problem.Forbidden) {
			t.Errorf("a guess: %v", err)
		}
	})
}

func TestAccountsAreChecked(t *testing.T) {
	each(t, func(t *testing.T, a *Accounts, _ *db.DB, _ *movingClock) {
		for _, acc := range []gov.Actor{{Login: "A"}, {Login: "../x"}, {Login: "ok", Roles: []gov.Role{"king"}}} {
			if err := a.Put(t.Context(), gov.Actor{}, Account{Actor: acc}); !problem.Is(err, problem.Invalid) {
				t.Errorf("%+v: %v", acc, err)
			}
		}
		before, err := a.ByLogin(t.Context(), "ali")
		if err != nil {
			t.Fatal(err)
		}
		before.Roles = nil
		id := before.ID
		if err := a.Put(t.Context(), gov.Actor{}, before); err != nil {
			t.Fatal(err)
		}
		if after, err := a.ByLogin(t.Context(), "ali"); err != nil || after.ID != id || after.Roles != nil {
			t.Errorf("after a change: %+v, %v", after, err)
		}
	})
}

// server answers with the login of who is signed in, and signs in on POST.
func server(a *Accounts, d *db.DB, clock gov.Clock) (*Sessions, http.Handler) {
	s := NewSessions(d, a, clock, false)
	return s, s.Load(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			acc, err := a.ByLogin(r.Context(), "ali")
			if err == nil {
				err = s.signIn(r, acc, newSignIn{way: waySample})
			}
			if err != nil {
				http.Error(w, err.Error(), 500)
			}
			return
		}
		w.Write([]byte(Actor(r).Login))
	}))
}

func ask(h http.Handler, method string, c *http.Cookie) (*http.Response, string) {
	r := httptest.NewRequest(method, "/", nil)
	if c != nil {
		r.AddCookie(c)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result(), w.Body.String()
}

func TestSession(t *testing.T) {
	each(t, func(t *testing.T, a *Accounts, d *db.DB, clock *movingClock) {
		_, h := server(a, d, clock)
		planted := &http.Cookie{Name: "diwan", Value: "planted-by-somebody"}
		res, _ := ask(h, "POST", planted)
		if len(res.Cookies()) != 1 || res.Cookies()[0].Value == planted.Value || !res.Cookies()[0].HttpOnly {
			t.Fatalf("cookies: %+v", res.Cookies())
		}
		cookie := res.Cookies()[0]
		if _, who := ask(h, "GET", cookie); who != "ali" {
			t.Errorf("signed in as %q", who)
		}
		if _, who := ask(h, "GET", planted); who != "" {
			t.Errorf("the planted token is %q", who)
		}
		var n int
		if err := d.Reader().QueryRow(`SELECT COUNT(*) FROM identity_session WHERE token_hash = $1`, cookie.Value).Scan(&n); err != nil || n != 0 {
			t.Errorf("the database holds the token itself: %d, %v", n, err)
		}
		acc, _ := a.ByLogin(t.Context(), "ali")
		acc.Disabled = true
		if err := a.Put(t.Context(), gov.Actor{}, acc); err != nil {
			t.Fatal(err)
		}
		if _, who := ask(h, "GET", cookie); who != "" {
			t.Errorf("a disabled account is still %q", who)
		}
		if _, err := a.Link(t.Context(), "ali"); !problem.Is(err, problem.Forbidden) {
			t.Errorf("a link for a disabled account: %v", err)
		}
	})
}

func TestSweep(t *testing.T) {
	each(t, func(t *testing.T, a *Accounts, d *db.DB, clock *movingClock) {
		if _, err := a.Link(t.Context(), "ali"); err != nil {
			t.Fatal(err)
		}
		st := sessionStore{d, clock}
		if err := st.CommitCtx(context.Background(), "old", []byte("x"), clock.Now().Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		clock.pass(time.Hour)
		if err := a.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		var n int
		if err := d.Reader().QueryRow(`SELECT (SELECT COUNT(*) FROM identity_link) + (SELECT COUNT(*) FROM identity_session)`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d expired rows stay, %v", n, err)
		}
	})
}
