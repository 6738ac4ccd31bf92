// Package search finds provisions of the law by their words, in Arabic, in
// French and from one language to the other.
//
// The index holds one document for every searchable row of a text, all its
// versions, and one for the titles of every work. It is a replica: whatever it
// holds was read from a Source and can be thrown away. Update compares digests
// text by text, so one new issue costs one new issue.
//
// Bleve's segments keep the postings; scoring is done here, over decoded lists,
// because the score of a provision has parts that Bleve can't see: the title of
// its work, its state, how often it is cited, and how many of the question's
// words it has. The best of them are ranked again from their text (package
// retrieval). All weights stand in weights.go.
package search
