package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// node is an element of a sheet as the package keeps it: XML written as JSON.
type node struct {
	Type       string            `json:"type"`
	Name       string            `json:"name"`
	Text       string            `json:"text"`
	Attributes map[string]string `json:"attributes"`
	Children   []node            `json:"children"`
}

// section is one part of a sheet under its headings.
type section struct {
	sheet   string
	kind    string // of the sheet, or the element of a part
	title   string
	heading string // "" for the whole sheet
	text    string
}

// readSheets reads every sheet of information below a folder.
func readSheets(dir string) ([]section, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "F*.json"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s has no folder with sheets F*.json", dir)
	}
	var out []section
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var root node
		if err := json.Unmarshal(data, &root); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
		out = append(out, sections(&root)...)
	}
	return out, nil
}

// sections cuts one sheet: first the whole of it, then each part that has a
// heading.
func sections(root *node) []section {
	pub := find(root, "Publication")
	if pub == nil {
		return nil
	}
	s := section{sheet: pub.Attributes["ID"], kind: pub.Attributes["type"], title: plain(find(pub, "dc:title"))}
	if s.title == "" {
		return nil
	}
	var whole strings.Builder
	var parts []section
	for i := range pub.Children {
		c := &pub.Children[i]
		switch c.Name {
		case "Introduction", "Texte", "ListeSituations":
			writeText(&whole, c)
			whole.WriteByte('\n')
			headed(c, s, &parts)
		}
	}
	s.text = strings.TrimSpace(whole.String())
	if s.text == "" {
		return nil
	}
	return append([]section{s}, parts...)
}

// headed finds the parts with a heading.
func headed(n *node, s section, out *[]section) {
	for i := range n.Children {
		c := &n.Children[i]
		switch c.Name {
		case "Situation", "Chapitre", "SousChapitre", "Cas":
			p := s
			p.kind = c.Name
			var text strings.Builder
			for j := range c.Children {
				if k := &c.Children[j]; k.Name == "Titre" {
					p.heading = plain(k)
				} else {
					writeText(&text, k)
				}
			}
			p.text = strings.TrimSpace(text.String())
			if p.heading != "" && p.text != "" {
				*out = append(*out, p)
			}
		}
		headed(c, s, out)
	}
}

func find(n *node, name string) *node {
	for i := range n.Children {
		if n.Children[i].Name == name {
			return &n.Children[i]
		}
	}
	return nil
}

// plain returns the text of an element on one line.
func plain(n *node) string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	writeText(&b, n)
	return strings.Join(strings.Fields(b.String()), " ")
}

// writeText writes the text of an element; blocks end a line.
func writeText(b *strings.Builder, n *node) {
	b.WriteString(n.Text)
	switch n.Name {
	case "OuSAdresser", "ServiceEnLigne", "Reference":
		return
	}
	for i := range n.Children {
		writeText(b, &n.Children[i])
	}
	switch n.Name {
	case "Paragraphe", "Titre", "Item", "Cellule", "Chapitre":
		b.WriteByte('\n')
	}
}
