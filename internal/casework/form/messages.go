package form

import (
	"embed"
	"io/fs"
)

//go:embed messages/*.json
var messageFiles embed.FS

// Messages returns the words of questions, problems and findings, for the
// catalog.
func Messages() fs.FS {
	f, err := fs.Sub(messageFiles, "messages")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return f
}
