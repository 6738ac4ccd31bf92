package pdf

import (
	"bytes"
	"embed"
	"fmt"
	"sync"
	"unicode"

	"github.com/go-text/typesetting/font"
)

//go:embed fonts/*.ttf
var fontFiles embed.FS

// Weight is the cut of a text.
type Weight int

// The cuts. Scripts without an italic of their own stay upright.
const (
	Regular Weight = iota
	Bold
	Italic
)

// The families, by what they are for.
const (
	latin = iota
	arabic
	tifinagh
	families
)

var fontNames = [families][3]string{
	latin:    {"NotoSerif-Regular", "NotoSerif-Bold", "NotoSerif-Italic"},
	arabic:   {"NotoNaskhArabic-Regular", "NotoNaskhArabic-Bold", "NotoNaskhArabic-Regular"},
	tifinagh: {"NotoSansTifinagh-Regular", "NotoSansTifinagh-Regular", "NotoSansTifinagh-Regular"},
}

// source is one embedded font file, parsed once for all documents.
type source struct {
	name string
	raw  []byte
	font *font.Font
	// ascent, descent and units are in the font's own units; descent is negative.
	ascent, descent, units int
}

var loadFonts = sync.OnceValue(func() map[string]*source {
	out := map[string]*source{}
	for _, family := range fontNames {
		for _, name := range family {
			if out[name] != nil {
				continue
			}
			s, err := parseSource(name)
			if err != nil {
				panic(err) // an embedded file of ours: a fault of the build
			}
			out[name] = s
		}
	}
	return out
})

func parseSource(name string) (*source, error) {
	raw, err := fontFiles.ReadFile("fonts/" + name + ".ttf")
	if err != nil {
		return nil, err
	}
	face, err := font.ParseTTF(bytes.NewReader(raw))
	if err != nil {
		return nil, fmt.Errorf("reading font %s: %w", name, err)
	}
	t, err := sfntTables(raw)
	if err != nil {
		return nil, fmt.Errorf("reading font %s: %w", name, err)
	}
	s := &source{name: name, raw: raw, font: face.Font, units: int(face.Upem())}
	s.ascent, s.descent = int(int16(be16(t["hhea"], 4))), int(int16(be16(t["hhea"], 6)))
	return s, nil
}

// typeface is one font as one document uses it. CIDs are handed out in order
// of use, one for each pair of a glyph and the text that it stands for, so that
// every drawn glyph can be read back as exactly its characters.
type typeface struct {
	*source
	face *font.Face
	tag  string // its name in the page resources
	cids map[glyphText]uint16
	list []glyphText // by CID; CID 0 is .notdef
}

type glyphText struct {
	gid  font.GID
	text string
}

func newTypeface(s *source, tag string) *typeface {
	return &typeface{source: s, face: font.NewFace(s.font), tag: tag, cids: map[glyphText]uint16{}, list: []glyphText{{}}}
}

func (t *typeface) cid(g font.GID, text string) uint16 {
	k := glyphText{g, text}
	if c, ok := t.cids[k]; ok {
		return c
	}
	if len(t.list) > 0xfffe {
		return 0
	}
	c := uint16(len(t.list))
	t.cids[k] = c
	t.list = append(t.list, k)
	return c
}

// noInk is a glyph that every subset gets, without outline and without width.
// The joiners of fonts won't do: some draw them.
const noInk = font.EmptyGlyph

// advance returns what the font gives glyph g, in thousandths.
func (t *typeface) advance(g font.GID) float64 {
	if g == noInk {
		return 0
	}
	return float64(t.face.HorizontalAdvance(g)) * 1000 / float64(t.units)
}

// unseen makes glyphs without ink and without width for texts.
func (t *typeface) unseen(texts []string, runeAt int) []mark {
	out := make([]mark, len(texts))
	for i, s := range texts {
		out[i] = mark{cid: t.cid(noInk, s), runeAt: runeAt}
	}
	return out
}

// familyOf says which family draws r; neutral characters follow the letter
// before them when its family has them.
func familyOf(r rune) (family int, neutral bool) {
	switch {
	case unicode.Is(unicode.Tifinagh, r):
		return tifinagh, false
	case unicode.Is(unicode.Arabic, r) && unicode.IsLetter(r), r >= 0xfb50 && r <= 0xfdff, r >= 0xfe70 && r <= 0xfeff:
		return arabic, false
	case unicode.Is(unicode.Arabic, r), r >= 0x600 && r <= 0x6ff:
		return arabic, false
	case unicode.IsLetter(r):
		return latin, false
	}
	return latin, true
}
