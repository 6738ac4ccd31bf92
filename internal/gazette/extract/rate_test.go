package extract

import (
	"bytes"
	"context"
	"image/png"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"diwan/internal/gazette/extract/degrade"
)

// spent is the processor time of this process and of those it waited for.
func spent() time.Duration {
	var all time.Duration
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var u syscall.Rusage
		if syscall.Getrusage(who, &u) == nil {
			all += time.Duration(u.Utime.Nano() + u.Stime.Nano())
		}
	}
	return all
}

// BenchmarkOverhead gives the processor time of our reading of a page as a
// multiple of tesseract's own, which does not depend on what else runs.
func BenchmarkOverhead(b *testing.B) {
	have := tools(b)
	for _, lang := range []string{"fr", "ar"} {
		for _, look := range []degrade.Look{degrade.Looks[0], {Name: "skewed", Skew: 0.7, Noise: 6}} {
			b.Run(lang+"/"+look.Name, func(b *testing.B) {
				img := pictureOf(b, have, pageOf(b, lang, 1, passages(b, lang)), ocrDPI)
				var buf bytes.Buffer
				if err := png.Encode(&buf, degrade.Scan(img, ocrDPI, look, 3)); err != nil {
					b.Fatal(err)
				}
				s := open(b, have, buf.Bytes(), Options{Lang: lang})
				file := b.TempDir() + "/x.png"
				if err := os.WriteFile(file, buf.Bytes(), 0o600); err != nil {
					b.Fatal(err)
				}
				var ours, bare time.Duration
				for b.Loop() {
					start := spent()
					if _, _, err := s.Page(context.Background(), 1); err != nil {
						b.Fatal(err)
					}
					middle := spent()
					cmd := exec.Command(have.Tesseract, file, "-", "-l", models[lang], "--psm", "3", "tsv")
					cmd.Env = append(os.Environ(), "OMP_THREAD_LIMIT=1")
					if err := cmd.Run(); err != nil {
						b.Fatal(err)
					}
					ours += middle - start
					bare += spent() - middle
				}
				b.ReportMetric(float64(ours)/float64(bare), "times-bare")
				b.ReportMetric(float64(bare.Milliseconds())/float64(b.N), "bare-ms")
			})
		}
	}
}
