package check

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// Command is one check from a command line.
type Command struct {
	// What is the name of a file, "-" for the standard input, or else the document itself
	// as text.
	What string
	// KitFile is what is relied on without a network; empty relies on Kit.
	KitFile string
	Kit     *Kit
	// JSON writes the result for programs.
	JSON      bool
	Languages []string // of what is shown, the best first
	Render    Render   // nil where PDF files can't be read
	Now       func() time.Time
	In        io.Reader
	Out       io.Writer
}

// ErrNoKit means that there is nothing to check with.
var ErrNoKit = errors.New("there is nothing to check with: say --kit FILE; /verify/kit of the portal gives one")

// Run checks and writes what was found. An error is of the command, not of the document:
// whether that is accepted is for the caller to tell by the result.
func (c Command) Run(ctx context.Context) (Result, error) {
	kit := c.Kit
	if c.KitFile != "" {
		b, err := readFile(c.KitFile, MaxKit)
		if err != nil {
			return Result{}, fmt.Errorf("reading the kit: %w", err)
		}
		if kit, err = Import(b, Options{Now: c.Now}); err != nil {
			return Result{}, err
		}
	}
	if kit == nil {
		return Result{}, ErrNoKit
	}
	b, err := c.read()
	if err != nil {
		return Result{}, err
	}
	r, err := kit.File(ctx, b, c.Render)
	if err != nil {
		return r, err
	}
	if c.JSON {
		e := json.NewEncoder(c.Out)
		e.SetEscapeHTML(false)
		return r, e.Encode(&r)
	}
	if err := r.Write(c.Out, c.Languages...); err != nil {
		return r, err
	}
	if c.KitFile != "" {
		for _, f := range kit.Fingerprints() {
			if _, err := fmt.Fprintf(c.Out, "relied on the anchor: %s\n", f); err != nil {
				return r, err
			}
		}
	}
	return r, nil
}

func (c Command) read() ([]byte, error) {
	if c.What == "-" {
		return bounded(c.In, MaxFile)
	}
	b, err := readFile(c.What, MaxFile)
	// A document is no name of a file: too long, or of nothing that is there.
	if err != nil && (errors.Is(err, fs.ErrNotExist) || len(c.What) > 255) {
		return []byte(c.What), nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading what is to be checked: %w", err)
	}
	return b, nil
}

func readFile(name string, most int64) ([]byte, error) {
	f, err := os.Open(name) // #nosec G304 -- the user names it
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return bounded(f, most)
}

func bounded(r io.Reader, most int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%w: more than %d bytes", ErrPicture, most)
	}
	return b, err
}
