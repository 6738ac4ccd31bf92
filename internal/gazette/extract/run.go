package extract

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

// command is one run of a program from outside.
type command struct {
	path  string
	args  []string
	input []byte
	most  int // bytes of output it may give
}

// limited keeps what a program writes up to a bound, then stops it.
type limited struct {
	buf  bytes.Buffer
	most int
	over bool
	stop func()
}

func (l *limited) Write(p []byte) (int, error) {
	if l.buf.Len()+len(p) > l.most {
		l.over = true
		if l.stop != nil {
			l.stop()
			return 0, errors.New("too much output")
		}
		l.buf.Write(p[:max(0, l.most-l.buf.Len())])
		return len(p), nil // a complaint that is too long ends no program
	}
	return l.buf.Write(p)
}

// limits sets bounds that hold for the program itself before it starts: address
// space in KiB and seconds of processor time. A file from outside can make a
// reader of PDF or of pictures want any amount of both.
const limits = `ulimit -v "$1" 2>/dev/null; ulimit -t "$2" 2>/dev/null; ulimit -c 0 2>/dev/null; shift 2; exec "$@"`

// run runs the program and returns what it wrote. The process and all that it
// started end with ctx, at the time bound, or when it writes too much.
func (c command) run(ctx context.Context, o Options) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, o.PageTimeout)
	defer cancel()
	args := append([]string{"-c", limits, "sh", fmt.Sprint(o.MaxMemory >> 10), fmt.Sprint(int(o.PageTimeout/time.Second) + 1), c.path}, c.args...)
	cmd := exec.CommandContext(ctx, "/bin/sh", args...)
	cmd.Env = []string{"OMP_THREAD_LIMIT=1", "LC_ALL=C.UTF-8", "PATH=/usr/local/bin:/usr/bin:/bin"}
	for _, keep := range []string{"TESSDATA_PREFIX", "TMPDIR"} {
		if v, ok := os.LookupEnv(keep); ok {
			cmd.Env = append(cmd.Env, keep+"="+v)
		}
	}
	group(cmd)
	cmd.WaitDelay = time.Second
	out, bad := &limited{most: c.most, stop: cancel}, &limited{most: 4 << 10}
	cmd.Stdout, cmd.Stderr = out, bad
	if c.input != nil {
		cmd.Stdin = bytes.NewReader(c.input)
	}
	err := cmd.Run()
	name := c.path[strings.LastIndexByte(c.path, '/')+1:]
	switch {
	case out.over:
		return nil, &Error{TooLarge, name + " wrote more than the bound", err}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, &Error{Timeout, fmt.Sprintf("%s took more than %s", name, o.PageTimeout), ctx.Err()}
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return out.buf.Bytes(), &Error{ToolFailed, name + ": " + firstLine(bad.buf.String()), err}
	}
	return out.buf.Bytes(), nil
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(strings.TrimSpace(s), "\n")
	return strings.ToValidUTF8(s[:min(len(s), 200)], "")
}
