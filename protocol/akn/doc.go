// Package akn reads, writes and addresses documents in Akoma Ntoso, the XML
// vocabulary of OASIS for laws, gazettes and judgements (LegalDocML, version
// 1.0), and in its naming convention (AKN-NC 1.0).
//
// An IRI is an address taken apart: the work ("the law 12 of 2020"), the
// expression ("in French, as it stood on that day"), the component, the portion
// and the manifestation. A Node is an element; Parse reads one from outside
// within bounds, and Write prints it. Meta writes and reads the block of
// metadata in the order that the schema demands.
package akn
