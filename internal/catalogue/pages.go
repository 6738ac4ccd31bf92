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
	return web.TemplateSet{Slice: "catalogue", Files: web.Folder(templateFiles, "templates")}
}

// Messages returns the catalogue's words.
func Messages() fs.FS { return web.Folder(messageFiles, "messages") }
