package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"diwan/internal/app"
)

func walletExport(_ context.Context, env environment, args []string) error {
	f := newWalletFlags(env)
	file := f.String("passphrase-file", "", "file with the passphrase; default: a line of standard input")
	w, rest, err := f.open(args, 1, "the file to write")
	if err != nil {
		return err
	}
	pass, err := passphrase(env, *file)
	if err != nil {
		return err
	}
	if err := app.SaveBackup(w, rest[0], pass); err != nil {
		return err
	}
	if *f.json {
		return printJSON(env, map[string]string{"file": rest[0]})
	}
	fmt.Fprintf(env.stdout, "The backup is in %s. Whoever has it and the passphrase is the holder of your documents.\n", rest[0])
	return nil
}

func walletImport(_ context.Context, env environment, args []string) error {
	f := newWalletFlags(env)
	file := f.String("passphrase-file", "", "file with the passphrase; default: a line of standard input")
	w, rest, err := f.open(args, 1, "the file of a backup")
	if err != nil {
		return err
	}
	pass, err := passphrase(env, *file)
	if err != nil {
		return err
	}
	in, err := os.Open(rest[0])
	if err != nil {
		return err
	}
	defer in.Close()
	n, made, err := w.Import(in, pass)
	if err != nil {
		return err
	}
	if *f.json {
		return printJSON(env, map[string]any{"documents": n, "made": made})
	}
	fmt.Fprintf(env.stdout, "%d documents taken over from the backup of %s.\n", n, made.Format(time.RFC3339))
	return nil
}

// maxLine bounds a line that is read from people.
const maxLine = 4 << 10

func passphrase(env environment, file string) (string, error) {
	if file == "" {
		fmt.Fprint(env.stderr, "Passphrase: ")
		return line(env.stdin)
	}
	in, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer in.Close()
	return line(in)
}

func line(in io.Reader) (string, error) {
	s, err := bufio.NewReader(io.LimitReader(in, maxLine)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	return strings.TrimRight(s, "\r\n"), nil
}
