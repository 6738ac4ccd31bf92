package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// serveStatic is the reference: a bare handler that writes one page.
func serveStatic(size int) error {
	page := bytes.Repeat([]byte("x"), size)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(l.Addr())
	return http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(page)
	}))
}

// process is a server under measurement.
type process struct {
	cmd     *exec.Cmd
	address string
	ready   time.Duration // from the start to the first good answer
	log     bytes.Buffer
	ended   chan struct{} // closed when the process is gone
}

// start runs the command and notices its end.
func (p *process) start() error {
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.ended = make(chan struct{})
	go func() {
		p.cmd.Wait()
		close(p.ended)
	}()
	return nil
}

func startStatic(ctx context.Context, size int) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, os.Args[0], "-serve-static", strconv.Itoa(size))}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.start(); err != nil {
		return nil, err
	}
	b := make([]byte, 64)
	n, err := out.Read(b)
	p.address = strings.TrimSpace(string(b[:n]))
	return p, err
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// startProgram starts `diwan serve` and waits until it says that it is ready.
func startProgram(ctx context.Context, program, data, country string) (*process, error) {
	address, err := freePort()
	if err != nil {
		return nil, err
	}
	p := &process{address: address, cmd: exec.CommandContext(ctx, program, "serve", "--data", data, "--country", country,
		"--listen", address, "--admin-listen", "", "--log-level", "warn", "--api-rate", "100000000")}
	p.cmd.Stderr, p.cmd.Stdout = &p.log, &p.log
	start := time.Now()
	if err := p.start(); err != nil {
		return nil, err
	}
	for time.Since(start) < 2*time.Minute && !p.gone() {
		res, err := http.Get("http://" + address + "/readyz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == 200 {
				p.ready = time.Since(start)
				return p, nil
			}
		}
		time.Sleep(2 * time.Millisecond)
	}
	p.stop()
	return nil, fmt.Errorf("the program did not get ready: %s", p.log.String())
}

func (p *process) gone() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	<-p.ended
}

// resident returns the memory that the process holds now, in MB.
func (p *process) resident() (float64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(string(b), "\n") {
		if v, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(v)[0], 64)
			return kb / 1024, err
		}
	}
	return 0, fmt.Errorf("no VmRSS for process %d", p.cmd.Process.Pid)
}
