package casework

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"diwan/internal/casework/clock"
	"diwan/internal/db"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

// Variables by which a test program starts itself as the one that is killed.
const (
	crashFile = "DIWAN_CRASH_FILE"
	crashDay  = "DIWAN_CRASH_DAY"
	killsWish = "DIWAN_KILLS" // how many kills; some hundreds take minutes
)

func TestMain(m *testing.M) {
	if path := os.Getenv(crashFile); path != "" {
		if err := crashLoad(path); err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// crashWorld opens the casework of a file, some days after the tests' first one.
func crashWorld(path string, day int) (*Casework, error) {
	d, err := db.Open(context.Background(), "sqlite:"+path)
	if err != nil {
		return nil, err
	}
	if _, err := d.Migrate(context.Background(), []db.Migrations{Migrations(), DeskMigrations()}, time.Now()); err != nil {
		return nil, err
	}
	land, rules := testCountry(&testing.T{})
	w := New(Options{DB: d, Clock: &handClock{time.Date(2026, 3, 2+day, 10, 0, 0, 0, time.UTC)}, Country: land, Rules: rules, Keys: testKeys{map[string]bool{}}, May: tenantPolicy,
		Reference: func(_ context.Context, person, administration string) (string, error) {
			return hashOf(person, administration), nil
		}, Log: slog.New(slog.DiscardHandler)})
	return w, nil
}

// crashLoad files, decides and sweeps until it is killed. It prints a line for each
// thing that was acknowledged, after it was.
func crashLoad(path string) error {
	day, err := strconv.Atoi(os.Getenv(crashDay))
	if err != nil {
		return err
	}
	w, err := crashWorld(path, day)
	if err != nil {
		return err
	}
	ctx := context.Background()
	var mu sync.Mutex
	say := func(what, number string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Println(what, number)
	}
	errs := make(chan error)
	for i := range 4 {
		go func() {
			for n := 0; ; n++ {
				who := gov.Actor{ID: fmt.Sprintf("person%d", i), Roles: []gov.Role{gov.RolePerson}}
				d, err := w.Begin(ctx, Draft{Person: who.ID, Filer: who.ID, Administration: "commune", Procedure: "permit", Answers: []byte(`{"a":1}`)})
				if problem.From(err).Code == "draft.too_many" { // of those that were killed
					_, err = w.DB.Writer().Exec(`DELETE FROM casework_draft WHERE filer = $1 AND filed = ''`, who.ID)
				}
				if err != nil {
					errs <- err
					return
				}
				if d.ID == "" {
					continue
				}
				c, err := w.File(ctx, Filing{Draft: d.ID, Administration: "commune", Person: who.ID, By: who, Lang: "ar", Terms: permit(), Answers: d.Answers})
				if err != nil {
					errs <- err
					return
				}
				say("filed", c.Number)
				if n%3 > 0 {
					continue
				}
				if _, err := w.Act(ctx, signer, c.Number, Action{Type: string(clock.Refused), Text: "No."}); err != nil {
					errs <- err
					return
				}
				say("refused", c.Number)
			}
		}()
	}
	for range 2 { // as two copies of the program would
		go func() {
			for {
				if _, err := w.Sweep(ctx); err != nil {
					errs <- err
					return
				}
			}
		}()
	}
	return <-errs
}

// kills is how many times the program is killed.
func kills(t *testing.T) int {
	if n, err := strconv.Atoi(os.Getenv(killsWish)); err == nil {
		return n
	}
	return 50
}

// The program is killed under load again and again: what was acknowledged is
// there, each journal is whole, and no transition stands twice.
func TestKilledUnderLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "crash.db")
	acknowledged := map[string]string{}
	n := kills(t)
	for i := range n {
		// Days pass from one life to the next, so that each has cases to sweep.
		loadAndKill(t, path, 2*i, acknowledged)
		if t.Failed() {
			t.Fatalf("at kill %d of %d", i+1, n)
		}
	}
	w, err := crashWorld(path, 2*n)
	if err != nil {
		t.Fatal(err)
	}
	defer w.DB.Close()
	wholeAfterCrash(t, w, acknowledged)
}

func loadAndKill(t *testing.T, path string, day int, acknowledged map[string]string) {
	t.Helper()
	c := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	c.Env = append(os.Environ(), crashFile+"="+path, crashDay+"="+strconv.Itoa(day))
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	first := true
	for lines.Scan() {
		what, number, ok := strings.Cut(lines.Text(), " ")
		switch {
		case what == "failed":
			t.Error(lines.Text())
		case ok && len(number) == len("2026-AAAA-AAAA-AAAA"): // a line that the kill cut says nothing
			acknowledged[number] = what
		}
		if first {
			first = false
			time.AfterFunc(time.Duration(rand.IntN(80_000))*time.Microsecond, func() { c.Process.Kill() })
		}
	}
	c.Wait()
	if first {
		t.Error("nothing was acknowledged")
	}
}

func wholeAfterCrash(t *testing.T, w *Casework, acknowledged map[string]string) {
	t.Helper()
	for number, what := range acknowledged {
		c, err := caseByNumber(t.Context(), w.DB.Reader(), number)
		if err != nil {
			t.Fatalf("%s was acknowledged as %s and is lost: %v", number, what, err)
		}
		if what == "refused" && c.State != clock.RefusedState && c.State != clock.LapsedAppealable {
			t.Errorf("%s was refused and is %s", number, c.State)
		}
	}
	all, err := cases(t.Context(), w.DB.Reader(), `SELECT `+caseColumns+` FROM casework_case`)
	if err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, c := range all {
		journal, err := w.Journal(t.Context(), c)
		if err != nil {
			t.Fatalf("the journal of %s: %v", c.Number, err)
		}
		seen := map[string]int{}
		for _, e := range journal {
			if key := e.Type + " " + e.Clear.State; e.Type == TimePassed || e.Type == string(clock.Refused) {
				if seen[key]++; seen[key] > 1 {
					t.Errorf("%s of %s was written twice", key, c.Number)
				}
				if e.Type == TimePassed {
					passed++
				}
			}
		}
	}
	var broken string
	if err := w.DB.Reader().QueryRow(`PRAGMA integrity_check`).Scan(&broken); err != nil || broken != "ok" {
		t.Error("the file:", broken, err)
	}
	t.Logf("%d acknowledged, %d cases, %d transitions of time", len(acknowledged), len(all), passed)
	if passed == 0 {
		t.Error("no transition was made under load: the test tests too little")
	}
}
