// Package credential turns decisions into documents that people hold: it prepares a
// document from what was decided, checks it against its type, has it signed, and
// issues it to wallets (OpenID4VCI 1.0) and on paper.
//
// A document goes through these states, forward only:
//
//	prepared -> faulty -> prepared      what the type asks for is not all there yet
//	prepared -> waiting -> ready        a second officer signs where the type asks for it
//	prepared -> ready                   otherwise
//	ready -> suspended -> ready         an officer, with a reason
//	ready | suspended -> revoked        an officer, with a reason; it is the end
//
// Invariants, which the tests hold:
//
//   - A decision prepares a document once: both are one transaction.
//   - Nothing is signed that was not checked: what is signed is a [checked], which
//     only the check of the type makes and which signing consumes.
//   - A code is taken once, after its transaction code was found right, whatever
//     comes in parallel; wrong tries are counted before anything else is done.
//   - Every copy that is issued has a key, salts and a place in a status list of its
//     own, and a place is never given twice; nothing in two copies of one batch tells
//     that they belong together, except the address of the list.
//   - What a document says lies sealed under the person's key; what must outlive an
//     erasure, the status of what was issued, names nobody.
//   - An answer with a credential is given after its record is durable.
package credential
