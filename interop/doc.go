// Package interop tests the program against wallets and verifiers that others wrote: a
// holder of theirs receives documents from the issuer here, and a verifier of theirs is
// shown documents by the holder here. That both of our own sides agree proves nothing.
//
// The others come from npm, pinned in package-lock.json; the tests are skipped where node
// or they are missing, and fail there in continuous integration.
package interop
