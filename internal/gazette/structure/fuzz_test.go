package structure

import (
	"os"
	"path/filepath"
	"testing"

	"diwan/internal/gazette/model"
)

// FuzzParse holds the invariants for any text: spans inside it, in order, one
// inside the other, each byte in one place, no eId twice.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/cases/*.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b), false)
		f.Add(string(b[:len(b)/2])+string(b), true)
	}
	f.Add("Article 1\nArticle 1\nArticle 2 bis\n\n-1-\n1 - Bulletin officiel n° 1\nArticle\n3\n", false)
	g := testGrammar(f)
	f.Fuzz(func(t *testing.T, body string, suspect bool) {
		doc := Parse(&model.Text{Body: body, Suspect: suspect}, g, Options{})
		for _, fault := range Check(body, doc) {
			t.Error(fault)
		}
		for _, a := range Articles(doc) {
			if a.Unit.Label == "" {
				t.Errorf("an article without a label at %d", a.Unit.Start)
			}
		}
	})
}
