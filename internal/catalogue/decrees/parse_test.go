package decrees

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the golden files of the invented tables")

// invented loads the layouts of a country that does not exist.
func invented(t testing.TB) []Layout {
	t.Helper()
	return loadLayouts(t, filepath.Join("testdata", "layouts.json"), filepath.Join("testdata", "offices.json"))
}

func loadLayouts(t testing.TB, layoutFile, officeFile string) []Layout {
	t.Helper()
	lb, err := os.ReadFile(layoutFile)
	if err != nil {
		t.Fatal(err)
	}
	layouts, err := LoadLayouts(bytes.NewReader(lb))
	if err != nil {
		t.Fatal(err)
	}
	ab, err := os.ReadFile(officeFile)
	if err != nil {
		t.Fatal(err)
	}
	offices, err := LoadAdministrations(bytes.NewReader(ab))
	if err != nil {
		t.Fatal(err)
	}
	return Join(layouts, offices)
}

// show prints a table for comparison.
func show(t *Table) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", t.Decree, t.List)
	for _, r := range t.Rows {
		name := r.Name
		if r.Deleted {
			name = "DELETED"
		}
		fmt.Fprintf(&b, "%d: %s (%s) [%s|%s|%s] %s", r.Line, r.Number, r.Printed, r.AdministrationID, r.Administration, r.Domain, name)
		for _, d := range r.Deadlines {
			fmt.Fprintf(&b, " <%d %v %q %q>", d.Days, d.AtOnce, d.Condition, d.Printed)
		}
		b.WriteByte('\n')
	}
	for _, f := range t.Faults {
		fmt.Fprintf(&b, "fault %d:%d row %q %s %q\n", f.Line, f.Column, f.Row, f.Code, f.Text)
	}
	return b.String()
}

