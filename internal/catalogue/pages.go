package catalogue

import (
	"embed"
	"io/fs"

	"diwan/internal/web"
)

//go:embed templates/*.html
var templateFiles embed.FS

//go:embed messages/*.json
var messageFiles embed.FS

// Templates returns the catalogue's pages.
func Templates() web.TemplateSet {
	f, err := fs.Sub(templateFiles, "templates")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return web.TemplateSet{Slice: "catalogue", Files: f}
}

// Messages returns the catalogue's words.
func Messages() fs.FS {
	f, err := fs.Sub(messageFiles, "messages")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return f
}
