// Package casework takes an application from its first page to the end of every
// period that the law gives: drafts, filing and its receipt, the exchange with
// the officer, the decision or the silence, what comes after.
//
// A case is its events. Each event says what happened, on which local day and by
// whom; the state, the day due and everything that time brings about are computed
// from them (package clock) and kept beside them only so that lists are fast.
//
// Invariants, which the tests hold:
//
//   - A case keeps the terms it began with: the procedure's deadline, lists,
//     documents and form as they were published on the day of filing.
//   - Events are only added, in an order, each with the hash of the one before, so
//     that a removed or altered one is found, also by whoever only holds a receipt.
//   - What a person said lies sealed under that person's key. The days and kinds
//     of events don't, so that the clock can be recomputed after an erasure.
//   - A document, piece of information or doubt is asked for once (the ledger of
//     what was asked has one row for each).
//   - A transition that time makes is recorded exactly once, whatever crashes and
//     however many copies of the program sweep.
//   - Acknowledged means durable: a receipt's number, day and statement are fixed
//     in the transaction that files the case.
package casework
