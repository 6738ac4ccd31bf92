package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"
)

// balancer passes TCP connections on to nodes in turn, to the next one when one does
// not answer. It knows nothing of what passes, as those in front of gateways do not.
type balancer struct {
	net.Listener
	next   atomic.Int64
	passed []atomic.Int64 // by node
}

func newBalancer(t testing.TB, nodes ...string) *balancer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &balancer{Listener: l, passed: make([]atomic.Int64, len(nodes))}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go b.pass(c, nodes)
		}
	}()
	return b
}

func (b *balancer) pass(c net.Conn, nodes []string) {
	defer c.Close()
	for range nodes {
		at := int(b.next.Add(1)) % len(nodes)
		to, err := net.DialTimeout("tcp", nodes[at], time.Second)
		if err != nil {
			continue
		}
		defer to.Close()
		b.passed[at].Add(1)
		done := make(chan struct{}, 2)
		pipe := func(to, from net.Conn) {
			io.Copy(to, from)
			done <- struct{}{}
		}
		go pipe(to, c)
		go pipe(c, to)
		<-done
		return
	}
}

// Two nodes of each member share a PostgreSQL database and stand behind a TCP balancer
// that knows nothing. One after the other is killed under load: what was acknowledged
// is in the journals of both sides and was done once, and journals and log of every
// node hold.
func TestNodesBehindABalancer(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	t.Run("postgres", testNodesBehindABalancer)
}

func testNodesBehindABalancer(t *testing.T) {
	const least, most, kills, workers = 400, 20_000, 8, 8 // each node twice
	work := &carriedOut{times: map[string]int{}}
	var second [2]Config // of the town, of the registry
	var link, edge *balancer
	p := setUp(t, newWorld(t), work, func(p *pairing, _ *Terms) {
		p.town.Edge.HTTP = freePort(t)
		second[0], second[1] = p.joined(town, "n2"), p.joined(civil, "n2")
		second[0].Database, second[0].Clients, second[0].Edge.HTTP = p.town.Database, p.town.Clients, freePort(t)
		second[1].Database, second[1].Services = p.civil.Database, p.civil.Services
		link, edge = newBalancer(t, p.civil.Link.Listen, second[1].Link.Listen), newBalancer(t, p.town.Edge.HTTP, second[0].Edge.HTTP)
		for _, c := range []*Config{&p.civil, &second[1]} {
			c.Link.Addresses, c.Edge.HTTP = []string{link.Addr().String()}, ""
		}
		for _, c := range []*Config{&p.town, &p.civil, &second[0], &second[1]} {
			c.Admin.Listen = ""
		}
	})
	configs := []Config{p.civil, p.town, second[1], second[0]}
	for i, first := range configs[:2] { // all of them sign their member's log
		to, err := KeysRecipient(configs[i+2], p.clock)
		p.ok(err)
		sealed, err := ShareKeys(first, to, p.clock)
		p.ok(err)
		p.ok(TakeKeys(configs[i+2], bytes.NewReader(sealed), p.clock))
	}
	var procs []*process
	for _, c := range configs {
		procs = append(procs, newProcess(t, c))
	}
	at := edge.Addr().String()
	p.eventually("the directory names the balancer alone", func() bool {
		m, err := p.x.Member(t.Context(), civil)
		return err == nil && len(m.Nodes) == 2 && slices.Equal(slices.Concat(m.Nodes[0].Addresses, m.Nodes[1].Addresses), []string{link.Addr().String(), link.Addr().String()})
	})
	p.eventually("the first exchange goes through both balancers", func() bool {
		a, err := ask(at, "POST", r1("/acts"), strings.NewReader("first"), "X-Road-Id", "first")
		return err == nil && a.status == 201 && link.passed[0].Load()+link.passed[1].Load() > 0
	})
	todo := make(chan int)
	results := make(chan asked, most)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range todo {
				results <- repeat(at, fmt.Sprintf("x-%d", i))
			}
		})
	}
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		for i := range kills {
			time.Sleep(100 * time.Millisecond)
			v := procs[i%len(procs)]
			v.kill()
			time.Sleep(100 * time.Millisecond) // the other node has it all
			v.start()
		}
	}()
	made := 0
	for over := false; made < most && !(over && made >= least); made++ {
		todo <- made
		select {
		case <-killed:
			over = true
		default:
		}
	}
	close(todo)
	wg.Wait()
	<-killed
	close(results)
	for _, v := range procs {
		v.kill()
	}
	for _, b := range []*balancer{link, edge} {
		if b.passed[0].Load() == 0 || b.passed[1].Load() == 0 {
			t.Errorf("a balancer passed %d and %d connections", b.passed[0].Load(), b.passed[1].Load())
		}
	}
	known, lost := p.accounted(t, results, work, second[0], second[1])
	t.Logf("%d kills, %d exchanges acknowledged, %d of which nobody knows", kills, known, lost)
	if known < made*3/4 {
		t.Errorf("only %d exchanges of %d came through", known, made)
	}
	p.logsHold(t, configs)
}

