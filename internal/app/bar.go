package app

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Bar shows on a terminal how far a long work is, its rate and the time that
// remains. Where nobody looks, it prints nothing.
type Bar struct{ bar *progressbar.ProgressBar }

// NewBar returns a bar on w for a number of things.
func NewBar(w io.Writer, total int, what string) *Bar {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return &Bar{}
	}
	return &Bar{progressbar.NewOptions(total, progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(),
		progressbar.OptionShowIts(), progressbar.OptionSetItsString("files"), progressbar.OptionSetPredictTime(true), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetWidth(24), progressbar.OptionClearOnFinish())}
}

// Set moves the bar.
func (b *Bar) Set(done int) {
	if b.bar != nil {
		b.bar.Set(done)
	}
}

// Close takes the bar away.
func (b *Bar) Close() {
	if b.bar != nil {
		b.bar.Finish()
	}
}
