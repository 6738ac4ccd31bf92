// Package structure turns the repaired text of a gazette, or of one act, into
// acts with their parts.
//
// It reads a text once, line by line, notes what each line could be (the title
// of an act, the head of a chapter, of an article, a footnote, a page number),
// and then decides with what stands around: article numbers rise, a title
// follows a signature, a footnote stands at the foot of a page. Which words and
// formulas to look for is all in the country's grammar.
//
// Everything it finds is a span of the text. Every byte that is not white space
// is in exactly one leaf of the result: see Leaves. What it could not make sense
// of is listed as a problem, never dropped and never guessed silently.
package structure
