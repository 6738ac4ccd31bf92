// Package httpsig signs and verifies HTTP messages as RFC 9421 says, and makes
// and checks Content-Digest (RFC 9530).
//
// A Message is a request or a response as one side sees it, made by FromRequest
// or FromResponse or filled in by hand. Sign adds the fields Signature-Input and
// Signature; Verify finds a signature that a Policy accepts. What a signature does
// not cover is not protected: a Policy that requires nothing proves nothing but
// the possession of a key, so state what is required.
//
// exchange.go holds one profile of it, "diwan-exchange-1", by which two gateways
// that share no other protocol can exchange signed messages over plain HTTP.
//
// Everything read from a message is bounded by the constants of this package.
package httpsig
