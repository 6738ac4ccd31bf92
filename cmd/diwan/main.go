// Command diwan is the digital administration of a country in one program. See
// `diwan help` for its commands and the README for a first walk.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"diwan/internal/app"
)

// Exit statuses, fixed for scripts.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// errUsage marks a call that can't be understood; its text says how it goes.
var errUsage = errors.New("wrong usage")

// command is one subcommand.
type command struct {
	name, args, about string
	run               runner
}

type runner = func(ctx context.Context, env environment, args []string) error

// with gives a command its work. A command's own function reads the command for
// its help, so that the two can't be tied together in one variable.
func (c command) with(run runner) command {
	c.run = run
	return c
}

// environment is what a command reads and writes, so that tests can run it.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	stop           func() // gives signals back to the system: a second Ctrl-C ends at once
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == app.InspectCommand { // reads one PDF, apart from everything else
		os.Exit(app.InspectPDF(os.Stdin))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, environment{os.Stdin, os.Stdout, os.Stderr, stop}, os.Args[1:]))
}

// run finds the command and turns its error into one line and an exit status.
func run(ctx context.Context, env environment, args []string) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		help(env.stdout)
		return exitDone
	}
	for _, c := range append(commands(), demoPartCommand.with(demoPart)) {
		if c.name != args[0] {
			continue
		}
		err := c.run(ctx, env, args[1:])
		switch {
		case err == nil, errors.Is(err, flag.ErrHelp):
			return exitDone
		case errors.Is(err, errUsage):
			fmt.Fprintf(env.stderr, "diwan %s: %v; try `diwan %s --help`\n", c.name, err, c.name)
			return exitUsage
		}
		if !errors.Is(err, app.ErrSaid) {
			fmt.Fprintf(env.stderr, "diwan %s: %s\n", c.name, app.Say(err))
		}
		return exitFailed
	}
	fmt.Fprintf(env.stderr, "diwan: there is no command %q; `diwan help` lists them\n", args[0])
	return exitUsage
}

func help(w io.Writer) {
	fmt.Fprint(w, "Diwan is the digital administration of a country in one program.\n\nusage: diwan COMMAND [OPTIONS]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(w, "  %-28s %s\n", c.name+" "+c.args, c.about)
	}
	fmt.Fprint(w, "\n`diwan COMMAND --help` says more. A first look: diwan demo\n")
}
