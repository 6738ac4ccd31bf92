// Command bench measures the program against references in the same run; see
// docs/benchmarks.md for what each figure means. It is called by bench.sh.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// benchmark is one named measurement.
type benchmark struct {
	name, about string
	run         func(ctx context.Context, b *bench) error
}

var benchmarks = []benchmark{
	{"portal", "pages, search, export, start and memory with some 4,000 procedures, beside a bare static handler", portal},
	{"gazette", "the law: reading the corpus, looking at scanned pages beside tesseract, search beside Bleve", gazette},
	{"exchange", "two gateways beside two bare reverse proxies with the same mutual TLS: rate, latency, memory", exchangeSpeed},
	{"exchange-scale", "the exchange with 2,000 members and 10,000 services: size and speed of the directory, memory of a gateway", exchangeScale},
	{"wallet", "documents for wallets: issuing and presenting beside bare cryptography, status lists, a million copies", walletSpeed},
	{"casework", "applications: filing, drafts, the inbox of an administration with a million cases, the sweep, on both engines", caseworkSpeed},
}

// bench is what a measurement works with, and the figures it found.
type bench struct {
	program, work string
	name, part    string
	figures       []string
	quick         bool          // a run for trying, whose figures say little
	imported      time.Duration // what reading the corpus took; zero when it was not read
}

// atLeast and atMost keep a figure with its goal for the closing lines.
func (b *bench) atLeast(figure string, value, goal float64) {
	b.figures = append(b.figures, fmt.Sprintf("bench %s: %s=%.3g goal>=%g", b.name, figure, value, goal))
}

func (b *bench) atMost(figure string, value, goal float64) {
	b.figures = append(b.figures, fmt.Sprintf("bench %s: %s=%.3g goal<=%g", b.name, figure, value, goal))
}

func main() {
	program := flag.String("program", "", "the diwan binary to measure")
	work := flag.String("work", "", "a folder for everything that the run needs")
	part := flag.String("part", "", "of a benchmark in several parts, only those whose name has this")
	quick := flag.Bool("quick", false, "measure little, to try a benchmark (of casework)")
	static := flag.Int("serve-static", 0, "serve a static page of this many bytes (the reference)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, bench{program: *program, work: *work, part: *part, quick: *quick}, *static, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, given bench, static int, names []string) error {
	if static > 0 {
		return serveStatic(static)
	}
	if len(names) == 0 {
		for _, m := range benchmarks {
			fmt.Printf("%-15s %s\n", m.name, m.about)
		}
		return nil
	}
	for _, n := range names {
		found := false
		for _, m := range benchmarks {
			if m.name != n {
				continue
			}
			found = true
			b := given
			b.name = n
			if err := m.run(ctx, &b); err != nil {
				return err
			}
			for _, f := range b.figures {
				fmt.Println(f)
			}
		}
		if !found {
			return fmt.Errorf("there is no benchmark %q", n)
		}
	}
	return nil
}
