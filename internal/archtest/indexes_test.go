package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// partial is an index of the rows in which a column is not empty.
type partial struct{ name, folder, table, column string }

var (
	partialIndex = regexp.MustCompile(`(?i)CREATE (?:UNIQUE )?INDEX (\w+) ON (\w+) \([^)]*\) WHERE (\w+) <> ''`)
	dropped      = regexp.MustCompile(`(?i)DROP INDEX (\w+)`)
	tableNamed   = regexp.MustCompile(`(?i)\b(?:FROM|UPDATE|JOIN|INTO)\s+(\w+)`)
	byKey        = regexp.MustCompile(`\bid = [$?]\d`)
)

// TestPartialIndexesAreUsed protects against a search of a whole table where an
// index was meant: a database can't know that what it is given is not empty, so
// that a condition on such a column says it too.
func TestPartialIndexesAreUsed(t *testing.T) {
	var all []partial
	gone := map[string]bool{}
	walk(t, []string{".sql"}, func(file, text string) {
		for _, m := range dropped.FindAllStringSubmatch(text, -1) {
			gone[m[1]] = true
		}
		for _, m := range partialIndex.FindAllStringSubmatch(text, -1) {
			all = append(all, partial{m[1], path.Dir(path.Dir(file)), m[2], m[3]})
		}
	})
	if len(all) == 0 {
		t.Fatal("no index was found")
	}
	walk(t, []string{".go"}, func(file, text string) {
		var mine []partial
		for _, p := range all {
			if !gone[p.name] && p.folder == path.Dir(file) && !strings.HasSuffix(file, "_test.go") {
				mine = append(mine, p)
			}
		}
		if len(mine) == 0 {
			return
		}
		for _, l := range literals(t, file, text) {
			for _, p := range mine {
				if !p.usedBy(l) {
					t.Errorf("%s: %q asks %s of %s without %s <> '', so that %s is not used", file, l, p.column, p.table, p.column, p.name)
				}
			}
		}
	})
}

// usedBy reports that a piece of SQL does not ask for the column of the index, or
// can use it or another one.
func (p partial) usedBy(sql string) bool {
	condition := sql
	if _, behind, ok := strings.Cut(sql, "WHERE "); ok {
		condition = behind
	}
	if named := tableNamed.FindAllStringSubmatch(sql, -1); named != nil {
		ours := false
		for _, m := range named {
			ours = ours || m[1] == p.table
		}
		if !ours {
			return true
		}
	}
	asks, err := regexp.MatchString(`\b`+p.column+` = (?:[$?]\d|\w+\.)`, condition)
	return err != nil || !asks || byKey.MatchString(condition) || strings.Contains(condition, " <> ''")
}

// literals returns the texts in a file of Go.
func literals(t *testing.T, file, text string) []string {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if s, err := strconv.Unquote(l.Value); err == nil {
				out = append(out, s)
			}
		}
		return true
	})
	return out
}
