// Package clock is the statutory clock of an application: from the events of a
// case it tells the state of the case, the last day for the answer, what silence
// means from which day, which other periods run, and why. It is a pure function
// of the events, the rules and a day: it reads no clock, keeps nothing and can
// be asked again at any time, so that a date shown to a citizen can be proved
// from the case's journal alone.
//
// Numbers, articles and readings of the law come from the country pack (Rules);
// this package knows what a period, a suspension or an appeal is, never how many
// days a particular law gives.
//
// Invariants, which the tests hold:
//
//   - Only local days are counted, never spans of 24 hours.
//   - The same rules, events and day give the same output; events after the day
//     change nothing before it.
//   - An event that the law does not allow changes nothing: it is listed with a
//     stable code that says why.
//   - No last day is before the day that starts its period.
//   - What time alone does (return of the file, approval by silence, opening of
//     the appeal, escalation, referral) follows from the stored days, so that a
//     sweep that comes late finds the same day as one that comes on time.
package clock
