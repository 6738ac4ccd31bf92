// Package xroad holds the edge of the X-Road REST message protocol, version 1
// (PR-REST 1.0.4), its metaservices (PR-MREST, PR-META) and its operational
// monitoring record, without any network: identifiers, the request target, the
// signed head of a message and its hash, what is filtered from a header, errors
// in both of their spellings, and the rules that decide whether a path is what
// an access right speaks of.
//
// Two things differ from what an HTTP library offers and are the reason for this
// package. Targets are read from the raw request line, because a decoded or
// cleaned path is not the one that the provider will see. Heads are bytes that
// are built once, by the consumer's gateway, and carried verbatim, because a
// hash and a signature can't be computed from a map of headers.
//
// Everything that comes from outside is bounded by the Max constants. Functions
// that read what a client sent return an *Error, ready to be shown; those that
// read what another gateway sent return errors that wrap ErrHead.
package xroad
