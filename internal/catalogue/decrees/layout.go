package decrees

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
)

// maxData bounds the layout and administration files.
const maxData = 4 << 20

// Layout describes the table of one decree: how to know it, what its columns
// are called and which words its cells use. All texts are in correct spelling;
// they are compared by key, so the spelling damage of an extraction does not
// matter.
type Layout struct {
	Decree string   `json:"decree"` // as we cite it, "2-22-385"
	Mark   string   `json:"mark"`   // as the text prints it, "2.22.385"
	List   string   `json:"list"`   // which list of the law the table is
	Annex  string   `json:"annex"`  // the line that opens the annex
	Header []string `json:"header"` // the lines of the table's head, in any order
	End    []string `json:"end"`    // lines that close the table; none: end of text

	Administration string  `json:"administration"` // id for every row when no column has it
	Groups         []Group `json:"groups"`         // merged cells over several rows

	Deleted  string         `json:"deleted"`  // the cell of a deleted row
	Openers  []string       `json:"openers"`  // words that begin a decision's name
	Joiners  []string       `json:"joiners"`  // words no name can end with
	Deadline *DeadlineWords `json:"deadline"` // nil: the table has no deadlines

	Corrections map[string]string `json:"corrections"` // misprints of the edition, word by word

	Administrations []Administration `json:"-"` // set by Join
}

// Group is a merged cell: a domain and the rows it covers, both ends included.
type Group struct {
	Name string `json:"name"`
	From string `json:"from"`
	To   string `json:"to"`
}

// DeadlineWords are the words of the deadline column.
type DeadlineWords struct {
	Units  []string       `json:"units"`  // after a number of days
	Words  map[string]int `json:"words"`  // phrases that are a number of days
	AtOnce []string       `json:"atOnce"` // phrases for "on the spot"
	After  []string       `json:"after"`  // open a condition that follows its value
	Before []string       `json:"before"` // open a condition that precedes its value
	Items  []string       `json:"items"`  // letters of an enumerated list, in order
}

// Administration is one public body with every spelling the tables print.
type Administration struct {
	ID      string            `json:"id"`
	Name    map[string]string `json:"name"` // by language: ar, fr
	Kind    string            `json:"kind"`
	Parent  string            `json:"parent,omitempty"`
	Printed []string          `json:"printed"`
}

// LoadLayouts reads layouts from JSON: {"common": {...}, "layouts": [...]}, where
// a layout takes from common what it does not say itself. Join completes them
// with the administrations.
func LoadLayouts(r io.Reader) ([]Layout, error) {
	var file struct {
		Common  Layout            `json:"common"`
		Layouts []json.RawMessage `json:"layouts"`
	}
	if err := decode(r, &file); err != nil {
		return nil, fmt.Errorf("reading layouts: %w", err)
	}
	var out []Layout
	for i, raw := range file.Layouts {
		l := file.Common
		l.Corrections = maps.Clone(l.Corrections)
		if err := decode(bytes.NewReader(raw), &l); err != nil {
			return nil, fmt.Errorf("reading layout %d: %w", i, err)
		}
		if l.Decree == "" || l.Mark == "" || l.List == "" || len(l.Header) == 0 {
			return nil, fmt.Errorf("reading layout %d: decree, mark, list and header are required", i)
		}
		out = append(out, l)
	}
	if len(out) == 0 {
		return nil, errors.New("reading layouts: none found")
	}
	return out, nil
}

// LoadAdministrations reads the table of spellings. A spelling given to two
// bodies is an error: a row must never have two owners.
func LoadAdministrations(r io.Reader) ([]Administration, error) {
	var out []Administration
	if err := decode(r, &out); err != nil {
		return nil, fmt.Errorf("reading administrations: %w", err)
	}
	ids := map[string]bool{}
	owner := map[string]string{}
	for _, a := range out {
		if a.ID == "" || ids[a.ID] {
			return nil, fmt.Errorf("reading administrations: id %q is empty or repeated", a.ID)
		}
		ids[a.ID] = true
		for _, p := range a.Printed {
			k := key(p)
			if k == "" || (owner[k] != "" && owner[k] != a.ID) {
				return nil, fmt.Errorf("reading administrations: spelling %q of %s is empty or belongs to %s", p, a.ID, owner[k])
			}
			owner[k] = a.ID
		}
	}
	for _, a := range out {
		if a.Parent != "" && !ids[a.Parent] {
			return nil, fmt.Errorf("reading administrations: parent %q of %s is unknown", a.Parent, a.ID)
		}
	}
	return out, nil
}

// Join gives every layout the administrations it may meet.
func Join(layouts []Layout, administrations []Administration) []Layout {
	out := make([]Layout, len(layouts))
	for i, l := range layouts {
		l.Administrations = administrations
		out[i] = l
	}
	return out
}

// decode reads one JSON value of bounded size and refuses unknown fields, so a
// misspelt field of a country's data is found when it is loaded.
func decode(r io.Reader, into any) error {
	d := json.NewDecoder(io.LimitReader(r, maxData))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
