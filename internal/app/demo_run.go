package app

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"diwan/internal/exchange/gateway"
)

// The parts of a demonstration, each a process of its own, so that one can be
// stopped and the others shown to go on.
const (
	PartPortal  = "portal"
	PartGateway = "gateway"
	PartSample  = "sample"
)

// demoRun holds the processes of a demonstration. All of them end with it: each
// has a pipe to it and ends when the pipe does, so that none is left behind even
// when it is killed.
type demoRun struct {
	program string // this program's file
	name    string // the name it was called by
	command string // the subcommand that runs one part
	out     io.Writer
	stderr  io.Writer

	mu    sync.Mutex
	parts []*part
	pids  map[string]int // "serve" and members
}

type part struct {
	cmd  *exec.Cmd
	pipe io.Closer
	done chan struct{}
	err  error // after done
}

// DemoOptions say how a demonstration is run.
type DemoOptions struct {
	Command string   // the subcommand that runs one part
	Listen  string   // where the portal listens
	People  int      // how many invented people there are
	Args    []string // of the portal
	Data    string
	Out     io.Writer
	Stderr  io.Writer
}

// startTime is how long the parts of a demonstration may take to answer.
const startTime = time.Minute

// RunDemo runs the demonstration until ctx ends: the portal, and, once it answers,
// the gateways and the sample administrations. The last line it prints begins with
// "ready".
func RunDemo(ctx context.Context, o DemoOptions) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding this program's own file: %w", err)
	}
	d := &demoRun{program: program, name: os.Args[0], command: o.Command, out: o.Out, stderr: o.Stderr}
	defer d.stop()
	if err := d.signIn(ctx, o); err != nil {
		return err
	}
	if err := d.payment(ctx, o); err != nil {
		return err
	}
	dir := filepath.Join(o.Data, "exchange")
	ready, portal, err := d.portal(ctx, o.Args, dir)
	if err != nil {
		return err
	}
	if err := d.exchange(ctx, dir, portal.cmd.Process.Pid); err != nil {
		return err
	}
	fmt.Fprintln(o.Out, ready)
	select {
	case <-ctx.Done():
		return nil
	case <-portal.done:
	}
	if ctx.Err() == nil {
		fmt.Fprintln(o.Stderr, "the portal has ended; the gateways and the sample administrations go on. Ctrl-C stops them")
		<-ctx.Done()
	}
	return nil
}

// wantedGateway begins a line by which the portal asks for one more gateway; what
// follows is the name of its configuration file. The portal starts none itself: the
// gateway would end with it.
const wantedGateway = "gateway wanted: "

// portal starts the portal and passes on what it prints up to its last line. After
// that it prints nothing but what it wants of us.
func (d *demoRun) portal(ctx context.Context, args []string, dir string) (ready string, p *part, err error) {
	p, out, err := d.start(append([]string{PartPortal}, args...))
	if err != nil {
		return "", nil, err
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "ready") {
			ready = lines.Text()
			go d.serveWants(lines, dir)
			return ready, p, nil
		}
		fmt.Fprintln(d.out, lines.Text())
	}
	<-p.done
	if ctx.Err() != nil {
		return "", nil, ctx.Err()
	}
	return "", nil, ErrSaid
}

// serveWants starts the gateways that the portal asks for.
func (d *demoRun) serveWants(lines *bufio.Scanner, dir string) {
	for lines.Scan() {
		config, ok := strings.CutPrefix(lines.Text(), wantedGateway)
		if !ok {
			continue
		}
		s, err := readSetup(dir)
		if err == nil {
			i := slices.IndexFunc(s.Nodes, func(n DemoNode) bool { return n.Config == config })
			if i < 0 || d.hasGateway(config) {
				continue
			}
			err = d.gateway(s.Nodes[i], dir)
		}
		if err != nil {
			fmt.Fprintln(d.stderr, "a gateway of the demonstration did not start:", err)
		}
	}
}

// gateway starts the gateway of a member and keeps its number for /demo.json.
func (d *demoRun) gateway(n DemoNode, dir string) error {
	p, _, err := d.start([]string{PartGateway, "--config", n.Config})
	if err != nil {
		return err
	}
	return d.keepPID(dir, n.Member, p.cmd.Process.Pid)
}

func (d *demoRun) keepPID(dir, name string, pid int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.pids == nil {
		d.pids = map[string]int{}
	}
	d.pids[name] = pid
	b, err := json.Marshal(d.pids)
	if err != nil {
		return err
	}
	return replaceFile(filepath.Join(dir, pidsFile), b)
}

