package app

import (
	"net/http/httptest"
	"testing"
)

// The hot paths of the portal, without a network.
func BenchmarkPages(b *testing.B) {
	a := openApp(b, nil)
	for name, path := range map[string]string{
		"cached":   "/fr/procedures/building-permit",
		"uncached": "/fr/procedures/building-permit/thanks",
		"listed":   "/fr/procedures/d385-120/thanks",
		"search":   "/fr/search?q=permis",
	} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest("GET", path, nil)
			b.ReportAllocs()
			for b.Loop() {
				w := httptest.NewRecorder()
				a.Handler.ServeHTTP(w, r)
				if w.Code != 200 {
					b.Fatal(w.Code)
				}
			}
		})
	}
}
