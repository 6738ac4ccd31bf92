package main

import (
	"errors"
	"flag"
	"fmt"
	"io"

	"diwan/internal/app"
)

// flags are the flags of a command with its own help.
type flags struct {
	*flag.FlagSet
	help func()
}

// flagSet returns the flags of a command. Help is printed when it is asked for;
// a wrong call gets one line.
func flagSet(env environment, c command) flags {
	fs := flag.NewFlagSet(c.name, flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	fs.Usage = func() {}
	return flags{fs, func() { app.Usage(env.stdout, c.name+" "+c.args, c.about, fs) }}
}

// parse reads the flags wherever they stand between the arguments, which it
// returns: "import decrees FILE --data DIR" works as people type it.
func parse(fs flags, args []string) ([]string, error) {
	var rest []string
	for len(args) > 0 {
		if err := fs.Parse(args); err != nil {
			if errors.Is(err, flag.ErrHelp) {
				fs.help()
				return nil, err
			}
			return nil, fmt.Errorf("%w: %v", errUsage, err)
		}
		args = fs.Args()
		if len(args) > 0 {
			rest, args = append(rest, args[0]), args[1:]
		}
	}
	return rest, nil
}

// noArgs refuses arguments that a command does not take.
func noArgs(args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("%w: it takes no argument %q", errUsage, args[0])
	}
	return nil
}

// choose returns the part of a command that the first argument names, with the
// arguments that are its own; nil when it names none.
func choose(args []string, parts map[string]runner) (runner, []string) {
	if len(args) == 0 || parts[args[0]] == nil {
		return nil, args
	}
	return parts[args[0]], args[1:]
}
