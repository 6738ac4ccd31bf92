// Package directory is the directory of the exchange as a gateway calls it: what
// is sent and answered, and the client that signs each call with the node's link
// key (RFC 9421).
//
// Nothing that the directory answers is believed for having come from it: the
// index is checked against keys that are trusted already (package snapshot), and
// contracts against the signatures of their parties (package contract). The
// connection protects one thing only, the token of a node that joins.
package directory
