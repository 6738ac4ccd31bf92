package casework

import (
	"net/http"

	"diwan/internal/casework/clock"
	"diwan/internal/problem"
	"diwan/internal/web"
)

// clockType is the clock's name of a kind of event.
func clockType(kind string) clock.EventType { return clock.EventType(kind) }

// readers tells whether an error is one that the reader can mend on the page they
// are on, and its sentence.
func readers(s *web.Site, r *http.Request, err error) (string, bool) {
	if err == nil {
		return "", false
	}
	p := problem.From(err)
	if p.Kind != problem.Invalid && p.Kind != problem.Conflict {
		return "", false
	}
	return s.Sentence(web.LangOf(r), p), true
}
