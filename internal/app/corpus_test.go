//go:build !race

package app

import (
	"context"
	"encoding/csv"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"diwan/internal/gazette"
	"diwan/internal/gazette/model"
	"diwan/internal/gov"
	"diwan/protocol/akn"
)

// corpusDir returns the folder of the public law texts beside the repository,
// or skips the test.
func corpusDir(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "data", "law-ma")
	if _, err := os.Stat(filepath.Join(dir, gazetteManifest)); err != nil {
		t.Skip("the law texts are absent: skipped")
	}
	return dir
}

// TestCorpus reads the whole collection of real texts, as an operator would, and
// checks what must hold for every one of them. It takes minutes, so it is left
// out where the race detector makes it an hour.
func TestCorpus(t *testing.T) {
	dir := corpusDir(t)
	c := Defaults()
	c.Data = t.TempDir()
	c.Database, c.SealFile = "sqlite:"+filepath.Join(c.Data, "diwan.db"), filepath.Join(c.Data, "seal.identity")
	ctx := context.Background()
	a, err := OpenStores(ctx, c, slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})), gov.SystemClock{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	inputs, err := GazetteInputs([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	report, err := a.Gazette.Import(ctx, inputs, gazette.ImportOptions{Actor: operator})
	if err != nil {
		t.Fatal(err)
	}
	flags := manifestFlags(t, dir)
	t.Run("report", func(t *testing.T) { checkReport(t, report, len(inputs), flags) })
	t.Run("again", func(t *testing.T) {
		second, err := a.Gazette.Import(ctx, inputs, gazette.ImportOptions{Actor: operator})
		if err != nil || second.Known != report.Read || second.Texts != 0 {
			t.Errorf("a second run read %d and knew %d of %d: %v", second.Read, second.Known, report.Read, err)
		}
	})
	t.Run("states", func(t *testing.T) { checkStates(t, a, flags) })
	t.Run("simplification", func(t *testing.T) { checkSimplification(t, a) })
	t.Run("akoma ntoso", func(t *testing.T) { checkExport(t, a, report) })
}

// manifestFlags returns the flags of each file.
func manifestFlags(t *testing.T, dir string) map[string][]string {
	f, err := os.Open(filepath.Join(dir, gazetteManifest))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	file, flags := slices.Index(rows[0], "file"), slices.Index(rows[0], "flags")
	out := map[string][]string{}
	for _, r := range rows[1:] {
		out[r[file]] = strings.Fields(r[flags])
	}
	return out
}

func checkReport(t *testing.T, r gazette.ImportReport, files int, flags map[string][]string) {
	if r.Files != files || r.Read+r.Failed != files || r.Articles < 60000 {
		t.Errorf("%d files, %d read, %d failed, %d articles", r.Files, r.Read, r.Failed, r.Articles)
	}
	for _, n := range r.Notices {
		if n.Fatal && !slices.Contains(flags[n.Name], "glyph-codes") {
			t.Errorf("%s was not read: %s", n.Name, n.Detail)
		}
	}
	if r.Linked.Resolved < 15000 || r.Linked.Targets < 1500 {
		t.Errorf("%d citations lead to %d texts", r.Linked.Resolved, r.Linked.Targets)
	}
}

// checkStates holds every work to the rule that nothing is in force by default,
// and suspect sources to theirs.
func checkStates(t *testing.T, a *App, flags map[string][]string) {
	ctx := context.Background()
	marked, suspect := 0, 0
	for offset := 0; ; offset += 500 {
		works, _, err := a.Gazette.List(ctx, gazette.Filter{}, 500, offset)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range works {
			if s := w.Status; s.State != model.Unknown && len(s.Reasons) == 0 {
				t.Errorf("%s is %s for no reason", w.ID, s.State)
			}
			if w.Suspect {
				suspect++
				if w.Number != "" || w.Signed != "" {
					t.Errorf("%s: number %q and date %q of a suspect source are used", w.ID, w.Number, w.Signed)
				}
			}
			for _, r := range w.Status.Reasons {
				if r.Code == gazette.ReasonRepealMark {
					marked++
					if w.Status.State != model.Repealed {
						t.Errorf("%s carries the mark of repeal and is %q", w.ID, w.Status.State)
					}
				}
			}
		}
		if len(works) < 500 {
			break
		}
	}
	wantMarked, wantSuspect := 0, 0
	for _, f := range flags {
		if slices.Contains(f, "repealed-mark") {
			wantMarked++
		}
		if slices.Contains(f, "digits-suspect") {
			wantSuspect++
		}
	}
	// A mark may stand in a title that only speaks of repeal; a suspect file may
	// hold several acts.
	if marked < wantMarked*9/10 || suspect < wantSuspect {
		t.Errorf("%d works carry the mark of repeal, %d are suspect; the list flags %d and %d", marked, suspect, wantMarked, wantSuspect)
	}
}

// checkSimplification looks at the law that the portal rests on.
func checkSimplification(t *testing.T, a *App) {
	ctx := context.Background()
	iri, err := akn.ParseIRI(string(a.Country.Law.Act))
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.Gazette.Read(ctx, iri, []model.Lang{"ara"})
	if err != nil {
		t.Fatal(err)
	}
	articles := 0
	for _, p := range r.Expression.Pieces {
		if p.IsArticle() {
			articles++
		}
	}
	if articles != 33 || r.Expression.Version != "2020-03-19" {
		t.Errorf("%d articles, version %s", articles, r.Expression.Version)
	}
	if r.Work.Status.State != model.InForce || len(r.Work.Status.Reasons) == 0 {
		t.Errorf("state %q, reasons %v", r.Work.Status.State, r.Work.Status.Reasons)
	}
	citing, n, err := a.Gazette.CitedBy(ctx, r.Work.ID, "", 50, 0)
	if err != nil || n < 4 {
		t.Fatalf("%d texts cite it: %v", n, err)
	}
	if !slices.ContainsFunc(citing, func(c gazette.Citing) bool { return c.Relation == model.Applies }) {
		t.Error("no text applies it")
	}
	if !slices.ContainsFunc(citing, func(c gazette.Citing) bool { return c.Relation == model.Promulgates }) {
		t.Error("no text promulgates it")
	}
}

// checkExport writes every text as Akoma Ntoso and has each checked against the
// strict schema.
func checkExport(t *testing.T, a *App, report gazette.ImportReport) {
	schema, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "schemas", "akn", "akomantoso30.xsd"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := exec.LookPath("xmllint"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("xmllint is missing: install libxml2-utils")
		}
		t.Skip("xmllint is missing (Debian libxml2-utils): skipped")
	}
	dir := t.TempDir()
	r, err := a.Gazette.Export(context.Background(), "akn", dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	if r.Texts != report.Texts {
		t.Errorf("%d texts were exported of %d", r.Texts, report.Texts)
	}
	var files []string
	err = filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
		if strings.HasSuffix(p, ".xml") {
			files = append(files, p)
		}
		return err
	})
	if err != nil || len(files) != r.Files {
		t.Fatalf("%d files of %d: %v", len(files), r.Files, err)
	}
	var wg sync.WaitGroup
	jobs := make(chan []string)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for batch := range jobs {
				out, err := exec.Command("xmllint", append([]string{"--nonet", "--noout", "--schema", schema}, batch...)...).CombinedOutput()
				if err != nil {
					t.Errorf("%v\n%.3000s", err, failures(string(out)))
				}
			}
		})
	}
	for batch := range slices.Chunk(files, 200) {
		jobs <- batch
	}
	close(jobs)
	wg.Wait()
}

// failures leaves out what xmllint says of valid files.
func failures(out string) string {
	var b strings.Builder
	for line := range strings.Lines(out) {
		if !strings.HasSuffix(strings.TrimSpace(line), "validates") {
			b.WriteString(line)
		}
	}
	return b.String()
}
