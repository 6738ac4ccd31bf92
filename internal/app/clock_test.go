package app

import (
	"strings"
	"testing"

	"diwan/country"
	"diwan/internal/casework/clock"
)

// The portal's pages and the clock read their numbers in two files of the pack:
// they must say the same law.
func TestClockSaysTheSameLaw(t *testing.T) {
	pack, err := country.Load(country.Builtin())
	if err != nil {
		t.Fatal(err)
	}
	r, err := ClockRules(pack)
	if err != nil {
		t.Fatal(err)
	}
	law := pack.Country.Law
	for law, period := range map[string]string{"deadline": "processing", "complete": "complete", "replace": "replace", "appeal": "appeal",
		"appeal_answer": "appeal_answer", "escalation": "escalation", "delivery": "delivery", "fetch_failed": "fetch_failed", "governor": "governor"} {
		if got, want := r.Periods[period].Days, pack.Country.Law.Days[law]; got != want {
			t.Errorf("%s: %d days for the clock, %d for the portal", period, got, want)
		}
	}
	if r.On("full_periods") != law.FullPeriods || r.On("roll") != law.Roll {
		t.Error("the clock counts otherwise than the calendar")
	}
	for rule, article := range map[string]string{"deadline": "processing", "complement": "information", "extension": "extension", "reasons": "reasons",
		"silence": "silence", "escalation": "escalation", "appeal": "appeal", "periods": "full_periods"} {
		if got, want := r.Articles[article], law.Articles[rule][0]; got != want {
			t.Errorf("%s stands in %s for the clock, in %s for the portal", rule, got, want)
		}
	}
	for _, l := range pack.Country.Lists {
		for name, own := range r.Lists {
			if name == l.ID && own.MaxDays != l.MaxDays {
				t.Errorf("list %s: at most %d days for the clock, %d for the portal", name, own.MaxDays, l.MaxDays)
			}
		}
	}
}

func TestClockWordsInEveryLanguage(t *testing.T) {
	const running = `{"deadline_days":30,"authority":"local","events":[{"on":"2026-03-02","type":"filed","complete":true},{"on":"2026-04-20","type":"appealed"}],"as_of":"2026-05-20"}`
	for _, lang := range []string{"ar", "fr", "zgh", "en"} {
		a, err := Clock("", lang, strings.NewReader(running))
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := a.Print(&b); err != nil || a.State != clock.Referred || strings.Contains(b.String(), "[clock") || strings.Contains(b.String(), "{") {
			t.Errorf("%s: %s %v\n%s", lang, a.State, err, b.String())
		}
	}
	if _, err := Clock("testdata/lumeria", "en", strings.NewReader(running)); err == nil || !strings.Contains(err.Error(), clockFile) {
		t.Errorf("a country without a clock: %v", err)
	}
}
