package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

// memoryRoom is what the program may hold without being asked to collect more
// often, unless what is alive needs more.
const memoryRoom = 180 << 20

// giveRoom returns to the system what starting up left behind, and lets the
// collector run half as often as long as memory stays within memoryRoom: what is
// alive is small and nearly constant, so the room is better spent on answering.
// GOGC and GOMEMLIMIT in the environment win.
func giveRoom() {
	debug.FreeOSMemory()
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	debug.SetGCPercent(200)
	debug.SetMemoryLimit(max(memoryRoom, 3*int64(m.HeapAlloc)))
}

// stopTime is how long requests and jobs may take to finish when the program
// is told to stop.
const stopTime = 20 * time.Second

// Serve listens until ctx ends, then stops gracefully: no new connections,
// running requests and jobs finish. ready is called with the public address once
// the server answers.
func (a *App) Serve(ctx context.Context, ready func(address string)) error {
	if err := a.loopbackOnly(); err != nil {
		return err
	}
	public, err := net.Listen("tcp", a.Config.Listen)
	if err != nil {
		return fmt.Errorf("listening on %s: %w; is another program there? give another address with --listen", a.Config.Listen, err)
	}
	servers := []*http.Server{a.server(a.Handler)}
	listeners := []net.Listener{public}
	if a.Config.AdminListen != "" {
		admin, err := net.Listen("tcp", a.Config.AdminListen)
		if err != nil {
			public.Close()
			return fmt.Errorf("listening on %s for the operator: %w; give another address with --admin-listen", a.Config.AdminListen, err)
		}
		s := a.server(a.adminHandler())
		s.WriteTimeout = 0 // profiles take as long as they are asked to
		servers, listeners = append(servers, s), append(listeners, admin)
	}
	if err := a.Queue.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("starting the job queue: %w", err)
	}
	watch, stopWatch := context.WithCancel(ctx)
	defer stopWatch()
	var wg sync.WaitGroup
	wg.Go(func() { a.Catalogue.Watch(watch, watchInterval) })
	wg.Go(func() { a.watchLaw(watch) })
	if a.Gazette != nil {
		wg.Go(func() { a.Gazette.Watch(watch, watchInterval) })
	}

	failed := make(chan error, len(servers))
	for i, s := range servers {
		go func() { failed <- a.listen(s, listeners[i], i == 0) }()
	}
	giveRoom()
	a.lawRoom()
	a.log.InfoContext(ctx, "listening", "address", public.Addr().String())
	if ready != nil {
		ready(public.Addr().String())
	}
	select {
	case <-ctx.Done():
	case err = <-failed:
		a.log.ErrorContext(ctx, "a listener failed", "error", err)
	}
	a.ready.Store(false)
	stopWatch()
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
	defer cancel()
	for _, s := range servers {
		err = errors.Join(err, s.Shutdown(stop))
	}
	err = errors.Join(err, a.Queue.Stop(stop))
	wg.Wait()
	return err
}

func (a *App) listen(s *http.Server, l net.Listener, public bool) error {
	var err error
	if public && a.Config.TLSCert != "" {
		err = s.ServeTLS(l, a.Config.TLSCert, a.Config.TLSKey)
	} else {
		err = s.Serve(l)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// server bounds how long a slow or silent peer may hold a connection.
func (a *App) server(h http.Handler) *http.Server {
	return &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute,
		WriteTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 32 << 10,
	}
}

// loopbackOnly refuses to show profiles and metrics to the network.
func (a *App) loopbackOnly() error {
	if a.Config.AdminListen == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(a.Config.AdminListen)
	if err != nil {
		return fmt.Errorf("admin_listen: %w", err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("admin_listen must be a loopback address such as 127.0.0.1:8081, not %s", a.Config.AdminListen)
	}
	return nil
}
