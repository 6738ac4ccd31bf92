package pdf

// Align is where the lines of a paragraph sit. Start and End follow the
// direction of its language.
type Align int

// The alignments. Justify leaves the last line at the start.
const (
	Start Align = iota
	Justify
	Center
	End
)

// Style is the look of a paragraph. Lengths are points (1/72 inch). The zero
// value is body text.
type Style struct {
	Size    float64 // of the letters; 0 is 10.5
	Leading float64 // from base line to base line; 0 follows the fonts in use
	Weight  Weight
	Align   Align
	// Before and After are the white above and below. The white above is left
	// out at the top of a column.
	Before, After float64
	First         float64 // indent of the first line
	Indent        float64 // indent of all lines, at the start side
	KeepNext      bool    // stays in one column with what follows
	Color         Color
}

// Color is red, green and blue; the zero value is black.
type Color struct{ R, G, B uint8 }

const defaultSize = 10.5

func (s Style) size() float64 {
	if s.Size <= 0 {
		return defaultSize
	}
	return s.Size
}

// Span is a part of a paragraph with its own cut.
type Span struct {
	Text   string
	Weight Weight
}

// rtl says whether a language is written from right to left.
func rtl(lang string) bool {
	for _, l := range [...]string{"ar", "ara", "ary", "he", "fa", "ur"} {
		if lang == l || len(lang) > len(l) && lang[:len(l)] == l && lang[len(l)] == '-' {
			return true
		}
	}
	return false
}
