package markup

import (
	"strconv"
	"strings"

	"diwan/internal/gazette/model"
)

func itoa(n int) string { return strconv.Itoa(n) }

// PlainText writes a text for people and programs that want words alone: a
// paragraph a line, an empty line between pieces.
func PlainText(pieces []model.Piece) string {
	var b strings.Builder
	for i := range pieces {
		p := &pieces[i]
		if b.Len() > 0 {
			b.WriteString("\n")
		}
		if t := p.Title(); t != "" {
			b.WriteString(t + "\n")
		}
		for _, line := range p.Paragraphs() {
			b.WriteString(strings.TrimPrefix(line, "\t") + "\n")
		}
	}
	return b.String()
}
