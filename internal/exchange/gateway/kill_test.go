package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"diwan/internal/exchange/journal"
	"diwan/internal/gov"
	"diwan/protocol/link"
)

// childVariable names, for a copy of the test program, the configuration of the
// gateway that it is to be.
const childVariable = "DIWAN_TEST_GATEWAY"

func child() {
	cfg, err := ReadConfig(os.Getenv(childVariable))
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		var g *Gateway
		if g, err = Open(ctx, cfg, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})), gov.SystemClock{}); err == nil {
			fmt.Println("ready")
			err = g.Run(ctx)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// process is a gateway in a process of its own, which can be killed.
type process struct {
	t    testing.TB
	file string
	by   []string // what runs it: a command and its arguments, or nothing
	cmd  *exec.Cmd
	errs *safeBuffer
}

func newProcess(t testing.TB, c Config) *process {
	t.Helper()
	return newProcessIn(t, c)
}

// newProcessIn is newProcess with a command that runs it.
func newProcessIn(t testing.TB, c Config, by ...string) *process {
	t.Helper()
	p := &process{t: t, by: by, file: filepath.Join(t.TempDir(), "gateway.toml"), errs: &safeBuffer{}}
	var b bytes.Buffer
	if err := toml.NewEncoder(&b).Encode(c); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	p.start()
	t.Cleanup(func() { p.kill() })
	return p
}

func (p *process) start() {
	p.t.Helper()
	args := append(slices.Clone(p.by), os.Args[0])
	p.cmd = exec.Command(args[0], args[1:]...)
	p.cmd.Env = append(os.Environ(), childVariable+"="+p.file)
	p.cmd.Stderr = p.errs
	out, err := p.cmd.StdoutPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		p.t.Fatal(err)
	}
	line := make([]byte, 6)
	if _, err := io.ReadFull(out, line); err != nil {
		p.t.Fatalf("a gateway does not start: %s", p.errs)
	}
}

// kill is kill -9.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// asked is one exchange as its client knows it.
type asked struct {
	id      string
	request string // id of the request that was answered; "" when none was
	unknown bool   // the provider says that nobody knows
}

// TestKilledAtAnyMoment kills both gateways again and again while exchanges are made,
// 1,000 at least and as many as it takes for enough kills, whose clients repeat themselves under the same X-Road-Id until they
// know. Nothing that was acknowledged may be missing from either journal, and
// nothing may have been carried out twice.
func TestKilledAtAnyMoment(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	const least, most, workers, enough = 1000, 50_000, 8, 6
	work := &carriedOut{times: map[string]int{}}
	p := setUp(t, newWorld(t), work, func(p *pairing, _ *Terms) {
		p.town.Edge.HTTP = freePort(t)
		p.town.Admin.Listen, p.civil.Admin.Listen = "", ""
		p.civil.Edge.HTTP = ""
	})
	// The machine's clock is the gateways'; the directory's may be a little ahead.
	procs := []*process{newProcess(t, p.civil), newProcess(t, p.town)}
	p.eventually("the first exchange", func() bool {
		a, err := ask(p.town.Edge.HTTP, "POST", r1("/acts"), strings.NewReader("first"), "X-Road-Id", "first")
		return err == nil && a.status == 201
	})
	todo := make(chan int)
	results := make(chan asked, most)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range todo {
				results <- repeat(p.town.Edge.HTTP, fmt.Sprintf("x-%d", i))
			}
		})
	}
	stop := make(chan struct{})
	var killers sync.WaitGroup
	var kills atomic.Int64
	killers.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(60+rand.IntN(120)) * time.Millisecond):
			}
			v := procs[kills.Add(1)%2]
			v.kill()
			v.start()
		}
	})
	made := 0
	for ; made < least || kills.Load() < enough && made < most; made++ {
		todo <- made
	}
	close(todo)
	wg.Wait()
	close(stop)
	killers.Wait()
	close(results)
	for _, v := range procs {
		v.kill()
	}
	if n := kills.Load(); n < enough {
		t.Errorf("only %d kills", n)
	}
	known, lost := p.accounted(t, results, work)
	t.Logf("%d kills, %d exchanges acknowledged, %d of which nobody knows", kills.Load(), known, lost)
	if known < made/2 {
		t.Errorf("only %d exchanges came through", known)
	}
}

// carriedOut is a service that counts what it did.
type carriedOut struct {
	mu    sync.Mutex
	times map[string]int
}

func (c *carriedOut) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	c.mu.Lock()
	c.times[string(body)]++
	c.mu.Unlock()
	w.WriteHeader(201)
	w.Write(body)
}

func (c *carriedOut) of(id string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.times[id]
}

// count is how many different things were done.
func (c *carriedOut) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.times)
}

// accounted holds what clients know against both journals and what was done: what
// was acknowledged is in both and was done once, and nothing was done twice.
// A member's nodes have a journal each, and one exchange is in one of them.
func (p *pairing) accounted(t *testing.T, results <-chan asked, work *carriedOut, more ...Config) (known, lost int) {
	t.Helper()
	here := [2]map[string]int{recorded(t, p.civil), recorded(t, p.town)}
	for _, c := range more {
		side := here[0]
		if c.Member == town {
			side = here[1]
		}
		for id, what := range recorded(t, c) {
			side[id] = max(side[id], what)
		}
	}
	for a := range results {
		n := work.of(a.id)
		switch {
		case n > 1:
			t.Errorf("%s was carried out %d times", a.id, n)
		case a.request != "":
			known++
			if n != 1 {
				t.Errorf("%s was acknowledged and not carried out", a.id)
			}
			for i, side := range here {
				if side[a.request] != 3 {
					t.Errorf("%s: the journal of %s lacks what was acknowledged (%d)", a.id, []string{civil, town}[i], side[a.request])
				}
			}
		default:
			lost++
		}
	}
	return known, lost
}

// repeat asks until it knows.
func repeat(edge, id string) asked {
	out := asked{id: id}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(15 * time.Millisecond) {
		a, err := ask(edge, "POST", r1("/acts"), strings.NewReader(id), "X-Road-Id", id)
		if err != nil {
			continue
		}
		if a.status == 201 && a.body == id {
			out.request = a.header.Get("X-Road-Request-Id")
			return out
		}
		if strings.Contains(a.body, "outcome is not known") {
			out.unknown = true
			return out
		}
	}
	return out
}

// recorded says of each request what a journal holds: 1 its request, 2 its answer.
// It also verifies the journal.
func recorded(t *testing.T, c Config) map[string]int {
	t.Helper()
	dir := filepath.Join(c.Data, journalFolder)
	j, err := journal.Open(dir, journal.Options{SegmentBytes: 1 << 20}) // repairs what the last kill has torn
	if err != nil {
		t.Fatalf("%s: %v", c.Member, err)
	}
	j.Close()
	report, err := journal.Verify(dir, nil, nil)
	if err != nil || len(report.Problems) > 0 {
		t.Errorf("the journal of %s: %+v, %v", c.Member, report, err)
	}
	out := map[string]int{}
	r := journal.NewReader(dir, 1)
	defer r.Close()
	for {
		e, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		if e.Message == nil {
			continue
		}
		switch id := uuid(e.Message.Envelope.ID()); e.Message.Envelope.Kind() {
		case link.KindRequest:
			out[id] |= 1
		case link.KindResponse:
			out[id] |= 2
		}
	}
}
