package catalogue

import (
	"bytes"
	"encoding/csv"
	"slices"
	"strings"
	"testing"

	"diwan/internal/catalogue/cpsv"
	"diwan/internal/catalogue/model"
	"diwan/internal/db/dbtest"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

var steward = gov.Actor{ID: "s1", Roles: []gov.Role{gov.RoleSteward}}

// faults lists the places and codes of a report.
func faults(r Report) string {
	var out []string
	for _, p := range r.Problems {
		out = append(out, p.Path+": "+p.Code)
	}
	return strings.Join(out, "\n")
}

// The whole built-in catalogue goes out in every format and comes back without
// any change.
func TestBulkStarterComesBackSame(t *testing.T) {
	c, _ := starterCatalogue(t, dbtest.SQLite(t, bulkSets()))
	if err := c.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	s := c.Snapshot()
	items := len(s.Administrations) + len(s.Services) + len(s.Themes) + len(s.LifeEvents)
	var table, whole, jsonld, turtle bytes.Buffer
	for _, err := range []error{c.ExportCSV(t.Context(), &table), c.ExportJSON(t.Context(), &whole),
		c.CPSV("https://portal.example").WriteJSONLD(&jsonld), c.CPSV("").WriteTurtle(&turtle)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, x := range []struct {
		name string
		do   func() (Report, error)
		same int
	}{
		{"csv", func() (Report, error) { return c.ImportCSV(t.Context(), steward, "a.csv", &table) }, len(s.Procedures)},
		{"json", func() (Report, error) { return c.ImportJSON(t.Context(), steward, "a.json", &whole) }, len(s.Procedures)},
		{"jsonld", func() (Report, error) {
			return c.ImportCPSV(t.Context(), steward, "a.jsonld", &jsonld, cpsv.JSONLD)
		}, len(s.Procedures) + items},
		{"ttl", func() (Report, error) { return c.ImportCPSV(t.Context(), steward, "a.ttl", &turtle, cpsv.Turtle) }, len(s.Procedures) + items},
	} {
		r, err := x.do()
		if err != nil || r.Created != 0 || r.Changed != 0 || r.Same != x.same {
			t.Errorf("%s: %+v, want %d the same; %v\n%s", x.name, r, x.same, err, faults(r))
		}
	}
}

const mooringTable = "id;name_en;deadline_days;deadline_when_en;evidence;evidence_en;fees;fees_en;free;silence;steps_en;steps\n" +
	"mooring;Mooring place;\"12\nat once\";\"large\nsmall\";\"a | user\nb | administration | | north\";\"Papers\nRegister\";\"75,50\n10..20.00\nrule\";\"One\nTwo\nThree\";no;appeal;\"First\nSecond\\nline\";2\n" +
	"# a remark;;;;;;;;;;;\n;;;;;;;;;;;\n" +
	"new-berth;New berth;;;;;;;yes;;;\n"

func TestBulkCSVMakesDrafts(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		ctx := t.Context()
		// The second row has no administration: nothing of the file is taken.
		r, err := c.ImportCSV(ctx, editor, "m.csv", strings.NewReader(mooringTable))
		want(t, err, problem.Invalid, "import.refused")
		if got := faults(r); got != "m.csv, line 14, column 1: import.missing\nm.csv, line 14, column 1: import.forbidden" {
			t.Errorf("faults:\n%s", got)
		}
		if v, err := c.Latest(ctx, "mooring"); err != nil || v.Number != 1 {
			t.Fatalf("a refused file left version %+v, %v", v, err)
		}
		table := strings.Replace(mooringTable, "id;", "competent;id;", 1)
		table = strings.NewReplacer("\nmooring;", "\nnorth-harbour;mooring;", "\n# a", "\n;# a", "\n;;;;;;;;;;;", "\n;;;;;;;;;;;;", "\nnew-berth;", "\nnorth;new-berth;").Replace(table)
		r, err = c.ImportCSV(ctx, editor, "m.csv", strings.NewReader(byteOrderMark+table))
		if err != nil || r.Created != 1 || r.Changed != 1 || r.Same != 0 {
			t.Fatalf("%+v, %v\n%s", r, err, faults(r))
		}
		v, err := c.Latest(ctx, "mooring")
		if err != nil || v.State != model.Draft || v.Origin != originImport || v.Author != editor.ID || v.Number != 2 {
			t.Fatalf("version %+v, %v", v, err)
		}
		p := v.Procedure
		if p.Name["en"] != "Mooring place" || p.Name["fr"] != "Amarrage" || p.Free || p.Silence.Effect != "appeal" || len(p.Remedies) != 1 {
			t.Errorf("procedure %+v", p)
		}
		if d := p.Deadline.Terms; len(d) != 2 || d[0].Days != 12 || d[0].When["en"] != "large" || !d[1].AtOnce || d[1].Days != 0 {
			t.Errorf("deadline %+v", d)
		}
		if e := p.Evidence; len(e) != 2 || e[1].By != model.ByAdministration || e[1].From != "north" || e[1].Name["en"] != "Register" {
			t.Errorf("evidence %+v", e)
		}
		if f := p.Fees; len(f) != 3 || *f[0].Amount != 7550 || *f[1].Min != 1000 || *f[1].Max != 2000 || f[2].Amount != nil || f[2].Name["en"] != "Three" {
			t.Errorf("fees %+v", f)
		}
		if s := p.Steps; len(s) != 2 || s[1].Title["en"] != "Second\nline" {
			t.Errorf("steps %+v", s)
		}
		if e := c.Snapshot().Procedure("mooring"); e.Version != 1 || c.Snapshot().Procedure("new-berth") != nil {
			t.Error("an import is already public")
		}
		// Once more: nothing to do; then a correction of one's own import.
		r, err = c.ImportCSV(ctx, editor, "m.csv", strings.NewReader(table))
		if err != nil || r.Same != 2 || r.Changed != 0 {
			t.Errorf("again: %+v, %v", r, err)
		}
		r, err = c.ImportCSV(ctx, editor, "m.csv", strings.NewReader("id,name_en\nmooring,Berth\n"))
		if v, _ := c.Latest(ctx, "mooring"); err != nil || r.Changed != 1 || v.Number != 2 || v.Procedure.Name["en"] != "Berth" {
			t.Errorf("correction: %+v, %+v, %v", r, v, err)
		}
		if h, err := c.History(ctx, "mooring", 1); err != nil || h[0].Action != "procedure.import" || h[0].Detail["note"] != "m.csv" {
			t.Errorf("history %+v, %v", h, err)
		}
	})
}

