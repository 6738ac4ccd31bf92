package app

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"diwan/internal/verifier/check"
)

// Bounds of a rendering: pages, the longer side in pixels, and time.
const (
	renderPages = "2"
	renderSide  = "2400"
	renderTime  = 20 * time.Second
)

// renderWith makes pictures of the first pages of a PDF file with a program of poppler,
// in a process of its own that a hostile file can't keep busy for long.
func renderWith(program string) check.Render {
	return func(ctx context.Context, pdf []byte) ([]image.Image, error) {
		dir, err := os.MkdirTemp("", "render")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		in := filepath.Join(dir, "in.pdf")
		if err := os.WriteFile(in, pdf, 0o600); err != nil {
			return nil, err
		}
		ctx, cancel := context.WithTimeout(ctx, renderTime)
		defer cancel()
		cmd := exec.CommandContext(ctx, program, "-png", "-gray", "-l", renderPages, "-scale-to", renderSide, in, filepath.Join(dir, "page"))
		cmd.Env = []string{}
		if err := cmd.Run(); err != nil {
			return nil, fmt.Errorf("rendering a PDF file: %w", err)
		}
		names, err := filepath.Glob(filepath.Join(dir, "page*.png"))
		if err != nil {
			return nil, err
		}
		var out []image.Image
		for _, n := range names {
			b, err := os.ReadFile(n)
			if err != nil {
				return nil, err
			}
			img, err := png.Decode(bytes.NewReader(b))
			if err != nil {
				return nil, fmt.Errorf("reading a rendered page: %w", err)
			}
			out = append(out, img)
		}
		return out, nil
	}
}
