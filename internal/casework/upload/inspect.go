package upload

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"sync"
	"time"

	"diwan/internal/problem"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/types"
)

// Inspector tells what is wrong with a PDF; nil is nothing.
type Inspector func(ctx context.Context, pdf []byte) error

// Bounds of reading one PDF.
const (
	inspectTime   = 20 * time.Second
	inspectMemory = 2 << 20 // KiB of addresses, of which Go reserves many
	maxPages      = 2000
)

// Exit codes of Inspect as a program.
const (
	exitGood      = 0
	exitDamaged   = 3
	exitActive    = 4
	exitEncrypted = 5
	exitBomb      = 6
)

var exits = map[string]int{"upload.damaged": exitDamaged, codeActive: exitActive, "upload.pdf_encrypted": exitEncrypted, codeBomb: exitBomb}

// withoutConfigDir keeps the reader from looking for settings in somebody's home. What
// it sets belongs to the whole process: once, for files that are read side by side.
var withoutConfigDir = sync.OnceFunc(api.DisableConfigDir)

// Inspect reads a PDF in this process. It first checks the bytes, so that the
// reader meets nothing that would exhaust memory or nest without end.
func Inspect(b []byte) (err error) {
	if err := checkPDF(b); err != nil {
		return err
	}
	defer func() {
		if recover() != nil { // a reader that stumbles says that the file is not sound
			err = refuse("upload.damaged")
		}
	}()
	withoutConfigDir()
	conf := model.NewDefaultConfiguration()
	conf.ValidationMode, conf.Offline = model.ValidationRelaxed, true
	ctx, err := api.ReadContext(bytes.NewReader(b), conf)
	if err != nil {
		return refuse("upload.damaged")
	}
	if ctx.Encrypt != nil {
		return refuse("upload.pdf_encrypted")
	}
	for _, e := range ctx.Table {
		if e != nil && acts(e.Object, 0) {
			return refuse(codeActive)
		}
	}
	if err := ctx.EnsurePageCount(); err != nil || ctx.PageCount == 0 || ctx.PageCount > maxPages {
		return refuse("upload.damaged")
	}
	return nil
}

// acts looks for the same in what the reader has understood.
func acts(o types.Object, depth int) bool {
	if depth > maxNesting {
		return true
	}
	switch o := o.(type) {
	case types.Dict:
		for k, v := range o {
			if acting[k] || acts(v, depth+1) {
				return true
			}
		}
	case types.StreamDict:
		return acts(o.Dict, depth)
	case *types.StreamDict:
		return acts(o.Dict, depth)
	case types.Array:
		for _, v := range o {
			if acts(v, depth+1) {
				return true
			}
		}
	case types.Name:
		return acting[string(o)]
	}
	return false
}

// inProcess is Inspect with a bound on the time that its caller waits.
func inProcess(ctx context.Context, b []byte) error {
	done := make(chan error, 1)
	go func() { done <- Inspect(b) }()
	t := time.NewTimer(inspectTime)
	defer t.Stop()
	select {
	case err := <-done:
		return err
	case <-t.C:
		return refuse(codeBomb)
	case <-ctx.Done():
		return problem.Wrap(ctx.Err(), problem.Unavailable, "upload.busy")
	}
}

// InspectMain is the whole of a program that reads one PDF from its input and says
// by its exit code what is wrong with it.
func InspectMain(stdin io.Reader) int {
	b, err := io.ReadAll(io.LimitReader(stdin, MaxFile+1))
	if err != nil || len(b) > MaxFile {
		return exitDamaged
	}
	if err := Inspect(b); err != nil {
		return exits[problem.From(err).Code]
	}
	return exitGood
}

// Apart returns an inspector that reads each PDF in a process of its own, whose
// command runs InspectMain: what a file does to its reader, it does to that
// process alone, which has bounds of memory and time set by the system.
func Apart(command string, args ...string) Inspector {
	return func(ctx context.Context, b []byte) error {
		ctx, cancel := context.WithTimeout(ctx, inspectTime)
		defer cancel()
		c := bounded(ctx, inspectMemory, command, args...)
		c.Stdin = bytes.NewReader(b)
		err := c.Run()
		if err == nil {
			return nil
		}
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			return fmt.Errorf("reading a PDF apart: %w", err)
		}
		for code, n := range exits {
			if exit.ExitCode() == n {
				return refuse(code)
			}
		}
		if n := exit.ExitCode(); n == 126 || n == 127 { // the shell did not find it
			return fmt.Errorf("reading a PDF apart: %w", err)
		}
		return refuse(codeBomb) // the system ended it
	}
}

// bounded is a command with bounds of memory (KiB) and of processor time.
func bounded(ctx context.Context, memory int, command string, args ...string) *exec.Cmd {
	script := fmt.Sprintf(`ulimit -v %d; ulimit -t %d; ulimit -c 0; exec "$0" "$@"`, memory, int(inspectTime.Seconds()))
	c := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", script, command}, args...)...)
	c.WaitDelay = time.Second
	c.Env = []string{"GOMEMLIMIT=512MiB", "LC_ALL=C.UTF-8"}
	return c
}
