package main

import (
	"bytes"
	"context"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"diwan": func() {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
		defer stop()
		os.Exit(run(ctx, environment{os.Stdin, os.Stdout, os.Stderr, stop}, os.Args[1:]))
	}})
}

// The commands as people type them: each script is one story.
func TestScripts(t *testing.T) {
	shared, _ := filepath.Abs("../../../shared/data/decrees-55-19")
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("DECREES", shared)
			pack, err := filepath.Abs("../../internal/app/testdata/lumeria")
			e.Setenv("PACK", pack)
			return err
		},
		Condition: func(cond string) (bool, error) {
			_, err := os.Stat(shared)
			return cond == "decrees" && err == nil, nil
		},
	})
}

func TestEveryCommandHasHelp(t *testing.T) {
	for _, c := range commands() {
		if c.name == versionCommand.name {
			continue
		}
		var out, errs bytes.Buffer
		if code := run(t.Context(), environment{nil, &out, &errs, nil}, []string{c.name, "--help"}); code != exitDone || out.Len() < 50 || errs.Len() > 0 {
			t.Errorf("%s --help: %d\n%s%s", c.name, code, out.String(), errs.String())
		}
	}
}
