// Package form is the questions of a procedure as data: what is asked, in which
// languages, under which conditions, and what an answer must look like. It is
// pure: no database, no pages, no clock of its own.
//
// A form document names a JSON Schema (2020-12) of the answers and pages of
// questions over it. Parse accepts a document only when it is sound: every
// question stands in the schema and every part of the schema is asked, every
// condition compiles against the schema's types, speaks of earlier questions
// only and costs no more than a bound.
//
// What the package promises to the person who answers:
//   - a page changes only the answers of its own questions, whatever is posted;
//   - a computed answer is computed, never taken from outside;
//   - an answer that is no longer asked for is not sent;
//   - nothing posted can turn the text of a page around, hide in it, or fill it;
//   - a document that is missing is named and never blocks filing.
//
// Conditions and computed answers are expressions of CEL over `answers`, and
// over `item` inside a repeated group. A question that has no answer is null
// there; an expression that fails on it counts as false, or as no answer.
package form
