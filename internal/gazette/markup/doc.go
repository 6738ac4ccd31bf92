// Package markup turns a text of law from one form into another: the parts that
// were found in a source into the pieces that the gazette keeps, and the pieces
// into Akoma Ntoso, plain text and linked data, and back.
package markup