// logsHold runs the nodes once more until the log has all of their journals, and then
// verifies each journal against the member's log.
func (p *pairing) logsHold(t *testing.T, configs []Config) {
	t.Helper()
	var nodes []*node
	for _, c := range configs {
		nodes = append(nodes, p.start(c))
	}
	for _, n := range nodes {
		p.eventually("the log of "+n.cfg.Member+" has the journal of "+n.cfg.Node, func() bool {
			n.leisure.turn.Lock()
			n.leisure.free = time.Time{} // a test does not wait for leisure
			n.leisure.turn.Unlock()
			return n.proof.fed.Load() == n.Records() && n.Records() > 0
		})
	}
	for _, n := range nodes {
		n.end()
	}
	for _, c := range configs {
		f, err := OpenFolder(t.Context(), c.Data, c.Database, nil)
		p.ok(err)
		w, err := f.Verify(t.Context(), nil)
		f.Close()
		if err != nil || !w.OK || w.Logged == 0 || w.LogSize == 0 {
			t.Errorf("%s/%s: %+v, %v", c.Member, c.Node, w, err)
		}
	}
}

// What a node began that is no more, nobody waits for: another process of it, or its
// silence, shows that the outcome stays unknown. What it received is not carried out
// again when the same message comes to another node.
func TestNodeThatIsGone(t *testing.T) { engines(t, testNodeThatIsGone) }

func testNodeThatIsGone(t *testing.T) {
	var calls atomic.Int64
	p := newPair(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, calls.Add(1)) }), func(p *pairing, _ *Terms) {
		p.joined(civil, "n2") // it does not run
	})
	g := p.answers
	p.eventually("the first node knows of the second", g.several)
	post := func(id string) answer {
		return p.asks.call("POST", r1("/acts"), strings.NewReader(id), "X-Road-Id", id, "X-Road-Security-Server", civil+"/n1")
	}
	begin := func(id, boot string) { // what is kept of it as if the other node had it under way
		p.ok(store{g.db, "n2"}.beat(t.Context(), boot, p.clock.Now()))
		if a := post(id); a.status != 200 {
			t.Fatalf("%+v", a)
		}
		_, err := g.store.exec(t.Context(), `UPDATE gateway_outcome SET state = $1, node = 'n2', boot = $2 WHERE message_id = $3`, begun, boot, id)
		p.ok(err)
	}
	says := func(id, words string) {
		t.Helper()
		if a := post(id); !strings.Contains(a.body, words) {
			t.Errorf("%s: %+v, not %q", id, a, words)
		}
	}
	begin("a", "one")
	says("a", "is under way")
	begin("b", "two")
	says("a", "outcome is not known") // its process was followed by another
	says("b", "is under way")
	p.clock.turn(goneAfter + time.Second)
	says("b", "outcome is not known")
	if calls.Load() != 2 {
		t.Errorf("%d calls of two requests", calls.Load())
	}

	// Without an X-Road-Id of the client's the gateway's own is claimed.
	if a := p.asks.call("POST", r1("/acts"), strings.NewReader("c"), "X-Road-Security-Server", civil+"/n1"); a.status != 200 {
		t.Errorf("%+v", a)
	}
	var n int
	p.ok(g.db.Reader().QueryRowContext(t.Context(), `SELECT count(*) FROM gateway_outcome WHERE state = 'done' AND message_id LIKE 'XX-%'`).Scan(&n))
	if n != 1 {
		t.Errorf("%d claims of a message of the gateway's own name", n)
	}
}

