package casework

import (
	"embed"
	"io/fs"

	"diwan/internal/web"
)

//go:embed words/*.json
var moreMessageFiles embed.FS

// MessagesMore returns the words of what stands around the cases: the interface
// for programs, indicators, complaints, a person's own data.
func MessagesMore() fs.FS { return web.Folder(moreMessageFiles, "words") }
