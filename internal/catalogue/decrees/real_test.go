package decrees

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"diwan/internal/beside"
)

// root walks up to the module.
func root(t *testing.T) string {
	t.Helper()
	dir, err := beside.Root()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// moroccan loads the country's layouts.
func moroccan(t *testing.T) []Layout {
	t.Helper()
	pack := filepath.Join(root(t), "country", "ma")
	return loadLayouts(t, filepath.Join(pack, "decrees.json"), filepath.Join(pack, "administrations-decrees.json"))
}

// realTables reads the four real texts, which are not part of this repository.
func realTables(t *testing.T) map[string]*Table {
	t.Helper()
	dir := filepath.Join(root(t), "..", "shared", "data", "decrees-55-19")
	files, _ := filepath.Glob(filepath.Join(dir, "decree-2-22-*.txt"))
	if len(files) == 0 {
		t.Skip("the texts of the decrees are not beside the repository")
	}
	layouts := moroccan(t)
	out := map[string]*Table{}
	for _, f := range files {
		r, err := os.Open(f)
		if err != nil {
			t.Fatal(err)
		}
		tab, err := Parse(filepath.Base(f), r, layouts)
		r.Close()
		if err != nil {
			t.Fatal(err)
		}
		out[tab.Decree] = tab
	}
	return out
}

// The counts are those of a reading of the four texts. Rows 214 and 215 of the
// first have two deadlines each, by kind of certificate; 186-1, 187-1 and, in
// the third, 78-1 and 78-2 have three, by kind of change.
func TestRealTablesAreComplete(t *testing.T) {
	tables := realTables(t)
	tests := []struct {
		decree, list               string
		rows, inserted, deleted    int
		values, single, many, once int
	}{
		{"2-22-385", "investment", 322, 41, 11, 317, 307, 4, 3},
		{"2-22-386", "extension", 320, 52, 3, 0, 0, 0, 0},
		{"2-22-387", "silence", 98, 17, 20, 82, 76, 2, 0},
		{"2-22-141", "local-silence", 9, 0, 0, 0, 0, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.decree, func(t *testing.T) {
			tab := tables[tt.decree]
			if tab == nil {
				t.Fatal("not parsed")
			}
			for _, f := range tab.Faults {
				t.Errorf("fault %+v", f)
			}
			inserted, deleted, values, single, many, once := 0, 0, 0, 0, 0, 0
			known := map[string]bool{}
			for _, l := range moroccan(t) {
				for _, a := range l.Administrations {
					for _, p := range a.Printed {
						known[a.ID+p] = true
					}
				}
			}
			for _, r := range tab.Rows {
				if strings.Contains(r.Number, "-") {
					inserted++
				}
				if r.AdministrationID == "" || !known[r.AdministrationID+r.Administration] {
					t.Errorf("row %s: administration %q printed %q is not in the table of spellings", r.Number, r.AdministrationID, r.Administration)
				}
				if r.Deleted {
					deleted++
					if r.Name != "" || len(r.Deadlines) > 0 {
						t.Errorf("row %s is deleted and has %q %v", r.Number, r.Name, r.Deadlines)
					}
					continue
				}
				if r.Name == "" || r.RawName == "" {
					t.Errorf("row %s has no name", r.Number)
				}
				values += len(r.Deadlines)
				switch len(r.Deadlines) {
				case 0:
				case 1:
					single++
				default:
					many++
				}
				for _, d := range r.Deadlines {
					if d.AtOnce {
						once++
					}
					if d.AtOnce != (d.Days == 0) || d.Days > 60 || d.Printed == "" || (d.Condition != "") != (len(r.Deadlines) > 1) {
						t.Errorf("row %s has deadline %+v", r.Number, d)
					}
				}
				if tt.values > 0 && len(r.Deadlines) == 0 {
					t.Errorf("row %s has no deadline", r.Number)
				}
			}
			got := fmt.Sprint(tab.List, len(tab.Rows), inserted, deleted, values, single, many, once)
			want := fmt.Sprint(tt.list, tt.rows, tt.inserted, tt.deleted, tt.values, tt.single, tt.many, tt.once)
			if got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

// keyDeadlines prints deadlines as the key does: days, "?" when conditional.
func keyDeadlines(r Row) string {
	if r.Deleted {
		return "deleted"
	}
	var out []string
	for _, d := range r.Deadlines {
		s := fmt.Sprint(d.Days)
		if d.AtOnce {
			s = "now"
		}
		if d.Condition != "" {
			s += "?"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// The key was typed by hand from the printed text: administrations and deadlines
// must all agree, and names at 98 in 100.
func TestRealTablesAgainstTheKey(t *testing.T) {
	tables := realTables(t)
	b, err := os.ReadFile(filepath.Join("testdata", "key.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]Row{}
	for d, tab := range tables {
		for _, r := range tab.Rows {
			rows[d+" "+r.Number] = r
		}
	}
	total, named, right := 0, 0, 0
	for _, s := range strings.Split(strings.TrimRight(string(b), "\n"), "\n") {
		f := strings.Split(s, "\t")
		if len(f) != 5 {
			t.Fatalf("key line %q", s)
		}
		total++
		r, ok := rows[f[0]+" "+f[1]]
		if !ok {
			t.Errorf("%s row %s is not there", f[0], f[1])
			continue
		}
		if r.AdministrationID != f[2] {
			t.Errorf("%s row %s: administration %s, want %s", f[0], f[1], r.AdministrationID, f[2])
		}
		if got := keyDeadlines(r); got != f[4] {
			t.Errorf("%s row %s: deadlines %q, want %q", f[0], f[1], got, f[4])
		}
		if f[3] == "" {
			continue
		}
		named++
		if strings.Join(strings.Fields(r.Name), " ") == strings.Join(strings.Fields(f[3]), " ") {
			right++
		} else {
			t.Logf("%s row %s:\n got %s\nwant %s", f[0], f[1], r.Name, f[3])
		}
	}
	t.Logf("%d rows, names %d of %d", total, right, named)
	if total < 120 || right*100 < named*98 {
		t.Errorf("names right: %d of %d", right, named)
	}
}
