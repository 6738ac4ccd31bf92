package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"diwan/internal/app"
	"diwan/internal/db"
	"diwan/internal/gov"
)

var (
	migrateCommand = command{"migrate", "[--config FILE]", "bring the database's tables up to date", nil}
	backupCommand  = command{"backup", "FILE", "write an encrypted backup, also while the program runs", nil}
	restoreCommand = command{"restore", "FILE", "put a backup into an empty data folder and database", nil}
	doctorCommand  = command{"doctor", "[--verify]", "check the installation and say what to do", nil}
	versionCommand = command{"version", "", "print the program's version", nil}
)

// settings parses the flags of a command that takes some settings.
func settings(env environment, c command, args []string, names ...string) (app.Config, []string, error) {
	fs := flagSet(env, c)
	config := app.Flags(fs.FlagSet, app.Defaults(), names...)
	rest, err := parse(fs, args)
	if err != nil {
		return app.Config{}, nil, err
	}
	conf, err := config()
	return conf, rest, err
}

func migrate(ctx context.Context, env environment, args []string) error {
	conf, rest, err := settings(env, migrateCommand, args, "data", "database", "log_level", "log_format")
	if err != nil {
		return err
	}
	if err := noArgs(rest); err != nil {
		return err
	}
	d, err := db.Open(ctx, conf.Database)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := app.Migrate(ctx, d, app.NewLogger(conf, os.Stderr), gov.SystemClock{}); err != nil {
		return err
	}
	fmt.Fprintln(env.stdout, "all tables are up to date")
	return nil
}

func backup(ctx context.Context, env environment, args []string) error {
	conf, rest, err := settings(env, backupCommand, args, "data", "database", "seal_file", "log_level")
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return fmt.Errorf("%w: name the one file to write, or - for standard output", errUsage)
	}
	log := app.NewLogger(conf, os.Stderr)
	if rest[0] == "-" {
		_, err := app.Backup(ctx, conf, log, gov.SystemClock{}, env.stdout)
		return err
	}
	var m *app.Manifest
	err = app.WriteFile(rest[0], func(w io.Writer) (err error) {
		m, err = app.Backup(ctx, conf, log, gov.SystemClock{}, w)
		return err
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "%s holds %d files; only the identity in %s opens it: keep a copy of that elsewhere\n", rest[0], len(m.Files), conf.SealFile)
	return nil
}

func restore(ctx context.Context, env environment, args []string) error {
	conf, rest, err := settings(env, restoreCommand, args, "data", "database", "seal_file", "log_level")
	if err != nil {
		return err
	}
	if len(rest) != 1 {
		return fmt.Errorf("%w: name the one file to read, or - for standard input", errUsage)
	}
	in, err := open(env, rest[0])
	if err != nil {
		return err
	}
	defer in.Close()
	m, err := app.Restore(ctx, conf, app.NewLogger(conf, os.Stderr), gov.SystemClock{}, in)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.stdout, "restored the backup of %s; the audit trail holds\n", m.Created.Format("2006-01-02 15:04:05 MST"))
	return nil
}

var errUnwell = errors.New("something needs attention")

func doctor(ctx context.Context, env environment, args []string) error {
	fs := flagSet(env, doctorCommand)
	config := app.Flags(fs.FlagSet, app.Defaults())
	verify := fs.Bool("verify", false, "recompute the whole audit trail as well")
	asJSON := fs.Bool("json", false, "print the findings as JSON")
	rest, err := parse(fs, args)
	if err != nil {
		return err
	}
	if err := noArgs(rest); err != nil {
		return err
	}
	conf, err := config()
	if err != nil {
		return err
	}
	findings := app.Doctor(ctx, conf, gov.SystemClock{}, *verify)
	well := true
	if *asJSON {
		e := json.NewEncoder(env.stdout)
		e.SetIndent("", " ")
		if err := e.Encode(findings); err != nil {
			return err
		}
		for _, f := range findings {
			well = well && f.OK
		}
	} else {
		well = app.PrintFindings(env.stdout, findings)
	}
	if !well {
		return errUnwell
	}
	return nil
}

func version(_ context.Context, env environment, args []string) error {
	if err := noArgs(args); err != nil {
		return err
	}
	fmt.Fprintln(env.stdout, app.Version())
	return nil
}
