package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"
)

// variant is one way from a client to the service, with its connections open for
// the whole run.
type variant struct {
	name      string
	request   []byte
	clients   []*client
	processes [4]int // whose processor time counts: who asks, who answers, the service, this client

	many, one turns
}

// turns are what was found in the turns of a variant, one entry a turn.
type turns struct {
	rate     []float64 // answers a second
	p50, p99 []time.Duration
	all      []time.Duration
	cpu      [4]time.Duration // of the variant's processes
}

// newVariant opens the connections.
func newVariant(name, address, path, header string, connections int, processes [4]int) (*variant, error) {
	v := &variant{name: name, processes: processes,
		request: fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: bench\r\nAccept: application/json\r\nX-Road-Client: %s\r\n\r\n", path, header)}
	for range connections {
		c, err := dial(address)
		if err != nil {
			return nil, err
		}
		v.clients = append(v.clients, c)
	}
	return v, nil
}

// ask sends one request and reads its answer, which must be whole.
func (c *client) ask(request []byte) error {
	if _, err := c.conn.Write(request); err != nil {
		return err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(line, []byte("HTTP/1.1 200 ")) {
		return fmt.Errorf("the answer is %q", line)
	}
	length := -1
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(v)))
		}
	}
	if length != answerBytes {
		return fmt.Errorf("the answer has %d bytes", length)
	}
	_, err = c.r.Discard(length)
	return err
}

// turn loads a variant over some of its connections for a time.
func (v *variant) turn(ctx context.Context, connections int, d time.Duration, into *turns) error {
	before, err := v.cpu()
	if err != nil {
		return err
	}
	times := make([][]time.Duration, connections)
	errs := make([]error, connections)
	start := time.Now()
	var wg sync.WaitGroup
	for i, c := range v.clients[:connections] {
		wg.Go(func() {
			for at := time.Now(); at.Sub(start) < d && ctx.Err() == nil; {
				if errs[i] = c.ask(v.request); errs[i] != nil {
					return
				}
				now := time.Now()
				times[i] = append(times[i], now.Sub(at))
				at = now
			}
		})
	}
	wg.Wait()
	took := time.Since(start)
	if err := errors.Join(append(errs, ctx.Err())...); err != nil {
		return fmt.Errorf("%s: %w", v.name, err)
	}
	after, err := v.cpu()
	if err != nil {
		return err
	}
	for i := range after {
		into.cpu[i] += after[i] - before[i]
	}
	all := slices.Concat(times...)
	slices.Sort(all)
	into.rate = append(into.rate, float64(len(all))/took.Seconds())
	into.p50 = append(into.p50, percentile(all, .5))
	into.p99 = append(into.p99, percentile(all, .99))
	into.all = append(into.all, all...)
	return nil
}

func (v *variant) cpu() (used [4]time.Duration, err error) {
	for i, pid := range v.processes {
		if used[i], err = processorTime(pid); err != nil {
			return used, err
		}
	}
	return used, nil
}

// perAnswer is the processor time of one of the processes for one answer, in
// microseconds.
func (t *turns) perAnswer(i int) float64 {
	return t.cpu[i].Seconds() * 1e6 / float64(len(t.all))
}

// cost is that of all of them together: where processors are what is short, rates
// are as these.
func (t *turns) cost() (all float64) {
	for i := range t.cpu {
		all += t.perAnswer(i)
	}
	return all
}

// quartiles returns the median with the quartiles beside it.
func quartiles(v []float64) (low, mid, high float64) {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/4], median(v), v[min(len(v)-1, 3*len(v)/4)]
}

// ratios divides turn by turn: what the machine did in a cycle, it did to both.
func ratios[T time.Duration | float64](a, b []T) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = float64(a[i]) / float64(b[i])
	}
	return out
}

// added is how much longer a took than b, in milliseconds, turn by turn.
func added(a, b []time.Duration) []float64 {
	out := make([]float64, len(a))
	for i := range a {
		out[i] = (a[i] - b[i]).Seconds() * 1e3
	}
	return out
}
