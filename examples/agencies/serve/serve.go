// Package serve starts the sample administrations by name.
package serve

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"diwan/examples/agencies/civil"
	"diwan/examples/agencies/land"
	"diwan/examples/agencies/social"
)

// options are the flags of every sample; each uses what it needs.
type options struct{ listen, legacy, dir, events string }

// samples are the programs, by name.
var samples = map[string]func(o options) (http.Handler, error){
	"civil":          func(o options) (http.Handler, error) { return civil.New(o.events) },
	"social":         func(options) (http.Handler, error) { return social.Legacy() },
	"social-adapter": func(o options) (http.Handler, error) { return social.Adapter(o.legacy), nil },
	"land-adapter":   func(o options) (http.Handler, error) { return land.Adapter(o.dir), nil },
}

// Run runs the program that the first argument names until ctx ends. It prints a
// line beginning "ready" when it answers.
func Run(ctx context.Context, args []string, out io.Writer) error {
	names := []string{"land-drop"}
	for n := range samples {
		names = append(names, n)
	}
	slices.Sort(names)
	if len(args) == 0 || !slices.Contains(names, args[0]) {
		return fmt.Errorf("name one of %s", strings.Join(names, ", "))
	}
	var o options
	f := flag.NewFlagSet(args[0], flag.ContinueOnError)
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "address to answer on")
	f.StringVar(&o.legacy, "legacy", "", "address of the old system that the adapter talks to")
	f.StringVar(&o.dir, "dir", "", "folder in which the land registry drops its file")
	f.StringVar(&o.events, "events", "", "address that takes the events of the civil registry")
	if err := f.Parse(args[1:]); err != nil {
		return err
	}
	if args[0] == "land-drop" {
		return land.Drop(o.dir)
	}
	h, err := samples[args[0]](o)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, IdleTimeout: 2 * time.Minute}
	go func() {
		<-ctx.Done()
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		srv.Shutdown(end)
	}()
	fmt.Fprintf(out, "ready %s on http://%s\n", args[0], l.Addr())
	if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
