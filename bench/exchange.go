package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"time"
)

// How the exchange is loaded: all variants are up at once and take turns, so that
// what else the machine does falls on each alike.
const (
	exchangeConnections = 32
	exchangeCycles      = 15
	exchangeTurn        = time.Second
)

// exchangeRun is what is up during a run.
type exchangeRun struct {
	b              *bench
	batch, message *gatewayPair
	variants       []*variant // the reference, many messages under a signature, each alone
}

// exchangeSpeed measures two gateways beside two bare reverse proxies with the
// same mutual TLS between them, in front of the same service.
func exchangeSpeed(ctx context.Context, b *bench) error {
	if *exchangePart != "" {
		return servePart(ctx)
	}
	debug.SetGCPercent(400)
	w, end, err := newExchangeWorld(ctx, b)
	if err != nil {
		return err
	}
	defer end()
	backend, at, err := startPart(ctx, 2, "-exchange-part", "backend")
	if err != nil {
		return err
	}
	defer backend.stop()
	w.short, w.long = at[0], at[1]
	r := &exchangeRun{b: b}
	if r.batch, err = w.pair(ctx, "BATCH", false); err != nil {
		return err
	}
	if r.message, err = w.pair(ctx, "MESSAGE", true); err != nil {
		return err
	}
	for _, p := range []*gatewayPair{r.batch, r.message} {
		defer p.answers.stop()
		defer p.asks.stop()
		if err := p.settled(ctx); err != nil {
			return err
		}
	}
	if *exchangeProfile == "" {
		if err := r.memory(ctx); err != nil {
			return err
		}
	}
	stop, err := r.connect(ctx, w.short, backend)
	if stop != nil {
		defer stop()
	}
	if err != nil {
		return err
	}
	if *exchangeProfile != "" {
		return r.profile(ctx, *exchangeProfile)
	}
	return r.speed(ctx)
}

// memory measures gateways that have just started, before a load makes their heaps
// large: at rest, and while large bodies pass.
func (r *exchangeRun) memory(ctx context.Context) error {
	time.Sleep(3 * time.Second)
	idle := 0.0
	for _, g := range []*gatewayProcess{r.batch.asks, r.batch.answers, r.message.asks, r.message.answers} {
		mb, err := g.resident()
		if err != nil {
			return err
		}
		idle = max(idle, mb)
	}
	fmt.Printf("resident at rest: %.1f MB, the largest of four gateways\n", idle)
	most := 0.0
	for _, way := range []struct {
		name string
		task func() error
	}{{"to", func() error { return r.send(ctx) }}, {"from", func() error { return r.fetch(ctx) }}} {
		var here, there float64
		begin := time.Now()
		there, err := r.batch.answers.growth(func() (err error) {
			here, err = r.batch.asks.growth(way.task)
			return err
		})
		if err != nil {
			return err
		}
		fmt.Printf("a body of %d MB %s the service: %.2f s, resident grows by %.1f MB where it is asked and %.1f MB where it is answered\n",
			largeBytes>>20, way.name, time.Since(begin).Seconds(), here, there)
		most = max(most, here, there)
	}
	r.b.atMost("idle_resident_mb", idle, 60)
	r.b.atMost("large_body_growth_mb", most, 64)
	return nil
}

// send sends a large body, whose length the service says back.
func (r *exchangeRun) send(ctx context.Context) error {
	res, err := r.batch.call(ctx, http.MethodPost, "large", "/items", io.LimitReader(zeros{}, largeBytes))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 1000))
	if n, _ := strconv.Atoi(string(b)); n != largeBytes {
		return fmt.Errorf("the service got %q of %d bytes: %w", b, largeBytes, err)
	}
	return nil
}

