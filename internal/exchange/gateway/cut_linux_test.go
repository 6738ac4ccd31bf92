package gateway

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// space is a network of its own within this machine.
type space struct {
	t    *testing.T
	name string
}

// newSpace makes one, with a loopback. Only root may, and only where the kernel has
// namespaces.
func newSpace(t *testing.T, name string) *space {
	t.Helper()
	s := &space{t, fmt.Sprintf("diwan-%d-%s", os.Getpid(), name)}
	if out, err := exec.Command("ip", "netns", "add", s.name).CombinedOutput(); err != nil {
		t.Skipf("network namespaces can't be made here: %v %s", err, out)
	}
	t.Cleanup(func() { exec.Command("ip", "netns", "del", s.name).Run() })
	s.ip("link", "set", "lo", "up")
	return s
}

// ip runs ip(8) in it.
func (s *space) ip(args ...string) {
	s.t.Helper()
	if out, err := exec.Command("ip", append([]string{"-n", s.name}, args...)...).CombinedOutput(); err != nil {
		s.t.Fatalf("ip %v: %v %s", args, err, out)
	}
}

// within does something on a thread that is in it. The thread ends with it: nothing
// else may ever run there.
func (s *space) within(do func() error) error {
	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		f, err := os.Open("/run/netns/" + s.name)
		if err == nil {
			err = unix.Setns(int(f.Fd()), unix.CLONE_NEWNET)
			f.Close()
		}
		if err == nil {
			err = do()
		}
		done <- err
	}()
	return <-done
}

// serve answers at an address of it, as something of this test that is elsewhere.
func (s *space) serve(address string, h http.Handler) {
	s.t.Helper()
	var l net.Listener
	if err := s.within(func() (err error) { l, err = net.Listen("tcp", address); return err }); err != nil {
		s.t.Fatal(err)
	}
	srv := &http.Server{Handler: h}
	go srv.Serve(l)
	s.t.Cleanup(func() { srv.Close() })
}

// door leads from an address here to one of it.
func (s *space) door(address string) string {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { l.Close() })
	go func() {
		for {
			out, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer out.Close()
				var in net.Conn
				if s.within(func() (err error) { in, err = net.Dial("tcp", address); return err }) != nil {
					return
				}
				defer in.Close()
				go func() {
					io.Copy(in, out)
					in.(*net.TCPConn).CloseWrite()
				}()
				io.Copy(out, in)
			}()
		}
	}()
	return l.Addr().String()
}

// TestNetworkCut has a town and a registry in two networks with one cable between
// them, which is pulled again and again in the middle of traffic. Nothing that was
// acknowledged is missing from either journal, nothing was carried out twice, and
// when the cable is back so is the exchange.
func TestNetworkCut(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	if os.Getuid() != 0 {
		t.Skip("only root can cut a network: run it as root to see what a cut does")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("this needs ip(8), of iproute2")
	}
	here, there := newSpace(t, "town"), newSpace(t, "civil")
	here.ip("link", "add", "cable", "type", "veth", "peer", "name", "cable", "netns", there.name)
	here.ip("addr", "add", "10.213.7.1/24", "dev", "cable")
	there.ip("addr", "add", "10.213.7.2/24", "dev", "cable")
	here.ip("link", "set", "cable", "up")
	there.ip("link", "set", "cable", "up")

	work := &carriedOut{times: map[string]int{}}
	p := setUp(t, newWorld(t), work, func(p *pairing, _ *Terms) {
		for c, address := range map[*Config]string{&p.town: "10.213.7.1", &p.civil: "10.213.7.2"} {
			_, port, err := net.SplitHostPort(c.Link.Listen)
			p.ok(err)
			c.Link.Listen = net.JoinHostPort(address, port)
			c.Link.Addresses = []string{c.Link.Listen}
			c.Admin.Listen = ""
			c.Limits.AnswerTime = 2 * time.Second
		}
		p.town.Edge.HTTP, p.civil.Edge.HTTP = freePort(t), ""
	})
	for _, s := range []*space{here, there} { // the directory is on neither side of the cable
		s.serve(p.portal.Listener.Addr().String(), p.portal.Config.Handler)
	}
	there.serve(p.backend.Listener.Addr().String(), work)
	procs := []*process{newProcessIn(t, p.civil, "ip", "netns", "exec", there.name), newProcessIn(t, p.town, "ip", "netns", "exec", here.name)}
	edge := here.door(p.town.Edge.HTTP)
	p.eventually("the first exchange", func() bool {
		a, err := ask(edge, "POST", r1("/acts"), strings.NewReader("first"), "X-Road-Id", "first")
		return err == nil && a.status == 201
	})

	const exchanges, workers, cuts = 600, 8, 5
	todo, results := make(chan int), make(chan asked, exchanges+2*workers*cuts)
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for i := range todo {
				results <- repeat(edge, fmt.Sprintf("x-%d", i))
			}
		})
	}
	for i := range exchanges {
		todo <- i
		time.Sleep(time.Millisecond) // so that every cut falls into traffic
		if i%(exchanges/cuts) == exchanges/cuts/2 {
			side := []*space{here, there}[i/(exchanges/cuts)%2]
			side.ip("link", "set", "cable", "down")
			before := work.count()
			for k := range 2 * workers { // what is on its way, and what is tried again and again
				select {
				case todo <- exchanges*(k+1) + i:
				case <-time.After(150 * time.Millisecond):
				}
			}
			if n := work.count() - before; n > workers {
				t.Errorf("%d exchanges came through a cable that is not plugged in", n)
			}
			side.ip("link", "set", "cable", "up")
		}
	}
	close(todo)
	wg.Wait()
	close(results)
	p.eventually("an exchange after the last cut", func() bool {
		a, err := ask(edge, "POST", r1("/acts"), strings.NewReader("last"), "X-Road-Id", "last")
		return err == nil && a.status == 201
	})
	for _, v := range procs {
		v.kill()
	}
	known, lost := p.accounted(t, results, work)
	t.Logf("%d cuts, %d exchanges acknowledged, %d of which nobody knows", cuts, known, lost)
	if known < exchanges/2 {
		t.Errorf("only %d exchanges came through", known)
	}
}
