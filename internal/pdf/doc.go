// Package pdf writes documents that last: PDF/A-2b with its fonts inside, in
// Arabic, French, English and Tamazight, laid out and shaped here.
//
// It promises that the text of every page can be copied and searched in reading
// order, ligatures and right-to-left runs included; that the same calls give the
// same bytes (dates come from the caller); and that nothing in a file points
// outside it. A document is built from top to bottom with Heading, Paragraph,
// Columns and their like, then written once with WriteTo. A Doc is for one
// goroutine.
package pdf
