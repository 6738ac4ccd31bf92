package web

import (
	"testing"
	"time"
)

func TestTold(t *testing.T) {
	f := Format{months: []string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}, zone: time.FixedZone("x", 3600)}
	for text, want := range map[string]string{
		"2026-03-01":               "1\u00a0March\u00a02026",
		"2026-03-01T23:30:00Z":     "2\u00a0March\u00a02026 00:30",
		"2026-03-01T10:00:00.123Z": "1\u00a0March\u00a02026 11:00",
		"1234-20":                  "1234-20",
		"2026-13-01":               "2026-13-01",
		"":                         "",
		"850":                      "850",
	} {
		if got := f.Told(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
