package casework

import "fmt"

// Places at which something is sealed.
func contentPlace(id string) string { return "case " + id }
func draftPlace(id string) string   { return "draft " + id }
func eventPlace(id string, seq int64) string {
	return fmt.Sprintf("case %s event %d", id, seq)
}
