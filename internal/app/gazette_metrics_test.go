package app

import (
	"strings"
	"testing"

	"diwan/internal/gazette"
	"diwan/internal/gov"
)

// What the gazette did and what waits there shows among the figures.
func TestLawMetrics(t *testing.T) {
	a := openApp(t, nil)
	text := func(name, s string) gazette.Input {
		return gazette.Input{Name: name, Open: func() ([]byte, error) { return []byte(s), nil }}
	}
	_, err := a.Gazette.Import(t.Context(), []gazette.Input{text("good.txt", "Décret n° 2-26-777 du 16 septembre 2026 relatif aux puits\n\nDÉCRÈTE :\n\nArticle premier\nLes puits sont couverts.\n"),
		text("bad.pdf", "%PDF-1.7 cut short")}, gazette.ImportOptions{Actor: gov.Actor{ID: "test"}})
	if err == nil {
		err = a.Gazette.Tell(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	_, body := get(t, a.adminHandler(), "/metrics")
	for _, line := range []string{`diwan_law_files_total{outcome="read"} 1`, `diwan_law_files_total{outcome="failed"} 1`, `diwan_law_messages_total{outcome="failed"} 0`,
		`diwan_law_waiting{what="files"} 0`, "diwan_law_pages_total 1", "diwan_law_changes_total"} {
		if !strings.Contains(body, line) {
			t.Errorf("%q is missing", line)
		}
	}
}
