// Package backend calls a provider's service over HTTP/1.1 for a gateway. It
// writes the method, the target and the header lines exactly as they were signed
// and returns the answer's lines in their order, which net/http can't do; it never
// follows a redirect, never decompresses, never asks for compression and keeps no
// cookies.
//
// The reader is strict where programs differ, because an answer that two programs
// read differently lets one caller's answer reach another: a response with both
// Content-Length and Transfer-Encoding, with Content-Lengths that differ, with a
// line that ends in LF alone or a chunk that is not exactly one is an error, and
// its connection is closed. A connection on which anything arrives unasked is
// never used again.
//
// A request is repeated only when a kept connection turned out to be closed before
// a byte of an answer came, the method is idempotent and there is no body.
package backend
