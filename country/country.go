// Package country reads country packs: everything that differs from one state
// to another, as data. One pack is built in; `--country DIR` starts another.
// Nothing in Go code knows what a pack says; see docs/decisions for why.
package country

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"diwan/internal/gov"
)

//go:embed all:ma
var builtin embed.FS

// maxFile bounds each file of a pack.
const maxFile = 16 << 20

// Builtin returns the files of the pack that the program carries.
func Builtin() fs.FS {
	f, err := fs.Sub(builtin, "ma")
	if err != nil {
		panic(err) // the folder is embedded
	}
	return f
}

// Pack is a loaded country pack.
type Pack struct {
	Country *gov.Country
	Files   fs.FS
}

// Messages returns the pack's own wording, which replaces or adds to that of the
// slices, one file per language.
func (p *Pack) Messages() fs.FS {
	f, err := fs.Sub(p.Files, "messages")
	if err != nil {
		panic(err) // "messages" is a valid path
	}
	return f
}

// Load reads a pack. A field that the program does not know is an error, so that
// a misspelt rule can't be silently without effect.
func Load(files fs.FS) (*Pack, error) {
	c := new(gov.Country)
	if err := Decode(files, "country.json", c); err != nil {
		return nil, err
	}
	parts := []struct {
		name string
		into any
	}{
		{"law.json", &c.Law}, {"lists.json", &c.Lists}, {"regions.json", &c.Regions}, {"map.json", &c.Map},
		{"holidays.json", &c.Holidays}, {"document-types.json", &c.Outputs},
	}
	for _, p := range parts {
		if err := Decode(files, p.name, p.into); err != nil {
			return nil, err
		}
	}
	if err := c.Init(); err != nil {
		return nil, fmt.Errorf("country.json: %w", err)
	}
	if len(c.Languages) == 0 {
		return nil, errors.New("country.json: no language")
	}
	return &Pack{c, files}, nil
}

// Decode reads one JSON file of a pack strictly. Errors name the file, the line
// and the column.
func Decode(files fs.FS, name string, into any) error {
	f, err := files.Open(name)
	if err != nil {
		return fmt.Errorf("country pack: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return fmt.Errorf("country pack: %s: %w", name, err)
	}
	if len(b) > maxFile {
		return fmt.Errorf("country pack: %s is larger than %d bytes", name, maxFile)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		line, col := position(b, offset(err, d))
		return fmt.Errorf("country pack: %s, line %d, column %d: %w", name, line, col, err)
	}
	if d.More() {
		line, col := position(b, d.InputOffset())
		return fmt.Errorf("country pack: %s, line %d, column %d: more than one value", name, line, col)
	}
	return nil
}

func offset(err error, d *json.Decoder) int64 {
	if e, ok := errors.AsType[*json.SyntaxError](err); ok {
		return e.Offset
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return e.Offset
	}
	return d.InputOffset()
}

// position returns the line and column, from 1, of a byte offset.
func position(b []byte, at int64) (line, col int) {
	at = min(at, int64(len(b)))
	head := b[:at]
	line = bytes.Count(head, []byte{'\n'}) + 1
	return line, len(head) - bytes.LastIndexByte(head, '\n')
}
