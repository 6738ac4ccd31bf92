// Package browser holds the tests that open the program's pages in a real
// browser: accessibility of every kind of page, the journeys people make, and
// what a first visit costs to load.
package browser
