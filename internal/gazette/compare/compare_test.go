package compare

import (
	"strings"
	"testing"

	"diwan/internal/gazette/model"
)

func show(runs []Run) string {
	var b strings.Builder
	for _, r := range runs {
		switch r.Op {
		case Added:
			b.WriteString("[+" + strings.TrimSpace(r.Text) + "]")
		case Removed:
			b.WriteString("[-" + strings.TrimSpace(r.Text) + "]")
		default:
			b.WriteString(r.Text)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{"", "", ""},
		{"one two three", "one two three", "one two three"},
		{"one two three", "one four three", "one [-two][+four]three"},
		{"one three", "one two three", "one [+two]three"},
		{"a b c d", "b c d e", "[-a]b c d [+e]"},
		{"", "new words", "[+new words]"},
		{"old words", "", "[-old words]"},
		{"the period is thirty days from filing", "the period is sixty days from receipt", "the period is [-thirty][+sixty]days from [-filing][+receipt]"},
	} {
		if got := show(Words(c.before, c.after)); got != c.want {
			t.Errorf("Words(%q, %q) = %q, want %q", c.before, c.after, got, c.want)
		}
	}
}

// Whatever the texts, the kept and removed words are the old text and the kept
// and added words the new one.
func FuzzWords(f *testing.F) {
	f.Add("one two three", "three two one")
	f.Add("a a b a", "a b b")
	f.Fuzz(func(t *testing.T, before, after string) {
		if len(before)+len(after) > 2000 {
			return
		}
		var a, b strings.Builder
		for _, r := range Words(before, after) {
			if r.Op != Added {
				a.WriteString(r.Text)
			}
			if r.Op != Removed {
				b.WriteString(r.Text)
			}
		}
		if strings.Join(split(before), "") != a.String() || strings.Join(split(after), "") != b.String() {
			t.Fatalf("%q and %q came out as %q and %q", before, after, a.String(), b.String())
		}
	})
}

func TestPieces(t *testing.T) {
	p := func(eid, text string) model.Piece { return model.Piece{EID: eid, Text: text} }
	got := Pieces([]model.Piece{p("art_1", "a"), p("art_2", "b"), p("art_3", "c")},
		[]model.Piece{p("art_1", "a"), p("art_1bis", "n"), p("art_3", "d"), p("art_4", "e")})
	var kinds []string
	for _, c := range got {
		piece := c.New
		if piece == nil {
			piece = c.Old
		}
		kinds = append(kinds, c.Kind+" "+piece.EID)
	}
	want := "same art_1, removed art_2, added art_1bis, changed art_3, added art_4"
	if s := strings.Join(kinds, ", "); s != want {
		t.Errorf("got %s, want %s", s, want)
	}
}

func TestHugeTextsEnd(t *testing.T) {
	a := strings.Repeat("x ", 20000)
	b := strings.Repeat("y ", 20000)
	if runs := Words(a, b); len(runs) != 2 {
		t.Errorf("%d runs", len(runs))
	}
}