// Each invented table holds one trap of flattened tables.
func TestInventedTables(t *testing.T) {
	layouts := invented(t)
	files, err := filepath.Glob(filepath.Join("testdata", "cases", "*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal("no cases", err)
	}
	for _, f := range files {
		t.Run(filepath.Base(f), func(t *testing.T) {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			tab, err := Parse(filepath.Base(f), bytes.NewReader(text), layouts)
			if err != nil {
				t.Fatal(err)
			}
			golden := strings.TrimSuffix(f, ".txt") + ".golden"
			got := show(tab)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// A missing cell never shifts the cells of other pages, and never goes unsaid.
func TestEveryCellRemovedIsReported(t *testing.T) {
	layouts := invented(t)
	text, err := os.ReadFile(filepath.Join("testdata", "cases", "columns.txt"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(text), "\n")
	for i, cell := range lines {
		switch cell {
		case " 30days", " 5days", "Approval of plans", "Permit to sail", "Harbour Board", "2":
		default:
			continue
		}
		rest := append(append([]string{}, lines[:i]...), lines[i+1:]...)
		tab, err := Parse("cut", strings.NewReader(strings.Join(rest, "\n")), layouts)
		if err != nil {
			t.Fatal(err)
		}
		if cell == "2" && i < 8 { // the footnote mark under the title
			continue
		}
		if len(tab.Faults) == 0 {
			t.Errorf("line %d %q removed: no fault\n%s", i+1, cell, show(tab))
		}
	}
}

func TestUnreadableInput(t *testing.T) {
	layouts := invented(t)
	head := "Decree F.12\n\nSchedule\n"
	tests := []struct {
		name, text, place string
		want              error
	}{
		{"empty", "", "in.txt:1:1", ErrUnknownDecree},
		{"unknown decree", "Decree F.120\n", "in.txt:1:1", ErrUnknownDecree},
		{"latin-1", head + "No\n\nLicence \xe9tat\n", "in.txt:6:9", ErrNotText},
		{"utf-16", "\xff\xfeD\x00e\x00", "in.txt:1:1", ErrNotText},
		{"control character", head + "1\n\nHarb\x07our\n", "in.txt:6:5", ErrNotText},
		{"nul", head + "\x00", "in.txt:4:1", ErrNotText},
		{"many lines", head + strings.Repeat("\n", maxLines), "in.txt:20001:1", ErrTooLarge},
		{"long line", head + strings.Repeat("a", maxLine+1), "in.txt:4:1", ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("in.txt", strings.NewReader(tt.text), layouts)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.place) {
				t.Errorf("got %v, want %v at %s", err, tt.want, tt.place)
			}
		})
	}
}

// endless is a text of any size that costs no memory.
type endless struct{ left int }

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
		if i%1000 == 999 {
			p[i] = '\n'
		}
	}
	e.left -= len(p)
	if e.left < 0 {
		return 0, errors.New("read past the bound")
	}
	return len(p), nil
}

func TestHugeInputStopsAtTheBound(t *testing.T) {
	_, err := Parse("big", &endless{50 << 20}, invented(t))
	if !errors.Is(err, ErrTooLarge) {
		t.Errorf("got %v", err)
	}
	r := &endless{maxInput + 2*maxLine}
	if _, err := Parse("big", r, invented(t)); !errors.Is(err, ErrTooLarge) {
		t.Errorf("read far past the bound: %v", err)
	}
}

// Texts made to be slow stay within the work of a few pages each line.
func TestHostileTablesEnd(t *testing.T) {
	layouts := invented(t)
	head, err := os.ReadFile(filepath.Join("testdata", "cases", "rows.txt"))
	if err != nil {
		t.Fatal(err)
	}
	const n = 2000
	var words strings.Builder
	for _, w := range []string{"of", "Works", "and", "Waters", "Wells"} {
		words.WriteString(strings.Repeat(w+"\n", 40))
	}
	for _, s := range []string{
		strings.Repeat("Harbour\n", n), strings.Repeat("Licence one\n", n), strings.Repeat("Licence\n\n", n/2),
		strings.Repeat("repealed\n\n", n/2), strings.Repeat(" 3days\n", n), strings.Repeat("4\n", n),
		"4\n\nMinistry\n" + words.String(), strings.Repeat("Ministry of\n", n), strings.Repeat(" 3days when asked;\n\n", n/2),
		strings.Repeat("a 1 days when asked\n\nb 2 days when asked\n\n", n/4), strings.Repeat("word\n\n", n/2),
		strings.Repeat("4\n\nHarbour Board\n\n", n/4) + "Certificate\nthing\n\nof\n\n" + strings.Repeat("Licence one\n\n", n/2),
	} {
		tab, err := Parse("hostile", strings.NewReader(string(head)+s), layouts)
		if err != nil || len(tab.Faults) == 0 && len(tab.Rows) > 3 {
			t.Errorf("%.20q: %v", s, err)
		}
	}
}

func TestLayoutsRefuse(t *testing.T) {
	for _, s := range []string{"", "{}", `{"layouts":[{}]}`, `{"common":{"annexe":"x"}}`, `{"layouts":[{"decree":"a","mark":"b","list":"c","header":["d"],"ends":[]}]}`, `{"layouts":[{"decree":"a","mark":"b","list":"c"}]}`} {
		if _, err := LoadLayouts(strings.NewReader(s)); err == nil {
			t.Errorf("layouts %q were accepted", s)
		}
	}
	for _, s := range []string{
		`[{"id":""}]`, `[{"id":"a"},{"id":"a"}]`, `[{"id":"a","parent":"b"}]`, `[{"id":"a","printed":["-"]}]`,
		`[{"id":"a","printed":["One office"]},{"id":"b","printed":["one-office"]}]`, `[{"name":3}]`,
	} {
		if _, err := LoadAdministrations(strings.NewReader(s)); err == nil {
			t.Errorf("administrations %q were accepted", s)
		}
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob(filepath.Join("testdata", "cases", "*.txt"))
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	layouts := invented(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<14 {
			return
		}
		tab, err := Parse("fuzz", bytes.NewReader(text), layouts)
		if err != nil {
			return
		}
		lines := bytes.Count(text, []byte("\n")) + 1
		for _, r := range tab.Rows {
			if r.Line < 1 || r.Line > lines || r.Number == "" {
				t.Fatalf("row %+v outside the text", r)
			}
			if r.Deleted && (r.Name != "" || len(r.Deadlines) > 0) {
				t.Fatalf("deleted row with content: %+v", r)
			}
		}
		for _, d := range tab.Faults {
			if d.Line < 0 || d.Line > lines || d.Code == "" {
				t.Fatalf("fault %+v outside the text", d)
			}
		}
		Link([]*Table{tab})
	})
}
