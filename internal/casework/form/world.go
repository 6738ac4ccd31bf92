package form

import (
	"slices"

	"diwan/internal/gov"
)

// World is what answering needs to know of the place and the moment. Its zero
// value works: regions, identifiers and phone numbers are then taken as typed.
type World struct {
	Country *gov.Country
	// Places are those below the regions of the country, when they are known.
	Places []Place
	Today  gov.Date
	Lang   gov.Lang
	// Uploads are the files received with a page, by the field's name. They come
	// from the program that stored them, never from the posted fields: nobody can
	// point at another person's file.
	Uploads map[string][]File
}

// Place is a part of the country: a province of a region, a municipality of a
// province.
type Place struct {
	ID     string   `json:"id"`
	Name   gov.Text `json:"name"`
	Level  string   `json:"level"` // "province" or "municipality"
	Within string   `json:"within"`
}

// File is an uploaded file as the answers name it.
type File struct {
	Ref    string `json:"ref"` // where it is stored
	Name   string `json:"name"`
	Type   string `json:"type"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

func (f File) answer() map[string]any {
	m := map[string]any{"ref": f.Ref, "name": Clean(f.Name, false), "size": f.Size}
	if f.Type != "" {
		m["type"] = f.Type
	}
	if f.SHA256 != "" {
		m["sha256"] = f.SHA256
	}
	return m
}

// filesOf reads files back from an answer.
func filesOf(v any) []File {
	list, _ := v.([]any)
	out := make([]File, 0, len(list))
	for _, x := range list {
		m, _ := x.(map[string]any)
		var f File
		f.Ref, _ = m["ref"].(string)
		f.Name, _ = m["name"].(string)
		f.Type, _ = m["type"].(string)
		f.Size, _ = m["size"].(int64)
		f.SHA256, _ = m["sha256"].(string)
		if f.Ref != "" {
			out = append(out, f)
		}
	}
	return out
}

// symbols are the separators of numbers in the reader's language.
func (w World) symbols() gov.NumberSymbols {
	if w.Country == nil {
		return gov.NumberSymbols{Decimal: "."}
	}
	return w.Country.Numbers[w.Lang]
}

func (w World) order() []gov.Lang {
	if w.Country == nil {
		return nil
	}
	return w.Country.Order()
}

// scheme returns an identifier scheme of the country.
func (w World) scheme(id string) (gov.Identifier, bool) {
	if w.Country != nil && id != "" {
		for _, s := range w.Country.Schemes {
			if s.ID == id {
				return s, true
			}
		}
	}
	return gov.Identifier{}, false
}

// choice is a value with its name, and with the one that it lies within where those
// of several are offered together.
type choice struct {
	value  string
	name   gov.Text
	within string
}

// places returns what a field of an address may be, nil when it is typed freely.
// The field below depends on the one above; within says what was chosen there. Where
// nothing was chosen yet, what lies in all of them is offered: no page needs a script
// to fill a list.
func (w World) places(level, within string) []choice {
	var out []choice
	if level == "region" {
		if w.Country != nil {
			for _, r := range w.Country.Regions {
				out = append(out, choice{value: r.ID, name: r.Name})
			}
		}
		return out
	}
	for _, p := range w.Places {
		if p.Level == level && (p.Within == within || within == "") {
			out = append(out, choice{p.ID, p.Name, p.Within})
		}
	}
	return out
}

// severalAbove says whether choices of several places above are among them.
func severalAbove(cs []choice) bool {
	return slices.ContainsFunc(cs, func(c choice) bool { return c.within != cs[0].within })
}

// placeName is the name of a region or of a place below.
func (w World) placeName(id string) gov.Text {
	for _, c := range w.places("region", "") {
		if c.value == id {
			return c.name
		}
	}
	for _, p := range w.Places {
		if p.ID == id {
			return p.Name
		}
	}
	return gov.Text{"": id}
}

func has(cs []choice, value string) bool {
	for _, c := range cs {
		if c.value == value {
			return true
		}
	}
	return false
}
