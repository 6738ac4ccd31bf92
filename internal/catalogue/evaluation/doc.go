// Package evaluation measures how well the catalogue's search answers what
// people ask. Its questions are written by hand, in Arabic, French, Darija in
// Arabic letters and Darija in Latin letters, short and misspelt as people
// type, with the right answers. The set "dev" serves to tune the search, "test"
// only to judge it. Their author also wrote the search's glossary, so both
// flatter it; the set "late" was written when all was finished, for procedures
// drawn by lot, and says more about questions nobody foresaw.
package evaluation
