// Package catalogue keeps the country's public services: administrations,
// procedures, online services, themes and life events; it shows them to people,
// lets editors prepare them and others reuse them.
//
// A procedure lives in versions. A version is a draft, then under review, then
// published, and in the end withdrawn; a version that was published is never
// changed, a correction is a new one. Publication is refused while one of the
// seven facts of the law on simplification is missing or the list of documents
// asks for something the law forbids. A procedure that stands in an official
// list is shown as listed from its import on, with the facts that the list
// gives, and says which facts its administration has not yet published.
//
// Pages and search read an immutable snapshot of what is published, which every
// copy of the program rebuilds when the revision counter in the database moves;
// nothing that a reader sees is computed under a lock that a writer holds.
package catalogue