// fetch asks for a large body.
func (r *exchangeRun) fetch(ctx context.Context) error {
	res, err := r.batch.call(ctx, http.MethodGet, "large", "/items/1", nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	if err != nil || n != largeBytes {
		return fmt.Errorf("%d bytes of %d came back: %w", n, largeBytes, err)
	}
	return nil
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// connect starts the reference and opens the connections to all variants.
func (r *exchangeRun) connect(ctx context.Context, address string, backend *process) (stop func(), err error) {
	keys := filepath.Join(r.b.work, "reference")
	if err := os.MkdirAll(keys, 0o700); err != nil {
		return nil, err
	}
	if err := writePair(keys); err != nil {
		return nil, err
	}
	answers, there, err := startPart(ctx, 1, "-exchange-part", "answers", "-exchange-target", address, "-exchange-keys", keys)
	if err != nil {
		return nil, err
	}
	asks, here, err := startPart(ctx, 1, "-exchange-part", "asks", "-exchange-target", there[0], "-exchange-keys", keys)
	if err != nil {
		answers.stop()
		return nil, err
	}
	stop = func() { asks.stop(); answers.stop() }
	add := func(name, address string, p *gatewayPair, asks, answers *process) error {
		processes := [4]int{asks.cmd.Process.Pid, answers.cmd.Process.Pid, backend.cmd.Process.Pid, os.Getpid()}
		v, err := newVariant(name, address, "/r1/"+p.service+"/short/items/1", p.client, exchangeConnections, processes)
		r.variants = append(r.variants, v)
		return err
	}
	for _, err := range []error{
		add("two reverse proxies", here[0], r.batch, asks, answers),
		add("gateways, batch", r.batch.asks.edge, r.batch, r.batch.asks.process, r.batch.answers.process),
		add("gateways, per message", r.message.asks.edge, r.message, r.message.asks.process, r.message.answers.process),
	} {
		if err != nil {
			stop()
			return nil, err
		}
	}
	return stop, r.warm(ctx)
}

// warm uses every connection once: a gateway gives a new one some seconds for its
// first request.
func (r *exchangeRun) warm(ctx context.Context) error {
	var unused turns
	for _, v := range r.variants {
		if err := v.turn(ctx, exchangeConnections, exchangeTurn, &unused); err != nil {
			return err
		}
	}
	return nil
}

// speed lets the variants take turns.
func (r *exchangeRun) speed(ctx context.Context) error {
	mid, high, err := commitTime(ctx, filepath.Join(r.b.work, "probe"))
	if err != nil {
		return err
	}
	fmt.Printf("a flush of the journal when nothing else runs: median %v, p99 %v\n", mid.Round(time.Microsecond), high.Round(time.Microsecond))
	for _, phase := range []struct {
		connections int
		into        func(v *variant) *turns
	}{{exchangeConnections, func(v *variant) *turns { return &v.many }}, {1, func(v *variant) *turns { return &v.one }}} {
		before, err := r.flushes()
		if err != nil {
			return err
		}
		for cycle := range exchangeCycles {
			for i := range r.variants {
				v := r.variants[(cycle+i)%len(r.variants)]
				if err := v.turn(ctx, phase.connections, exchangeTurn, phase.into(v)); err != nil {
					return err
				}
			}
		}
		after, err := r.flushes()
		if err != nil {
			return err
		}
		r.show(phase.connections, phase.into, before, after)
	}
	return r.judge()
}

// flushes are those of the four gateways.
func (r *exchangeRun) flushes() (out [4]flushed, err error) {
	for i, g := range []*gatewayProcess{r.batch.asks, r.batch.answers, r.message.asks, r.message.answers} {
		if out[i], err = g.flushed(); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (r *exchangeRun) show(connections int, of func(*variant) *turns, before, after [4]flushed) {
	fmt.Printf("\n%d connections, %d turns of %v each\n", connections, exchangeCycles, exchangeTurn)
	reference := of(r.variants[0])
	for i, v := range r.variants {
		t := of(v)
		low, mid, high := quartiles(ratios(t.rate, reference.rate))
		fmt.Printf("  %s: %.0f answers/s, %.3f of the reference (quartiles %.3f and %.3f); p50 %.2f ms, p99 %.2f ms\n", v.name, median(t.rate), mid, low, high, median(milliseconds(t.p50)), median(milliseconds(t.p99)))
		fmt.Printf("    processor time for an answer: %.0f µs asking, %.0f µs answering, %.0f µs service and client; %.3f of the reference by that alone\n",
			t.perAnswer(0), t.perAnswer(1), t.perAnswer(2)+t.perAnswer(3), reference.cost()/t.cost())
		if i == 0 {
			continue
		}
		for k, side := range []string{"asking", "answering"} {
			a, b := after[2*i-2+k], before[2*i-2+k]
			n := max(1, a.count-b.count)
			fmt.Printf("    %s: groups of %.1f exchanges waited %.0f µs for the journal\n", side, float64(len(t.all))/n, 1e6*(a.seconds-b.seconds)/n)
		}
	}
}

func milliseconds(v []time.Duration) []float64 {
	out := make([]float64, len(v))
	for i := range v {
		out[i] = v[i].Seconds() * 1e3
	}
	return out
}

// judge sets the figures beside their goals.
func (r *exchangeRun) judge() error {
	reference, batch, message := r.variants[0], r.variants[1], r.variants[2]
	for _, g := range []*gatewayProcess{r.batch.asks, r.batch.answers} {
		mb, err := g.resident()
		if err != nil {
			return err
		}
		fmt.Printf("resident after the load: %.1f MB\n", mb)
	}
	r.b.atLeast("batch_ratio", median(ratios(batch.many.rate, reference.many.rate)), .70)
	r.b.atLeast("message_ratio", median(ratios(message.many.rate, reference.many.rate)), .35)
	r.b.atMost("batch_added_ms_at_one", median(added(batch.one.p50, reference.one.p50)), .7)
	r.b.atMost("message_added_ms_at_one", median(added(message.one.p50, reference.one.p50)), .7)
	r.b.atMost("batch_p99_ratio", median(ratios(batch.many.p99, reference.many.p99)), 3)
	r.b.atMost("message_p99_ratio", median(ratios(message.many.p99, reference.many.p99)), 3)
	return nil
}
