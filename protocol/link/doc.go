// Package link is a signed link between two gateways: requests and responses
// travel as frames over one connection of mutual TLS, each under an envelope
// that says who sent which bytes when, and a signature over that envelope which
// both sides keep.
//
// # What it promises
//
// A message handed over by this package was signed by a key that the caller's
// [Keys] knows and holds valid at that moment; its head and body are the bytes
// that were signed; a request was not seen before within its validity; a
// response answers exactly the request that was sent, and was signed by the
// member that was asked. At the provider a request is durable in the [Journal]
// before the [Handler] runs, and a response before it leaves; at the consumer
// both are durable before the caller gets the response. Whatever cannot be so
// promised is an error.
//
// # Signatures
//
// A message is signed alone (form 1) or together with others (form 2): the
// envelopes sent within a quarter of a millisecond become the leaves of a
// Merkle tree, the root is signed once, and each message carries its own path
// to the root. Either way one message, its signature and the public key are a
// proof on their own, without the rest of the batch.
//
// # Bodies
//
// A body of up to [MaxInline] bytes travels in the frame of its message. A
// longer one follows in chunks, each signed and bound to the one before; no
// byte is released before its chunk is verified, and a missing last chunk is an
// error. The receiver grants chunks one by one, so neither side buffers more
// than a few of them.
//
// The format, its limits and its test vectors are described for implementers in
// docs/link-protocol.md.
package link