// What a person is working on is not overwritten, and an export that comes back
// unchanged does not undo a draft.
func TestBulkLeavesDraftsOfPeopleAlone(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		ctx := t.Context()
		var table bytes.Buffer
		if err := c.ExportCSV(ctx, &table); err != nil {
			t.Fatal(err)
		}
		p := complete("mooring")
		p.Summary = gov.Text{"en": "Mine"}
		if _, err := c.Save(ctx, editor, p, 1); err != nil {
			t.Fatal(err)
		}
		r, err := c.ImportCSV(ctx, editor, "x", bytes.NewReader(table.Bytes()))
		if err != nil || r.Same != 1 {
			t.Errorf("the export comes back as %+v, %v", r, err)
		}
		for _, who := range []gov.Actor{editor, steward} {
			r, err = c.ImportCSV(ctx, who, "x", strings.NewReader("id,name_en\nmooring,Other\n"))
			want(t, err, problem.Invalid, "import.refused")
			if faults(r) != "x, line 2, column 1: import.draft" {
				t.Error(faults(r))
			}
		}
		if err := c.Submit(ctx, editor, "mooring", 2); err != nil {
			t.Fatal(err)
		}
		r, _ = c.ImportCSV(ctx, steward, "x", strings.NewReader("id,name_en\nmooring,Other\n"))
		if faults(r) != "x, line 2, column 1: procedure.in_review" {
			t.Error(faults(r))
		}
	})
}

func TestBulkAsksWhoMay(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		ctx := t.Context()
		_, err := c.ImportCSV(ctx, commission, "x", strings.NewReader("id\n"))
		want(t, err, problem.Forbidden, "forbidden")
		r, err := c.ImportJSON(ctx, stranger, "x", strings.NewReader(`[{"id":"mooring","name":{"en":"X"},"competent":"south"}]`))
		want(t, err, problem.Invalid, "import.refused")
		if faults(r) != "x, line 1, column 2: import.forbidden" {
			t.Error(faults(r)) // nobody takes a procedure away from an administration
		}
		var b bytes.Buffer
		if err := c.CPSV("").WriteTurtle(&b); err != nil {
			t.Fatal(err)
		}
		changed := strings.Replace(b.String(), `"Harbour"@en`, `"Port"@en`, 2)
		r, err = c.ImportCPSV(ctx, editor, "x", strings.NewReader(changed), cpsv.Turtle)
		want(t, err, problem.Invalid, "import.refused")
		if !strings.HasSuffix(faults(r), "import.steward") {
			t.Error(faults(r))
		}
		before := c.Snapshot().Revision
		r, err = c.ImportCPSV(ctx, steward, "x", strings.NewReader(changed), cpsv.Turtle)
		if err != nil || r.Changed != 1 || c.Snapshot().Revision == before || c.Snapshot().Administration("north-harbour").Name["en"] != "Port" {
			t.Errorf("a steward's import: %+v, %v\n%s", r, err, faults(r))
		}
	})
}