// hasGateway tells whether a gateway was started from a file and runs.
func (d *demoRun) hasGateway(config string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.ContainsFunc(d.parts, func(p *part) bool {
		select {
		case <-p.done:
			return false
		default:
			return slices.Contains(p.cmd.Args, config)
		}
	})
}

// ErrSaid says that what went wrong was printed already.
var ErrSaid = errors.New("the portal did not start; the line above says why")

// exchange starts what the portal has prepared beside itself.
func (d *demoRun) exchange(ctx context.Context, dir string, portal int) error {
	s, err := readSetup(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	wait := []string{}
	for _, args := range s.Samples {
		if _, _, err := d.start(append([]string{PartSample}, args...)); err != nil {
			return err
		}
		wait = append(wait, args[2]) // name, --listen, address
	}
	if err := d.keepPID(dir, "serve", portal); err != nil {
		return err
	}
	for _, n := range s.Nodes {
		if d.hasGateway(n.Config) {
			continue
		}
		if err := d.gateway(n, dir); err != nil {
			return err
		}
		wait = append(wait, n.Edge)
	}
	if err := d.allAnswer(ctx, wait); err != nil {
		return err
	}
	if err := d.allKnow(ctx, s); err != nil {
		return err
	}
	if len(s.Nodes) > 0 && len(s.Calls) > 0 {
		fmt.Fprintf(d.out, "  %-12s curl -H 'X-Road-Client: %s' %s/r1/%s%s\n", "exchange", s.Client, s.Nodes[0].Edge, s.Calls[0].ID, s.Calls[0].Path)
	}
	return nil
}

// allAnswer waits until something listens at each address.
func (d *demoRun) allAnswer(ctx context.Context, addresses []string) error {
	end := time.Now().Add(startTime)
	for _, a := range addresses {
		for !answers(a) {
			if time.Now().After(end) {
				return fmt.Errorf("%s does not answer: is the port taken? Remove the data folder to choose others", a)
			}
			if d.ended() {
				return errors.New("a part of the demonstration has ended; the line above says why")
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(50 * time.Millisecond):
			}
		}
	}
	return nil
}

// allKnow waits until each gateway holds the directory and a contract: a port that
// is open answers nobody before that.
func (d *demoRun) allKnow(ctx context.Context, s *DemoSetup) error {
	client := &http.Client{Timeout: 5 * time.Second}
	end := time.Now().Add(startTime)
	for _, n := range s.Nodes {
		for len(s.Calls) > 0 && !knows(client, n.Admin) {
			if time.Now().After(end) {
				return fmt.Errorf("the gateway of %s does not get the directory and its contracts; the lines above say why", n.Member)
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(100 * time.Millisecond):
			}
		}
	}
	return nil
}

func knows(client *http.Client, admin string) bool {
	res, err := client.Get(admin + "/status")
	if err != nil {
		return false
	}
	defer res.Body.Close()
	var s gateway.Status
	return json.NewDecoder(io.LimitReader(res.Body, 64<<10)).Decode(&s) == nil && s.Ready && s.ContractsLive > 0
}

// start runs one part as a process.
func (d *demoRun) start(args []string) (*part, io.Reader, error) {
	cmd := exec.Command(d.program, append([]string{d.command}, args...)...)
	cmd.Args[0] = d.name
	cmd.Stderr = d.stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, to, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	defer to.Close()
	cmd.Stdout = to
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("starting %s: %w", args[0], err)
	}
	p := &part{cmd: cmd, pipe: in, done: make(chan struct{})}
	go func() {
		p.err = cmd.Wait()
		close(p.done)
	}()
	if args[0] != PartPortal {
		go io.Copy(io.Discard, out)
	}
	d.mu.Lock()
	d.parts = append(d.parts, p)
	d.mu.Unlock()
	return p, out, nil
}

func (d *demoRun) ended() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.parts {
		select {
		case <-p.done:
			return true
		default:
		}
	}
	return false
}

// stop ends every part: those that came last first, for they ask the others.
func (d *demoRun) stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := len(d.parts) - 1; i >= 0; i-- {
		d.parts[i].pipe.Close()
	}
	end := time.After(stopTime + 5*time.Second)
	for _, p := range d.parts {
		select {
		case <-p.done:
		case <-end:
			p.cmd.Process.Kill()
		}
	}
}

// WithParent ends when ctx does or when the process that started this one has
// gone: it holds the other end of the pipe.
func WithParent(ctx context.Context, pipe io.Reader) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		io.Copy(io.Discard, pipe)
		cancel()
	}()
	return ctx, cancel
}
