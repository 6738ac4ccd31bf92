package gazette

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"diwan/internal/blob"
	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gazette/extract"
	"diwan/internal/problem"
)

// slowReaders stand in for the programs that read PDF files: each page takes a
// while, holds one line, and is written to a list when it is asked for.
func slowReaders(t *testing.T, pages int, pause string) (tools extract.Tools, asked func() int) {
	t.Helper()
	dir := t.TempDir()
	list := filepath.Join(dir, "asked")
	script := func(name, body string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		return path
	}
	tools.PDFInfo = script("info", fmt.Sprintf("echo 'Pages: %d'; echo 'Page 1 size: 595 x 842 pts'", pages))
	tools.PDFToPPM = script("ppm", `printf 'P5\n8 8\n255\n'; printf '%064d' 0`)
	tools.PDFToText = script("text", `sleep `+pause+`; echo "$2" >> '`+list+`'
echo '<page width="595" height="842">'; echo '<line xMin="50" yMin="50" xMax="500" yMax="60">'
for w in Page numéro "$2" du recueil des fontaines publiques; do echo "<word xMin=\"50\" yMin=\"50\" xMax=\"90\" yMax=\"60\">$w</word>"; done`)
	return tools, func() int {
		b, err := os.ReadFile(list)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(b), "\n")
	}
}

// A scan that takes longer than a job may goes on where it stopped, shows how
// far it is, and no page is read anew that was kept.
func TestLongScanIsReadInRounds(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the stand-ins are shell scripts")
	}
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g, ctx := open(t, d), t.Context()
		const pages = 24
		var asked func() int
		g.tools, asked = slowReaders(t, pages, "0.2")
		data := []byte("%PDF-1.7 a long scan")
		if _, err := g.files.Put(data); err != nil {
			t.Fatal(err)
		}
		src := &Source{ID: "scan", Name: "scan.pdf", SHA256: blob.Key(data), Bytes: int64(len(data)), State: SourceWaiting, Created: g.clock.Now(), By: "e"}
		if err := d.RunTx(ctx, func(tx *db.Tx) error { return g.store.putSource(ctx, tx, src) }); err != nil {
			t.Fatal(err)
		}
		w := newWorker(g)
		w.round = time.Second
		rounds, kept := 0, 0
		for ; ; rounds++ {
			if rounds > 5*pages {
				t.Fatal("it never ends")
			}
			err := w.read(ctx, importArgs{Source: "scan", Actor: "e"})
			now, perr := g.pagesRead(ctx, "scan")
			if perr != nil {
				t.Fatal(perr)
			}
			if err == nil {
				kept = now
				break
			}
			if now < kept {
				t.Fatalf("after round %d %d pages are kept, %d before: %v", rounds, now, kept, err)
			}
			kept = now
			at, err := g.store.source(ctx, d.Reader(), "scan")
			// the time can be up between the last page and what follows it
			whole := now == pages && err == nil && at.State == SourceDone
			if err != nil || now > 0 && !whole && (at.State != SourceReading || at.Pages != pages) {
				t.Errorf("meanwhile the source is %+v, %v", at, err)
			}
		}
		if kept != pages || rounds == 0 {
			t.Errorf("%d of %d pages in %d rounds", kept, pages, rounds+1)
		}
		if n, most := asked(), pages+(rounds+1)*cap(g.pageSlots); n > most {
			t.Errorf("%d pages were looked at, at most %d were to be", n, most)
		}
		if at, err := g.store.source(ctx, d.Reader(), "scan"); err != nil || at.State != SourceDone {
			t.Errorf("%+v, %v", at, err)
		}
	})
}

// What waits for its turn does not keep its place in the queue, and is not taken
// for a failure of the gazette.
func TestWorkWaitsForItsTurn(t *testing.T) {
	g := open(t, dbtest.SQLite(t, sets))
	w := newWorker(g)
	free, _ := take(w.reads)
	err := w.read(t.Context(), importArgs{Source: "x"})
	if err == nil || problem.Is(err, problem.NotFound) {
		t.Errorf("a second import began: %v", err)
	}
	free()
	if err := w.read(t.Context(), importArgs{Source: "x"}); !problem.Is(err, problem.NotFound) {
		t.Errorf("when it is its turn: %v", err)
	}
}
