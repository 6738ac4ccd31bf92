package gazette

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"diwan/internal/db"
	"diwan/internal/db/dbtest"
	"diwan/internal/gov"
)

// askedClock tells when it is asked.
type askedClock struct {
	gov.Clock
	asked func()
}

func (c askedClock) Now() time.Time { c.asked(); return c.Clock.Now() }

func calledBy(pc []uintptr, name string) bool {
	frames := runtime.CallersFrames(pc)
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.Function, "."+name) {
			return true
		}
		if !more {
			return false
		}
	}
}

// What an officer corrects while the links are being computed is not written
// over with what stood there before.
func TestCorrectionDuringRelink(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g, ctx := open(t, d), t.Context()
		run(t, g, text("1.txt", fountains))
		r := reading(t, g, "/akn/xl/act/loi/2026/90-26")
		p := r.Piece("art_2")
		const right = "Chaque commune tient la liste de ses fontaines publiques."
		done := false
		g.clock = askedClock{g.clock, func() { // the day is asked for when all is read and nothing written
			if pc := make([]uintptr, 30); done || !calledBy(pc[:runtime.Callers(0, pc)], "relink") {
				return
			}
			done = true
			if err := g.Correct(ctx, editor, r.Expression.ID, "art_2", MarkOf(p.Text), right, "a word was missing", nothingMore); err != nil {
				t.Error(err)
			}
		}}
		run(t, g, text("2.txt", amending))
		now := reading(t, g, "/akn/xl/act/loi/2026/90-26")
		if got := articleText(t, now, "2"); got != right {
			t.Errorf("the correction is lost: article 2 reads %q", got)
		}
		if got := articleText(t, now, "3"); !strings.Contains(got, "dix jours") {
			t.Errorf("article 3: %q", got)
		}
	})
}

// The same files read by several at once are there once.
func TestImportsAtOnce(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		a, b := open(t, d), open(t, d)
		b.files = a.files
		inputs := []Input{text("1.txt", fountains), text("2.txt", amending), text("3.txt", decree)}
		for i := range 20 {
			inputs = append(inputs, text(fmt.Sprintf("d%d.txt", i), strings.Replace(decree, "2-26-902", fmt.Sprintf("2-26-%d", 100+i), 1)))
		}
		var wg sync.WaitGroup
		for i := range 4 {
			g := []*Gazette{a, b}[i%2]
			wg.Go(func() {
				if _, err := g.Import(context.Background(), inputs, ImportOptions{Actor: gov.Actor{ID: "tester"}, Workers: 2}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for query, want := range map[string]int{`SELECT count(*) FROM gazette_source`: len(inputs), `SELECT count(*) FROM gazette_text`: len(inputs) + 1,
			`SELECT count(*) FROM gazette_work`: len(inputs) + 1, `SELECT count(*) FROM gazette_event WHERE type = 'published'`: len(inputs) + 1} {
			var n int
			if err := d.Reader().QueryRowContext(t.Context(), query).Scan(&n); err != nil || n != want {
				t.Errorf("%s: %d, want %d (%v)", query, n, want, err)
			}
		}
		if got := articleText(t, reading(t, a, "/akn/xl/act/loi/2026/90-26"), "3"); !strings.Contains(got, "dix jours") {
			t.Errorf("article 3: %q", got)
		}
	})
}

// Two officers who correct one article at once: one is told that the other was
// faster, and nothing is lost.
func TestTwoCorrectAtOnce(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g, ctx := open(t, d), t.Context()
		run(t, g, text("1.txt", fountains))
		r := reading(t, g, "/akn/xl/act/loi/2026/90-26")
		p := r.Piece("art_2")
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wg.Go(func() {
				errs[i] = g.Correct(ctx, editor, r.Expression.ID, "art_2", MarkOf(p.Text), fmt.Sprintf("Lecture %d.", i), "misread", nothingMore)
			})
		}
		wg.Wait()
		kept := 0
		for i, err := range errs {
			if err == nil {
				kept++
				if got := articleText(t, reading(t, g, "/akn/xl/act/loi/2026/90-26"), "2"); got != fmt.Sprintf("Lecture %d.", i) {
					t.Errorf("article 2 reads %q, officer %d was told that it is kept", got, i)
				}
			}
		}
		if kept != 1 {
			t.Errorf("%d corrections of one wording were kept: %v", kept, errs)
		}
	})
}

// A file that stands twice in one list is read once.
func TestTheSameFileTwice(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g := open(t, d)
		if r := run(t, g, text("1.txt", fountains), text("copy.txt", fountains)); r.Read != 1 || r.Known != 1 || r.Failed != 0 {
			t.Errorf("%+v", r)
		}
	})
}

// A run that is broken off after the last file was kept, and before what cites
// what was looked up, is made whole by the next.
func TestBreakBeforeLinking(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g := open(t, d)
		ctx, stop := context.WithCancel(t.Context())
		clock := g.clock
		g.clock = askedClock{clock, func() {
			if pc := make([]uintptr, 30); calledBy(pc[:runtime.Callers(0, pc)], "relink") {
				stop()
			}
		}}
		inputs := []Input{text("1.txt", fountains), text("2.txt", amending)}
		if _, err := g.Import(ctx, inputs, ImportOptions{}); err == nil {
			t.Fatal("a break was not told")
		}
		g.clock = clock
		run(t, g, inputs...)
		if got := articleText(t, reading(t, g, "/akn/xl/act/loi/2026/90-26"), "3"); !strings.Contains(got, "dix jours") {
			t.Errorf("article 3: %q", got)
		}
	})
}

// Officers at work on different articles don't disturb each other.
func TestOfficersAtOnce(t *testing.T) {
	dbtest.Each(t, sets, func(t *testing.T, d *db.DB) {
		g, ctx := open(t, d), t.Context()
		run(t, g, text("1.txt", fountains))
		r := reading(t, g, "/akn/xl/act/loi/2026/90-26")
		var wg sync.WaitGroup
		for _, eid := range []string{"art_1", "art_2", "art_3", "art_4"} {
			wg.Go(func() {
				if err := g.Correct(ctx, editor, r.Expression.ID, eid, MarkOf(r.Piece(eid).Text), "Lu sur la page : "+eid+".", "misread", nothingMore); err != nil {
					t.Errorf("%s: %v", eid, err)
				}
			})
		}
		wg.Wait()
		for _, p := range reading(t, g, "/akn/xl/act/loi/2026/90-26").Expression.Pieces {
			if p.IsArticle() && p.Text != "Lu sur la page : "+p.EID+"." {
				t.Errorf("%s reads %q", p.EID, p.Text)
			}
		}
	})
}
