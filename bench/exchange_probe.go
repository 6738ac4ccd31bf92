package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"diwan/internal/exchange/journal"
)

// processorTime returns what a process has used, in steps of 10 ms.
func processorTime(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	user, uerr := strconv.ParseInt(f[11], 10, 64)
	system, serr := strconv.ParseInt(f[12], 10, 64)
	if uerr != nil || serr != nil {
		return 0, fmt.Errorf("reading the processor time of %d: %w, %w", pid, uerr, serr)
	}
	return time.Duration(user+system) * 10 * time.Millisecond, nil
}

// growth runs a task and returns by how many MB the most that a process held
// meanwhile is above what it held before.
func (p *process) growth(task func() error) (float64, error) {
	pid := p.cmd.Process.Pid
	before, err := p.resident()
	if err != nil {
		return 0, err
	}
	// 5 sets the high-water mark back to what is held now (proc_pid_clear_refs).
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
		return 0, err
	}
	if err := task(); err != nil {
		return 0, err
	}
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if v, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(v)[0], 64)
			return kb/1024 - before, err
		}
	}
	return 0, fmt.Errorf("no VmHWM for process %d", pid)
}

// flushed is how often messages waited for the journal, and for how long in all.
type flushed struct{ count, seconds float64 }

func (g *gatewayProcess) flushed() (flushed, error) {
	var f flushed
	res, err := http.Get("http://" + g.admin + "/metrics")
	if err != nil {
		return f, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return f, err
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if v, ok := strings.CutPrefix(line, "diwan_exchange_journal_flush_seconds_sum "); ok {
			f.seconds, err = strconv.ParseFloat(v, 64)
		} else if v, ok := strings.CutPrefix(line, "diwan_exchange_journal_flush_seconds_count "); ok {
			f.count, err = strconv.ParseFloat(v, 64)
		}
		if err != nil {
			return f, err
		}
	}
	return f, nil
}

// commitTime writes notes into a journal of its own, one after the other, each
// waiting until it is durable: what a flush costs here when nothing else runs. It
// returns the median and the 99th percentile.
func commitTime(ctx context.Context, dir string) (mid, high time.Duration, err error) {
	j, err := journal.Open(dir, journal.Options{SegmentBytes: 8 << 20})
	if err != nil {
		return 0, 0, err
	}
	defer j.Close()
	var times []time.Duration
	for range 500 {
		begin := time.Now()
		seq, err := j.AppendNote(journal.FirstNote, make([]byte, 4<<10))
		if err == nil {
			err = j.Wait(ctx, seq)
		}
		if err != nil {
			return 0, 0, err
		}
		times = append(times, time.Since(begin))
	}
	slices.Sort(times)
	return percentile(times, .5), percentile(times, .99), nil
}
