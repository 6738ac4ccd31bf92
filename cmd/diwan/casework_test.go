//go:build !race

package main

import "testing"

// TestBuildingPermit follows an application on a phone, from signing in to reading
// the reasons of the decision, and another one to the silence that becomes
// acceptance, in Arabic and in French, on both engines; and an officer who signs in
// and confirms with a passkey.
func TestBuildingPermit(t *testing.T) {
	newJourney(t).each(t, func(t *testing.T, run func(script string, more map[string]any)) {
		run("passkey.mjs", nil)
		run("casework.mjs", nil)
	})
}
