// Package snapshot is the directory of the exchange as gateways hold it: a small
// signed index that names one part for each member by its hash, and the parts.
// A gateway fetches the index often and only the parts that changed, keeps both
// on disk, and goes on with them while the directory is down, until the index
// says that it is too old.
//
// Invariants:
//
//   - Nothing of a directory is believed that a key the gateway already trusts
//     has not signed; parts are bound to the index by their hashes.
//   - A gateway never goes back: an index with a lower serial, or with the same
//     serial and another content, is refused (see Keeper).
//   - A part says nothing of a member other than the one it stands under.
package snapshot
