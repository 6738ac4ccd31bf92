//go:build race

package upload

// The race detector needs more address space than a reader of PDFs is given.
func init() { underRace = true }
