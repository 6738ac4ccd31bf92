// Package seal puts an administration's electronic seal on a PDF and checks it:
// a PAdES baseline signature (ETSI EN 319 142-1, level B-B, or B-T with a time
// stamp of RFC 3161) added as an incremental update, so that the bytes that were
// there before stay as they were and a PDF/A file stays one.
//
// What it promises:
//
//   - Sign reads back what it has made before it gives it away.
//   - Verify accepts a file only when the seal covers every byte of it but the
//     seal's own value: what was altered, and what was added afterwards, is found.
//   - Nothing is taken from the network, and no certificate is believed that does
//     not lead to a root of the caller's.
//
// Sign takes files with plain cross-reference tables and no seal yet, which is
// what package pdf writes. A seal is for a document of the house; it is no reader
// of the PDFs of others.
package seal
