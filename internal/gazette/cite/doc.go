// Package cite finds the texts that a text of law names: which act, which
// articles of it, and what the one does to the other. Words and formulas come
// from the country's grammar and from its list of citation words; the package
// knows no language.
//
// A citation is what a reader would follow: a kind of act with its number or its
// date, and the articles named with it; or articles alone, which are then those
// of the text itself. Passages in quotation marks are read too, because an
// amending act cites inside the words that it puts into another, but what it
// says there of "this law" is not of itself.
package cite
