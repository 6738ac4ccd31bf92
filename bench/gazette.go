package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// gazetteParts are the measurements of the gazette, in order. Each prints what
// it found and keeps its figures.
var gazetteParts = []struct {
	name string
	run  func(ctx context.Context, b *bench, corpus string) error
}{
	{"reading the corpus", gazetteImport},
	{"searching", gazetteSearch},
	{"searching a million provisions", gazetteMillion},
	{"looking at pages", gazetteOCR},
}

// errAbsent is returned by a part that lacks what it measures on or with.
var errAbsent = errors.New("not measured")

// gazette measures the gazette on the public corpus of law beside the checkout.
func gazette(ctx context.Context, b *bench) error {
	corpus := filepath.Join("..", "shared", "data", "law-ma")
	for _, p := range gazetteParts {
		if !strings.Contains(p.name, b.part) {
			continue
		}
		fmt.Printf("== %s\n", p.name)
		if err := p.run(ctx, b, corpus); errors.Is(err, errAbsent) {
			fmt.Printf("%s: %v\n", p.name, err)
		} else if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// gazetteImport reads the whole corpus with the command that an operator uses,
// into an empty folder, and takes its time and its greatest memory.
func gazetteImport(ctx context.Context, b *bench, corpus string) error {
	if _, err := os.Stat(filepath.Join(corpus, "manifest.csv")); err != nil {
		return fmt.Errorf("%w: the corpus is absent", errAbsent)
	}
	data := filepath.Join(b.work, "gazette")
	cmd := exec.CommandContext(ctx, b.program, "gazette", "import", "--data", data, "--log-level", "error", corpus)
	start := time.Now()
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("importing: %w\n%s%s", err, out, complaints.Bytes())
	}
	wall := time.Since(start)
	b.imported = wall
	fmt.Printf("%s", out)
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	fmt.Printf("wall %.1f s, CPU %.1f s, resident %d MB\n", wall.Seconds(), cpu.Seconds(), usage.Maxrss>>10)
	b.atMost("import_seconds", wall.Seconds(), 120)
	b.atMost("import_resident_gb", float64(usage.Maxrss)/(1<<20), 1.5)
	return nil
}
