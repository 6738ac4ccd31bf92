package catalogue

import (
	"strings"
	"testing"

	"diwan/internal/problem"
)

// A table that is all separators or all line ends is refused at once: finding
// the place of each of a million cells would keep a processor busy for hours.
func TestCSVBombsAreRefused(t *testing.T) {
	each(t, func(t *testing.T, c *Catalogue) {
		million := strings.Repeat(",", 1<<20)
		for name, text := range map[string]string{
			"header": million, "row": "id,name_en\n" + million + "\n", "lines": "id\n" + strings.Repeat("\n", maxImportLines+1),
		} {
			r, err := c.ImportCSV(t.Context(), editor, name+".csv", strings.NewReader(text))
			if !problem.Is(err, problem.Invalid) || len(r.Problems) == 0 || len(r.Problems) > 5 {
				t.Errorf("%s: %d problems, %v", name, len(r.Problems), err)
			}
		}
	})
}
