package casework

import (
	"strings"
	"testing"

	"diwan/internal/casework/clock"
	"diwan/internal/gov"
	"diwan/internal/problem"
)

func TestLetter(t *testing.T) {
	eachDesk(t, func(w *world) {
		w.Options.OfficeName = func(id string) gov.Text { return gov.Text{"fr": "Office " + id} }
		good := Letter{Name: " Appointment  letter ", Lang: "fr", Subject: "Case {{number}}", Body: "Dear {{applicant}},\n\nBy {{due}}.\n\n{{office}}"}
		for want, change := range map[string]func(*Letter){
			"letter.incomplete": func(l *Letter) { l.Subject = " " },
			"letter.fields":     func(l *Letter) { l.Body = "{{password}}" },
		} {
			l := good
			change(&l)
			if _, err := w.SaveLetter(t.Context(), boss, l); code(err) != want {
				t.Errorf("%v, want %s", err, want)
			}
		}
		l, err := w.SaveLetter(t.Context(), boss, good)
		if err != nil || l.ID == "" || l.Name != "Appointment letter" {
			t.Fatal(l, err)
		}
		theirs := l
		theirs.Body = "Taken over"
		if _, err := w.SaveLetter(t.Context(), other, theirs); !problem.Is(err, problem.NotFound) {
			t.Error("another administration changed the letter:", err)
		}
		c := w.file()
		day := func(d gov.Date) string { return d.String() }
		text, err := w.FillLetter(t.Context(), studies, c, l, day)
		if err != nil || !strings.Contains(text, "Dear Salma,") || !strings.Contains(text, "2026-04-02") {
			t.Fatal(text, err)
		}
		subject, body := splitLetter(text)
		if !strings.Contains(subject, "Case") || !strings.HasPrefix(body, "Dear") {
			t.Errorf("%q, %q", subject, body)
		}
		c = w.act(studies, c, Action{Type: MessageSent, Ref: letterRef + ":fr", Text: text})
		c = w.act(salma, c, Action{Type: MessageSent, Ref: letterRef + ":fr", Text: "not a letter of the office"})
		journal, err := w.Journal(t.Context(), c)
		if err != nil || letterIn(&journal[1]) != "fr" || letterIn(&journal[2]) != "" {
			t.Error(journal, err)
		}
		c = w.act(signer, c, Action{Type: string(clock.Granted)})
		c.Due = gov.Date{}
		if _, err := w.FillLetter(t.Context(), studies, c, l, day); code(err) != "letter.lacks" {
			t.Error("a letter with a hole:", err)
		}
		if err := w.DropLetter(t.Context(), other, l.ID); err != nil {
			t.Error(err)
		}
		if list, err := w.Letters(t.Context(), "commune"); err != nil || len(list) != 1 {
			t.Error("another administration dropped the letter:", list, err)
		}
		if err := w.DropLetter(t.Context(), boss, l.ID); err != nil {
			t.Error(err)
		}
		if _, err := w.Letter(t.Context(), "commune", l.ID); !problem.Is(err, problem.NotFound) {
			t.Error(err)
		}
	})
}

func TestAmounts(t *testing.T) {
	for typed, want := range map[string]gov.Centimes{"1": 100, "12,5": 1250, "12.50": 1250, "1 200,50": 120050, "\u0661\u0662": 1200, "0": 0} {
		if got, ok := readAmount(typed); !ok || got != want {
			t.Errorf("%q is %d, %v", typed, got, ok)
		}
	}
	for _, typed := range []string{"", ",", "1,234", "1.2.3", "-1", "1e9", "9999999999999", "12,", ",5", "x"} {
		if got, ok := readAmount(typed); ok {
			t.Errorf("%q passed for %d", typed, got)
		}
	}
}

// FuzzTyped holds what officers type by hand.
func FuzzTyped(f *testing.F) {
	for _, s := range []string{"12,50", "09:20", "Fatima", "commune/unit", "24:60"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if n, ok := readAmount(s); ok && n < 0 {
			t.Errorf("%q is the amount %d", s, n)
		}
		if m, ok := minuteOf(s); ok && (m < 0 || m > 25*60) {
			t.Errorf("%q is the minute %d", s, m)
		}
		if p, err := NamedPresent(s); err == nil && strings.ContainsAny(p.Name[""], "\x00\n\u202e\u2066") {
			t.Errorf("%q is the name %q", s, p.Name[""])
		}
		a, u := splitPlace(s)
		if isPlace(a) && strings.ContainsAny(a, " /") || u != "" && isPlace(u) && strings.ContainsAny(u, " /") {
			t.Errorf("%q is the place %q, %q", s, a, u)
		}
	})
}
