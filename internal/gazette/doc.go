// Package gazette is the official gazette and the law: it reads issues and texts
// from files, finds the acts in them, keeps each as a work with its languages
// and its versions, links what they cite, applies what they amend, says what is
// in force and why, and lets people read, search, follow and export all of it.
//
// Invariants, which the tests hold:
//
//   - The bytes that were imported are kept and never changed; what was read
//     from them can be thrown away and read again.
//   - A piece of a text is kept once for each span of days in which it reads the
//     same. Rows that an amendment made carry the amending work; all of them can
//     be computed again from the rows that were published.
//   - Nothing is "in force" by default. A state comes with its reasons, each at
//     its place in a text, or it is unknown.
//   - No number and no date of a source whose digits are suspect is used until a
//     person has confirmed it.
//   - A correction is a new version of a piece with its author and its reason;
//     what stood there before stays readable.
//   - Two texts never share an address.
//
// What is of one country (kinds of acts, formulas, numbering, editions) is data
// of the country pack, read by package grammar.
package gazette
