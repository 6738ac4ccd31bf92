// Package journal is the durable log of one gateway: every signed message that
// it sent or accepted, in order, each record chained to the one before.
//
// # What it promises
//
// When Wait returns nil, the records up to that number survive the death of the
// process and the loss of power, as far as the disk keeps what it acknowledged.
// Many writers share one write and one flush (group commit). After a failed
// flush nothing is written any more, because what the system holds of the file
// is then unknown; reading goes on.
//
// An edited, removed or reordered record breaks the chain, and Verify names it.
// What a chain cannot show is a journal whose end was cut off or written anew
// from some point on; for that, Verify compares with anchors (numbers and
// chains) that were given to others.
//
// # On disk
//
// A folder of segments of a fixed length, written with zeros beforehand so that
// a commit changes no metadata. A segment begins with a header of 128 bytes:
// "DWJ" and 1, four zeros, number of its first record u64, time of its making
// u64 (ms), chain before its first record 32, zeros, and at 96 the SHA-256 of
// the 96 bytes before. Records follow, big-endian:
//
//	len u32 | type u8 | seq u64 | at u64 (ms) | payload | chain 32
//
// len counts what follows it. Bit 7 of the type marks the first record of a
// commit. chain is SHA-256(chain of the record before ‖ record up to here). The
// payload of a message (types 1, received, and 2, sent) is
//
//	envelope 208 | siglen u16 | signature | headlen u32 | head
//
// A length of zero ends the segment.
//
// # After a crash
//
// Only the last commit can be torn, since a commit is written after the one
// before it was flushed. Open therefore cuts what does not hold at the end, and
// says so in a record of its own; but when a later commit is whole, a record
// that does not hold was damaged or edited, and Open refuses to write on.
package journal
