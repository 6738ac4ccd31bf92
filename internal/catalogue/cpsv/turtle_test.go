package cpsv

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"diwan/internal/problem"
)

// lines writes a graph as sorted statements, for comparison.
func lines(g *graph) []string {
	name := func(t term) string {
		switch {
		case t.kind == iriTerm:
			return "<" + t.value + ">"
		case t.kind == blankTerm:
			return "_:" + t.value
		case t.lang != "":
			return fmt.Sprintf("%q@%s", t.value, t.lang)
		}
		return fmt.Sprintf("%q^%s", t.value, strings.TrimPrefix(t.datatype, xsd))
	}
	var out []string
	for _, id := range slices.Sorted(maps.Keys(g.nodes)) {
		for _, p := range g.nodes[id].props {
			for _, v := range p.values {
				out = append(out, id+" "+p.iri+" "+name(v))
			}
		}
	}
	slices.Sort(out)
	return out
}

func TestReadTurtle(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"statement", `<urn:s> <urn:p> <urn:o> .`, `urn:s urn:p <urn:o>`},
		{"n-triples", "<urn:s> <urn:p> \"a\\u00e9\\U0001F600\"^^<urn:t> .\n", `urn:s urn:p "aé😀"^urn:t`},
		{"prefixes", "@prefix : <urn:x/> .\nPREFIX y: <urn:y/>\n:a y:b.c :d\\,e , y: .", "urn:x/a urn:y/b.c <urn:x/d,e>|urn:x/a urn:y/b.c <urn:y/>"},
		{"base", "@base <http://h/a/b> . <c> a <#d> .", `http://h/a/c ` + rdfType + ` <http://h/a/b#d>`},
		{"literals", `<urn:s> <urn:p> 1 , -1.5, 2e3, true, 'x'@FR-ma, """a "q" ""b"""" .`,
			`urn:s urn:p "-1.5"^decimal|urn:s urn:p "1"^integer|urn:s urn:p "2e3"^double|urn:s urn:p "a \"q\" \"\"b\""^|urn:s urn:p "true"^boolean|urn:s urn:p "x"@fr-ma`},
		{"end after a number", `<urn:s> <urn:p> 1.`, `urn:s urn:p "1"^integer`},
		{"lists of properties", `<urn:s> <urn:p> <urn:a> ; ; <urn:q> <urn:b> ; .`, `urn:s urn:p <urn:a>|urn:s urn:q <urn:b>`},
		{"nameless", `[] <urn:p> [ <urn:q> "x" ] . [ <urn:r> 1 ] .`, `_:b1 urn:p _:b2|_:b2 urn:q "x"^|_:b3 urn:r "1"^integer`},
		{"collection", `<urn:s> <urn:p> ( 1 () ) .`, `_:b1 ` + rdfFirst + ` "1"^integer|_:b1 ` + rdfRest + ` _:b2|_:b2 ` + rdfFirst + ` <` + rdfNil + `>|_:b2 ` + rdfRest + ` <` + rdfNil + `>|urn:s urn:p _:b1`},
		{"comments", "# a\n<urn:s> # b\n <urn:p> # c\n _:x . # d", `urn:s urn:p _:nx`},
		{"byte order mark", "\ufeff<urn:s> a <urn:o>.", `urn:s ` + rdfType + ` <urn:o>`},
		{"empty", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, err := readTurtle(c.in)
			if err != nil {
				t.Fatal(problem.From(err).Fields)
			}
			if got := strings.Join(lines(g), "|"); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestTurtleFaultsHavePlaces(t *testing.T) {
	for _, c := range []struct{ in, at, code string }{
		{"<urn:s> <urn:p> <urn:o>", "line 1, column 24", "import.rdf.syntax"},
		{"<urn:s>\n  <urn:p> x:o .", "line 2, column 11", "import.rdf.prefix"},
		{"<urn:s> <urn:p> \"a\n\" .", "line 1, column 17", "import.rdf.syntax"},
		{"<urn:s> <urn:p> \"\u00e9\u00e9\" !", "line 1, column 22", "import.rdf.syntax"},
		{"<urn:s> \"p\" <urn:o> .", "line 1, column 9", "import.rdf.syntax"},
		{"\"s\" <urn:p> <urn:o> .", "line 1, column 1", "import.rdf.syntax"},
		{"<urn:s x> a 1 .", "line 1, column 7", "import.rdf.syntax"},
		{`<urn:s> a "\q" .`, "line 1, column 12", "import.rdf.syntax"},
		{`<urn:s> a "\uD800" .`, "line 1, column 12", "import.rdf.syntax"},
		{"@prefix a <urn:a> .", "line 1, column 9", "import.rdf.syntax"},
		{"<urn:s> a " + strings.Repeat("[ <urn:p> ", 70), "line 1, column 651", "import.rdf.deep"},
		{"<urn:s> a " + strings.Repeat("(", 70), "line 1, column 75", "import.rdf.deep"},
	} {
		_, err := readTurtle(c.in)
		if !problem.Is(err, problem.Invalid) {
			t.Errorf("%q: %v", c.in, err)
			continue
		}
		f := problem.From(err).Fields[0]
		if f.Path != c.at || f.Code != c.code {
			t.Errorf("%.40q: %s at %q, want %s at %q", c.in, f.Code, f.Path, c.code, c.at)
		}
	}
}

// The examples that the standards publish can be read.
func TestReadsPublishedExamples(t *testing.T) {
	for _, dir := range []string{"cpsv-ap", "cccev"} {
		files, err := filepath.Glob(filepath.Join(shared(t, "schemas", dir, "examples"), "*.ttl"))
		if err != nil || len(files) == 0 {
			t.Fatal(err, files)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			g, err := readTurtle(string(b))
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(f), problem.From(err).Fields)
				continue
			}
			if g.size < 20 {
				t.Errorf("%s: only %d statements", filepath.Base(f), g.size)
			}
		}
	}
}
