package decrees

import (
	"strings"
	"testing"
)

// linkTable builds a table from "number|administration|name|days" lines.
func linkTable(decree string, lines ...string) *Table {
	t := &Table{Decree: decree, List: "list " + decree}
	for i, s := range lines {
		f := strings.Split(s, "|")
		r := Row{Number: f[0], AdministrationID: f[1], Name: f[2], Line: i + 1, Deleted: f[3] == "deleted"}
		if f[3] != "" && !r.Deleted {
			r.Deadlines = []Deadline{{Days: len(f[3])}}
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}

func refs(a Act) string {
	var out []string
	for _, r := range a.Listed {
		out = append(out, r.Decree+"#"+r.Number)
	}
	return strings.Join(out, " ")
}

func TestLink(t *testing.T) {
	tests := []struct {
		name string
		a, b []string
		want string
	}{
		{"same name", []string{"1|x|Licence to open a school|"}, []string{"7|x|licence to open, a school.|"}, "d1-1: 1#1 2#7"},
		{"another administration", []string{"1|x|Licence to open a school|"}, []string{"7|y|Licence to open a school|"}, "d1-1: 1#1; d2-7: 2#7"},
		{"one letter in five words", []string{"1|x|Licence to open a school|"}, []string{"7|x|Licence to open a schools|"}, "d1-1: 1#1 2#7"},
		{"one letter in four words", []string{"1|x|Licence to open schools|"}, []string{"7|x|Licence to open school|"}, "d1-1: 1#1; d2-7: 2#7"},
		{"a word more", []string{"1|x|Licence to open a school|"}, []string{"7|x|Licence to open a private school|"}, "d1-1: 1#1; d2-7: 2#7"},
		{"another word", []string{"1|x|Licence to open a school|"}, []string{"7|x|Licence to close a school|"}, "d1-1: 1#1; d2-7: 2#7"},
		{"two letters", []string{"1|x|Licence to open a school|"}, []string{"7|x|Licence to opens a schools|"}, "d1-1: 1#1; d2-7: 2#7"},
		{"another number", []string{"1|x|Licence under law number 112|"}, []string{"7|x|Licence under law number 113|"}, "d1-1: 1#1; d2-7: 2#7"},
		{"twice in one decree", []string{"1|x|Licence to guide|", "2|x|Licence to guide|"}, []string{"7|x|Licence to guide|"}, "d1-1: 1#1; d1-2: 1#2; d2-7: 2#7"},
		{"twice in the other", []string{"1|x|Licence to guide|"}, []string{"7|x|Licence to guide|", "8|x|Licence to guide|"}, "d1-1: 1#1; d2-7: 2#7; d2-8: 2#8"},
		{"two near candidates", []string{"1|x|Licence to open a schoola|", "2|x|Licence to open a schoolb|"}, []string{"7|x|Licence to open a school|"}, "d1-1: 1#1; d1-2: 1#2; d2-7: 2#7"},
		{"deleted", []string{"1|x||deleted"}, []string{"7|x||deleted"}, ""},
		{"no name or administration", []string{"1|x||", "2||Licence|"}, []string{"7|x||", "8||Licence|"}, "d1-1: 1#1; d1-2: 1#2; d2-7: 2#7; d2-8: 2#8"},
		{"deadlines differ", []string{"1|x|Licence to guide|"}, []string{"7|x|Licence to guide|***"}, "d1-1: 1#1 2#7"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out []string
			for _, a := range Link([]*Table{linkTable("1", tt.a...), linkTable("2", tt.b...)}) {
				out = append(out, a.ID+": "+refs(a))
			}
			if got := strings.Join(out, "; "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestLinkKeepsDeadlinesApart(t *testing.T) {
	acts := Link([]*Table{linkTable("1", "1|x|Licence to guide|"), linkTable("2", "1|x|Licence to guide|***"), linkTable("3", "4|x|Licence to guide|**")})
	if len(acts) != 1 || acts[0].Deadlines[0].Days != 3 || len(acts[0].Differing) != 1 || acts[0].Differing[0].Ref != (Ref{"3", "list 3", "4"}) {
		t.Errorf("got %+v", acts)
	}
}

// Acts that the real lists name more than once, and rows that only look alike.
func TestLinkRealTables(t *testing.T) {
	tables := realTables(t)
	acts := Link([]*Table{tables["2-22-385"], tables["2-22-386"], tables["2-22-387"], tables["2-22-141"]})
	of := map[string]string{}
	rows := 0
	for _, a := range acts {
		rows += len(a.Listed)
		decrees := map[string]bool{}
		for _, r := range a.Listed {
			of[r.Decree+"#"+r.Number] = a.ID
			if decrees[r.Decree] {
				t.Errorf("act %s has two rows of %s", a.ID, r.Decree)
			}
			decrees[r.Decree] = true
		}
	}
	if rows != 311+317+78+9 {
		t.Errorf("%d rows in acts", rows)
	}
	tests := []struct {
		a, b string
		same bool
	}{
		{"2-22-385#45", "2-22-387#33", true},         // new school
		{"2-22-385#16-1", "2-22-387#4-1", true},      // both inserted later
		{"2-22-385#58", "2-22-387#52", true},         // one letter apart
		{"2-22-385#55", "2-22-387#49", true},         // one letter apart
		{"2-22-386#26", "2-22-387#38", true},         // mineral water
		{"2-22-385#78", "2-22-385#79", false},        //
		{"2-22-385#93", "2-22-385#94", false},        // one name, two rows
		{"2-22-385#56", "2-22-387#50", false},        // a word more
		{"2-22-385#196", "2-22-387#78", false},       // ending and changing a contract
		{"2-22-386#94", "2-22-387#71", false},        // before and after an extension
		{"2-22-387#41", "2-22-387#42", false},        // two ceilings
		{"2-22-385#138-18", "2-22-386#100-6", false}, // building and running pipelines
	}
	for _, tt := range tests {
		if of[tt.a] == "" || of[tt.b] == "" || (of[tt.a] == of[tt.b]) != tt.same {
			t.Errorf("%s is %s, %s is %s", tt.a, of[tt.a], tt.b, of[tt.b])
		}
	}
}
