// Package stamp asks for time stamps, checks them, and gives them (RFC 3161, with
// the updates of RFC 5816). A stamp says that some bytes existed at a time, on the
// word of an authority that has no part in the matter; here the bytes are the
// signed checkpoints of transparency logs.
//
// What it promises:
//
//   - Verify accepts an answer only when everything in it holds together: the
//     imprint is that of the bytes, the one signer is the certificate that the
//     signed attributes name, its only purpose is time stamping, and it leads to
//     one of the authorities that the caller trusts, at the time stamped. Nothing
//     is taken from the network.
//   - Answers are read as DER, of bounded length and without recursion. Other
//     encodings of the same structures are refused: two readers must never see
//     two things in one proof.
//   - An Authority notes each serial number durably before the answer leaves, and
//     never gives one number to two stamps.
package stamp
