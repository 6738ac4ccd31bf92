// Package verifier asks for official documents and checks them: for a bank, a notary, a
// counter, a shop, and for anybody who has been handed one.
//
// A request goes through these states, forward only:
//
//	waiting -> fetched -> accepted | refused      the wallet answered, once
//	waiting | fetched -> expired                  nobody answered in time
//
// Invariants, which the tests hold:
//
//   - A verifier is asked for no more than it is registered for, claim by claim, before
//     anything is sent to a wallet; what a wallet sends beyond the request is not kept.
//   - One answer settles a request, whatever comes in parallel; the second is refused.
//     An answer that can't be read settles nothing.
//   - Each request has a nonce and an encryption key of its own; the key is gone when the
//     request is answered or has ended.
//   - Who has only seen the code of a request can't read its result: that takes a second
//     secret or the browser that began, and for an answer on the same device the code
//     that the wallet was given, in the session that began.
//   - Who asks on the pages as a registered verifier was invited for it, once, by somebody
//     else; only they read the answer, signed in, and only while they are one of its people.
//   - A document is accepted by the rules of package check: never without lists that have
//     not ended, never by asking its issuer about it.
//   - What was disclosed is kept sealed, as long as the purpose allows and no longer.
package verifier
