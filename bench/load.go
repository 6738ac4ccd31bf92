package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// The load generator writes requests by hand and reads no more of an answer
// than it must, so that on two cores it takes as little as it can from the
// server it measures. Both sides of every comparison are loaded by it alike.

// connections is how many requests are under way at once.
const connections = 16

type client struct {
	conn net.Conn
	r    *bufio.Reader
	buf  bytes.Buffer
}

func dial(address string) (*client, error) {
	c, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &client{conn: c, r: bufio.NewReaderSize(c, 64<<10)}, nil
}

// get asks for a path and returns the status and the bytes of the body.
func (c *client) get(path string) (status, size int, err error) {
	c.buf.Reset()
	fmt.Fprintf(&c.buf, "GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", path)
	if _, err := c.conn.Write(c.buf.Bytes()); err != nil {
		return 0, 0, err
	}
	line, err := c.r.ReadSlice('\n')
	if err != nil || len(line) < 12 {
		return 0, 0, fmt.Errorf("reading the status: %w", err)
	}
	status, _ = strconv.Atoi(string(line[9:12]))
	length, chunked := 0, false
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return 0, 0, err
		}
		if len(line) <= 2 {
			break
		}
		if v, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			length, _ = strconv.Atoi(string(bytes.TrimSpace(v)))
		}
		chunked = chunked || bytes.HasPrefix(line, []byte("Transfer-Encoding: chunked"))
	}
	if !chunked {
		_, err = c.r.Discard(length)
		return status, length, err
	}
	size, err = c.discardChunks()
	return status, size, err
}

func (c *client) discardChunks() (size int, err error) {
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return size, err
		}
		n, err := strconv.ParseInt(string(bytes.TrimSpace(line)), 16, 32)
		if err != nil {
			return size, err
		}
		if _, err := c.r.Discard(int(n) + 2); err != nil {
			return size, err
		}
		if n == 0 {
			return size, nil
		}
		size += int(n)
	}
}

// top asks as fast as the server answers for a time and returns answers a
// second. paths are asked in turn.
func top(ctx context.Context, address string, paths []string, d time.Duration) (float64, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	var next, done atomic.Int64
	errs := make(chan error, connections)
	start := time.Now()
	var wg sync.WaitGroup
	for range connections {
		wg.Go(func() {
			c, err := dial(address)
			if err != nil {
				errs <- err
				return
			}
			defer c.conn.Close()
			for ctx.Err() == nil {
				p := paths[int(next.Add(1))%len(paths)]
				status, _, err := c.get(p)
				if err == nil && status != 200 {
					err = fmt.Errorf("%s answers %d", p, status)
				}
				if err != nil {
					errs <- err
					return
				}
				done.Add(1)
			}
		})
	}
	wg.Wait()
	close(errs)
	return float64(done.Load()) / time.Since(start).Seconds(), <-errs
}

// paced asks at a steady rate, whether or not the server keeps up, and returns
// the time from when each request was due to its answer: waiting in line counts.
func paced(ctx context.Context, address string, paths []string, rate float64, d time.Duration) ([]time.Duration, error) {
	total := int(rate * d.Seconds())
	due := make(chan time.Time, total)
	times := make([]time.Duration, 0, total)
	var mu sync.Mutex
	var firstErr error
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 4 * connections {
		wg.Go(func() {
			c, err := dial(address)
			if err != nil {
				mu.Lock()
				firstErr = errors.Join(firstErr, err)
				mu.Unlock()
				return
			}
			defer c.conn.Close()
			for at := range due {
				_, _, err := c.get(paths[int(next.Add(1))%len(paths)])
				took := time.Since(at)
				mu.Lock()
				times = append(times, took)
				if err != nil && !errors.Is(err, io.EOF) {
					firstErr = err
				}
				mu.Unlock()
			}
		})
	}
	start := time.Now()
	gap := time.Duration(float64(time.Second) / rate)
	for i := range total {
		at := start.Add(time.Duration(i) * gap)
		if wait := time.Until(at); wait > 0 {
			time.Sleep(wait)
		}
		due <- at
		if ctx.Err() != nil {
			break
		}
	}
	close(due)
	wg.Wait()
	slices.Sort(times)
	return times, firstErr
}

func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}

func median(v []float64) float64 {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}
