package verifier

import (
	"diwan/internal/audit"
	"diwan/internal/gov"
)

func (w *world) actor() gov.Actor { return gov.Actor{ID: "operator"} }

// entryOf finds what was done to a subject in the trail.
func entryOf(action, subject string) func(audit.Entry) bool {
	return func(e audit.Entry) bool { return e.Action == action && e.Subject == subject }
}
