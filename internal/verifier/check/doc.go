// Package check finds out whether an official document is genuine and good today: as a
// wallet holds it, as it was presented, or as the code of a printed page, from a text,
// a file or a picture. It needs neither a database nor a network, only a [Kit]: who may
// issue what, the status lists, and the names of types, all signed except the names.
//
// What it promises:
//
//   - A document is accepted only when its issuer stands on a list that has not ended,
//     its signature and dates are good, and a status list that has not ended says that
//     it is valid. Where a list is missing or too old the answer is [Unknown], never
//     [Accepted].
//   - Nothing is fetched because a stranger said so: a status list is asked for only
//     after the document that names it was found signed by a trusted issuer, and an
//     issuer is never asked about one document.
//   - What a document says is shown only when its issuer's signature holds.
//   - All that is read is bounded: bytes, pixels, lists, tries.
package check
