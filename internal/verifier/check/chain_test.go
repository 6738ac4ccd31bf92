package check

import (
	"testing"
	"time"

	"diwan/protocol/statuslist"
)

// TestChainsAreNotBelievedForEver accepts a chain only within the time that its
// certificates name, and not after its issuer has left the list.
func TestChainsAreNotBelievedForEver(t *testing.T) {
	w := newWorld(t)
	long := map[string]any{"exp": w.now.AddDate(9, 0, 0).Unix()}
	text := w.permit(w.town, long)
	w.found(w.kit.Document(t.Context(), text), Accepted)
	// Made while the certificate was good, and checked long after: good.
	w.now = w.now.AddDate(3, 0, 0)
	w.portal = issue(t, "portal", &w.root, w.now)
	w.root = issue(t, "root", nil, w.now)
	w.portal = issue(t, "portal", &w.root, w.now)
	w.kit.o.Anchors = append(w.kit.o.Anchors, w.root.cert)
	// Its issuer's new root stands on the list alone: what was signed under the old one
	// is nobody's any more.
	w.publishTrust(time.Hour)
	w.publishStatus(w.portal, func(s *statuslist.Token) {})
	w.found(w.kit.Document(t.Context(), text), Refused, UntrustedIssuer)
	// One that says that it was made when its certificate had ended.
	old := issue(t, "town", &w.root, w.now.AddDate(-2, 0, -1))
	w.found(w.kit.Document(t.Context(), w.permit(old, long)), Refused, UntrustedIssuer)
	// Issuers write the day alone, which may begin before their certificate does.
	day := map[string]any{"iat": w.now.Truncate(24 * time.Hour).Unix(), "nbf": w.now.Truncate(24 * time.Hour).Unix()}
	w.found(w.kit.Document(t.Context(), w.permit(issue(t, "town", &w.root, w.now), day)), Accepted)
	fresh := issue(t, "town", &w.root, w.now)
	w.found(w.kit.Document(t.Context(), w.permit(fresh, nil)), Accepted)
	// A certificate that begins tomorrow.
	w.found(w.kit.Document(t.Context(), w.permit(issue(t, "town", &w.root, w.now.AddDate(0, 0, 1)), nil)), Refused, UntrustedIssuer)
}
