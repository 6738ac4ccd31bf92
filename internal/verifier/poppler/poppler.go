// Package poppler makes pictures of the pages of a PDF file with pdftoppm, a program of
// its own that a machine may have or not. The file is a stranger's: memory, time and
// output of the program are bounded, and it gets the file by a pipe, so that nothing of
// it is left on a disk.
package poppler

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"io"
	"os/exec"
	"strconv"
	"time"
)

// Bounds of the program.
const (
	pages    = 5
	dots     = 200 // to the inch
	timeout  = 20 * time.Second
	memory   = 1 << 20 // KiB of address space
	maxBytes = 120 << 20
	maxSide  = 12000
)

// ErrPDF means that the file could not be made into pictures.
var ErrPDF = errors.New("the PDF file can't be read")

// Find returns a function that makes gray pictures of the first five pages, or nil where
// there is no pdftoppm.
func Find() func(ctx context.Context, pdf []byte) ([]image.Image, error) {
	path, err := exec.LookPath("pdftoppm")
	if err != nil {
		return nil
	}
	return func(ctx context.Context, pdf []byte) ([]image.Image, error) { return render(ctx, path, pdf) }
}

// limits hold for the program itself before it starts.
const limits = `ulimit -v "$1" 2>/dev/null; ulimit -t "$2" 2>/dev/null; ulimit -c 0 2>/dev/null; shift 2; exec "$@"`

func render(ctx context.Context, path string, pdf []byte) ([]image.Image, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	// #nosec G204 -- the arguments are ours; the file comes by the pipe
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", limits, "sh", strconv.Itoa(memory), strconv.Itoa(int(timeout/time.Second)), path,
		"-gray", "-r", strconv.Itoa(dots), "-f", "1", "-l", strconv.Itoa(pages), "-scale-to", "2600", "-")
	cmd.Env = []string{"LC_ALL=C.UTF-8", "PATH=/usr/local/bin:/usr/bin:/bin"}
	cmd.Stdin = bytes.NewReader(pdf)
	cmd.WaitDelay = time.Second
	out := &limited{stop: cancel}
	cmd.Stdout = out
	err := cmd.Run()
	list, bad := read(&out.buf)
	switch {
	case out.over:
		return nil, fmt.Errorf("%w: its pictures are too large", ErrPDF)
	case len(list) > 0:
		return list, nil // the first pages of a torn file are still pages
	}
	return nil, fmt.Errorf("%w: %w", ErrPDF, errors.Join(err, bad))
}

// limited keeps what a program writes up to a bound, then stops it.
type limited struct {
	buf  bytes.Buffer
	over bool
	stop func()
}

func (l *limited) Write(p []byte) (int, error) {
	if l.buf.Len()+len(p) > maxBytes {
		l.over = true
		l.stop()
		return 0, errors.New("too much output")
	}
	return l.buf.Write(p)
}

// read takes the pictures (PGM, P5, 8 bits) that follow one another.
func read(r io.Reader) ([]image.Image, error) {
	b := bufio.NewReader(r)
	var out []image.Image
	for len(out) < pages {
		var kind string
		var w, h, most int
		n, err := fmt.Fscan(b, &kind, &w, &h, &most)
		if n == 0 && errors.Is(err, io.EOF) || n == 0 && errors.Is(err, io.ErrUnexpectedEOF) {
			return out, nil
		}
		if err != nil || kind != "P5" || most != 255 || w < 1 || h < 1 || w > maxSide || h > maxSide {
			return out, errors.New("it gave no picture")
		}
		if _, err := b.ReadByte(); err != nil { // one white space ends the header
			return out, err
		}
		img := image.NewGray(image.Rect(0, 0, w, h))
		if _, err := io.ReadFull(b, img.Pix); err != nil {
			return out, err
		}
		out = append(out, img)
	}
	return out, nil
}
