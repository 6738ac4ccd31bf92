// Package translog is the transparency log of one administration: an append-only
// Merkle tree over the hashes of its journals' records, its signed checkpoints,
// the witnesses who cosign them, and what proves from all that, offline, that an
// exchange took place.
//
// What it promises:
//
//   - An entry is the SHA-256 of a journal record and nothing else: no personal
//     data, nothing to guess. What was appended keeps its place forever.
//   - The log signs no checkpoint that contradicts one it signed before: when its
//     own database says otherwise, Checkpoint refuses.
//   - A Witness keeps what it saw of a log durably before it cosigns, and never
//     cosigns two histories of one log.
//   - Stamps and witnesses never hold up an append: a checkpoint goes without
//     them until they answer.
//   - A Bundle holds all that is needed to check one record with the keys that
//     the reader trusts; nothing in it is believed because it is in it.
//
// The formats are those of the C2SP: tlog-checkpoint, tlog-tiles (tiles of 256
// hashes), tlog-witness, tlog-cosignature (Ed25519, timestamped), and signed-note;
// the tree is that of RFC 6962.
//
// # Tables
//
// translog_log counts the entries of a log: the row is taken first by whoever
// appends, so that several nodes of one member append one after the other.
// translog_tile holds the full and the growing tiles; a tile's hashes never
// change, a growing one only gets more. translog_source says how far each journal
// was fed, in the same transaction as its entries, so that nothing is left out or
// doubled by a crash between the two.
package translog
