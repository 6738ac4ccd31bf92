// Package model holds the words of the gazette: works and their numbers, acts
// and their parts, citations, amendments and the state of a text. It knows no
// database, no page and no country: kinds, formulas and numbering are data of
// the country pack, read by package grammar.
//
// A Text is the repaired text of one source. Everything found in it is a Span
// of it, in bytes, so that each article, each citation and each amendment can be
// shown where it stands, and the page image beside it.
package model