// With the key of the member's log, sealed to it by the first node, another node signs
// checkpoints while the first is gone. What is sealed to another, or is of another
// member, is not taken.
func TestLogSignedByAnotherNode(t *testing.T) { engines(t, testLogSignedByAnotherNode) }

func testLogSignedByAnotherNode(t *testing.T) {
	var second Config
	p := newPair(t, acts(t), func(p *pairing, _ *Terms) {
		second = p.joined(civil, "n2")
		second.Database, second.Services = p.civil.Database, p.civil.Services
	})
	to, err := KeysRecipient(second, p.clock)
	p.ok(err)
	sealed, err := ShareKeys(p.civil, to, p.clock)
	p.ok(err)
	if strings.Contains(string(sealed), civil) {
		t.Error("what is sealed can be read")
	}
	if err := TakeKeys(p.town, bytes.NewReader(sealed), p.clock); !errors.Is(err, ErrShared) {
		t.Errorf("sealed to another: %v", err)
	}
	townKeys, err := KeysRecipient(p.town, p.clock)
	p.ok(err)
	foreign, err := ShareKeys(p.civil, townKeys, p.clock)
	p.ok(err)
	if err := TakeKeys(p.town, bytes.NewReader(foreign), p.clock); !errors.Is(err, ErrShared) {
		t.Errorf("of another member: %v", err)
	}
	recipient, err := age.ParseX25519Recipient(to)
	p.ok(err)
	wrong, err := sharedKeys{civil, make([]byte, 32)}.seal(recipient)
	p.ok(err)
	_, err = p.office(second).View(t.Context()) // which says whose log is whose
	p.ok(err)
	if err := TakeKeys(second, bytes.NewReader(wrong), p.clock); !errors.Is(err, ErrShared) {
		t.Errorf("a key that the directory does not name: %v", err)
	}
	for _, bad := range []string{"", "age1x", "-----BEGIN AGE ENCRYPTED FILE-----"} {
		if _, err := ShareKeys(p.civil, bad, p.clock); err == nil {
			t.Errorf("%q is a recipient", bad)
		}
		if err := TakeKeys(second, strings.NewReader(bad), p.clock); !errors.Is(err, ErrShared) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if _, err := ShareKeys(second, to, p.clock); err == nil {
		t.Error("a node without the key shares it")
	}
	for range 2 {
		p.ok(TakeKeys(second, bytes.NewReader(sealed), p.clock))
	}
	p.answers.end()
	other := p.start(second)
	p.eventually("the other node answers", func() bool {
		return p.asks.call("GET", r1("/acts/1"), nil).status == 200
	})
	p.eventually("it signs a checkpoint over its own records", func() bool {
		size, err := other.proof.log.Size(t.Context())
		if err != nil || other.proof.fed.Load() != other.Records() {
			return false
		}
		s, err := other.proof.log.At(t.Context(), size)
		return err == nil && s.Size > 0
	})
	other.end()
	f, err := OpenFolder(t.Context(), second.Data, second.Database, nil)
	p.ok(err)
	defer f.Close()
	if w, err := f.Verify(t.Context(), nil); err != nil || !w.OK || w.Signed.Size == 0 {
		t.Errorf("%+v, %v", w, err)
	}
}
