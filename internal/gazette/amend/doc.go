// Package amend reads amending clauses and applies them. Read turns what an
// article says ("article 5 reads as follows", "the words … are replaced by …")
// into operations; Apply carries operations out on the pieces of the text that
// they name, day by day, and gives back every wording with the days on which it
// holds.
//
// The rule that protects the reader: an operation is applied when there is only
// one way to understand it, and listed for an editor with the reason otherwise.
// A wording that nobody ordered never appears.
package amend
