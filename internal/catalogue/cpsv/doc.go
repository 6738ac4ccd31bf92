// Package cpsv says the catalogue in the European vocabulary for public
// services, CPSV-AP 3.2.0, with CCCEV 2.1 for what must be shown, as JSON-LD and
// as Turtle, and reads the same back.
//
// Each type of the model has one table that binds its fields to properties. The
// writer and the reader both walk that table, so that what is written can be
// read back and nothing is lost between them; a test fails when a field of the
// model stands in no table. What the standard cannot say (what silence means,
// appeals, when a document is asked, what nobody has verified) is said in a
// vocabulary of the portal's own, published at the portal's address followed by
// /ns. Beside that, statements that the standard expects and that follow from
// others (a participation, a processing time, a contact point) are written and
// ignored when read.
//
// The package is pure: it neither stores nor fetches anything, and a document
// can't make it fetch anything.
package cpsv
