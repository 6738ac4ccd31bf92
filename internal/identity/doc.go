// Package identity knows who is asking. Officers have accounts with roles for
// one administration or for all; they sign in by a one-time link that an
// operator makes on the command line, and in a demonstration by choosing one of
// the labelled sample accounts. Sessions live in the database, under the hash of
// their token, so that whoever reads the database can't take one over.
//
// Public pages never look at a session: what everybody sees can't depend on who
// somebody is.
package identity
