package amend

import (
	"os"
	"strings"
	"testing"

	"diwan/internal/gazette/model"
)

// What an act says of its entry into force is read where it is a day that the
// words give, and never guessed.
func TestEntries(t *testing.T) {
	r, _ := reader(t)
	b, err := os.ReadFile("testdata/entries.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range strings.Split(string(b), "=== ")[1:] {
		head, rest, _ := strings.Cut(block, "\n")
		name, lang, _ := strings.Cut(head, " | ")
		text, want, _ := strings.Cut(rest, "--- ")
		t.Run(lang+" "+name, func(t *testing.T) {
			var got []string
			for _, e := range r.Entries(&model.Piece{EID: "art_1", Text: strings.TrimSpace(text)}, model.Lang(lang)) {
				switch {
				case e.Unread:
					got = append(got, "unread")
				case e.NextMonth:
					got = append(got, "next month")
				case e.Published:
					got = append(got, "published")
				default:
					got = append(got, string(e.Day))
				}
			}
			if s := strings.Join(got, ", "); s != strings.TrimSpace(want) {
				t.Errorf("got %q, want %q", s, strings.TrimSpace(want))
			}
		})
	}
}

func TestEntryOn(t *testing.T) {
	for published, want := range map[model.Date]model.Date{"2026-10-15": "2026-11-01", "2026-12-31": "2027-01-01", "2026-01-31": "2026-02-01", "2026": "", "": ""} {
		if got := (Entry{NextMonth: true}).On(published); got != want {
			t.Errorf("%q: %q, want %q", published, got, want)
		}
	}
}

// Whatever the text, what is read lies in it.
func FuzzEntries(f *testing.F) {
	r, _ := reader(f)
	b, err := os.ReadFile("testdata/entries.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, block := range strings.Split(string(b), "=== ")[1:] {
		f.Add(block, strings.Contains(block, "ara"))
	}
	f.Fuzz(func(t *testing.T, text string, arabic bool) {
		lang := model.Lang("fra")
		if arabic {
			lang = "ara"
		}
		for _, e := range r.Entries(&model.Piece{Text: text}, lang) {
			if e.Start < 0 || e.End > len(text) || e.Start >= e.End {
				t.Fatalf("%+v in %q", e, text)
			}
		}
	})
}
