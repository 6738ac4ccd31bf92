// Package search finds things in the catalogue by words in Arabic, French,
// Tamazight, English, Darija and Darija in Latin letters, misspelt or not, and
// in whichever language they were written.
package search
