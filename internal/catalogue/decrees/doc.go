// Package decrees reads the annex tables of decrees that list administrative
// decisions, from text flattened by an extractor: columns, pages and rows are
// gone and only the order of lines, the blank lines between cells and the page
// marks remain.
//
// What it promises: a value is paired with a row only by a rule written in this
// package; where the counts of a page do not agree, or two readings are equally
// good, the row stays empty and a Fault names the line. An imported deadline
// binds an administration and protects a person, so an empty cell is always
// better than a guessed one.
//
// Nothing here knows a country: numbers of decrees, header words, words of
// deadlines and spellings of administrations come in a Layout.
//
// How a page is read, in order: lines are classified (lines.go), deadlines are
// read (deadlines.go), administrations are recognised against the table of
// spellings (offices.go), what remains is names, cut into units (cells.go) and
// paired with rows (pair.go).
package decrees