func TestBulkFaultsHavePlaces(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		count := len(mustVersions(t, c))
		csvIn := func(s string) (Report, error) {
			return c.ImportCSV(t.Context(), steward, "f", strings.NewReader(s))
		}
		jsonIn := func(s string) (Report, error) {
			return c.ImportJSON(t.Context(), steward, "f", strings.NewReader(s))
		}
		for _, x := range []struct {
			name string
			in   func(string) (Report, error)
			text string
			want string
		}{
			{"empty", csvIn, "", "line 1, column 1: import.empty"},
			{"only a header", csvIn, "id,name_en\n", "line 1, column 1: import.empty"},
			{"twice", jsonIn, "[\n{\"id\":\"a\",\n\"id\":\"b\"}]", "line 3, column 1: import.json_name"},
			{"capitals", jsonIn, "[{\"ID\":\"a\"}]", "line 1, column 3: import.json_name"},
			{"column", csvIn, "id,\u00e9\u00e9,nmae_en\n", "line 1, column 4: import.column\nline 1, column 7: import.column"},
			{"column twice", csvIn, "id,name_en,name_en\n", "line 1, column 12: import.column_double"},
			{"no id", csvIn, "name_en\n", "line 1, column 1: import.missing"},
			{"cells", csvIn, "id,name_en\nmooring\n", "line 2, column 1: import.cells"},
			{"quotes", csvIn, "id,name_en\nmooring,\"a\"b\"\n", "line 2, column 11: import.csv"},
			{"encoding", csvIn, "id\nmoo\xffring\n", "line 2, column 4: import.encoding"},
			{"days", csvIn, "id,summary_en,deadline_days\nmooring,\"\u00e9\n\u00e9\",x\n", "line 3, column 4: import.cell"},
			{"lines", csvIn, "id,deadline_days,deadline_when_en\nmooring,3,\"a\nb\"\n", "line 2, column 11: import.cell"},
			{"amount", csvIn, "id,fees\nmooring,1.234\n", "line 2, column 9: import.cell"},
			{"flag", csvIn, "id,free\nmooring,maybe\n", "line 2, column 9: import.cell"},
			{"unknown things", csvIn, "id,receives,themes,silence\nmooring,north | nobody,none,perhaps\n",
				"line 2, column 9: administration.unknown\nline 2, column 24: theme.unknown\nline 2, column 29: api.choice"},
			{"control", csvIn, "id,name_en\nmooring,a\u202eb\n", "line 2, column 9: import.control"},
			{"twice", csvIn, "id,name_en\nmooring,a\nmooring,b\n", "line 3, column 1: import.double"},
			{"bad id", csvIn, "name_en,id\na,Moor Ing\n", "line 2, column 3: procedure.id"},
			{"not JSON", jsonIn, "[{\n \"id\": }]", "line 2, column 8: import.json"},
			{"not a list", jsonIn, `{}`, "line 1, column 1: import.json_array"},
			{"cut short", jsonIn, `[{"id":"a`, "line 1, column 10: import.json"},
			{"more behind", jsonIn, `[] []`, "line 1, column 4: import.json"},
			{"field", jsonIn, "[{\"id\":\"mooring\",\n\"nmae\":{}}]", "line 2, column 1: import.json_field"},
			{"type", jsonIn, "[{\"id\":\"mooring\",\n\"popular\":\"3\"}]", "line 2, column 13: import.json_type"},
			{"place of a field", jsonIn, "[{\"id\":\"mooring\",\"competent\":\"north\",\n\"evidence\":[{\"id\":\"a\",\"name\":{\"en\":\"x\"},\"by\":\"user\",\n \"from\":\"nobody\"}],\n\"name\":{\"xx\":\"y\"}}]",
				"line 3, column 9: administration.unknown\nline 4, column 14: api.lang"},
		} {
			r, err := x.in(x.text)
			want(t, err, problem.Invalid, "import.refused")
			if got := strings.ReplaceAll(faults(r), "f, ", ""); got != x.want {
				t.Errorf("%s:\n%s\nwant\n%s", x.name, got, x.want)
			}
		}
		if _, err := csvIn("id,name_en\nmooring," + strings.Repeat("a", maxImportBytes)); !problem.Is(err, problem.TooLarge) {
			t.Errorf("a file over the bound: %v", err)
		}
		if _, err := csvIn("id\n" + strings.Repeat("x-\n", maxImportRows+1)); !problem.Is(err, problem.Invalid) {
			t.Errorf("too many rows: %v", err)
		}
		if got := len(mustVersions(t, c)); got != count {
			t.Errorf("refused files left %d versions", got-count)
		}
	})
}

