package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// Every package says once what it promises.
func TestOnePackageComment(t *testing.T) {
	comments := map[string][]string{}
	seen := map[string]bool{}
	walk(t, []string{".go"}, func(file, text string) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		dir := path.Dir(file)
		seen[dir] = true
		f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.PackageClauseOnly|parser.ParseComments)
		if err == nil && f.Doc != nil {
			comments[dir] = append(comments[dir], file)
		}
	})
	for dir := range seen {
		if n := len(comments[dir]); n != 1 {
			t.Errorf("%s has %d package comments %v, want one", dir, n, comments[dir])
		}
	}
}

// Arabic and Tifinagh live in data, messages and templates, where translators
// and direction-aware editors can work; in code they would turn lines around.
func TestNoOtherScriptsInGo(t *testing.T) {
	walk(t, []string{".go"}, func(file, text string) {
		for n, line := range strings.Split(text, "\n") {
			for _, r := range line {
				if unicode.In(r, unicode.Arabic, unicode.Tifinagh) {
					t.Errorf("%s:%d: %q belongs in a data file", file, n+1, r)
					break
				}
			}
		}
	})
}

// ofOneCountry are words that only a country pack may say: names, codes, numbers
// of laws and articles. The embedding of the built-in pack names its folder.
var ofOneCountry = regexp.MustCompile(`(?i:\b(morocc\w*|maroc\w*|dirham\w*|idarati)\b)|\bMAD\b|"MA"|\b\d{1,3}-\d{2}-\d{2,4}\b|"art_\d|\b55[-.]19\b|\b2[-.]2[02][-.]\d{3}\b|/akn/ma/|"(ministere|cnss|ancfcc|dgsn|commune|narsa)[a-z-]*"`)

func TestNoCountryInGo(t *testing.T) {
	walk(t, []string{".go"}, func(file, text string) {
		if strings.HasSuffix(file, "_test.go") {
			return
		}
		lines := strings.Split(text, "\n")
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, file, text, 0)
		if err != nil {
			t.Error(err)
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				if n.Kind == token.STRING && ofOneCountry.MatchString(n.Value) {
					t.Errorf("%s:%d: %s belongs in the country pack", file, fset.Position(n.Pos()).Line, strings.TrimSpace(lines[fset.Position(n.Pos()).Line-1]))
				}
			case *ast.Ident:
				if ofOneCountry.MatchString(n.Name) {
					t.Errorf("%s:%d: the name %s belongs in the country pack", file, fset.Position(n.Pos()).Line, n.Name)
				}
			}
			return true
		})
	})
}

// No file holds two ideas.
func TestFilesStaySmall(t *testing.T) {
	walk(t, []string{".go"}, func(file, text string) {
		if n := strings.Count(text, "\n"); n > 500 && !strings.HasSuffix(file, "_test.go") {
			t.Errorf("%s has %d lines: it is two ideas", file, n)
		}
	})
}
