package gateway

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// cpu is the processor time of a process, as the system counts it.
func (p *process) cpu() time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	user, _ := strconv.Atoi(f[11])
	system, _ := strconv.Atoi(f[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// resident is the memory of a process in bytes.
func (p *process) resident() float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", p.cmd.Process.Pid))
	if err != nil {
		return 0
	}
	pages, _ := strconv.Atoi(strings.Fields(string(b))[1])
	return float64(pages * os.Getpagesize())
}

// BenchmarkExchange asks for 1 KiB over 32 connections through two gateways in
// processes of their own, and tells what each spends on one exchange.
func BenchmarkExchange(b *testing.B) {
	for _, mode := range []string{"batch", "message"} {
		b.Run(mode, func(b *testing.B) {
			body := []byte(strings.Repeat("x", 1024))
			p := setUp(b, newWorld(b), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/octet-stream")
				w.Write(body)
			}), func(p *pairing, _ *Terms) {
				p.town.Edge.HTTP = freePort(b)
				p.town.PerMessage, p.civil.PerMessage = mode == "message", mode == "message"
				p.town.Limits.SegmentMiB, p.civil.Limits.SegmentMiB = 64, 64
				p.town.Limits.LookEvery, p.civil.Limits.LookEvery = time.Second, time.Second
			})
			civil, town := newProcess(b, p.civil), newProcess(b, p.town)
			target := "http://" + p.town.Edge.HTTP + r1("/acts/1")
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
			call := func() error {
				req, _ := http.NewRequest("GET", target, nil)
				req.Header["X-Road-Client"] = []string{desk}
				resp, err := client.Do(req)
				if err != nil {
					return err
				}
				defer resp.Body.Close()
				if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != 1024 || resp.StatusCode != 200 {
					return fmt.Errorf("%d bytes, status %d: %v", n, resp.StatusCode, err)
				}
				return nil
			}
			p.eventually("the first exchange", func() bool { return call() == nil })
			c0, t0 := civil.cpu(), town.cpu()
			b.ResetTimer()
			var wg sync.WaitGroup
			work := make(chan struct{}, 1024)
			for range 32 {
				wg.Go(func() {
					for range work {
						if err := call(); err != nil {
							b.Error(err)
						}
					}
				})
			}
			for b.Loop() {
				work <- struct{}{}
			}
			close(work)
			wg.Wait()
			b.StopTimer()
			n := float64(b.N)
			b.ReportMetric(float64((town.cpu()-t0).Microseconds())/n, "consumer-µs/op")
			b.ReportMetric(float64((civil.cpu()-c0).Microseconds())/n, "provider-µs/op")
			b.ReportMetric(town.resident()/1e6, "consumer-MB")
			b.ReportMetric(civil.resident()/1e6, "provider-MB")
			b.ReportMetric(n/b.Elapsed().Seconds(), "ops/s")
		})
	}
}
