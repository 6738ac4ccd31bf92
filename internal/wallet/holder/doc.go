// Package holder is a whole wallet: it receives documents over OpenID for Verifiable
// Credential Issuance 1.0, keeps them in a folder, and shows them over OpenID for
// Verifiable Presentations 1.0. It is what the command line and programs use; the
// wallet that people use is the web application beside it.
//
// What it promises its holder:
//
//   - Nothing is kept that was not checked: the issuer's signature, that the document is
//     of the kind that was offered, and that it is bound to the wallet's own key. With
//     anchors the issuer must also stand on the list of issuers for this kind; without,
//     each document says that nobody vouched for its issuer.
//   - Nothing is shown but what was asked for, to the address that the signed request
//     names, and never a document that has expired or is known to be revoked or
//     suspended. Each copy is shown once as long as there are copies that were not.
//   - Links and all that they lead to are from strangers: addresses are https, or http
//     on this very machine; private networks are not reached, redirects not followed,
//     and all that is read is bounded in bytes and time.
//   - Keys and documents lie sealed on disk. Whoever reads the folder but not the
//     identity that seals it learns nothing but how many documents there are.
package holder
