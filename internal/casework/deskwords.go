package casework

import (
	"embed"
	"io/fs"

	"diwan/internal/db"
	"diwan/internal/web"
)

//go:embed deskwords/*.json
var deskMessageFiles embed.FS

//go:embed deskmigrations/*.sql
var deskMigrationFiles embed.FS

// DeskMessages returns the words of the officers' desk.
func DeskMessages() fs.FS { return web.Folder(deskMessageFiles, "deskwords") }

// DeskMigrations returns the tables of the officers' desk: opinions, absences,
// payments, appointments.
func DeskMigrations() db.Migrations {
	return db.Migrations{Slice: "casework_desk", Files: web.Folder(deskMigrationFiles, "deskmigrations")}
}
