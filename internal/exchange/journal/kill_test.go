package journal

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain lets the test binary be the writer that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("JOURNAL_TEST_WRITER"); dir != "" {
		writer(dir)
		return
	}
	os.Exit(m.Run())
}

// writer appends from several goroutines and prints each number once it is
// durable. With JOURNAL_TEST_HASTY it does not wait.
func writer(dir string) {
	j, err := Open(dir, Options{SegmentBytes: 1 << 20, MinFree: 1})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	hasty := os.Getenv("JOURNAL_TEST_HASTY") != ""
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := 0; ; i++ {
				note := fmt.Appendf(make([]byte, 0, 400), "writer %d note %d %0300d", w, i, 0)
				seq, err := j.AppendNote(FirstNote, note)
				if err == nil && !hasty {
					err = j.Wait(context.Background(), seq)
				}
				if err != nil {
					continue
				}
				mu.Lock()
				fmt.Println(seq)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

// kill runs a writer on a folder, kills it, and returns the highest number that
// it had acknowledged.
func kill(t *testing.T, dir string, after time.Duration, env ...string) (last uint64, count int) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(append(os.Environ(), "JOURNAL_TEST_WRITER="+dir), env...)
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	timer := time.AfterFunc(10*time.Second, func() { c.Process.Kill() })
	defer timer.Stop()
	for lines.Scan() {
		n, err := strconv.ParseUint(strings.TrimSpace(lines.Text()), 10, 64)
		if err != nil {
			t.Errorf("writer says %q", lines.Text())
			break
		}
		if count == 0 {
			time.AfterFunc(after, func() { c.Process.Kill() })
		}
		last = max(last, n)
		count++
	}
	c.Process.Kill()
	c.Wait()
	return last, count
}

// A writer is killed again and again; what it acknowledged is there each time.
func TestKilledWriter(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 2
	}
	dir := t.TempDir()
	total := 0
	for round := range rounds {
		last, count := kill(t, dir, time.Duration(20+13*round)*time.Millisecond)
		total += count
		report, err := Verify(dir, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if report.Last < last {
			t.Fatalf("round %d: %d was acknowledged, the journal ends at %d", round, last, report.Last)
		}
		j := open(t, dir)
		if n, _ := j.Durable(); n < last {
			t.Fatalf("round %d: %d was acknowledged, the journal ends at %d", round, last, n)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		clean(t, dir)
	}
	t.Logf("%d records were acknowledged in %d rounds", total, rounds)
}

// The same without waiting loses records: the test above can fail.
func TestKilledHastyWriter(t *testing.T) {
	lost := 0
	for range 5 {
		dir := t.TempDir()
		last, _ := kill(t, dir, 30*time.Millisecond, "JOURNAL_TEST_HASTY=1")
		report, err := Verify(dir, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if report.Last < last {
			lost += int(last - report.Last)
		}
	}
	if lost == 0 {
		t.Skip("nothing was lost this time")
	}
	t.Logf("%d records were lost without waiting", lost)
}
