// Package demogazette is a small gazette that this project wrote itself: three
// issues in two languages about public fountains that amend one another. All of
// it is invented (names, numbers, places), and says so in its masthead, in the
// title of every act and under every signature. It lets the demonstration show
// scan, text, versions, comparison and alerts without any download.
//
// The texts are in issues/, one file an edition. The files in pdf/ are printed
// from them by `go run ./internal/app/demogazette/generate`; that of the third
// issue in Arabic is made to look scanned and has no text in it.
package demogazette

import (
	"embed"
	"strings"

	"diwan/internal/gazette"
)

//go:embed issues/*.txt
var issues embed.FS

//go:embed pdf/*.pdf
var printed embed.FS

// An Edition is one issue in one language.
type Edition struct {
	Name string // "1-ar": the number among the three, and the language
	Lang string
	// Loaded editions are in the gazette when the demonstration starts; the
	// others are there to be uploaded.
	Loaded bool
	// Scanned editions are printed as pictures without text.
	Scanned bool
}

// Editions lists them in the order of their publication.
var Editions = []Edition{
	{Name: "1-ar", Lang: "ar", Loaded: true},
	{Name: "1-fr", Lang: "fr", Loaded: true},
	{Name: "2-ar", Lang: "ar", Loaded: true},
	{Name: "2-fr", Lang: "fr", Loaded: true},
	{Name: "3-ar", Lang: "ar", Scanned: true},
	{Name: "3-fr", Lang: "fr"},
}

// ToUpload is the file that the demonstration offers for upload.
const ToUpload = "3-ar.pdf"

// Text returns the text of an edition.
func Text(name string) ([]byte, error) { return issues.ReadFile("issues/" + name + ".txt") }

// PDF returns a printed edition by its file name, such as "3-ar.pdf".
func PDF(file string) ([]byte, bool) {
	if strings.ContainsAny(file, "/\\") {
		return nil, false
	}
	b, err := printed.ReadFile("pdf/" + file)
	return b, err == nil
}

// Inputs are the editions that are loaded at the start, marked as invented.
func Inputs() []gazette.Input {
	var out []gazette.Input
	for _, e := range Editions {
		if e.Loaded {
			out = append(out, gazette.Input{Name: "demo-" + e.Name + ".txt", Demo: true, Open: func() ([]byte, error) { return Text(e.Name) }})
		}
	}
	return out
}