func mustVersions(t *testing.T, c *Catalogue) []*Version {
	t.Helper()
	v, err := c.Versions(t.Context(), "mooring")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// No cell of an export is a formula, and what was there comes back.
func TestBulkGuardsCells(t *testing.T) {
	for _, s := range []string{"=1+1", "+2", "-3", "@SUM(A1)", "\tx", "\rx", "\nx", "'quoted", "'=x", "''", "'", "", "plain", "a=b", "\uff1dx",
		"foo;=HYPERLINK(1)", "a,+b", "a;'=b", "a;''=b;-c", "x\n=y", ";'s", "a; =b"} {
		g := guard(s)
		if g != "" && strings.ContainsAny(string([]rune(g)[:1]), "=+-@\t\r\n\uff1d\uff0b\uff0d\uff20") {
			t.Errorf("%q is written as %q", s, g)
		}
		if i := strings.IndexAny(g, ";,\n"); i >= 0 && i+1 < len(g) && strings.ContainsRune("=+-@", rune(g[i+1])) {
			t.Errorf("%q is written as %q, which some spreadsheets would run", s, g)
		}
		if got := unguard(g); got != s {
			t.Errorf("%q comes back as %q", s, got)
		}
	}
	each(t, func(t *testing.T, c *Catalogue) {
		p := complete("mooring")
		p.Name["en"], p.Summary = "=HYPERLINK(\"http://x\")", gov.Text{"en": "-5 \u00e9;,\"'"}
		if _, err := c.Save(t.Context(), editor, p, 1); err != nil {
			t.Fatal(err)
		}
		for _, err := range []error{c.Submit(t.Context(), editor, "mooring", 2), c.Publish(t.Context(), commission, "mooring", 2)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		var b bytes.Buffer
		if err := c.ExportCSV(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(b.String(), byteOrderMark))).ReadAll()
		if err != nil || !slices.Contains(rows[1], "'=HYPERLINK(\"http://x\")") || !strings.HasPrefix(b.String(), byteOrderMark) {
			t.Errorf("the export: %q, %v", rows, err)
		}
		if r, err := c.ImportCSV(t.Context(), steward, "x", &b); err != nil || r.Same != 1 {
			t.Errorf("it comes back as %+v, %v", r, err)
		}
	})
}

func TestBulkTemplateIsExplainedAndEmpty(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		var b bytes.Buffer
		if err := c.CSVTemplate(&b); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(b.String(), byteOrderMark))).ReadAll()
		if err != nil || len(rows) != 3 { // the names, English, French
			t.Fatalf("%d rows, %v", len(rows), err)
		}
		for _, row := range rows[1:] {
			for i, cell := range row {
				if cell == "" || guard(cell) != cell {
					t.Errorf("%s is explained as %q", rows[0][i], cell)
				}
			}
		}
		r, err := c.ImportCSV(t.Context(), editor, "template.csv", &b)
		if len(r.Problems) != 1 || r.Problems[0].Code != "import.empty" {
			t.Errorf("the template brings %+v, %v", r, err)
		}
	})
}

func FuzzImportCSV(f *testing.F) {
	f.Add(mooringTable)
	f.Add("id,name_en\n\"a\nb\",'=x\n")
	cols := columnsOf([]gov.Lang{"en", "fr"})
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 5_000 {
			return
		}
		file, b, err := openImport("f", strings.NewReader(s))
		if err != nil {
			return
		}
		for _, in := range readTable(file, b, cols) {
			p := in.build(nil)
			in.where("evidence.0.from")
			// What was read can be written and read again.
			for _, col := range cols {
				cell := guard(newlines(col.get(p)))
				if unguard(cell) != newlines(col.get(p)) {
					t.Errorf("%s: %q", col.name, cell)
				}
			}
		}
	})
}

func FuzzImportJSON(f *testing.F) {
	f.Add(`[{"id":"a-b","name":{"en":"x"},"evidence":[{"id":"a","from":"b"}]}]`)
	f.Add(`[{"id":3},{"nope":[]}] `)
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) > 5_000 {
			return
		}
		file, b, err := openImport("f", strings.NewReader(s))
		if err != nil {
			return
		}
		for _, in := range readProcedures(file, b) {
			in.where("evidence.0.from")
			in.where("name.en")
		}
	})
}
